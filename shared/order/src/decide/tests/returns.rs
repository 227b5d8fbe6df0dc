//! Money that must go back.

use super::*;
use crate::CancellationOrigin;

#[test]
fn what_is_left_of_a_partly_cancelled_mismatch_goes_back() {
    let news = Observation { total: 900, ..seen(PaymentStatus::PartialCancelled) };
    let Decision::GiveBack { order, number, write: true } = decide(&pending(), &news, &terms(), look(NOW))
    else {
        panic!("the rest must go back")
    };
    let row = order.cancellations.iter().find(|c| c.number == number).unwrap();
    assert_eq!((row.amount, row.balance_before, order.returned), (600, 600, 300));
}

#[test]
fn a_return_without_an_outcome_keeps_its_key_and_a_refused_one_gets_another() {
    let news = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let first = after(&pending(), &news);
    let key = |order: &Order, number: u32| {
        order.cancellation_key(order.cancellations.iter().find(|c| c.number == number).unwrap())
    };

    let again = decide(&first, &news, &terms(), look(NOW));
    let Decision::GiveBack { order, number, write: false } = again else { panic!("{again:?}") };
    assert_eq!(key(&order, number), key(&first, 1));

    let unanswered = record_outcome(&first, 1, &CancellationOutcome::Unknown, look(NOW));
    assert_eq!(unanswered, Decision::Stay);

    let refused = CancellationOutcome::Failed { code: "PG_PROVIDER".to_owned(), message: None };
    let refused = carry_out(&first, record_outcome(&first, 1, &refused, look(NOW)));
    let Decision::GiveBack { order, number, write: true } = decide(&refused, &news, &terms(), look(NOW))
    else {
        panic!("a later look tries again")
    };
    assert_ne!(key(&order, number), key(&first, 1));
}

#[test]
fn a_pg_that_keeps_refusing_is_asked_at_growing_distances_and_the_ledger_stays_short() {
    let news = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let refused = CancellationOutcome::Failed { code: "PG_PROVIDER".to_owned(), message: None };
    let (mut order, mut asked) = (pending(), 0);
    for minute in 0..24 * 60 {
        let now = NOW.plus_minutes(minute);
        // Two looks a minute: somebody keeps calling.
        for _ in 0..2 {
            let decision = decide(&order, &news, &terms(), look(now));
            if let Decision::GiveBack { order: next, number, .. } = decision {
                asked += 1;
                order = carry_out(&next, record_outcome(&next, number, &refused, look(now)));
            }
        }
    }
    assert!((24..48).contains(&asked), "{asked} calls in a day");
    assert!(order.cancellations.len() <= 10);
}

#[test]
fn a_return_whose_answer_was_lost_is_recognised_in_portones_list() {
    let news = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let first = after(&pending(), &news);
    let gone = Observation {
        status: PaymentStatus::Cancelled,
        cancelled: 900,
        cancellations: vec![cancellation("c-1", 900, ObservedCancellationStatus::Succeeded)],
        ..news.clone()
    };
    let done = after(&first, &gone);
    assert_eq!(done.cancellations.len(), 1);
    assert_eq!(done.cancellations[0].status, CancellationStatus::Succeeded);
    assert_eq!((done.status, done.returned), (OrderStatus::Rejected, 900));
    // A look from before the return asks for nothing.
    assert_eq!(decide(&done, &news, &terms(), look(NOW)), Decision::Stay);
}

#[test]
fn a_requested_return_is_waited_for_not_repeated() {
    let news = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let first = after(&pending(), &news);
    let taken = CancellationOutcome::Requested { portone_id: Some("c-1".to_owned()) };
    let waiting = carry_out(&first, record_outcome(&first, 1, &taken, look(NOW)));
    assert_eq!(decide(&waiting, &news, &terms(), look(NOW)), Decision::Stay, "PortOne does not list it yet");

    let refused = Observation {
        cancellations: vec![cancellation("c-1", 900, ObservedCancellationStatus::Failed)],
        ..news
    };
    assert!(matches!(
        decide(&waiting, &refused, &terms(), look(NOW)),
        Decision::GiveBack { number: 2, write: true, .. }
    ));
}

