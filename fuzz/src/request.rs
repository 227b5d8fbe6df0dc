//! Requests: from API Gateway's event to what a function takes out of it.

use backend::{
    flow::Claim,
    http::{Call, bearer_token, idempotency_key as key_of, json_body},
    portone::v1::is_imp_uid,
};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, uri::PathAndQuery};
use order::{OrderId, money::AMOUNT_MAX};
use serde_json::{Value, json};
use url::Url;

const ORIGIN: &str = "https://shop.example";

/// An event as API Gateway sends it, through everything the functions read of it before they ask anybody.
pub fn event(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(event) = addressed(text) else { return };
    let Ok(request) = lambda_http::request::from_str(&event.to_string()) else { return };
    let _ = Call::of(&request);
    let _ = bearer_token(&request);
    let _ = backend::http::operator(&request);
    let _ = key_of(request.headers());
    if let Ok(body) = json_body(&request) {
        order_request(&body);
        cancel_request(&body);
        claim(&body);
    }
}

/// The event with what API Gateway writes itself made sound: the address, and whether the body is base64.
/// `lambda_http` panics where these are none, which is a 500 to who sent it.
fn addressed(text: &str) -> Option<Value> {
    let mut event: Value = serde_json::from_str(text).ok()?;
    let address = |event: &Value| {
        let member = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        format!("{}?{}", member("rawPath"), member("rawQueryString"))
    };
    address(&event).parse::<PathAndQuery>().ok().filter(|address| address.as_str().starts_with('/'))?;
    let headers = event.get_mut("headers")?.as_object_mut()?;
    headers.retain(|name, _| !matches!(name.to_ascii_lowercase().as_str(), "host" | "x-forwarded-proto"));
    event["isBase64Encoded"] = json!(false);
    let context = event.get_mut("requestContext")?.as_object_mut()?;
    context.insert("domainName".to_owned(), json!("api.shop.example"));
    context.insert("stage".to_owned(), json!("$default"));
    Some(event)
}

/// A body of `POST /orders`, and of `POST /payments/verify`, which meets the same strangers.
pub fn create_order(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice(data) {
        order_request(&body);
        claim(&body);
    }
}

/// A body of `POST /orders/{orderId}/cancel`.
pub fn cancel_order(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice(data) {
        cancel_request(&body);
    }
}

/// A header's value: a key reads the same quoted, and is what the contract says a key is.
pub fn idempotency_key(data: &[u8]) {
    let Some(key) = key_in(data) else { return };
    assert!((1..=255).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b)), "{key:?}");
    let quoted = format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""));
    assert_eq!(key_in(quoted.as_bytes()), Some(key));
}

/// An address that is taken leads to the shop, whoever reads it.
pub fn redirect_url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // As it is, and with the shop's own origin before it, which is where the tricks are.
    for text in [text.to_owned(), format!("{ORIGIN}{text}")] {
        let body = json!({
            "items": [{ "productId": "shoes", "quantity": 1 }], "customer": { "name": "A" }, "redirectUrl": text,
        });
        order_request(&body);
    }
}

fn key_in(header: &[u8]) -> Option<String> {
    let value = HeaderValue::from_bytes(header).ok()?;
    let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), value)]);
    key_of(&headers).ok().flatten()
}

fn order_request(body: &Value) {
    let (wanted, faults) = create_order::request::Wanted::read(body, &[ORIGIN.to_owned()]);
    assert!(wanted.basket.len() <= 50 && wanted.basket.iter().all(|line| (1..=999).contains(&line.quantity)));
    assert!(wanted.checked.is_some() || !faults.is_empty(), "refused without a word: {body}");
    assert!(faults.iter().all(|fault| fault.pointer.is_empty() || fault.pointer.starts_with('/')));
    let Some(address) = wanted.checked.and_then(|checked| checked.redirect_url) else { return };
    let url = Url::parse(&address).expect("what is handed on can be read again");
    assert_eq!(url.as_str(), address, "two readers may read it in two ways");
    assert_eq!(url.origin().ascii_serialization(), ORIGIN);
    assert!(address.starts_with("https://shop.example/"), "{address:?}");
    assert!(
        !address.contains(['\\', '\r', '\n', '\t', ' ', '<', '"'])
            || url.fragment().is_some()
            || url.query().is_some(),
        "{address:?}"
    );
    assert!(address.bytes().all(|b| (b'!'..=b'~').contains(&b)), "{address:?}");
}

fn cancel_request(body: &Value) {
    let Ok(wanted) = cancel_order::request::read(body, "a-key") else { return };
    assert!(wanted.amount.is_none_or(|amount| (1..=AMOUNT_MAX).contains(&amount)));
    assert!(wanted.tax_free.unwrap_or(0) <= wanted.amount.unwrap_or(AMOUNT_MAX));
    assert!((1..=256).contains(&wanted.reason.len()) && !wanted.reason.contains(char::is_control));
    if let Some(account) = &wanted.refund_account {
        let number = account.number.expose();
        assert!((1..=32).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()));
        assert!(!format!("{wanted:?}").contains(&format!("number: Personal(\"{number}\")")));
    }
}

fn claim(body: &Value) {
    match verify_payment::claim(body) {
        Ok(Claim::Payment(id)) => assert!(id.parse::<OrderId>().is_ok(), "{id:?}"),
        Ok(Claim::V1Transaction { imp_uid, merchant_uid }) => {
            assert!(is_imp_uid(imp_uid), "{imp_uid:?}");
            assert!(merchant_uid.is_none_or(|id| id.parse::<OrderId>().is_ok()), "{merchant_uid:?}");
        }
        Err(_) => {}
    }
}
