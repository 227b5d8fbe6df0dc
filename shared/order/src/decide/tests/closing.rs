//! Orders that wait, and their end.

use super::*;

#[test]
fn closing_an_order_releases_its_stock_and_late_money_takes_it_again() {
    let order = stocked();
    assert!(after(&order, &seen(PaymentStatus::Paid)).holds_stock);
    let refunded = after(&after(&order, &seen(PaymentStatus::Paid)), &seen(PaymentStatus::Cancelled));
    assert!(!refunded.holds_stock, "all of the money went back");
    assert!(!after(&order, &Observation { total: 900, ..seen(PaymentStatus::Paid) }).holds_stock, "rejected");

    let late = look(NOW.plus_minutes(31));
    let crate::Overdue::Expire(expired) = crate::overdue(&order, None, late, false) else {
        panic!("it is overdue")
    };
    assert_eq!((expired.status, expired.holds_stock), (OrderStatus::Expired, false));
    let taken = after(&expired, &seen(PaymentStatus::Paid));
    assert_eq!((taken.status, taken.holds_stock), (OrderStatus::Paid, true));
}

#[test]
fn an_order_expires_only_when_it_is_due_and_portone_has_nothing_that_may_still_pay_it() {
    use crate::{Overdue, overdue};
    let seen_as = |status| Some(seen(status));
    let (due, early) = (look(NOW.plus_minutes(30)), look(NOW.plus_minutes(29)));
    assert_eq!(overdue(&pending(), None, early, false), Overdue::No);
    for nothing in [None, seen_as(PaymentStatus::Ready), seen_as(PaymentStatus::Failed)] {
        assert!(matches!(overdue(&pending(), nothing.as_ref(), due, false), Overdue::Expire(_)));
    }
    for open in [PaymentStatus::PayPending, PaymentStatus::Paid, PaymentStatus::Unrecognized] {
        assert_eq!(overdue(&pending(), seen_as(open).as_ref(), due, false), Overdue::No, "{open:?}");
    }
    let issued = seen(PaymentStatus::VirtualAccountIssued);
    assert_eq!(overdue(&pending(), Some(&issued), due, false), Overdue::CloseAccount);
    for status in [OrderStatus::Paid, OrderStatus::Cancelled, OrderStatus::Rejected, OrderStatus::Expired] {
        assert_eq!(
            overdue(&order_in(status), None, look(NOW.plus_minutes(10_000)), false),
            Overdue::No,
            "{status:?}"
        );
    }
}

#[test]
fn a_virtual_account_has_a_deadline_of_its_own() {
    let mut issued = seen(PaymentStatus::VirtualAccountIssued);
    issued.virtual_account.as_mut().unwrap().expires_at = Some(NOW.plus_minutes(3 * 24 * 60));
    let order = after(&pending(), &issued);
    let look_at = |minutes| crate::overdue(&order, Some(&issued), look(NOW.plus_minutes(minutes)), false);
    assert_eq!(look_at(24 * 60), crate::Overdue::No);
    assert_eq!(look_at(3 * 24 * 60), crate::Overdue::CloseAccount);
}

#[test]
fn a_window_that_fails_does_not_close_the_account_another_one_issued() {
    let mut issued = seen(PaymentStatus::VirtualAccountIssued);
    issued.virtual_account.as_mut().unwrap().expires_at = Some(NOW.plus_minutes(3 * 24 * 60));
    let order = after(&pending(), &issued);
    let failed = Observation {
        transaction_id: "tx-2".to_owned(),
        changed_at: NOW.plus_minutes(1),
        ..seen(PaymentStatus::Failed)
    };
    let order = after(&order, &failed);
    assert_eq!(order.status, OrderStatus::Pending);
    assert_eq!(order.due(), NOW.plus_minutes(3 * 24 * 60), "the buyer may still deposit");
    let due = look(order.due());
    assert_eq!(crate::overdue(&order, Some(&failed), due, false), crate::Overdue::CloseAccount);
    assert!(matches!(crate::overdue(&order, Some(&failed), due, true), crate::Overdue::Expire(_)));
    // Its own end closes it.
    let ended = Observation { changed_at: NOW.plus_minutes(2), ..seen(PaymentStatus::Failed) };
    assert_eq!(after(&order, &ended).due(), order.expires_at);
}

#[test]
fn a_payment_that_was_cancelled_without_money_and_does_not_match_keeps_no_order_open() {
    let none = Observation {
        channel: Channel::Test,
        cancelled: 0,
        cancellations: Vec::new(),
        ..seen(PaymentStatus::Cancelled)
    };
    let order = after(&pending(), &none);
    assert!(matches!(
        crate::overdue(&order, Some(&none), look(NOW.plus_minutes(30)), false),
        crate::Overdue::Expire(_)
    ));
}

#[test]
fn who_waits_for_news_is_looked_at_at_growing_distances_and_at_its_deadline() {
    let next = |order: &Order, minutes| crate::next_look(order, NOW.plus_minutes(minutes));
    let at = |minutes| Some(NOW.plus_minutes(minutes));
    assert_eq!((next(&pending(), 0), next(&pending(), 5), next(&pending(), 12)), (at(5), at(10), at(24)));
    assert_eq!(next(&pending(), 20), at(30), "not past its deadline");
    assert_eq!(next(&pending(), 30 * 24 * 60), at(30 * 24 * 60 + 360), "at most six hours");
    for status in [OrderStatus::Paid, OrderStatus::Cancelled, OrderStatus::Expired, OrderStatus::Rejected] {
        assert_eq!(next(&order_in(status), 0), None, "{status:?} waits for nothing");
    }
    let v1 = Observation { generation: Generation::V1, ..seen(PaymentStatus::Paid) };
    let (paid, day) = (after(&pending(), &v1), 24 * 60);
    assert_eq!((next(&paid, 1), next(&paid, day), next(&paid, 90 * day)), (at(day), at(7 * day), None));
    let waiting = after(&pending(), &Observation { total: 900, ..seen(PaymentStatus::Paid) });
    assert_eq!(next(&waiting, 0), at(5), "money that must go back");
}

/// The payment is asked for, then the account is issued and written down, then the order is read.
#[test]
fn an_order_with_a_virtual_account_is_not_closed_on_an_answer_from_before_it() {
    let order = after(&pending(), &seen(PaymentStatus::VirtualAccountIssued));
    let due = look(NOW.plus_minutes(10 * 24 * 60));
    assert_eq!(crate::overdue(&order, None, due, false), crate::Overdue::CloseAccount);
    let wanted = crate::WantedCancellation::of(
        crate::RequestMark { key: [1; 32], body: [2; 32] },
        None,
        String::new(),
    );
    let closing = crate::cancel::cancel(&order, None, &wanted, look(NOW), false);
    assert!(matches!(closing, crate::Cancelling::CloseAccount { .. }), "{closing:?}");
}
