//! Whatever the backends do, and however much of it at once: an answer comes before API Gateway gives up,
//! no process is killed for being late, and what was left undone is finished afterwards.

use std::time::Duration;

use end_to_end::{Answer, Placed, Shop, shop::ANSWER_MAX};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{CancelMode, Press};
use serde_json::json;

const READ: &str = "GET /payments/{paymentId}";
const CANCEL: &str = "POST /payments/{paymentId}/cancel";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[track_caller]
fn assert_in_time(what: &str, answer: &Answer) {
    assert!(answer.took < ANSWER_MAX, "{what}: {:?}", answer.took);
    // API Gateway's own answers, for a function that died or was late, are no problem+json.
    let ours =
        answer.status == 200 || answer.header("content-type").is_some_and(|it| it.contains("problem+json"));
    assert!(ours, "{what}: {} {}", answer.status, answer.text);
}

/// An order that was paid with `button`, in a shop that runs and where `spoil` has broken something.
async fn spoiled(button: Press, spoil: impl FnOnce(&Shop, &Placed)) -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.verify(&order.id).await.expect(200);
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    shop.press(&order, button).await;
    spoil(&shop, &order);
    (shop, order)
}

/// Both reports are answered in time; healed, the order ends as it should, and money that had to go back
/// went back once.
async fn assert_always_in_time(what: &str, button: Press, spoil: impl FnOnce(&Shop, &Placed)) {
    let (shop, order) = spoiled(button, spoil).await;
    let (verified, delivered) =
        tokio::join!(shop.verify(&order.id), shop.deliver_about("Transaction.Paid", &order.id));
    assert_in_time(what, &verified);
    assert_in_time(what, &delivered);
    for function in ["verify-payment", "webhook"] {
        let counters = shop.stack.gateway().counters(function).unwrap();
        assert_eq!((counters.timeouts, counters.crashes), (0, 0), "{what}: {function}");
    }

    shop.stack.heal();
    shop.portone().clear_faults();
    shop.verify(&order.id).await;
    let end = shop.verify(&order.id).await.expect(200);
    if button == Press::Tamper {
        assert_eq!(end["status"], "REJECTED", "{what}");
        assert_eq!(shop.returned(&order), (1, 200), "{what}");
    } else {
        assert_eq!(end["status"], "PAID", "{what}");
    }
}

#[tokio::test]
async fn whatever_is_slow_the_answer_comes_before_api_gateway_gives_up() {
    let slow_money =
        assert_always_in_time("PortOne does it and never says so", Press::Tamper, |shop, order| {
            shop.portone().set_cancel_mode(&order.id, CancelMode::EffectThenHang, Some(1)).unwrap();
        });
    let late_read =
        assert_always_in_time("a slow read, then no answer about the money", Press::Tamper, |shop, _| {
            shop.portone_wire().inject(Rule::on(READ), Fault::DelayAfter(seconds(9)));
            shop.portone_wire().inject(Rule::on(CANCEL), Fault::Hang);
        });
    let late_table = assert_always_in_time("everything as slow as it may be", Press::Tamper, |shop, _| {
        shop.portone_wire().inject(Rule::on(READ), Fault::DelayAfter(Duration::from_millis(9500)));
        shop.portone_wire().inject(Rule::on(CANCEL), Fault::DelayAfter(seconds(24)));
        shop.table_wire().inject(Rule::any(), Fault::DelayAfter(Duration::from_millis(1300)));
    });
    let lost_outcome =
        assert_always_in_time("the money at the last moment, then no table", Press::Tamper, |shop, _| {
            shop.portone_wire().inject(Rule::on(CANCEL), Fault::DelayAfter(seconds(22)));
            shop.table_wire().inject(Rule::on("UpdateItem").after(2), Fault::Hang);
        });
    let all_gone = assert_always_in_time("nobody answers", Press::Pay, |shop, _| {
        shop.portone_wire().inject(Rule::any(), Fault::Hang);
        shop.table_wire().inject(Rule::any(), Fault::Hang);
        shop.secret_wire().inject(Rule::any(), Fault::Hang);
    });
    let refused_slowly =
        assert_always_in_time("a refused secret that nobody can read anew", Press::Pay, |shop, _| {
            let refused = Fault::json(401, &json!({ "type": "UNAUTHORIZED" }));
            shop.portone_wire().inject(Rule::on(READ), refused);
            shop.secret_wire().inject(Rule::any(), Fault::Hang);
        });
    let conflicts = assert_always_in_time("every write throttled slowly", Press::Pay, |shop, _| {
        shop.table_wire().inject(Rule::on("GetItem"), Fault::DelayBefore(Duration::from_millis(1400)));
        shop.table_wire().inject(Rule::on("UpdateItem"), Fault::Throttle);
    });
    tokio::join!(slow_money, late_read, late_table, lost_outcome, all_gone, refused_slowly, conflicts);
}

#[tokio::test]
async fn a_webhook_is_answered_within_the_30_seconds_that_portone_waits() {
    let (shop, order) = spoiled(Press::Tamper, |shop, order| {
        shop.portone().set_switches(|switches| switches.ready_webhook = false);
        shop.portone().set_cancel_mode(&order.id, CancelMode::EffectThenHang, Some(1)).unwrap();
    })
    .await;
    shop.release_webhooks().await;
    let delivery = &shop.portone().deliveries_of(&order.id)[0];
    let outcome = &delivery.executions[0].outcome;
    assert!(matches!(outcome, portone_simulator::webhook::Outcome::Answered { .. }), "{outcome:?}");
}
