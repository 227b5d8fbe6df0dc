//! Closing what nobody paid for: never without having asked PortOne, and never against a buyer who paid.

use end_to_end::{Placed, Shop, schedule::console_cancel, shop::basket};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, Press, Timestamp, switches::ClosedAccountStatus};
use serde_json::{Value, json};

const PAYMENT: &str = "GET /payments/{paymentId}";
const CLOSE: &str = "POST /payments/{paymentId}/virtual-account/close";

const DEPOSIT: Act = Act::Deposit { amount: None };
const APPROVE: Act = Act::Approve { amount: None, other_channel: false };

/// A shop that has five pairs of shoes.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.set_stock("shoes", 5);
    shop
}

async fn shop_with_env(variables: &[(&str, &str)]) -> Shop {
    let shop = Shop::open_with_env(variables).await;
    shop.set_stock("shoes", 5);
    shop
}

fn for_an_account() -> Value {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    body
}

/// An order that waits for a deposit.
async fn issued(shop: &Shop) -> Placed {
    let order = shop.placed_for(&for_an_account()).await;
    shop.press(&order, Press::Issue).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    order
}

/// An order of V1 whose account is open past its deadline, and its `imp_uid`. V2 does not show it.
async fn overdue_v1(shop: &Shop) -> (Placed, String) {
    shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = false);
    let order = shop.placed_v1_for(for_an_account()).await;
    let imp_uid = shop.press_v1(&order, Press::Issue).await;
    let past = Timestamp::wall().seconds() - 3_600;
    shop.portone().patch_payment(&order.id, json!({ "vbank_date": past })).unwrap();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.expire(&order, 86_400_000);
    (order, imp_uid)
}

/// The order stands so, and this many pairs of shoes are left.
#[track_caller]
fn assert_stands(shop: &Shop, order: &Placed, status: &str, shoes: u32) {
    assert_eq!((shop.status(order).as_str(), shop.stock("shoes")), (status, json!(shoes)));
}

#[tokio::test]
async fn an_order_whose_time_has_not_come_stays_open_and_is_looked_at_again_later() {
    let shop = shop().await;
    let order = shop.placed().await;
    let planned = shop.stored(&order.id)["lookAt"].clone();
    shop.make_due(&order);
    shop.reconcile_all().await;
    let stored = shop.stored(&order.id);
    assert_stands(&shop, &order, "PENDING", 3);
    assert_eq!(stored["version"], 1, "no news");
    assert!(stored["lookAt"].as_i64() >= planned.as_i64(), "{} {planned}", stored["lookAt"]);
    assert_eq!(shop.reconcile_all().await["lookedAt"], 0, "it is due no longer");
}

#[tokio::test]
async fn an_order_that_portone_has_no_money_for_is_closed_when_its_time_is_over() {
    let shop = shop().await;
    shop.set_stock("shoes", 8);
    let orders = [shop.placed().await, shop.placed().await, shop.placed().await, shop.placed().await];
    let [_, opened, declined, closed] = &orders;
    shop.portone().open_window(opened.payment()).unwrap();
    shop.press(declined, Press::Decline).await;
    shop.press(closed, Press::Close).await;
    shop.release_webhooks().await;
    assert_eq!(shop.stock("shoes"), json!(0));
    for order in &orders {
        shop.expire(order, 1);
    }
    let summary = shop.reconcile_all().await;
    assert_eq!(summary["lookedAt"], 4);
    for order in &orders {
        let view = shop.view(order).await;
        assert_eq!(view["status"], "EXPIRED", "{view}");
        assert_eq!(shop.stored(&order.id)["lookAt"], Value::Null, "nobody looks any more");
    }
    assert_eq!(shop.stock("shoes"), json!(8));
}

