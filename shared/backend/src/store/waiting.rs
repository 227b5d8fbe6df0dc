//! Orders that wait for a look, from the index `open` that only those are in.

use std::collections::BTreeSet;

use order::{Order, OrderId, Timestamp};

use super::{Store, StoreError, held, item};

/// The shards of the index: the alphabet of order ids.
pub const SHARDS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Where a page of waiting orders ended.
#[derive(Clone, Debug)]
pub struct WaitingPage(item::Item);

impl Store {
    /// Access pattern 12: ids of orders of one shard whose look is due, soonest first, at most `limit` after
    /// where the page before ended; the second value is where this one did, if there are more.
    ///
    /// The index lags behind the table: whoever looks reads the order itself.
    pub async fn waiting(
        &self,
        shard: char,
        now: Timestamp,
        after: Option<WaitingPage>,
        limit: u16,
    ) -> Result<(Vec<OrderId>, Option<WaitingPage>), StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("open")
            .limit(i32::from(limit))
            .set_exclusive_start_key(after.map(|page| page.0))
            .key_condition_expression("waiting = :shard AND lookAt <= :now")
            .expression_attribute_values(":shard", item::text(shard.to_string()))
            .expression_attribute_values(":now", item::number(now.as_millis()))
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        let ids = answer.items().iter().filter_map(|found| found.get("id")?.as_s().ok()?.parse().ok());
        Ok((ids.collect(), answer.last_evaluated_key.clone().map(WaitingPage)))
    }

    /// Access pattern 16: the orders with these ids, at most 100; ids of none and broken orders are left out.
    pub async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Order>, StoreError> {
        let keys = ids.iter().map(|id| id.tail()).collect::<BTreeSet<_>>();
        let found = self.batch_get(keys.into_iter().map(item::order_key).collect()).await?;
        let orders = found.iter().filter_map(|item| item::to_order(item).ok()).map(|(order, _)| order);
        Ok(orders.filter(|order| ids.contains(&order.id)).collect())
    }

    /// Access pattern 18: has an order looked at by this moment. It never puts a look off: whoever asks may be
    /// anybody.
    pub async fn bring_look_forward(&self, id: OrderId, to: Timestamp) -> Result<(), StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::order_key(id.tail())))
            .condition_expression("attribute_exists(PK) AND (attribute_not_exists(lookAt) OR lookAt > :to)")
            .update_expression("SET waiting = :shard, lookAt = :to")
            .expression_attribute_values(":shard", item::text(item::shard_of(id.tail())))
            .expression_attribute_values(":to", item::number(to.as_millis()))
            .send()
            .await;
        held(sent).map(|_| ())
    }

    /// Access pattern 17: puts off the look at an order that cannot be read, so that it keeps no other
    /// waiting.
    pub async fn put_off_look(&self, id: OrderId, until: Timestamp) -> Result<(), StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::order_key(id.tail())))
            .condition_expression("attribute_exists(waiting)")
            .update_expression("SET lookAt = :until")
            .expression_attribute_values(":until", item::number(until.as_millis()))
            .send()
            .await;
        held(sent).map(|_| ())
    }

    /// Access pattern 13: plans the next look at an order that a look changed nothing of. No new version: it
    /// is no news. Whether the order still was as it was read: at this version, and not brought forward by
    /// [`Store::bring_look_forward`] meanwhile.
    pub async fn plan_look(&self, order: &Order, at: Option<Timestamp>) -> Result<bool, StoreError> {
        let (condition, planned) = match order.look_at {
            Some(planned) => ("#version = :read AND lookAt = :planned", Some(planned)),
            None => ("#version = :read AND attribute_not_exists(lookAt)", None),
        };
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::order_key(order.id.tail())))
            .condition_expression(condition)
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", item::number(order.version));
        if let Some(planned) = planned {
            request = request.expression_attribute_values(":planned", item::number(planned.as_millis()));
        }
        let request = match at {
            Some(at) => request
                .update_expression("SET waiting = :shard, lookAt = :at")
                .expression_attribute_values(":shard", item::text(item::shard_of(order.id.tail())))
                .expression_attribute_values(":at", item::number(at.as_millis())),
            None => request.update_expression("REMOVE waiting, lookAt"),
        };
        held(request.send().await)
    }
}
