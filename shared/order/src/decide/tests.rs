//! The whole table, then the laws.

use super::*;
use crate::{
    Actor, CancellationOutcome, CancellationStatus, Currency, Customer, Entry, Failure, Language, Look,
    ObservedCancellation, OrderId, PaidBy, PayMethod, Personal, Timestamp, VirtualAccount,
    observation::ObservedCancellationStatus, record_outcome,
};
use proptest::{collection::vec, prelude::*, sample::select};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const TOTAL: u64 = 1000;

const ORDER_STATUSES: [OrderStatus; 8] = [
    OrderStatus::Pending,
    OrderStatus::PayPending,
    OrderStatus::VirtualAccountIssued,
    OrderStatus::Paid,
    OrderStatus::PartialCancelled,
    OrderStatus::Cancelled,
    OrderStatus::Expired,
    OrderStatus::Rejected,
];

const PAYMENT_STATUSES: [PaymentStatus; 8] = [
    PaymentStatus::Ready,
    PaymentStatus::PayPending,
    PaymentStatus::VirtualAccountIssued,
    PaymentStatus::Failed,
    PaymentStatus::Paid,
    PaymentStatus::PartialCancelled,
    PaymentStatus::Cancelled,
    PaymentStatus::Unrecognized,
];

fn terms() -> Terms {
    Terms { store_id: "store-a".to_owned(), mode: PaymentMode::Live, late_payment: LatePayment::Accept }
}

fn pending() -> Order {
    Order {
        id: OrderId::mint(NOW, [1; 10]),
        version: 1,
        status: OrderStatus::Pending,
        name: "신발".to_owned(),
        total: Money::new(TOTAL, Currency::KRW),
        tax_free: 0,
        lines: Vec::new(),
        customer: Customer { name: Personal::new("홍길동".to_owned()), email: None, phone: None },
        generation: Generation::V2,
        pay_method: PayMethod::Card,
        redirect_url: None,
        unregistered: false,
        created_at: NOW,
        updated_at: NOW,
        expires_at: NOW.plus_minutes(30),
        paid_at: None,
        received: None,
        returned: 0,
        sighting: None,
        virtual_account: None,
        last_failure: None,
        rejections: Vec::new(),
        cancellations: Vec::new(),
        holds_stock: false,
        look_at: Some(NOW.plus_minutes(5)),
        language: Language::Korean,
        journal: vec![Entry {
            at: NOW,
            by: Actor::Buyer,
            status: OrderStatus::Pending,
            seen: None,
            cancellations: Vec::new(),
        }],
    }
}

fn look(at: Timestamp) -> Look<'static> {
    Look { at, by: &Actor::Buyer }
}

fn cancellation(id: &str, amount: u64, status: ObservedCancellationStatus) -> ObservedCancellation {
    ObservedCancellation { id: id.to_owned(), status, amount, tax_free: 0, by_api: true, requested_at: None }
}

fn seen(status: PaymentStatus) -> Observation {
    use ObservedCancellationStatus::Succeeded;
    let cancellations = match status {
        PaymentStatus::PartialCancelled => vec![cancellation("c-part", 300, Succeeded)],
        PaymentStatus::Cancelled => vec![cancellation("c-all", TOTAL, Succeeded)],
        _ => Vec::new(),
    };
    Observation {
        generation: Generation::V2,
        payment_id: pending().id.to_string(),
        transaction_id: "tx-1".to_owned(),
        status,
        changed_at: NOW,
        total: TOTAL,
        tax_free_left: Some(0),
        discounted: false,
        currency: Some(Currency::KRW),
        store_id: Some("store-a".to_owned()),
        channel: Channel::Live,
        cancelled: cancellations.iter().map(|c| c.amount).sum(),
        cancellations,
        paid_at: matches!(status, PaymentStatus::Paid | PaymentStatus::PartialCancelled).then_some(NOW),
        virtual_account: (status == PaymentStatus::VirtualAccountIssued).then(|| VirtualAccount {
            bank: Some("SHINHAN".to_owned()),
            number: "X123".to_owned(),
            holder: None,
            expires_at: None,
            transaction_id: "tx-1".to_owned(),
        }),
        failure: (status == PaymentStatus::Failed)
            .then(|| Failure { code: Some("LIMIT".to_owned()), message: None }),
        paid_by: PaidBy::Card,
        pg: Some("TOSSPAYMENTS".to_owned()),
    }
}