#[tokio::test]
async fn while_portone_cannot_be_asked_nothing_is_closed_and_everything_stays_due() {
    let shop = shop().await;
    let order = shop.placed().await;
    shop.expire(&order, 60_000);
    let before = shop.stored(&order.id);
    for fault in [Fault::ServerError, Fault::ResetBefore, Fault::html(200), Fault::html(404), Fault::Throttle]
    {
        shop.portone_wire().inject(Rule::any(), fault);
        let summary = shop.reconcile().await;
        assert_eq!(summary["complete"], false, "{summary}");
        assert_eq!(shop.stored(&order.id), before);
        shop.stack.heal();
    }
    assert_eq!(shop.stock("shoes"), json!(3));
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "EXPIRED", 5);
}

/// U17: money that is there before anybody closed the order is the order's, whatever the clock says.
#[tokio::test]
async fn an_order_that_was_paid_after_its_time_but_before_anybody_looked_is_paid() {
    let shop = shop().await;
    let order = shop.placed().await;
    shop.expire(&order, 3_600_000);
    shop.pay(&order).await;
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "PAID", 3);
}

/// U17: the schedule read the payment at 4:59 and wants to close at 5:00; the buyer paid in between.
#[tokio::test]
async fn a_payment_that_is_reported_before_the_schedule_writes_beats_it() {
    let shop = shop().await;
    let order = shop.placed().await;
    shop.expire(&order, 1);
    let gate = shop.portone_wire().hold_after(Rule::on(PAYMENT).times(1));
    let buyer = async {
        shop.at_gate(&gate, 1).await;
        shop.pay(&order).await;
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        gate.open();
    };
    let (summary, ()) = tokio::join!(shop.reconcile(), buyer);
    assert_eq!(summary["failed"], 0, "{summary}");
    assert_stands(&shop, &order, "PAID", 3);
    assert_eq!(shop.stored(&order.id)["version"], 2, "made, then paid");
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
}

/// U17: both have decided, and the buyer's write is first.
#[tokio::test]
async fn of_a_paying_and_a_closing_write_that_stand_side_by_side_either_may_win_and_the_buyer_has_paid() {
    for paying_first in [true, false] {
        let shop = shop().await;
        let order = shop.placed().await;
        shop.expire(&order, 1);
        let closing = shop.table_wire().hold_before(Rule::on("TransactWriteItems").times(1));
        let paying = shop
            .table_wire()
            .hold_before(Rule::on("UpdateItem").when(|call| call.mentions("\"PAID\"")).times(1));
        let (run, report) = (shop.reconcile(), async {
            shop.at_gate(&closing, 1).await;
            shop.pay(&order).await;
            shop.verify(&order.id).await
        });
        let story = async {
            shop.at_gate(&paying, 1).await;
            let (first, second, status) =
                if paying_first { (&paying, &closing, "PAID") } else { (&closing, &paying, "EXPIRED") };
            first.open();
            let written = async {
                while shop.status(&order) != status {
                    // Not at once: elsewhere a look at the table is a call that others wait behind.
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            };
            end_to_end::in_time("the first write", written).await;
            second.open();
        };
        let (summary, answer, ()) = tokio::join!(run, report, story);
        assert_eq!(summary["failed"], 0, "{summary}");
        assert_eq!(answer.expect(200)["status"], "PAID");
        assert_stands(&shop, &order, "PAID", 3);
        assert!(shop.portone_calls("POST", "/cancel").is_empty());
    }
}

/// U12, U17: closed too early for this buyer, and the pieces are still there.
#[tokio::test]
async fn a_payment_that_comes_after_the_order_was_closed_takes_its_pieces_again() {
    let shop = shop().await;
    for reported_by_webhook in [true, false] {
        shop.set_stock("shoes", 5);
        let order = shop.placed().await;
        let window = shop.portone().open_window(order.payment()).unwrap();
        shop.expire(&order, 1);
        shop.reconcile_all().await;
        assert_stands(&shop, &order, "EXPIRED", 5);
        shop.portone().press(&window, Press::Pay).await.unwrap();
        if reported_by_webhook {
            shop.release_webhooks().await;
        } else {
            assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        }
        assert_stands(&shop, &order, "PAID", 3);
    }
}

/// U12: what it would buy is sold, so the buyer has the money back and not nothing.
#[tokio::test]
async fn a_late_payment_whose_pieces_are_sold_goes_back_once() {
    let shop = shop().await;
    let order = shop.placed().await;
    let window = shop.portone().open_window(order.payment()).unwrap();
    shop.expire(&order, 1);
    shop.reconcile_all().await;
    shop.placed_for(&basket("shoes", 4)).await;
    shop.portone().press(&window, Press::Pay).await.unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    for _ in 0..2 {
        shop.release_webhooks().await;
        shop.verify(&order.id).await.expect(200);
        shop.reconcile_all().await;
    }
    assert_stands(&shop, &order, "REJECTED", 1);
    assert_eq!(shop.stored(&order.id)["rejections"], json!(["LATE"]));
    assert_eq!(shop.returned(&order), (1, order.total()));
}

#[tokio::test]
async fn a_shop_that_takes_no_late_payments_sends_them_back_once() {
    let shop = shop_with_env(&[("LATE_PAYMENT", "RETURN")]).await;
    let order = shop.placed().await;
    let window = shop.portone().open_window(order.payment()).unwrap();
    shop.expire(&order, 1);
    shop.reconcile_all().await;
    shop.portone().press(&window, Press::Pay).await.unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    shop.release_webhooks().await;
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "REJECTED", 5);
    assert_eq!(shop.stored(&order.id)["rejections"], json!(["LATE"]));
    assert_eq!(shop.returned(&order), (1, order.total()));
}

