//! What an operator must be notified of: money that stays with the shop, disputes, refunds that do not arrive.

use proptest::prelude::*;

use super::*;
use crate::{
    CancellationOrigin, DepositRefund, Dispute, FindingKind, RequestMark, WantedCancellation,
    cancel::{Cancelling, cancel},
    event::events,
};

const DAY: u32 = 24 * 60;

fn paid_wrong() -> Observation {
    Observation { total: 900, ..seen(PaymentStatus::Paid) }
}

/// The order after a sync at `now`; the PG gives `outcome` to what is requested.
fn synced(order: &Order, news: &Observation, now: Timestamp, outcome: &CancellationOutcome) -> Order {
    match decide(order, news, &terms(), look(now)) {
        Decision::GiveBack { order: next, number, .. } => {
            carry_out(&next, record_outcome(&next, number, outcome, look(now)))
        }
        decision => carry_out(order, decision),
    }
}

/// The exceptions of an order whose version the table has counted.
fn standing(order: &Order, now: Timestamp) -> Vec<FindingKind> {
    let version = u64::try_from(order.journal.len()).unwrap();
    crate::finding::standing(&Order { version, ..order.clone() }, now)
}

fn rejected() -> CancellationOutcome {
    CancellationOutcome::Failed { code: "PG_PROVIDER".to_owned(), message: None }
}

#[test]
fn a_cancellation_that_the_pg_rejects_after_a_week_is_an_exception_at_once() {
    let news = Observation { paid_by: PaidBy::Paypal, ..paid_wrong() };
    let requested = CancellationOutcome::Requested { portone_id: Some("c-1".to_owned()) };
    let order = synced(&pending(), &news, NOW, &requested);
    assert!(standing(&order, NOW).is_empty(), "the PG is at work on it");
    let later = NOW.plus_minutes(8 * DAY);
    let failed = cancellation("c-1", 900, ObservedCancellationStatus::Failed);
    let news = Observation { cancellations: vec![failed], ..news };
    let order = synced(&order, &news, later, &rejected());
    assert_eq!((order.balance(), standing(&order, later)), (900, vec![FindingKind::ReturnRefused]));
}

#[test]
fn a_phone_bill_that_is_rejected_once_and_too_late_after_that_is_an_exception() {
    // 2026-01-31 23:59 in Korea; the next look is in another month, in which a phone bill cannot be cancelled.
    let paid_at = Timestamp::from_millis(1_769_871_540_000);
    let news = Observation { paid_by: PaidBy::Mobile, paid_at: Some(paid_at), ..paid_wrong() };
    let order = synced(&pending(), &news, paid_at, &rejected());
    assert!(standing(&order, paid_at).is_empty(), "it is requested again");
    let later = paid_at.plus_minutes(5);
    let order = synced(&order, &news, later, &rejected());
    assert_eq!(order.cancellations.len(), 1, "nothing could be requested");
    assert_eq!(standing(&order, later), [FindingKind::ReturnRefused]);
}

#[test]
fn money_that_is_found_after_a_week_is_requested_back_all_the_same() {
    let now = NOW.plus_minutes(9 * DAY);
    let found = decide(&pending(), &paid_wrong(), &terms(), look(now));
    assert!(matches!(found, Decision::GiveBack { number: 1, .. }), "{found:?}");
}

proptest! {
    /// Whatever the PG does, and whenever a sync comes: money that is owed is requested back, is on its way, or is an
    /// exception.
    #[test]
    fn no_money_is_owed_without_a_request_under_way_or_an_exception(
        steps in prop::collection::vec((1_u32..3 * DAY, 0_u8..3), 1..40),
        paid_by in prop::sample::select(vec![PaidBy::Card, PaidBy::Mobile, PaidBy::Paypal, PaidBy::VirtualAccount]),
    ) {
        let mut news = Observation { paid_by, ..paid_wrong() };
        let (mut order, mut now) = (pending(), NOW);
        for (index, (minutes, outcome)) in steps.into_iter().enumerate() {
            now = now.plus_minutes(minutes);
            let id = format!("c-{index}");
            let rows = order.cancellations.len();
            let outcome = match outcome {
                0 => rejected(),
                1 => CancellationOutcome::Requested { portone_id: Some(id.clone()) },
                _ => CancellationOutcome::Unknown,
            };
            order = synced(&order, &news, now, &outcome);
            if order.balance() > 0 {
                let under_way = order.open_cancellation().is_some();
                let just_rejected = order.cancellations.iter().any(|row| row.at == now);
                let raised = standing(&order, now).contains(&FindingKind::ReturnRefused);
                let waits_for_the_next_try = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Failed).count() < 3
                    && just_rejected;
                prop_assert!(under_way || raised || waits_for_the_next_try, "{order:#?}");
                prop_assert!(order.look_at.is_some(), "and it is looked at again");
            }
            // What the PG accepted it rejects in the end.
            if order.cancellations.len() > rows && order.cancellations.last().is_some_and(|row| row.portone_id.is_some()) {
                news.cancellations.push(cancellation(&id, 900, ObservedCancellationStatus::Failed));
            }
        }
    }
}

