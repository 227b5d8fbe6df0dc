//! Payments that do not match their order: which those are, and that all of the money goes back.

use end_to_end::{Placed, Shop, table};
use portone_simulator::{Act, ChannelKind, Press, Status};
use serde_json::{Value, json};

/// The order's payment does not match and `amount` of it is there: the first look says so, the order is
/// rejected for `reasons`, everything went back in one cancellation, and every later look says how it is.
async fn assert_goes_back(shop: &Shop, order: &Placed, amount: i64, reasons: &[&str]) {
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");

    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "REJECTED");
    assert_eq!(stored["rejections"], json!(reasons));
    assert_eq!(shop.payment(order)["status"], "CANCELLED");
    let calls = shop.portone_calls("POST", &format!("{}/cancel", order.id));
    assert_eq!(calls.len(), 1, "{calls:?}");
    let (key, body, status) = &calls[0];
    assert_eq!(*status, Some(200));
    assert_eq!(body["amount"], amount);
    assert_eq!(body["currentCancellableAmount"], amount);
    assert!(body["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    let key = key.as_deref().expect("money never moves without a key");
    let inner = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a quoted key");
    assert!((16..=256).contains(&inner.len()), "{key}");

    let view = shop.verify_as_buyer(order).await.expect(200);
    assert_eq!(view["status"], "REJECTED");
    let rows = view["cancellations"].as_array().unwrap();
    let returned: i64 = rows.iter().filter_map(|row| row["amount"].as_i64()).sum();
    assert!(rows.iter().all(|row| row["status"] == "SUCCEEDED"), "{view}");
    assert!(returned >= amount, "{view}");
    shop.release_webhooks().await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED");
    assert_eq!(shop.portone_calls("POST", "/cancel").len(), 1, "nothing is asked for twice");
}

#[tokio::test]
async fn another_amount_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    assert_goes_back(&shop, &order, 200, &["AMOUNT"]).await;
    assert_eq!(
        shop.view(&order).await["amount"],
        json!({ "total": 2000, "currency": "KRW", "paid": 200, "cancelled": 200 })
    );
}

#[tokio::test]
async fn more_than_was_asked_for_goes_back_too() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.total_amount = 20_000);
    assert_goes_back(&shop, &order, 20_000, &["AMOUNT"]).await;
}

#[tokio::test]
async fn another_currency_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.currency = "USD".to_owned());
    assert_goes_back(&shop, &order, 2000, &["CURRENCY"]).await;
    // 2,000 cents are none of this order's won.
    assert_eq!(
        shop.view(&order).await["amount"],
        json!({ "total": 2000, "currency": "KRW", "paid": 0, "cancelled": 0 })
    );
}

#[tokio::test]
async fn a_currency_nobody_knows_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.patch = json!({ "currency": "포인트" }));
    assert_goes_back(&shop, &order, 2000, &["CURRENCY"]).await;
}

#[tokio::test]
async fn a_payment_of_a_test_channel_is_no_payment_for_a_live_shop() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::TestChannel).await;
    assert_eq!(shop.payment(&order)["channel"]["type"], "TEST");
    assert_goes_back(&shop, &order, 2000, &["CHANNEL"]).await;
}

#[tokio::test]
async fn a_buyer_who_swaps_the_channel_key_does_not_get_goods_for_nothing() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let mut request = order.payment().clone();
    request["channelKey"] = json!(shop.portone().channel_key(ChannelKind::Test).unwrap());
    let window = shop.portone().open_window(&request).unwrap();
    shop.portone().press(&window, Press::Pay).await.unwrap();
    assert_goes_back(&shop, &order, 2000, &["CHANNEL"]).await;
}

#[tokio::test]
async fn a_payment_of_a_live_channel_is_no_payment_for_a_shop_in_test_mode() {
    let shop = Shop::open_for_tests().await;
    let order = shop.placed().await;
    shop.press(&order, Press::TestChannel).await;
    assert_eq!(shop.payment(&order)["channel"]["type"], "LIVE");
    assert_goes_back(&shop, &order, 2000, &["CHANNEL"]).await;
}

#[tokio::test]
async fn a_channel_of_unknown_type_pays_nothing() {
    for channel in [json!({ "type": "SANDBOX" }), json!({ "type": null }), Value::Null] {
        let shop = Shop::open().await;
        let order = shop.placed().await;
        shop.put_payment(&order, |payment| payment.patch = json!({ "channel": channel }));
        assert_goes_back(&shop, &order, 2000, &["CHANNEL"]).await;
    }
}

#[tokio::test]
async fn a_payment_of_a_foreign_store_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.patch = json!({ "storeId": "store-of-somebody-else" }));
    assert_goes_back(&shop, &order, 2000, &["STORE"]).await;
}

#[tokio::test]
async fn every_reason_is_written_down() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| {
        payment.total_amount = 7;
        payment.currency = "USD".to_owned();
        payment.channel_type = ChannelKind::Test;
        payment.patch = json!({ "storeId": "store-of-somebody-else" });
    });
    assert_goes_back(&shop, &order, 7, &["AMOUNT", "CURRENCY", "STORE", "CHANNEL"]).await;
}