/// U25: not refused and not paid; the PG alone knows.
#[tokio::test]
async fn an_order_that_the_pg_decides_about_is_not_closed_meanwhile() {
    let shop = shop().await;
    shop.portone().set_switches(|switches| switches.slow_approval_ms = None);
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;
    shop.expire(&order, 86_400_000);
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "PAY_PENDING", 3);
    assert!(shop.stored(&order.id)["lookAt"].is_i64(), "it is looked at again");

    shop.portone().act(&order.id, &APPROVE).unwrap();
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "PAID", 3);
}

#[tokio::test]
async fn an_account_waits_until_its_own_deadline_and_is_closed_at_portone_first() {
    for (closed, status) in
        [(ClosedAccountStatus::Failed, "EXPIRED"), (ClosedAccountStatus::Cancelled, "CANCELLED")]
    {
        let shop = shop().await;
        shop.portone().set_switches(|switches| switches.closed_account_status = closed);
        let order = issued(&shop).await;
        shop.expire(&order, 3_600_000);
        shop.reconcile_all().await;
        assert_stands(&shop, &order, "VIRTUAL_ACCOUNT_ISSUED", 3);
        assert_eq!(shop.portone_wire().count(CLOSE), 0);

        shop.expire_account(&order);
        shop.reconcile_all().await;
        assert_stands(&shop, &order, status, 5);
        assert_eq!(shop.portone_wire().count(CLOSE), 1);
        assert_ne!(shop.payment(&order)["status"], "VIRTUAL_ACCOUNT_ISSUED");
        assert_eq!(shop.view(&order).await.get("virtualAccount"), None, "nobody may deposit any more");
        let stored = shop.stored(&order.id);
        shop.release_webhooks().await;
        shop.reconcile_all().await;
        assert_eq!(shop.stored(&order.id), stored);
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_closed_keeps_its_order_open_and_due() {
    let shop = shop().await;
    let order = issued(&shop).await;
    shop.expire_account(&order);
    let before = shop.stored(&order.id);
    for fault in [Fault::ServerError, Fault::ResetBefore, Fault::html(502), Fault::html(200)] {
        shop.portone_wire().inject(Rule::on(CLOSE), fault);
        let summary = shop.reconcile().await;
        assert_eq!((&summary["failed"], &summary["complete"]), (&json!(1), &json!(false)), "{summary}");
        assert_eq!(shop.stored(&order.id), before);
        shop.stack.heal();
    }
    // Closed at PortOne, and nobody learnt of it.
    shop.portone_wire().inject(Rule::on(CLOSE).times(1), Fault::ResetAfter);
    shop.reconcile().await;
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "EXPIRED", 5);
}

#[tokio::test]
async fn a_deposit_that_is_faster_than_the_closing_pays_the_order() {
    for before_closing in [true, false] {
        let shop = shop().await;
        let order = issued(&shop).await;
        shop.expire_account(&order);
        // Before PortOne is asked to close, or after it did and before the payment is read again.
        let gate = if before_closing {
            shop.portone_wire().hold_before(Rule::on(CLOSE).times(1))
        } else {
            shop.portone_wire().hold_after(Rule::on(CLOSE).times(1))
        };
        let buyer = async {
            shop.at_gate(&gate, 1).await;
            shop.portone().act(&order.id, &DEPOSIT).unwrap();
            gate.open();
        };
        let (summary, ()) = tokio::join!(shop.reconcile(), buyer);
        assert_eq!(summary["failed"], 0, "{summary}");
        assert_stands(&shop, &order, "PAID", 3);
    }
}

#[tokio::test]
async fn a_deposit_after_the_closing_pays_the_order_if_its_pieces_are_still_there() {
    let shop = shop().await;
    let order = issued(&shop).await;
    shop.expire_account(&order);
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "EXPIRED", 5);
    shop.portone().act(&order.id, &DEPOSIT).unwrap();
    shop.release_webhooks().await;
    assert_stands(&shop, &order, "PAID", 3);
}

