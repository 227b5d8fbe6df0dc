//! What nobody reported is found by looking at what waits: lost webhooks, cancellations without an outcome,
//! parked deliveries, broken records. Twice is once, and a run may stop anywhere.

use end_to_end::{Placed, Shop, schedule::millis_ago, shop::basket, table};
use futures::{StreamExt as _, stream};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, CancelMode, Press};
use serde_json::{Value, json};

const CANCEL: &str = "POST /payments/{paymentId}/cancel";
/// PortOne's lists.
const LIST: &str = "GET /payments";
const V1_LIST: &str = "GET /payments/status/{status}";

const APPROVE_CANCELLATION: Act = Act::ApproveCancellation { cancellation_id: None };
const FAIL_CANCELLATION: Act = Act::FailCancellation { cancellation_id: None };

/// An order that its shop knows to be paid.
async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    order
}

/// The same of V1, and its `imp_uid`.
async fn paid_v1(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
    (order, imp_uid)
}

/// A run of which PortOne's lists do not answer: what it finds, it finds by looking at what waits.
async fn look_only(shop: &Shop) -> Value {
    let v2 = shop.portone_wire().inject(Rule::on(LIST), Fault::ServerError);
    let v1 = shop.v1_wire().inject(Rule::on(V1_LIST), Fault::ServerError);
    let summary = shop.reconcile().await;
    shop.portone_wire().remove(&v2);
    shop.v1_wire().remove(&v1);
    summary
}

fn row(shop: &Shop, order: &Placed, index: usize) -> Value {
    shop.stored(&order.id)["cancellations"][index].clone()
}

/// U2, U5: a webhook that never comes.
#[tokio::test]
async fn a_payment_that_nobody_reported_is_found_when_its_order_is_looked_at() {
    let shop = Shop::open().await;
    let (card, v1, failed) = (shop.placed().await, shop.placed_v1().await, shop.placed().await);
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let account = shop.placed_for(&body).await;
    shop.pay(&card).await;
    shop.pay_v1(&v1).await;
    shop.press(&failed, Press::Decline).await;
    shop.press(&account, Press::Issue).await;
    for order in [&card, &v1, &failed, &account] {
        shop.make_due(order);
    }
    look_only(&shop).await;
    let ends: Vec<_> = [&card, &v1, &failed, &account].map(|order| shop.status(order)).into();
    assert_eq!(ends, ["PAID", "PAID", "PENDING", "VIRTUAL_ACCOUNT_ISSUED"]);
    assert_eq!(shop.view(&failed).await["lastFailure"]["code"], "REJECT_CARD_COMPANY");

    shop.portone().act(&account.id, &Act::Deposit { amount: None }).unwrap();
    shop.make_due(&account);
    look_only(&shop).await;
    assert_eq!(shop.status(&account), "PAID");
    assert!(shop.portone().deliveries().iter().all(|delivery| delivery.executions.is_empty()));
}

/// U20, U26: a call without an answer is asked for again under its own key.
#[tokio::test]
async fn a_cancellation_without_an_answer_is_finished_and_returns_the_money_once() {
    for fault in [Fault::ResetBefore, Fault::ServerError, Fault::ResetAfter, Fault::HalfBody] {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        shop.portone_wire().inject(Rule::on(CANCEL).times(1), fault);
        let answer = shop.cancel_order(&order, "a-wish", Some(700)).await.expect(202);
        assert_eq!(answer["cancellation"]["status"], "UNKNOWN");
        shop.make_due(&order);
        look_only(&shop).await;
        assert_eq!(shop.returned(&order), (1, 700));
        assert_eq!(
            (shop.status(&order).as_str(), row(&shop, &order, 0)["status"].as_str()),
            ("PARTIAL_CANCELLED", Some("SUCCEEDED"))
        );
        assert_eq!(shop.stored(&order.id)["cancellations"].as_array().unwrap().len(), 1);
        let mut keys: Vec<_> =
            shop.portone_calls("POST", "/cancel").into_iter().filter_map(|(key, _, _)| key).collect();
        keys.dedup();
        assert_eq!(keys.len(), 1, "{keys:?}");
    }
}

