//! Stock: the pieces of a product that are left, counted in its own item.
//!
//! An order's stock moves in the same transaction as the order itself, so it is never taken without an order,
//! never given back twice, and by its condition never negative.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use order::{Order, ProductId};

use super::{Store, StoreError, item};

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
    /// Nothing was written: the order's own condition did not hold, and this is its item, if there is one.
    Lost(Option<item::Item>),
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
        order: TransactWriteItem,
        mut moves: Vec<Move>,
    ) -> Result<Moved, StoreError> {
        let mut attempt = 0;
        loop {
            // The SDK adds a new `ClientRequestToken` here, and sends it again with each of its own attempts.
            let mut request = self.client.transact_write_items().transact_items(order.clone());
            for one in &moves {
                request = request.transact_items(self.move_stock(one));
            }
            let Err(error) = request.send().await else { return Ok(Moved::Done) };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(StoreError::of("TransactWriteItems")(error));
            };
            let reasons = cancelled.cancellation_reasons();
            if let Some(rejected) = StoreError::of_reasons(reasons.iter().filter_map(|reason| reason.code()))
            {
                return Err(rejected);
            }
            let failed =
                |reason: &CancellationReason| reason.code.as_deref() == Some("ConditionalCheckFailed");
            if let Some(lost) = reasons.first().filter(|reason| failed(reason)) {
                return Ok(Moved::Lost(lost.item.clone()));
            }
            let refused: Vec<_> =
                reasons.iter().skip(1).zip(&moves).filter(|(reason, _)| failed(reason)).collect();
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
                let source = "other transactions held the items";
                return Err(StoreError::unavailable("TransactWriteItems", source));
            }
            // Another transaction was on one of the items. Who waits longer the more often it lost, by a
            // distance of its own, gets through.
            let jitter = u64::from(crate::clock::entropy()[0]);
            tokio::time::sleep(Duration::from_millis(u64::from(attempt) * (5 + jitter / 8))).await;
        }
    }

    fn move_stock(&self, one: &Move) -> TransactWriteItem {
        let (condition, update) = if one.take {
            ("stock >= :pieces", "SET stock = stock - :pieces")
        } else {
            ("attribute_exists(stock)", "SET stock = stock + :pieces")
        };
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::product_key(&one.product)))
            .condition_expression(condition)
            .update_expression(update)
            .expression_attribute_values(":pieces", item::number(one.quantity))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .expect("the table, the key and the expression are set");
        TransactWriteItem::builder().update(update).build()
    }
}
