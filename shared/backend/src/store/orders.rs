//! Orders: made once, read by id, advanced by version.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use order::{Order, OrderId, ProductId};

use super::{
    Store, StoreError, item,
    stock::{Moved, given_back, taken},
};

/// A condition that did not hold though there is no item.
const NO_ITEM: &str = "the item is gone";
const UNLESS_IT_EXISTS: &str = "attribute_not_exists(PK)";
const IF_STILL_AS_READ: &str = "#version = :read";

/// The hash of the request an order was made by: SHA-256 of its JSON value.
pub type RequestFingerprint = [u8; 32];

/// An order found under the key of a request.
#[derive(Clone, Debug)]
pub struct KeyedOrder {
    /// The order.
    pub order: Order,
    /// What its request looked like, if it had a key.
    pub fingerprint: Option<Vec<u8>>,
}

/// What making an order came to.
#[derive(Debug)]
pub enum Created {
    /// It was made now.
    Made,
    /// A request with the same key made it before.
    Existed(Box<KeyedOrder>),
    /// It was not made: fewer pieces of these are left than are wanted.
    SoldOut(Vec<ProductId>),
}

/// Why an order was not advanced.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Somebody moved it first; this is how it stands now.
    #[error("the order was moved by somebody else")]
    Stale(Box<Order>),
    /// It would have to take its stock again, and that is gone. Nothing was written.
    #[error("the order's stock is sold")]
    SoldOut,
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One conditional update, whichever way it is sent.
struct Change {
    key: item::Item,
    update: String,
    names: HashMap<String, String>,
    values: item::Item,
    /// Marks the item as this write's: two writers can mean the very same change, and only one made it.
    mark: [u8; 10],
}

impl Change {
    /// From `before`, as it was read, to `next`, whose journal has one entry more.
    fn of(before: &Order, next: &Order) -> Self {
        let entries = next.journal.iter().skip(before.journal.len()).map(item::journal_entry).collect();
        let mark = crate::clock::entropy();
        let mut names = HashMap::from([("#version".to_owned(), "version".to_owned())]);
        let mut values = item::Item::from(
            [
                (":read", item::number(before.version)),
                (":next", item::number(before.version + 1)),
                (":entries", AttributeValue::L(entries)),
                (":none", AttributeValue::L(Vec::new())),
                (":mark", item::mark(mark)),
            ]
            .map(|(placeholder, value)| (placeholder.to_owned(), value)),
        );
        // The journal is appended to, never written over.
        let mut update = "SET #version = :next, writtenBy = :mark, \
                          journal = list_append(if_not_exists(journal, :none), :entries)"
            .to_owned();
        let mut remove = String::new();
        for (name, value) in item::changing_attributes(next) {
            match value {
                Some(value) => {
                    update.extend([", #", name, " = :", name]);
                    values.insert([":", name].concat(), value);
                }
                None => remove.extend([if remove.is_empty() { " REMOVE #" } else { ", #" }, name]),
            }
            names.insert(["#", name].concat(), name.to_owned());
        }
        update.push_str(&remove);
        Self { key: item::order_key(next.id.tail()), update, names, values, mark }
    }
}

