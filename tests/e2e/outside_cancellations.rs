//! Money that went back without this backend: from PortOne's console, by a chargeback, by the bank. It ends
//! in the same ledger, whichever way and in whatever order the news come.

use end_to_end::{Placed, Shop, shop::basket};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, Press, ReleaseOrder, payment::cancel::CancelTrigger};
use serde_json::{Value, json};

const CANCEL: &str = "POST /payments/{paymentId}/cancel";

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.release_webhooks().await;
    order
}

/// Somebody gives so much back, or all that is left.
fn give_back(shop: &Shop, order: &Placed, amount: Option<i64>, by: CancelTrigger) {
    let act = Act::Cancel { amount, tax_free_amount: None, reason: None, trigger: Some(by) };
    shop.portone().act(&order.id, &act).expect("there is so much left");
}

fn console(shop: &Shop, order: &Placed, amount: Option<i64>) {
    give_back(shop, order, amount, CancelTrigger::Console);
}

/// `(origin, amount, status)` of each row.
fn rows(shop: &Shop, order: &Placed) -> Vec<(String, i64, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = shop.ledger(order).into_iter();
    rows.map(|row| (text(&row["origin"]), row["amount"].as_i64().unwrap(), text(&row["status"]))).collect()
}

fn done(origin: &str, amount: i64) -> (String, i64, String) {
    (origin.to_owned(), amount, "SUCCEEDED".to_owned())
}

/// U16.
#[tokio::test]
async fn what_the_console_gave_back_is_in_the_ledger_by_webhook_or_by_a_look() {
    for by_webhook in [true, false] {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        for (amount, status, expected) in [
            (Some(700), "PARTIAL_CANCELLED", vec![done("OUTSIDE", 700)]),
            (None, "CANCELLED", vec![done("OUTSIDE", 700), done("OUTSIDE", 1300)]),
        ] {
            console(&shop, &order, amount);
            if by_webhook {
                assert_eq!(shop.release_webhooks().await, 1);
            } else {
                shop.verify(&order.id).await.expect(200);
            }
            assert_eq!(shop.view(&order).await["status"], status);
            assert_eq!(rows(&shop, &order), expected, "webhook {by_webhook}");
        }
        shop.release_webhooks().await;
        assert_eq!(rows(&shop, &order).len(), 2);
        assert!(shop.v2_cancels(&order).is_empty());
        shop.assert_balanced(&order).await;
    }
}

/// U16.
#[tokio::test]
async fn between_two_cancellations_of_ours_the_consoles_is_counted() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    console(&shop, &order, Some(300));
    // Its webhook was lost; the operator's own look finds it.
    let problem = shop.cancel_amount(&order, "c-2", Some(1300)).await;
    assert_eq!(problem.expect_problem(409, "cancel-amount-exceeds-balance")["balance"], 1200);
    shop.cancel_amount(&order, "c-2", Some(200)).await.expect(200);
    assert_eq!(shop.v2_cancels(&order)[1].1["currentCancellableAmount"], 1200);
    assert_eq!(rows(&shop, &order), [done("OPERATOR", 500), done("OUTSIDE", 300), done("OPERATOR", 200)]);
    assert_eq!(shop.returned(&order), (3, 1000));
    shop.release_webhooks().await;
    assert_eq!(rows(&shop, &order).len(), 3);
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn a_console_that_is_faster_by_a_moment_makes_ours_fail_and_nothing_goes_back_twice() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let gate = shop.portone_wire().hold_before(Rule::on(CANCEL).times(1));
    let meanwhile = async {
        shop.at_gate(&gate, 1).await;
        console(&shop, &order, None);
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", None), meanwhile);
    assert_eq!(answer.expect(200)["cancellation"]["status"], "FAILED");
    shop.release_webhooks().await;
    let view = shop.view(&order).await;
    assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("CANCELLED"), &json!(2000)));
    assert_eq!(shop.returned(&order), (1, 2000));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn the_same_amount_by_the_console_is_not_taken_for_an_unanswered_cancellation_of_ours() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ResetBefore);
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
    console(&shop, &order, Some(500));
    let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(view["cancellation"]["status"], "FAILED", "{view}");
    assert_eq!(view["cancellation"]["failure"], "BALANCE_CHANGED");
    assert_eq!(shop.returned(&order), (1, 500));
    assert_eq!(view["amount"]["cancelled"], 500);
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn a_chargeback_ends_in_the_ledger_under_its_own_name() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    give_back(&shop, &order, None, CancelTrigger::Chargeback);
    shop.release_webhooks().await;
    assert_eq!(shop.view(&order).await["status"], "CANCELLED");
    assert_eq!(rows(&shop, &order), [done("CHARGEBACK", 2000)]);
    shop.cancel_amount(&order, "c-1", None).await.expect_problem(409, "order-not-cancellable");
    shop.assert_balanced(&order).await;
}

