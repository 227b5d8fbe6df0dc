//! From the table's stream over a function to the bus.

use std::{fs, time::Duration};

use lambda_gateway::CapturedLog;
use local_stack::{Products, Stack, dynamodb::TABLE_NAME};
use serde_json::{Value, json};

use super::place::{Place, TEMPLATE};

fn put(stack: &Stack, key: &str, extra: Value) {
    let mut item = json!({"PK": {"S": key}, "SK": {"S": "ORDER"}});
    item.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let request = json!({"TableName": TABLE_NAME, "Item": item});
    stack.database().put_item(serde_json::from_value(request).unwrap()).unwrap();
}

/// The partition keys that the bus has heard of, in order.
fn heard(stack: &Stack) -> Vec<String> {
    let events = stack.bus().events();
    let key =
        |event: &Value| event["detail"]["record"]["dynamodb"]["Keys"]["PK"]["S"].as_str().unwrap().to_owned();
    events.iter().map(key).collect()
}

/// How often the pipe said that a batch failed.
fn failures(log: &CapturedLog) -> usize {
    let lines = log.lines().into_iter().filter(|line| line.function == "Pipe");
    lines.filter(|line| line.text.starts_with("a batch of ")).count()
}

/// Whether the pipe leaves what is in the stream alone for ten times as long as it takes to look.
async fn holds(stack: &Stack) -> bool {
    let caught_up = tokio::time::timeout(Duration::from_millis(300), stack.pipe_caught_up());
    caught_up.await.is_err() && stack.bus().events().is_empty()
}

