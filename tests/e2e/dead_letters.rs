//! What cannot be told or run ends in a queue, and both get there under the template's own roles.

use end_to_end::{Shop, in_time};
use lambda_gateway::{InvokeError, ScheduleError};
use serde_json::json;

#[tokio::test]
async fn a_batch_and_a_run_that_no_function_takes_are_dead_letters() {
    let shop = Shop::open_with(|options| options.max_environments = 0).await;
    let item = json!({ "PK": { "S": "ORDER#1" }, "SK": { "S": "ORDER" } });
    let request = json!({ "TableName": shop.stack.table_name(), "Item": item });
    shop.stack.table().call("PutItem", request).expect("the table takes an item");
    in_time("the pipe gives a batch up", shop.stack.pipe_caught_up()).await.unwrap();
    let letters = shop.stack.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].queue, "EventDeadLetters");
    assert!(letters[0].reason.starts_with("rate exceeded"), "{}", letters[0].reason);

    for (run, name) in [("reconcile", "reconcile/Often"), ("daily-export", "daily-export/Daily")] {
        let outcome = shop.stack.run_schedule(run).await;
        assert!(matches!(outcome, Err(ScheduleError::Invoke(InvokeError::Throttled(_)))), "{outcome:?}");
        let told = format!("the run {name} is a dead letter");
        assert!(shop.log.lines().iter().any(|line| line.text == told), "{name}");
    }
    assert!(!shop.log.lines().iter().any(|line| line.text.contains("is not authorized")));
}
