//! Races: many real processes of each function at one order at the same moment. One wins, the rest agree, and
//! what the table says in between is no answer to anybody.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use end_to_end::{Answer, Placed, Shop, shop::basket};
use futures::future::{BoxFuture, join_all};
use local_stack::wire::{Fault, Mark, Rule};
use portone_simulator::{Act, Press};
use serde_json::{Value, json};

use crate::{
    model::{self, COUNTED, Story},
    operation,
    quiet::come_to_rest,
};

/// Processes of one function.
const PROCESSES: usize = 6;
/// Processes of each function where all are at it.
const IN_STORM: usize = 3;
/// An order that nobody made.
const NOBODYS: &str = "01JDABCDEFGHJKMNPQRSTVWXYZ";

fn settled_writes(shop: &Shop, since: Mark, operation: &str) -> usize {
    shop.calls_since(since, operation).iter().filter(|call| call.status == Some(200)).count()
}

/// As many processes as there are calls stand before the same write, each having read the order as it was; then
/// all of them write.
async fn at_once(shop: &Shop, write: &str, calls: Vec<BoxFuture<'_, Answer>>) -> Vec<Answer> {
    let stand = calls.len();
    let gate = shop.table_wire().hold_before(Rule::on(write).times(stand));
    let open = async {
        shop.at_gate(&gate, stand).await;
        gate.open();
    };
    tokio::join!(join_all(calls), open).0
}

/// As [`at_once`] before a read, so that so many processes are there: starting them takes longer than a writer may
/// wait.
async fn warm(shop: &Shop, function: &str, read: &str, calls: Vec<BoxFuture<'_, Answer>>) {
    let wanted = calls.len();
    at_once(shop, read, calls).await;
    let there = shop.stack.gateway().environments(function).expect("a function of the template").len();
    assert!(there >= wanted, "{there} processes of {function}");
}

/// An order that is none, for what has to start and change nothing.
fn nobodys() -> Placed {
    Placed { id: NOBODYS.to_owned(), token: String::new(), body: Value::Null }
}

fn same<'a>(answers: &[Answer], of: impl Fn(&Value) -> Value + 'a) {
    let told: BTreeSet<String> = answers.iter().map(|answer| of(&answer.json()).to_string()).collect();
    assert_eq!(told.len(), 1, "all are told the same: {told:?}");
}

async fn ends_right(shop: &Shop, story: Story) {
    come_to_rest(shop).await.unwrap();
    model::agrees(shop, &[story]).await.unwrap();
    model::events_agree(shop).await.unwrap();
}

fn report<'a>(shop: &'a Shop, function: &str, order: &'a Placed) -> BoxFuture<'a, Answer> {
    match function {
        "verify-payment" => Box::pin(shop.verify(&order.id)),
        "webhook" => Box::pin(shop.deliver_about("Transaction.Paid", &order.id)),
        _ => Box::pin(shop.sync_now(order)),
    }
}

#[tokio::test]
async fn of_many_processes_that_report_a_payment_one_writes_it_and_all_agree() {
    for function in ["verify-payment", "webhook", "back-office"] {
        let shop = operation::open().await;
        let order = shop.placed().await;
        shop.pay(&order).await;
        let nobodys = nobodys();
        let report = |order| (0..PROCESSES).map(|_| report(&shop, function, order)).collect();
        warm(&shop, function, "GetItem", report(&nobodys)).await;
        let mark = shop.stack.mark();
        let answers = at_once(&shop, "UpdateItem", report(&order)).await;
        answers.iter().for_each(|answer| drop(answer.expect(200)));
        same(&answers, |body| body["status"].clone());
        assert_eq!(settled_writes(&shop, mark, "UpdateItem"), 1, "{function}");
        ends_right(&shop, Story::of(order)).await;
    }
}

#[tokio::test]
async fn of_many_processes_that_see_a_mismatch_the_money_goes_back_once() {
    for v1 in [false, true] {
        let shop = operation::open().await;
        let order = if v1 { shop.placed_v1().await } else { shop.placed().await };
        let mut uid = String::new();
        if v1 {
            uid = shop.press_v1(&order, Press::Tamper).await;
        } else {
            shop.press(&order, Press::Tamper).await;
        }
        let look = |number: usize| -> BoxFuture<'_, Answer> {
            match (v1, number % 2) {
                (true, 0) => Box::pin(shop.verify_v1(&uid, &order)),
                (true, _) => Box::pin(shop.deliver_v1(&uid, &order, "paid")),
                (false, 0) => Box::pin(shop.verify(&order.id)),
                (false, _) => Box::pin(shop.deliver_about("Transaction.Paid", &order.id)),
            }
        };
        let nobodys = nobodys();
        for function in ["verify-payment", "webhook"] {
            let calls = (0..PROCESSES / 2).map(|_| report(&shop, function, &nobodys)).collect();
            warm(&shop, function, "GetItem", calls).await;
        }
        // The pieces go back with the rejection: it is a transaction.
        let answers = at_once(&shop, "TransactWriteItems", (0..PROCESSES).map(look).collect()).await;
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 409 | 503)), "{answers:?}");
        come_to_rest(&shop).await.unwrap();
        assert_eq!(shop.returned(&order), (1, shop.payment(&order)["amount"]["total"].as_i64().unwrap()));
        ends_right(&shop, Story::of(order)).await;
    }
}

