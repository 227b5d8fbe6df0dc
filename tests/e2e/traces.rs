//! One trace id from the buyer's page to the event on the bus, and all lines about an order by one filter.

use std::sync::{Arc, Mutex};

use end_to_end::{Answer, Placed, Shop, shop::basket, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::Press;
use reqwest::Method;
use serde_json::{Value, json};

const BROWSERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Trace id, parent id and flags of a well-formed `traceparent`.
fn parts(traceparent: &str) -> [String; 3] {
    let parts: Vec<_> = traceparent.split('-').collect();
    let [version, id, parent, flags] = parts[..] else { panic!("{traceparent}") };
    let is_hex = |text: &str| text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    assert_eq!((version, id.len(), parent.len(), flags.len()), ("00", 32, 16, 2), "{traceparent}");
    assert!([id, parent, flags].into_iter().all(is_hex), "{traceparent}");
    assert!(id.contains(|c| c != '0') && parent.contains(|c| c != '0'), "{traceparent}");
    [id, parent, flags].map(str::to_owned)
}

fn trace_of(answer: &Answer) -> String {
    let [id, ..] = parts(answer.header("traceparent").expect("every answer has one"));
    id
}

fn browsers_id() -> String {
    let [id, ..] = parts(BROWSERS);
    id
}

/// An order by a page that brings this `traceparent`.
async fn placed_with(shop: &Shop, traceparent: &str) -> (Placed, Answer) {
    let answer = shop.post("/orders", &[("traceparent", traceparent)], &basket("shoes", 2)).await;
    (Placed::of(answer.expect(201)), answer)
}

/// Operations with the `traceparent` that they were sent with.
type Heard = Arc<Mutex<Vec<(String, Option<String>)>>>;

/// Every `traceparent` that PortOne is sent, with the operation.
fn overheard(shop: &Shop) -> Heard {
    let heard = Heard::default();
    let calls = heard.clone();
    let listen = Rule::any().when(move |call| {
        let trace = call.headers.get("traceparent").map(|value| value.to_str().unwrap().to_owned());
        calls.lock().unwrap().push((call.operation.clone(), trace));
        false
    });
    shop.portone_wire().inject(listen, Fault::ServerError);
    heard
}

/// A log line, by the functions' name.
type Line = (String, Value);

fn lines(shop: &Shop) -> Vec<Line> {
    let functions =
        ["create-order", "verify-payment", "webhook", "cancel-order", "reconcile", "order-events"];
    let of = |function: &str| -> Vec<Line> {
        let lines = shop.log.of(function).into_iter();
        lines.map(|line| (function.to_owned(), serde_json::from_str(&line).expect("JSON"))).collect()
    };
    functions.into_iter().flat_map(of).collect()
}

/// The runbook's filter: `order_id = "…" or span.order_id = "…"`.
fn by_order<'a>(lines: &'a [Line], id: &str) -> Vec<&'a Line> {
    lines.iter().filter(|(_, line)| line["order_id"] == id || line["span"]["order_id"] == id).collect()
}

/// The runbook's filter: `trace_id = "…" or span.trace_id = "…"`.
fn by_trace<'a>(lines: &'a [Line], id: &str) -> Vec<&'a Line> {
    lines.iter().filter(|(_, line)| line["trace_id"] == id || line["span"]["trace_id"] == id).collect()
}

#[tokio::test]
async fn one_trace_goes_from_the_page_over_the_webhook_to_the_event_and_one_filter_finds_all_of_it() {
    let shop = Shop::open().await;
    let heard = overheard(&shop);
    let (order, answer) = placed_with(&shop, BROWSERS).await;
    let [id, parent, flags] = parts(answer.header("traceparent").unwrap());
    assert_eq!((id, flags), (browsers_id(), "01".to_owned()));
    assert_ne!(parent, "00f067aa0ba902b7", "the call is work of its own");
    let other = shop.placed().await;

    shop.pay(&order).await;
    let webhooks = shop.release_webhooks().await;
    assert_eq!(trace_of(&shop.verify(&order.id).await), browsers_id());
    let event = shop.event("OrderPaid", |detail| detail["orderId"] == order.id.as_str()).await;
    let told = parts(event["detail"]["traceparent"].as_str().expect("the event is in a trace"));
    assert_eq!(told, [browsers_id(), parent, "01".to_owned()], "caused by the call that made the order");
    assert_eq!(trace_of(&shop.cancel_order(&order, "a-wish", None).await), browsers_id());
    for order in [&order, &other] {
        shop.make_due(order);
        table::set_order(&shop.stack, &order.id, "waiting", &json!({ "S": &order.id[10..11] }));
    }
    shop.reconcile_all().await;
    shop.events().await;
    for (function, event, times) in [
        ("verify-payment", "call.answered", 1),
        ("cancel-order", "call.answered", 1),
        ("reconcile", "reconcile.done", 1),
    ] {
        shop.logged(function, event, times).await;
    }

    let lines = lines(&shop);
    let (of_order, of_trace) = (by_order(&lines, &order.id), by_trace(&lines, &browsers_id()));
    let mentions = lines.iter().filter(|(_, line)| line.to_string().contains(&order.id));
    for line in mentions {
        assert!(of_order.contains(&line), "not found by the order's id: {line:?}");
    }
    for function in ["create-order", "verify-payment", "webhook", "cancel-order", "order-events"] {
        assert!(of_order.iter().any(|(by, _)| by == function), "{function}: {lines:?}");
        assert!(of_trace.iter().any(|(by, _)| by == function), "{function}: {lines:?}");
    }
    let answers = of_order.iter().filter(|(_, line)| line["event"] == "call.answered").count();
    assert_eq!(answers, 3 + webhooks, "create, verify, cancel, webhooks: the line about the answer too");
    assert!(
        of_trace.iter().all(|(_, line)| !line.to_string().contains(&other.id)),
        "nothing of another order"
    );

    let heard = heard.lock().unwrap();
    assert!(heard.len() >= 4, "{heard:?}");
    for (operation, trace) in heard.iter() {
        parts(trace.as_deref().unwrap_or_else(|| panic!("{operation} says no trace")));
    }
    for operation in ["POST /payments/{paymentId}/pre-register", "POST /payments/{paymentId}/cancel"] {
        let call = heard.iter().find(|(name, _)| name == operation).expect(operation);
        assert_eq!(parts(call.1.as_ref().unwrap())[0], browsers_id(), "{operation}");
    }
}

