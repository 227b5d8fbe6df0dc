//! What the alarms listen to: for each metric of ours a story of what makes it. `alarms.rs` holds the alarms
//! against these stories.

use end_to_end::{Delivery, Placed, Shop, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, CancelMode, PaymentSpec, Press};
use reqwest::Method;
use serde_json::{Value, json};

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    order
}

#[tokio::test]
async fn orders_made_and_paid_are_counted_once_and_a_look_at_them_is_not() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.verify(&order.id).await.expect(200);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    shop.view(&order).await;
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    assert_eq!(shop.told("create-order", "OrderCreated", 1).await, [1]);
    assert_eq!(shop.told("verify-payment", "OrderPaid", 1).await, [1]);
    shop.logged("verify-payment", "call.answered", 2).await;
    shop.logged("webhook", "call.answered", 1).await;
    shop.logged("get-order", "call.answered", 1).await;
    shop.logged("list-products", "call.answered", 1).await;
    let lines = |function| shop.metric_lines(function).len();
    assert_eq!(["create-order", "verify-payment"].map(lines), [1, 1]);
    assert_eq!(["webhook", "get-order", "list-products"].map(lines), [0, 0, 0], "nothing happened");
}

#[tokio::test]
async fn a_loud_or_silent_log_makes_no_difference_to_metrics() {
    let shop = Shop::open_with_env(&[("RUST_LOG", "off")]).await;
    paid(&shop).await;
    assert_eq!(shop.told("verify-payment", "OrderPaid", 1).await, [1]);
    assert_eq!(shop.log.of("verify-payment").len(), 1, "and the log is silent");
}

#[tokio::test]
async fn money_that_is_not_the_orders_and_its_refused_return_are_counted() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::RefuseByPg, Some(1)).unwrap();
    shop.verify(&order.id).await.expect(409);
    assert_eq!(shop.told("verify-payment", "PaymentMismatch", 1).await, [1]);
    assert_eq!(shop.told("verify-payment", "CancellationRefused", 1).await, [1]);
}

#[tokio::test]
async fn an_orphan_is_counted_once_and_stays_an_open_finding_until_it_is_settled() {
    let shop = Shop::open().await;
    shop.portone().put_payment("an-orphan", &PaymentSpec::default()).unwrap();
    for _ in 0..2 {
        shop.deliver_about("Transaction.Paid", "an-orphan").await.expect(200);
    }
    assert_eq!(shop.told("webhook", "PaymentOrphan", 1).await, [1]);
    shop.reconcile_all().await;
    assert_eq!(shop.told("reconcile", "FindingsOpen", 1).await, [1]);
    let cancelled = end_to_end::schedule::console_cancel(None);
    shop.portone().act("an-orphan", &cancelled).unwrap();
    shop.reconcile_all().await;
    assert_eq!(shop.told("reconcile", "FindingsOpen", 2).await, [1, 0]);
    assert_eq!(shop.told("reconcile", "ReconcileDone", 2).await, [1, 1]);
    assert_eq!(shop.told("webhook", "FindingsNew", 1).await, [1]);
    assert_eq!(shop.values("reconcile", "FindingsNew"), [0; 0], "it was known");
}

/// The order is not due when its age is told: nothing but the memory of it is read.
#[tokio::test]
async fn the_age_of_the_oldest_unknown_outcome_is_told_in_every_run_until_it_is_known() {
    const CANCEL: &str = "POST /payments/{paymentId}/cancel";
    let shop = Shop::open().await;
    let (order, other) = (paid(&shop).await, paid(&shop).await);
    let silence = shop.portone_wire().inject(Rule::on(CANCEL), Fault::ServerError);
    for order in [&order, &other] {
        shop.cancel_order(order, "a-wish", None).await.expect(202);
        shop.make_due(order);
    }
    assert_eq!(shop.told("cancel-order", "CancellationUnknown", 2).await, [1, 1]);
    shop.reconcile().await;
    assert_eq!(shop.told("reconcile", "OldestUnknownOutcome", 1).await, [0]);
    table::age_cancellations(&shop.stack, &order.id, 45);
    shop.reconcile().await;
    let oldest = shop.told("reconcile", "OldestUnknownOutcome", 2).await;
    assert!((45..50).contains(&oldest[1]), "{oldest:?}");
    assert_eq!(table::items(&shop.stack, "UNKNOWN").len(), 2);

    shop.portone_wire().remove(&silence);
    for order in [&order, &other] {
        shop.make_due(order);
    }
    shop.reconcile_all().await;
    assert_eq!(shop.told("reconcile", "OldestUnknownOutcome", 3).await.last(), Some(&0));
    assert!(table::items(&shop.stack, "UNKNOWN").is_empty(), "what is known is forgotten");
}

