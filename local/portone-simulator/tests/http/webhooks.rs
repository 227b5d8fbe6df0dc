use std::time::Duration;

use portone_simulator::{
    Act, CancelMode, ChannelKind, DeliveryState, PaymentSpec, Press, ReleaseOrder, Simulator,
    SimulatorConfig, WebhookTarget,
    switches::WebhookOrder,
    webhook::{BodyVersion, Outcome, signature},
};
use serde_json::{Value, json};

use crate::{WEBHOOK_SECRET, error, http, post, receiver::Receiver, refused, start, window_request};

pub(crate) async fn with_receiver() -> (Simulator, Receiver) {
    let receiver = Receiver::start().await;
    let webhook = WebhookTarget { url: Some(receiver.url.clone()), secrets: vec![WEBHOOK_SECRET.to_owned()] };
    (start(SimulatorConfig { webhook, ..SimulatorConfig::default() }).await, receiver)
}

async fn buy(simulator: &Simulator, id: &str) {
    let tx = simulator.open_window(&window_request(simulator, id)).unwrap();
    simulator.press(&tx, Press::Pay).await.unwrap();
}

#[tokio::test]
async fn every_transition_is_told_and_signed() {
    let (simulator, receiver) = with_receiver().await;
    buy(&simulator, "p").await;
    simulator.settled().await;
    simulator.set_cancel_mode("p", CancelMode::Async, Some(1)).unwrap();
    post(&simulator, "/payments/p/cancel", json!({"reason": "r", "amount": 400})).await;
    simulator.settled().await;
    simulator.act("p", &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    simulator.settled().await;
    simulator
        .act("p", &Act::Cancel { amount: None, tax_free_amount: None, reason: None, trigger: None })
        .unwrap();
    simulator.settled().await;
    assert_eq!(
        receiver.kinds().iter().filter(|kind| *kind != "Ready").collect::<Vec<_>>(),
        ["Paid", "CancelPending", "PartialCancelled", "Cancelled"]
    );
    for got in receiver.got() {
        let (id, at) = (got.header("webhook-id"), got.header("webhook-timestamp").parse().unwrap());
        let expected = signature::header(&[WEBHOOK_SECRET.to_owned()], id, at, got.body.as_bytes());
        assert_eq!(got.header("webhook-signature"), expected);
    }
    let last: Value = serde_json::from_str(&receiver.got().last().unwrap().body).unwrap();
    assert!(last["data"]["cancellationId"].is_string());
    let listed = simulator.payment("p").unwrap()["webhooks"].as_array().unwrap().clone();
    assert_eq!((listed.len(), &listed[4]["status"]), (5, &json!("SUCCEEDED")));
}

#[tokio::test]
async fn a_failing_receiver_is_tried_six_times_with_the_same_id_and_body_and_then_given_up() {
    let (simulator, receiver) = with_receiver().await;
    receiver.answers(500, "");
    simulator.put_payment("p", &PaymentSpec { webhooks: true, ..PaymentSpec::default() }).unwrap();
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 1);
    // 1 + 4 + 16 + 64 + 256 minutes is the longest the schedule can take.
    simulator.clock().advance(Duration::from_secs(341 * 60));
    simulator.settled().await;
    let got = receiver.got();
    assert_eq!(got.len(), 6);
    assert!(
        got.iter().all(|it| it.body == got[0].body && it.header("webhook-id") == got[0].header("webhook-id"))
    );
    let delivery = &simulator.deliveries()[0];
    assert_eq!(delivery.state, DeliveryState::Failed);
    let shown = &simulator.payment("p").unwrap()["webhooks"][0];
    assert_eq!((&shown["currentExecutionCount"], &shown["maxExecutionCount"]), (&json!(6), &json!(6)));
    assert_eq!(shown["status"], "FAILED_NOT_OK_RESPONSE");
}

#[tokio::test]
async fn one_seed_waits_the_same_and_a_wait_is_never_longer_than_its_base() {
    let mut histories = Vec::new();
    for _ in 0..2 {
        let (simulator, receiver) = with_receiver().await;
        receiver.answers(503, "");
        simulator.put_payment("p", &PaymentSpec { webhooks: true, ..PaymentSpec::default() }).unwrap();
        simulator.settled().await;
        let due = match simulator.deliveries()[0].state {
            DeliveryState::Scheduled(due) => due,
            other => panic!("{other:?}"),
        };
        let wait = due.millis() - simulator.clock().now().millis();
        assert!(wait <= 60_000);
        histories.push(simulator.deliveries()[0].id.clone());
    }
    assert_eq!(histories[0], histories[1]);
}