fn cancel<'a>(shop: &'a Shop, order: &'a Placed, key: String) -> BoxFuture<'a, Answer> {
    Box::pin(async move { shop.cancel_amount(order, &key, None).await })
}

#[tokio::test]
async fn of_many_processes_that_cancel_one_is_done_under_one_key_and_one_under_many() {
    for keys in [1, PROCESSES] {
        let shop = operation::open().await;
        let order = shop.placed().await;
        shop.pay(&order).await;
        shop.verify(&order.id).await.expect(200);
        let nobodys = nobodys();
        let cancel = |order| {
            let cancel = |number| cancel(&shop, order, format!("key-{}", number % keys));
            (0..PROCESSES).map(cancel).collect()
        };
        warm(&shop, "cancel-order", "GetItem", cancel(&nobodys)).await;
        let answers = at_once(&shop, "UpdateItem", cancel(&order)).await;
        let done = answers.iter().filter(|answer| answer.status < 300).count();
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 202 | 409 | 503)), "{answers:?}");
        assert!(done >= 1 && (keys == 1 || done == 1), "{keys} keys, {done} done: {answers:?}");
        assert_eq!(shop.returned(&order), (1, 2_000));
        // Who finds the intent of another may ask again, as the same cancellation.
        let asked: BTreeSet<_> = shop.v2_cancels(&order).into_iter().map(|(key, _)| key).collect();
        assert_eq!(asked.len(), 1, "PortOne is asked for one cancellation: {asked:?}");
        ends_right(&shop, Story::of(order)).await;
    }
}

#[tokio::test]
async fn of_many_processes_that_order_under_one_key_one_makes_the_order() {
    let shop = operation::open().await;
    let body = basket(COUNTED, 2);
    let nothing = basket("nothing", 1);
    let order = |body| {
        let order = |_| -> BoxFuture<'_, Answer> { Box::pin(shop.order_once("one-key", body)) };
        (0..PROCESSES).map(order).collect()
    };
    warm(&shop, "create-order", "BatchGetItem", order(&nothing)).await;
    let answers = at_once(&shop, "TransactWriteItems", order(&body)).await;
    assert_eq!(shop.stack.gateway().environments("create-order").unwrap().len(), PROCESSES);
    answers.iter().for_each(|answer| drop(answer.expect(201)));
    same(&answers, |body| json!([body["orderId"], body["orderToken"]]));
    let replayed = answers.iter().filter(|answer| answer.header("idempotent-replayed") == Some("true"));
    assert_eq!((replayed.count(), shop.stored_orders().len()), (PROCESSES - 1, 1));
    let placed = Placed::of(answers[0].json());
    ends_right(&shop, Story::of(placed)).await;
}

/// In the cloud transactions meet each other and tables are busy; the embedded database never says so.
#[tokio::test]
async fn in_a_storm_of_conflicts_and_throttling_every_function_at_one_order_harms_nothing() {
    let shop = operation::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.portone()
        .act(
            &order.id,
            &Act::Cancel { amount: Some(300), tax_free_amount: None, reason: None, trigger: None },
        )
        .unwrap();
    let nobodys = nobodys();
    for function in ["verify-payment", "webhook", "back-office"] {
        let calls = (0..IN_STORM).map(|_| report(&shop, function, &nobodys)).collect();
        warm(&shop, function, "GetItem", calls).await;
    }
    for (each, fault) in [(3, Fault::TransactionConflict), (4, Fault::Throttle)] {
        let calls = AtomicUsize::new(0);
        let writes = |name: &str| matches!(name, "UpdateItem" | "TransactWriteItems");
        let unlucky = move |call: &local_stack::wire::Request| {
            writes(&call.operation) && calls.fetch_add(1, Ordering::Relaxed) % each == each - 1
        };
        shop.table_wire().inject(Rule::any().when(unlucky), fault);
    }
    let one = |number: usize| -> BoxFuture<'_, u16> {
        let (shop, order) = (&shop, &order);
        Box::pin(async move {
            match number % 6 {
                0 => shop.verify(&order.id).await.status,
                1 => shop.deliver_about("Transaction.Paid", &order.id).await.status,
                2 => shop.sync_now(order).await.status,
                3 => shop.cancel_amount(order, &format!("key-{number}"), Some(500)).await.status,
                4 => shop.get_order(&order.id, Some(&order.token)).await.status,
                _ => {
                    shop.make_due(order);
                    if shop.stack.run_schedule("reconcile").await.is_ok() { 200 } else { 503 }
                }
            }
        })
    };
    let answers = join_all((0..6 * IN_STORM).map(one)).await;
    assert!(answers.iter().all(|status| matches!(status, 200 | 202 | 409 | 503)), "{answers:?}");
    ends_right(&shop, Story::of(order)).await;
}
