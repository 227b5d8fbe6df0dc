//! The simulator over HTTP, as its callers meet it. One binary, one file per story.

#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene should stop there")]

mod cancel;
mod checkout;
mod discounts;
mod disputes;
mod faults;
mod idempotency;
mod raw_text;
mod reads;
mod receiver;
mod refunds;
mod restart;
mod stores;
mod v1;
mod v1_checkout;
mod v1_lists;
mod v1_money;
mod v1_webhooks;
mod webhooks;

use portone_simulator::{PaymentSpec, Simulator, SimulatorConfig};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub(crate) const WEBHOOK_SECRET: &str = "whsec_pzQGE83cSIRKM4/WH5QY+g==";
pub(crate) const KEY: &str = "\"0123456789abcdef\"";

pub(crate) async fn start(config: SimulatorConfig) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, SimulatorConfig { seed: Some(1), ..config }).await.unwrap()
}

pub(crate) async fn simulator() -> Simulator {
    start(SimulatorConfig::default()).await
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// A call with the store's secret and, when given, an Idempotency-Key.
pub(crate) async fn call(
    simulator: &Simulator,
    method: Method,
    path: &str,
    body: Option<Value>,
    key: Option<&str>,
) -> (StatusCode, Value) {
    let secret = &simulator.config().api_secrets[0];
    let mut request = http()
        .request(method, format!("{}{path}", simulator.url()))
        .header("authorization", format!("PortOne {secret}"));
    if let Some(body) = body {
        request = request.json(&body);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap_or(Value::Null))
}

pub(crate) async fn get(simulator: &Simulator, path: &str) -> (StatusCode, Value) {
    call(simulator, Method::GET, path, None, None).await
}

pub(crate) async fn post(simulator: &Simulator, path: &str, body: Value) -> (StatusCode, Value) {
    call(simulator, Method::POST, path, Some(body), None).await
}

/// Status and error type, to compare in one line.
pub(crate) fn error((status, body): (StatusCode, Value)) -> (u16, String) {
    (status.as_u16(), body["type"].as_str().unwrap_or("-").to_owned())
}

pub(crate) fn refused(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

pub(crate) fn paid(simulator: &Simulator, id: &str) {
    simulator.put_payment(id, &PaymentSpec::default()).unwrap();
}

/// What a page would pass to `PortOne.requestPayment`.
pub(crate) fn window_request(simulator: &Simulator, id: &str) -> Value {
    json!({
        "storeId": simulator.config().store_id,
        "channelKey": simulator.config().channels[0].key,
        "paymentId": id,
        "orderName": "신발",
        "totalAmount": 1000,
        "currency": "KRW",
        "payMethod": "CARD",
        "customer": { "fullName": "홍길동" },
        "customData": { "orderId": id },
    })
}