#[test]
fn a_requested_return_without_an_id_is_recognised_when_portone_lists_it() {
    let news = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let first = after(&pending(), &news);
    let taken = CancellationOutcome::Requested { portone_id: None };
    let waiting = carry_out(&first, record_outcome(&first, 1, &taken, look(NOW)));
    let listed = Observation {
        status: PaymentStatus::Cancelled,
        cancellations: vec![cancellation("c-1", 900, ObservedCancellationStatus::Succeeded)],
        ..news
    };
    let done = after(&waiting, &listed);
    assert_eq!(done.cancellations.len(), 1);
    assert_eq!(done.cancellations[0].status, CancellationStatus::Succeeded);
}

#[test]
fn a_return_says_which_share_of_it_carries_no_vat() {
    let row = |order: &Order, news: &Observation| {
        let Decision::GiveBack { order, .. } = decide(order, news, &terms(), look(NOW)) else {
            panic!("it goes back")
        };
        let row = order.cancellations.last().unwrap();
        (row.amount, row.tax_free, row.everything)
    };
    let order = Order { tax_free: 400, ..pending() };
    let test = Observation { channel: Channel::Test, ..seen(PaymentStatus::Paid) };
    assert_eq!(row(&order, &Observation { tax_free_left: Some(300), ..test.clone() }), (1000, 300, false));
    let v1 = Observation { generation: Generation::V1, tax_free_left: None, ..test.clone() };
    assert_eq!(row(&order, &v1), (1000, 400, false), "V1 does not say: the order does");
    assert_eq!(row(&order, &Observation { total: 900, ..v1 }), (900, 0, false), "another sale: nobody knows");
    assert_eq!(row(&order, &Observation { discounted: true, ..test }), (1000, 0, true));
}

#[test]
fn through_v1_only_one_look_asks_for_money_and_another_not_before_portone_is_done_with_the_first() {
    let news = Observation {
        generation: Generation::V1,
        total: 900,
        tax_free_left: None,
        ..seen(PaymentStatus::Paid)
    };
    let Decision::GiveBack { order, number: 1, write: true } = decide(&pending(), &news, &terms(), look(NOW))
    else {
        panic!("the first look asks")
    };
    assert_eq!(decide(&order, &news, &terms(), look(NOW.plus_minutes(9))), Decision::Stay);
    let later = decide(&order, &news, &terms(), look(NOW.plus_minutes(10)));
    // Asking again is a write, so that of two looks one asks.
    let Decision::GiveBack { order, number: 1, write: true } = later else { panic!("{later:?}") };
    assert_eq!(decide(&order, &news, &terms(), look(NOW.plus_minutes(19))), Decision::Stay);
    assert_eq!(order.cancellations[0].at, NOW, "how long it has been open is not forgotten");
}

#[test]
fn a_deposit_that_must_go_back_waits_for_an_account_and_is_a_finding() {
    let news = Observation { total: 900, paid_by: PaidBy::VirtualAccount, ..seen(PaymentStatus::Paid) };
    let held = after(&pending(), &news);
    assert_eq!((held.status, held.cancellations.len(), held.balance()), (OrderStatus::Rejected, 0, 900));
    let held = Order { version: 2, ..held };
    assert_eq!(crate::finding::standing(&held, NOW), [crate::FindingKind::ReturnRefused]);
    let request = crate::RequestMark { key: [1; 32], body: [2; 32] };
    let wanted = crate::WantedCancellation {
        refund_account: Some(crate::RefundAccount {
            bank: "SHINHAN".to_owned(),
            number: Personal::new("110".to_owned()),
            holder: Personal::new("홍길동".to_owned()),
            holder_phone: None,
        }),
        ..crate::WantedCancellation::of(request, None, "입금 환불".to_owned())
    };
    let asked = crate::cancel::cancel(&held, Some(&news), &wanted, look(NOW), false);
    assert!(matches!(asked, crate::Cancelling::Ask { .. }), "{asked:?}");
}