/// U23: V1 has no keys, so nobody asks again while the first call may still run.
#[tokio::test]
async fn a_cancellation_of_v1_without_an_answer_is_asked_for_again_after_ten_minutes_and_not_before() {
    let shop = Shop::open().await;
    let (order, imp_uid) = paid_v1(&shop).await;
    shop.v1_wire().inject(Rule::on("POST /payments/cancel").times(1), Fault::ServerError);
    shop.cancel_order(&order, "a-wish", Some(700)).await.expect(202);
    shop.make_due(&order);
    look_only(&shop).await;
    assert_eq!(shop.v1_wire().count("POST /payments/cancel"), 1);
    assert_eq!(row(&shop, &order, 0)["status"], "INTENDED");

    table::age_cancellation(&shop.stack, &order.id, 11);
    shop.make_due(&order);
    for _ in 0..2 {
        shop.reconcile_all().await;
        shop.make_due(&order);
    }
    assert_eq!(shop.v1_wire().count("POST /payments/cancel"), 2);
    assert_eq!(shop.portone().v1_payment(&imp_uid).unwrap()["cancel_amount"], 700);
    assert_eq!(row(&shop, &order, 0)["status"], "SUCCEEDED");
}

/// U24: asked for is not returned.
#[tokio::test]
async fn a_cancellation_that_the_pg_decides_later_is_looked_at_until_it_is_decided() {
    for (decision, status, in_ledger) in
        [(APPROVE_CANCELLATION, "CANCELLED", "SUCCEEDED"), (FAIL_CANCELLATION, "PAID", "FAILED")]
    {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
        let answer = shop.cancel_order(&order, "a-wish", None).await.expect(202);
        assert_eq!(answer["cancellation"]["status"], "REQUESTED");
        for _ in 0..2 {
            shop.make_due(&order);
            look_only(&shop).await;
            assert_eq!(
                (shop.status(&order).as_str(), row(&shop, &order, 0)["status"].as_str()),
                ("PAID", Some("REQUESTED"))
            );
            assert!(shop.stored(&order.id)["lookAt"].is_i64(), "it is looked at again");
        }
        shop.portone().act(&order.id, &decision).unwrap();
        shop.make_due(&order);
        look_only(&shop).await;
        assert_eq!(
            (shop.status(&order).as_str(), row(&shop, &order, 0)["status"].as_str()),
            (status, Some(in_ledger))
        );
        assert_eq!(shop.stored(&order.id)["lookAt"], Value::Null);
        assert_eq!(shop.portone_calls("POST", "/cancel").len(), 1);
    }
}

/// U21: the PG refuses again and again; it is asked less and less often, and a person is told.
#[tokio::test]
async fn money_that_a_pg_keeps_refusing_becomes_one_finding_and_is_asked_for_ever_less_often() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::RefuseByPg, None).unwrap();
    let asked = |shop: &Shop| shop.portone_wire().count(CANCEL);
    for _ in 0..6 {
        shop.verify(&order.id).await;
        shop.make_due(&order);
        shop.reconcile().await;
    }
    assert_eq!(asked(&shop), 3, "three times at once");
    assert_eq!(shop.found("RETURN_REFUSED"), [order.id.as_str()]);
    let since = shop.findings("RETURN_REFUSED")[0]["firstSeenAt"].clone();

    // After a minute, after two more, after four more.
    for (round, minutes) in [(4, 1), (5, 2), (6, 4)] {
        table::age_cancellations(&shop.stack, &order.id, minutes - 1);
        shop.make_due(&order);
        shop.reconcile().await;
        assert_eq!(asked(&shop), round - 1, "not before {minutes} minutes");
        table::age_cancellations(&shop.stack, &order.id, 1);
        shop.make_due(&order);
        shop.reconcile().await;
        assert_eq!(asked(&shop), round, "after {minutes} minutes");
    }
    assert_eq!(shop.findings("RETURN_REFUSED")[0]["firstSeenAt"], since);

    shop.portone().set_cancel_mode(&order.id, CancelMode::Sync, None).unwrap();
    table::age_cancellations(&shop.stack, &order.id, 8);
    shop.make_due(&order);
    assert_eq!(shop.reconcile_all().await["settled"], 1);
    assert!(shop.findings("RETURN_REFUSED").is_empty());
    assert_eq!(shop.returned(&order), (1, 200));
}

