//! From a basket to money: every way a payment goes, told by the browser, by webhooks, or by both.

use end_to_end::{Placed, Shop, shop::basket};
use portone_simulator::{Act, CancelMode, Press, ReleaseOrder, switches::ClosedAccountStatus};
use serde_json::{Value, json};

/// An order to be paid by this method.
async fn placed_by(shop: &Shop, method: &str) -> Placed {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!(method);
    shop.placed_for(&body).await
}

#[track_caller]
fn assert_amount(view: &Value, paid: i64, cancelled: i64) {
    let expected = json!({ "total": 2000, "currency": "KRW", "paid": paid, "cancelled": cancelled });
    assert_eq!(view["amount"], expected, "{view}");
}

#[tokio::test]
async fn an_order_is_paid_when_the_browser_reports_it() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;

    let view = shop.verify_as_buyer(&order).await.expect(200);
    assert_eq!(view["status"], "PAID");
    assert_amount(&view, 2000, 0);
    assert!(view["paidAt"].as_str().is_some_and(|at| at.ends_with('Z')), "{view}");
    assert_eq!(shop.view(&order).await, view);
    assert_eq!(shop.stored(&order.id)["version"], 2, "made, then paid");
}

/// U18: the browser never came back.
#[tokio::test]
async fn an_order_is_paid_when_only_webhooks_report_it() {
    let shop = Shop::open().await;
    shop.portone().set_webhook_rules(|rules| rules.hold = false);
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.portone().settled().await;

    assert_eq!(shop.view(&order).await["status"], "PAID");
    assert_eq!(shop.stored(&order.id)["version"], 2);
}

/// U15: the notification is early.
#[tokio::test]
async fn a_webhook_before_verify_leaves_verify_nothing_to_write() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.release_webhooks().await, 2, "Ready and Paid");
    let after_webhooks = shop.stored(&order.id);
    assert_eq!(after_webhooks["status"], "PAID");

    assert_eq!(shop.verify_as_buyer(&order).await.expect(200)["status"], "PAID");
    assert_eq!(shop.stored(&order.id), after_webhooks);
}

#[tokio::test]
async fn a_webhook_after_verify_has_nothing_to_write() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let after_verify = shop.stored(&order.id);

    shop.release_webhooks().await;
    assert_eq!(shop.stored(&order.id), after_verify);
    let deliveries = shop.portone().deliveries_of(&order.id);
    assert!(
        deliveries.iter().all(|delivery| delivery.executions.len() == 1),
        "each was answered 200 at once"
    );
}

/// U11: a sender that got no answer in time sends again.
#[tokio::test]
async fn repeating_a_report_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let stored = shop.stored(&order.id);

    for _ in 0..5 {
        shop.verify(&order.id).await.expect(200);
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    }
    let secrets = shop.webhook_secrets().await;
    let same = end_to_end::Delivery::about("Transaction.Paid", &order.id).signed(&secrets);
    for _ in 0..5 {
        shop.deliver(&same).await.expect(200);
    }
    assert_eq!(shop.stored(&order.id), stored);
}

/// U10, U15: news of a window that was opened say nothing.
#[tokio::test]
async fn a_ready_webhook_after_paid_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    // Paid first, Ready last.
    shop.release_webhooks_in(ReleaseOrder::Newest).await;
    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "PAID");
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    assert_eq!(shop.stored(&order.id), stored);
}

#[tokio::test]
async fn an_old_answer_of_portones_does_not_move_a_paid_order_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let stored = shop.stored(&order.id);

    for status in ["READY", "PAY_PENDING", "FAILED", "VIRTUAL_ACCOUNT_ISSUED", "SOMETHING_NEW"] {
        shop.portone().patch_payment(&order.id, json!({ "status": status })).unwrap();
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{status}");
        shop.deliver_about("Transaction.Failed", &order.id).await.expect(200);
    }
    assert_eq!(shop.stored(&order.id), stored);
}

#[tokio::test]
async fn a_payment_the_pg_decides_later_is_pending_and_then_paid() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.slow_approval_ms = None);
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAY_PENDING");

    shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PAID");
    assert_amount(&view, 2000, 0);
}

#[tokio::test]
async fn a_declined_order_stays_open_and_tells_why_until_it_is_paid() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let result = shop.press(&order, Press::Decline).await;
    assert!(result.code.is_some());

    let view = shop.verify_as_buyer(&order).await.expect(200);
    assert_eq!(view["status"], "PENDING");
    assert_eq!(view["lastFailure"]["code"], "REJECT_CARD_COMPANY");
    assert_eq!(view["lastFailure"]["message"], "카드사에서 승인을 거절했습니다.");

    shop.pay(&order).await;
    let view = shop.verify_as_buyer(&order).await.expect(200);
    assert_eq!(view["status"], "PAID");
    assert_eq!(view.get("lastFailure"), None);
}

/// U10: early states make and undo nothing.
#[tokio::test]
async fn a_closed_window_leaves_the_order_open() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Close).await;
    shop.release_webhooks().await;
    assert_eq!(shop.view(&order).await["status"], "PENDING");
    shop.pay(&order).await;
    shop.release_webhooks().await;
    assert_eq!(shop.view(&order).await["status"], "PAID");
}

