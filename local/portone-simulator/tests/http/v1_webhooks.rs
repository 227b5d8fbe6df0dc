//! V1's webhooks: unsigned, thin, once.

use std::time::Duration;

use portone_simulator::{
    Act, DeliveryState, PaymentSpec, Press, Simulator, SimulatorConfig, Status, Version, webhook::V1Body,
};
use serde_json::{Value, json};

use crate::{
    get, post,
    receiver::Receiver,
    start,
    v1::{spec, v1_cancel, v1_paid},
};

async fn with_receiver() -> (Simulator, Receiver) {
    let receiver = Receiver::start().await;
    let config = SimulatorConfig { v1_webhook_url: Some(receiver.url.clone()), ..SimulatorConfig::default() };
    (start(config).await, receiver)
}

fn told() -> PaymentSpec {
    PaymentSpec { webhooks: true, ..spec() }
}

fn bodies(receiver: &Receiver) -> Vec<Value> {
    receiver.got().iter().map(|got| serde_json::from_str(&got.body).unwrap()).collect()
}

fn statuses(receiver: &Receiver) -> Vec<String> {
    bodies(receiver).iter().map(|body| body["status"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_payment_is_told_once_and_nobody_signs_it() {
    let (simulator, receiver) = with_receiver().await;
    receiver.answers(500, "");
    let imp_uid = simulator.open_v1_window(&json!({"merchant_uid": "order", "amount": 1000})).unwrap();
    simulator.press_v1(&imp_uid, Press::Pay).await.unwrap();
    simulator.settled().await;
    simulator.clock().advance(Duration::from_secs(24 * 3600));
    simulator.settled().await;
    assert_eq!(bodies(&receiver), [json!({"imp_uid": imp_uid, "merchant_uid": "order", "status": "paid"})]);
    let got = &receiver.got()[0];
    assert!(!got.headers.keys().any(|name| name.as_str().starts_with("webhook-")));
    let delivery = &simulator.deliveries()[0];
    assert_eq!((delivery.version, delivery.state), (Version::V1, DeliveryState::Failed));
}

#[tokio::test]
async fn by_agreement_a_server_error_brings_five_more_a_minute_apart() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_switches(|switches| switches.v1_webhook_resends = true);
    receiver.answers(503, "");
    v1_paid(&simulator, "order", &told());
    simulator.settled().await;
    for minute in 1..=6 {
        assert_eq!(receiver.got().len(), minute.min(6));
        simulator.clock().advance(Duration::from_secs(60));
        simulator.settled().await;
    }
    assert_eq!(receiver.got().len(), 6);
    receiver.answers(400, "");
    v1_paid(&simulator, "other", &told());
    simulator.settled().await;
    simulator.clock().advance(Duration::from_secs(600));
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 7, "an answer that blames the request is not asked again");
}

#[tokio::test]
async fn a_failure_and_an_opened_window_are_not_told_but_a_late_approval_is() {
    let (simulator, receiver) = with_receiver().await;
    let imp_uid = simulator.open_v1_window(&json!({"merchant_uid": "order", "amount": 1000})).unwrap();
    simulator.press_v1(&imp_uid, Press::Decline).await.unwrap();
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 0);
    simulator.act("order", &Act::Approve { amount: None, other_channel: false }).unwrap();
    simulator.settled().await;
    assert_eq!(statuses(&receiver), ["paid"]);
}

#[tokio::test]
async fn an_account_is_told_as_ready_and_its_deposit_as_paid() {
    let (simulator, receiver) = with_receiver().await;
    v1_paid(&simulator, "order", &PaymentSpec { status: Status::VirtualAccountIssued, ..told() });
    simulator.settled().await;
    simulator.act("order", &Act::Deposit { amount: None }).unwrap();
    simulator.settled().await;
    assert_eq!(statuses(&receiver), ["ready", "paid"]);
}

#[tokio::test]
async fn a_cancellation_by_api_is_told_only_when_asked_for_and_one_by_console_always() {
    let (simulator, receiver) = with_receiver().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    let cancel = |amount: i64| json!({"imp_uid": imp_uid, "amount": amount});
    v1_cancel(&simulator, cancel(100)).await;
    post(&simulator, "/payments/order/cancel", json!({"reason": "r", "amount": 100})).await;
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 0);
    let mut asked = cancel(200);
    asked["enable_webhook"] = json!(true);
    let (_, _, payment) = v1_cancel(&simulator, asked).await;
    simulator.settled().await;
    let console = Act::Cancel { amount: None, tax_free_amount: None, reason: None, trigger: None };
    simulator.act("order", &console).unwrap();
    simulator.settled().await;
    assert_eq!(statuses(&receiver), ["cancelled", "cancelled"]);
    assert_eq!(bodies(&receiver)[0]["cancellation_id"], payment["cancel_history"][2]["cancellation_id"]);
}

#[tokio::test]
async fn a_webhook_can_be_a_form_lost_doubled_patched_or_sent_elsewhere() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_switches(|switches| switches.v1_webhook_body = V1Body::Form);
    let imp_uid = v1_paid(&simulator, "form", &told());
    simulator.settled().await;
    assert_eq!(receiver.got()[0].header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(receiver.got()[0].body, format!("imp_uid={imp_uid}&merchant_uid=form&status=paid"));
    simulator.set_switches(|switches| switches.v1_webhook_body = V1Body::Json);

    simulator.set_webhook_rules(|rules| rules.drop_next = 1);
    v1_paid(&simulator, "lost", &told());
    simulator.set_webhook_rules(|rules| rules.duplicates = 1);
    v1_paid(&simulator, "doubled", &told());
    simulator.settled().await;
    simulator.set_webhook_rules(|rules| {
        rules.duplicates = 0;
        rules.body_patch = json!({"merchant_uid": null, "extra": 1});
    });
    v1_paid(&simulator, "patched", &told());
    simulator.settled().await;
    let after: Vec<Value> =
        receiver.got()[1..].iter().map(|got| serde_json::from_str(&got.body).unwrap()).collect();
    let orders: Vec<&Value> = after.iter().map(|body| &body["merchant_uid"]).collect();
    assert_eq!(orders, [&json!("doubled"), &json!("doubled"), &Value::Null]);

    let elsewhere = Receiver::start().await;
    let params = json!({"merchant_uid": "own", "amount": 1000, "notice_url": elsewhere.url});
    let imp_uid = simulator.open_v1_window(&params).unwrap();
    simulator.press_v1(&imp_uid, Press::Pay).await.unwrap();
    simulator.settled().await;
    assert_eq!((elsewhere.got().len(), receiver.got().len()), (1, 4));
}

#[tokio::test]
async fn v2_lists_a_v1_payments_webhook_without_url_status_and_direction() {
    let (simulator, _receiver) = with_receiver().await;
    v1_paid(&simulator, "order", &told());
    simulator.settled().await;
    let (_, payment) = get(&simulator, "/payments/order").await;
    let webhook = payment["webhooks"][0].as_object().unwrap();
    assert!(webhook.contains_key("id") && webhook.contains_key("response"));
    assert!(!["url", "paymentStatus", "isAsync"].iter().any(|member| webhook.contains_key(*member)));
}