/// U20: an hour without an outcome.
#[tokio::test]
async fn a_cancellation_that_nobody_knows_the_outcome_of_becomes_a_finding_until_it_is_known() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let silence = shop.portone_wire().inject(Rule::on(CANCEL), Fault::ServerError);
    shop.cancel_order(&order, "a-wish", None).await.expect(202);
    shop.make_due(&order);
    shop.reconcile().await;
    assert!(shop.findings("OUTCOME_UNKNOWN").is_empty(), "too early");
    table::age_cancellations(&shop.stack, &order.id, 61);
    shop.make_due(&order);
    shop.reconcile().await;
    assert_eq!(shop.found("OUTCOME_UNKNOWN"), [order.id.as_str()]);
    shop.portone_wire().remove(&silence);
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert!(shop.findings("OUTCOME_UNKNOWN").is_empty());
    assert_eq!((shop.status(&order).as_str(), shop.returned(&order)), ("CANCELLED", (1, 2000)));
}

/// U25.
#[tokio::test]
async fn a_payment_that_the_pg_does_not_decide_for_three_days_becomes_a_finding_until_it_does() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.slow_approval_ms = None);
    let order = shop.placed().await;
    shop.press(&order, Press::Slow).await;
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert!(shop.findings("UNDECIDED").is_empty());
    table::set_order(&shop.stack, &order.id, "createdAt", &millis_ago(73 * 3_600_000));
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert_eq!(shop.found("UNDECIDED"), [order.id.as_str()]);
    shop.portone().act(&order.id, &Act::Approve { amount: None, other_channel: false }).unwrap();
    shop.make_due(&order);
    shop.reconcile_all().await;
    assert!(shop.findings("UNDECIDED").is_empty());
    assert_eq!(shop.status(&order), "PAID");
}