#[tokio::test]
async fn a_late_approval_of_a_failed_attempt_pays_the_order() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Decline).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING");
    shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

/// U4: nobody else tells the buyer bank, number, holder and deadline.
#[tokio::test]
async fn an_issued_virtual_account_is_shown_and_its_deposit_pays_the_order() {
    let shop = Shop::open().await;
    let order = placed_by(&shop, "VIRTUAL_ACCOUNT").await;
    shop.press(&order, Press::Issue).await;

    let view = shop.verify_as_buyer(&order).await.expect(200);
    assert_eq!(view["status"], "VIRTUAL_ACCOUNT_ISSUED");
    assert_amount(&view, 0, 0);
    let issued = shop.payment(&order);
    assert_eq!(view["virtualAccount"]["accountNumber"], issued["method"]["accountNumber"]);
    assert_eq!(view["virtualAccount"]["bank"], issued["method"]["bank"]);
    assert!(view["virtualAccount"]["expiresAt"].is_string(), "{view}");
    assert_eq!(view.get("paidAt"), None);

    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PAID");
    assert_amount(&view, 2000, 0);
    assert_eq!(view.get("virtualAccount"), None, "nobody may deposit a second time");
}

#[tokio::test]
async fn a_closed_virtual_account_leaves_the_order_without_money() {
    let shop = Shop::open().await;
    let order = placed_by(&shop, "VIRTUAL_ACCOUNT").await;
    shop.press(&order, Press::Issue).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &Act::ExpireAccount {}).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PENDING", "{view}");
    assert_eq!(view.get("virtualAccount"), None, "nobody may deposit into a closed account");
    assert_amount(&view, 0, 0);
}

#[tokio::test]
async fn a_cancellation_at_the_console_is_mirrored_in_part_and_whole() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.release_webhooks().await;

    shop.portone().act(&order.id, &console_cancel(Some(300))).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PARTIAL_CANCELLED");
    assert_amount(&view, 2000, 300);

    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "CANCELLED");
    assert_amount(&view, 2000, 2000);
    let amounts: Vec<_> =
        view["cancellations"].as_array().unwrap().iter().map(|row| &row["amount"]).collect();
    assert_eq!(amounts, [300, 1700]);
    assert!(shop.portone_calls("POST", "/cancel").is_empty(), "the shop itself gave nothing back");
}

#[tokio::test]
async fn a_payment_first_seen_after_part_of_it_or_all_of_it_went_back_is_shown_as_it_is() {
    let shop = Shop::open().await;
    for (cancelled, status) in [(Some(300), "PARTIAL_CANCELLED"), (None, "CANCELLED")] {
        let order = shop.placed().await;
        shop.pay(&order).await;
        shop.portone().act(&order.id, &console_cancel(cancelled)).unwrap();
        let view = shop.verify_as_buyer(&order).await.expect(200);
        assert_eq!(view["status"], status);
        assert_amount(&view, 2000, cancelled.unwrap_or(2000));
    }
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

#[tokio::test]
async fn an_account_that_was_closed_as_cancelled_ends_the_order_without_money() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.closed_account_status = ClosedAccountStatus::Cancelled);
    let order = placed_by(&shop, "VIRTUAL_ACCOUNT").await;
    shop.press(&order, Press::Issue).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &Act::CloseAccount {}).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "CANCELLED");
    assert_eq!(view.get("virtualAccount"), None);
    assert_amount(&view, 0, 0);
}

fn console_cancel(amount: Option<i64>) -> Act {
    Act::Cancel { amount, tax_free_amount: None, reason: None, trigger: None }
}

#[tokio::test]
async fn a_cancellation_that_the_pg_decides_later_is_shown_as_requested_until_it_is_decided() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);

    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, None).unwrap();
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PAID");
    assert_eq!(view["cancellations"][0]["status"], "REQUESTED");

    shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "CANCELLED");
    assert_eq!(view["cancellations"][0]["status"], "SUCCEEDED");
    assert_eq!(view["cancellations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn webhooks_in_any_order_end_in_the_same_order() {
    let mut ends = Vec::new();
    for release in [ReleaseOrder::Oldest, ReleaseOrder::Newest, ReleaseOrder::Together] {
        let shop = Shop::open().await;
        let order = shop.placed().await;
        shop.press(&order, Press::Decline).await;
        shop.pay(&order).await;
        shop.portone().act(&order.id, &console_cancel(Some(300))).unwrap();
        shop.portone().act(&order.id, &console_cancel(None)).unwrap();
        assert_eq!(shop.release_webhooks_in(release).await, 6);
        let view = shop.view(&order).await;
        ends.push((
            view["status"].clone(),
            view["amount"].clone(),
            view["cancellations"].as_array().unwrap().len(),
        ));
    }
    let expected = json!({ "total": 2000, "currency": "KRW", "paid": 2000, "cancelled": 2000 });
    assert_eq!(ends, vec![(json!("CANCELLED"), expected, 2); 3]);
}

#[tokio::test]
async fn every_payment_method_is_paid_alike() {
    let shop = Shop::open().await;
    for method in ["CARD", "TRANSFER", "MOBILE", "EASY_PAY", "GIFT_CERTIFICATE"] {
        let order = placed_by(&shop, method).await;
        shop.pay(&order).await;
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{method}");
    }
}

#[tokio::test]
async fn a_test_payment_pays_an_order_of_a_shop_in_test_mode() {
    let shop = Shop::open_for_tests().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.payment(&order)["channel"]["type"], "TEST");
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_discount_of_the_card_company_is_no_mismatch() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.discount = 500);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

