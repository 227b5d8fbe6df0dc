//! What the rest of the shop is told of: fulfilment, mail, accounting.

use crate::{Cancellation, CancellationStatus, Order, OrderStatus};

/// Something that happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A virtual account waits for the buyer's deposit: tell them bank, number and deadline.
    VirtualAccountIssued,
    /// The order has its money: send the goods.
    OrderPaid,
    /// Part of its money went back.
    OrderPartiallyCancelled,
    /// All of its money went back, or the shop closed it before there was any.
    OrderCancelled,
    /// It was closed unpaid.
    OrderExpired,
    /// Money arrived that is not the order's; it goes back.
    OrderRejected,
    /// The buyer disputes the payment: answer the PG before its deadline.
    PaymentDisputed,
    /// A dispute of the payment is resolved.
    PaymentDisputeResolved,
}

/// What happened between two states of an order, in order of happening; `before` is nothing for a new
/// one. The same two states always tell the same.
pub fn events(before: Option<&Order>, after: &Order) -> Vec<EventKind> {
    let was = before.map(|order| order.status);
    let now_in = |status| after.status == status && was != Some(status);
    let rejected = after.status == OrderStatus::Rejected;
    let paid_before = before.is_some_and(|order| order.received.is_some());
    let returned_before = before.map_or(0, |order| order.returned);
    let account = |order: &Order| order.virtual_account.clone();
    let issued = after.status == OrderStatus::VirtualAccountIssued
        && account(after).is_some()
        && before.and_then(account) != account(after);
    let happened = [
        (issued, EventKind::VirtualAccountIssued),
        (after.received.is_some() && !paid_before && !rejected, EventKind::OrderPaid),
        (
            after.status == OrderStatus::PartialCancelled && after.returned > returned_before,
            EventKind::OrderPartiallyCancelled,
        ),
        (now_in(OrderStatus::Cancelled), EventKind::OrderCancelled),
        (now_in(OrderStatus::Expired), EventKind::OrderExpired),
        (now_in(OrderStatus::Rejected), EventKind::OrderRejected),
        (disputes(after) > before.map_or(0, disputes), EventKind::PaymentDisputed),
        (resolved(after) > before.map_or(0, resolved), EventKind::PaymentDisputeResolved),
    ];
    happened.into_iter().filter_map(|(holds, kind)| holds.then_some(kind)).collect()
}

fn disputes(order: &Order) -> usize {
    order.disputes.len()
}

fn resolved(order: &Order) -> usize {
    order.disputes.iter().filter(|dispute| !dispute.open).count()
}

/// The most events of one write of an order: its money came, and some of it had gone back before the first sync; or a
/// dispute was opened and resolved. Money and disputes are never in one write.
pub const EVENTS_AT_ONCE_MAX: usize = 2;

/// The cancellations that money went back by between two states of an order. They can sum to less than what
/// went back: PortOne does not list all that it counts.
pub fn succeeded<'a>(before: Option<&Order>, after: &'a Order) -> Vec<&'a Cancellation> {
    let done = |row: &&Cancellation| row.status == CancellationStatus::Succeeded && row.amount > 0;
    let known = |number| {
        let rows = before.map_or(&[][..], |order| order.cancellations.as_slice());
        rows.iter().filter(done).any(|row| row.number == number)
    };
    after.cancellations.iter().filter(done).filter(|row| !known(row.number)).collect()
}