#[test]
fn a_dispute_is_an_exception_and_two_events_and_moves_no_money() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let dispute = |open| Dispute { pg_id: Some("d-1".to_owned()), opened_at: NOW, open, resolved_at: None };
    let news = |open| Observation { disputes: vec![dispute(open)], ..seen(PaymentStatus::Paid) };
    let disputed = after(&paid, &news(true));
    assert_eq!((disputed.status, disputed.returned), (OrderStatus::Paid, 0));
    assert_eq!(events(Some(&paid), &disputed), [crate::EventKind::PaymentDisputed]);
    assert_eq!(standing(&disputed, NOW), [FindingKind::Disputed]);
    assert!(disputed.look_at.is_some(), "its end need not be reported");
    assert_eq!(decide(&disputed, &news(true), &terms(), look(NOW)), Decision::Stay);

    let part = after(&disputed, &seen(PaymentStatus::PartialCancelled));
    assert_eq!(standing(&part, NOW), [FindingKind::Disputed], "PortOne lists disputes of PAID payments only");

    let resolved = after(&disputed, &news(false));
    assert_eq!(events(Some(&disputed), &resolved), [crate::EventKind::PaymentDisputeResolved]);
    assert!(standing(&resolved, NOW).is_empty());
    assert_eq!(after(&resolved, &news(true)), resolved, "an older answer opens nothing");
}

#[test]
fn money_and_disputes_are_never_in_one_write() {
    let dispute = Dispute { pg_id: None, opened_at: NOW, open: false, resolved_at: None };
    let news = Observation { disputes: vec![dispute], ..seen(PaymentStatus::PartialCancelled) };
    let mut order = pending();
    for _ in 0..4 {
        let next = after(&order, &news);
        assert!(events(Some(&order), &next).len() <= crate::event::EVENTS_AT_ONCE_MAX);
        order = next;
    }
    assert_eq!((order.returned, order.disputes.len()), (300, 1), "both are written in the end");
}

#[test]
fn money_that_the_buyers_bank_took_back_is_a_chargeback_in_the_ledger() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let mut news = seen(PaymentStatus::Cancelled);
    news.cancellations[0].by_api = false;
    news.cancellations[0].chargeback = true;
    let back = after(&paid, &news);
    assert_eq!(back.cancellations[0].origin, CancellationOrigin::Chargeback);
    assert_eq!(back.status, OrderStatus::Cancelled);
}

/// Schema: `PaymentMethodVirtualAccount.refundStatus`.
#[test]
fn a_refund_that_did_not_reach_the_buyer_is_an_exception_until_it_does() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let refund = |status| Observation { deposit_refund: Some(status), ..seen(PaymentStatus::Cancelled) };
    let cancelled = after(&after(&paid, &refund(DepositRefund::Pending)), &refund(DepositRefund::Pending));
    assert_eq!(cancelled.deposit_refund, Some(DepositRefund::Pending));
    assert!(cancelled.look_at.is_some(), "PortOne sends no webhook for it");
    assert!(standing(&cancelled, NOW).is_empty());
    assert_eq!(standing(&cancelled, NOW.plus_minutes(4 * DAY)), [FindingKind::Undecided]);
    for failed in [DepositRefund::Failed, DepositRefund::PartiallyFailed] {
        let order = after(&cancelled, &refund(failed));
        assert_eq!(standing(&order, NOW), [FindingKind::DepositRefundFailed]);
        let done = after(&order, &refund(DepositRefund::Completed));
        assert!(standing(&done, NOW).is_empty() && done.look_at.is_none());
    }
}

