//! `POST /webhooks/portone`: who is believed, what is read, and what is answered.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use end_to_end::{Delivery, Placed, Shop, delivery::unix_seconds, shop::secret_with};
use portone_simulator::webhook::BodyVersion;
use portone_simulator::{Event, PaymentSpec, Status};
use serde_json::{Value, json};

const OTHER_SECRET: &str = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==";

/// A shop with an order that was paid and that nobody reported yet.
async fn paid() -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    (shop, order)
}

async fn signed(shop: &Shop, delivery: Delivery) -> Delivery {
    delivery.signed(&shop.webhook_secrets().await)
}

/// The delivery as API Gateway hands it to the function.
fn event(delivery: &Delivery, base64: bool) -> Value {
    let mut headers = json!({ "content-type": delivery.content_type, "host": "api.shop.example" });
    for (name, value) in &delivery.headers {
        headers[name] = json!(value);
    }
    let body = if base64 {
        STANDARD.encode(&delivery.body)
    } else {
        String::from_utf8(delivery.body.clone()).expect("a text")
    };
    json!({
        "version": "2.0", "routeKey": "POST /webhooks/portone", "rawPath": "/webhooks/portone", "rawQueryString": "",
        "headers": headers, "body": body, "isBase64Encoded": base64,
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainName": "api.shop.example",
            "domainPrefix": "api", "requestId": "JKJaXmPLvHcESHA=", "routeKey": "POST /webhooks/portone",
            "stage": "$default", "time": "23/Nov/2026:00:00:00 +0000", "timeEpoch": 1_795_392_000_000_u64,
            "http": { "method": "POST", "path": "/webhooks/portone", "protocol": "HTTP/1.1",
                      "sourceIp": "203.0.113.7", "userAgent": "PortOne" },
        },
    })
}

#[tokio::test]
async fn all_three_body_versions_report_a_payment() {
    for version in [BodyVersion::V20240425, BodyVersion::V20240101, BodyVersion::V20240101Form] {
        let shop = Shop::open().await;
        shop.portone().set_webhook_rules(|rules| rules.body_version = version);
        let order = shop.placed().await;
        shop.pay(&order).await;
        shop.release_webhooks().await;
        assert_eq!(shop.view(&order).await["status"], "PAID", "{version:?}");
    }
}

#[tokio::test]
async fn an_event_with_a_base64_body_is_checked_over_the_bytes_it_stands_for() {
    let (shop, order) = paid().await;
    let delivery = signed(&shop, Delivery::about("Transaction.Paid", &order.id)).await;
    for base64 in [true, false] {
        let answer = shop.stack.gateway().invoke("webhook", &event(&delivery, base64)).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{answer}");
    }
    assert_eq!(shop.view(&order).await["status"], "PAID");
    // The gateway itself sends what is no text as base64.
    let mut binary = Delivery::about("Transaction.Paid", &order.id);
    binary.content_type = "application/octet-stream".to_owned();
    shop.deliver(&signed(&shop, binary).await).await.expect(200);
}

#[tokio::test]
async fn a_signature_over_the_base64_text_is_forged() {
    let (shop, order) = paid().await;
    let plain = Delivery::about("Transaction.Paid", &order.id);
    let as_text = Delivery::of("application/json", STANDARD.encode(&plain.body));
    let headers = signed(&shop, as_text).await.headers;
    let delivery = Delivery { headers, ..plain };
    let answer = shop.stack.gateway().invoke("webhook", &event(&delivery, true)).await.unwrap();
    assert_eq!(answer["statusCode"], 400, "{answer}");
}

#[tokio::test]
async fn any_signature_of_any_known_secret_is_enough() {
    let shop = Shop::open_with(|options| {
        options.secret = secret_with(&[(
            "v2WebhookSecrets",
            json!(["whsec_Zmlyc3Qgc2VjcmV0IQ==", "c2Vjb25kIHNlY3JldA=="]),
        )]);
    })
    .await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let secrets = shop.webhook_secrets().await;
    let about = || Delivery::about("Transaction.Paid", &order.id);
    for secret in &secrets {
        shop.deliver(&about().signed(std::slice::from_ref(secret))).await.expect(200);
    }
    shop.deliver(&about().signed(&[OTHER_SECRET.to_owned(), secrets[1].clone()])).await.expect(200);

    let good = about().signed(&secrets[..1]);
    let genuine = good.header("webhook-signature").to_owned();
    for among in [
        format!("v1a,AAAA v2,BBBB {genuine}"),
        format!("v1,!!! v1,AAAA v1, {genuine} v1,CCCC"),
        format!("{genuine} {genuine}"),
    ] {
        shop.deliver(&good.clone().with_header("webhook-signature", Some(&among))).await.expect(200);
    }
}

