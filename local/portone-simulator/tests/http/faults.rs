use portone_simulator::{FaultReply, FaultRule};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{KEY, call, get, http, paid, post, simulator};

#[tokio::test]
async fn a_fault_before_the_effect_leaves_the_payment_alone() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.add_fault(FaultRule::html(502).on("POST", "/payments/*/cancel").times(1));
    let (status, body) = post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    assert_eq!((status.as_u16(), body), (502, Value::Null));
    assert_eq!(get(&simulator, "/payments/p").await.1["status"], "PAID");
    assert_eq!(post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_fault_after_the_effect_hides_it_from_this_answer_only() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.add_fault(FaultRule::html(500).on("POST", "/payments/*/cancel").times(1).after_effect());
    let cancel =
        || call(&simulator, Method::POST, "/payments/p/cancel", Some(json!({"reason": "r"})), Some(KEY));
    assert_eq!(cancel().await.0.as_u16(), 500);
    assert_eq!(simulator.payment("p").unwrap()["status"], "CANCELLED");
    assert_eq!(cancel().await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_can_break_before_between_or_slowly() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    let read = async || {
        let request = http()
            .get(format!("{}/payments/p", simulator.url()))
            .header("authorization", format!("PortOne {}", simulator.config().api_secrets[0]));
        request.send().await?.bytes().await
    };
    let whole = read().await.unwrap();
    simulator.add_fault(FaultRule::reply(FaultReply::Drop).times(1));
    assert!(read().await.is_err());
    simulator.add_fault(FaultRule::reply(FaultReply::Hang { hang_ms: 10 }).times(1));
    assert!(read().await.is_err());
    simulator.add_fault(FaultRule::reply(FaultReply::HalfBody).times(1));
    assert!(read().await.is_err());
    simulator.add_fault(FaultRule::reply(FaultReply::SlowBytes { interval_ms: 0 }).times(1));
    assert_eq!(read().await.unwrap(), whole);
    let touched: Vec<bool> = simulator.calls().iter().map(|call| call.disturbed).collect();
    assert_eq!(touched, [false, true, true, true, true]);
}

#[tokio::test]
async fn faults_switches_and_calls_are_reachable_over_http() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    let control = format!("{}/_simulator", simulator.url());
    let fault = json!({"method": "GET", "path": "/payments/*", "times": 1, "reply": {"kind": "status", "status": 429, "retryAfter": "1"}});
    http().post(format!("{control}/faults")).json(&fault).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(get(&simulator, "/payments/p").await.0.as_u16(), 429);
    let calls: Value = http().get(format!("{control}/calls")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&calls[0]["path"], &calls[0]["status"]), (&json!("/payments/p"), &json!(429)));
    let patch = |path: &str, body: Value| http().patch(format!("{control}{path}")).json(&body).send();
    let switches: Value =
        patch("/switches", json!({"reusedKey": "REPLAY"})).await.unwrap().json().await.unwrap();
    assert_eq!(switches["reusedKey"], "REPLAY");
    let switches: Value = patch("/switches", json!({"reusedKey": null})).await.unwrap().json().await.unwrap();
    assert_eq!(switches["reusedKey"], "REJECT");
    assert_eq!(
        patch("/switches", json!({"noSuchSwitch": 1})).await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
    http().post(format!("{control}/reset")).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(get(&simulator, "/payments/p").await.0, StatusCode::NOT_FOUND);
}
