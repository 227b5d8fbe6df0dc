//! When the schedule has to look at an order that nobody reports on.

use crate::{CancellationStatus, DepositRefund, Order, OrderStatus, Timestamp};

/// The first look at an order without news, and the least distance of two.
const FIRST_MINUTES: u32 = 5;
/// The greatest distance of two looks.
const LAST_MINUTES: u32 = 6 * 60;

/// When an order with V1's money is looked at again, in days after it was paid.
const REVISIT_DAYS: [u32; 4] = [1, 7, 30, 90];

/// When to look next, if ever: while an order is open, while money is on its way back, and while money
/// that must go back is held.
///
/// The distances double with the order's age, from 5 minutes to 6 hours, so that a lost webhook is
/// made good for soon and a deposit that takes a week costs few looks; deadlines are met.
pub fn next_look(order: &Order, now: Timestamp) -> Option<Timestamp> {
    let after = |since: Timestamp| {
        let waited = u32::try_from(now.minutes_since(since)).unwrap_or(0);
        now.plus_minutes(waited.clamp(FIRST_MINUTES, LAST_MINUTES))
    };
    let meeting = |due: Timestamp, look: Timestamp| if now < due { look.min(due) } else { look };
    let undecided = |status| matches!(status, CancellationStatus::Intended | CancellationStatus::Requested);
    let undecided = order.cancellations.iter().filter(|row| undecided(row.status)).map(|row| row.at).max();
    // PortOne need not report the end of a dispute or of a transfer: neither changes the payment's state.
    let disputed =
        order.disputes.iter().filter(|dispute| dispute.open).map(|dispute| dispute.opened_at).max();
    let transfer = order.deposit_refund.is_some_and(|refund| refund != DepositRefund::Completed);
    let transfer = order.cancellations.last().filter(|_| transfer).map(|row| row.at);
    let undecided = [undecided, disputed, transfer].into_iter().flatten().max();
    match order.status {
        _ if order.is_open() && undecided.is_some() => undecided.map(after),
        OrderStatus::Pending | OrderStatus::PayPending => {
            Some(meeting(order.expires_at, after(order.created_at)))
        }
        OrderStatus::VirtualAccountIssued => Some(meeting(order.due(), after(order.created_at))),
        OrderStatus::Rejected if order.balance() > 0 => {
            Some(after(order.cancellations.last().map_or(now, |row| row.at)))
        }
        OrderStatus::Paid | OrderStatus::PartialCancelled => {
            undecided.map(after).or_else(|| revisit(order, now))
        }
        OrderStatus::Cancelled | OrderStatus::Rejected => undecided.map(after),
        OrderStatus::Expired => None,
    }
}

/// V1 lists a payment by the time it was paid, so that a part of it given back later in the console, whose one
/// webhook got lost, is in no list of news: its orders are looked at a few times more.
fn revisit(order: &Order, now: Timestamp) -> Option<Timestamp> {
    order.v1_money()?;
    let paid_at = order.paid_at?;
    REVISIT_DAYS.into_iter().map(|days| paid_at.plus_minutes(days * 24 * 60)).find(|at| *at > now)
}
