//! Orders with a cancellation whose outcome nobody knows, so that the age of the oldest is known in every run
//! without a look at every order. A hint: the order's own ledger decides.

use order::OrderId;

use super::{Store, StoreError, held, item};

impl Store {
    /// Access pattern 19: remembers such an order. Twice is once.
    pub async fn remember_unknown(&self, id: OrderId) -> Result<(), StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::unknown_key(id)))
            .update_expression("SET id = :id")
            .expression_attribute_values(":id", item::text(id.as_str()))
            .send()
            .await;
        held(sent).map(|_| ())
    }

    /// Access pattern 20: such orders, a page of at most `limit` after the one named last; the second value is
    /// where the next page begins, if there is one.
    pub async fn unknown(
        &self,
        after: Option<OrderId>,
        limit: u16,
    ) -> Result<(Vec<OrderId>, Option<OrderId>), StoreError> {
        let query = self.client.query().table_name(&self.table).limit(i32::from(limit));
        let answer = query
            .set_exclusive_start_key(after.map(item::unknown_key))
            .key_condition_expression("PK = :unknown")
            .expression_attribute_values(":unknown", item::text(item::UNKNOWN))
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        let id = |found: &item::Item| found.get("SK")?.as_s().ok()?.parse().ok();
        Ok((answer.items().iter().filter_map(id).collect(), answer.last_evaluated_key().and_then(id)))
    }

    /// Access pattern 21: forgets such an order, whose outcomes are known now.
    pub async fn forget_unknown(&self, id: OrderId) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let sent = request.set_key(Some(item::unknown_key(id))).send().await;
        sent.map(|_| ()).map_err(StoreError::of("DeleteItem"))
    }
}
