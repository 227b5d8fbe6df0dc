//! Orders: made once, read by id, advanced by version.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, Update},
};
use order::{Order, OrderId, ProductId};

use super::{
    Store, StoreError, item,
    stock::{Transacted, taken},
};

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
    condition: String,
    update: String,
    names: Vec<(String, String)>,
    values: Vec<(String, AttributeValue)>,
    /// Marks the item as this write's: two writers can mean the very same change, and only one made it.
    mark: [u8; 10],
}

impl Change {
    /// From `before`, as it was read, to `next`, whose journal has one entry more.
    fn of(before: &Order, next: &Order) -> Self {
        let entries = next.journal.iter().skip(before.journal.len()).map(item::journal_entry).collect();
        let mark = crate::clock::entropy();
        let mut names = vec![("#version".to_owned(), "version".to_owned())];
        let mut values = vec![
            (":read".to_owned(), item::number(before.version)),
            (":next".to_owned(), item::number(before.version + 1)),
            (":entries".to_owned(), AttributeValue::L(entries)),
            (":none".to_owned(), AttributeValue::L(Vec::new())),
            (":mark".to_owned(), item::mark(mark)),
        ];
        // The journal is appended to, never written over.
        let journal = "journal = list_append(if_not_exists(journal, :none), :entries)".to_owned();
        let (mut set, mut remove) =
            (vec!["#version = :next".to_owned(), "writtenBy = :mark".to_owned(), journal], Vec::new());
        for (name, value) in item::changing_attributes(next) {
            names.push((format!("#{name}"), name.to_owned()));
            match value {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    values.push((format!(":{name}"), value));
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        Self {
            key: item::order_key(next.id.tail()),
            condition: "#version = :read".to_owned(),
            update: format!("SET {}{remove}", set.join(", ")),
            names,
            values,
            mark,
        }
    }
}

impl Store {
    /// Access pattern 1: the order with this id, read consistently.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.set_key(Some(item::order_key(id.tail()))).send().await;
        let Some(found) = answer.map_err(StoreError::unavailable("GetItem"))?.item else { return Ok(None) };
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
                .condition_expression("attribute_not_exists(PK)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .map_err(StoreError::unavailable("TransactWriteItems"))?;
            match self.with_stock(|write| write.put(put.clone()), taken(order)).await? {
                Transacted::Done => return Ok(Created::Made),
                Transacted::Lost(existing) => existing,
                Transacted::NoStock(products) => return Ok(Created::SoldOut(products)),
            }
        } else {
            let sent = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(new))
                .condition_expression("attribute_not_exists(PK)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else { return Ok(Created::Made) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(lost)) if lost.item.is_some() => {
                    lost.item.clone().unwrap_or_default()
                }
                _ => return Err(StoreError::unavailable("PutItem")(error)),
            }
        };
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
                None => return Ok(stored),
                Some(current) => current,
            }
        } else {
            let update = Update::builder()
                .table_name(&self.table)
                .set_key(Some(change.key))
                .condition_expression(change.condition)
                .update_expression(change.update)
                .set_expression_attribute_names(Some(change.names.into_iter().collect()))
                .set_expression_attribute_values(Some(change.values.into_iter().collect()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .map_err(StoreError::unavailable("TransactWriteItems"))?;
            let moved = if next.holds_stock { taken(next) } else { super::stock::given_back(next) };
            match self.with_stock(|write| write.update(update.clone()), moved).await? {
                Transacted::Done => return Ok(stored),
                Transacted::Lost(current) => current,
                Transacted::NoStock(_) => return Err(AdvanceError::SoldOut),
            }
        };
        if current.get("writtenBy") == Some(&mark) {
            return Ok(stored);
        }
        Err(AdvanceError::Stale(Box::new(item::to_order(&current)?.0)))
    }

    /// Sends a change by itself. The item that is there if its condition does not hold.
    async fn update(&self, change: Change) -> Result<Option<item::Item>, StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(change.key))
            .condition_expression(change.condition)
            .update_expression(change.update)
            .set_expression_attribute_names(Some(change.names.into_iter().collect()))
            .set_expression_attribute_values(Some(change.values.into_iter().collect()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = sent else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(lost)) if lost.item.is_some() => {
                Ok(lost.item.clone())
            }
            _ => Err(StoreError::unavailable("UpdateItem")(error)),
        }
    }
}