/// An order whose account got its deposit; whether we were told of it.
async fn deposited(shop: &Shop, told: bool) -> Placed {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    shop.release_webhooks().await;
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    if told {
        shop.release_webhooks().await;
        assert_eq!(shop.view(&order).await["status"], "PAID");
    }
    order
}

#[tokio::test]
async fn a_deposit_that_the_bank_took_back_cancels_the_order_whether_or_not_we_saw_it() {
    for told in [true, false] {
        let shop = Shop::open().await;
        let order = deposited(&shop, told).await;
        give_back(&shop, &order, None, CancelTrigger::PortoneAdmin);
        shop.deliver_about("Transaction.Cancelled", &order.id).await.expect(200);
        let view = shop.view(&order).await;
        assert_eq!(view["status"], "CANCELLED", "told {told}");
        assert_eq!((&view["amount"]["paid"], &view["amount"]["cancelled"]), (&json!(2000), &json!(2000)));
        assert_eq!(view.get("virtualAccount"), None);
        // The deposit's own webhook comes last.
        shop.release_webhooks().await;
        assert_eq!(shop.view(&order).await["status"], "CANCELLED");
        assert_eq!(rows(&shop, &order), [done("OUTSIDE", 2000)]);
        shop.assert_balanced(&order).await;
    }
}

#[tokio::test]
async fn a_cancelled_deposit_that_lists_no_cancellation_is_cancelled_all_the_same() {
    let shop = Shop::open().await;
    let order = deposited(&shop, true).await;
    let patch = json!({ "status": "CANCELLED", "cancellations": null, "amount": { "cancelled": 2000 } });
    shop.portone().patch_payment(&order.id, patch).unwrap();
    shop.deliver_about("Transaction.Cancelled", &order.id).await.expect(200);
    let view = shop.view(&order).await;
    assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!("CANCELLED"), &json!(2000)));
}

/// U16: news in any order end the same.
#[tokio::test]
async fn news_of_cancellations_in_any_order_end_in_the_same_ledger() {
    for order_of in [ReleaseOrder::Oldest, ReleaseOrder::Newest, ReleaseOrder::Together] {
        let shop = Shop::open().await;
        let order = shop.placed().await;
        shop.pay(&order).await;
        console(&shop, &order, Some(100));
        shop.release_webhooks_in(ReleaseOrder::Newest).await;
        console(&shop, &order, Some(200));
        console(&shop, &order, None);
        shop.release_webhooks_in(order_of).await;
        assert_eq!(shop.view(&order).await["status"], "CANCELLED", "{order_of:?}");
        let expected = [done("OUTSIDE", 100), done("OUTSIDE", 200), done("OUTSIDE", 1700)];
        assert_eq!(rows(&shop, &order), expected, "{order_of:?}");
        shop.assert_balanced(&order).await;
    }
}

/// U16.
#[tokio::test]
async fn a_look_that_was_overtaken_by_a_cancellation_does_not_undo_it() {
    for (first, second) in [(Some(500), None), (None, None), (Some(500), Some(500))] {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        // The page's look has read the payment as it was…
        let gate = shop.portone_wire().hold_after(Rule::on("GET /payments/{paymentId}").times(1));
        let meanwhile = async {
            shop.at_gate(&gate, 1).await;
            // …when money goes back, and its webhooks are faster.
            console(&shop, &order, first);
            if first.is_some() {
                console(&shop, &order, second);
            }
            shop.release_webhooks().await;
            let newest = shop.stored(&order.id);
            gate.open();
            newest
        };
        let (answer, newest) = tokio::join!(shop.verify(&order.id), meanwhile);
        answer.expect(200);
        assert_eq!(shop.stored(&order.id), newest, "{first:?} {second:?}");
        shop.assert_balanced(&order).await;
    }
}

#[tokio::test]
async fn what_v1s_console_gave_back_is_in_the_ledger_by_webhook_or_by_a_look() {
    for (by_webhook, visible) in [(true, true), (true, false), (false, true), (false, false)] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let order = shop.placed_v1().await;
        let imp_uid = shop.pay_v1(&order).await;
        shop.release_webhooks().await;
        for (amount, status) in [(Some(700), "PARTIAL_CANCELLED"), (None, "CANCELLED")] {
            console(&shop, &order, amount);
            if by_webhook {
                shop.release_webhooks().await;
            } else {
                shop.verify_v1(&imp_uid, &order).await.expect(200);
            }
            assert_eq!(shop.view(&order).await["status"], status, "webhook {by_webhook}");
        }
        assert_eq!(rows(&shop, &order), [done("OUTSIDE", 700), done("OUTSIDE", 1300)]);
        assert!(shop.v1_cancels(&imp_uid).is_empty());
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}
