//! What the shop is told.

use super::*;
use crate::{EventKind, event::events};

#[test]
fn each_change_is_told_once_and_in_order_of_happening() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let part = after(&paid, &seen(PaymentStatus::PartialCancelled));
    let all = after(&part, &seen(PaymentStatus::Cancelled));
    assert_eq!(events(None, &pending()), []);
    assert_eq!(events(Some(&pending()), &paid), [EventKind::OrderPaid]);
    assert_eq!(events(Some(&paid), &part), [EventKind::OrderPartiallyCancelled]);
    assert_eq!(events(Some(&part), &all), [EventKind::OrderCancelled]);
    // It came and went before we looked.
    assert_eq!(events(Some(&pending()), &all), [EventKind::OrderPaid, EventKind::OrderCancelled]);
    let issued = after(&pending(), &seen(PaymentStatus::VirtualAccountIssued));
    assert_eq!(events(Some(&pending()), &issued), [EventKind::VirtualAccountIssued]);
    assert_eq!(events(Some(&issued), &issued), []);
    let rejected = after(&pending(), &Observation { total: 900, ..seen(PaymentStatus::Paid) });
    assert_eq!(events(Some(&pending()), &rejected), [EventKind::OrderRejected]);
}
