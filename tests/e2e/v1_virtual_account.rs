//! A virtual account of V1: issued, shown to its buyer, paid into, and told about in any order.

use end_to_end::{Placed, Shop, shop::basket};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, Press, ReleaseOrder, Timestamp};
use serde_json::{Value, json};

async fn placed(shop: &Shop) -> Placed {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_v1_for(body).await;
    assert_eq!(order.payment()["pay_method"], "vbank");
    order
}

async fn issued(shop: &Shop) -> (Placed, String) {
    let order = placed(shop).await;
    let imp_uid = shop.press_v1(&order, Press::Issue).await;
    (order, imp_uid)
}

fn deposit(shop: &Shop, order: &Placed) {
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).expect("an account waits for it");
}

/// The same moment, as the view says it and as V1 does.
#[track_caller]
fn assert_same_moment(rfc3339: &Value, unix_seconds: &Value) {
    let told = Timestamp::parse(rfc3339.as_str().expect("a time")).expect("RFC 3339");
    assert_eq!(json!(told.seconds()), *unix_seconds, "{rfc3339}");
}

#[tokio::test]
async fn an_issued_account_is_in_the_orders_view_until_the_deposit_pays_the_order() {
    let shop = Shop::open().await;
    let (order, imp_uid) = issued(&shop).await;
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "VIRTUAL_ACCOUNT_ISSUED");
    let (account, payment) = (&view["virtualAccount"], shop.portone().v1_payment(&imp_uid).unwrap());
    assert_eq!(account["bank"], payment["vbank_name"]);
    assert_eq!(account["accountNumber"], payment["vbank_num"]);
    assert_eq!(account["holder"], payment["vbank_holder"]);
    assert_same_moment(&account["expiresAt"], &payment["vbank_date"]);
    assert_eq!((&view["paidAt"], &view["amount"]["paid"]), (&Value::Null, &json!(0)), "no money yet");

    deposit(&shop, &order);
    assert_eq!(shop.release_webhooks().await, 1);
    let view = shop.view(&order).await;
    assert_eq!(view["status"], "PAID");
    assert_eq!(view["virtualAccount"], Value::Null);
    assert_eq!(view["amount"]["paid"], order.total());
    assert_same_moment(&view["paidAt"], &shop.portone().v1_payment(&imp_uid).unwrap()["paid_at"]);
}

#[tokio::test]
async fn the_pages_report_of_an_issued_account_is_no_payment() {
    let shop = Shop::open().await;
    let (order, imp_uid) = issued(&shop).await;
    for _ in 0..2 {
        assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    }
    // A webhook that claims more than PortOne knows of.
    shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
    let stored = shop.stored(&order.id);
    assert_eq!((&stored["status"], &stored["version"]), (&json!("VIRTUAL_ACCOUNT_ISSUED"), &json!(2)));
}

#[tokio::test]
async fn webhooks_of_issue_and_deposit_in_either_order_and_again_end_in_the_same_paid_order() {
    let shop = Shop::open().await;
    for order_of in [ReleaseOrder::Oldest, ReleaseOrder::Newest] {
        let (order, imp_uid) = issued(&shop).await;
        deposit(&shop, &order);
        let kinds: Vec<_> =
            shop.portone().deliveries_of(&order.id).into_iter().map(|delivery| delivery.kind).collect();
        assert_eq!(kinds, ["ready", "paid"]);
        shop.release_webhooks_in(order_of).await;
        let stored = shop.stored(&order.id);
        assert_eq!((&stored["status"], &stored["version"]), (&json!("PAID"), &json!(2)), "{order_of:?}");

        shop.deliver_v1(&imp_uid, &order, "ready").await.expect(200);
        assert_eq!(shop.stored(&order.id), stored, "ready after paid changes nothing");
    }
}

#[tokio::test]
async fn a_look_at_the_issued_account_that_was_overtaken_by_the_deposit_does_not_undo_it() {
    let shop = Shop::open().await;
    let (order, imp_uid) = issued(&shop).await;
    // The page's look has read `ready`…
    let gate = shop.v1_wire().hold_after(Rule::on("GET /payments/{imp_uid}").times(1));
    let meanwhile = async {
        shop.at_gate(&gate, 1).await;
        // …when the money comes, and its webhook is faster.
        deposit(&shop, &order);
        shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
        let paid = shop.stored(&order.id);
        assert_eq!(paid["status"], "PAID");
        gate.open();
        paid
    };
    let (_, paid) = tokio::join!(shop.verify_v1(&imp_uid, &order), meanwhile);
    assert_eq!(shop.stored(&order.id), paid);
}

#[tokio::test]
async fn an_account_without_a_deadline_or_a_holder_is_shown_without_them() {
    let shop = Shop::open().await;
    let (order, _) = issued(&shop).await;
    let patch = json!({ "vbank_date": 0, "vbank_holder": null, "vbank_issued_at": 0 });
    shop.portone().patch_payment(&order.id, patch).unwrap();
    shop.release_webhooks().await;
    let account = shop.view(&order).await["virtualAccount"].clone();
    assert!(account["accountNumber"].is_string(), "{account}");
    assert_eq!((&account["expiresAt"], &account["holder"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_closed_account_reopens_the_order_and_a_card_pays_it() {
    let shop = Shop::open().await;
    let (order, imp_uid) = issued(&shop).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.portone().act(&order.id, &Act::ExpireAccount {}).unwrap();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PENDING");
    let view = shop.view(&order).await;
    assert_eq!(view["virtualAccount"], Value::Null);
    assert!(view["lastFailure"]["message"].is_string(), "{view}");

    let mut params = order.payment().clone();
    params["pay_method"] = json!("card");
    let imp_uid = shop.portone().open_v1_window(&params).unwrap();
    shop.portone().press_v1(&imp_uid, Press::Pay).await.unwrap();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_deposit_whose_webhook_met_v1_down_is_found_by_the_buyer_who_looks() {
    let shop = Shop::open().await;
    let (order, imp_uid) = issued(&shop).await;
    shop.release_webhooks().await;
    deposit(&shop, &order);
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    shop.release_webhooks().await;
    assert_eq!(shop.view(&order).await["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.stack.heal();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
}
