//! Orders with a cancellation whose outcome nobody knows, so that the age of the oldest is known in every run
//! without a look at every order. A hint: the order's own ledger decides.

use order::OrderId;

use super::{Store, StoreError, item};
use crate::dynamodb::{DeleteItem, Item, Query, UpdateItem};

impl Store {
    /// Access pattern 19: remembers such an order. Twice is once.
    pub async fn remember_unknown(&self, id: OrderId) -> Result<(), StoreError> {
        let write = UpdateItem {
            table_name: &self.table,
            key: item::unknown_key(id),
            update_expression: "SET id = :id",
            expression_attribute_values: item::values([(":id", item::text(id.as_str()))]),
            ..UpdateItem::default()
        };
        self.held(&write).await.map(|_| ())
    }

    /// Access pattern 20: such orders, a page of at most `limit` after the one named last; the second value is
    /// where the next page begins, if there is one.
    pub async fn unknown(
        &self,
        after: Option<OrderId>,
        limit: u16,
    ) -> Result<(Vec<OrderId>, Option<OrderId>), StoreError> {
        let query = Query {
            table_name: &self.table,
            limit: Some(limit),
            exclusive_start_key: after.map(item::unknown_key),
            key_condition_expression: "PK = :unknown",
            expression_attribute_values: item::values([(":unknown", item::text(item::UNKNOWN))]),
            ..Query::default()
        };
        let page = self.dynamodb.read(&query).await?;
        let id = |found: &Item| item::as_str(found.get("SK")?)?.parse().ok();
        Ok((page.items.iter().filter_map(id).collect(), page.last_evaluated_key.as_ref().and_then(id)))
    }

    /// Access pattern 21: forgets such an order, whose outcomes are known now.
    pub async fn forget_unknown(&self, id: OrderId) -> Result<(), StoreError> {
        let key = item::unknown_key(id);
        let write = DeleteItem { table_name: &self.table, key, ..DeleteItem::default() };
        self.held(&write).await.map(|_| ())
    }
}