#[test]
fn one_cancellation_under_two_names_is_counted_once() {
    let part = |id: &str| Observation {
        cancelled: 300,
        cancellations: vec![cancellation(id, 300, ObservedCancellationStatus::Succeeded)],
        ..seen(PaymentStatus::PartialCancelled)
    };
    let once = after(&after(&pending(), &seen(PaymentStatus::Paid)), &part("c-1"));
    assert_eq!(after(&once, &part("v1-name-of-c-1")), once);
    assert_eq!((once.returned, once.cancellations.len()), (300, 1));
}

#[test]
fn a_return_under_another_name_is_not_taken_for_the_one_that_is_asked_for() {
    // V2 told of a part that went back in the console; then an operator asks for as much, and dies.
    let listed = |id: &str, by_api| Observation {
        generation: Generation::V1,
        cancelled: 300,
        cancellations: vec![crate::ObservedCancellation {
            by_api,
            ..cancellation(id, 300, ObservedCancellationStatus::Succeeded)
        }],
        ..seen(PaymentStatus::PartialCancelled)
    };
    let known = after(&pending(), &listed("v2-name", false));
    let wanted = crate::WantedCancellation::of(
        crate::RequestMark { key: [1; 32], body: [2; 32] },
        Some(300),
        "변심".to_owned(),
    );
    let asked = crate::cancel::cancel(&known, Some(&listed("v2-name", false)), &wanted, look(NOW), false);
    let crate::Cancelling::Ask { order, number } = asked else { panic!("{asked:?}") };
    // V1 calls the first one something else, and does not say who asked for it.
    let order = after(&order, &listed("v1-name", true));
    let row = order.cancellations.iter().find(|row| row.number == number).unwrap();
    assert_eq!((row.status, order.returned), (CancellationStatus::Intended, 300));
}

#[test]
fn all_that_was_left_is_what_a_faster_return_in_the_console_left() {
    let discounted = Observation { discounted: true, ..seen(PaymentStatus::Paid) };
    let wrong = Observation { total: 900, ..discounted };
    let asked = after(&pending(), &wrong);
    let done = CancellationOutcome::Succeeded { portone_id: Some("c-all".to_owned()) };
    let booked = carry_out(&asked, record_outcome(&asked, 1, &done, look(NOW)));
    let console = crate::ObservedCancellation {
        by_api: false,
        ..cancellation("c-console", 300, ObservedCancellationStatus::Succeeded)
    };
    let rest = cancellation("c-all", 600, ObservedCancellationStatus::Succeeded);
    for cancellations in [vec![console.clone(), rest.clone()], vec![rest, console]] {
        let status = PaymentStatus::Cancelled;
        let seen = Observation { status, cancelled: 900, cancellations, ..wrong.clone() };
        for order in [&asked, &booked] {
            let order = after(order, &seen);
            let mut rows: Vec<_> = order.cancellations.iter().map(|row| (row.number, row.amount)).collect();
            rows.sort_unstable();
            assert_eq!((rows, order.returned), (vec![(1, 600), (2, 300)], 900));
        }
    }
    // The answer comes when the console's part is known already.
    let part = Observation {
        status: PaymentStatus::PartialCancelled,
        cancelled: 300,
        cancellations: vec![crate::ObservedCancellation {
            by_api: false,
            ..cancellation("c-console", 300, ObservedCancellationStatus::Succeeded)
        }],
        ..wrong.clone()
    };
    let told = after(&asked, &part);
    let told = carry_out(&told, record_outcome(&told, 1, &done, look(NOW)));
    let amounts: Vec<_> = told.cancellations.iter().map(|row| row.amount).collect();
    assert_eq!((amounts, told.returned), (vec![600, 300], 900));
    // What others bore of the price is in no list, and goes with it.
    let charged = Observation {
        status: PaymentStatus::Cancelled,
        cancelled: 800,
        cancellations: vec![cancellation("c-all", 800, ObservedCancellationStatus::Succeeded)],
        ..wrong
    };
    assert_eq!(after(&booked, &charged), booked);
}