/// U2, U6: V1 sends a webhook once.
#[tokio::test]
async fn parked_deliveries_of_v1_are_worked_off_when_v1_answers_again() {
    let shop = Shop::open().await;
    let (first, second) = (shop.placed_v1().await, shop.placed_v1().await);
    let uids = [shop.pay_v1(&first).await, shop.pay_v1(&second).await];
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    for (order, imp_uid) in [&first, &second].into_iter().zip(&uids) {
        shop.deliver_v1(imp_uid, order, "paid").await.expect(200);
    }
    assert_eq!(shop.parked().len(), 2);
    let summary = shop.reconcile().await;
    assert_eq!((&summary["unparked"], &summary["complete"]), (&json!(0), &json!(false)), "{summary}");
    assert_eq!(shop.parked().len(), 2, "nothing is forgotten");

    shop.stack.heal();
    assert_eq!(shop.reconcile_all().await["unparked"], 2);
    assert!(shop.parked().is_empty());
    assert_eq!([shop.status(&first), shop.status(&second)], ["PAID", "PAID"]);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_becomes_a_finding_and_keeps_no_other_waiting() {
    let shop = Shop::open().await;
    let (broken, sound) = (shop.placed().await, shop.placed().await);
    shop.pay(&broken).await;
    shop.pay(&sound).await;
    let total =
        table::items(&shop.stack, "ORDER#").iter().find(|item| item["id"] == broken.id).unwrap()["total"]
            .clone();
    table::set_order(&shop.stack, &broken.id, "total", &json!({ "S": "a lot" }));
    shop.make_due(&broken);
    shop.make_due(&sound);
    look_only(&shop).await;
    assert_eq!(shop.status(&sound), "PAID");
    assert_eq!(shop.found("BROKEN_ORDER"), [broken.id.as_str()]);
    assert_eq!(look_only(&shop).await["lookedAt"], 0, "it is put off");
    assert_eq!(shop.found("BROKEN_ORDER"), [broken.id.as_str()], "and not forgotten");

    // A person mended it.
    let mended =
        json!({ "M": { "amount": { "N": total["amount"].to_string() }, "currency": { "S": "KRW" } } });
    table::set_order(&shop.stack, &broken.id, "total", &mended);
    shop.reconcile_all().await;
    assert!(shop.findings("BROKEN_ORDER").is_empty());
    assert_eq!(shop.status(&broken), "PAID");
}

/// What a run that reached nothing leaves, the next one does.
#[tokio::test]
async fn a_run_while_portone_is_down_loses_nothing() {
    let shop = Shop::open().await;
    let (waiting, lost, cancelled) = (shop.placed().await, shop.placed().await, paid(&shop).await);
    let (v1, _) = paid_v1(&shop).await;
    shop.expire(&waiting, 1_000);
    shop.pay(&lost).await;
    shop.portone().act(&cancelled.id, &end_to_end::schedule::console_cancel(None)).unwrap();
    shop.portone().act(&v1.id, &end_to_end::schedule::console_cancel(None)).unwrap();
    let before = shop.stored_orders();
    for fault in [Fault::ServerError, Fault::ResetBefore, Fault::html(503)] {
        shop.portone_wire().inject(Rule::any(), fault.clone());
        shop.v1_wire().inject(Rule::any(), fault);
        let summary = shop.reconcile().await;
        assert_eq!(summary["complete"], false, "{summary}");
        assert_eq!(shop.stored_orders(), before);
        shop.stack.heal();
    }
    shop.reconcile_all().await;
    let ends = [&waiting, &lost, &cancelled, &v1].map(|order| shop.status(order));
    assert_eq!(ends, ["EXPIRED", "PAID", "CANCELLED", "CANCELLED"]);
}

/// Some of everything that can be wrong, all of it due.
async fn damaged(shop: &Shop) -> Vec<(Placed, &'static str)> {
    let mut orders = Vec::new();
    for _ in 0..3 {
        let abandoned = shop.placed().await;
        shop.expire(&abandoned, 1_000);
        orders.push((abandoned, "EXPIRED"));
        let lost = shop.placed().await;
        shop.pay(&lost).await;
        shop.make_due(&lost);
        orders.push((lost, "PAID"));
        let mismatch = shop.placed().await;
        shop.press(&mismatch, Press::Tamper).await;
        shop.make_due(&mismatch);
        orders.push((mismatch, "REJECTED"));
        let unanswered = paid(shop).await;
        shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ServerError);
        shop.cancel_order(&unanswered, "a-wish", None).await.expect(202);
        shop.make_due(&unanswered);
        orders.push((unanswered, "CANCELLED"));
    }
    orders
}

