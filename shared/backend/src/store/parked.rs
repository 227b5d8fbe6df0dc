//! Parked deliveries: V1 webhooks that could not be worked off when they came.
//!
//! V1 sends a webhook once (its webhook guide: resends only for shops that asked for them), so what
//! cannot be worked off is kept here and answered.

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::AttributeValue,
};
use order::Timestamp;

use super::{Store, StoreError, item};

/// A V1 delivery to be worked off later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedDelivery {
    /// PortOne's id of the attempt.
    pub imp_uid: String,
}

/// How many parked deliveries are looked at in one go.
const PARKED_MAX: i32 = 3;

impl Store {
    /// Access pattern 7: keeps a delivery. Keeping it again changes nothing.
    pub async fn park(&self, delivery: &ParkedDelivery, now: Timestamp) -> Result<(), StoreError> {
        let mut new = item::parked_key(&delivery.imp_uid);
        new.insert("impUid".to_owned(), item::text(&delivery.imp_uid));
        new.insert("parkedAt".to_owned(), item::number(now.as_millis()));
        let request = self.client.put_item().table_name(&self.table).set_item(Some(new));
        match request.condition_expression("attribute_not_exists(PK)").send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::unavailable("PutItem")(error)),
            },
        }
    }

    /// Access pattern 8: a few parked deliveries.
    pub async fn parked(&self) -> Result<Vec<ParkedDelivery>, StoreError> {
        let query = self.client.query().table_name(&self.table).limit(PARKED_MAX);
        let answer = query
            .key_condition_expression("PK = :parked")
            .expression_attribute_values(":parked", AttributeValue::S(item::PARKED.to_owned()))
            .send()
            .await
            .map_err(StoreError::unavailable("Query"))?;
        let deliveries = answer.items().iter().filter_map(|found| found.get("impUid")?.as_s().ok());
        Ok(deliveries.map(|imp_uid| ParkedDelivery { imp_uid: imp_uid.clone() }).collect())
    }

    /// Access pattern 9: forgets a delivery that was worked off. It was a hint; what came of it is in its
    /// order. Forgetting it twice changes nothing.
    pub async fn unpark(&self, delivery: &ParkedDelivery) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let key = item::parked_key(&delivery.imp_uid);
        match request.set_key(Some(key)).condition_expression("attribute_exists(PK)").send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::unavailable("DeleteItem")(error)),
            },
        }
    }
}