#[tokio::test]
async fn a_traceparent_that_is_none_is_as_good_as_no_traceparent() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for wrong in
        ["", "nonsense", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", &BROWSERS.to_uppercase()]
    {
        let (order, answer) = placed_with(&shop, wrong).await;
        ids.push(trace_of(&answer));
        assert_eq!(trace_of(&shop.get_order(&order.id, Some(&order.token)).await), *ids.last().unwrap());
    }
    ids.push(browsers_id());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each has its own: {ids:?}");
}

#[tokio::test]
async fn every_answer_says_its_trace_refusals_too() {
    let shop = Shop::open().await;
    let browsers = [("traceparent", BROWSERS)];
    for (method, path) in
        [(Method::GET, "/products"), (Method::GET, "/orders/none"), (Method::POST, "/orders")]
    {
        let answer = shop.send(method, path, &browsers, b"{".to_vec()).await;
        assert_eq!(trace_of(&answer), browsers_id(), "{path}: {}", answer.status);
    }
}

/// A page that asks again under its key brings another trace: the order keeps the one it was made in.
#[tokio::test]
async fn a_repeated_request_goes_on_in_the_trace_of_the_order_it_made() {
    let shop = Shop::open().await;
    let again = BROWSERS.replacen("4bf9", "aaaa", 1);
    for traceparent in [BROWSERS, &again] {
        let headers = [("traceparent", traceparent), ("idempotency-key", "a-key-of-a-page")];
        let answer = shop.post("/orders", &headers, &basket("shoes", 2)).await;
        answer.expect(201);
        assert_eq!(trace_of(&answer), browsers_id());
    }
}

#[tokio::test]
async fn an_order_without_a_readable_trace_is_an_order_like_any_other() {
    let shop = Shop::open().await;
    for spoiled in [Value::Null, json!({ "S": "no bytes" }), json!({ "B": "AAAA" })] {
        let (order, _) = placed_with(&shop, BROWSERS).await;
        let mut item = table::raw_order(&shop.stack, &order.id);
        assert!(item["trace"]["B"].is_string(), "{item}");
        match spoiled {
            Value::Null => drop(item.as_object_mut().unwrap().remove("trace")),
            spoiled => item["trace"] = spoiled,
        }
        table::put(&shop.stack, &item);
        shop.pay(&order).await;
        let answer = shop.verify(&order.id).await;
        assert_eq!(answer.expect(200)["status"], "PAID");
        assert_ne!(trace_of(&answer), browsers_id(), "one of its own");
        let event = shop.event("OrderPaid", |detail| detail["orderId"] == order.id.as_str()).await;
        assert!(event["detail"].get("traceparent").is_none(), "{event}");
    }
}

/// What DynamoDB counts of an item: its names and values.
fn size(attribute: &Value) -> usize {
    let (kind, value) = attribute.as_object().unwrap().iter().next().unwrap();
    match (kind.as_str(), value) {
        ("S", Value::String(text)) => text.len(),
        ("N", Value::String(number)) => number.trim_start_matches('-').len().div_ceil(2) + 1,
        ("B", Value::String(base64)) => base64.trim_end_matches('=').len() * 3 / 4,
        ("M", Value::Object(members)) => {
            3 + members.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>()
        }
        ("L", Value::Array(values)) => 3 + values.iter().map(|value| 1 + size(value)).sum::<usize>(),
        _ => 1,
    }
}

/// One write unit is 1 KB: an order that is paid and given back costs one for each write.
#[tokio::test]
async fn a_whole_order_with_its_trace_is_below_a_kilobyte() {
    let shop = Shop::open().await;
    let mut body = basket("shoes", 2);
    body["customer"] = json!({ "name": "홍길동", "email": "gildong@shop.example", "phone": "010-0000-0000" });
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Pay).await;
    shop.verify(&order.id).await.expect(200);
    let whole = |item: &Value| {
        item.as_object().unwrap().iter().map(|(name, value)| name.len() + size(value)).sum::<usize>()
    };
    let item = table::raw_order(&shop.stack, &order.id);
    let bytes = whole(&item);
    println!("a paid order: {bytes} bytes, {} of them its trace", "trace".len() + size(&item["trace"]));
    assert!(bytes < 1024, "{bytes} bytes: {item}");
}
