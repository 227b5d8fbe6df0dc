//! The whole table, then the laws.

use super::*;
use crate::{
    Actor, CancellationOutcome, CancellationStatus, Currency, Customer, Entry, Failure, Language, Look,
    ObservedCancellation, OrderId, PaidBy, PayMethod, Personal, Timestamp, VirtualAccount,
    observation::ObservedCancellationStatus, record_outcome,
};

mod closing;
mod events;
mod exceptions;
mod laws;
mod operator;
mod returns;

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
        disputes: Vec::new(),
        deposit_refund: None,
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
        trace: None,
    }
}

fn look(at: Timestamp) -> Look<'static> {
    Look { at, by: &Actor::Buyer }
}

fn cancellation(id: &str, amount: u64, status: ObservedCancellationStatus) -> ObservedCancellation {
    ObservedCancellation {
        id: id.to_owned(),
        status,
        amount,
        tax_free: 0,
        by_api: true,
        chargeback: false,
        requested_at: None,
    }
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
        disputes: Vec::new(),
        deposit_refund: None,
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
        Decision::Stay | Decision::CloseAccount | Decision::Alarm(_) => order.clone(),
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
        Decision::CloseAccount => "revoke".to_owned(),
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
Expired              .                    .                    revoke               .                    Paid                 PartialCancelled     Cancelled            !
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
Expired              .                    .                    revoke               .                    Rejected+return      Rejected+return      Rejected             !
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
