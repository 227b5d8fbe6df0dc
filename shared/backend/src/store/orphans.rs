//! Orphans: payments PortOne has and we have no order for.

use aws_sdk_dynamodb::{operation::update_item::UpdateItemError, types::AttributeValue};
use order::{Observation, Timestamp};

use super::{Store, StoreError, item};

/// Whether what PortOne has of an orphan was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// It is new, or it changed since it was written down.
    Recorded,
    /// Written down before, just so or newer.
    AlreadyRecorded,
}

impl Store {
    /// Access pattern 5: writes an orphan down, as it stands at PortOne. All of them are one `Query` of
    /// `PK = ORPHANS`.
    ///
    /// Older news never replaces newer, by PortOne's clock; when it was first seen stays.
    pub async fn record_orphan(&self, seen: &Observation, now: Timestamp) -> Result<Orphan, StoreError> {
        let currency = seen.currency.map_or_else(String::new, |currency| currency.code().to_owned());
        let total: [(String, AttributeValue); 2] =
            [("amount".to_owned(), item::number(seen.total)), ("currency".to_owned(), item::text(currency))];
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::orphan_key(seen)))
            .condition_expression("attribute_not_exists(PK) OR changedAt < :changedAt")
            .update_expression(
                "SET paymentId = :payment, transactionId = :transaction, paymentStatus = :status, \
                 #total = :total, changedAt = :changedAt, firstSeenAt = if_not_exists(firstSeenAt, :now)",
            )
            .expression_attribute_names("#total", "total")
            .expression_attribute_values(":payment", item::text(&seen.payment_id))
            .expression_attribute_values(":transaction", item::text(&seen.transaction_id))
            .expression_attribute_values(":status", item::text(seen.status.word()))
            .expression_attribute_values(":total", AttributeValue::M(total.into()))
            .expression_attribute_values(":changedAt", item::number(seen.changed_at.as_millis()))
            .expression_attribute_values(":now", item::number(now.as_millis()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Orphan::Recorded),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Orphan::AlreadyRecorded),
                _ => Err(StoreError::unavailable("UpdateItem")(error)),
            },
        }
    }
}