#[tokio::test]
async fn what_portone_did_not_sign_is_refused_and_changes_nothing() {
    let (shop, order) = paid().await;
    let secrets = shop.webhook_secrets().await;
    let about = || Delivery::about("Transaction.Paid", &order.id);
    let good = about().signed(&secrets);
    let mark = shop.stack.mark();

    let mut wrong =
        vec![("nobody's", about()), ("somebody else's", about().signed(&[OTHER_SECRET.to_owned()]))];
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        wrong.push(("header missing", good.clone().with_header(name, None)));
        wrong.push(("header empty", good.clone().with_header(name, Some(""))));
    }
    let now = unix_seconds();
    for (what, seconds) in [("stale", now - 310), ("from the future", now + 310), ("ages old", 1_714_039_200)]
    {
        wrong.push((what, about().signed_at(&secrets, seconds)));
    }
    let genuine = good.header("webhook-signature");
    for signature in [
        genuine.trim_start_matches("v1,").to_owned(),
        genuine.replace("v1,", "v2,"),
        genuine.replace("v1,", "v1a,"),
        genuine.replace("v1,", "v1,,"),
        genuine.trim_end_matches('=').to_owned(),
        genuine.to_lowercase(),
        format!("v1,{}", &genuine[3..11]),
        "v1,".to_owned(),
        "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned(),
    ] {
        wrong.push(("another signature", good.clone().with_header("webhook-signature", Some(&signature))));
    }
    for timestamp in
        ["now", "1e9", "-1", "0", "99999999999999999999", &format!("{now}.0"), &format!(" {}", now - 1)]
    {
        wrong.push(("another time", good.clone().with_header("webhook-timestamp", Some(timestamp))));
    }
    wrong.push(("another id", good.clone().with_header("webhook-id", Some("another"))));
    let mut tampered = good.clone();
    tampered.body.push(b' ');
    wrong.push(("another body", tampered));
    wrong.push(("no body", Delivery { body: Vec::new(), ..good.clone() }));

    for (what, delivery) in wrong {
        let answer = shop.deliver(&delivery).await;
        assert_eq!(answer.status, 400, "{what} {:?}: {}", delivery.headers, answer.text);
        answer.expect_problem(400, "invalid-signature");
    }
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    assert!(shop.calls_since(mark, "GET /payments/{paymentId}").is_empty(), "PortOne is asked for nobody");
    shop.deliver(&good).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn deliveries_within_five_minutes_either_way_are_in_time() {
    let (shop, order) = paid().await;
    let secrets = shop.webhook_secrets().await;
    for seconds in [-290, 0, 290] {
        let delivery =
            Delivery::about("Transaction.Paid", &order.id).signed_at(&secrets, unix_seconds() + seconds);
        shop.deliver(&delivery).await.expect(200);
    }
}

#[tokio::test]
async fn what_the_simulator_spoils_on_the_way_is_refused_and_its_retry_pays_the_order() {
    let (shop, order) = paid().await;
    shop.portone().set_webhook_rules(|rules| {
        rules.wrong_secret = true;
        rules.mixed_case_headers = true;
    });
    shop.release_webhooks().await;
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    shop.portone().set_webhook_rules(|rules| rules.wrong_secret = false);
    shop.portone().clock().advance(std::time::Duration::from_secs(60));
    end_to_end::in_time("the retry", shop.portone().settled()).await;
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn verified_deliveries_that_concern_no_payment_are_answered_200() {
    let shop = Shop::open().await;
    let bodies = [
        json!({ "type": "Transaction.SomethingNew", "data": { "paymentId": "01JDABCDEFGHJKMNPQRSTVWXYZ" } }),
        json!({ "type": "Settlement.Created", "data": { "settlementId": "s" } }),
        json!({ "type": "BillingKey.Issued", "data": { "billingKey": "b", "storeId": "s" } }),
        json!({ "type": "BillingKey.Deleted", "data": { "billingKey": "b", "storeId": "s" } }),
        json!({ "type": "Transaction.Paid" }),
        json!({ "type": "Transaction.Paid", "data": { "paymentId": 7 } }),
        json!({ "type": 7 }),
        json!({}),
        json!([]),
        json!(null),
    ];
    for body in bodies {
        let delivery = signed(&shop, Delivery::of("application/json", body.to_string())).await;
        shop.deliver(&delivery).await.expect(200);
    }
    for body in [&b""[..], b"{", b"\xff\xfe\x00", b"payment_id=", "안녕".as_bytes(), &[b'x'; 20_000]] {
        for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
            shop.deliver(&signed(&shop, Delivery::of(content_type, body)).await).await.expect(200);
        }
    }
    assert!(shop.orphans().is_empty());
    assert!(shop.stored_orders().is_empty());
}