#[tokio::test]
async fn only_exactly_200_ends_the_retries_unless_the_switch_says_otherwise() {
    let (simulator, receiver) = with_receiver().await;
    receiver.answers(204, "");
    let spec = PaymentSpec { webhooks: true, ..PaymentSpec::default() };
    simulator.put_payment("p", &spec).unwrap();
    simulator.settled().await;
    assert!(matches!(simulator.deliveries()[0].state, DeliveryState::Scheduled(_)));
    simulator.set_switches(|switches| {
        switches.webhook_success = portone_simulator::switches::SuccessRange::Any2xx
    });
    simulator.put_payment("q", &spec).unwrap();
    simulator.settled().await;
    assert_eq!(simulator.deliveries()[1].state, DeliveryState::Succeeded);
}

#[tokio::test]
async fn webhooks_can_be_lost_doubled_held_and_turned_round() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_webhook_rules(|rules| rules.drop_next = 1);
    buy(&simulator, "lost-ready").await;
    simulator.settled().await;
    assert_eq!(receiver.kinds(), ["Paid"]);

    simulator.set_webhook_rules(|rules| rules.reverse_next = 2);
    buy(&simulator, "turned").await;
    simulator.settled().await;
    assert_eq!(receiver.kinds()[1..], ["Paid", "Ready"]);

    simulator.set_webhook_rules(|rules| rules.hold = true);
    buy(&simulator, "held").await;
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 3);
    simulator.set_webhook_rules(|rules| rules.hold = false);
    assert_eq!(simulator.release_webhooks(ReleaseOrder::Oldest), 2);
    simulator.settled().await;
    assert_eq!(receiver.kinds()[3..], ["Ready", "Paid"]);

    simulator.set_webhook_rules(|rules| rules.duplicates = 2);
    simulator.put_payment("p", &PaymentSpec { webhooks: true, ..PaymentSpec::default() }).unwrap();
    simulator.settled().await;
    let ids: Vec<String> =
        receiver.got()[5..].iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), ids.iter().all(|id| *id == ids[0])), (3, true));
}

#[tokio::test]
async fn signatures_can_be_stale_wrong_missing_or_two() {
    let (simulator, receiver) = with_receiver().await;
    let spec = PaymentSpec { webhooks: true, ..PaymentSpec::default() };
    let send = async |rules: &dyn Fn(&mut portone_simulator::WebhookRules)| {
        simulator.set_webhook_rules(|all| {
            *all = portone_simulator::WebhookRules::default();
            rules(all);
        });
        simulator.put_payment("p", &spec).unwrap();
        simulator.settled().await;
        receiver.got().last().unwrap().clone()
    };
    let now = portone_simulator::Timestamp::wall().seconds();
    let stale = send(&|rules| rules.timestamp_shift_s = -600).await;
    assert!(stale.header("webhook-timestamp").parse::<i64>().unwrap() <= now - 590);
    let wrong = send(&|rules| rules.wrong_secret = true).await;
    let at = wrong.header("webhook-timestamp").parse().unwrap();
    let right = signature::header(
        &[WEBHOOK_SECRET.to_owned()],
        wrong.header("webhook-id"),
        at,
        wrong.body.as_bytes(),
    );
    assert_ne!(wrong.header("webhook-signature"), right);
    let unsigned = send(&|rules| rules.unsigned = true).await;
    assert_eq!(unsigned.header("webhook-signature"), "");
    simulator.set_webhook_secrets(vec!["c2Vjb25kIHNlY3JldA==".to_owned(), WEBHOOK_SECRET.to_owned()]);
    let both = send(&|_| {}).await;
    assert_eq!(both.header("webhook-signature").split(' ').count(), 2);
    let old = send(&|rules| rules.body_version = BodyVersion::V20240101Form).await;
    assert_eq!(old.header("content-type"), "application/x-www-form-urlencoded");
    assert!(old.body.starts_with("payment_id=p&tx_id=") && old.body.ends_with("&status=Paid"));
}

#[tokio::test]
async fn skip_webhook_silences_its_call_alone_and_notice_urls_replace_the_console() {
    let (simulator, receiver) = with_receiver().await;
    let other = Receiver::start().await;
    let spec = PaymentSpec { notice_urls: vec![other.url.clone()], webhooks: true, ..PaymentSpec::default() };
    simulator.put_payment("p", &spec).unwrap();
    post(&simulator, "/payments/p/cancel", json!({"reason": "r", "amount": 1, "skipWebhook": true})).await;
    post(&simulator, "/payments/p/cancel", json!({"reason": "r"})).await;
    simulator.settled().await;
    assert_eq!(receiver.got().len(), 0);
    let mut kinds = other.kinds();
    kinds.sort();
    assert_eq!(kinds, ["Cancelled", "Paid"]);
}

