//! The share of an order that carries no VAT: PortOne has to be told of it when money goes back.

use end_to_end::Shop;
use portone_simulator::Press;
use serde_json::json;

/// Rice carries no VAT, shoes do: 31,000 won, of which 30,000 are tax-free.
fn rice_and_shoes(sdk: &str) -> serde_json::Value {
    json!({
        "items": [{ "productId": "rice", "quantity": 1 }, { "productId": "shoes", "quantity": 1 }],
        "customer": { "name": "홍길동" }, "sdk": sdk,
    })
}

#[tokio::test]
async fn a_mismatch_with_a_tax_free_share_goes_back_whole() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&rice_and_shoes("v2")).await;
    assert_eq!(order.payment()["taxFreeAmount"], 30_000);
    shop.press(&order, Press::TestChannel).await;
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");

    assert_eq!(shop.returned(&order), (1, 31_000));
    let calls = shop.portone_calls("POST", "/cancel");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((&calls[0].1["amount"], &calls[0].1["taxFreeAmount"]), (&json!(31_000), &json!(30_000)));
    assert_eq!(shop.payment(&order)["amount"]["cancelledTaxFree"], 30_000);
}

#[tokio::test]
async fn what_was_given_back_of_the_share_already_is_not_given_back_again() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&rice_and_shoes("v2")).await;
    shop.press(&order, Press::TestChannel).await;
    let part = portone_simulator::Act::Cancel {
        amount: Some(15_000),
        tax_free_amount: Some(14_500),
        reason: None,
        trigger: None,
    };
    shop.portone().act(&order.id, &part).unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    assert_eq!(shop.returned(&order), (2, 31_000));
    let calls = shop.portone_calls("POST", "/cancel");
    assert_eq!((&calls[0].1["amount"], &calls[0].1["taxFreeAmount"]), (&json!(16_000), &json!(15_500)));
}

#[tokio::test]
async fn a_v1_mismatch_with_a_tax_free_share_goes_back_whole() {
    let shop = Shop::open().await;
    shop.portone().set_v1_webhook_url(None);
    let order = shop.placed_for(&rice_and_shoes("v1")).await;
    let imp_uid = shop.portone().open_v1_window(order.payment()).expect("the window opens");
    shop.portone().press_v1(&imp_uid, Press::TestChannel).await.unwrap();
    let claim = json!({ "imp_uid": imp_uid, "merchant_uid": order.id });
    shop.post("/payments/verify", &[], &claim).await.expect_problem(409, "payment-mismatch");

    assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["cancel_amount"], 31_000);
    let calls = shop.portone_calls("POST", "/payments/cancel");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((&calls[0].1["amount"], &calls[0].1["tax_free"]), (&json!(31_000), &json!(30_000)));
}

#[tokio::test]
async fn everything_of_a_discounted_mismatch_is_asked_for_without_naming_an_amount() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| {
        payment.total_amount = 1900;
        payment.discount = 100;
    });
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    let calls = shop.portone_calls("POST", "/cancel");
    assert_eq!(calls.len(), 1, "{calls:?}");
    let body = &calls[0].1;
    assert!(body.get("amount").is_none() && body.get("currentCancellableAmount").is_none(), "{body}");
    assert_eq!(shop.returned(&order).0, 1);
    assert_eq!(shop.stored(&order.id)["status"], "REJECTED");
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED");
    assert_eq!(shop.portone_calls("POST", "/cancel").len(), 1);
}
