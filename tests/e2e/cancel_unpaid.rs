//! An operator cancels an order that nobody paid: closed here, and at PortOne wherever an account waits for
//! its deposit. Money that comes all the same is never lost.

use end_to_end::{Placed, Shop, shop::basket, table};
use local_stack::wire::{Fault, Gate, Rule};
use portone_simulator::{Act, Press, switches::ClosedAccountStatus};
use serde_json::{Value, json};

const CLOSE: &str = "POST /payments/{paymentId}/virtual-account/close";
const CLOSE_V1: &str = "DELETE /vbanks/{imp_uid}";

fn account_basket() -> Value {
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    body
}

/// An order whose account waits for 2,000 won, and is known to.
async fn issued(shop: &Shop) -> Placed {
    let order = shop.placed_for(&account_basket()).await;
    shop.press(&order, Press::Issue).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    order
}

async fn issued_v1(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1_for(account_basket()).await;
    let imp_uid = shop.press_v1(&order, Press::Issue).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    (order, imp_uid)
}

/// The order is cancelled, and its ledger says so with one row of nothing.
#[track_caller]
fn assert_closed(shop: &Shop, order: &Placed) {
    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "CANCELLED", "{stored}");
    let rows = shop.ledger(order);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = [&rows[0]["status"], &rows[0]["amount"], &rows[0]["origin"]];
    assert_eq!(row, [&json!("SUCCEEDED"), &json!(0), &json!("OPERATOR")]);
    assert!(stored.get("waiting").is_none() && stored.get("virtualAccount").is_none(), "{stored}");
}

/// The schedule's look at this order is due now.
fn make_due(shop: &Shop, order: &Placed) {
    table::set_order(&shop.stack, &order.id, "lookAt", &json!({ "N": "0" }));
}

#[tokio::test]
async fn an_order_whose_window_never_opened_or_was_left_is_closed_without_any_cancellation() {
    let shop = Shop::open().await;
    let (never, left, failed) = (shop.placed().await, shop.placed().await, shop.placed().await);
    shop.portone().open_window(left.payment()).unwrap();
    shop.press(&failed, Press::Decline).await;
    for order in [never, left, failed] {
        for _ in 0..2 {
            let view = shop.cancel_amount(&order, "c-1", None).await.expect(200);
            assert_eq!(view["status"], "CANCELLED", "{view}");
            assert_eq!(
                (&view["cancellation"]["status"], &view["cancellation"]["amount"]),
                (&json!("SUCCEEDED"), &json!(0))
            );
        }
        assert_closed(&shop, &order);
        assert!(shop.v2_cancels(&order).is_empty());
        assert_eq!(shop.view(&order).await.get("cancellations"), None, "nothing to the buyer");
        shop.cancel_amount(&order, "c-2", None).await.expect_problem(409, "order-not-cancellable");
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

#[tokio::test]
async fn what_is_paid_after_that_goes_back() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let window = shop.portone().open_window(order.payment()).unwrap();
    shop.cancel_amount(&order, "c-1", None).await.expect(200);
    shop.portone().press(&window, Press::Pay).await.unwrap();
    shop.release_webhooks().await;

    let stored = shop.stored(&order.id);
    assert_eq!((&stored["status"], &stored["rejections"]), (&json!("REJECTED"), &json!(["ORDER_CANCELLED"])));
    assert_eq!(shop.returned(&order), (1, 2000));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn a_payment_that_came_first_is_cancelled_as_a_payment_though_nobody_had_told_of_it() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["amount"]["cancelled"], 2000);
    assert_eq!(shop.returned(&order), (1, 2000));
}

#[tokio::test]
async fn while_the_pg_has_not_decided_the_order_is_not_closed() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;
    shop.cancel_amount(&order, "c-1", None).await.expect_problem(409, "payment-undecided");
    assert_eq!(shop.view(&order).await["status"], "PAY_PENDING");
    shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
    assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.returned(&order), (1, 2000));
}

#[tokio::test]
async fn an_account_is_closed_at_portone_first_whatever_status_it_then_has() {
    for status in [ClosedAccountStatus::Failed, ClosedAccountStatus::Cancelled] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.closed_account_status = status);
        let order = issued(&shop).await;
        let view = shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_eq!(
            (&view["status"], &view["cancellation"]["status"]),
            (&json!("CANCELLED"), &json!("SUCCEEDED"))
        );
        assert_closed(&shop, &order);
        assert_eq!(shop.portone_wire().count(CLOSE), 1, "{status:?}");
        assert!(shop.v2_cancels(&order).is_empty());
        // Nobody can pay into it any more, and the news of its closing change nothing.
        shop.release_webhooks().await;
        assert_eq!(shop.view(&order).await["status"], "CANCELLED");
        shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_eq!(shop.portone_wire().count(CLOSE), 1, "{status:?}");
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]));
    }
}

