//! Events against their schemas, and batches of records as a pipe gives them.

use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use super::*;
use jsonschema::Validator;
use order::{
    Actor, Channel, Currency, Customer, Decision, Dispute, Generation, Language, LatePayment, Look, Money,
    Observation, ObservedCancellation, Order, OrderId, OrderStatus, PaidBy, PayMethod, PaymentMode,
    PaymentStatus, Personal, Terms, Timestamp, VirtualAccount, decide,
    observation::ObservedCancellationStatus,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

const NOW: Timestamp = Timestamp::from_millis(1_795_395_600_000);
const ID: &str = "01M82YNFM00W3GE1R70W3GE1R7";

fn look(at: Timestamp) -> Look<'static> {
    Look { at, by: &Actor::Portone }
}

fn pending() -> Order {
    let person = |text: &str| Personal::new(text.to_owned());
    let customer = Customer {
        name: person("홍길동"),
        email: Some(person("gildong@example.com")),
        phone: Some(person("01012345678")),
    };
    let order = Order {
        id: OrderId::mint(NOW, [7; 10]),
        version: 1,
        status: OrderStatus::Pending,
        name: "신발".to_owned(),
        total: Money::new(1000, Currency::KRW),
        tax_free: 0,
        lines: Vec::new(),
        customer,
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
        look_at: None,
        language: Language::Korean,
        journal: Vec::new(),
        trace: Some([1; 25]),
    };
    order.begun(look(NOW))
}

/// What PortOne says of a payment of which `returned` went back.
fn seen(status: PaymentStatus, returned: u64) -> Observation {
    let cancellation = ObservedCancellation {
        id: format!("c-{returned}"),
        status: ObservedCancellationStatus::Succeeded,
        amount: returned,
        tax_free: 0,
        by_api: false,
        chargeback: false,
        requested_at: None,
    };
    Observation {
        generation: Generation::V2,
        payment_id: pending().id.to_string(),
        transaction_id: "tx-1".to_owned(),
        status,
        changed_at: NOW,
        total: 1000,
        tax_free_left: Some(0),
        discounted: false,
        currency: Some(Currency::KRW),
        store_id: Some("store-a".to_owned()),
        channel: Channel::Live,
        cancelled: returned,
        cancellations: (returned > 0).then_some(cancellation).into_iter().collect(),
        disputes: Vec::new(),
        deposit_refund: None,
        paid_at: Some(NOW),
        virtual_account: (status == PaymentStatus::VirtualAccountIssued).then(|| VirtualAccount {
            bank: Some("SHINHAN".to_owned()),
            number: "X123".to_owned(),
            holder: Some("포트원".to_owned()),
            expires_at: Some(NOW.plus_minutes(600)),
            transaction_id: "tx-1".to_owned(),
        }),
        failure: None,
        paid_by: PaidBy::Card,
        pg: None,
    }
}

/// The order that is written after a look, if one is.
fn written(order: &Order, seen: &Observation) -> Option<Order> {
    let terms =
        Terms { store_id: "store-a".to_owned(), mode: PaymentMode::Live, late_payment: LatePayment::Accept };
    match decide(order, seen, &terms, look(NOW.plus_minutes(1))) {
        Decision::Write(next) | Decision::GiveBack { order: next, write: true, .. } => {
            Some(Order { version: order.version + 1, ..*next })
        }
        Decision::Stay | Decision::CloseAccount | Decision::GiveBack { .. } | Decision::Alarm(_) => None,
    }
}

fn told(before: Option<&Order>, after: &Order) -> Vec<Value> {
    events(before, after).into_iter().map(|kind| message::event(kind, before, after)).collect()
}

/// One event of each kind.
fn one_of_each() -> Vec<Value> {
    let new = pending();
    let after = |order: &Order, seen: &Observation| written(order, seen).unwrap();
    let issued = after(&new, &seen(PaymentStatus::VirtualAccountIssued, 0));
    let paid = after(&issued, &seen(PaymentStatus::Paid, 0));
    let part = after(&paid, &seen(PaymentStatus::PartialCancelled, 300));
    let all = Observation { cancelled: 1000, ..seen(PaymentStatus::Cancelled, 700) };
    let all = after(&part, &all);
    let order::Overdue::Expire(expired) = order::overdue(&new, None, look(NOW.plus_minutes(31)), false)
    else {
        panic!("it is overdue")
    };
    let dispute = |open: bool| Observation {
        disputes: vec![Dispute {
            pg_id: Some("d-1".to_owned()),
            opened_at: NOW,
            open,
            resolved_at: (!open).then_some(NOW),
        }],
        ..seen(PaymentStatus::Paid, 0)
    };
    let disputed = after(&paid, &dispute(true));
    let resolved = after(&disputed, &dispute(false));
    let rejected = after(&new, &Observation { total: 900, ..seen(PaymentStatus::Paid, 0) });
    let steps = [
        (&new, &issued),
        (&issued, &paid),
        (&paid, &part),
        (&part, &all),
        (&new, &*expired),
        (&new, &rejected),
        (&paid, &disputed),
        (&disputed, &resolved),
    ];
    let mut every: Vec<Value> = steps.iter().flat_map(|(before, after)| told(Some(before), after)).collect();
    every.extend(tell(&[record("e-1", None, json!({}))]).unwrap());
    every
}