impl Store {
    /// Access pattern 1: the order with this id, read consistently.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.set_key(Some(item::order_key(id.tail()))).send().await;
        let Some(found) = answer.map_err(StoreError::of("GetItem"))?.item else { return Ok(None) };
        let (order, _) = item::to_order(&found)?;
        // The key holds the random part of an id only: an id with another time is another id.
        Ok((order.id == id).then_some(order))
    }

    /// Access pattern 2: makes the order, unless the key it was derived from made one already, and takes its
    /// stock.
    ///
    /// One conditional write, or one transaction if stock is counted. Repeating it with a key, also after an
    /// answer was lost, answers `Existed` with the order as it stands.
    pub async fn create(
        &self,
        order: &Order,
        fingerprint: Option<&RequestFingerprint>,
    ) -> Result<Created, StoreError> {
        let mut new = item::fixed_attributes(order, fingerprint);
        new.insert("version".to_owned(), item::number(order.version));
        let entries = order.journal.iter().map(item::journal_entry).collect();
        new.insert("journal".to_owned(), AttributeValue::L(entries));
        let changing = item::changing_attributes(order).into_iter();
        new.extend(changing.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let existing = if order.holds_stock {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(new))
                .condition_expression(UNLESS_IT_EXISTS)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .expect("the table and the item are set");
            let put = TransactWriteItem::builder().put(put).build();
            match self.with_stock(put, taken(order)).await? {
                Moved::Done => return Ok(Created::Made),
                Moved::Lost(existing) => existing,
                Moved::NoStock(products) => return Ok(Created::SoldOut(products)),
            }
        } else {
            let sent = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(new))
                .condition_expression(UNLESS_IT_EXISTS)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else { return Ok(Created::Made) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) => lost.item.clone(),
                _ => return Err(StoreError::of("PutItem")(error)),
            }
        };
        let existing = existing.ok_or_else(|| StoreError::unavailable("PutItem", NO_ITEM))?;
        let (existing, stored_print) = item::to_order(&existing)?;
        // Without a key the id is chance: it can only be our own write, whose answer got lost.
        if fingerprint.is_none() && existing.id == order.id {
            return Ok(Created::Made);
        }
        Ok(Created::Existed(Box::new(KeyedOrder { order: existing, fingerprint: stored_print })))
    }

    /// Access pattern 3: goes from `before`, as it was read, to `next`, if the order still is at that
    /// version. Stock that `next` does not hold any more goes back in the same transaction, and stock that it
    /// holds again is taken in it. Answers the order as stored.
    ///
    /// Losing is [`AdvanceError::Stale`] with the order that won, so the caller decides again without
    /// another read. A write whose answer got lost is recognised by its mark; another's write of the very same
    /// change is not taken for it, since what follows it, such as a call that moves money, is the other's.
    pub async fn advance(&self, before: &Order, next: &Order) -> Result<Order, AdvanceError> {
        let stored = Order { version: before.version + 1, ..next.clone() };
        let change = Change::of(before, next);
        let mark = item::mark(change.mark);
        let current = if before.holds_stock == next.holds_stock {
            match self.update(change).await? {
                Updated::Done => return Ok(stored),
                Updated::Lost(current) => current,
            }
        } else {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(change.key))
                .condition_expression(IF_STILL_AS_READ)
                .update_expression(change.update)
                .set_expression_attribute_names(Some(change.names))
                .set_expression_attribute_values(Some(change.values))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .expect("the table, the key and the expression are set");
            let update = TransactWriteItem::builder().update(update).build();
            let moves = if next.holds_stock { taken(next) } else { given_back(next) };
            match self.with_stock(update, moves).await? {
                Moved::Done => return Ok(stored),
                Moved::Lost(current) => current,
                Moved::NoStock(_) => return Err(AdvanceError::SoldOut),
            }
        };
        let current = current.ok_or_else(|| StoreError::unavailable("UpdateItem", NO_ITEM))?;
        if current.get("writtenBy") == Some(&mark) {
            return Ok(stored);
        }
        Err(AdvanceError::Stale(Box::new(item::to_order(&current)?.0)))
    }

    /// Sends a change by itself.
    async fn update(&self, change: Change) -> Result<Updated, StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .condition_expression(IF_STILL_AS_READ)
            .update_expression(change.update)
            .set_expression_attribute_names(Some(change.names))
            .set_expression_attribute_values(Some(change.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = sent else { return Ok(Updated::Done) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(lost)) => {
                Ok(Updated::Lost(lost.item.clone()))
            }
            _ => Err(StoreError::of("UpdateItem")(error)),
        }
    }
}

/// What an update by itself came to.
enum Updated {
    /// It was written.
    Done,
    /// Its condition did not hold, and this is the item that is there, if there is one.
    Lost(Option<item::Item>),
}
