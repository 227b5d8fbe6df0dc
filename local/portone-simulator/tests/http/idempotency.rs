use std::time::Duration;

use portone_simulator::{FaultRule, switches::ReusedKey};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{KEY, call, error, paid, refused, simulator};

#[tokio::test]
async fn while_the_first_call_runs_the_key_is_outstanding_and_then_its_answer_comes_again() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.add_fault(FaultRule::delay(300).on("POST", "/payments/*/cancel").times(1));
    let body = || Some(json!({"reason": "r", "amount": 100}));
    let cancel = || call(&simulator, Method::POST, "/payments/p/cancel", body(), Some(KEY));
    let first = cancel();
    let second = async {
        // The first call is noted when it arrives, long before it takes effect.
        while simulator.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel().await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(error(second), refused(409, "IDEMPOTENCY_OUTSTANDING_REQUEST"));
    assert_eq!(first.0, StatusCode::OK);
    assert_eq!(cancel().await, first);
    assert_eq!(simulator.payment("p").unwrap()["amount"]["cancelled"], 100);
    assert!(simulator.calls().last().unwrap().replayed);
}

#[tokio::test]
async fn a_stored_failure_is_repeated_until_the_key_is_forgotten() {
    let simulator = simulator().await;
    let cancel =
        || call(&simulator, Method::POST, "/payments/p/cancel", Some(json!({"reason": "r"})), Some(KEY));
    assert_eq!(error(cancel().await), refused(404, "PAYMENT_NOT_FOUND"));
    paid(&simulator, "p");
    assert_eq!(error(cancel().await), refused(404, "PAYMENT_NOT_FOUND"));
    simulator.clock().advance(Duration::from_secs(3 * 3600));
    assert_eq!(cancel().await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_key_that_is_unquoted_or_short_is_refused_and_get_ignores_it() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    for key in ["0123456789abcdef", "\"short\""] {
        let refusal =
            call(&simulator, Method::POST, "/payments/p/cancel", Some(json!({"reason": "r"})), Some(key))
                .await;
        assert_eq!(error(refusal), refused(400, "INVALID_REQUEST"));
        assert_eq!(call(&simulator, Method::GET, "/payments/p", None, Some(key)).await.0, StatusCode::OK);
    }
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
}

#[tokio::test]
async fn a_key_that_comes_with_another_request_meets_the_switch() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    let cancel = |amount: i64| {
        let body = Some(json!({"reason": "r", "amount": amount}));
        call(&simulator, Method::POST, "/payments/p/cancel", body, Some(KEY))
    };
    let first = cancel(100).await;
    assert_eq!(error(cancel(200).await), refused(400, "INVALID_REQUEST"));
    simulator.set_switches(|switches| switches.reused_key = ReusedKey::Replay);
    assert_eq!(cancel(200).await, first);
    simulator.set_switches(|switches| switches.reused_key = ReusedKey::Execute);
    cancel(200).await;
    assert_eq!(simulator.payment("p").unwrap()["amount"]["cancelled"], 300);
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_stop_what_it_began() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.add_fault(FaultRule::delay(100).times(1));
    let cancel =
        call(&simulator, Method::POST, "/payments/p/cancel", Some(json!({"reason": "r"})), Some(KEY));
    let impatient = tokio::time::timeout(Duration::from_millis(50), cancel).await;
    assert!(impatient.is_err());
    while simulator.payment("p").unwrap()["status"] == "PAID" {
        tokio::task::yield_now().await;
    }
    assert_eq!(simulator.payment("p").unwrap()["status"], "CANCELLED");
}