#[tokio::test]
async fn of_a_partly_cancelled_payment_what_is_left_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| {
        payment.status = Status::PartialCancelled;
        payment.total_amount = 3000;
        payment.cancelled_amount = Some(1000);
    });
    assert_goes_back(&shop, &order, 2000, &["AMOUNT"]).await;
    assert_eq!(shop.returned(&order), (2, 3000));
}

#[tokio::test]
async fn a_deposit_of_another_amount_goes_back_where_an_account_is_known_and_is_never_paid() {
    let shop = Shop::open().await;
    let mut body = end_to_end::shop::basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.portone().act(&order.id, &Act::Deposit { amount: Some(1999) }).unwrap();

    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    // No PG sends a deposit back without the buyer's own account: nobody asks before there is one.
    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "REJECTED");
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);

    let account = json!({ "bank": "SHINHAN", "number": "110-123-456789", "holderName": "홍길동" });
    let body = json!({ "reason": "입금액이 다릅니다", "refundAccount": account });
    let view = shop.cancel(&order, "back-1", &body).await.expect(200);
    assert_eq!((&view["status"], &view["cancellation"]["status"]), (&json!("REJECTED"), &json!("SUCCEEDED")));
    assert_eq!(shop.returned(&order), (1, 1999));
}

#[tokio::test]
async fn a_payment_that_does_not_match_and_holds_no_money_cancels_nothing_and_pays_nothing() {
    let shop = Shop::open().await;
    for status in [Status::Ready, Status::PayPending, Status::VirtualAccountIssued, Status::Failed] {
        let order = shop.placed().await;
        shop.put_payment(&order, |payment| {
            payment.status = status;
            payment.total_amount = 100;
        });
        for _ in 0..2 {
            assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING", "{status:?}");
            shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
        }
        let view = shop.view(&order).await;
        assert_eq!(view.get("virtualAccount"), None, "nobody may be told to deposit a wrong amount");
    }
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| {
        payment.status = Status::Cancelled;
        payment.total_amount = 100;
    });
    let answer = shop.verify(&order.id).await;
    assert!(matches!(answer.status, 200 | 409), "{}", answer.text);
    assert_ne!(shop.stored(&order.id)["status"], "PAID");
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

#[tokio::test]
async fn a_webhook_that_finds_a_mismatch_sends_the_money_back_and_is_answered_200() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    shop.release_webhooks().await;
    let failed: Vec<_> =
        shop.portone().deliveries_of(&order.id).into_iter().filter(|it| it.executions.len() > 1).collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(shop.stored(&order.id)["status"], "REJECTED");
    assert_eq!(shop.returned(&order), (1, 200));
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED", "a later look");
}

#[tokio::test]
async fn a_paid_order_whose_payment_says_another_amount_later_moves_no_money() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let stored = shop.stored(&order.id);
    shop.portone().patch_payment(&order.id, json!({ "amount": { "total": 1 }, "currency": "USD" })).unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.stored(&order.id), stored);
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

#[tokio::test]
async fn an_answer_about_another_payment_is_not_believed() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.portone().patch_payment(&order.id, json!({ "id": "01JDABCDEFGHJKMNPQRSTVWXYZ" })).unwrap();
    let answer = shop.verify(&order.id).await;
    assert!(matches!(answer.status, 200 | 503), "{}", answer.text);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

#[tokio::test]
async fn an_impossible_amount_is_never_paid() {
    let shop = Shop::open().await;
    for total in
        [json!(-2000), json!(9_223_372_036_854_775_808_u64), json!(2000.5), json!("2000"), json!(null)]
    {
        let order = shop.placed().await;
        shop.put_payment(&order, |payment| payment.patch = json!({ "amount": { "total": total } }));
        let answer = shop.verify(&order.id).await;
        assert!(matches!(answer.status, 409 | 503), "{total}: {}", answer.text);
        assert_ne!(shop.stored(&order.id)["status"], "PAID", "{total}");
    }
}

#[tokio::test]
async fn money_for_an_expired_order_is_taken_or_returned_as_the_shop_says() {
    for (late_payment, status) in [("ACCEPT", "PAID"), ("RETURN", "REJECTED")] {
        let shop = Shop::open_with_env(&[("LATE_PAYMENT", late_payment)]).await;
        let order = shop.placed().await;
        table::set_order(&shop.stack, &order.id, "status", &json!({ "S": "EXPIRED" }));
        shop.pay(&order).await;
        if late_payment == "RETURN" {
            assert_goes_back(&shop, &order, 2000, &["LATE"]).await;
        }
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], status, "{late_payment}");
    }
}

#[tokio::test]
async fn money_for_a_cancelled_order_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    table::set_order(&shop.stack, &order.id, "status", &json!({ "S": "CANCELLED" }));
    shop.pay(&order).await;
    assert_goes_back(&shop, &order, 2000, &["ORDER_CANCELLED"]).await;
}
