//! Money going back while the process dies: at every step between seeing the mismatch and writing the
//! outcome down. The next look finishes it, and the money goes back exactly once.

use end_to_end::{Placed, Shop};
use local_stack::wire::{Gate, Rule};
use portone_simulator::Press;

const CANCEL: &str = "POST /payments/{paymentId}/cancel";

/// What a step of giving money back is called on the wires.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Both reads are under way.
    Reading,
    /// The intent stands before the table.
    BeforeIntent,
    /// The intent is written, nobody knows yet.
    AfterIntent,
    /// PortOne is about to be asked.
    BeforeCall,
    /// PortOne did it, nobody knows yet.
    AfterCall,
    /// The outcome stands before the table.
    BeforeOutcome,
    /// The outcome is written, the caller was not told.
    AfterOutcome,
}

impl Step {
    fn hold(self, shop: &Shop) -> Gate {
        let write = |skip| Rule::on("UpdateItem").after(skip).times(1);
        match self {
            Self::Reading => shop.portone_wire().hold_after(Rule::on("GET /payments/{paymentId}").times(1)),
            Self::BeforeIntent => shop.table_wire().hold_before(write(0)),
            Self::AfterIntent => shop.table_wire().hold_after(write(0)),
            Self::BeforeCall => shop.portone_wire().hold_before(Rule::on(CANCEL).times(1)),
            Self::AfterCall => shop.portone_wire().hold_after(Rule::on(CANCEL).times(1)),
            Self::BeforeOutcome => shop.table_wire().hold_before(write(1)),
            Self::AfterOutcome => shop.table_wire().hold_after(write(1)),
        }
    }
}

const STEPS: [Step; 7] = [
    Step::Reading,
    Step::BeforeIntent,
    Step::AfterIntent,
    Step::BeforeCall,
    Step::AfterCall,
    Step::BeforeOutcome,
    Step::AfterOutcome,
];

/// An order that 200 won were paid for, whose `function` was killed at `step`.
async fn killed_at(step: Step, function: &str) -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    let gate = step.hold(&shop);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill(function).await;
    };
    let look = async {
        match function {
            "webhook" => shop.deliver_about("Transaction.Paid", &order.id).await,
            _ => shop.verify(&order.id).await,
        }
    };
    let (answer, ()) = tokio::join!(look, kill);
    assert_eq!(answer.status, 500, "{step:?}: {}", answer.text);
    drop(gate);
    (shop, order)
}

#[track_caller]
fn assert_all_back_once(shop: &Shop, order: &Placed, step: Step) {
    assert_eq!(shop.returned(order), (1, 200), "{step:?}: {}", shop.payment(order)["cancellations"]);
    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "REJECTED", "{step:?}");
    assert_eq!(stored["returned"], 200, "{step:?}");
    let rows = stored["cancellations"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["status"] == "SUCCEEDED"), "{step:?}: {rows:?}");
    assert_eq!(rows.len(), 1, "{step:?}: {rows:?}");
}

#[tokio::test]
async fn whatever_step_a_verify_dies_at_the_next_look_finishes_it_and_the_money_goes_back_once() {
    for step in STEPS {
        let (shop, order) = killed_at(step, "verify-payment").await;
        let next = shop.verify(&order.id).await;
        // Whether the next look is the first to tell depends on whether the dead one wrote that it saw.
        assert!(matches!(next.status, 200 | 409), "{step:?}: {}", next.text);
        assert_all_back_once(&shop, &order, step);
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED", "{step:?}");
        assert_all_back_once(&shop, &order, step);
    }
}

#[tokio::test]
async fn whatever_step_a_webhook_dies_at_the_next_delivery_finishes_it_and_the_money_goes_back_once() {
    for step in STEPS {
        let (shop, order) = killed_at(step, "webhook").await;
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        assert_all_back_once(&shop, &order, step);
    }
}

#[tokio::test]
async fn an_intent_written_by_a_dead_process_is_carried_out_with_its_own_key() {
    let (shop, order) = killed_at(Step::BeforeCall, "verify-payment").await;
    let intent = shop.stored(&order.id)["cancellations"][0].clone();
    assert_eq!(intent["status"], "INTENDED");
    assert_eq!(intent["amount"], 200);
    assert!(shop.portone_calls("POST", "/cancel").is_empty(), "the dead process had asked nobody");

    shop.verify(&order.id).await.expect(200);
    let calls = shop.portone_calls("POST", "/cancel");
    assert_eq!(calls.len(), 1);
    let key = calls[0].0.as_deref().unwrap();
    let view = shop.view(&order).await;
    assert_eq!(key, format!("\"{}\"", view["cancellations"][0]["id"].as_str().unwrap()));
}

#[tokio::test]
async fn portones_own_repetition_of_a_webhook_finishes_what_the_first_one_left_undone() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.ready_webhook = false);
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    let gate = Step::AfterCall.hold(&shop);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill("webhook").await;
        gate.open();
    };
    tokio::join!(shop.release_webhooks(), kill);
    assert_eq!(shop.stored(&order.id)["cancellations"][0]["status"], "INTENDED");

    // Every repetition that can still be due, PortOne's first one included.
    shop.portone().clock().advance(std::time::Duration::from_secs(60));
    end_to_end::in_time("the repetition", shop.portone().settled()).await;
    assert_all_back_once(&shop, &order, Step::AfterCall);
}

#[tokio::test]
async fn a_payment_seen_by_a_process_that_died_before_its_write_is_seen_again() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let gate = shop.table_wire().hold_before(Rule::on("UpdateItem").times(1));
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill("verify-payment").await;
    };
    let (answer, ()) = tokio::join!(shop.verify(&order.id), kill);
    assert_eq!(answer.status, 500);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_payment_written_by_a_process_that_died_before_its_answer_is_paid_once() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let gate = shop.table_wire().hold_after(Rule::on("UpdateItem").times(1));
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.kill("verify-payment").await;
    };
    let (answer, ()) = tokio::join!(shop.verify(&order.id), kill);
    assert_eq!(answer.status, 500);
    let stored = shop.stored(&order.id);
    assert_eq!(stored["status"], "PAID");
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.release_webhooks().await;
    assert_eq!(shop.stored(&order.id), stored);
}
