//! Orders paid through PortOne V1: what its page reports, what its unsigned webhook hints at.

use end_to_end::{Answer, Placed, Shop, shop::basket, table};
use local_stack::wire::{Backend, Fault, Rule};
use portone_simulator::Press;
use reqwest::Method;
use serde_json::{Value, json};

async fn placed(shop: &Shop) -> Placed {
    let mut body = basket("shoes", 2);
    body["sdk"] = json!("v1");
    shop.placed_for(&body).await
}

/// Opens the window with what create-order answered, presses `button`, and gives the `imp_uid`.
async fn press(shop: &Shop, order: &Placed, button: Press) -> String {
    // Deliveries are each story's own.
    shop.portone().set_v1_webhook_url(None);
    let imp_uid = shop.portone().open_v1_window(order.payment()).expect("the window opens");
    shop.portone().press_v1(&imp_uid, button).await.expect("the button can be pressed");
    imp_uid
}

async fn verify(shop: &Shop, imp_uid: &str, order: &Placed) -> Answer {
    shop.post("/payments/verify", &[], &json!({ "imp_uid": imp_uid, "merchant_uid": order.id })).await
}

async fn deliver(shop: &Shop, imp_uid: &str, order: &Placed) -> Answer {
    let body = json!({ "imp_uid": imp_uid, "merchant_uid": order.id, "status": "paid" });
    shop.post("/webhooks/portone/v1", &[], &body).await
}

fn parked(shop: &Shop) -> Vec<Value> {
    table::items(&shop.stack, "PARKED")
}

#[tokio::test]
async fn the_page_reports_its_imp_uid_and_the_order_is_paid() {
    let shop = Shop::open().await;
    let order = placed(&shop).await;
    assert_eq!(order.payment()["merchant_uid"], json!(order.id));
    let imp_uid = press(&shop, &order, Press::Pay).await;
    assert_eq!(verify(&shop, &imp_uid, &order).await.expect(200)["status"], "PAID");
    assert_eq!(
        shop.post("/payments/verify", &[], &json!({ "imp_uid": imp_uid })).await.expect(200)["status"],
        "PAID"
    );
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    assert_eq!(shop.stored(&order.id)["version"], 2, "looking again writes nothing");
}

#[tokio::test]
async fn a_paid_imp_uid_replayed_against_a_new_order_is_refused() {
    let shop = Shop::open().await;
    let (paid, new) = (placed(&shop).await, placed(&shop).await);
    let imp_uid = press(&shop, &paid, Press::Pay).await;
    verify(&shop, &imp_uid, &new).await.expect_problem(422, "validation-failed");
    assert_eq!(shop.stored(&new.id)["status"], "PENDING");
    assert_eq!(verify(&shop, &imp_uid, &paid).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn the_unsigned_webhook_alone_finishes_the_order_in_json_and_as_a_form() {
    let shop = Shop::open().await;
    let order = placed(&shop).await;
    let imp_uid = press(&shop, &order, Press::Pay).await;
    deliver(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");

    let order = placed(&shop).await;
    let imp_uid = press(&shop, &order, Press::Pay).await;
    let form = format!("imp_uid={imp_uid}&merchant_uid={}&status=paid", order.id).into_bytes();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    shop.send(Method::POST, "/webhooks/portone/v1", &kind, form).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn what_a_webhook_claims_pays_nothing() {
    let shop = Shop::open().await;
    let order = placed(&shop).await;
    let imp_uid = press(&shop, &order, Press::Decline).await;
    deliver(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    deliver(&shop, "imp_000000000000", &order).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_worked_off_is_kept_and_the_next_one_takes_it_along() {
    let shop = Shop::open().await;
    let (first, second) = (placed(&shop).await, placed(&shop).await);
    let (first_uid, second_uid) =
        (press(&shop, &first, Press::Pay).await, press(&shop, &second, Press::Pay).await);

    shop.stack.wire(Backend::PortoneV1).inject(Rule::on("GET /payments/{imp_uid}"), Fault::ServerError);
    deliver(&shop, &first_uid, &first).await.expect(200);
    assert_eq!(shop.stored(&first.id)["status"], "PENDING");
    assert_eq!(parked(&shop).len(), 1);

    shop.stack.heal();
    deliver(&shop, &second_uid, &second).await.expect(200);
    assert_eq!(shop.stored(&first.id)["status"], "PAID");
    assert_eq!(shop.stored(&second.id)["status"], "PAID");
    assert!(parked(&shop).is_empty());
}

#[tokio::test]
async fn money_of_another_amount_or_channel_goes_back_once_with_its_checksum() {
    let shop = Shop::open().await;
    for button in [Press::Tamper, Press::TestChannel] {
        let order = placed(&shop).await;
        let imp_uid = press(&shop, &order, button).await;
        verify(&shop, &imp_uid, &order).await.expect_problem(409, "payment-mismatch");
        assert_eq!(verify(&shop, &imp_uid, &order).await.expect(200)["status"], "REJECTED");
        let payment = shop.portone().v1_payment(&imp_uid).expect("PortOne has it");
        assert_eq!(payment["cancel_amount"], payment["amount"]);
        assert_eq!(payment["cancel_history"].as_array().map(Vec::len), Some(1));
    }
    let cancels = shop.portone_calls("POST", "/payments/cancel");
    assert_eq!(cancels.len(), 2);
    for (_, body, _) in cancels {
        assert!(body["amount"].as_u64() > Some(0) && body["checksum"] == body["amount"], "{body}");
    }
}

#[tokio::test]
async fn one_token_serves_every_look_and_an_expired_one_is_fetched_once_more() {
    let shop = Shop::open().await;
    let order = placed(&shop).await;
    let imp_uid = press(&shop, &order, Press::Pay).await;
    for _ in 0..3 {
        verify(&shop, &imp_uid, &order).await.expect(200);
    }
    let tokens = |shop: &Shop| shop.portone_calls("POST", "/users/getToken").len();
    // One of create-order, one of verify-payment: environments share nothing.
    assert_eq!(tokens(&shop), 2);
    shop.portone().expire_v1_tokens();
    assert_eq!(verify(&shop, &imp_uid, &order).await.expect(200)["status"], "PAID");
    assert_eq!(tokens(&shop), 3);
}