/// An order that got into `status` by the news that brings it there.
fn order_in(status: OrderStatus) -> Order {
    let by = |status| after(&pending(), &seen(status));
    match status {
        OrderStatus::Pending => pending(),
        OrderStatus::PayPending => by(PaymentStatus::PayPending),
        OrderStatus::VirtualAccountIssued => by(PaymentStatus::VirtualAccountIssued),
        OrderStatus::Paid => by(PaymentStatus::Paid),
        OrderStatus::PartialCancelled => by(PaymentStatus::PartialCancelled),
        OrderStatus::Cancelled => by(PaymentStatus::Cancelled),
        OrderStatus::Expired => Order { status: OrderStatus::Expired, ..pending() },
        OrderStatus::Rejected => {
            let order = after(&pending(), &Observation { total: 900, ..seen(PaymentStatus::Paid) });
            let done = CancellationOutcome::Succeeded { portone_id: Some("c-back".to_owned()) };
            carry_out(&order, record_outcome(&order, 1, &done, look(NOW)))
        }
    }
}

fn carry_out(order: &Order, decision: Decision) -> Order {
    match decision {
        Decision::Stay | Decision::Alarm(_) => order.clone(),
        Decision::Write(next) | Decision::GiveBack { order: next, .. } => *next,
    }
}

fn after(order: &Order, seen: &Observation) -> Order {
    carry_out(order, decide(order, seen, &terms(), look(NOW)))
}

fn cell(before: &Order, decision: &Decision) -> String {
    match decision {
        Decision::Stay => ".".to_owned(),
        Decision::Alarm(_) => "!".to_owned(),
        Decision::GiveBack { order, .. } => format!("{:?}+return", order.status),
        Decision::Write(next) if next.status == before.status => "=".to_owned(),
        Decision::Write(next) => format!("{:?}", next.status),
    }
}

