//! Faults on a wire, told by a backend that counts what reached it and a caller that sees what came back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, Uri},
    response::IntoResponse,
};
use local_stack::{
    Backend, Fault, Rule,
    wire::{Wire, rounds},
};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// A backend that echoes, and the number of calls that took effect on it.
struct Echo {
    wire: Wire,
    effects: Arc<AtomicUsize>,
    client: Client,
}

impl Echo {
    async fn start(backend: Backend) -> Self {
        let effects = Arc::new(AtomicUsize::new(0));
        let app = Router::new().fallback(echo).with_state(effects.clone());
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", upstream.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(upstream, app).await });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Wire::start(backend, listener, url, Instant::now(), None).unwrap();
        Self { wire, effects, client: Client::builder().no_proxy().build().unwrap() }
    }

    fn effects(&self) -> usize {
        self.effects.load(Ordering::SeqCst)
    }

    fn call(&self, operation: &str, body: &Value) -> RequestBuilder {
        let target = format!("DynamoDB_20120810.{operation}");
        self.client.post(self.wire.url()).header("x-amz-target", target).json(body)
    }

    async fn put(&self) -> reqwest::Result<(u16, Value)> {
        let response = self.call("PutItem", &json!({"key": "1"})).send().await?;
        Ok((response.status().as_u16(), response.json().await?))
    }
}

async fn echo(
    State(effects): State<Arc<AtomicUsize>>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> impl IntoResponse {
    effects.fetch_add(1, Ordering::SeqCst);
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    ([("x-backend", "echo")], Json(json!({"path": uri.to_string(), "target": target, "body": body})))
}

#[tokio::test]
async fn a_wire_changes_nothing_and_counts_every_call() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let response = echo.call("GetItem", &json!({"a": 1})).send().await.unwrap();
    assert_eq!(response.headers()["x-backend"], "echo");
    let seen: Value = response.json().await.unwrap();
    assert_eq!(seen, json!({"path": "/", "target": "DynamoDB_20120810.GetItem", "body": r#"{"a":1}"#}));
    echo.put().await.unwrap();

    assert_eq!((echo.wire.count("GetItem"), echo.wire.count("PutItem")), (1, 1));
    let [first, _] = echo.wire.calls().try_into().unwrap();
    assert_eq!((first.operation.as_str(), first.status, first.forwarded), ("GetItem", Some(200), true));
    assert!(first.ended.unwrap() >= first.started);
}

/// Written by hand, since a client that parses addresses as browsers do would resolve the dots itself.
#[tokio::test]
async fn a_path_is_forwarded_as_it_was_sent() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let echo = Echo::start(Backend::Portone).await;
    let address = echo.wire.url().strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = "GET /payments/../login/%2e%2e?a=%20b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.contains(r#""path":"/payments/../login/%2e%2e?a=%20b""#), "{response}");
}

#[tokio::test]
async fn refusals_speak_the_backends_language_and_have_no_effect() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let throttled = echo.wire.inject(Rule::on("PutItem").times(1), Fault::Throttle);
    let (status, body) = echo.put().await.unwrap();
    assert_eq!(status, 400);
    assert!(body["__type"].as_str().unwrap().ends_with("#ProvisionedThroughputExceededException"));
    assert_eq!(throttled.hits(), 1);

    echo.wire.inject(Rule::on("PutItem").times(1), Fault::TransactionConflict);
    let (_, body) = echo.put().await.unwrap();
    assert!(body["__type"].as_str().unwrap().ends_with("#TransactionConflictException"));

    echo.wire.inject(Rule::any().times(1), Fault::TransactionConflict);
    let write = json!({"TransactItems": [{}, {}]});
    let body: Value = echo.call("TransactWriteItems", &write).send().await.unwrap().json().await.unwrap();
    assert_eq!(body["CancellationReasons"][0]["Code"], "TransactionConflict");
    assert_eq!(body["CancellationReasons"][1]["Code"], "None");

    echo.wire.inject(Rule::any().times(1), Fault::ServerError);
    assert_eq!(echo.put().await.unwrap().0, 500);
    echo.wire.inject(Rule::any().times(1), Fault::html(502));
    let page = echo.call("PutItem", &json!({})).send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].as_bytes()),
        (502, &b"text/html; charset=utf-8"[..])
    );

    assert_eq!(echo.effects(), 0);
    assert_eq!(echo.put().await.unwrap().0, 200);
    assert!(echo.wire.calls().iter().rev().skip(1).all(|call| call.faulty && !call.forwarded));
}

