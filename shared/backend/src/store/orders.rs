//! Orders: made once, read by id, advanced by version.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::UpdateItemError},
    types::ReturnValuesOnConditionCheckFailure,
};
use order::{Order, OrderId};

use super::{Store, StoreError, item};

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
}

/// Why an order was not advanced.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// Somebody moved it first; this is how it stands now.
    #[error("the order was moved by somebody else")]
    Stale(Box<Order>),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
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

    /// Access pattern 2: makes the order, unless the key it was derived from made one already.
    ///
    /// One conditional write. Repeating it with a key, also after an answer was lost, answers `Existed`
    /// with the order as it stands.
    pub async fn create(
        &self,
        order: &Order,
        fingerprint: Option<&RequestFingerprint>,
    ) -> Result<Created, StoreError> {
        let mut new = item::fixed_attributes(order, fingerprint);
        new.insert("version".to_owned(), item::number(order.version));
        let changing = item::changing_attributes(order).into_iter();
        new.extend(changing.filter_map(|(name, value)| Some((name.to_owned(), value?))));
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(new))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match sent {
            Ok(_) => return Ok(Created::Made),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(lost)) if lost.item.is_some() => {
                let (existing, stored_print) = item::to_order(lost.item().unwrap_or(&item::Item::new()))?;
                // Without a key the id is chance: it can only be our own write, whose answer got lost.
                if fingerprint.is_none() && existing.id == order.id {
                    return Ok(Created::Made);
                }
                Ok(Created::Existed(Box::new(KeyedOrder { order: existing, fingerprint: stored_print })))
            }
            _ => Err(StoreError::unavailable("PutItem")(error)),
        }
    }

    /// Access pattern 3: writes what changed in `next`, if the order still is at the version `next`
    /// was made from. Answers the order as stored.
    ///
    /// Losing is [`AdvanceError::Stale`] with the order that won, so the caller decides again without
    /// another read. Safe to repeat: a write whose answer got lost is recognised.
    pub async fn advance(&self, next: &Order) -> Result<Order, AdvanceError> {
        let stored = Order { version: next.version + 1, ..next.clone() };
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::order_key(next.id.tail())))
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", item::number(next.version))
            .expression_attribute_values(":next", item::number(stored.version))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (mut set, mut remove) = (vec!["#version = :next".to_owned()], Vec::new());
        for (name, value) in item::changing_attributes(next) {
            request = request.expression_attribute_names(format!("#{name}"), name);
            match value {
                Some(value) => {
                    set.push(format!("#{name} = :{name}"));
                    request = request.expression_attribute_values(format!(":{name}"), value);
                }
                None => remove.push(format!("#{name}")),
            }
        }
        let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
        let sent = request.update_expression(format!("SET {}{remove}", set.join(", "))).send().await;
        let error = match sent {
            Ok(_) => return Ok(stored),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(lost)) if lost.item.is_some() => {
                let (current, _) = item::to_order(lost.item().unwrap_or(&item::Item::new()))?;
                if current == stored { Ok(stored) } else { Err(AdvanceError::Stale(Box::new(current))) }
            }
            _ => Err(StoreError::unavailable("UpdateItem")(error).into()),
        }
    }
}
