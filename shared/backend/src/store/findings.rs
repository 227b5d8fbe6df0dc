//! Findings: what a person has to look at, one item for each thing found.

use aws_sdk_dynamodb::types::AttributeValue;
use order::{FindingKind, Timestamp};

use super::{Store, StoreError, held, item};

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
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::finding_key(finding.kind, &finding.subject)))
            .condition_expression("attribute_not_exists(PK) OR changedAt < :changedAt")
            .update_expression(
                "SET kind = :kind, subject = :subject, facts = :facts, changedAt = :changedAt, \
                 firstSeenAt = if_not_exists(firstSeenAt, :now)",
            )
            .expression_attribute_values(":kind", item::text(finding.kind.word()))
            .expression_attribute_values(":subject", item::text(&finding.subject))
            .expression_attribute_values(":facts", AttributeValue::M(facts))
            .expression_attribute_values(":changedAt", item::number(finding.changed_at.as_millis()))
            .expression_attribute_values(":now", item::number(now.as_millis()))
            .send()
            .await;
        Ok(if held(sent)? { Found::New } else { Found::Known })
    }

    /// Access pattern 10: takes a finding back that settled itself, or that a person settled. Whether there
    /// was one.
    pub async fn settle_finding(&self, kind: FindingKind, subject: &str) -> Result<bool, StoreError> {
        use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
        let request = self.client.delete_item().table_name(&self.table);
        let key = item::finding_key(kind, subject);
        match request.set_key(Some(key)).condition_expression("attribute_exists(PK)").send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::of("DeleteItem")(error)),
            },
        }
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
        let begin = after.map(|sort| item::key(item::FINDINGS.to_owned(), sort));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .limit(i32::from(limit))
            .set_exclusive_start_key(begin);
        let answer = query
            .key_condition_expression("PK = :findings")
            .expression_attribute_values(":findings", item::text(item::FINDINGS))
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        let next = answer.last_evaluated_key().and_then(|key| key.get("SK")?.as_s().ok()).cloned();
        Ok((answer.items().iter().filter_map(item::to_finding).collect(), next))
    }
}