/// A deposit has no way back by itself: the PG wants an account, which only its buyer knows.
#[tokio::test]
async fn a_deposit_that_cannot_be_taken_and_has_no_way_back_becomes_a_finding_until_a_person_returned_it() {
    let shop = shop_with_env(&[("LATE_PAYMENT", "RETURN")]).await;
    let order = issued(&shop).await;
    shop.expire_account(&order);
    shop.reconcile_all().await;
    shop.portone().act(&order.id, &DEPOSIT).unwrap();
    for _ in 0..4 {
        shop.verify(&order.id).await;
    }
    assert_stands(&shop, &order, "REJECTED", 5);
    assert_eq!(shop.returned(&order), (0, 0));
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_eq!(shop.found("RETURN_REFUSED"), [order.id.as_str()]);

    shop.portone().act(&order.id, &console_cancel(None)).unwrap();
    shop.reconcile_all().await;
    shop.reconcile_all().await;
    assert_eq!(shop.found("RETURN_REFUSED"), [""; 0]);
    assert_eq!(shop.returned(&order), (1, order.total()));
    assert_stands(&shop, &order, "REJECTED", 5);
}

#[tokio::test]
async fn an_account_that_the_pg_closed_itself_closes_its_order_though_no_webhook_came() {
    let shop = shop().await;
    let order = issued(&shop).await;
    shop.portone().clock().advance(std::time::Duration::from_secs(73 * 3600));
    shop.portone().settled().await;
    assert_eq!(shop.payment(&order)["status"], "FAILED");
    shop.expire(&order, 1);
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "EXPIRED", 5);
    assert_eq!(shop.portone_wire().count(CLOSE), 0);
}

#[tokio::test]
async fn an_operators_cancellation_that_was_cut_off_is_finished_by_the_schedule() {
    let shop = shop().await;
    let order = issued(&shop).await;
    shop.portone_wire().inject(Rule::on(CLOSE), Fault::ServerError);
    let answer = shop.cancel_order(&order, "a-wish", None).await;
    assert!(matches!(answer.status, 202 | 503), "{}", answer.text);
    assert_stands(&shop, &order, "VIRTUAL_ACCOUNT_ISSUED", 3);
    shop.stack.heal();
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_stands(&shop, &order, "CANCELLED", 5);
    assert_eq!(
        shop.cancel_order(&order, "a-wish", None).await.expect(200)["cancellation"]["status"],
        "SUCCEEDED"
    );
}

// V1.