#[test]
fn an_account_that_is_issued_for_a_closed_order_is_revoked() {
    let issued =
        Observation { transaction_id: "tx-2".to_owned(), ..seen(PaymentStatus::VirtualAccountIssued) };
    for status in [OrderStatus::Expired, OrderStatus::Cancelled, OrderStatus::Rejected] {
        let order = Order { received: None, sighting: None, ..order_in(status) };
        assert_eq!(decide(&order, &issued, &terms(), look(NOW)), Decision::CloseAccount, "{status:?}");
    }
    let by_deposit = after(&after(&pending(), &seen(PaymentStatus::VirtualAccountIssued)), &paid_wrong());
    let before_the_deposit = seen(PaymentStatus::VirtualAccountIssued);
    assert_eq!(decide(&by_deposit, &before_the_deposit, &terms(), look(NOW)), Decision::Stay);
}

#[test]
fn an_open_account_of_v1_is_shown_after_a_later_card_attempt_failed() {
    let v1 = |seen: Observation, transaction: &str| Observation {
        generation: Generation::V1,
        transaction_id: transaction.to_owned(),
        store_id: None,
        ..seen
    };
    let issued = v1(seen(PaymentStatus::VirtualAccountIssued), "tx-1");
    let order = after(&pending(), &issued);
    let failed = v1(Observation { changed_at: NOW.plus_minutes(1), ..seen(PaymentStatus::Failed) }, "imp_2");
    let order = after(&order, &failed);
    assert_eq!(order.status, OrderStatus::VirtualAccountIssued);
    assert!(order.virtual_account.is_some() && order.last_failure.is_some());
}

fn wanted() -> WantedCancellation {
    let request = RequestMark { key: [7; 32], body: [8; 32] };
    WantedCancellation::of(request, None, "포트원에 확인함".to_owned())
}

#[test]
fn an_order_that_the_pg_does_not_decide_about_can_be_closed_and_its_late_payment_goes_back() {
    let waiting = after(&pending(), &seen(PaymentStatus::PayPending));
    let news = seen(PaymentStatus::PayPending);
    let refused = cancel(&waiting, Some(&news), &wanted(), look(NOW), false);
    assert!(matches!(refused, Cancelling::Refused(_)), "{refused:?}");
    let insisted = WantedCancellation { close_undecided: true, ..wanted() };
    let Cancelling::Close { order, .. } = cancel(&waiting, Some(&news), &insisted, look(NOW), false) else {
        panic!("it is closed")
    };
    assert_eq!(order.status, OrderStatus::Cancelled);
    let late = decide(&order, &seen(PaymentStatus::Paid), &terms(), look(NOW));
    assert!(matches!(late, Decision::GiveBack { .. }), "{late:?}");
}

#[test]
fn a_cancellation_that_never_takes_place_can_be_given_up_and_counts_again_if_it_happens() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let Cancelling::Ask { order, number } =
        cancel(&paid, Some(&seen(PaymentStatus::Paid)), &wanted(), look(NOW), false)
    else {
        panic!("it is asked for")
    };
    let requested = CancellationOutcome::Requested { portone_id: Some("c-9".to_owned()) };
    let order = carry_out(&order, record_outcome(&order, number, &requested, look(NOW)));
    assert_eq!(order.balance(), 0);

    let mut give_up = WantedCancellation { abandon: Some(number), ..wanted() };
    give_up.request.key = [9; 32];
    let Cancelling::Abandon { order, .. } = cancel(&order, None, &give_up, look(NOW), false) else {
        panic!("it is given up")
    };
    assert_eq!(order.balance(), TOTAL, "it can be cancelled again");
    assert_eq!(cancel(&order, None, &give_up, look(NOW), false), Cancelling::Known(number));
    assert_eq!(order.cancellations[0].failure_message.as_deref(), Some("포트원에 확인함"));

    let happened = cancellation("c-9", TOTAL, ObservedCancellationStatus::Succeeded);
    let news =
        Observation { cancellations: vec![happened], cancelled: TOTAL, ..seen(PaymentStatus::Cancelled) };
    let order = after(&order, &news);
    assert_eq!((order.status, order.returned), (OrderStatus::Cancelled, TOTAL));
    assert_eq!(order.cancellations.len(), 1, "it is the same one");
    assert_eq!(order.cancellations[0].status, CancellationStatus::Succeeded);
}

#[test]
fn a_payment_of_another_store_or_of_another_kind_of_channel_is_not_this_deployments() {
    let paid = seen(PaymentStatus::Paid);
    assert!(terms().cover(&paid));
    assert!(!terms().cover(&Observation { channel: Channel::Test, ..paid.clone() }));
    assert!(!terms().cover(&Observation { store_id: Some("store-b".to_owned()), ..paid }));
}
