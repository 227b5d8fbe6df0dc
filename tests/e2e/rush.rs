//! A thousand buyers for a hundred pieces, through real processes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use end_to_end::{Answer, Placed, Shop, schedule::millis_ago, setting, shop::basket, table};
use futures::{StreamExt as _, stream};
use local_stack::wire::{Fault, Rule};
use serde_json::json;

/// If `RUSH_BUYERS` names no other number.
const BUYERS: u64 = 1_000;
/// Buyers for a piece.
const BUYERS_A_PIECE: usize = 10;
/// Buyers at the same moment, and environments of the function.
const AT_ONCE: usize = 32;
/// In the cloud, transactions about one product meet; here every so many-th is told that it did.
const CONFLICT_EACH: usize = 5;

/// The answer's time that 99 of 100 answers do not exceed.
fn p99(answers: &[Answer]) -> Duration {
    let mut times: Vec<_> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

/// U12, U13: exactly what is there is sold, everybody else is turned away clearly, and what is not paid for
/// comes back.
#[tokio::test]
async fn a_thousand_buyers_of_a_hundred_pieces_buy_exactly_a_hundred_and_what_is_not_paid_for_comes_back() {
    let buyers = usize::try_from(setting("RUSH_BUYERS", BUYERS)).expect("a number of buyers");
    let pieces = buyers / BUYERS_A_PIECE;
    let shop = Shop::open_with(|options| options.max_environments = AT_ONCE).await;
    shop.set_stock("shoes", u32::try_from(pieces).expect("a number of pieces"));
    let transactions = AtomicUsize::new(0);
    let conflicts = shop.table_wire().inject(
        Rule::on("TransactWriteItems")
            .when(move |_| transactions.fetch_add(1, Ordering::Relaxed) % CONFLICT_EACH == CONFLICT_EACH - 1),
        Fault::TransactionConflict,
    );

    let body = basket("shoes", 1);
    let begun = Instant::now();
    let answers = stream::iter(0..buyers).map(|_| shop.order(&body)).buffer_unordered(AT_ONCE);
    let answers: Vec<Answer> = answers.collect().await;
    let took = begun.elapsed();
    println!("rush: {buyers} buyers, {AT_ONCE} at once: {took:.1?}, p99 {:.0?}", p99(&answers));

    let orders: Vec<Placed> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| Placed::of(answer.json()))
        .collect();
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        let problem = refused.expect_problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["code"], "sold-out", "{problem}");
        assert_eq!(problem["errors"][0]["pointer"], "/items/0/quantity");
    }
    assert_eq!((orders.len(), shop.stock("shoes")), (pieces, json!(0)));
    assert_eq!(shop.stored_orders().len(), pieces);
    assert!(conflicts.hits() >= pieces / CONFLICT_EACH, "transactions met each other");
    shop.stack.heal();

    // Of a hundred sixty pay, of whom thirty tell the shop; forty do not.
    let (paying, leaving) = orders.split_at(pieces * 6 / 10);
    for (index, order) in paying.iter().enumerate() {
        shop.put_payment(order, |_| {});
        if index % 2 == 0 {
            assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        }
    }
    for order in &orders {
        table::set_order(&shop.stack, &order.id, "expiresAt", &millis_ago(1_000));
    }
    // All of them are due, in whatever order their shards come.
    for order in orders.iter().filter(|order| shop.stored(&order.id)["waiting"].is_string()) {
        shop.make_due(order);
    }
    let begun = Instant::now();
    let (first, second) = tokio::join!(shop.reconcile(), shop.reconcile());
    println!("rush: two runs of reconcile at once: {:.1?}", begun.elapsed());
    assert_eq!((&first["failed"], &second["failed"]), (&json!(0), &json!(0)), "{first} {second}");
    shop.reconcile_all().await;

    assert!(paying.iter().all(|order| shop.status(order) == "PAID"));
    assert!(leaving.iter().all(|order| shop.status(order) == "EXPIRED"));
    assert_eq!(shop.stock("shoes"), json!(leaving.len()));
    let again = shop.order(&body).await;
    assert_eq!((again.status, shop.stock("shoes")), (201, json!(leaving.len() - 1)));
}