/// The schemas beside the code, by the type they are of.
static SCHEMAS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(schemas);

fn schemas() -> BTreeMap<String, Validator> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/events");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let schema = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".v1.json").unwrap().to_owned();
        let schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(jsonschema::meta::is_valid(&schema), "{name} is no schema");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        (name, schema)
    };
    files.map(schema).collect()
}

fn faults(event: &Value) -> Vec<String> {
    let schema = &SCHEMAS[event["type"].as_str().unwrap()];
    schema.iter_errors(event).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Pointers of everything in a value.
fn pointers(value: &Value) -> Vec<String> {
    let inside = |name: &str, inner: &Value| {
        let deeper = pointers(inner).into_iter().map(|rest| format!("/{name}{rest}"));
        std::iter::once(format!("/{name}")).chain(deeper).collect::<Vec<_>>()
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(name, inner)| inside(name, inner)).collect(),
        Value::Array(values) => {
            values.iter().enumerate().flat_map(|(index, inner)| inside(&index.to_string(), inner)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_kind_of_event_has_its_schema_and_satisfies_it() {
    let every = one_of_each();
    let kinds: Vec<_> = every.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "VirtualAccountIssued",
        "OrderPaid",
        "OrderPartiallyCancelled",
        "OrderCancelled",
        "OrderExpired",
        "OrderRejected",
        "PaymentDisputed",
        "PaymentDisputeResolved",
        "OrderUnreadable",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(SCHEMAS.len(), expected.len(), "a schema of no event");
    for event in &every {
        assert_eq!(faults(event), [""; 0], "{event:#}");
    }
}

#[test]
fn a_member_more_or_less_is_another_version() {
    // PortOne does not always say these of an account; old orders have no trace.
    let optional = [
        "/virtualAccount/bank",
        "/virtualAccount/holder",
        "/virtualAccount/expiresAt",
        "/traceparent",
        "/disputes/0/pgDisputeId",
        "/disputes/0/resolvedAt",
    ];
    for event in one_of_each() {
        let objects = pointers(&event).into_iter().filter(|at| event.pointer(at).unwrap().is_object());
        for at in objects.chain([String::new()]) {
            let mut more = event.clone();
            more.pointer_mut(&at).unwrap()["another"] = json!(1);
            assert!(!faults(&more).is_empty(), "{} with another at {at:?}", event["type"]);
        }
        for at in pointers(&event) {
            let (parent, name) = at.rsplit_once('/').unwrap();
            let mut less = event.clone();
            let Some(members) = less.pointer_mut(parent).unwrap().as_object_mut() else { continue };
            members.remove(name);
            let valid = SCHEMAS[event["type"].as_str().unwrap()].is_valid(&less);
            assert_eq!(valid, optional.contains(&&*at), "{} without {at}", event["type"]);
        }
    }
}

#[test]
fn an_event_says_what_was_committed() {
    let every = one_of_each();
    let event = |kind: &str| every.iter().find(|event| event["type"] == kind).unwrap().clone();
    assert_eq!(
        event("OrderPaid"),
        json!({
            "id": format!("{ID}-3-OrderPaid"), "type": "OrderPaid", "version": 1,
            "time": "2026-11-23T01:01:00Z", "orderId": ID, "orderVersion": 3, "orderName": "신발",
            "status": "PAID", "amount": { "total": 1000, "currency": "KRW", "paid": 1000, "cancelled": 0 },
            "paidAt": "2026-11-23T01:00:00Z", "payMethod": "CARD",
            "traceparent": "00-01010101010101010101010101010101-0101010101010101-01",
        })
    );
    let account = json!({
        "bank": "SHINHAN", "accountNumber": "X123", "holder": "포트원", "expiresAt": "2026-11-23T11:00:00Z",
    });
    assert_eq!(event("VirtualAccountIssued")["virtualAccount"], account);
    let cancelled = event("OrderCancelled");
    assert_eq!(cancelled["amount"]["cancelled"], 1000);
    assert_eq!(cancelled["returned"], 700, "by this write");
    let row = json!({ "id": format!("{ID}-cancel-2"), "amount": 700, "taxFree": 0, "origin": "OUTSIDE" });
    assert_eq!(cancelled["cancellations"], json!([row]), "of this write");
    let rejected = event("OrderRejected");
    assert_eq!((&rejected["reasons"], &rejected["received"]["amount"]), (&json!(["AMOUNT"]), &json!(900)));
}

#[test]
fn a_cancellation_is_told_when_it_succeeds_not_when_it_is_asked_for() {
    let mut first = seen(PaymentStatus::PartialCancelled, 300);
    let mut second = seen(PaymentStatus::PartialCancelled, 200).cancellations.remove(0);
    second.status = ObservedCancellationStatus::Requested;
    first.cancellations.push(second);
    let mut then = Observation { cancelled: 500, ..first.clone() };
    then.cancellations[1].status = ObservedCancellationStatus::Succeeded;

    let paid = written(&pending(), &seen(PaymentStatus::Paid, 0)).unwrap();
    let one = written(&paid, &first).unwrap();
    let two = written(&one, &then).unwrap();
    let amounts = |before: &Order, after: &Order| {
        let told = told(Some(before), after);
        assert_eq!(told.len(), 1);
        (told[0]["returned"].clone(), told[0]["cancellations"].as_array().unwrap().len())
    };
    assert_eq!(amounts(&paid, &one), (json!(300), 1));
    assert_eq!(amounts(&one, &two), (json!(200), 1));
}

#[test]
fn money_in_another_currency_is_none_of_the_orders_amount() {
    let dollars = Observation { currency: "USD".parse().ok(), ..seen(PaymentStatus::Paid, 0) };
    let rejected = &told(Some(&pending()), &written(&pending(), &dollars).unwrap())[0];
    assert_eq!((&rejected["amount"]["paid"], &rejected["amount"]["currency"]), (&json!(0), &json!("KRW")));
    assert_eq!(rejected["received"], json!({ "amount": 1000, "currency": "USD" }));
}

prop_compose! {
    fn any_seen()(
        status in select(vec![
            PaymentStatus::Ready, PaymentStatus::PayPending, PaymentStatus::VirtualAccountIssued,
            PaymentStatus::Failed, PaymentStatus::Paid, PaymentStatus::PartialCancelled, PaymentStatus::Cancelled,
        ]),
        minutes in 0_u32..4,
        total in prop_oneof![6 => Just(1000_u64), 1 => 0_u64..2000],
        currency in prop_oneof![8 => Just("KRW"), 1 => Just("USD")],
        returned in 1_u64..1000,
        had_money in any::<bool>(),
    ) -> Observation {
        let returned = match status {
            PaymentStatus::PartialCancelled => returned,
            PaymentStatus::Cancelled if had_money => total,
            _ => 0,
        };
        let paid_at = had_money.then_some(NOW);
        let changed_at = NOW.plus_minutes(minutes);
        Observation { total, currency: currency.parse().ok(), paid_at, changed_at, ..seen(status, returned) }
    }
}

proptest! {
    #[test]
    fn whatever_happens_to_an_order_its_events_are_valid_few_unlike_each_other_and_about_no_person(
        news in vec(any_seen(), 0..12)
    ) {
        let (mut order, mut ids) = (pending(), Vec::new());
        prop_assert_eq!(told(None, &order), Vec::<Value>::new());
        for seen in &news {
            let Some(next) = written(&order, seen) else { continue };
            let told_now = told(Some(&order), &next);
            prop_assert!(told_now.len() <= EVENTS_AT_ONCE_MAX);
            prop_assert_eq!(&told_now, &told(Some(&order), &next), "asked again");
            for event in told_now {
                prop_assert_eq!(faults(&event), Vec::<String>::new(), "{:#}", event);
                let text = event.to_string();
                prop_assert!(!["홍길동", "gildong", "0101234"].iter().any(|person| text.contains(person)), "{}", text);
                ids.push(event["id"].as_str().unwrap().to_owned());
            }
            order = next;
        }
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "two events with one id");
    }
}

/// An order's item in DynamoDB's JSON.
fn image(version: u64, status: &str, paid: bool) -> Value {
    let mut image = json!({
        "PK": { "S": format!("ORDER#{}", &ID[10..]) }, "SK": { "S": "ORDER" },
        "id": { "S": ID }, "version": { "N": version.to_string() }, "status": { "S": status },
        "name": { "S": "신발" }, "sdk": { "S": "V2" }, "payMethod": { "S": "CARD" },
        "total": { "M": { "amount": { "N": "1000" }, "currency": { "S": "KRW" } } },
        "customer": { "M": { "name": { "S": "홍길동" } } }, "request": { "B": "/////w==" },
        "createdAt": { "N": "1795395600000" }, "updatedAt": { "N": "1795395660000" },
        "expiresAt": { "N": "1795397400000" },
    });
    if paid {
        image["received"] = image["total"].clone();
        image["paidAt"] = json!({ "N": "1795395660000" });
    }
    image
}

fn record(id: &str, old: Option<Value>, new: Value) -> StreamRecord {
    let key = json!({ "PK": { "S": format!("ORDER#{}", &ID[10..]) }, "SK": { "S": "ORDER" } });
    let mut record = json!({
        "eventID": id, "eventName": "INSERT", "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "awsRegion": "ap-northeast-2", "eventSourceARN": "arn:aws:dynamodb:ap-northeast-2:0:table/t/stream/s",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_395_660, "Keys": key, "NewImage": new,
            "SequenceNumber": "111", "SizeBytes": 26, "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    });
    if let Some(old) = old {
        record["eventName"] = json!("MODIFY");
        record["dynamodb"]["OldImage"] = old;
    }
    serde_json::from_value(record).unwrap()
}

fn ids(told: &[Value]) -> Vec<&str> {
    told.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

#[test]
fn records_are_told_in_their_order_and_those_without_news_not_at_all() {
    let new = record("e-1", None, image(1, "PENDING", false));
    let same = record("e-2", Some(image(1, "PENDING", false)), image(1, "PENDING", false));
    let paid = record("e-3", Some(image(1, "PENDING", false)), image(2, "PAID", true));
    let gone =
        serde_json::from_value(json!({ "eventID": "e-4", "eventName": "REMOVE", "dynamodb": {} })).unwrap();
    let expired = record("e-5", Some(image(1, "PENDING", false)), image(2, "EXPIRED", false));
    let told = tell(&[new, same, paid, gone, expired]).unwrap();
    assert_eq!(ids(&told), [format!("{ID}-2-OrderPaid"), format!("{ID}-2-OrderExpired")]);
}

#[test]
fn a_record_that_cannot_be_read_is_told_of_and_holds_nobody_up() {
    let paid = || record("e-1", Some(image(1, "PENDING", false)), image(2, "PAID", true));
    let broken_after = record("e-2", Some(image(2, "PAID", true)), image(3, "SHINY", true));
    let broken_before = record("e-3", Some(image(3, "SHINY", true)), image(4, "CANCELLED", true));
    let told = tell(&[paid(), broken_after, broken_before, paid()]).unwrap();
    let paid = format!("{ID}-2-OrderPaid");
    assert_eq!(ids(&told), [&*paid, "e-2-OrderUnreadable", "e-3-OrderUnreadable", &*paid]);
    assert_eq!(
        told[1],
        json!({
            "id": "e-2-OrderUnreadable", "type": "OrderUnreadable", "version": 1, "time": "2026-11-23T01:01:00Z",
            "key": format!("ORDER#{}", &ID[10..]), "attribute": "status",
        })
    );
}

#[test]
fn a_stream_that_tells_one_side_only_is_refused_before_it_makes_events_up() {
    let mut half = json!({ "eventID": "e-1", "eventName": "MODIFY", "dynamodb": {} });
    half["dynamodb"]["NewImage"] = image(2, "PAID", true);
    let half: StreamRecord = serde_json::from_value(half).unwrap();
    assert!(matches!(tell(&[half]), Err(BatchFault::NoImages(id)) if id == "e-1"));
}

#[test]
fn more_events_than_the_pipe_sends_at_once_are_an_error_not_a_loss() {
    // Paid and cancelled before anybody looked: two events.
    let mut both = image(2, "CANCELLED", true);
    both["returned"] = json!({ "N": "1000" });
    let batch = |count| {
        let records = std::iter::repeat_with(|| record("e", Some(image(1, "PENDING", false)), both.clone()));
        tell(&records.take(count).collect::<Vec<_>>())
    };
    assert_eq!(batch(RECORDS_MAX).unwrap().len(), EVENTS_MAX);
    assert!(matches!(batch(RECORDS_MAX + 1), Err(BatchFault::TooMany(12))));
}
