//! What an operator may cancel.

use super::*;
use crate::{
    CancelRefusal, Cancelling, RefundAccount, RequestMark, WantedCancellation, cancel::cancel,
    method::MethodRefusal,
};

fn wanted(amount: Option<u64>) -> WantedCancellation {
    let request = RequestMark { key: [1; 32], body: [2; 32] };
    let reason = "변심".to_owned();
    WantedCancellation::of(request, amount, reason)
}

fn paid() -> Order {
    after(&Order { tax_free: 300, ..pending() }, &seen(PaymentStatus::Paid))
}

fn news() -> Observation {
    Observation { tax_free_left: Some(300), ..seen(PaymentStatus::Paid) }
}

fn refusal(order: &Order, seen: Option<&Observation>, wanted: &WantedCancellation) -> CancelRefusal {
    match cancel(order, seen, wanted, look(NOW), false) {
        Cancelling::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn asked(order: &Order, seen: &Observation, wanted: &WantedCancellation) -> (Order, crate::Cancellation) {
    match cancel(order, Some(seen), wanted, look(NOW), false) {
        Cancelling::Ask { order, number } => {
            let row = order.cancellations.iter().find(|row| row.number == number).unwrap().clone();
            (*order, row)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_an_amount_everything_goes_back_and_its_tax_free_share_with_it() {
    let (_, row) = asked(&paid(), &news(), &wanted(None));
    assert_eq!((row.amount, row.tax_free, row.balance_before, row.everything), (1000, 300, 1000, false));
    let (_, row) = asked(&paid(), &Observation { discounted: true, ..news() }, &wanted(None));
    assert!(row.everything);
}

#[test]
fn a_part_is_taxable_as_far_as_that_goes_unless_the_operator_says_otherwise() {
    assert_eq!(asked(&paid(), &news(), &wanted(Some(700))).1.tax_free, 0);
    assert_eq!(asked(&paid(), &news(), &wanted(Some(800))).1.tax_free, 100);
    let said = WantedCancellation { tax_free: Some(200), ..wanted(Some(500)) };
    assert_eq!(asked(&paid(), &news(), &said).1.tax_free, 200);
    for (amount, tax_free) in [(500, 301), (200, 201), (900, 100)] {
        let wrong = WantedCancellation { tax_free: Some(tax_free), ..wanted(Some(amount)) };
        assert_eq!(refusal(&paid(), Some(&news()), &wrong), CancelRefusal::ExceedsTaxFree(300));
    }
}

#[test]
fn more_than_is_left_is_refused_and_a_second_one_waits_for_the_first() {
    assert_eq!(refusal(&paid(), Some(&news()), &wanted(Some(1001))), CancelRefusal::ExceedsBalance(1000));
    let (waiting, _) = asked(&paid(), &news(), &wanted(Some(400)));
    let other =
        WantedCancellation { request: RequestMark { key: [9; 32], body: [2; 32] }, ..wanted(Some(100)) };
    assert_eq!(refusal(&waiting, Some(&news()), &other), CancelRefusal::InProgress);
    let done = CancellationOutcome::Succeeded { portone_id: Some("c-1".to_owned()) };
    let part = carry_out(&waiting, record_outcome(&waiting, 1, &done, look(NOW)));
    assert_eq!((part.status, part.returned), (OrderStatus::PartialCancelled, 400));
    let left = Observation { tax_free_left: Some(0), status: PaymentStatus::PartialCancelled, ..news() };
    assert_eq!(asked(&part, &left, &WantedCancellation { amount: None, ..other }).1.amount, 600);
}

#[test]
fn the_same_request_is_known_and_another_one_under_its_key_is_refused() {
    let (order, row) = asked(&paid(), &news(), &wanted(Some(400)));
    let again = cancel(&order, Some(&news()), &wanted(Some(400)), look(NOW), false);
    assert_eq!(again, Cancelling::Known(row.number));
    let other =
        WantedCancellation { request: RequestMark { key: [1; 32], body: [3; 32] }, ..wanted(Some(400)) };
    assert_eq!(refusal(&order, Some(&news()), &other), CancelRefusal::KeyReused);
}

#[test]
fn an_unpaid_order_is_closed_and_its_account_first() {
    for nothing in [None, Some(seen(PaymentStatus::Ready)), Some(seen(PaymentStatus::Failed))] {
        let Cancelling::Close { order, .. } =
            cancel(&pending(), nothing.as_ref(), &wanted(None), look(NOW), false)
        else {
            panic!("it is closed")
        };
        assert_eq!(order.status, OrderStatus::Cancelled);
        assert!(crate::audit::imbalances(&Order { version: 2, ..*order }).is_empty());
    }
    let issued = seen(PaymentStatus::VirtualAccountIssued);
    let waiting = after(&pending(), &issued);
    let Cancelling::CloseAccount { intent: Some(intent) } =
        cancel(&waiting, Some(&issued), &wanted(None), look(NOW), false)
    else {
        panic!("the intent comes first")
    };
    assert_eq!(
        cancel(&intent, Some(&issued), &wanted(None), look(NOW), false),
        Cancelling::CloseAccount { intent: None }
    );
    // A crash between the intent and the call: any look goes on, long before the deadline.
    assert_eq!(crate::overdue(&intent, Some(&issued), look(NOW), false), crate::Overdue::CloseAccount);
    let closed = seen(PaymentStatus::Failed);
    let intent_seen = after(&intent, &closed);
    let crate::Overdue::Expire(done) = crate::overdue(&intent_seen, Some(&closed), look(NOW), false) else {
        panic!("it is closed")
    };
    assert_eq!(
        (done.status, done.cancellations[0].status),
        (OrderStatus::Cancelled, CancellationStatus::Succeeded)
    );
    assert_eq!(cancel(&done, Some(&closed), &wanted(None), look(NOW), false), Cancelling::Known(1));
    // The deposit was faster.
    let taken = after(&intent, &seen(PaymentStatus::Paid));
    assert_eq!(
        (taken.status, taken.cancellations[0].status),
        (OrderStatus::Paid, CancellationStatus::Failed)
    );

    let undecided = seen(PaymentStatus::PayPending);
    assert_eq!(refusal(&pending(), Some(&undecided), &wanted(None)), CancelRefusal::Undecided);
    for status in [OrderStatus::Cancelled, OrderStatus::Expired, OrderStatus::Rejected] {
        assert_eq!(refusal(&order_in(status), None, &wanted(None)), CancelRefusal::NothingLeft);
    }
}

#[test]
fn a_deposit_needs_an_account_to_go_back_to_which_is_forgotten_once_it_is_done() {
    let deposit = Observation { paid_by: PaidBy::VirtualAccount, ..news() };
    assert_eq!(
        refusal(&paid(), Some(&deposit), &wanted(None)),
        CancelRefusal::Method(MethodRefusal::AccountMissing)
    );
    let account = RefundAccount {
        bank: "SHINHAN".to_owned(),
        number: Personal::new("110123".to_owned()),
        holder: Personal::new("홍길동".to_owned()),
        holder_phone: None,
    };
    let named = WantedCancellation { refund_account: Some(account), ..wanted(None) };
    let (order, row) = asked(&paid(), &deposit, &named);
    assert!(row.refund_account.is_some(), "every try is the same request");
    let done = CancellationOutcome::Succeeded { portone_id: Some("c-1".to_owned()) };
    let order = carry_out(&order, record_outcome(&order, row.number, &done, look(NOW)));
    assert_eq!(order.cancellations[0].refund_account, None);
    assert_eq!(order.status, OrderStatus::Cancelled);
}

#[test]
fn a_cancellation_without_an_outcome_is_asked_for_again_by_any_look() {
    let (order, row) = asked(&paid(), &news(), &wanted(Some(400)));
    let decision = decide(&order, &news(), &terms(), look(NOW));
    assert_eq!(
        decision,
        Decision::GiveBack { order: Box::new(order.clone()), number: row.number, write: false }
    );
    let back = Observation {
        status: PaymentStatus::PartialCancelled,
        cancelled: 400,
        cancellations: vec![cancellation("c-1", 400, ObservedCancellationStatus::Succeeded)],
        ..news()
    };
    let done = after(&order, &back);
    assert_eq!(done.cancellations.len(), 1);
    assert_eq!(done.cancellations[0].status, CancellationStatus::Succeeded);
}

/// A call is under way for 100 of 1000; in the console 100 are asked back, for the PG to decide, and refused. Then
/// PortOne's balance is what the call names again, and the call takes effect.
#[test]
fn a_cancellation_under_way_is_not_given_up_for_a_return_that_the_pg_can_still_refuse() {
    let (order, _) = asked(&paid(), &news(), &wanted(Some(100)));
    let console = |status| ObservedCancellation { by_api: false, ..cancellation("console", 100, status) };
    let waiting = vec![console(ObservedCancellationStatus::Requested)];
    let order = after(&order, &Observation { cancellations: waiting, ..news() });
    assert_eq!(order.cancellations[0].status, CancellationStatus::Intended);

    let refused = console(ObservedCancellationStatus::Failed);
    let ours = cancellation("ours", 100, ObservedCancellationStatus::Succeeded);
    let late = Observation {
        cancelled: 100,
        cancellations: vec![refused, ours],
        ..Observation { status: PaymentStatus::PartialCancelled, ..news() }
    };
    let order = after(&order, &late);
    let rows = order.cancellations.iter().map(|row| (row.origin, row.status)).collect::<Vec<_>>();
    assert_eq!(
        rows,
        [
            (crate::CancellationOrigin::Operator, CancellationStatus::Succeeded),
            (crate::CancellationOrigin::Outside, CancellationStatus::Failed),
        ]
    );
}

#[test]
fn a_cancellation_whose_balance_went_back_for_good_is_given_up() {
    let (order, _) = asked(&paid(), &news(), &wanted(None));
    let console = cancellation("console", 100, ObservedCancellationStatus::Succeeded);
    let part = Observation {
        cancelled: 100,
        cancellations: vec![ObservedCancellation { by_api: false, ..console }],
        ..Observation { status: PaymentStatus::PartialCancelled, ..news() }
    };
    let order = after(&order, &part);
    assert_eq!(order.cancellations[0].status, CancellationStatus::Failed);
    assert_eq!(order.cancellations[0].failure.as_deref(), Some("BALANCE_CHANGED"));
}
