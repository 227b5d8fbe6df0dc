//! What PortOne answers: read or refused, never an amount that cannot be, never an order that is paid with
//! other money than it asked for, and nobody's person in what a log could show.

use std::collections::BTreeSet;

use backend::portone::{PortoneError, v1, v2};
use order::{
    Actor, Channel, Currency, Customer, Decision, Entry, Generation, Language, LatePayment, Look, Money,
    Observation, Order, OrderStatus, PayMethod, PaymentMode, Personal, Terms, Timestamp, decide,
};
use serde_json::{Value, json};

const TOTAL: u64 = 1000;
/// Written over everything personal in the input.
const PERSON: &str = "somebodys-own-words";
const STORE: &str = "store-a";

/// PortOne V2's payment.
pub fn v2(data: &[u8]) {
    look_at(v2::read_payment(data));
    let Ok(mut payment) = serde_json::from_slice::<Value>(data) else { return };
    if !payment.is_object() {
        return;
    }
    payment["customer"] = json!({ "name": PERSON, "email": PERSON, "phoneNumber": PERSON });
    payment["customData"] = json!(PERSON);
    if payment["method"].is_object() {
        payment["method"]["accountNumber"] = json!(PERSON);
        payment["method"]["remitteeName"] = json!(PERSON);
        payment["method"]["card"] = json!({ "name": PERSON, "number": PERSON });
    }
    shows_nobody(v2::read_payment(payment.to_string().as_bytes()));
}

/// PortOne V1's payment, in its envelope.
pub fn v1(data: &[u8]) {
    look_at(v1::read_payment(data));
    let Ok(mut answer) = serde_json::from_slice::<Value>(data) else { return };
    let Some(payment) = answer.get_mut("response").and_then(Value::as_object_mut) else { return };
    for member in ["buyer_name", "buyer_email", "buyer_tel", "custom_data", "vbank_num", "vbank_holder"] {
        payment.insert(member.to_owned(), json!(PERSON));
    }
    shows_nobody(v1::read_payment(answer.to_string().as_bytes()));
}

fn look_at(read: Result<Observation, PortoneError>) {
    let Ok(seen) = read else { return };
    // No branch of the readers lets a sign or a fraction through; PortOne's numbers are `int64`.
    let most = i64::MAX.unsigned_abs();
    assert!(seen.total <= most && seen.cancelled <= most, "{seen:?}");
    assert!(seen.returned() <= seen.total, "more went back than came: {seen:?}");
    assert!(seen.cancellations.iter().all(|row| row.amount <= most), "{seen:?}");

    let order = pending();
    let terms =
        Terms { store_id: STORE.to_owned(), mode: PaymentMode::Live, late_payment: LatePayment::Accept };
    let look = Look { at: Timestamp::from_millis(1_800_000_000_000), by: &Actor::Portone };
    // As if it were the order's own payment, which buyers cannot make it say.
    let seen = Observation { payment_id: order.id.to_string(), ..seen };
    let decision = decide(&order, &seen, &terms, look);
    if let Decision::Write(next) = &decision {
        // The write counts the version.
        let next = &Order { version: order.version + 1, ..(**next).clone() };
        assert!(order::audit::imbalances(next).is_empty(), "the books do not balance: {next:?}");
        if matches!(next.status, OrderStatus::Paid | OrderStatus::PartialCancelled) {
            assert_eq!(
                (seen.total, seen.currency, seen.channel),
                (TOTAL, Some(Currency::KRW), Channel::Live)
            );
            assert!(seen.store_id.as_deref().is_none_or(|store| store == STORE), "{seen:?}");
        }
        // Looking again at the same writes nothing more, if PortOne tells its cancellations apart.
        let ids: BTreeSet<_> = seen.cancellations.iter().map(|row| &row.id).collect();
        let again = decide(next, &seen, &terms, look);
        let settled = matches!(again, Decision::Stay | Decision::Alarm(_));
        assert!(settled || ids.len() < seen.cancellations.len(), "{again:?} after {seen:?}");
    }
}

fn shows_nobody(read: Result<Observation, PortoneError>) {
    let shown = format!("{read:?}");
    assert!(!shown.contains(PERSON), "a person is shown: {shown}");
}

fn pending() -> Order {
    let now = Timestamp::from_millis(1_799_999_000_000);
    Order {
        id: "01JDABCDEFGHJKMNPQRSTVWXYZ".parse().expect("an id"),
        version: 1,
        status: OrderStatus::Pending,
        name: "shoes".to_owned(),
        total: Money::new(TOTAL, Currency::KRW),
        tax_free: 0,
        lines: Vec::new(),
        customer: Customer { name: Personal::new(PERSON.to_owned()), email: None, phone: None },
        generation: Generation::V2,
        pay_method: PayMethod::Card,
        redirect_url: None,
        unregistered: false,
        created_at: now,
        updated_at: now,
        expires_at: now.plus_minutes(30),
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
        look_at: Some(now.plus_minutes(5)),
        language: Language::Korean,
        journal: vec![Entry {
            at: now,
            by: Actor::Buyer,
            status: OrderStatus::Pending,
            seen: None,
            cancellations: Vec::new(),
        }],
        trace: None,
    }
}
