//! A body that API Gateway says is base64 and is not: the request is refused, and the process goes on.

use end_to_end::{Shop, functions};
use serde_json::{Value, json};

/// The event of a request to `path`, whose body is said to be base64.
fn event(method: &str, path: &str, body: &str) -> Value {
    let route = format!("{method} {path}");
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
        "headers": { "content-type": "application/json", "host": "shop.example", "accept-language": "en" },
        "requestContext": {
            "accountId": "123456789012", "apiId": "local", "domainName": "shop.example", "requestId": "request-1",
            "routeKey": route, "stage": "$default", "timeEpoch": 0,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "" },
        },
        "body": body, "isBase64Encoded": true,
    })
}

#[tokio::test]
async fn a_body_that_is_no_base64_is_answered_with_400_by_every_function_of_the_api() {
    let shop = Shop::open().await;
    let gateway = shop.stack.gateway();
    let of_events = ["order-events", "daily-export", "reconcile"];
    for function in functions::NAMES.into_iter().filter(|name| !of_events.contains(name)) {
        for broken in ["%", "e30", "{}"] {
            let answer = gateway.invoke(function, &event("POST", "/orders", broken)).await;
            let answer = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
            assert_eq!(answer["statusCode"], 400, "{function} {broken}: {answer}");
            let content_type = &answer["headers"]["content-type"];
            assert_eq!(*content_type, "application/problem+json; charset=utf-8", "{function}");
            let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
            assert_eq!(
                (&problem["code"], &problem["status"]),
                (&json!("malformed-json"), &json!(400)),
                "{function}"
            );
        }
        let counters = gateway.counters(function).unwrap();
        assert_eq!((counters.starts, counters.crashes), (1, 0), "{function} goes on in one process");
    }
    // What is base64 is read as before.
    let sound = gateway.invoke("create-order", &event("POST", "/orders", "e30=")).await.unwrap();
    assert_eq!(sound["statusCode"], 422, "{sound}");
}