#[tokio::test]
async fn throttling_is_told_per_backend() {
    for (backend, status) in [(Backend::SecretsManager, 400), (Backend::Portone, 429)] {
        let echo = Echo::start(backend).await;
        echo.wire.inject(Rule::any(), Fault::Throttle);
        assert_eq!(echo.client.get(echo.wire.url()).send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_reset_before_the_effect_leaves_none_and_a_reset_after_it_loses_the_answer() {
    let echo = Echo::start(Backend::DynamoDb).await;
    echo.wire.inject(Rule::any().times(1), Fault::ResetBefore);
    assert!(echo.put().await.unwrap_err().is_request());
    assert_eq!(echo.effects(), 0);

    echo.wire.inject(Rule::any().times(1), Fault::ResetAfter);
    assert!(echo.put().await.unwrap_err().is_request());
    assert_eq!(echo.effects(), 1);

    let statuses: Vec<_> = echo.wire.calls().iter().map(|call| (call.forwarded, call.status)).collect();
    assert_eq!(statuses, [(false, None), (true, None)]);
    assert_eq!(echo.put().await.unwrap().0, 200);
}

#[tokio::test]
async fn half_a_body_is_an_error_and_a_slow_one_arrives_whole() {
    let echo = Echo::start(Backend::DynamoDb).await;
    echo.wire.inject(Rule::any().times(1), Fault::HalfBody);
    assert!(echo.put().await.unwrap_err().is_decode());

    let pause = Duration::from_millis(2);
    echo.wire.inject(Rule::any().times(1), Fault::SlowBody { bytes: 10, pause });
    let began = Instant::now();
    let (_, body) = echo.put().await.unwrap();
    assert_eq!(body["body"], r#"{"key":"1"}"#);
    assert!(began.elapsed() >= pause * 6);
    assert_eq!(echo.effects(), 2);
}

#[tokio::test]
async fn a_call_that_hangs_has_no_effect_and_no_answer() {
    let echo = Echo::start(Backend::DynamoDb).await;
    echo.wire.inject(Rule::any().times(1), Fault::Hang);
    let patience = Duration::from_millis(100);
    assert!(echo.call("PutItem", &json!({})).timeout(patience).send().await.unwrap_err().is_timeout());
    assert_eq!(echo.effects(), 0);
}

#[tokio::test]
async fn a_delay_is_before_or_after_the_effect() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let long = Duration::from_secs(60);
    // Waits for what is known to come, while the caller waits in vain.
    let until = async |fact: &dyn Fn() -> bool| {
        tokio::select! {
            _ = echo.put() => panic!("the answer is delayed"),
            () = async { while !fact() { tokio::task::yield_now().await } } => {}
        }
    };
    let before = echo.wire.inject(Rule::any().times(1), Fault::DelayBefore(long));
    until(&|| before.hits() == 1).await;
    assert_eq!(echo.effects(), 0);
    echo.wire.inject(Rule::any().times(1), Fault::DelayAfter(long));
    until(&|| echo.effects() == 1).await;
}

#[tokio::test]
async fn two_writers_can_be_held_before_the_same_write() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let gate = echo.wire.hold_before(Rule::on("PutItem").times(2));
    let (one, two, ()) = tokio::join!(echo.put(), echo.put(), async {
        gate.arrived(2).await;
        assert_eq!(echo.effects(), 0);
        gate.open();
    });
    assert_eq!((one.unwrap().0, two.unwrap().0), (200, 200));
    assert_eq!(echo.effects(), 2);
}

#[tokio::test]
async fn a_caller_that_dies_at_a_gate_has_its_effect_after_it_only() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let before = echo.wire.hold_before(Rule::any().times(1));
    tokio::select! {
        _ = echo.put() => panic!("the call is held"),
        () = before.arrived(1) => {}
    }
    // The caller has gone with its connection.
    before.open();

    let after = echo.wire.hold_after(Rule::any().times(1));
    tokio::select! {
        _ = echo.put() => panic!("the call is held"),
        () = after.arrived(1) => {}
    }
    assert_eq!(echo.effects(), 1);
    after.open();
    assert_eq!(echo.put().await.unwrap().0, 200);
    assert_eq!(echo.effects(), 2, "the call that died before its effect never had it");
}

#[tokio::test]
async fn dropping_a_gate_opens_it() {
    let echo = Echo::start(Backend::DynamoDb).await;
    drop(echo.wire.hold_before(Rule::any()));
    assert_eq!(echo.put().await.unwrap().0, 200);
}

#[tokio::test]
async fn a_hook_runs_between_effect_and_answer() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let (effects, noted) = (echo.effects.clone(), seen.clone());
    let hook: local_stack::wire::Hook = Arc::new(move |call| {
        assert!(call.mentions(r#""key":"1""#));
        noted.store(effects.load(Ordering::SeqCst), Ordering::SeqCst);
        Box::pin(async {})
    });
    echo.wire.inject(Rule::any().times(1), Fault::CallAfter(hook));
    echo.put().await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_removed_fault_and_a_healed_wire_do_nothing_more() {
    let echo = Echo::start(Backend::DynamoDb).await;
    let fault = echo.wire.inject(Rule::any(), Fault::ServerError);
    assert_eq!(echo.put().await.unwrap().0, 500);
    echo.wire.remove(&fault);
    assert_eq!(echo.put().await.unwrap().0, 200);
    echo.wire.inject(Rule::any(), Fault::ServerError);
    echo.wire.heal();
    assert_eq!(echo.put().await.unwrap().0, 200);
}

#[tokio::test]
async fn rounds_are_what_a_caller_waits_for_one_after_another() {
    let echo = Echo::start(Backend::DynamoDb).await;
    echo.wire.set_latency(Duration::from_millis(20));
    let (one, two) = tokio::join!(echo.put(), echo.put());
    assert!(one.is_ok() && two.is_ok());
    assert_eq!(rounds(&echo.wire.calls()), 1);
    echo.put().await.unwrap();
    assert_eq!(rounds(&echo.wire.calls()), 2);
}
