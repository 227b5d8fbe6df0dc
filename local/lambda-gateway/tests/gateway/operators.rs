//! Routes for operators: closed to everybody who has not signed with the local keys.

use std::{process::Command, time::SystemTime};

use lambda_gateway::{LogSink, OperatorKeys};
use reqwest::Client;
use serde_json::{Value, json};

use super::gateway;

/// The command that the README shows.
const README: &str = include_str!("../../README.md");

#[tokio::test]
async fn the_readmes_curl_command_is_an_operators() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let command = README
        .lines()
        .find(|line| line.starts_with("curl --aws-sigv4"))
        .expect("the README shows how to sign with curl")
        .replace("http://127.0.0.1:3000/orders/$ORDER/cancel", &format!("{}/guarded", gateway.url()));
    assert!(command.contains("/guarded"), "{command}");
    let run = move |command: String| {
        tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &command]).output().unwrap())
    };
    let output = run(command.clone()).await.unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(
        told["event"]["requestContext"]["authorizer"],
        json!({"iam": {
            "accessKey": "local",
            "accountId": "123456789012",
            "callerId": "AIDALOCAL",
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": "arn:aws:iam::123456789012:user/local",
            "userId": "AIDALOCAL",
        }})
    );
    assert_eq!(told["event"]["headers"]["idempotency-key"], "cancel-1");

    let wrong = run(command.replace("local:local", "local:wrong")).await.unwrap();
    assert_eq!(String::from_utf8(wrong.stdout).unwrap(), r#"{"message":"Forbidden"}"#);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_request_signed_over_its_headers_and_body_is_an_operators() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let url = format!("{}/guarded?reason=a%20b&reason=%ED%99%8D", gateway.url());
    let own = [("content-type", "application/json"), ("x-two", "  two   spaces ")];
    let body = r#"{"a":"홍"}"#;
    let added = OperatorKeys::default().sign("POST", &url, &own, body.as_bytes(), SystemTime::now()).unwrap();
    let mut request = Client::new().post(&url).body(body);
    for (name, value) in own.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).chain(added) {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let event = response.json::<Value>().await.unwrap()["event"].clone();
    assert_eq!(event["requestContext"]["authorizer"]["iam"]["accessKey"], "local");
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_unsigned_request_is_a_403_and_no_function_runs() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    for path in ["/guarded", "/custom"] {
        let response = Client::new().post(format!("{}{path}", gateway.url())).send().await.unwrap();
        assert_eq!(response.status(), 403, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Forbidden"}"#);
    }
    assert_eq!(gateway.counters("probe").unwrap().invocations, 0);
    gateway.shutdown().await;
}

/// Tokens of an issuer that answers are told of in `tests/e2e/operator_tokens.rs`.
#[tokio::test]
async fn without_a_token_or_its_issuer_a_request_is_a_401_and_no_function_runs() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let unreadable =
        "Bearer scope=\"\" error=\"invalid_token\" error_description=\"the issuer's keys cannot be read\"";
    for (authorization, challenge) in [(None, "Bearer"), (Some("Bearer a.b.c"), unreadable)] {
        let mut request = Client::new().post(format!("{}/jwt", gateway.url()));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], challenge);
        assert!(response.headers().contains_key("apigw-requestid"));
        assert_eq!(response.text().await.unwrap(), r#"{"message":"Unauthorized"}"#);
    }
    assert_eq!(gateway.counters("probe").unwrap().invocations, 0);
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_open_route_says_nothing_about_its_caller() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let response = Client::new().get(format!("{}/probe/1", gateway.url())).send().await.unwrap();
    let event = response.json::<Value>().await.unwrap()["event"].clone();
    assert!(event["requestContext"].get("authorizer").is_none());
    gateway.shutdown().await;
}
