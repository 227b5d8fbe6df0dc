//! Deployments that use one generation of PortOne only.

use end_to_end::{Shop, shop::basket, shop::secret_with, table};
use portone_simulator::PaymentSpec;
use serde_json::{Value, json};

fn basket_for(sdk: &str) -> Value {
    let mut body = basket("shoes", 2);
    body["sdk"] = json!(sdk);
    body
}

async fn shop_without(members: &[&str]) -> Shop {
    let members: Vec<_> = members.iter().map(|name| (*name, Value::Null)).collect();
    Shop::open_with(|options| options.secret = secret_with(&members)).await
}

#[tokio::test]
async fn without_v1_a_forged_v1_hint_is_answered_and_kept_nowhere() {
    let shop = shop_without(&["v1ApiKey", "v1ApiSecret"]).await;
    let order = shop.placed().await;
    for merchant_uid in [json!(order.id), json!("01JDABCDEFGHJKMNPQRSTVWXYZ"), Value::Null] {
        let forged = json!({ "imp_uid": "imp_123456789012", "merchant_uid": merchant_uid, "status": "paid" });
        shop.post("/webhooks/portone/v1", &[], &forged).await.expect(200);
    }
    assert!(table::items(&shop.stack, "PARKED").is_empty());
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    shop.order(&basket_for("v1")).await.expect_problem(422, "validation-failed");
    assert_eq!(shop.stored_orders().len(), 1);

    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn without_v2_orders_are_paid_through_v1_and_an_unknown_id_is_not_found() {
    let shop = shop_without(&["v2ApiSecret", "v2WebhookSecrets"]).await;
    shop.portone().set_v1_webhook_url(None);
    let refused = shop.order(&basket_for("v2")).await.expect_problem(422, "validation-failed");
    assert_eq!(refused["errors"][0]["pointer"], "/sdk");
    assert_eq!(refused["errors"][0]["code"], "sdk-not-configured");

    let order = shop.placed_for(&basket_for("v1")).await;
    let imp_uid = shop.portone().open_v1_window(order.payment()).expect("the window opens");
    shop.portone().press_v1(&imp_uid, portone_simulator::Press::Pay).await.unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.verify("01JDABCDEFGHJKMNPQRSTVWXYZ").await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn a_payment_without_an_order_is_an_orphan_once_it_holds_money_and_not_before() {
    let shop = Shop::open().await;
    let spec = |status| PaymentSpec { status, ..PaymentSpec::default() };
    shop.portone().put_payment("an-orphan", &spec(portone_simulator::Status::Ready)).unwrap();
    shop.deliver_about("Transaction.Ready", "an-orphan").await.expect(200);
    assert!(shop.orphans().is_empty(), "a window that somebody opened is nobody's business");

    shop.portone().clock().advance(std::time::Duration::from_secs(60));
    shop.portone().put_payment("an-orphan", &spec(portone_simulator::Status::Paid)).unwrap();
    for _ in 0..2 {
        shop.deliver_about("Transaction.Paid", "an-orphan").await.expect(200);
    }
    assert_eq!(shop.orphans().len(), 1);
    assert_eq!(shop.orphans()[0]["facts"]["paymentStatus"], "PAID");
    let told = shop.log.of("webhook").into_iter().filter(|line| line.contains("payment.orphan")).count();
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_delivery_far_larger_than_any_is_refused_unread() {
    let shop = Shop::open().await;
    let body = vec![b' '; 300 * 1024];
    for path in ["/webhooks/portone", "/webhooks/portone/v1"] {
        let answer =
            shop.send(reqwest::Method::POST, path, &[("content-type", "application/json")], body.clone());
        answer.await.expect_problem(413, "body-too-large");
    }
}