#[tokio::test]
async fn a_payment_with_members_missing_or_unknown_is_read_all_the_same() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| {
        payment.patch = json!({
            "method": null, "channelGroup": null, "origin": null, "customer": null, "webhooks": null,
            "orderName": null, "disputes": null, "pgResponse": null, "version": null, "merchantId": null,
            "newMember": { "nested": [1, 2, 3] }, "amount": { "newAmount": 7, "vat": null, "supply": null },
        });
    });
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn an_order_without_a_payment_is_pending_at_every_look() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    for _ in 0..2 {
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING");
        shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    }
    assert_eq!(shop.stored(&order.id)["version"], 1);
}

#[tokio::test]
async fn verify_tells_a_stranger_the_status_and_amount_and_nothing_more() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let other = shop.placed().await;
    shop.pay(&order).await;
    let told = shop.verify(&order.id).await.expect(200);
    let mut members: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["amount", "orderId", "status"]);

    let stranger = Placed { token: other.token.clone(), ..order.clone() };
    assert_eq!(
        shop.verify_as_buyer(&stranger).await.expect(200),
        told,
        "another order's token opens nothing"
    );
    let view = shop.verify_as_buyer(&order).await.expect(200);
    assert_eq!(view["orderName"], "신발");
}

#[tokio::test]
async fn nothing_in_a_report_is_believed() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let lies = json!({
        "paymentId": order.id, "status": "PAID", "amount": { "total": 2000, "paid": 2000 },
        "transactionId": "tx", "code": null,
    });
    assert_eq!(shop.post("/payments/verify", &[], &lies).await.expect(200)["status"], "PENDING");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.view(&order).await["status"], "PENDING");
    assert_eq!(shop.stored(&order.id)["version"], 1);
}

#[tokio::test]
async fn verify_of_an_unknown_payment_is_not_found() {
    let shop = Shop::open().await;
    for id in ["01JDABCDEFGHJKMNPQRSTVWXYZ", "no-such-payment", "결제", "a/b?c#d%2f", "'; --"] {
        shop.verify(id).await.expect_problem(404, "order-not-found");
    }
    assert!(shop.orphans().is_empty());
}

#[tokio::test]
async fn verify_of_a_payment_that_we_have_no_order_for_is_not_found_and_written_down() {
    let shop = Shop::open().await;
    let orphan = "01JDABCDEFGHJKMNPQRSTVWXYZ";
    shop.portone().put_payment(orphan, &portone_simulator::PaymentSpec::default()).unwrap();
    for _ in 0..2 {
        shop.verify(orphan).await.expect_problem(404, "order-not-found");
    }
    assert_eq!(shop.orphans().len(), 1);
}

#[tokio::test]
async fn nobody_asks_portone_through_us_for_anything_but_an_order_of_ours() {
    let shop = Shop::open().await;
    for id in ["..", ".", "../payments", "../../login/api-secret", "%2e%2e", ".%2e", "no-such-payment"] {
        shop.verify(id).await.expect_problem(404, "order-not-found");
    }
    assert!(shop.portone_wire().calls().is_empty());
}

#[tokio::test]
async fn verify_says_what_is_wrong_with_its_request() {
    let shop = Shop::open().await;
    for body in [json!({}), json!({ "paymentId": "" }), json!({ "paymentId": 7 }), json!([]), json!("p")] {
        let problem =
            shop.post("/payments/verify", &[], &body).await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/paymentId", "{problem}");
    }
    for token in [json!(7), json!(""), json!(["token"])] {
        let body = json!({ "paymentId": "01JDABCDEFGHJKMNPQRSTVWXYZ", "paymentToken": token });
        let problem =
            shop.post("/payments/verify", &[], &body).await.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["pointer"], "/paymentToken", "{problem}");
    }
    let json = ("content-type", "application/json");
    let broken = shop.send(reqwest::Method::POST, "/payments/verify", &[json], b"{".to_vec()).await;
    broken.expect_problem(400, "malformed-json");
    let text = ("content-type", "text/plain");
    let other = shop.send(reqwest::Method::POST, "/payments/verify", &[text], b"{}".to_vec()).await;
    other.expect_problem(415, "unsupported-media-type");
    let huge = vec![b' '; 16 * 1024 + 1];
    let huge = shop.send(reqwest::Method::POST, "/payments/verify", &[json], huge).await;
    huge.expect_problem(413, "body-too-large");
}
