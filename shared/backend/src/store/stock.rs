//! Stock: the pieces of a product that are left, counted in its own item.
//!
//! An order's stock moves in the same transaction as the order itself, so it is never taken without an order,
//! never given back twice, and by its condition never negative.

use std::{iter, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use order::{Order, ProductId};

use super::{Store, StoreError, item};
use crate::{
    clock,
    dynamodb::{
        CancellationReason, Item, ReturnValues, TransactWriteItem, TransactWriteItems, Transacted, UpdateItem,
    },
};

/// Transactions of many buyers for one product get into each other's way; each loss is another's progress.
const ATTEMPTS_MAX: u32 = 12;

/// One product's stock to be moved.
#[derive(Clone, Debug)]
pub(super) struct Move {
    product: ProductId,
    quantity: u32,
    take: bool,
}

/// Everything that an order takes.
pub(super) fn taken(order: &Order) -> Vec<Move> {
    moves(order, true)
}

/// Everything that an order gives back.
pub(super) fn given_back(order: &Order) -> Vec<Move> {
    moves(order, false)
}

fn moves(order: &Order, take: bool) -> Vec<Move> {
    let stocked = order.lines.iter().filter(|line| line.stocked);
    stocked.map(|line| Move { product: line.product_id.clone(), quantity: line.quantity, take }).collect()
}

/// What a transaction came to.
pub(super) enum Moved {
    /// All of it was written.
    Done,
    /// Nothing was written: the order's own condition did not hold, and this is its item, if
    /// there is one.
    Lost(Option<Item>),
    /// Nothing was written: too few pieces are left.
    NoStock(Vec<ProductId>),
}

impl Store {
    /// Writes an order and moves stock, both or neither.
    ///
    /// A product whose stock is counted no longer, or which is gone, keeps nobody from closing an order: its
    /// pieces go nowhere then.
    pub(super) async fn with_stock(
        &self,
        order: TransactWriteItem<'_>,
        mut moves: Vec<Move>,
    ) -> Result<Moved, StoreError> {
        let mut attempt = 0;
        loop {
            let stock = moves.iter().map(|one| self.move_stock(one));
            let transact_items = iter::once(order.clone()).chain(stock).collect();
            let client_request_token = BASE64_URL_SAFE_NO_PAD.encode(clock::entropy());
            let request = TransactWriteItems { transact_items, client_request_token };
            let Transacted::Cancelled(reasons) = self.dynamodb.transact(&request).await? else {
                return Ok(Moved::Done);
            };
            if let Some(lost) = reasons.first().filter(|reason| reason.is_condition()) {
                return Ok(Moved::Lost(lost.item.clone()));
            }
            let refused: Vec<_> =
                reasons.iter().skip(1).zip(&moves).filter(|(reason, _)| reason.is_condition()).collect();
            // Pieces that are counted no longer are unlimited, or nobody's.
            let counted = |reason: &CancellationReason| {
                reason.item.as_ref().is_some_and(|item| item.contains_key("stock"))
            };
            let sold_out = |(reason, one): &&(&CancellationReason, &Move)| {
                one.take && (counted(reason) || reason.item.is_none())
            };
            let sold: Vec<_> = refused.iter().filter(sold_out).map(|(_, one)| one.product.clone()).collect();
            if !sold.is_empty() {
                return Ok(Moved::NoStock(sold));
            }
            if !refused.is_empty() {
                let gone: Vec<_> = refused.into_iter().map(|(_, one)| one.product.clone()).collect();
                tracing::warn!(event = "stock.gone", ?gone, "stock that is counted no longer moves no more");
                moves.retain(|one| !gone.contains(&one.product));
                continue;
            }
            attempt += 1;
            if attempt == ATTEMPTS_MAX {
                let source = "other transactions were on its items";
                return Err(StoreError::unavailable("TransactWriteItems", source));
            }
            // Another transaction was on one of the items. Who waits longer the more often it lost, by a
            // distance of its own, gets through.
            let jitter = u64::from(clock::entropy()[0]);
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * (5 + jitter / 8))).await;
        }
    }

    fn move_stock(&self, one: &Move) -> TransactWriteItem<'_> {
        let (condition, update) = if one.take {
            ("stock >= :pieces", "SET stock = stock - :pieces")
        } else {
            ("attribute_exists(stock)", "SET stock = stock + :pieces")
        };
        TransactWriteItem::Update(UpdateItem {
            table_name: &self.table,
            key: item::product_key(&one.product),
            condition_expression: Some(condition),
            update_expression: update,
            expression_attribute_values: item::values([(":pieces", item::number(one.quantity))]),
            return_values_on_condition_check_failure: Some(ReturnValues::AllOld),
            ..UpdateItem::default()
        })
    }
}
