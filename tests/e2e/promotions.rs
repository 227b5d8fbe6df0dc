//! Partial cancellations of payments that a promotion discounts.

use end_to_end::{Placed, Shop};
use local_stack::wire::{Fault, Rule};
use portone_simulator::CancellableBalance;
use reqwest::Method;
use serde_json::{Value, json};

async fn discounted(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.put_payment(&order, |spec| spec.discount = 200);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    order
}

async fn cancel(shop: &Shop, order: &Placed, key: &str, amount: u64, option: Option<&str>) -> Value {
    let mut body = json!({ "reason": "반품", "amount": amount });
    if let Some(option) = option {
        body["promotionDiscountRetainOption"] = json!(option);
    }
    let path = format!("/orders/{}/cancel", order.id);
    shop.as_operator(Method::POST, &path, &[("idempotency-key", key)], &body).await.expect(200)["cancellation"]
        .clone()
}

/// Whether the cancellable amount counts the discount is not stated ([?]): a part must be cancelled either way.
#[tokio::test]
async fn a_part_of_a_discounted_payment_is_cancelled_however_portone_counts_the_balance() {
    for balance in [CancellableBalance::Total, CancellableBalance::Paid] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.cancellable_balance = balance);
        let order = discounted(&shop).await;
        let done = cancel(&shop, &order, "first-key-of-the-desk", 500, None).await;
        assert_eq!(done["status"], "SUCCEEDED", "{balance:?}: {done}");
        let done = cancel(&shop, &order, "second-key-of-the-desk", 300, None).await;
        assert_eq!(done["status"], "SUCCEEDED", "{balance:?}: {done}");
        assert_eq!(shop.view(&order).await["amount"]["cancelled"], 800);
    }
}

/// PortOne's page `opi/ko/extra/promotion/refund`: the first partial cancellation fixes the option.
#[tokio::test]
async fn the_operator_chooses_what_happens_to_the_discount_and_a_later_change_is_explained() {
    let shop = Shop::open().await;
    let order = discounted(&shop).await;
    let first = cancel(&shop, &order, "first-key-of-the-desk", 500, Some("RETAIN")).await;
    assert_eq!(first["status"], "SUCCEEDED", "{first}");
    let bodies = shop.portone_calls("POST", "/cancel");
    assert_eq!(bodies[0].1["promotionDiscountRetainOption"], "RETAIN");
    let other = cancel(&shop, &order, "second-key-of-the-desk", 300, Some("RELEASE")).await;
    assert_eq!(other["status"], "FAILED", "{other}");
    assert_eq!(other["failure"], "PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED");
    assert!(other["failureMessage"].as_str().is_some_and(|text| text.contains("RETAIN")), "{other}");
    let same = cancel(&shop, &order, "third-key-of-the-desk", 300, Some("RETAIN")).await;
    assert_eq!(same["status"], "SUCCEEDED", "{same}");
}

/// Schema: `CancellableAmountConsistencyBrokenError`.
#[tokio::test]
async fn a_balance_that_portone_counts_differently_is_reported_and_read_again() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let body = json!({ "type": "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", "message": "" });
    let path = "POST /payments/{paymentId}/cancel";
    let fault = Fault::json(409, &body);
    shop.portone_wire().inject(Rule::on(path).times(1), fault);
    let failed = cancel(&shop, &order, "first-key-of-the-desk", 500, None).await;
    assert_eq!(failed["status"], "FAILED", "{failed}");
    assert_eq!(shop.findings("BALANCE_DIFFERS").len(), 1);
    let done = cancel(&shop, &order, "second-key-of-the-desk", 500, None).await;
    assert_eq!(done["status"], "SUCCEEDED", "{done}");
    shop.reconcile().await;
    assert!(shop.findings("BALANCE_DIFFERS").is_empty());
}
