//! PAYMENT_MODE and V1's `sandbox`: a payment of the other kind is never this order's money.

use end_to_end::{Answer, Placed, Shop, shop::basket};
use portone_simulator::Press;
use serde_json::{Value, json};

/// A LIVE and a TEST shop, and what `sandbox` is of the payments that each one takes.
async fn both_modes() -> [(Shop, bool); 2] {
    let (live, test) = tokio::join!(Shop::open(), Shop::open_for_tests());
    [(live, false), (test, true)]
}

fn sandbox(shop: &Shop, imp_uid: &str) -> Value {
    shop.portone().v1_payment(imp_uid).expect("PortOne has the payment")["sandbox"].clone()
}

/// Who tells of a payment.
#[derive(Clone, Copy, Debug)]
enum Reporter {
    Page,
    PageWithoutImpUid,
    Webhook,
}

const REPORTERS: [Reporter; 3] = [Reporter::Page, Reporter::PageWithoutImpUid, Reporter::Webhook];

async fn report(shop: &Shop, by: Reporter, imp_uid: &str, order: &Placed) -> Answer {
    match by {
        Reporter::Page => shop.verify_v1(imp_uid, order).await,
        Reporter::PageWithoutImpUid => shop.verify_v1_order(order).await,
        Reporter::Webhook => shop.deliver_v1(imp_uid, order, "paid").await,
    }
}

/// Whoever reports first and whoever after, the order is REJECTED and its money was asked back once.
async fn assert_goes_back_once(shop: &Shop, first: Reporter, imp_uid: &str, order: &Placed) {
    let told = report(shop, first, imp_uid, order).await;
    match first {
        Reporter::Webhook => drop(told.expect(200)),
        Reporter::Page | Reporter::PageWithoutImpUid => {
            drop(told.expect_problem(409, "payment-mismatch"));
        }
    }
    for again in REPORTERS {
        report(shop, again, imp_uid, order).await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "REJECTED", "{first:?}, then {again:?}");
    }
    let cancels = shop.v1_cancels(imp_uid);
    assert_eq!(cancels.len(), 1, "{first:?}: {cancels:?}");
    assert_eq!(cancels[0]["amount"], order.total(), "{first:?}");
    let payment = shop.portone().v1_payment(imp_uid).unwrap();
    assert_eq!(payment["cancel_amount"], payment["amount"], "{first:?}");
}

#[tokio::test]
async fn a_payment_of_the_mode_is_paid_and_nothing_of_it_asked_back() {
    for (shop, in_sandbox) in both_modes().await {
        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        assert_eq!(sandbox(&shop, &imp_uid), in_sandbox);
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
        assert!(shop.v1_cancels(&imp_uid).is_empty());
    }
}

#[tokio::test]
async fn a_sandbox_payment_in_live_mode_and_a_live_one_in_test_mode_are_never_paid_and_go_back_once() {
    for (shop, in_sandbox) in both_modes().await {
        for first in REPORTERS {
            let order = shop.placed_v1().await;
            let imp_uid = shop.press_v1(&order, Press::TestChannel).await;
            assert_eq!(sandbox(&shop, &imp_uid), !in_sandbox);
            assert_goes_back_once(&shop, first, &imp_uid, &order).await;
        }
    }
}

#[tokio::test]
async fn a_payment_that_does_not_say_whether_it_is_real_is_paid_in_no_mode() {
    for (shop, _) in both_modes().await {
        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        shop.portone().patch_payment(&order.id, json!({ "sandbox": null })).unwrap();
        assert_eq!(sandbox(&shop, &imp_uid), Value::Null);
        shop.verify_v1(&imp_uid, &order).await.expect_problem(409, "payment-mismatch");
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "REJECTED");
        assert_eq!(shop.v1_cancels(&imp_uid).len(), 1);
    }
}

#[tokio::test]
async fn a_payment_of_the_other_kind_without_money_in_it_leaves_the_order_open_and_cancels_nothing() {
    for (shop, in_sandbox) in both_modes().await {
        let mut body = basket("shoes", 2);
        body["payMethod"] = json!("VIRTUAL_ACCOUNT");
        let order = shop.placed_v1_for(body).await;
        let imp_uid = shop.press_v1(&order, Press::TestChannel).await;
        assert_eq!(sandbox(&shop, &imp_uid), !in_sandbox);
        for by in REPORTERS {
            report(&shop, by, &imp_uid, &order).await.expect(200);
            let view = shop.view(&order).await;
            assert_eq!(
                (&view["status"], &view["virtualAccount"]),
                (&json!("PENDING"), &Value::Null),
                "{by:?}"
            );
        }
        assert!(shop.v1_cancels(&imp_uid).is_empty());

        // The same order is still for sale.
        let mut params = order.payment().clone();
        params["pay_method"] = json!("card");
        let imp_uid = shop.portone().open_v1_window(&params).unwrap();
        shop.portone().press_v1(&imp_uid, Press::Pay).await.unwrap();
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
    }
}