#[tokio::test]
async fn refused_signatures_and_a_secret_that_cannot_be_read_are_counted() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let nobodys = ["whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==".to_owned()];
    let genuine = Delivery::about("Transaction.Ready", &order.id).signed(&shop.webhook_secrets().await);
    shop.deliver(&genuine).await.expect(200);
    shop.stack.set_secret("no longer JSON").await.unwrap();
    let forged = Delivery::about("Transaction.Paid", &order.id).signed(&nobodys);
    shop.deliver(&forged).await.expect(400);
    assert_eq!(shop.told("webhook", "WebhookSignatureRefused", 1).await, [1]);
    assert_eq!(shop.told("webhook", "SecretUnreadable", 1).await, [1]);
}

#[tokio::test]
async fn a_call_that_dynamodb_rejects_for_good_is_counted() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no" });
    shop.table_wire().inject(Rule::on("GetItem"), Fault::json(400, &body));
    shop.verify(&order.id).await.expect_problem(500, "internal-error");
    assert_eq!(shop.told("verify-payment", "TableRejected", 1).await, [1]);
}

#[tokio::test]
async fn disputes_and_refunds_that_did_not_arrive_are_counted() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone().act(&order.id, &Act::Dispute { reason: None }).unwrap();
    shop.deliver_about("Transaction.DisputeCreated", &order.id).await.expect(200);
    assert_eq!(shop.told("webhook", "PaymentDisputed", 1).await, [1]);
    let patch = json!({ "status": "CANCELLED", "method": {
        "type": "PaymentMethodVirtualAccount", "accountNumber": "1", "refundStatus": "FAILED",
    } });
    shop.portone().patch_payment(&order.id, patch).unwrap();
    shop.deliver_about("Transaction.Cancelled", &order.id).await.expect(200);
    assert_eq!(shop.told("webhook", "DepositRefundFailed", 1).await, [1]);
}

#[tokio::test]
async fn a_reconciliation_that_fails_puts_off_or_stays_incomplete_is_counted() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.make_due(&order);
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    shop.reconcile().await;
    assert_eq!(shop.told("reconcile", "ReconcilePutOff", 1).await, [1]);
    assert_eq!(shop.told("reconcile", "ReconcileFailed", 1).await, [1]);
    assert_eq!(shop.told("reconcile", "ReconcileIncomplete", 1).await, [1]);
}

#[tokio::test]
async fn a_delivery_of_v1_that_has_to_wait_is_counted() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
    assert_eq!(shop.told("webhook", "WebhookParked", 1).await, [1]);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_counted_by_everybody_who_meets_it() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.events().await;
    shop.make_due(&order);
    table::set_order(&shop.stack, &order.id, "waiting", &json!({ "S": &order.id[10..11] }));
    table::set_order(&shop.stack, &order.id, "status", &json!({ "S": "NO_SUCH_STATUS" }));
    shop.events().await;
    assert!(!shop.told("order-events", "EventUndecodable", 1).await.is_empty());
    shop.reconcile().await;
    assert_eq!(shop.told("reconcile", "OrderBroken", 1).await, [1]);
    shop.stack.gateway().invoke("daily-export", &json!({})).await.unwrap();
    assert_eq!(shop.told("daily-export", "AuditBroken", 1).await, [1]);
    assert_eq!(shop.told("daily-export", "StatementMade", 1).await, [1]);
}

#[tokio::test]
async fn a_product_that_cannot_be_read_and_an_amount_that_is_not_registered_are_counted() {
    let shop = Shop::open().await;
    let spoiled = json!({
        "PK": { "S": "PRODUCT#spoiled" }, "SK": { "S": "PRODUCT" }, "name": { "S": "x" }, "price": { "S": "x" },
        "currency": { "S": "KRW" }, "active": { "BOOL": true },
    });
    table::put(&shop.stack, &spoiled);
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    assert_eq!(shop.told("list-products", "ProductBroken", 1).await, [1]);
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    shop.placed().await;
    assert_eq!(shop.told("create-order", "OrderUnregistered", 1).await, [1]);
}

#[tokio::test]
async fn events_that_are_told_long_after_their_write_tell_how_late_they_are() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.events().await;
    assert_eq!(shop.values("order-events", "EventDelayMinutes"), [0; 0], "in time");
    let item = table::raw_order(&shop.stack, &order.id);
    let written = end_to_end::delivery::unix_seconds() - 20 * 60;
    let record = |written: Value| {
        json!({
            "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "ap-northeast-2",
            "dynamodb": { "Keys": { "PK": item["PK"], "SK": item["SK"] }, "NewImage": item, "SequenceNumber": "1",
                          "StreamViewType": "NEW_AND_OLD_IMAGES", "ApproximateCreationDateTime": written },
        })
    };
    let batch = json!([record(json!(end_to_end::delivery::unix_seconds())), record(json!(written))]);
    shop.stack.gateway().invoke("order-events", &batch).await.unwrap();
    let late = shop.told("order-events", "EventDelayMinutes", 1).await;
    assert!((20..25).contains(&late[0]), "{late:?}");
}