#[tokio::test]
async fn a_payment_that_nobody_knows_is_answered_200_and_leaves_nothing() {
    let shop = Shop::open().await;
    for id in ["01JDABCDEFGHJKMNPQRSTVWXYZ", "test-payment", "결제", "a b/c?d#e%2f"] {
        shop.deliver_about("Transaction.Paid", id).await.expect(200);
    }
    let event = Event {
        kind: "Transaction.Paid".to_owned(),
        happened: portone_simulator::Timestamp::wall(),
        payment_id: "test-payment-of-the-console".to_owned(),
        store_id: "store".to_owned(),
        transaction_id: "test-transaction".to_owned(),
        cancellation_id: None,
        total_amount: None,
    };
    shop.portone().send_event(&event).expect("a webhook URL");
    shop.release_webhooks().await;
    let delivered = shop.portone().deliveries_of("test-payment-of-the-console");
    assert_eq!(delivered[0].state, portone_simulator::DeliveryState::Succeeded);
    assert!(shop.orphans().is_empty());
}

#[tokio::test]
async fn a_payment_that_portone_has_and_we_do_not_is_recorded_once() {
    let shop = Shop::open().await;
    let ids = ["01JDABCDEFGHJKMNPQRSTVWXYZ", "made-at-the-console", "주문 1/2?a=b#c", "%2e%2e", "a+b&c"];
    for id in ids {
        let spec = PaymentSpec { total_amount: 7000, ..PaymentSpec::default() };
        shop.portone().put_payment(id, &spec).unwrap();
        for _ in 0..3 {
            shop.deliver_about("Transaction.Paid", id).await.expect(200);
        }
    }
    let orphans = shop.orphans();
    let mut known: Vec<_> = orphans.iter().map(|orphan| orphan["subject"].as_str().unwrap()).collect();
    known.sort_unstable();
    let mut expected = ids;
    expected.sort_unstable();
    assert_eq!(known, expected);
    assert!(orphans.iter().all(|orphan| orphan["facts"]["total"] == "7000 KRW"), "{orphans:?}");
    assert!(orphans.iter().all(|orphan| orphan["facts"]["paymentStatus"] == "PAID"), "{orphans:?}");
    assert!(shop.portone_calls("POST", "/cancel").is_empty(), "somebody else's money is not ours to move");
    let said = shop.log.of("webhook").iter().filter(|line| line.contains("payment.orphan")).count();
    assert_eq!(said, ids.len(), "told once each");
}

#[tokio::test]
async fn ten_deliveries_about_an_orphan_at_once_record_it_once() {
    let shop = Shop::open().await;
    let spec = PaymentSpec { status: Status::Paid, ..PaymentSpec::default() };
    shop.portone().put_payment("made-at-the-console", &spec).unwrap();
    let deliveries = (0..10).map(|_| shop.deliver_about("Transaction.Paid", "made-at-the-console"));
    for answer in futures::future::join_all(deliveries).await {
        answer.expect(200);
    }
    assert_eq!(shop.orphans().len(), 1);
}

#[tokio::test]
async fn the_id_in_a_delivery_is_never_a_path_at_portones() {
    let shop = Shop::open().await;
    for id in ["..", ".", "../payments", "../../login/api-secret", "%2e%2e", ".%2e", "", "\\..\\..", "a/../b"]
    {
        shop.deliver_about("Transaction.Paid", id).await.expect(200);
    }
    let asked = shop.portone().calls().into_iter().map(|call| call.path);
    let strange: Vec<_> =
        asked.filter(|path| !path.starts_with("/payments/") || path.ends_with('/')).collect();
    assert!(strange.is_empty(), "PortOne was asked for something else than a payment: {strange:?}");
}

#[tokio::test]
async fn the_same_payment_under_another_spelling_of_its_id_is_none_of_ours() {
    let (shop, order) = paid().await;
    for id in
        [order.id.to_lowercase(), format!("{} ", order.id), format!("0{}", &order.id[1..].to_lowercase())]
    {
        shop.deliver_about("Transaction.Paid", &id).await.expect(200);
    }
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
}
