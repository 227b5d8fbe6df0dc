//! Until nothing moves any more: the network is whole again, time passes, and the schedule looks.

use end_to_end::{Shop, table};
use serde_json::{Value, json};

/// Runs of the schedule after which an order that still moves never comes to rest.
const RUNS_MAX: usize = 8;
/// V1 is asked again for money ten minutes after it was last asked.
const V1_MINUTES: u32 = 11;

/// Heals the wires, lets the time pass that is waited for, and runs the schedule until a run changes nothing.
/// An error says what did not come to rest. No webhook comes, and nobody repeats anything.
pub async fn come_to_rest(shop: &Shop) -> Result<(), String> {
    shop.stack.heal();
    let mut last = Value::Null;
    for _ in 0..RUNS_MAX {
        let before = shop.stored_orders();
        before.iter().for_each(|order| let_time_pass(shop, order));
        last = shop.stack.run_schedule("reconcile").await.map_err(|error| error.to_string())?;
        let done = last["complete"] == true && last["failed"] == 0 && last["moved"] == 0;
        if done && versions(&before) == versions(&shop.stored_orders()) {
            return Ok(());
        }
    }
    Err(format!("still moving after {RUNS_MAX} runs: {last}"))
}

/// The next look is due, and PortOne cannot be at work any more on what it was asked for.
fn let_time_pass(shop: &Shop, order: &Value) {
    let id = order["id"].as_str().expect("an order has an id");
    let intended = |row: &Value| row["status"] == "INTENDED";
    if order["cancellations"].as_array().is_some_and(|rows| rows.iter().any(intended)) {
        table::age_asking(&shop.stack, order, V1_MINUTES);
    }
    if order["waiting"].is_string() {
        table::set_order(&shop.stack, id, "lookAt", &json!({ "N": "0" }));
    }
}

fn versions(orders: &[Value]) -> Vec<(Value, Value)> {
    let mut versions: Vec<_> = orders.iter().map(|it| (it["id"].clone(), it["version"].clone())).collect();
    versions.sort_by_key(|(id, _)| id.to_string());
    versions
}