#[tokio::test]
async fn what_the_table_commits_reaches_the_bus_in_order_and_nothing_else_does() {
    let place = Place::new();
    let stack = place.start().await;
    for number in 0..10 {
        put(&stack, &format!("ORDER#{number}"), json!({}));
        put(&stack, &format!("PRODUCT#{number}"), json!({}));
    }
    stack.pipe_caught_up().await.unwrap();
    let expected: Vec<_> = (0..10).map(|number| format!("ORDER#{number}")).collect();
    assert_eq!(heard(&stack), expected);
    assert!(stack.dead_letters().is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn an_event_carries_what_the_enrichment_made_of_a_record_as_the_cloud_has_it() {
    let place = Place::new();
    let stack = place.start().await;
    put(&stack, "ORDER#1", json!({"status": {"S": "PENDING"}}));
    put(&stack, "ORDER#1", json!({"status": {"S": "PAID"}}));
    let is_change = |event: &Value| event["detail"]["record"]["eventName"] == "MODIFY";
    let event = stack.bus().wait_for(is_change).await;
    assert_eq!((&event["source"], &event["detail-type"]), (&json!("shop.orders"), &json!("OrderChanged")));
    let record = &event["detail"]["record"];
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["awsRegion"], "ap-northeast-2");
    let arn = "arn:aws:dynamodb:ap-northeast-2:123456789012:table/orders/stream/";
    assert!(record["eventSourceARN"].as_str().unwrap().starts_with(arn));
    assert_eq!(record["eventID"].as_str().unwrap().len(), 32);
    assert_eq!(record["dynamodb"]["OldImage"]["status"]["S"], "PENDING");
    assert_eq!(record["dynamodb"]["NewImage"]["status"]["S"], "PAID");
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    stack.shutdown().await;
}

#[tokio::test]
async fn a_paused_pipe_holds_everything_and_batches_it_when_it_goes_on() {
    let place = Place::new();
    let stack = place.start().await;
    stack.pause_pipe().await;
    for number in 0..6 {
        put(&stack, &format!("ORDER#{number}"), json!({}));
    }
    assert!(holds(&stack).await);
    stack.resume_pipe();
    stack.pipe_caught_up().await.unwrap();
    let batches: Vec<_> = stack.bus().events().iter().map(|event| event["detail"]["batch"].clone()).collect();
    assert_eq!(batches, [4, 4, 4, 4, 2, 2]);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_pipe_that_is_stopped_in_the_template_waits_for_its_start() {
    let place = Place::changed("      Source: !GetAtt", "      DesiredState: STOPPED\n      Source: !GetAtt");
    let stack = place.start().await;
    put(&stack, "ORDER#1", json!({}));
    assert!(holds(&stack).await);
    stack.resume_pipe();
    stack.pipe_caught_up().await.unwrap();
    assert_eq!(heard(&stack), ["ORDER#1"]);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_batch_that_keeps_failing_becomes_a_dead_letter_and_a_redrive_brings_it_through() {
    let place = Place::new();
    fs::write(place.poison(), "").unwrap();
    let (options, log) = place.options(None);
    let stack = Stack::start(options).await.unwrap();
    stack.pause_pipe().await;
    put(&stack, "PRODUCT#1", json!({}));
    put(&stack, "ORDER#1", json!({}));
    put(&stack, "ORDER#2", json!({"poison": {"S": "x"}}));
    put(&stack, "PRODUCT#2", json!({}));
    put(&stack, "ORDER#3", json!({}));
    stack.resume_pipe();
    stack.pipe_caught_up().await.unwrap();

    assert_eq!(heard(&stack), ["ORDER#3"], "what comes after is not held up");
    let letters = stack.dead_letters();
    let [letter] = letters.as_slice() else { panic!("{letters:?}") };
    assert_eq!(letter.queue, "Letters");
    assert!(letter.reason.contains("poisoned"), "{}", letter.reason);
    assert_eq!(letter.message["context"]["condition"], "RetryAttemptsExhausted");
    let info = &letter.message["DDBStreamBatchInfo"];
    assert_eq!(info["batchSize"], 2);
    assert!(info["startSequenceNumber"].as_str() < info["endSequenceNumber"].as_str());
    assert!(letter.message.to_string().find("ORDER#").is_none(), "a message has no records");
    assert_eq!(failures(&log), 3, "once, and two times again");

    assert_eq!(stack.redrive().await.unwrap(), 0);
    assert_eq!(stack.dead_letters().len(), 1, "what still fails stays");
    fs::remove_file(place.poison()).unwrap();
    assert_eq!(stack.redrive().await.unwrap(), 1);
    assert_eq!(heard(&stack), ["ORDER#3", "ORDER#1", "ORDER#2"]);
    assert!(stack.dead_letters().is_empty());
    assert_eq!(stack.redrive().await.unwrap(), 0);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_and_comes_through_once() {
    let place = Place::changed("MaximumRetryAttempts: 2", "MaximumRetryAttempts: -1");
    fs::write(place.poison(), "").unwrap();
    let (options, log) = place.options(None);
    let stack = Stack::start(options).await.unwrap();
    put(&stack, "ORDER#1", json!({"poison": {"S": "x"}}));
    while failures(&log) < 4 {
        tokio::task::yield_now().await;
    }
    fs::remove_file(place.poison()).unwrap();
    stack.pipe_caught_up().await.unwrap();
    assert_eq!(heard(&stack), ["ORDER#1"]);
    assert!(stack.dead_letters().is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn halving_lets_everything_through_but_what_cannot_pass() {
    let place =
        Place::changed("BatchSize: 4", "BatchSize: 4\n          OnPartialBatchItemFailure: AUTOMATIC_BISECT");
    fs::write(place.poison(), "").unwrap();
    let stack = place.start().await;
    stack.pause_pipe().await;
    for number in 0..4 {
        let extra = if number == 2 { json!({"poison": {"S": "x"}}) } else { json!({}) };
        put(&stack, &format!("ORDER#{number}"), extra);
    }
    stack.resume_pipe();
    stack.pipe_caught_up().await.unwrap();
    assert_eq!(heard(&stack), ["ORDER#0", "ORDER#1", "ORDER#3"]);
    let sizes: Vec<_> = stack
        .dead_letters()
        .iter()
        .map(|letter| letter.message["DDBStreamBatchInfo"]["batchSize"].clone())
        .collect();
    assert_eq!(sizes, [1]);
    stack.shutdown().await;
}

#[tokio::test]
async fn more_events_of_one_batch_than_a_bus_takes_are_a_dead_letter_and_none_is_published() {
    let place = Place::new();
    let stack = place.start().await;
    put(&stack, "ORDER#1", json!({"many": {"N": "11"}}));
    stack.pipe_caught_up().await.unwrap();
    assert!(stack.bus().events().is_empty());
    assert!(stack.dead_letters()[0].reason.contains("an event bus takes 10 at once"));
    stack.shutdown().await;
}

#[tokio::test]
async fn a_kept_system_goes_on_where_its_pipe_was_and_keeps_its_dead_letters() {
    let place = Place::new();
    let data = place.folder.path().join("data");
    fs::write(place.poison(), "").unwrap();
    let start = async || Stack::start(place.options(Some(&data)).0).await.unwrap();

    let first = start().await;
    put(&first, "ORDER#1", json!({}));
    first.pipe_caught_up().await.unwrap();
    put(&first, "ORDER#2", json!({"poison": {"S": "x"}}));
    first.pipe_caught_up().await.unwrap();
    first.pause_pipe().await;
    put(&first, "ORDER#3", json!({}));
    assert_eq!(heard(&first), ["ORDER#1"]);
    first.shutdown().await;
    drop(first);

    let second = start().await;
    second.pipe_caught_up().await.unwrap();
    assert_eq!(heard(&second), ["ORDER#3"], "neither lost nor told again");
    assert_eq!(second.dead_letters().len(), 1);
    fs::remove_file(place.poison()).unwrap();
    assert_eq!(second.redrive().await.unwrap(), 1);
    second.shutdown().await;
    drop(second);

    let third = start().await;
    third.pipe_caught_up().await.unwrap();
    assert!(third.bus().events().is_empty() && third.dead_letters().is_empty());
    third.shutdown().await;
}

#[tokio::test]
async fn a_pipe_that_starts_at_the_latest_record_leaves_out_what_was_there_before_it() {
    let place = Place::changed("TRIM_HORIZON", "LATEST");
    let catalogue = place.folder.path().join("products.json");
    let product = r#"[{"productId":"a","name":"A","price":1,"currency":"KRW","active":true}]"#;
    fs::write(&catalogue, product).unwrap();
    let (mut options, _) = place.options(None);
    options.products = Products::File(catalogue);
    let template = TEMPLATE.replace("TRIM_HORIZON", "LATEST").replace("ORDER#", "");
    fs::write(place.folder.path().join("template.yaml"), template).unwrap();
    let stack = Stack::start(options).await.unwrap();
    put(&stack, "ORDER#1", json!({}));
    stack.pipe_caught_up().await.unwrap();
    assert_eq!(heard(&stack), ["ORDER#1"]);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_pipe_from_a_table_without_a_stream_is_refused_at_the_start() {
    let place = Place::changed("      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }\n", "");
    let error = Stack::start(place.options(None).0).await.err().unwrap().to_string();
    assert!(error.contains("no StreamSpecification"), "{error}");
}

#[tokio::test]
async fn a_system_without_a_stream_has_no_pipe_and_nothing_to_wait_for() {
    let place = Place::new();
    let (mut options, _) = place.options(None);
    options.stream = false;
    let stack = Stack::start(options).await.unwrap();
    put(&stack, "ORDER#1", json!({}));
    stack.pipe_caught_up().await.unwrap();
    let table = serde_json::from_value(json!({"TableName": TABLE_NAME})).unwrap();
    let table = serde_json::to_value(stack.database().describe_table(table).unwrap()).unwrap();
    assert!(table["Table"]["LatestStreamArn"].is_null());
    assert!(stack.bus().events().is_empty() && stack.dead_letters().is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn the_console_shows_events_and_dead_letters_and_sends_them_again() {
    let place = Place::new();
    fs::write(place.poison(), "").unwrap();
    let stack = place.start().await;
    let client = reqwest::Client::new();
    let base = format!("{}/console", stack.url());
    let mut changes = client.get(format!("{base}/changes")).send().await.unwrap();
    put(&stack, "ORDER#1", json!({"poison": {"S": "x"}}));
    let told = changes.chunk().await.unwrap().unwrap();
    assert_eq!(told, "event: change\ndata: look\n\n", "a browser drops an event without data");

    let overview = async || -> Value {
        client.get(format!("{base}/overview")).send().await.unwrap().json().await.unwrap()
    };
    let before = overview().await;
    assert_eq!(before["deadLetters"][0]["queue"], "Letters");
    assert_eq!(before["published"], 0);
    fs::remove_file(place.poison()).unwrap();
    let redrive = client.post(format!("{base}/redrive"));
    let stranger = redrive.try_clone().unwrap().header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(stranger.status(), 403);
    let done: Value = redrive.send().await.unwrap().json().await.unwrap();
    assert_eq!(done, json!({"redriven": 1, "left": 0}));
    let after = overview().await;
    assert_eq!(after["deadLetters"], json!([]));
    assert_eq!(after["events"][0]["detail-type"], "OrderChanged");
    for (path, kind) in [
        ("/", "text/html"),
        ("/console.js", "text/javascript"),
        ("/console.css", "text/css"),
        ("/simulator.css", "text/css"),
    ] {
        let file = client.get(format!("{base}{path}")).send().await.unwrap();
        assert!(file.status() == 200 && file.headers()["content-type"].to_str().unwrap().starts_with(kind));
    }
    let began = std::time::Instant::now();
    stack.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(2), "an open console does not hold the end up");
}

/// What the pipe says while its role lacks something, and what came of the order it should have told of.
async fn without(grant: &str, other: &str) -> (Vec<String>, usize, usize) {
    let place = Place::changed(grant, other);
    let (options, log) = place.options(None);
    let stack = Stack::start(options).await.unwrap();
    put(&stack, "ORDER#1", json!({}));
    let refused = || async {
        while !log.lines().iter().any(|line| line.text.contains("is not authorized to perform")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused()).await.expect("the pipe says what it may not");
    let is_about_reading = grant.contains("dynamodb:");
    if !is_about_reading {
        stack.pipe_caught_up().await.unwrap();
    }
    let said = log.lines().into_iter().filter(|line| line.text.contains("is not authorized"));
    let said = said.map(|line| line.text).collect();
    let told = (said, stack.bus().events().len(), stack.dead_letters().len());
    stack.shutdown().await;
    told
}

#[tokio::test]
async fn a_pipe_does_only_what_its_role_grants_and_says_what_is_missing() {
    for (grant, other, missing, letters) in [
        ("dynamodb:GetRecords, ", "", "dynamodb:GetRecords", 0),
        ("dynamodb:ListStreams", "dynamodb:ListTables", "dynamodb:ListStreams", 0),
        ("Action: lambda:InvokeFunction", "Action: lambda:GetFunction", "lambda:InvokeFunction", 1),
        (
            "Action: events:PutEvents, Resource: !GetAtt Bus.Arn",
            "Action: events:PutEvents, Resource: !GetAtt Letters.Arn",
            "events:PutEvents",
            1,
        ),
    ] {
        let (said, events, given_up) = without(grant, other).await;
        assert!(said[0].contains(&format!("perform: {missing} on resource: ")), "{said:?}");
        assert_eq!((events, given_up), (0, letters), "{missing}");
    }
}

#[tokio::test]
async fn a_batch_that_no_queue_may_take_is_lost_and_that_is_said() {
    let place = Place::changed("Action: sqs:SendMessage", "Action: sqs:GetQueueUrl");
    fs::write(place.poison(), "").unwrap();
    let (options, log) = place.options(None);
    let stack = Stack::start(options).await.unwrap();
    put(&stack, "ORDER#1", json!({"poison": {"S": "x"}}));
    stack.pipe_caught_up().await.unwrap();
    assert!(stack.dead_letters().is_empty());
    let lost = |line: &lambda_gateway::LogLine| {
        line.text.contains("the batch is lost: ") && line.text.contains("sqs:SendMessage")
    };
    assert!(log.lines().iter().any(lost));
    stack.shutdown().await;
}
