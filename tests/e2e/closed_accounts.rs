//! Virtual accounts of orders that take no deposit any more.

use end_to_end::{Placed, Shop, shop::basket};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Press, Status};
use serde_json::json;

async fn placed(shop: &Shop, v1: bool) -> Placed {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    if v1 { shop.placed_v1_for(body).await } else { shop.placed_for(&body).await }
}

/// A window that was open when the order ended issues its account after that.
#[tokio::test]
async fn an_account_that_is_issued_for_a_closed_order_is_revoked_when_it_is_seen() {
    let shop = Shop::open().await;
    let order = placed(&shop, false).await;
    shop.expire(&order, 1_000);
    shop.reconcile().await;
    assert_eq!(shop.status(&order), "EXPIRED");
    shop.press(&order, Press::Issue).await;
    shop.release_webhooks().await;
    let closed = shop.portone_calls("POST", "/virtual-account/close");
    assert_eq!(closed.len(), 1, "{closed:?}");
    assert_ne!(shop.payment(&order)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    assert_eq!(shop.status(&order), "EXPIRED");
}

#[tokio::test]
async fn an_account_of_v1_that_is_issued_for_a_cancelled_order_is_revoked_when_it_is_seen() {
    let shop = Shop::open().await;
    let order = placed(&shop, true).await;
    shop.cancel_order(&order, "a-key-of-the-desk", None).await.expect(200);
    let imp_uid = shop.press_v1(&order, Press::Issue).await;
    shop.deliver_v1(&imp_uid, &order, "ready").await.expect(200);
    assert_eq!(shop.portone_calls("DELETE", &format!("/vbanks/{imp_uid}")).len(), 1);
    assert_eq!(shop.status(&order), "CANCELLED");
}

#[tokio::test]
async fn an_account_that_the_pg_does_not_revoke_is_an_exception() {
    let shop = Shop::open().await;
    let order = placed(&shop, false).await;
    shop.cancel_order(&order, "a-key-of-the-desk", None).await.expect(200);
    shop.put_payment(&order, |spec| spec.status = Status::VirtualAccountIssued);
    // Schema: `PgProviderError`, 502.
    let refusal = json!({ "type": "PG_PROVIDER", "message": "", "pgCode": "9999", "pgMessage": "폐쇄 불가" });
    let path = "POST /payments/{paymentId}/virtual-account/close";
    let fault = Fault::json(502, &refusal);
    shop.portone_wire().inject(Rule::on(path), fault);
    shop.deliver_about("Transaction.VirtualAccountIssued", &order.id).await.expect(200);
    assert_eq!(shop.findings("ACCOUNT_OPEN").len(), 1);
    shop.stack.heal();
    shop.reconcile().await;
    assert!(shop.findings("ACCOUNT_OPEN").is_empty(), "it was revoked by the next sync");
}

/// V1 has a record for each window: a card that failed does not close the account of another window.
#[tokio::test]
async fn an_open_account_of_v1_is_still_shown_after_a_card_attempt_failed() {
    let shop = Shop::open().await;
    let order = placed(&shop, true).await;
    let issued = shop.press_v1(&order, Press::Issue).await;
    shop.verify_v1(&issued, &order).await.expect(200);
    let failed = shop.press_v1(&order, Press::Decline).await;
    shop.verify_v1(&failed, &order).await.expect(200);
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "VIRTUAL_ACCOUNT_ISSUED", "{view}");
    assert!(view["virtualAccount"]["accountNumber"].is_string(), "{view}");
}
