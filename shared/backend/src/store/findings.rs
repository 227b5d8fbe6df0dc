//! Findings: what a person has to look at, one item for each thing found.

use order::{FindingKind, Timestamp};

use super::{Store, StoreError, item};
use crate::dynamodb::{AttributeValue, DeleteItem, Query, UpdateItem};

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// About what: an order id, a payment id or an `imp_uid`.
    pub subject: String,
    /// Facts for the person who looks, by name: never about a person.
    pub facts: Vec<(String, String)>,
    /// Since when it is so, by PortOne's clock or ours. Older news never replaces newer.
    pub changed_at: Timestamp,
}

/// A finding as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFinding {
    /// What was found.
    pub finding: Finding,
    /// When it was found first.
    pub first_seen_at: Timestamp,
}

/// Whether a finding was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is new, or it changed since it was written down.
    New,
    /// Written down before, just so or newer.
    Known,
}

impl Store {
    /// Access pattern 5: writes a finding down. Writing it again changes nothing.
    pub async fn record_finding(&self, finding: &Finding, now: Timestamp) -> Result<Found, StoreError> {
        let facts = finding.facts.iter().map(|(name, value)| (name.clone(), item::text(value))).collect();
        let write = UpdateItem {
            table_name: &self.table,
            key: item::finding_key(finding.kind, &finding.subject),
            condition_expression: Some("attribute_not_exists(PK) OR changedAt < :changedAt"),
            update_expression: "SET kind = :kind, subject = :subject, facts = :facts, changedAt = :changedAt, \
                 firstSeenAt = if_not_exists(firstSeenAt, :now)",
            expression_attribute_values: item::values([
                (":kind", item::text(finding.kind.word())),
                (":subject", item::text(&finding.subject)),
                (":facts", AttributeValue::M(facts)),
                (":changedAt", item::number(finding.changed_at.as_millis())),
                (":now", item::number(now.as_millis())),
            ]),
            ..UpdateItem::default()
        };
        Ok(if self.held(&write).await? { Found::New } else { Found::Known })
    }

    /// Access pattern 10: takes a finding back that settled itself, or that a person settled. Whether there
    /// was one.
    pub async fn settle_finding(&self, kind: FindingKind, subject: &str) -> Result<bool, StoreError> {
        let write = DeleteItem {
            table_name: &self.table,
            key: item::finding_key(kind, subject),
            condition_expression: Some("attribute_exists(PK)"),
            ..DeleteItem::default()
        };
        self.held(&write).await
    }

    /// Access pattern 21: the findings about one order, of every kind that is named by the order's id.
    pub async fn findings_about(&self, order_id: &str) -> Result<Vec<KeptFinding>, StoreError> {
        let keys = FindingKind::ALL.iter().map(|kind| item::finding_key(*kind, order_id));
        let found = self.batch_get(keys.collect()).await?;
        Ok(found.iter().filter_map(item::to_finding).collect())
    }

    /// Access pattern 11: findings, a page of at most `limit` after the one whose key was given last; the
    /// second value is where the next page begins, if there is one. Broken ones are left out.
    pub async fn findings(
        &self,
        after: Option<&str>,
        limit: u16,
    ) -> Result<(Vec<KeptFinding>, Option<String>), StoreError> {
        let query = Query {
            table_name: &self.table,
            limit: Some(limit),
            exclusive_start_key: after.map(|sort| item::key(item::FINDINGS.to_owned(), sort)),
            key_condition_expression: "PK = :findings",
            expression_attribute_values: item::values([(":findings", item::text(item::FINDINGS))]),
            ..Query::default()
        };
        let page = self.dynamodb.read(&query).await?;
        let next = page.last_evaluated_key.as_ref().and_then(|key| item::as_str(key.get("SK")?));
        Ok((page.items.iter().filter_map(item::to_finding).collect(), next.map(str::to_owned)))
    }
}