fn table(news: impl Fn(PaymentStatus) -> Observation) -> String {
    let width = |text: String| format!("{text:<21}");
    let mut lines = vec![
        width("order / payment".to_owned()) + &PAYMENT_STATUSES.map(|p| width(format!("{p:?}"))).concat(),
    ];
    for status in ORDER_STATUSES {
        let order = order_in(status);
        let cells =
            PAYMENT_STATUSES.map(|p| width(cell(&order, &decide(&order, &news(p), &terms(), look(NOW)))));
        lines.push(width(format!("{status:?}")) + &cells.concat());
    }
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// The whole machine on one screen, for newer news of a payment that matches. `.` stays, `=` writes
/// without changing the status, `!` tells a person, `+return` gives the money back.
#[test]
fn every_order_status_answers_every_payment_status() {
    let newer = |status| Observation { changed_at: NOW.plus_minutes(1), ..seen(status) };
    assert_eq!(
        table(newer),
        "\
order / payment      Ready                PayPending           VirtualAccountIssued Failed               Paid                 PartialCancelled     Cancelled            Unrecognized
Pending              .                    PayPending           VirtualAccountIssued =                    Paid                 PartialCancelled     Cancelled            !
PayPending           .                    =                    VirtualAccountIssued Pending              Paid                 PartialCancelled     Cancelled            !
VirtualAccountIssued .                    PayPending           .                    Pending              Paid                 PartialCancelled     Cancelled            !
Paid                 .                    .                    .                    .                    .                    PartialCancelled     Cancelled            !
PartialCancelled     .                    .                    .                    .                    .                    .                    Cancelled            !
Cancelled            .                    .                    .                    .                    .                    .                    .                    !
Expired              .                    .                    .                    .                    Paid                 PartialCancelled     Cancelled            !
Rejected             .                    .                    .                    .                    !                    !                    !                    !
"
    );
}

#[test]
fn the_architecture_page_shows_this_table() {
    let page = include_str!("../../../../docs/ARCHITECTURE.md");
    assert!(page.contains(&table(|status| Observation { changed_at: NOW.plus_minutes(1), ..seen(status) })));
}

/// The same for a payment of another amount: only money moves anything, and it moves it back.
#[test]
fn every_order_status_answers_every_payment_of_another_amount() {
    let other = |status| {
        let mut news = Observation { total: 900, changed_at: NOW.plus_minutes(1), ..seen(status) };
        news.cancellations.iter_mut().for_each(|c| c.amount = c.amount.min(900));
        news
    };
    assert_eq!(
        table(other),
        "\
order / payment      Ready                PayPending           VirtualAccountIssued Failed               Paid                 PartialCancelled     Cancelled            Unrecognized
Pending              .                    .                    .                    =                    Rejected+return      Rejected+return      Rejected             !
PayPending           .                    .                    .                    Pending              Rejected+return      Rejected+return      Rejected             !
VirtualAccountIssued .                    .                    .                    Pending              Rejected+return      Rejected+return      Rejected             !
Paid                 .                    .                    .                    .                    !                    !                    !                    !
PartialCancelled     .                    .                    .                    .                    !                    !                    !                    !
Cancelled            .                    .                    .                    .                    .                    .                    !                    !
Expired              .                    .                    .                    .                    Rejected+return      Rejected+return      Rejected             !
Rejected             .                    .                    .                    .                    .                    .                    .                    !
"
    );
}

#[test]
fn each_way_a_payment_can_differ_is_named() {
    let paid = seen(PaymentStatus::Paid);
    let cases = [
        (Observation { total: TOTAL - 1, ..paid.clone() }, Rejection::Amount),
        (Observation { currency: "USD".parse().ok(), ..paid.clone() }, Rejection::Currency),
        (Observation { currency: None, ..paid.clone() }, Rejection::Currency),
        (Observation { store_id: Some("store-b".to_owned()), ..paid.clone() }, Rejection::Store),
        (Observation { store_id: None, ..paid.clone() }, Rejection::Store),
        (Observation { channel: Channel::Test, ..paid.clone() }, Rejection::Channel),
        (Observation { channel: Channel::Unrecognized, ..paid }, Rejection::Channel),
    ];
    for (seen, reason) in cases {
        let order = after(&pending(), &seen);
        assert_eq!((order.status, order.rejections.as_slice()), (OrderStatus::Rejected, &[reason][..]));
    }
    let test_mode = Terms { mode: PaymentMode::Test, ..terms() };
    let live = decide(&pending(), &seen(PaymentStatus::Paid), &test_mode, look(NOW));
    assert_eq!(carry_out(&pending(), live).rejections, [Rejection::Channel], "TEST mode refuses real money");
}

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

    let refused = CancellationOutcome::Failed { code: "PG_PROVIDER".to_owned() };
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
    let refused = CancellationOutcome::Failed { code: "PG_PROVIDER".to_owned() };
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
fn money_for_an_expired_order_follows_the_terms() {
    let expired = order_in(OrderStatus::Expired);
    let strict = Terms { late_payment: LatePayment::Return, ..terms() };
    let late = carry_out(&expired, decide(&expired, &seen(PaymentStatus::Paid), &strict, look(NOW)));
    assert_eq!((late.status, late.rejections), (OrderStatus::Rejected, vec![Rejection::Late]));
    assert_eq!(after(&expired, &seen(PaymentStatus::Paid)).status, OrderStatus::Paid);
}

#[test]
fn money_for_an_order_cancelled_unpaid_goes_back() {
    let cancelled = Order { status: OrderStatus::Cancelled, ..pending() };
    let next = after(&cancelled, &seen(PaymentStatus::Paid));
    assert_eq!((next.status, next.rejections), (OrderStatus::Rejected, vec![Rejection::OrderCancelled]));
}

#[test]
fn a_second_v1_transaction_is_no_news_of_the_orders_money() {
    let v1 = |status, transaction: &str| Observation {
        generation: Generation::V1,
        transaction_id: transaction.to_owned(),
        store_id: None,
        ..seen(status)
    };
    let paid = after(&pending(), &v1(PaymentStatus::Paid, "imp_1"));
    let decide = |seen| decide(&paid, &seen, &terms(), look(NOW));
    assert_eq!(decide(v1(PaymentStatus::Paid, "imp_2")), Decision::Alarm(Anomaly::PaidTwice));
    assert_eq!(decide(v1(PaymentStatus::Cancelled, "imp_2")), Decision::Stay);
    assert!(matches!(decide(v1(PaymentStatus::Cancelled, "imp_1")), Decision::Write(_)));
    assert_eq!(decide(seen(PaymentStatus::Paid)), Decision::Alarm(Anomaly::PaidTwice), "through V2 as well");
}

#[test]
fn a_second_payment_through_v1_is_no_news_of_the_money_v2_took() {
    let paid = after(&pending(), &seen(PaymentStatus::Paid));
    let again = Observation {
        generation: Generation::V1,
        transaction_id: "imp_1".to_owned(),
        total: 900,
        ..seen(PaymentStatus::Paid)
    };
    assert_eq!(decide(&paid, &again, &terms(), look(NOW)), Decision::Alarm(Anomaly::PaidTwice));
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
    let wanted = crate::WantedCancellation {
        request: crate::RequestMark { key: [1; 32], body: [2; 32] },
        amount: None,
        tax_free: None,
        reason: "입금 반환".to_owned(),
        refund_account: Some(crate::RefundAccount {
            bank: "SHINHAN".to_owned(),
            number: Personal::new("110".to_owned()),
            holder: Personal::new("홍길동".to_owned()),
            holder_phone: None,
        }),
    };
    let asked = crate::cancel::cancel(&held, Some(&news), &wanted, look(NOW), false);
    assert!(matches!(asked, crate::Cancelling::Ask { .. }), "{asked:?}");
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
fn an_answer_about_another_payment_moves_nothing() {
    let other =
        Observation { payment_id: "01JDABCDEFGHJKMNPQRSTVWXYZ".to_owned(), ..seen(PaymentStatus::Paid) };
    assert_eq!(decide(&pending(), &other, &terms(), look(NOW)), Decision::Alarm(Anomaly::AnotherPayment));
}

#[test]
fn money_without_a_date_is_dated_when_it_is_seen() {
    let news =
        Observation { changed_at: Timestamp::from_millis(0), paid_at: None, ..seen(PaymentStatus::Paid) };
    assert_eq!(after(&pending(), &news).paid_at, Some(NOW));
}

#[test]
fn a_virtual_account_that_was_closed_without_money_closes_the_order() {
    let closed = Observation { cancelled: 0, cancellations: Vec::new(), ..seen(PaymentStatus::Cancelled) };
    let order = after(&order_in(OrderStatus::VirtualAccountIssued), &closed);
    assert_eq!((order.status, order.received), (OrderStatus::Cancelled, None));
}

prop_compose! {
    fn any_observation()(
        status in select(PAYMENT_STATUSES.to_vec()),
        minutes in 0_u32..4,
        transaction in 0_u8..3,
        total in prop_oneof![4 => Just(TOTAL), 1 => 0_u64..2000],
        currency in prop_oneof![6 => Just("KRW"), 1 => Just("USD")],
        live in prop_oneof![6 => Just(Channel::Live), 1 => Just(Channel::Test)],
        returned in 1_u64..=TOTAL,
    ) -> Observation {
        let mut news = Observation {
            transaction_id: format!("tx-{transaction}"),
            changed_at: NOW.plus_minutes(minutes),
            total,
            currency: currency.parse().ok(),
            channel: live,
            ..seen(status)
        };
        if status == PaymentStatus::PartialCancelled {
            let part = returned.min(total.saturating_sub(1));
            news.cancelled = part;
            news.cancellations = vec![cancellation(&format!("c-{part}"), part, ObservedCancellationStatus::Succeeded)];
        }
        if status == PaymentStatus::Cancelled {
            news.cancelled = total;
            news.cancellations = vec![cancellation("c-all", total, ObservedCancellationStatus::Succeeded)];
        }
        news
    }
}

prop_compose! {
    /// One payment's life as PortOne could show it: one amount, at most one money story.
    fn matching_news()(news in vec(any_observation(), 0..8)) -> Vec<Observation> {
        news.into_iter().map(|seen| Observation {
            total: TOTAL,
            currency: Some(Currency::KRW),
            channel: Channel::Live,
            cancelled: if seen.status == PaymentStatus::Cancelled { TOTAL } else { seen.cancelled.min(TOTAL - 1) },
            cancellations: Vec::new(),
            ..seen
        }).collect()
    }
}

/// An order whose pieces are counted.
fn stocked() -> Order {
    let line = crate::OrderLine {
        product_id: crate::ProductId::parse("shoes").unwrap(),
        name: "신발".to_owned(),
        quantity: 2,
        unit_price: 500,
        unit_tax_free: 0,
        stocked: true,
    };
    Order { lines: vec![line], holds_stock: true, ..pending() }
}

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

mod operator;

mod events;

fn any_order() -> impl Strategy<Value = Order> {
    select(ORDER_STATUSES.to_vec()).prop_map(order_in)
}

/// What a shop acts on; times of writing, the exact attempt and texts aside.
fn essence(order: &Order) -> (OrderStatus, Option<Money>, u64) {
    (order.status, order.received, order.returned)
}

proptest! {
    #[test]
    fn repeating_news_is_harmless(order in any_order(), seen in any_observation()) {
        let once = after(&order, &seen);
        prop_assert_eq!(after(&once, &seen), once.clone());
        let again = decide(&once, &seen, &terms(), look(NOW));
        let harmless = matches!(again, Decision::Stay | Decision::Alarm(_) | Decision::GiveBack { write: false, .. });
        prop_assert!(harmless, "{:?}", again);
    }

    #[test]
    fn the_order_of_news_does_not_matter_for_the_end(
        (news, shuffled) in matching_news().prop_flat_map(|news| (Just(news.clone()), Just(news).prop_shuffle()))
    ) {
        let end = |news: &[Observation]| essence(&news.iter().fold(pending(), |order, seen| after(&order, seen)));
        prop_assert_eq!(end(&news), end(&shuffled));
    }

    #[test]
    fn no_news_pays_an_order_with_money_it_did_not_ask_for(news in vec(any_observation(), 0..12)) {
        let mut order = pending();
        for seen in &news {
            let next = after(&order, seen);
            let took = matches!(next.status, OrderStatus::Paid | OrderStatus::PartialCancelled);
            if took && order.received.is_none() {
                prop_assert_eq!((seen.total, seen.currency, seen.channel), (TOTAL, Some(Currency::KRW), Channel::Live));
            }
            if took {
                prop_assert_eq!(next.received, Some(next.total));
            }
            prop_assert_eq!(next.total, order.total);
            order = next;
        }
    }

    #[test]
    fn what_goes_back_is_never_more_than_what_arrived(order in any_order(), news in vec(any_observation(), 0..12)) {
        let end = news.iter().fold(order, |order, seen| after(&order, seen));
        let received = end.received.map_or(0, |money| money.amount);
        prop_assert!(end.returned <= received);
        let asked = end.cancellations.iter().filter(|c| c.status == CancellationStatus::Intended);
        prop_assert!(end.returned + asked.map(|c| c.amount).sum::<u64>() <= received);
    }

    #[test]
    fn the_books_balance_after_any_news(news in vec(any_observation(), 0..12)) {
        let mut order = stocked();
        for seen in &news {
            let decision = decide(&order, seen, &terms(), look(NOW));
            let wrote = matches!(decision, Decision::Write(_) | Decision::GiveBack { write: true, .. });
            order = carry_out(&order, decision);
            order.version += u64::from(wrote);
            let mut wrong = crate::audit::imbalances(&order);
            // Random news tell more than one story of money going back; only then can rows exceed the sum.
            wrong.retain(|fault| *fault != crate::audit::Imbalance::LedgerExceedsReturned);
            prop_assert_eq!(wrong, []);
        }
    }

    #[test]
    fn an_order_with_money_never_goes_back_to_waiting_for_it(order in any_order(), news in vec(any_observation(), 0..12)) {
        let mut order = order;
        for seen in &news {
            let next = after(&order, seen);
            if order.received.is_some() {
                prop_assert!(next.received == order.received && next.returned >= order.returned);
                prop_assert!(!matches!(next.status, OrderStatus::Pending | OrderStatus::PayPending | OrderStatus::VirtualAccountIssued));
            }
            order = next;
        }
    }
}
