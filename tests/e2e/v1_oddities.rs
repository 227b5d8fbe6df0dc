//! What V1 writes in ways of its own, and several windows of one order.

use end_to_end::{Placed, Shop};
use local_stack::wire::{Fault, Rule};
use portone_simulator::Press;
use serde_json::{Value, json};

async fn paid(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    (order, imp_uid)
}

#[tokio::test]
async fn a_payment_written_in_any_way_that_v1_writes_it_is_paid() {
    let shop = Shop::open().await;
    for patch in [
        json!({ "amount": 2000.0, "cancel_amount": 0.0 }),
        json!({ "currency": null, "cancel_history": null, "cancel_amount": null }),
        json!({ "failed_at": null, "cancelled_at": null, "vbank_num": "", "vbank_date": null }),
        json!({ "card_type": 0, "pay_method": "kakaopay", "emb_pg_provider": "kakaopay" }),
        json!({ "pay_method": null, "something_new": { "deep": [1, 2] }, "custom_data": "{not json" }),
    ] {
        // As it is written here, and without the members that are null here.
        for verbatim in [true, false] {
            let (order, imp_uid) = paid(&shop).await;
            if verbatim {
                let mut payment = shop.portone().v1_payment(&imp_uid).unwrap();
                payment.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
                let answer = json!({ "code": 0, "message": null, "response": payment });
                shop.v1_wire().inject(Rule::on("GET /payments/{imp_uid}"), Fault::json(200, &answer));
            } else {
                shop.portone().patch_payment(&order.id, patch.clone()).unwrap();
            }
            let told = shop.verify_v1(&imp_uid, &order).await;
            assert_eq!(told.expect(200)["status"], "PAID", "{patch}");
            shop.stack.heal();
            let amount = shop.view(&order).await["amount"].clone();
            assert_eq!((&amount["paid"], &amount["cancelled"]), (&json!(2000), &json!(0)), "{patch}");
        }
    }
}

#[tokio::test]
async fn a_time_of_zero_is_no_time() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.open_v1(&order);
    let opened = shop.portone().v1_payment(&imp_uid).unwrap();
    for at in ["paid_at", "failed_at", "cancelled_at", "vbank_date"] {
        assert_eq!(opened[at], 0, "{at} of an opened window");
    }
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PENDING");

    shop.portone().press_v1(&imp_uid, Press::Pay).await.unwrap();
    shop.portone().patch_payment(&order.id, json!({ "paid_at": 0 })).unwrap();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
    let paid_at = shop.view(&order).await["paidAt"].clone();
    assert!(paid_at.as_str().is_none_or(|at| at > "2020"), "{paid_at}");
}

#[tokio::test]
async fn a_payment_that_says_something_impossible_or_unheard_of_is_never_paid_and_nothing_goes_back() {
    let shop = Shop::open().await;
    for (patch, status) in [
        (json!({ "status": "approved" }), 200),
        (json!({ "status": "PAID" }), 200),
        (json!({ "amount": -2000 }), 503),
        (json!({ "amount": 2000.5 }), 503),
        (json!({ "amount": "2000" }), 503),
        (json!({ "amount": null }), 503),
    ] {
        let (order, imp_uid) = paid(&shop).await;
        shop.portone().patch_payment(&order.id, patch.clone()).unwrap();
        let told = shop.verify_v1(&imp_uid, &order).await;
        assert_eq!(told.status, status, "{patch}: {}", told.text);
        shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "PENDING", "{patch}");
        assert!(shop.v1_cancels(&imp_uid).is_empty(), "{patch}");

        shop.portone().patch_payment(&order.id, Value::Null).unwrap();
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID", "{patch}");
    }
}

#[tokio::test]
async fn after_a_failed_attempt_a_second_window_of_the_same_order_pays_it() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let first = shop.press_v1(&order, Press::Decline).await;
    assert_eq!(shop.verify_v1(&first, &order).await.expect(200)["status"], "PENDING");
    let view = shop.view(&order).await;
    assert!(view["lastFailure"]["message"].is_string(), "{view}");

    let second = shop.pay_v1(&order).await;
    assert_ne!(first, second);
    assert_eq!(shop.verify_v1(&second, &order).await.expect(200)["status"], "PAID");
    let paid = shop.stored(&order.id);
    assert_eq!(shop.view(&order).await["lastFailure"], Value::Null);

    // The first window's page comes back late.
    assert_eq!(shop.verify_v1(&first, &order).await.expect(200)["status"], "PAID");
    shop.deliver_v1(&first, &order, "failed").await.expect(200);
    assert_eq!(shop.stored(&order.id), paid);
}

#[tokio::test]
async fn a_page_that_knows_its_order_only_is_told_of_the_attempt_that_was_paid() {
    let shop = Shop::open().await;
    for visible in [true, false] {
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        for older_is_paid in [true, false] {
            let order = shop.placed_v1().await;
            assert_eq!(shop.verify_v1_order(&order).await.expect(200)["status"], "PENDING", "no window yet");
            let (older, newer) = (shop.open_v1(&order), shop.open_v1(&order));
            assert_eq!(shop.verify_v1_order(&order).await.expect(200)["status"], "PENDING");
            let (paid, failed) = if older_is_paid { (&older, &newer) } else { (&newer, &older) };
            shop.portone().press_v1(failed, Press::Decline).await.unwrap();
            shop.portone().press_v1(paid, Press::Pay).await.unwrap();

            // V1 gives `imp_uid` null where its window did not open.
            let body = json!({ "imp_uid": null, "merchant_uid": order.id });
            let told = shop.post("/payments/verify", &[], &body).await;
            assert_eq!(told.expect(200)["status"], "PAID", "older: {older_is_paid}, visible: {visible}");
            assert_eq!(shop.stored(&order.id)["status"], "PAID");
        }
    }
}

#[tokio::test]
async fn a_page_that_knows_no_order_of_ours_is_told_so_and_portone_is_not_asked_for_nonsense() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    for body in [
        json!({ "merchant_uid": "order-1" }),
        json!({ "imp_uid": "imp_1", "merchant_uid": "order-1" }),
        json!({ "imp_uid": "../users/getToken" }),
    ] {
        shop.post("/payments/verify", &[], &body).await.expect_problem(404, "order-not-found");
    }
    assert!(shop.stack.calls_since(mark).iter().all(|call| call.operation == "GetSecretValue"));
    let unknown = json!({ "merchant_uid": "01JDABCDEFGHJKMNPQRSTVWXYZ" });
    shop.post("/payments/verify", &[], &unknown).await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn a_report_of_the_failed_window_that_was_overtaken_by_the_paid_one_does_not_undo_it() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let failed = shop.press_v1(&order, Press::Decline).await;
    // The failed window's report has read its attempt and stands before its write…
    let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(1));
    let meanwhile = async {
        shop.at_gate(&gate, 1).await;
        // …when the second window is paid, and its report is faster.
        let paid = shop.pay_v1(&order).await;
        assert_eq!(shop.verify_v1(&paid, &order).await.expect(200)["status"], "PAID");
        let stored = shop.stored(&order.id);
        gate.open();
        stored
    };
    let (late, stored) = tokio::join!(shop.verify_v1(&failed, &order), meanwhile);
    assert_eq!(late.expect(200)["status"], "PAID");
    assert_eq!(shop.stored(&order.id), stored);
    assert!(shop.portone_calls("POST", "/payments/cancel").is_empty());
}
