//! Closing an order that nobody paid for. Never without having asked PortOne.

use crate::{
    Cancellation, Generation, Observation, Order, OrderStatus, PaymentStatus, commit::commit, journal::Look,
};

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

/// What to do about an order whose payment PortOne was just asked for and which stands by that answer;
/// `closed` says that its virtual account was closed just now, or cannot be.
///
/// A payment that was made in time is taken by the look that comes before this, whatever the time is now.
pub fn overdue(order: &Order, seen: Option<&Observation>, look: Look<'_>, closed: bool) -> Overdue {
    let closing = order.cancellations.iter().any(Cancellation::is_closing);
    if !order.is_open() || (look.at < order.due() && !closing) {
        return Overdue::No;
    }
    if !closed && may_take_deposit(order, seen) {
        return Overdue::CloseAccount;
    }
    if !is_without_money(seen, closed) {
        return Overdue::No;
    }
    let mut next = order.clone();
    next.status = if closing { OrderStatus::Cancelled } else { OrderStatus::Expired };
    next.virtual_account = None;
    Overdue::Expire(Box::new(commit(order, next, look, seen)))
}

/// Whether a deposit may still arrive: an account waits for one, or was issued by a window before the one that
/// V2 shows. V1 shows the account itself as long as it is open.
pub(crate) fn may_take_deposit(order: &Order, seen: Option<&Observation>) -> bool {
    // PortOne was asked before the account was issued, and the order was read after that was written.
    let Some(seen) = seen else { return order.virtual_account.is_some() };
    let hidden = order.virtual_account.is_some() && seen.generation == Generation::V2;
    let shown = seen.status == PaymentStatus::VirtualAccountIssued;
    shown || (hidden && is_without_money(Some(seen), false))
}

/// Whether PortOne has no payment, or one that took no money and takes none any more by itself.
pub(crate) fn is_without_money(seen: Option<&Observation>, closed: bool) -> bool {
    match seen.map(|seen| seen.status) {
        None | Some(PaymentStatus::Ready | PaymentStatus::Failed) => true,
        Some(PaymentStatus::Cancelled) => seen.is_some_and(|seen| !seen.had_money()),
        Some(PaymentStatus::VirtualAccountIssued) => closed,
        Some(
            PaymentStatus::PayPending
            | PaymentStatus::Paid
            | PaymentStatus::PartialCancelled
            | PaymentStatus::Unrecognized,
        ) => false,
    }
}
