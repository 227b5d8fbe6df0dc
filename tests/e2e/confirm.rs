//! The two ways to be asked before a payment is approved: PortOne's confirm process, and manual approval
//! with the token that the window ended with.

use std::time::Duration;

use end_to_end::{Answer, Delivery, Placed, Shop, delivery::unix_seconds, shop::basket, table};
use futures::future::join_all;
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, Event, Press, Timestamp, WindowResult, webhook::BodyVersion};
use serde_json::{Value, json};

const CONFIRM: &str = "/webhooks/portone/confirm";
/// PortOne waits no longer (facts: the limit that V1 states).
const LIMIT: Duration = Duration::from_secs(10);

/// PortOne's question about a payment of this amount.
fn question(payment_id: &str, total: i64, version: BodyVersion) -> Delivery {
    let event = Event {
        kind: "Transaction.Confirm".to_owned(),
        happened: Timestamp::wall(),
        payment_id: payment_id.to_owned(),
        store_id: "store-any".to_owned(),
        transaction_id: "tx-any".to_owned(),
        cancellation_id: None,
        total_amount: Some(total),
    };
    Delivery::of(version.content_type(), event.body(version, &Value::Null))
}

async fn ask(shop: &Shop, payment_id: &str, total: i64) -> Answer {
    let question = question(payment_id, total, BodyVersion::V20240425);
    shop.deliver_to(CONFIRM, &question.signed(&shop.webhook_secrets().await)).await
}

/// Stopped, with this to be shown to the buyer.
#[track_caller]
fn assert_stopped(answer: &Answer, message: &str) {
    assert_eq!(answer.expect(409)["errorMessage"], message, "{}", answer.text);
}

#[tokio::test]
async fn an_open_order_may_be_paid_with_its_own_amount_in_all_three_body_versions() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    for version in [BodyVersion::V20240425, BodyVersion::V20240101, BodyVersion::V20240101Form] {
        let secrets = shop.webhook_secrets().await;
        let right = question(&order.id, 2000, version).signed(&secrets);
        shop.deliver_to(CONFIRM, &right).await.expect(200);
        let wrong = question(&order.id, 1999, version).signed(&secrets);
        assert_stopped(&shop.deliver_to(CONFIRM, &wrong).await, "결제 금액이 주문 금액과 다릅니다.");
    }
    assert_eq!(shop.stored(&order.id)["version"], 1, "a question changes nothing");
}

#[tokio::test]
async fn a_stopped_payment_is_explained_in_the_language_of_the_buyer_who_ordered() {
    let shop = Shop::open().await;
    for (language, message) in [
        ("en-US,en;q=0.9", "The amount differs from the order's."),
        ("ko", "결제 금액이 주문 금액과 다릅니다."),
    ] {
        let headers = [("accept-language", language)];
        let order = Placed::of(shop.post("/orders", &headers, &basket("shoes", 2)).await.expect(201));
        assert_stopped(&ask(&shop, &order.id, 200).await, message);
    }
}

#[tokio::test]
async fn what_is_paid_closed_or_unknown_may_not_be_paid() {
    let shop = Shop::open().await;
    let paid = shop.placed().await;
    shop.pay(&paid).await;
    shop.verify(&paid.id).await.expect(200);
    assert_stopped(&ask(&shop, &paid.id, 2000).await, "이미 결제된 주문입니다.");
    shop.cancel_amount(&paid, "c-1", Some(500)).await.expect(200);
    assert_stopped(&ask(&shop, &paid.id, 2000).await, "이미 결제된 주문입니다.");

    let closed = "주문이 만료되었거나 취소되었습니다. 다시 주문해 주세요.";
    let cancelled = shop.placed().await;
    shop.cancel_amount(&cancelled, "c-1", None).await.expect(200);
    assert_stopped(&ask(&shop, &cancelled.id, 2000).await, closed);
    // Its time is over, though nobody has closed it yet.
    let overdue = shop.placed().await;
    let past = json!({ "N": ((unix_seconds() - 1) * 1000).to_string() });
    table::set_order(&shop.stack, &overdue.id, "expiresAt", &past);
    assert_stopped(&ask(&shop, &overdue.id, 2000).await, closed);
    let expired = shop.placed().await;
    table::set_order(&shop.stack, &expired.id, "status", &json!({ "S": "EXPIRED" }));
    assert_stopped(&ask(&shop, &expired.id, 2000).await, closed);

    for id in ["01JDABCDEFGHJKMNPQRSTVWXYZ", "somebody-elses"] {
        assert_stopped(&ask(&shop, id, 2000).await, "주문을 찾을 수 없습니다.");
    }
    let secrets = shop.webhook_secrets().await;
    let unreadable = Delivery::about("Transaction.Confirm", &shop.placed().await.id).signed(&secrets);
    assert_stopped(&shop.deliver_to(CONFIRM, &unreadable).await, "결제 정보를 읽을 수 없습니다.");
}

