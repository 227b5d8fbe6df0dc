//! Payments of V1 in a deployment that has V2's credentials only: V2 shows and cancels them.

use end_to_end::{Shop, shop::secret_with};
use portone_simulator::{PaymentSpec, Version};
use serde_json::{Value, json};

async fn without_v1() -> Shop {
    let secret = secret_with(&[("v1ApiKey", Value::Null), ("v1ApiSecret", Value::Null)]);
    Shop::open_with(|options| options.secret = secret).await
}

/// Schema: `Payment.version`: a payment of V1 has its `imp_uid` as `transactionId`.
#[tokio::test]
async fn a_payment_of_v1_is_read_synced_and_cancelled_without_v1_credentials() {
    let shop = without_v1().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |spec| spec.version = Version::V1);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    let summary = shop.reconcile().await;
    assert_eq!(summary["failed"], 0, "{summary}");
    let answer = shop.cancel_order(&order, "a-key-of-the-desk", None).await.expect(200);
    assert_eq!(answer["cancellation"]["status"], "SUCCEEDED", "{answer}");
    assert_eq!(shop.status(&order), "CANCELLED");
    assert_eq!(shop.returned(&order), (1, order.total()));
}

#[tokio::test]
async fn money_of_v1_that_is_not_the_orders_goes_back_through_v2() {
    let shop = without_v1().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |spec| {
        spec.version = Version::V1;
        spec.total_amount = 900;
    });
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    assert_eq!(shop.status(&order), "REJECTED");
    assert_eq!(shop.returned(&order), (1, 900));
}

/// V1 counts in the major unit, V2 in the minor one; a public bug report (case 05).
#[tokio::test]
async fn dollars_through_v1_for_an_order_in_won_go_back_whichever_version_is_asked_first() {
    for through_v2_first in [true, false] {
        let shop = Shop::open().await;
        let order = shop.placed_v1().await;
        let spec = PaymentSpec {
            version: Version::V1,
            total_amount: 1420,
            currency: "USD".to_owned(),
            ..PaymentSpec::default()
        };
        shop.portone().put_payment(&order.id, &spec).unwrap();
        let imp_uid = shop.payment(&order)["transactionId"].as_str().unwrap().to_owned();
        assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["amount"], json!(14.2));
        if through_v2_first {
            shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        }
        shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
        assert_eq!(shop.status(&order), "REJECTED", "V2 first: {through_v2_first}");
        let asked = shop.v1_cancels(&imp_uid);
        let expected = [(json!(14.2), json!(14.2))];
        let amounts: Vec<_> =
            asked.iter().map(|body| (body["amount"].clone(), body["checksum"].clone())).collect();
        assert_eq!(amounts, expected, "V2 first: {through_v2_first}");
        assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["cancel_amount"], json!(14.2));
    }
}

/// A public bug report (case 04): charges by REST have IDs of another form.
#[tokio::test]
async fn a_charge_by_rest_pays_its_order_and_its_webhook_is_not_dropped() {
    for by_webhook in [true, false] {
        let shop = Shop::open().await;
        let order = shop.placed_v1().await;
        let spec =
            PaymentSpec { total_amount: order.total(), version: Version::V1, ..PaymentSpec::default() };
        let imp_uid = shop.portone().charge_by_rest(&order.id, &spec).unwrap();
        assert!(imp_uid.starts_with("imps_"), "{imp_uid}");
        if by_webhook {
            shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
        } else {
            shop.verify_v1(&imp_uid, &order).await.expect(200);
        }
        assert_eq!(shop.status(&order), "PAID", "by webhook: {by_webhook}");
    }
}
