//! The last step of every decision: what follows from the new state is set in one place.

use crate::{
    CancellationStatus, Observation, Order, OrderStatus,
    decision::Decision,
    journal::{Entry, Look},
    look::next_look,
};

/// `next` as it is to be written in place of `before`: dated, with its stock kept or released, the next
/// look planned and the journal's entry made.
pub(crate) fn commit(before: &Order, mut next: Order, look: Look<'_>, seen: Option<&Observation>) -> Order {
    if !next.is_open() {
        let paid = next.received.is_some();
        for row in next.cancellations.iter_mut().filter(|row| row.is_closing()) {
            // Money was faster than closing the order.
            row.status = if paid { CancellationStatus::Failed } else { CancellationStatus::Succeeded };
        }
    }
    next.updated_at = look.at;
    next.holds_stock = next.has_stock() && keeps_stock(next.status);
    next.look_at = next_look(&next, look.at);
    next.journal.push(Entry::of(Some(before), &next, look, seen));
    next
}

/// A write of `next`, if it differs from `order`.
pub(crate) fn write(order: &Order, next: Order, look: Look<'_>, seen: Option<&Observation>) -> Decision {
    if next == *order { Decision::Stay } else { Decision::Write(Box::new(commit(order, next, look, seen))) }
}

/// Stock is reserved with the order and stays so while it is open or paid; closing it for whatever reason
/// releases it.
pub(crate) fn keeps_stock(status: OrderStatus) -> bool {
    match status {
        OrderStatus::Pending
        | OrderStatus::PayPending
        | OrderStatus::VirtualAccountIssued
        | OrderStatus::Paid
        | OrderStatus::PartialCancelled => true,
        OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => false,
    }
}
