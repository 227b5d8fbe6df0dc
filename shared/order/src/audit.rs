//! Whether an order's books balance by themselves.

use crate::{CancellationStatus, Order, OrderStatus};

/// What is wrong with an order's books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imbalance {
    /// It took money that is not what was ordered.
    ReceivedIsNotOrdered,
    /// More went back than came.
    ReturnedExceedsReceived,
    /// The cancellations that succeeded are more than what went back.
    LedgerExceedsReturned,
    /// Its status does not follow from its sums.
    StatusDoesNotFollow,
    /// It holds stock it should not, or does not hold what it should.
    Stock,
    /// Its journal does not have an entry for each version.
    Journal,
}

/// Checks one order: paid = ordered, returned ≤ paid, and all that follows. Nothing is wrong with a sound one.
pub fn imbalances(order: &Order) -> Vec<Imbalance> {
    let received = order.received.map_or(0, |money| money.amount);
    let succeeded = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Succeeded);
    let listed = succeeded.map(|row| row.amount).fold(0, u64::saturating_add);
    let rejected = order.status == OrderStatus::Rejected;
    let follows = match order.status {
        OrderStatus::Pending
        | OrderStatus::PayPending
        | OrderStatus::VirtualAccountIssued
        | OrderStatus::Expired => order.received.is_none(),
        OrderStatus::Paid => order.received.is_some() && order.returned == 0,
        OrderStatus::PartialCancelled => 0 < order.returned && order.returned < received,
        OrderStatus::Cancelled => order.returned == received,
        OrderStatus::Rejected => order.received.is_some(),
    };
    let entries = u64::try_from(order.journal.len()).unwrap_or(u64::MAX);
    let faults = [
        (
            !rejected && order.received.is_some_and(|money| money != order.total),
            Imbalance::ReceivedIsNotOrdered,
        ),
        (order.returned > received, Imbalance::ReturnedExceedsReceived),
        (listed > order.returned, Imbalance::LedgerExceedsReturned),
        (!follows, Imbalance::StatusDoesNotFollow),
        (
            order.holds_stock != (order.has_stock() && crate::commit::keeps_stock(order.status)),
            Imbalance::Stock,
        ),
        (entries != order.version, Imbalance::Journal),
    ];
    faults.into_iter().filter_map(|(holds, fault)| holds.then_some(fault)).collect()
}
