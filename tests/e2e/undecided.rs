//! What an operator can do about a payment or a cancellation that the PG never decides about.

use end_to_end::{Placed, Shop};
use portone_simulator::{CancelMode, Press, Status};
use reqwest::Method;
use serde_json::{Value, json};

async fn cancel(shop: &Shop, order: &Placed, key: &str, more: Value) -> end_to_end::Answer {
    let mut body = json!({ "reason": "포트원에 확인함" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/orders/{}/cancel", order.id);
    shop.as_operator(Method::POST, &path, &[("idempotency-key", key)], &body).await
}

#[tokio::test]
async fn an_order_that_stays_undecided_can_be_closed_and_its_late_payment_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;
    shop.verify(&order.id).await.expect(200);
    assert_eq!(shop.status(&order), "PAY_PENDING");
    cancel(&shop, &order, "first-key-of-the-desk", json!({})).await.expect_problem(409, "payment-undecided");
    cancel(&shop, &order, "second-key-of-the-desk", json!({ "closeUndecided": true })).await.expect(200);
    assert_eq!(shop.status(&order), "CANCELLED");
    let by = shop.stored(&order.id)["journal"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(by["by"], "OPERATOR", "the journal says who did it: {by}");

    shop.put_payment(&order, |spec| spec.status = Status::Paid);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.status(&order), "REJECTED");
    assert_eq!(shop.returned(&order), (1, order.total()));
}

#[tokio::test]
async fn a_cancellation_that_never_takes_place_can_be_given_up_and_requested_again() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, None).unwrap();
    let asked = cancel(&shop, &order, "first-key-of-the-desk", json!({ "amount": 500 })).await.expect(202);
    assert_eq!(asked["cancellation"]["status"], "REQUESTED", "{asked}");
    let given_up = json!({ "abandonCancellation": 1 });
    let answer = cancel(&shop, &order, "second-key-of-the-desk", given_up.clone()).await.expect(200);
    assert_eq!(answer["cancellation"]["status"], "FAILED", "{answer}");
    assert_eq!(answer["cancellation"]["failure"], "CHECKED_NOT_EXECUTED");
    let calls = shop.portone_calls("POST", "/cancel").len();
    let again = cancel(&shop, &order, "second-key-of-the-desk", given_up).await.expect(200);
    assert_eq!(again["cancellation"]["status"], "FAILED", "{again}");
    assert_eq!(shop.portone_calls("POST", "/cancel").len(), calls, "nothing is requested by it");
}

/// A public bug report (case 07): a wish must not be dropped without a word.
#[tokio::test]
async fn a_member_of_a_cancellation_that_is_not_known_is_refused_with_its_name() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let answer = cancel(&shop, &order, "first-key-of-the-desk", json!({ "retainPromotion": true })).await;
    let problem = answer.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/retainPromotion", "{problem}");
    assert_eq!(problem["errors"][0]["code"], "unknown-field");
}