#[test]
fn a_return_that_was_asked_for_again_after_v2_forgot_its_key_is_ours() {
    let wrong = Observation { total: 900, ..seen(PaymentStatus::Paid) };
    let asked = after(&pending(), &wrong);
    // The PG decides later, and refuses. Somebody who read the order before that was known asked again, and died.
    let taken = CancellationOutcome::Requested { portone_id: Some("c-1".to_owned()) };
    let taken = carry_out(&asked, record_outcome(&asked, 1, &taken, look(NOW)));
    let listed = |by_api| Observation {
        status: PaymentStatus::Cancelled,
        cancelled: 900,
        cancellations: vec![
            cancellation("c-1", 900, ObservedCancellationStatus::Failed),
            crate::ObservedCancellation {
                by_api,
                ..cancellation("c-2", 900, ObservedCancellationStatus::Succeeded)
            },
        ],
        ..wrong.clone()
    };
    for (by_api, origin) in [(true, CancellationOrigin::Mismatch), (false, CancellationOrigin::Outside)] {
        let order = after(&taken, &listed(by_api));
        let rows: Vec<_> = order.cancellations.iter().map(|row| (row.status, row.origin)).collect();
        let refused = (CancellationStatus::Failed, CancellationOrigin::Mismatch);
        assert_eq!(rows, [refused, (CancellationStatus::Succeeded, origin)]);
        assert_eq!(order.returned, 900);
    }
}

#[test]
fn cancellations_that_are_listed_without_names_are_each_a_row() {
    let part = |amount| cancellation("", amount, ObservedCancellationStatus::Succeeded);
    let news = Observation {
        cancelled: 500,
        cancellations: vec![part(300), part(200)],
        ..seen(PaymentStatus::PartialCancelled)
    };
    let order = after(&pending(), &news);
    let amounts: Vec<_> = order.cancellations.iter().map(|row| row.amount).collect();
    assert_eq!((amounts, order.returned), (vec![300, 200], 500));
    assert_eq!(decide(&order, &news, &terms(), look(NOW)), Decision::Stay);
}

#[test]
fn money_in_a_currency_that_nobody_knows_is_asked_back_until_it_is_back() {
    let news = Observation { currency: None, ..seen(PaymentStatus::Paid) };
    let rejected = after(&pending(), &news);
    assert_eq!(rejected.rejections, [Rejection::Currency]);
    let again = decide(&rejected, &news, &terms(), look(NOW));
    assert!(matches!(again, Decision::GiveBack { number: 1, write: false, .. }), "{again:?}");
    // Of an order that was paid, it is another payment.
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let partly = Observation { currency: None, ..seen(PaymentStatus::PartialCancelled) };
    assert_eq!(decide(&paid, &partly, &terms(), look(NOW)), Decision::Alarm(Anomaly::PaymentChanged));
}

#[test]
fn money_that_came_after_an_order_was_cancelled_and_went_back_unseen_is_written_down() {
    let cancelled = Order { status: OrderStatus::Cancelled, ..pending() };
    let gone = seen(PaymentStatus::Cancelled);
    let order = after(&cancelled, &gone);
    assert_eq!((order.status, order.returned, order.balance()), (OrderStatus::Rejected, 1000, 0));
    assert_eq!(order.rejections, [Rejection::OrderCancelled]);
    assert_eq!(decide(&order, &gone, &terms(), look(NOW)), Decision::Stay);
    // An account that was closed had none.
    let closed = Observation { cancelled: 0, cancellations: Vec::new(), ..gone };
    assert_eq!(decide(&cancelled, &closed, &terms(), look(NOW)), Decision::Stay);
}
