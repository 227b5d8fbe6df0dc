//! What happens to a payment after it was made: disputes, chargebacks, and refunds that do not reach the buyer.

use end_to_end::{Placed, Shop, schedule::console_cancel, shop::basket};
use portone_simulator::{Act, Press, RefundStatus};
use serde_json::json;

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.release_webhooks().await;
    order
}

/// A public bug report (case 13). Schema: `PaidPayment.disputes`, webhook `Transaction.DisputeCreated`.
#[tokio::test]
async fn a_dispute_is_an_exception_and_an_event_until_it_is_resolved() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone().act(&order.id, &Act::Dispute { reason: None }).unwrap();
    shop.release_webhooks().await;
    let findings = shop.findings("DISPUTED");
    assert_eq!((findings.len(), &findings[0]["subject"]), (1, &json!(order.id)));
    assert!(findings[0]["facts"]["disputedAt"].is_string(), "{}", findings[0]);
    let told = shop.event("PaymentDisputed", |event| event["orderId"] == order.id.as_str()).await;
    let told = &told["detail"];
    assert_eq!((&told["status"], &told["amount"]["cancelled"]), (&json!("PAID"), &json!(0)));
    assert_eq!(shop.view(&order).await["status"], "PAID", "no money moved");

    shop.portone().act(&order.id, &Act::ResolveDispute {}).unwrap();
    shop.release_webhooks().await;
    shop.event("PaymentDisputeResolved", |event| event["orderId"] == order.id.as_str()).await;
    shop.reconcile().await;
    assert!(shop.findings("DISPUTED").is_empty(), "a resolved dispute resolves its exception");
}

/// PortOne's webhook may be lost, and a dispute does not change the payment's state.
#[tokio::test]
async fn the_end_of_a_dispute_is_found_without_its_webhook() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone().act(&order.id, &Act::Dispute { reason: None }).unwrap();
    shop.deliver_about("Transaction.DisputeCreated", &order.id).await.expect(200);
    shop.portone().act(&order.id, &Act::ResolveDispute {}).unwrap();
    shop.reconcile().await;
    assert!(shop.findings("DISPUTED").is_empty());
}

/// Schema: `PaymentMethodVirtualAccount.refundStatus`; a public bug report (case 14).
#[tokio::test]
async fn a_refund_that_did_not_reach_the_buyers_account_is_an_exception_until_it_does() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.refund_status_after_cancel = RefundStatus::Pending);
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.verify(&order.id).await.expect(200);
    assert_eq!(shop.view(&order).await["depositRefund"], "PENDING");

    let set = |status| shop.portone().act(&order.id, &Act::SetRefundStatus { status }).unwrap();
    set(RefundStatus::Failed);
    // PortOne sends no webhook for it: the order is synced by schedule.
    shop.make_due(&order);
    shop.reconcile().await;
    assert_eq!(shop.view(&order).await["depositRefund"], "FAILED");
    assert_eq!(shop.findings("DEPOSIT_REFUND_FAILED").len(), 1);
    set(RefundStatus::Completed);
    shop.reconcile().await;
    assert!(shop.findings("DEPOSIT_REFUND_FAILED").is_empty());
    assert_eq!(shop.view(&order).await["depositRefund"], "COMPLETED");
}
