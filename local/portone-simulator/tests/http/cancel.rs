use portone_simulator::{Act, CancelMode, PaymentSpec, Status};
use reqwest::StatusCode;
use serde_json::json;

use crate::{KEY, call, error, get, http, paid, post, refused, simulator};

#[tokio::test]
async fn a_cancellation_in_parts_ends_cancelled_and_the_ledger_adds_up_to_nothing() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    let (status, body) = post(
        &simulator,
        "/payments/p/cancel",
        json!({"reason": "r", "amount": 300, "currentCancellableAmount": 1000}),
    )
    .await;
    assert_eq!((status, &body["cancellation"]["status"]), (StatusCode::OK, &json!("SUCCEEDED")));
    assert_eq!(simulator.payment("p").unwrap()["status"], "PARTIAL_CANCELLED");
    post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    let payment = simulator.payment("p").unwrap();
    assert_eq!((&payment["status"], &payment["amount"]["cancelled"]), (&json!("CANCELLED"), &json!(1000)));
    let (_, events) = get(&simulator, "/payment-events-by-cursor").await;
    let moved: Vec<i64> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["paymentEvent"]["eventAmount"].as_i64().unwrap())
        .collect();
    assert_eq!(moved, [1000, -300, -700]);
}

#[tokio::test]
async fn refusals_come_with_portones_statuses_and_types() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator
        .put_payment("gone", &PaymentSpec { status: Status::Cancelled, ..PaymentSpec::default() })
        .unwrap();
    simulator.put_payment("ready", &PaymentSpec { status: Status::Ready, ..PaymentSpec::default() }).unwrap();
    let table = [
        ("/payments/p/cancel", json!({}), refused(400, "INVALID_REQUEST")),
        ("/payments/p/cancel", json!({"reason": "r", "amount": 0}), refused(400, "INVALID_REQUEST")),
        ("/payments/p/cancel", json!({"reason": "r", "amount": 1.5}), refused(400, "INVALID_REQUEST")),
        ("/payments/p/cancel", json!({"reason": "r", "storeId": "store-other"}), refused(403, "FORBIDDEN")),
        ("/payments/none/cancel", json!({"reason": "r"}), refused(404, "PAYMENT_NOT_FOUND")),
        ("/payments/gone/cancel", json!({"reason": "r"}), refused(409, "PAYMENT_ALREADY_CANCELLED")),
        ("/payments/ready/cancel", json!({"reason": "r"}), refused(409, "PAYMENT_NOT_PAID")),
        (
            "/payments/p/cancel",
            json!({"reason": "r", "currentCancellableAmount": 999}),
            refused(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"),
        ),
        (
            "/payments/p/cancel",
            json!({"reason": "r", "amount": 1001}),
            refused(409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"),
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(error(post(&simulator, path, body.clone()).await), expected, "{path} {body}");
    }
    simulator.set_cancel_mode("p", CancelMode::RefuseByPg, Some(1)).unwrap();
    let (status, body) = post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    assert_eq!(
        (status.as_u16(), &body["type"], body["pgCode"].is_string()),
        (502, &json!("PG_PROVIDER"), true)
    );
    let (status, _) = post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    assert_eq!(status, StatusCode::OK, "the mode ruled one cancellation");
}

#[tokio::test]
async fn an_asynchronous_cancellation_is_requested_until_the_pg_decides() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.set_cancel_mode("p", CancelMode::Async, None).unwrap();
    let (_, body) = post(&simulator, "/payments/p/cancel", json!({"reason": "r", "amount": 400})).await;
    assert_eq!(body["cancellation"]["status"], "REQUESTED");
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
    simulator.act("p", &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    assert_eq!(simulator.payment("p").unwrap()["status"], "PARTIAL_CANCELLED");
}

#[tokio::test]
async fn a_pending_cancellation_can_be_stopped_and_a_settled_one_cannot() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.set_cancel_mode("p", CancelMode::Async, None).unwrap();
    let (_, body) = post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    let path = format!("/payments/p/cancellations/{}/stop", body["cancellation"]["id"].as_str().unwrap());
    assert_eq!(post(&simulator, &path, json!({})).await.0, StatusCode::OK);
    assert_eq!(
        error(post(&simulator, &path, json!({})).await),
        refused(409, "PAYMENT_CANCELLATION_NOT_PENDING")
    );
    let unknown = post(&simulator, "/payments/p/cancellations/none/stop", json!({})).await;
    assert_eq!(error(unknown), refused(404, "PAYMENT_CANCELLATION_NOT_FOUND"));
}

#[tokio::test]
async fn a_lost_answer_took_effect_and_the_same_key_tells_it() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    simulator.set_cancel_mode("p", CancelMode::EffectThenDrop, Some(1)).unwrap();
    let lost = http()
        .post(format!("{}/payments/p/cancel", simulator.url()))
        .header("authorization", format!("PortOne {}", simulator.config().api_secrets[0]))
        .header("idempotency-key", KEY)
        .json(&json!({"reason": "r"}))
        .send()
        .await;
    assert!(lost.is_err());
    assert_eq!(simulator.payment("p").unwrap()["status"], "CANCELLED");
    let again = call(
        &simulator,
        reqwest::Method::POST,
        "/payments/p/cancel",
        Some(json!({"reason": "r"})),
        Some(KEY),
    )
    .await;
    assert_eq!((again.0, &again.1["cancellation"]["status"]), (StatusCode::OK, &json!("SUCCEEDED")));
    let other_key = post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    assert_eq!(error(other_key), refused(409, "PAYMENT_ALREADY_CANCELLED"));
}

#[tokio::test]
async fn money_of_a_virtual_account_goes_back_only_to_a_named_account() {
    let simulator = simulator().await;
    let spec = PaymentSpec { status: Status::VirtualAccountIssued, ..PaymentSpec::default() };
    simulator.put_payment("p", &spec).unwrap();
    simulator.act("p", &Act::Deposit { amount: None }).unwrap();
    assert_eq!(
        error(post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await),
        refused(502, "PG_PROVIDER")
    );
    let to = |bank: &str| json!({"reason": "r", "refundAccount": {"bank": bank, "number": "1", "holderName": "홍길동"}});
    assert_eq!(
        error(post(&simulator, "/payments/p/cancel", to("BANK")).await),
        refused(400, "INVALID_REQUEST")
    );
    assert_eq!(post(&simulator, "/payments/p/cancel", to("SHINHAN")).await.0, StatusCode::OK);
    assert_eq!(simulator.payment("p").unwrap()["method"]["refundStatus"], "COMPLETED");
}
