//! Money back of a discounted payment (case 07, guide `opi/ko/extra/promotion/refund`).

use portone_simulator::{Act, CancellableBalance, PaymentSpec, RetainOption, Simulator, Status, Version};
use serde_json::{Value, json};

use crate::{
    error, post, refused, simulator,
    v1::{v1_cancel, v1_paid},
};

fn discounted() -> PaymentSpec {
    PaymentSpec { total_amount: 20_000, discount: 2_000, ..PaymentSpec::default() }
}

async fn cancel(simulator: &Simulator, body: Value) -> (u16, String) {
    let mut body = body;
    body["reason"] = json!("r");
    let (status, answer) = post(simulator, "/payments/p/cancel", body).await;
    if status == 200 {
        return (200, answer["cancellation"]["status"].as_str().unwrap().to_owned());
    }
    error((status, answer))
}

fn done() -> (u16, String) {
    refused(200, "SUCCEEDED")
}

/// `currentCancellableAmount` of `CancelPaymentBody`: the cancellation "takes place only if the balance is equal".
#[tokio::test]
async fn a_believed_balance_that_is_not_the_balance_is_409_and_changes_nothing() {
    let simulator = simulator().await;
    simulator.put_payment("p", &discounted()).unwrap();
    let broken = refused(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN");
    assert_eq!(cancel(&simulator, json!({"amount": 500, "currentCancellableAmount": 19_999})).await, broken);
    assert_eq!(cancel(&simulator, json!({"currentCancellableAmount": 18_000})).await, broken);
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
    assert_eq!(cancel(&simulator, json!({"amount": 500, "currentCancellableAmount": 20_000})).await, done());
    assert_eq!(cancel(&simulator, json!({"amount": 500, "currentCancellableAmount": 20_000})).await, broken);
}

/// The guide's own numbers: 20,000 with 2,000 off, 10,000 go back, then the balance is 10,000.
#[tokio::test]
async fn by_default_a_balance_is_counted_without_regard_to_the_discount() {
    let simulator = simulator().await;
    simulator.put_payment("p", &discounted()).unwrap();
    let amount = simulator.payment("p").unwrap()["amount"].clone();
    assert_eq!((&amount["discount"], &amount["paid"]), (&json!(2_000), &json!(18_000)));
    let half = json!({"amount": 10_000, "currentCancellableAmount": 20_000});
    assert_eq!(cancel(&simulator, half).await, done());
    let rest = json!({"amount": 10_000, "currentCancellableAmount": 10_000});
    assert_eq!(cancel(&simulator, rest).await, done());
    assert_eq!(simulator.payment("p").unwrap()["status"], "CANCELLED");
}

#[tokio::test]
async fn a_switch_counts_the_balance_net_of_the_discount() {
    let simulator = simulator().await;
    simulator.set_switches(|switches| switches.cancellable_balance = CancellableBalance::Paid);
    simulator.put_payment("p", &discounted()).unwrap();
    let gross = json!({"amount": 8_000, "currentCancellableAmount": 20_000});
    assert_eq!(cancel(&simulator, gross).await, refused(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"));
    let net = json!({"amount": 8_000, "currentCancellableAmount": 18_000});
    assert_eq!(cancel(&simulator, net).await, done());
    let more = refused(409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT");
    assert_eq!(cancel(&simulator, json!({"amount": 10_001})).await, more);
    assert_eq!(cancel(&simulator, json!({})).await, done());
    let payment = simulator.payment("p").unwrap();
    assert_eq!((&payment["status"], &payment["amount"]["cancelled"]), (&json!("CANCELLED"), &json!(18_000)));
}

/// 400 PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED; an option that is not given is RELEASE
/// (`CancelPaymentBody.promotionDiscountRetainOption`).
#[tokio::test]
async fn the_first_cancellation_in_parts_fixes_the_retain_option_for_the_later_ones() {
    let changed = refused(400, "PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED");
    let part = |option: &str| json!({"amount": 1_000, "promotionDiscountRetainOption": option});
    for (first, other) in [("RETAIN", "RELEASE"), ("RELEASE", "RETAIN")] {
        let simulator = simulator().await;
        simulator.put_payment("p", &discounted()).unwrap();
        assert_eq!(cancel(&simulator, part(first)).await, done());
        assert_eq!(cancel(&simulator, part(other)).await, changed);
        let silent = cancel(&simulator, json!({"amount": 1_000})).await;
        assert_eq!(silent, if first == "RETAIN" { changed.clone() } else { done() });
        assert_eq!(cancel(&simulator, part(first)).await, done());
    }
    let simulator = simulator().await;
    simulator.put_payment("p", &discounted()).unwrap();
    assert_eq!(cancel(&simulator, part("SOMETHING")).await, refused(400, "INVALID_REQUEST"));
    let console = RetainOption::Retain;
    let act = Act::CancelWithOption { amount: Some(1_000), promotion_discount_retain_option: console };
    simulator.act("p", &act).unwrap();
    assert_eq!(cancel(&simulator, part("RELEASE")).await, changed, "the console's choice counts too");
}

#[tokio::test]
async fn without_a_discount_and_for_the_whole_payment_any_retain_option_will_do() {
    let simulator = simulator().await;
    for discount in [0, 2_000] {
        simulator.put_payment("p", &PaymentSpec { discount, ..discounted() }).unwrap();
        assert_eq!(cancel(&simulator, json!({"promotionDiscountRetainOption": "RETAIN"})).await, done());
    }
    simulator.put_payment("p", &PaymentSpec { discount: 0, ..discounted() }).unwrap();
    for option in ["RETAIN", "RELEASE"] {
        let part = json!({"amount": 1_000, "promotionDiscountRetainOption": option});
        assert_eq!(cancel(&simulator, part).await, done());
    }
}

/// The guide's own numbers: 10 % off from 10,000 on, 10,000 ordered and 9,000 paid; without 500 of the order
/// 9,500 are due, which is more than was paid.
#[tokio::test]
async fn a_part_that_would_make_the_rest_dearer_than_what_was_paid_is_refused() {
    let simulator = simulator().await;
    let spec = PaymentSpec {
        total_amount: 10_000,
        discount: 1_000,
        promotion_minimum: Some(10_000),
        ..PaymentSpec::default()
    };
    simulator.put_payment("p", &spec).unwrap();
    let negative = refused(400, "NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT");
    assert_eq!(cancel(&simulator, json!({"amount": 500})).await, negative);
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
    let retained = json!({"amount": 500, "promotionDiscountRetainOption": "RETAIN"});
    assert_eq!(cancel(&simulator, retained).await, done());
}

/// `retain_promotion` and `checksum` of the guide.
#[tokio::test]
async fn v1_counts_its_checksum_without_the_discount_and_fixes_retain_promotion_too() {
    let simulator = simulator().await;
    let spec = PaymentSpec { version: Version::V1, ..discounted() };
    let imp_uid = v1_paid(&simulator, "order", &spec);
    let part = |checksum: i64, retain: bool| json!({"imp_uid": imp_uid, "amount": 5_000, "checksum": checksum, "retain_promotion": retain});
    assert_eq!(v1_cancel(&simulator, part(18_000, true)).await.1, 1);
    assert_eq!(v1_cancel(&simulator, part(20_000, true)).await.1, 0);
    assert_eq!(v1_cancel(&simulator, part(15_000, false)).await.1, 1);
    assert_eq!(v1_cancel(&simulator, part(15_000, true)).await.1, 0);
    assert_eq!(simulator.payment("order").unwrap()["status"], json!(Status::PartialCancelled));
}