#[tokio::test]
async fn what_portone_did_not_sign_or_not_now_gets_no_answer() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let (asked, secrets) = (question(&order.id, 2000, BodyVersion::V20240425), shop.webhook_secrets().await);
    let stale = asked.clone().signed_at(&secrets, unix_seconds() - 3600);
    let foreign = asked.clone().signed(&["whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==".to_owned()]);
    let mut altered = asked.clone().signed(&secrets);
    altered.body = question(&order.id, 1, BodyVersion::V20240425).body;
    for forged in [asked, stale, foreign, altered] {
        shop.deliver_to(CONFIRM, &forged).await.expect_problem(400, "invalid-signature");
    }
}

#[tokio::test]
async fn without_the_table_nothing_is_let_through_and_a_slow_one_is_waited_for_in_time() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.table_wire().inject(Rule::on("GetItem").times(1), Fault::DelayBefore(Duration::from_secs(2)));
    let answer = ask(&shop, &order.id, 2000).await;
    answer.expect(200);
    assert!(answer.took < LIMIT / 2, "{:?}", answer.took);
    for fault in [Fault::ServerError, Fault::Hang] {
        let broken = shop.table_wire().inject(Rule::any(), fault);
        let answer = ask(&shop, &order.id, 2000).await;
        answer.expect_problem(503, "temporarily-unavailable");
        assert!(answer.took < LIMIT / 2, "{:?}", answer.took);
        shop.table_wire().remove(&broken);
    }
    ask(&shop, &order.id, 2000).await.expect(200);
}

/// Pays in a window that asks us before it approves.
async fn pay_asking_first(shop: &Shop, order: &Placed, between: impl AsyncFnOnce()) -> WindowResult {
    let mut params = order.payment().clone();
    params["confirmUrl"] = json!(format!("{}{CONFIRM}", shop.stack.url()));
    let window = shop.portone().open_window(&params).expect("a window opens");
    between().await;
    shop.portone().press(&window, Press::Pay).await.expect("the button can be pressed")
}

#[tokio::test]
async fn portones_confirm_process_approves_an_open_order_and_stops_one_that_was_cancelled_meanwhile() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let result = pay_asking_first(&shop, &order, async || {}).await;
    assert_eq!(result.code, None, "{result:?}");
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");

    let order = shop.placed().await;
    let cancel = async || drop(shop.cancel_amount(&order, "c-1", None).await.expect(200));
    let result = pay_asking_first(&shop, &order, cancel).await;
    let message = result.message.unwrap_or_default();
    assert_eq!(message, "주문이 만료되었거나 취소되었습니다. 다시 주문해 주세요.");
    assert_eq!(shop.payment(&order)["status"], "FAILED");
    shop.release_webhooks().await;
    assert_eq!(shop.stored(&order.id)["status"], "CANCELLED", "no money came that had to go back");
}

/// A shop whose channel and functions wait for the server's approval.
async fn manual() -> Shop {
    let shop = Shop::open_with_env(&[("PAYMENT_APPROVAL", "MANUAL")]).await;
    shop.portone().set_switches(|switches| switches.manual_approval = true);
    shop
}

/// The token that the buyer's window ended with.
async fn finished(shop: &Shop, order: &Placed, button: Press) -> String {
    let result = shop.press(order, button).await;
    assert_eq!((&result.code, &shop.payment(order)["status"]), (&None, &json!("READY")));
    result.payment_token.expect("the window of manual approval ends with a token")
}

async fn verify_with(shop: &Shop, order: &Placed, token: &str) -> Answer {
    shop.post("/payments/verify", &[], &json!({ "paymentId": order.id, "paymentToken": token })).await
}

#[tokio::test]
async fn a_payment_to_be_approved_by_hand_is_approved_with_its_token_and_only_with_it() {
    let shop = manual().await;
    let order = shop.placed().await;
    let token = finished(&shop, &order, Press::Pay).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING");
    for wrong in ["-", "not-a-token"] {
        assert_eq!(verify_with(&shop, &order, wrong).await.expect(200)["status"], "PENDING", "{wrong}");
        assert_eq!(shop.payment(&order)["status"], "READY", "{wrong}");
    }
    assert_eq!(verify_with(&shop, &order, &token).await.expect(200)["status"], "PAID");
    let stored = shop.stored(&order.id);
    for _ in 0..2 {
        assert_eq!(verify_with(&shop, &order, &token).await.expect(200)["status"], "PAID");
    }
    assert_eq!(shop.stored(&order.id), stored);
    let calls = shop.portone_calls("POST", "/confirm");
    let asserted = &calls.last().unwrap().1;
    let members = ["currency", "totalAmount", "taxFreeAmount", "isTest"].map(|name| &asserted[name]);
    assert_eq!(members, [&json!("KRW"), &json!(2000), &json!(0), &json!(false)]);
}

