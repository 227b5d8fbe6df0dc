//! What a way to pay does not allow is answered before PortOne is asked.

use end_to_end::{Placed, Shop};
use portone_simulator::{PaymentSpec, Timestamp, Version, payment::PayMethod};
use serde_json::json;

/// An order that was paid so many days ago by this method.
async fn paid_by(shop: &Shop, method: PayMethod, days: i64) -> Placed {
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| set(payment, method, days));
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    order
}

fn set(payment: &mut PaymentSpec, method: PayMethod, days: i64) {
    payment.pay_method = Some(method);
    payment.changed_at = Some(Timestamp::wall().plus_millis(-days * 86_400_000).rfc3339());
}

/// Nothing was asked for and nothing is in the ledger.
#[track_caller]
fn assert_untouched(shop: &Shop, order: &Placed) {
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
    assert!(shop.ledger(order).is_empty());
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn a_deposit_goes_back_only_to_an_account_that_the_operator_names() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::VirtualAccount, 0).await;
    for amount in [Some(500), None] {
        let problem =
            shop.cancel_amount(&order, "c-1", amount).await.expect_problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("/refundAccount"), &json!("required")));
    }
    assert_untouched(&shop, &order);

    let account = json!({ "bank": "SHINHAN", "number": "110-123-456789", "holderName": "홍길동" });
    let cancel = json!({ "reason": "고객 변심", "amount": 500, "refundAccount": account });
    shop.cancel(&order, "c-1", &cancel).await.expect(200);
    let sent = &shop.v2_cancels(&order)[0].1["refundAccount"];
    assert_eq!(*sent, json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" }));
    assert_eq!(shop.returned(&order), (1, 500));
}

#[tokio::test]
async fn smartros_deposits_need_the_holders_phone_number_as_well() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::VirtualAccount, 0).await;
    shop.portone().patch_payment(&order.id, json!({ "channel": { "pgProvider": "SMARTRO_V2" } })).unwrap();
    let mut account = json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" });
    let cancel = json!({ "reason": "고객 변심", "refundAccount": account });
    let problem = shop.cancel(&order, "c-1", &cancel).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/refundAccount/holderPhoneNumber");
    assert_untouched(&shop, &order);
    account["holderPhoneNumber"] = json!("010-1234-5678");
    let cancel = json!({ "reason": "고객 변심", "refundAccount": account });
    shop.cancel(&order, "c-1", &cancel).await.expect(200);
    assert_eq!(shop.v2_cancels(&order)[0].1["refundAccount"]["holderPhoneNumber"], "01012345678");
}

#[tokio::test]
async fn a_gift_certificate_gives_back_all_or_nothing() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::GiftCertificate, 0).await;
    let answer = shop.cancel_amount(&order, "c-1", Some(1999)).await;
    answer.expect_problem(409, "partial-cancel-not-supported");
    assert_untouched(&shop, &order);
    assert_eq!(shop.cancel_amount(&order, "c-1", Some(2000)).await.expect(200)["status"], "CANCELLED");
}

#[tokio::test]
async fn a_phone_bill_is_not_cancelled_after_its_month() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::Mobile, 32).await;
    shop.cancel_amount(&order, "c-1", None).await.expect_problem(409, "cancel-deadline-passed");
    assert_untouched(&shop, &order);
    // A card of the same age is the PG's to refuse.
    let order = paid_by(&shop, PayMethod::Card, 32).await;
    assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
}

#[tokio::test]
async fn part_of_a_phone_bill_goes_back_only_through_the_pgs_that_do_it() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::Mobile, 0).await;
    let answer = shop.cancel_amount(&order, "c-1", Some(500)).await;
    answer.expect_problem(409, "partial-cancel-not-supported");
    assert_untouched(&shop, &order);
    shop.portone().patch_payment(&order.id, json!({ "channel": { "pgProvider": "KCP_V2" } })).unwrap();
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(shop.returned(&order), (1, 500));
}

#[tokio::test]
async fn v1s_methods_have_the_same_limits() {
    let shop = Shop::open().await;
    // V1 itself is asked.
    shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = false);
    for (method, days, allowed) in
        [(PayMethod::Mobile, 32, false), (PayMethod::Paypal, 182, false), (PayMethod::Paypal, 179, true)]
    {
        let order = shop.placed_v1().await;
        shop.put_payment(&order, |payment| {
            set(payment, method, days);
            payment.version = Version::V1;
        });
        let answer = shop.cancel_amount(&order, "c-1", None).await;
        if allowed {
            assert_eq!(answer.expect(200)["status"], "CANCELLED");
        } else {
            answer.expect_problem(409, "cancel-deadline-passed");
            assert_untouched(&shop, &order);
        }
    }
}

#[tokio::test]
async fn paypal_is_cancelled_for_180_days() {
    let shop = Shop::open().await;
    let paypal = json!({ "channel": { "pgProvider": "PAYPAL_V2" } });
    let order = paid_by(&shop, PayMethod::Paypal, 182).await;
    shop.portone().patch_payment(&order.id, paypal.clone()).unwrap();
    shop.cancel_amount(&order, "c-1", None).await.expect_problem(409, "cancel-deadline-passed");
    assert_untouched(&shop, &order);
    let order = paid_by(&shop, PayMethod::Paypal, 179).await;
    shop.portone().patch_payment(&order.id, paypal).unwrap();
    assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
}

#[tokio::test]
async fn a_bank_that_the_orders_generation_does_not_know_is_refused_before_the_call() {
    let shop = Shop::open().await;
    let order = paid_by(&shop, PayMethod::VirtualAccount, 0).await;
    let account = json!({ "bank": "88", "number": "110123456789", "holderName": "홍길동" });
    let problem = shop.cancel(&order, "c-1", &json!({ "reason": "r", "refundAccount": account })).await;
    assert_eq!(
        problem.expect_problem(422, "validation-failed")["errors"][0]["pointer"],
        "/refundAccount/bank"
    );
    assert_untouched(&shop, &order);
}