#[track_caller]
fn assert_ends(shop: &Shop, orders: &[(Placed, &'static str)]) {
    for (order, end) in orders {
        assert_eq!(shop.status(order), *end, "{}", order.id);
        match *end {
            "REJECTED" => assert_eq!(shop.returned(order), (1, 200)),
            "CANCELLED" => assert_eq!(shop.returned(order), (1, 2000)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn two_runs_at_once_do_what_one_does() {
    let shop = Shop::open().await;
    shop.set_stock("shoes", 100);
    let orders = damaged(&shop).await;
    let (first, second) = tokio::join!(shop.reconcile(), shop.reconcile());
    assert!(first["lookedAt"].as_u64().max(second["lookedAt"].as_u64()) > Some(0));
    shop.reconcile_all().await;
    assert_ends(&shop, &orders);
    assert_eq!(shop.stock("shoes"), json!(100 - 2 * 3));
    for (order, end) in &orders {
        let versions = if matches!(*end, "PAID" | "EXPIRED") {
            2
        } else {
            shop.stored(&order.id)["version"].as_u64().unwrap()
        };
        assert_eq!(shop.stored(&order.id)["version"], versions);
        assert_eq!(
            shop.stored(&order.id)["journal"].as_array().unwrap().len() as u64,
            versions,
            "one entry for each write"
        );
    }
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_finished_by_the_next() {
    for held in
        [("UpdateItem", 2), ("UpdateItem", 5), ("TransactWriteItems", 1), ("Query", 20), ("GetItem", 4)]
    {
        let shop = Shop::open().await;
        shop.set_stock("shoes", 100);
        let orders = damaged(&shop).await;
        let gate = shop.table_wire().hold_before(Rule::on(held.0).after(held.1).times(1));
        let kill = async {
            shop.at_gate(&gate, 1).await;
            shop.kill("reconcile").await;
        };
        let (run, ()) = tokio::join!(shop.stack.run_schedule("reconcile"), kill);
        assert!(run.is_err(), "{held:?}: a killed run answers nothing");
        drop(gate);
        shop.stack.heal();
        shop.reconcile_all().await;
        assert_ends(&shop, &orders);
        assert_eq!(shop.stock("shoes"), json!(100 - 2 * 3), "{held:?}");
    }
}

#[tokio::test]
async fn a_run_that_is_killed_at_a_call_that_moves_money_is_finished_by_the_next() {
    for after in [false, true] {
        let shop = Shop::open().await;
        let orders = damaged(&shop).await;
        shop.stack.heal();
        let rule = Rule::on(CANCEL).after(1).times(1);
        let gate =
            if after { shop.portone_wire().hold_after(rule) } else { shop.portone_wire().hold_before(rule) };
        let kill = async {
            shop.at_gate(&gate, 1).await;
            shop.kill("reconcile").await;
        };
        let (run, ()) = tokio::join!(shop.stack.run_schedule("reconcile"), kill);
        assert!(run.is_err());
        drop(gate);
        for (order, _) in &orders {
            if shop.stored(&order.id)["waiting"].is_string() {
                shop.make_due(order);
            }
        }
        shop.reconcile_all().await;
        assert_ends(&shop, &orders);
    }
}

#[tokio::test]
async fn a_run_over_what_is_settled_writes_how_far_it_came_and_nothing_else() {
    let shop = Shop::open().await;
    let orders = damaged(&shop).await;
    shop.portone().put_payment("an-orphan", &portone_simulator::PaymentSpec::default()).unwrap();
    shop.reconcile_all().await;
    assert_ends(&shop, &orders);
    let (stored, findings) = (shop.stored_orders(), shop.findings("ORPHAN"));
    for _ in 0..2 {
        let mark = shop.stack.mark();
        let summary = shop.reconcile_all().await;
        assert_eq!((&summary["lookedAt"], &summary["moved"]), (&json!(0), &json!(0)), "{summary}");
        let writes = shop.writes_since(mark);
        assert_eq!(writes.len(), 2, "one mark for each generation: {writes:?}");
        assert_eq!((shop.stored_orders(), shop.findings("ORPHAN")), (stored.clone(), findings.clone()));
    }
}

/// More than one page of one shard, and of many.
#[tokio::test]
async fn every_order_that_is_due_is_looked_at_in_one_run() {
    let shop = Shop::open().await;
    let orders: Vec<_> = stream::iter(0..60).map(|_| shop.placed()).buffer_unordered(8).collect().await;
    for order in &orders {
        shop.expire(order, 1_000);
        // All of them in one shard of the index.
        table::set_order(&shop.stack, &order.id, "waiting", &json!({ "S": "7" }));
    }
    assert_eq!(shop.reconcile_all().await["lookedAt"], 60);
    assert!(orders.iter().all(|order| shop.status(order) == "EXPIRED"));
    assert_eq!(shop.reconcile_all().await["lookedAt"], 0);
}

#[tokio::test]
async fn a_run_that_leaves_parked_deliveries_does_not_call_itself_complete() {
    let shop = Shop::open().await;
    for n in 0..101 {
        let imp_uid = format!("imp_{n:03}");
        let key = format!("V1#{imp_uid}");
        table::put(
            &shop.stack,
            &json!({
                "PK": { "S": "PARKED" }, "SK": { "S": key }, "impUid": { "S": imp_uid }, "parkedAt": { "N": "1" },
            }),
        );
    }
    let summary = shop.reconcile().await;
    assert_eq!(summary["complete"] == true, shop.parked().is_empty(), "{summary}");
}
