//! Money going back through V1, which knows no idempotency key.

use end_to_end::{Placed, Shop, shop::basket, table};
use local_stack::wire::{Backend, Fault, Rule};
use portone_simulator::{CancelMode, Press};
use serde_json::json;

const CANCEL: &str = "POST /payments/cancel";

/// A V1 order that was paid with another amount, and its `imp_uid`.
async fn mismatched(shop: &Shop) -> (Placed, String) {
    shop.portone().set_v1_webhook_url(None);
    let mut body = basket("shoes", 2);
    body["sdk"] = json!("v1");
    let order = shop.placed_for(&body).await;
    let imp_uid = shop.portone().open_v1_window(order.payment()).expect("the window opens");
    shop.portone().press_v1(&imp_uid, Press::Tamper).await.expect("the button can be pressed");
    (order, imp_uid)
}

async fn verify(shop: &Shop, imp_uid: &str, order: &Placed) -> end_to_end::Answer {
    shop.post("/payments/verify", &[], &json!({ "imp_uid": imp_uid, "merchant_uid": order.id })).await
}

fn returned(shop: &Shop, imp_uid: &str) -> (Option<u64>, usize) {
    let payment = shop.portone().v1_payment(imp_uid).expect("PortOne has it");
    let back = payment["cancel_amount"].as_u64();
    (back, payment["cancel_history"].as_array().map_or(0, Vec::len))
}

fn row_status(shop: &Shop, order: &Placed) -> serde_json::Value {
    shop.stored(&order.id)["cancellations"][0]["status"].clone()
}

#[tokio::test]
async fn a_return_whose_answer_was_lost_is_read_back_and_not_asked_for_again() {
    let shop = Shop::open().await;
    let (order, imp_uid) = mismatched(&shop).await;
    shop.stack.wire(Backend::PortoneV1).inject(Rule::on(CANCEL).times(1), Fault::ResetAfter);
    verify(&shop, &imp_uid, &order).await.expect_problem(409, "payment-mismatch");
    assert_eq!(row_status(&shop, &order), "INTENDED");
    for _ in 0..2 {
        verify(&shop, &imp_uid, &order).await.expect(200);
    }
    assert_eq!(row_status(&shop, &order), "SUCCEEDED");
    assert_eq!(returned(&shop, &imp_uid), (Some(200), 1));
    assert_eq!(shop.portone_calls("POST", "/payments/cancel").len(), 1);
}

#[tokio::test]
async fn an_unanswered_return_is_asked_for_again_only_when_the_first_call_cannot_be_running_any_more() {
    let shop = Shop::open().await;
    let (order, imp_uid) = mismatched(&shop).await;
    shop.stack.wire(Backend::PortoneV1).inject(Rule::on(CANCEL).times(1), Fault::ServerError);
    verify(&shop, &imp_uid, &order).await.expect_problem(409, "payment-mismatch");
    let asked = |shop: &Shop| shop.stack.wire(Backend::PortoneV1).count(CANCEL);
    assert_eq!(asked(&shop), 1);
    for _ in 0..3 {
        verify(&shop, &imp_uid, &order).await.expect(200);
    }
    assert_eq!((asked(&shop), row_status(&shop, &order)), (1, json!("INTENDED")), "it may still be running");

    // Eleven minutes later, by what the table remembers, three look at once: one of them asks.
    table::age_cancellation(&shop.stack, &order.id, 11);
    let looks = futures::future::join_all((0..3).map(|_| verify(&shop, &imp_uid, &order)));
    for answer in looks.await {
        answer.expect(200);
    }
    assert_eq!(asked(&shop), 2);
    assert_eq!(returned(&shop, &imp_uid), (Some(200), 1));
    verify(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(row_status(&shop, &order), "SUCCEEDED");
}

#[tokio::test]
async fn a_return_that_the_pg_decides_later_is_waited_for_and_not_asked_for_again() {
    let shop = Shop::open().await;
    let (order, imp_uid) = mismatched(&shop).await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    verify(&shop, &imp_uid, &order).await.expect_problem(409, "payment-mismatch");
    assert_eq!(row_status(&shop, &order), "REQUESTED", "code 0 is not the money gone");
    verify(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(returned(&shop, &imp_uid).0, Some(0));

    let approve = portone_simulator::Act::ApproveCancellation { cancellation_id: None };
    shop.portone().act(&order.id, &approve).unwrap();
    let view = verify(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(view["status"], "REJECTED");
    assert_eq!((row_status(&shop, &order), returned(&shop, &imp_uid)), (json!("SUCCEEDED"), (Some(200), 1)));
    assert_eq!(shop.stored(&order.id)["cancellations"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.portone_calls("POST", "/payments/cancel").len(), 1);
}

#[tokio::test]
async fn of_looks_at_once_one_gives_the_money_back_and_its_outcome_stands() {
    let shop = Shop::open().await;
    let (order, imp_uid) = mismatched(&shop).await;
    let looks = futures::future::join_all((0..8).map(|_| verify(&shop, &imp_uid, &order)));
    for answer in looks.await {
        assert!(matches!(answer.status, 200 | 409), "{} {}", answer.status, answer.text);
    }
    verify(&shop, &imp_uid, &order).await.expect(200);
    assert_eq!(row_status(&shop, &order), "SUCCEEDED");
    assert_eq!(returned(&shop, &imp_uid), (Some(200), 1));
    assert_eq!(shop.portone_calls("POST", "/payments/cancel").len(), 1);
}

/// V1 has no keys: of two who decide the same in the same millisecond, one asks.
#[tokio::test]
async fn of_two_deliveries_at_once_one_asks_v1_for_the_money() {
    let shop = Shop::open().await;
    for round in 0..50 {
        let (order, imp_uid) = mismatched(&shop).await;
        // Both have read the order and the payment before either writes.
        let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(2));
        let release = async {
            shop.at_gate(&gate, 2).await;
            gate.open();
        };
        let (first, second, ()) = tokio::join!(
            shop.deliver_v1(&imp_uid, &order, "paid"),
            shop.deliver_v1(&imp_uid, &order, "paid"),
            release
        );
        first.expect(200);
        second.expect(200);
        assert_eq!(shop.v1_cancels(&imp_uid).len(), 1, "round {round}");
    }
}
