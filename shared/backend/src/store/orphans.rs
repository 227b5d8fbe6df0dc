//! Orphans: payments PortOne has and we have no order for.

use aws_sdk_dynamodb::{operation::put_item::PutItemError, types::AttributeValue};
use order::{Observation, Timestamp};

use super::{Store, StoreError, item};

/// Whether an orphan was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orphan {
    /// Written down now.
    Recorded,
    /// Written down before.
    AlreadyRecorded,
}

impl Store {
    /// Access pattern 5: writes an orphan down once. All of them are one `Query` of `PK = ORPHANS`.
    pub async fn record_orphan(&self, seen: &Observation, now: Timestamp) -> Result<Orphan, StoreError> {
        let mut new = item::orphan_key(seen);
        let currency = seen.currency.map_or_else(String::new, |currency| currency.code().to_owned());
        let total: [(String, AttributeValue); 2] =
            [("amount".to_owned(), item::number(seen.total)), ("currency".to_owned(), item::text(currency))];
        new.extend([
            ("paymentId".to_owned(), item::text(&seen.payment_id)),
            ("transactionId".to_owned(), item::text(&seen.transaction_id)),
            ("paymentStatus".to_owned(), item::text(seen.status.word())),
            ("total".to_owned(), AttributeValue::M(total.into())),
            ("firstSeenAt".to_owned(), item::number(now.as_millis())),
        ]);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(new));
        match request.condition_expression("attribute_not_exists(PK)").send().await {
            Ok(_) => Ok(Orphan::Recorded),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(Orphan::AlreadyRecorded),
                _ => Err(StoreError::unavailable("PutItem")(error)),
            },
        }
    }
}
