//! Closing an order that nobody paid for. Never without having asked PortOne.

use crate::{Cancellation, Observation, Order, OrderStatus, PaymentStatus, commit::commit, journal::Look};

/// What an open order's age calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Nothing: it is not open, not due, or the PG has not decided yet.
    No,
    /// Its virtual account has to be closed at PortOne first, so that no deposit arrives any more.
    CloseAccount,
    /// Write the order as it stands here: expired, or cancelled where an operator began to close it.
    Expire(Box<Order>),
}

/// What to do about an order whose payment PortOne was just asked for and which stands by that answer.
///
/// A payment that was made in time is taken by the look that comes before this, whatever the time is now.
pub fn overdue(order: &Order, seen: Option<&Observation>, look: Look<'_>) -> Overdue {
    let closing = order.cancellations.iter().any(Cancellation::is_closing);
    if !order.is_open() || (look.at < order.due() && !closing) {
        return Overdue::No;
    }
    match seen.map(|seen| seen.status) {
        None | Some(PaymentStatus::Ready | PaymentStatus::Failed) => {
            let mut next = order.clone();
            next.status = if closing { OrderStatus::Cancelled } else { OrderStatus::Expired };
            next.virtual_account = None;
            Overdue::Expire(Box::new(commit(order, next, look, seen)))
        }
        Some(PaymentStatus::VirtualAccountIssued) => Overdue::CloseAccount,
        Some(
            PaymentStatus::PayPending
            | PaymentStatus::Paid
            | PaymentStatus::PartialCancelled
            | PaymentStatus::Cancelled
            | PaymentStatus::Unrecognized,
        ) => Overdue::No,
    }
}