#[tokio::test]
async fn orders_of_v1_are_closed_like_those_of_v2() {
    let shop = shop().await;
    shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = false);
    shop.set_stock("shoes", 8);
    let orders =
        [shop.placed_v1().await, shop.placed_v1().await, shop.placed_v1().await, shop.placed_v1().await];
    let [_, opened, declined, paid] = &orders;
    shop.open_v1(opened);
    shop.press_v1(declined, Press::Decline).await;
    shop.pay_v1(paid).await;
    for order in &orders {
        shop.expire(order, 1);
    }
    // V1 alone is down: nothing of it is closed.
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    assert_eq!(shop.reconcile().await["complete"], false);
    assert!(orders.iter().all(|order| shop.status(order) != "EXPIRED"));
    shop.stack.heal();

    for order in &orders {
        shop.make_due(order);
    }
    shop.reconcile_all().await;
    let ends: Vec<_> = orders.iter().map(|order| shop.status(order)).collect();
    assert_eq!(ends, ["EXPIRED", "EXPIRED", "EXPIRED", "PAID"]);
    assert_eq!(shop.stock("shoes"), json!(6));
}

#[tokio::test]
async fn an_account_of_v1_is_closed_at_its_deadline_and_a_late_deposit_is_taken() {
    let shop = shop().await;
    shop.set_stock("shoes", 7);
    let waiting = shop.placed_v1_for(for_an_account()).await;
    shop.press_v1(&waiting, Press::Issue).await;
    shop.expire(&waiting, 3_600_000);
    let (order, imp_uid) = overdue_v1(&shop).await;
    shop.reconcile_all().await;
    assert_stands(&shop, &waiting, "VIRTUAL_ACCOUNT_ISSUED", 5);
    assert_stands(&shop, &order, "EXPIRED", 5);
    assert_eq!(shop.v1_wire().count("DELETE /vbanks/{imp_uid}"), 1);
    assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["status"], "failed");

    shop.portone().act(&order.id, &DEPOSIT).unwrap();
    shop.release_webhooks().await;
    assert_stands(&shop, &order, "PAID", 3);
}

#[tokio::test]
async fn a_deposit_of_v1_that_is_faster_than_the_closing_pays_the_order() {
    let shop = shop().await;
    let (order, _) = overdue_v1(&shop).await;
    let gate = shop.v1_wire().hold_before(Rule::on("DELETE /vbanks/{imp_uid}").times(1));
    let buyer = async {
        shop.at_gate(&gate, 1).await;
        shop.portone().act(&order.id, &DEPOSIT).unwrap();
        gate.open();
    };
    let (summary, ()) = tokio::join!(shop.reconcile(), buyer);
    assert_eq!(summary["failed"], 0, "{summary}");
    assert_stands(&shop, &order, "PAID", 3);
}

/// An account of another amount is none of ours, and keeps no order open.
#[tokio::test]
async fn an_account_of_another_amount_is_closed_with_its_order() {
    for v1 in [false, true] {
        let shop = shop().await;
        let order = if v1 { shop.placed_v1().await } else { shop.placed().await };
        shop.put_payment(&order, |payment| {
            payment.status = portone_simulator::Status::VirtualAccountIssued;
            payment.total_amount = 20;
            if v1 {
                payment.version = portone_simulator::Version::V1;
            }
        });
        shop.expire(&order, 1);
        shop.reconcile_all().await;
        assert_stands(&shop, &order, "EXPIRED", 5);
    }
}

/// One window issued an account; another one was opened after it and left.
#[tokio::test]
async fn an_account_of_an_older_window_of_v1_is_closed_too() {
    let shop = shop().await;
    let order = shop.placed_v1_for(for_an_account()).await;
    let imp_uid = shop.press_v1(&order, Press::Issue).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.open_v1(&order);
    shop.expire_account(&order);
    shop.reconcile_all().await;
    let account = shop.portone().v1_payment(&imp_uid).unwrap();
    assert_eq!(account["status"], "failed", "nobody may deposit any more");
    assert_stands(&shop, &order, "EXPIRED", 5);
}
