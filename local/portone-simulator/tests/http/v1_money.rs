//! One payment in both generations: V1 counts the currency's major unit, V2 its ISO minor unit (cases 04 and 05).

use portone_simulator::{PaymentSpec, Press, Status};
use reqwest::Method;
use serde_json::json;

use crate::{
    error, get, post, refused, simulator,
    v1::{spec, v1, v1_cancel, v1_get, v1_paid},
    webhooks::with_receiver,
};

fn dollars() -> PaymentSpec {
    PaymentSpec { currency: "USD".to_owned(), total_amount: 1420, ..spec() }
}

/// SDKV2 `totalAmount`: "the currency's ISO minor unit"; V1's PayPal and Eximbay guides: `14.2` is 1420 cents.
#[tokio::test]
async fn one_payment_of_14_20_dollars_is_14_point_2_for_v1_and_1420_for_v2() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &dollars());
    let (_, _, payment) = v1_get(&simulator, &format!("/payments/{imp_uid}")).await;
    assert_eq!((&payment["amount"], &payment["cancel_amount"]), (&json!(14.2), &json!(0)));
    let (_, shown) = get(&simulator, "/payments/order").await;
    assert_eq!((&shown["amount"]["total"], &shown["currency"]), (&json!(1420), &json!("USD")));
    let cents = json!({"imp_uid": imp_uid, "amount": 1420, "checksum": 1420});
    assert_eq!(v1_cancel(&simulator, cents).await.1, 1, "these would be dollars");
    let part = json!({"imp_uid": imp_uid, "amount": 4.25, "checksum": 14.2});
    let (_, code, payment) = v1_cancel(&simulator, part).await;
    assert_eq!((code, &payment["cancel_amount"]), (0, &json!(4.25)));
    assert_eq!(payment["cancel_history"][0]["amount"], json!(4.25));
    assert_eq!(get(&simulator, "/payments/order").await.1["amount"]["cancelled"], 425);
}

#[tokio::test]
async fn a_prepared_amount_is_in_the_major_unit_and_holds_for_the_window() {
    let simulator = simulator().await;
    let prepared = json!({"merchant_uid": "order", "amount": 14.2, "currency": "USD"});
    assert_eq!(v1(&simulator, Method::POST, "/payments/prepare", prepared.clone()).await.2, prepared);
    let window = |amount: f64| json!({"merchant_uid": "order", "amount": amount, "currency": "USD"});
    assert!(simulator.open_v1_window(&window(1420.0)).is_err());
    let imp_uid = simulator.open_v1_window(&window(14.2)).unwrap();
    let rsp = simulator.press_v1(&imp_uid, Press::Pay).await.unwrap();
    assert_eq!(rsp["imp_uid"], json!(imp_uid));
    assert_eq!(get(&simulator, "/payments/order").await.1["amount"]["total"], 1420);
}

#[tokio::test]
async fn won_are_whole_numbers_in_both_generations() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    assert_eq!(simulator.v1_payment(&imp_uid).unwrap()["amount"].to_string(), "1000");
    assert_eq!(v1_cancel(&simulator, json!({"imp_uid": imp_uid, "amount": 10.5})).await.0, 400);
    assert_eq!(get(&simulator, "/payments/order").await.1["amount"]["total"], 1000);
}

/// `Payment.transactionId` of the V2 schema: `imp_uid` for a V1 payment.
#[tokio::test]
async fn v2_shows_a_v1_payment_by_its_merchant_uid_and_cancels_it_in_minor_units() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &dollars());
    let (_, shown) = get(&simulator, "/payments/order").await;
    assert_eq!((&shown["version"], &shown["transactionId"]), (&json!("V1"), &json!(imp_uid)));
    let body = json!({"reason": "r", "amount": 420, "currentCancellableAmount": 1420});
    let (status, answer) = post(&simulator, "/payments/order/cancel", body).await;
    assert_eq!((status.as_u16(), &answer["cancellation"]["totalAmount"]), (200, &json!(420)));
    let broken = json!({"reason": "r", "currentCancellableAmount": 10});
    let broken = error(post(&simulator, "/payments/order/cancel", broken).await);
    assert_eq!(broken, refused(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"));
    assert_eq!(simulator.v1_payment(&imp_uid).unwrap()["cancel_amount"], json!(4.2));
}

/// mcp-server `src/tools/getPaymentsByFilter.ts` names `imp_` and `imps_`; the digits are those of case 04.
#[tokio::test]
async fn a_charge_by_rest_has_an_imp_uid_that_begins_with_imps_and_is_reported_like_any_other() {
    let (simulator, receiver) = with_receiver().await;
    simulator.set_v1_webhook_url(Some(receiver.url.clone()));
    let declined = simulator.open_v1_window(&json!({"merchant_uid": "order", "amount": 1000})).unwrap();
    simulator.press_v1(&declined, Press::Decline).await.unwrap();
    let charge = PaymentSpec { webhooks: true, ..spec() };
    let imp_uid = simulator.charge_by_rest("order", &charge).unwrap();
    let digits = imp_uid.strip_prefix("imps_").unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|it| it.is_ascii_digit()), "{imp_uid}");
    let (_, _, payment) = v1_get(&simulator, &format!("/payments/{imp_uid}")).await;
    assert_eq!((&payment["status"], &payment["merchant_uid"]), (&json!("paid"), &json!("order")));
    assert_eq!(payment["channel"], "api");
    assert_eq!(get(&simulator, "/payments/order").await.1["transactionId"], json!(imp_uid));
    simulator.settled().await;
    let body: serde_json::Value = serde_json::from_str(&receiver.got()[0].body).unwrap();
    assert_eq!(body, json!({"imp_uid": imp_uid, "merchant_uid": "order", "status": "paid"}));

    assert!(simulator.charge_by_rest("order", &charge).is_err(), "it is paid");
    let refused = PaymentSpec { status: Status::Failed, ..spec() };
    let failed = simulator.charge_by_rest("another", &refused).unwrap();
    assert_eq!(simulator.v1_payment(&failed).unwrap()["status"], "failed");
    let put = v1_paid(&simulator, "put", &PaymentSpec { by_rest: true, ..spec() });
    assert!(put.starts_with("imps_"));
}
