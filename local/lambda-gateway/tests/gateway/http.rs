//! What API Gateway does to requests.

use lambda_gateway::LogSink;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::gateway;

#[tokio::test]
async fn a_request_reaches_its_function_as_an_event_and_its_answer_comes_back() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let response = Client::new()
        .get(format!("{}/probe/%EC%8B%A0%EB%B0%9C?a=1&a=2", gateway.url()))
        .header("cookie", "x=1; y=2")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.headers().contains_key("apigw-requestid"));
    let event = response.json::<Value>().await.unwrap()["event"].clone();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "GET /probe/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "신발"}));
    assert_eq!(event["queryStringParameters"], json!({"a": "1,2"}));
    assert_eq!(event["cookies"], json!(["x=1", "y=2"]));
    assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
    gateway.shutdown().await;
}

#[tokio::test]
async fn status_headers_cookies_and_body_of_the_function_are_the_responses() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let with = json!({"statusCode": 422, "headers": {"content-type": "application/problem+json"},
        "cookies": ["a=1"], "body": "/w==", "isBase64Encoded": true});
    let response = Client::new()
        .post(format!("{}/probe", gateway.url()))
        .json(&json!({"do": "answer", "with": with}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["set-cookie"], "a=1");
    assert_eq!(response.bytes().await.unwrap().as_ref(), [0xff]);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_function_that_errs_crashes_or_misses_its_deadline_is_a_500_that_tells_nothing() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    for order in [json!({"do": "fail"}), json!({"do": "exit"}), json!({"do": "sleep", "ms": 60_000})] {
        let request = Client::new().post(format!("{}/probe", gateway.url())).json(&order);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 500, "{order}");
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Internal Server Error"}"#, "{order}");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_end_the_invocation() {
    let (sink, log) = LogSink::capture();
    let gateway = gateway(&[], 1, sink).await;
    let request = Client::new()
        .post(format!("{}/probe", gateway.url()))
        .json(&json!({"do": "sleep", "ms": 200}))
        .timeout(std::time::Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    while !log.lines().iter().any(|line| line.text.starts_with("REPORT")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.counters("probe").unwrap().crashes, 0);
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_no_route_matches_is_the_fallbacks_or_a_404() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let client = Client::new();
    let get = async |method: Method, path: &str| {
        let response = client.request(method, format!("{}{path}", gateway.url())).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(get(Method::GET, "/").await, (200, "the shop".to_owned()));
    let not_found = (404, r#"{"message":"Not Found"}"#.to_owned());
    assert_eq!(get(Method::GET, "/nothing").await, not_found);
    assert_eq!(get(Method::DELETE, "/probe").await, not_found);
    assert_eq!(get(Method::POST, "/").await, not_found);
    gateway.shutdown().await;
}

#[tokio::test]
async fn preflights_are_answered_by_the_gateway_and_no_function_runs() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let preflight = async |origin: &str| {
        Client::new()
            .request(Method::OPTIONS, format!("{}/probe", gateway.url()))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send()
            .await
            .unwrap()
    };
    let allowed = preflight("https://shop.example").await;
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-origin"], "https://shop.example");
    let stranger = preflight("https://evil.example").await;
    assert!(!stranger.headers().contains_key("access-control-allow-origin"));
    assert_eq!(gateway.counters("probe").unwrap().invocations, 0);

    let response = Client::new()
        .get(format!("{}/probe/1", gateway.url()))
        .header("origin", "https://shop.example")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "https://shop.example");
    assert_eq!(response.headers()["access-control-expose-headers"], "retry-after");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_body_over_10_mb_is_refused_before_a_function_sees_it() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let body = vec![b'x'; 10 * 1024 * 1024 + 1];
    let response = Client::new().post(format!("{}/probe", gateway.url())).body(body).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(gateway.counters("probe").unwrap().invocations, 0);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_function_that_cannot_start_is_a_500_that_tells_nothing() {
    let gateway = gateway(&[("PROBE_INIT", "exit")], 1, LogSink::discard()).await;
    let response = Client::new().get(format!("{}/probe/1", gateway.url())).send().await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.text().await.unwrap(), r#"{"message":"Internal Server Error"}"#);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_function_at_its_limit_is_a_503() {
    let gateway = gateway(&[], 0, LogSink::discard()).await;
    let response = Client::new().get(format!("{}/probe/1", gateway.url())).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.text().await.unwrap(), r#"{"message":"Service Unavailable"}"#);
    gateway.shutdown().await;
}
