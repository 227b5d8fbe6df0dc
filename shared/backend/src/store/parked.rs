//! Parked deliveries: V1 webhooks that could not be worked off when they came.
//!
//! V1 sends a webhook once (its webhook guide: resends only for shops that asked for them), so what
//! cannot be worked off is kept here and answered.

use aws_sdk_dynamodb::{operation::delete_item::DeleteItemError, types::AttributeValue};
use order::Timestamp;

use super::{Store, StoreError, item};

/// A V1 delivery to be worked off later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedDelivery {
    /// PortOne's id of the attempt.
    pub imp_uid: String,
    /// When it was parked last.
    pub parked_at: Timestamp,
}

/// How many parked deliveries are looked at in one go.
pub const PARKED_PAGE: usize = 100;

impl Store {
    /// Access pattern 7: keeps a delivery. Another one about the same attempt takes its place: it is the
    /// same hint, to be worked off after this moment.
    pub async fn park(&self, delivery: &ParkedDelivery) -> Result<(), StoreError> {
        let mut new = item::parked_key(&delivery.imp_uid);
        new.insert("impUid".to_owned(), item::text(&delivery.imp_uid));
        new.insert("parkedAt".to_owned(), item::number(delivery.parked_at.as_millis()));
        let sent = self.client.put_item().table_name(&self.table).set_item(Some(new)).send().await;
        sent.map(|_| ()).map_err(StoreError::of("PutItem"))
    }

    /// Access pattern 8: parked deliveries, at most a hundred. What is broken is left out.
    pub async fn parked(&self) -> Result<Vec<ParkedDelivery>, StoreError> {
        let query = self.client.query().table_name(&self.table).limit(PARKED_PAGE as i32);
        let answer = query
            .key_condition_expression("PK = :parked")
            .expression_attribute_values(":parked", AttributeValue::S(item::PARKED.to_owned()))
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        let delivery = |found: &item::Item| {
            let parked_at = found.get("parkedAt")?.as_n().ok()?.parse().ok()?;
            let imp_uid = found.get("impUid")?.as_s().ok()?.clone();
            Some(ParkedDelivery { imp_uid, parked_at: Timestamp::from_millis(parked_at) })
        };
        Ok(answer.items().iter().filter_map(delivery).collect())
    }

    /// Access pattern 9: forgets a delivery that was worked off, unless it was parked again since it was
    /// read. It was a hint; what came of it is in its order. Forgetting it twice changes nothing.
    pub async fn unpark(&self, delivery: &ParkedDelivery) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let sent = request
            .set_key(Some(item::parked_key(&delivery.imp_uid)))
            .condition_expression("parkedAt = :read")
            .expression_attribute_values(":read", item::number(delivery.parked_at.as_millis()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::of("DeleteItem")(error)),
            },
        }
    }
}