#[tokio::test]
async fn what_the_buyer_changed_is_not_approved() {
    for button in [Press::Tamper, Press::TestChannel] {
        let shop = manual().await;
        let order = shop.placed().await;
        let token = finished(&shop, &order, button).await;
        assert_eq!(verify_with(&shop, &order, &token).await.expect(200)["status"], "PENDING", "{button:?}");
        assert_eq!(shop.payment(&order)["status"], "READY", "{button:?}: nothing was charged");
        assert!(shop.v2_cancels(&order).is_empty());
    }
}

#[tokio::test]
async fn what_is_closed_or_overdue_is_not_approved() {
    let shop = manual().await;
    let (cancelled, overdue) = (shop.placed().await, shop.placed().await);
    for order in [&cancelled, &overdue] {
        let token = finished(&shop, order, Press::Pay).await;
        if order.id == cancelled.id {
            shop.cancel_amount(order, "c-1", None).await.expect(200);
        } else {
            let past = json!({ "N": ((unix_seconds() - 1) * 1000).to_string() });
            table::set_order(&shop.stack, &order.id, "expiresAt", &past);
        }
        verify_with(&shop, order, &token).await.expect(200);
        assert_eq!(shop.payment(order)["status"], "READY");
    }
    assert!(shop.portone_calls("POST", "/confirm").is_empty());
}

#[tokio::test]
async fn an_approval_whose_answer_was_lost_is_found_by_the_next_verify() {
    for fault in [Fault::ResetAfter, Fault::ResetBefore] {
        let shop = manual().await;
        let order = shop.placed().await;
        let token = finished(&shop, &order, Press::Pay).await;
        shop.portone_wire().inject(Rule::on("POST /payments/{paymentId}/confirm").times(1), fault);
        let answer = verify_with(&shop, &order, &token).await;
        answer.expect_problem(503, "payment-gateway-unavailable");
        assert_eq!(verify_with(&shop, &order, &token).await.expect(200)["status"], "PAID");
    }
}

#[tokio::test]
async fn ten_pages_that_approve_at_once_pay_the_order_once() {
    let shop = manual().await;
    let order = shop.placed().await;
    let token = finished(&shop, &order, Press::Pay).await;
    for answer in join_all((0..10).map(|_| verify_with(&shop, &order, &token))).await {
        assert!(matches!(answer.expect(200)["status"].as_str(), Some("PAID")), "{}", answer.text);
    }
    shop.release_webhooks().await;
    let stored = shop.stored(&order.id);
    assert_eq!((&stored["status"], &stored["version"]), (&json!("PAID"), &json!(2)));
}

#[tokio::test]
async fn where_the_pg_approves_by_itself_a_token_means_nothing() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.manual_approval = true);
    let order = shop.placed().await;
    let token = finished(&shop, &order, Press::Pay).await;
    assert_eq!(verify_with(&shop, &order, &token).await.expect(200)["status"], "PENDING");
    assert!(shop.portone_calls("POST", "/confirm").is_empty());
}

#[tokio::test]
async fn an_approval_that_the_pg_declined_is_a_failed_attempt_and_not_an_outage() {
    let shop = manual().await;
    let order = shop.placed().await;
    let token = finished(&shop, &order, Press::Pay).await;
    let pg = json!({ "type": "PG_PROVIDER", "pgCode": "REJECT_CARD_COMPANY", "pgMessage": "한도 초과" });
    shop.portone_wire().inject(Rule::on("POST /payments/{paymentId}/confirm"), Fault::json(502, &pg));
    shop.portone().act(&order.id, &Act::Decline { pg_code: None, pg_message: None }).unwrap();
    let bearer = format!("Bearer {}", order.token);
    let body = json!({ "paymentId": order.id, "paymentToken": token });
    let view = shop.post("/payments/verify", &[("authorization", &bearer)], &body).await.expect(200);
    assert_eq!(
        (&view["status"], &view["lastFailure"]["code"]),
        (&json!("PENDING"), &json!("REJECT_CARD_COMPANY"))
    );
}
// (needs `use portone_simulator::Act` in confirm.rs)