#[tokio::test]
async fn a_webhook_can_be_ordered_before_the_windows_result() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_switches(|switches| switches.webhook_order = WebhookOrder::First);
    buy(&simulator, "p").await;
    assert!(receiver.kinds().contains(&"Paid".to_owned()), "told before press returned");
    simulator.set_switches(|switches| switches.webhook_order = WebhookOrder::After);
    buy(&simulator, "q").await;
    simulator.settled().await;
    assert_eq!(receiver.kinds().iter().filter(|kind| *kind == "Paid").count(), 1);
    simulator.clock().advance(Duration::from_secs(2));
    simulator.settled().await;
    assert_eq!(receiver.kinds().iter().filter(|kind| *kind == "Paid").count(), 2);
}

#[tokio::test]
async fn a_resend_answers_with_the_receivers_word_and_is_capped() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_webhook_rules(|rules| rules.drop_next = 1);
    simulator.put_payment("p", &PaymentSpec { webhooks: true, ..PaymentSpec::default() }).unwrap();
    assert_eq!(
        error(post(&simulator, "/payments/none/resend-webhook", json!({})).await),
        refused(404, "PAYMENT_NOT_FOUND")
    );
    let wrong = post(&simulator, "/payments/p/resend-webhook", json!({"webhookId": "none"})).await;
    assert_eq!(error(wrong), refused(404, "WEBHOOK_NOT_FOUND"));
    let (_, sent) = post(&simulator, "/payments/p/resend-webhook", json!({})).await;
    assert_eq!((&sent["webhook"]["status"], receiver.got().len()), (&json!("SUCCEEDED"), 1));
    simulator.set_switches(|switches| switches.webhook_max_resends = 1);
    let capped = post(&simulator, "/payments/p/resend-webhook", json!({})).await;
    assert_eq!(error(capped), refused(400, "MAX_WEBHOOK_RETRY_COUNT_REACHED"));
}

#[tokio::test]
async fn the_consoles_test_button_names_a_payment_that_nobody_knows() {
    let (simulator, receiver) = with_receiver().await;
    let url = format!("{}/_simulator/webhooks/test", simulator.url());
    http().post(url).send().await.unwrap().error_for_status().unwrap();
    simulator.settled().await;
    let body: Value = serde_json::from_str(&receiver.got()[0].body).unwrap();
    assert!(simulator.payment(body["data"]["paymentId"].as_str().unwrap()).is_none());
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_recorded_as_unreachable() {
    let (simulator, _) = with_receiver().await;
    simulator.set_webhook_url(Some("http://127.0.0.1:1/".to_owned()));
    simulator.put_payment("p", &PaymentSpec { webhooks: true, ..PaymentSpec::default() }).unwrap();
    simulator.settled().await;
    assert!(matches!(simulator.deliveries()[0].executions[0].outcome, Outcome::Unreachable { .. }));
    assert_eq!(simulator.payment("p").unwrap()["webhooks"][0]["status"], "FAILED_UNEXPECTED_ERROR");
}

#[tokio::test]
async fn test_channels_may_have_an_endpoint_and_a_secret_of_their_own() {
    let (live, test) = (Receiver::start().await, Receiver::start().await);
    let target = |receiver: &Receiver, secret: &str| WebhookTarget {
        url: Some(receiver.url.clone()),
        secrets: vec![secret.to_owned()],
    };
    let config = SimulatorConfig {
        webhook: target(&live, WEBHOOK_SECRET),
        test_webhook: Some(target(&test, "dGVzdA==")),
        ..SimulatorConfig::default()
    };
    let simulator = start(config).await;
    for channel_type in [ChannelKind::Live, ChannelKind::Test] {
        let spec = PaymentSpec { channel_type, webhooks: true, ..PaymentSpec::default() };
        simulator.put_payment(channel_type.as_str(), &spec).unwrap();
    }
    simulator.settled().await;
    assert_eq!((live.got().len(), test.got().len()), (1, 1));
    let got = &test.got()[0];
    let at = got.header("webhook-timestamp").parse().unwrap();
    let signed =
        signature::header(&["dGVzdA==".to_owned()], got.header("webhook-id"), at, got.body.as_bytes());
    assert_eq!(got.header("webhook-signature"), signed);
}