#[tokio::test]
async fn the_intent_is_on_record_before_portone_is_asked_to_close() {
    let shop = Shop::open().await;
    let order = issued(&shop).await;
    let gate = shop.portone_wire().hold_before(Rule::on(CLOSE).times(1));
    let look = async {
        shop.at_gate(&gate, 1).await;
        let stored = shop.stored(&order.id);
        assert_eq!(stored["status"], "VIRTUAL_ACCOUNT_ISSUED");
        assert_eq!(stored["cancellations"][0]["status"], "INTENDED");
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", None), look);
    answer.expect(200);
    assert_closed(&shop, &order);
}

#[tokio::test]
async fn a_close_without_an_answer_is_told_as_such_and_finished_by_the_next_request() {
    for fault in [Fault::ServerError, Fault::ResetAfter] {
        let shop = Shop::open().await;
        let order = issued(&shop).await;
        shop.portone_wire().inject(Rule::on(CLOSE).times(1), fault);
        let answer = shop.cancel_amount(&order, "c-1", None).await;
        answer.expect_problem(503, "payment-gateway-unavailable");
        shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_closed(&shop, &order);
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    AfterIntent,
    BeforeClose,
    AfterClose,
    BeforeEnd,
    AfterEnd,
}

const STEPS: [Step; 5] =
    [Step::AfterIntent, Step::BeforeClose, Step::AfterClose, Step::BeforeEnd, Step::AfterEnd];

impl Step {
    fn hold(self, shop: &Shop) -> Gate {
        match self {
            Self::AfterIntent => shop.table_wire().hold_after(Rule::on("UpdateItem").times(1)),
            Self::BeforeClose => shop.portone_wire().hold_before(Rule::on(CLOSE).times(1)),
            Self::AfterClose => shop.portone_wire().hold_after(Rule::on(CLOSE).times(1)),
            // After the intent comes what the look found, then the end.
            Self::BeforeEnd => shop.table_wire().hold_before(Rule::on("UpdateItem").after(2).times(1)),
            Self::AfterEnd => shop.table_wire().hold_after(Rule::on("UpdateItem").after(2).times(1)),
        }
    }
}

async fn killed_at(step: Step) -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = issued(&shop).await;
    let gate = step.hold(&shop);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill("cancel-order").await;
    };
    let (answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", None), kill);
    assert_eq!(answer.status, 500, "{step:?}: {}", answer.text);
    drop(gate);
    (shop, order)
}

/// U22.
#[tokio::test]
async fn a_process_that_died_while_closing_is_made_good_for_by_the_repeated_request() {
    for step in STEPS {
        let (shop, order) = killed_at(step).await;
        shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_closed(&shop, &order);
        let payment = shop.payment(&order)["status"].clone();
        assert_eq!(payment, "FAILED", "{step:?}: nobody can deposit any more");
        assert_eq!(shop.journal(&order).await["imbalances"], json!([]), "{step:?}");
    }
}

/// U22.
#[tokio::test]
async fn a_process_that_died_while_closing_is_made_good_for_by_the_schedule() {
    for step in STEPS {
        let (shop, order) = killed_at(step).await;
        if !matches!(step, Step::AfterEnd) {
            make_due(&shop, &order);
        }
        shop.stack.run_schedule("reconcile").await.expect("reconcile runs");
        assert_closed(&shop, &order);
        assert_eq!(shop.payment(&order)["status"], "FAILED", "{step:?}");
    }
}

#[tokio::test]
async fn a_deposit_that_was_faster_than_the_closing_pays_the_order_and_the_closing_failed() {
    let shop = Shop::open().await;
    let order = issued(&shop).await;
    let gate = shop.portone_wire().hold_before(Rule::on(CLOSE).times(1));
    let deposit = async {
        shop.at_gate(&gate, 1).await;
        shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", None), deposit);
    let view = answer.expect(200);
    assert_eq!(
        (&view["status"], &view["cancellation"]["status"]),
        (&json!("PAID"), &json!("FAILED")),
        "{view}"
    );
    assert_eq!(view["amount"]["paid"], 2000);
    assert_eq!(shop.ledger(&order).len(), 1);
    shop.assert_balanced(&order).await;

    // Now there is money to give back, which needs an account.
    let account = json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" });
    let cancel = json!({ "reason": "고객 변심", "refundAccount": account });
    assert_eq!(shop.cancel(&order, "c-2", &cancel).await.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.returned(&order), (1, 2000));
}

/// A bank may take a deposit into an account that was closed (U5): it is seen, and not this order's.
#[tokio::test]
async fn a_deposit_after_the_closing_is_not_taken() {
    let shop = Shop::open().await;
    let order = issued(&shop).await;
    shop.cancel_amount(&order, "c-1", None).await.expect(200);
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.deliver_about("Transaction.Paid", &order.id).await;
    let stored = shop.stored(&order.id);
    assert_eq!((&stored["status"], &stored["rejections"]), (&json!("REJECTED"), &json!(["ORDER_CANCELLED"])));
    assert_eq!(stored["received"]["amount"], 2000);
}

#[tokio::test]
async fn a_v1_account_is_closed_at_portone_first() {
    for visible in [true, false] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let (order, imp_uid) = issued_v1(&shop).await;
        for _ in 0..2 {
            assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
        }
        assert_closed(&shop, &order);
        assert_eq!(shop.v1_wire().count(CLOSE_V1), 1);
        assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["status"], "failed");
        assert!(shop.v1_cancels(&imp_uid).is_empty());
    }
}

