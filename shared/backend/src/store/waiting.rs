//! Orders that wait for a look, from the index `open` that only those are in.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use order::{Order, OrderId, Timestamp};

use super::{Store, StoreError, item};

/// The shards of the index: the alphabet of order ids.
pub const SHARDS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Store {
    /// Access pattern 12: ids of orders of one shard whose look is due, soonest first, at most `limit`.
    ///
    /// The index lags behind the table: whoever looks reads the order itself.
    pub async fn waiting(&self, shard: char, now: Timestamp, limit: i32) -> Result<Vec<OrderId>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("open")
            .limit(limit)
            .key_condition_expression("waiting = :shard AND lookAt <= :now")
            .expression_attribute_values(":shard", item::text(shard.to_string()))
            .expression_attribute_values(":now", item::number(now.as_millis()))
            .send()
            .await
            .map_err(StoreError::unavailable("Query"))?;
        let ids = answer.items().iter().filter_map(|found| found.get("id")?.as_s().ok()?.parse().ok());
        Ok(ids.collect())
    }

    /// Access pattern 13: plans the next look at an order that a look changed nothing of. No new version: it
    /// is no news. Whether the order still was at the version that was looked at.
    pub async fn plan_look(&self, order: &Order, at: Option<Timestamp>) -> Result<bool, StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::order_key(order.id.tail())))
            .condition_expression("version = :read")
            .expression_attribute_values(":read", item::number(order.version));
        let request = match at {
            Some(at) => request
                .update_expression("SET waiting = :shard, lookAt = :at")
                .expression_attribute_values(":shard", item::text(item::shard_of(order.id.tail())))
                .expression_attribute_values(":at", item::number(at.as_millis())),
            None => request.update_expression("REMOVE waiting, lookAt"),
        };
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(StoreError::unavailable("UpdateItem")(error)),
            },
        }
    }
}