#[tokio::test]
async fn a_v1_order_without_a_payment_is_closed() {
    for visible in [true, false] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let (never, left) = (shop.placed_v1().await, shop.placed_v1().await);
        shop.open_v1(&left);
        for order in [never, left] {
            assert_eq!(shop.cancel_amount(&order, "c-1", None).await.expect(200)["status"], "CANCELLED");
            assert_closed(&shop, &order);
        }
    }
}

#[tokio::test]
async fn a_v1_deposit_that_was_faster_than_the_closing_pays_the_order() {
    for visible in [true, false] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let (order, _) = issued_v1(&shop).await;
        let gate = shop.v1_wire().hold_before(Rule::on(CLOSE_V1).times(1));
        let deposit = async {
            shop.at_gate(&gate, 1).await;
            shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
            gate.open();
        };
        let (answer, ()) = tokio::join!(shop.cancel_amount(&order, "c-1", None), deposit);
        let view = answer.expect(200);
        assert_eq!((&view["status"], &view["cancellation"]["status"]), (&json!("PAID"), &json!("FAILED")));
    }
}

/// An account that our look did not take for the order's is closed all the same.
#[tokio::test]
async fn an_account_over_another_channel_is_closed_as_well() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&account_basket()).await;
    shop.press(&order, Press::TestChannel).await;
    assert_eq!(shop.payment(&order)["status"], "VIRTUAL_ACCOUNT_ISSUED");
    shop.cancel_amount(&order, "c-1", None).await.expect(200);
    assert_closed(&shop, &order);
    assert_eq!(shop.payment(&order)["status"], "FAILED");
}

#[tokio::test]
async fn a_v1_account_over_another_channel_is_closed_as_well() {
    for visible in [true, false] {
        let shop = Shop::open().await;
        shop.portone().set_switches(|switches| switches.v1_visible_in_v2 = visible);
        let order = shop.placed_v1_for(account_basket()).await;
        let imp_uid = shop.press_v1(&order, Press::TestChannel).await;
        shop.cancel_amount(&order, "c-1", None).await.expect(200);
        assert_closed(&shop, &order);
        assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["status"], "failed");
    }
}

#[tokio::test]
async fn a_closing_that_met_a_deposit_and_its_reversal_has_an_outcome() {
    let (shop, order) = killed_at(Step::AfterIntent).await;
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    let reversed = Act::Cancel { amount: None, tax_free_amount: None, reason: None, trigger: None };
    shop.portone().act(&order.id, &reversed).unwrap();
    let view = shop.cancel_amount(&order, "c-1", None).await.expect(200);
    assert_eq!(view["status"], "CANCELLED");
    assert_ne!(view["cancellation"]["status"], "UNKNOWN");
    assert!(shop.stored(&order.id).get("waiting").is_none(), "nothing is left to look for");
}

// 8. a question of the contract -> cancel_unpaid.rs
#[tokio::test]
async fn a_part_of_an_order_that_nobody_paid_is_refused_and_closes_nothing() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let problem = shop.cancel_amount(&order, "c-1", Some(500)).await;
    assert_eq!(problem.expect_problem(409, "cancel-amount-exceeds-balance")["balance"], 0);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
}

#[tokio::test]
async fn a_late_deposit_that_must_go_back_goes_to_the_account_that_an_operator_names() {
    let shop = Shop::open().await;
    let order = issued(&shop).await;
    shop.cancel_amount(&order, "c-1", None).await.expect(200);
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.deliver_about("Transaction.Paid", &order.id).await;
    let account = json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" });
    let cancel = json!({ "reason": "닫힌 계좌 입금", "refundAccount": account });
    shop.cancel(&order, "c-2", &cancel).await.expect(200);
    assert_eq!(shop.returned(&order), (1, 2000));
}
