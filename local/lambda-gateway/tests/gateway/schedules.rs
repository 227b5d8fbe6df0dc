//! Functions that run by themselves, and by hand.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lambda_gateway::{Gateway, LogSink, ScheduleError};
use serde_json::json;

use super::{config, gateway};

#[tokio::test]
async fn a_schedule_runs_by_hand_with_the_templates_input_and_not_by_itself() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let told = gateway.run_schedule("probe").await.unwrap();
    assert_eq!(told["event"], json!({"task": "open"}));
    assert_eq!(gateway.run_schedule("probe/Tick").await.unwrap()["event"], json!({"task": "open"}));
    assert!(
        matches!(gateway.run_schedule("ghost").await, Err(ScheduleError::Unknown(name)) if name == "ghost")
    );
    let counters = gateway.counters("probe").unwrap();
    turn_the_clock().await;
    assert_eq!(gateway.counters("probe").unwrap(), counters);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_schedule_runs_by_itself_where_it_is_asked_to() {
    let mut config = config(&[], 1, LogSink::discard()).await;
    config.run_schedules = true;
    let gateway = Gateway::start(config).await.unwrap();
    turn_the_clock().await;
    let invoked = async {
        while gateway.counters("probe").unwrap().invocations < 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), invoked).await.expect("the function is invoked");
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_schedule_asks_its_role_and_a_run_that_did_not_come_about_asks_for_the_queue() {
    for granted in ["", "lambda:InvokeFunction sqs:SendMessage", "sqs:SendMessage"] {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, captured) = LogSink::capture();
        let mut config = config(&[], 1, log).await;
        let seen = asked.clone();
        config.permit = Arc::new(move |role, action, resource| {
            seen.lock().unwrap().push(format!("{role} {action} {}", resource.rsplit(':').next().unwrap()));
            if granted.contains(action) { Ok(()) } else { Err(format!("{action} is not granted")) }
        });
        let gateway = Gateway::start(config).await.unwrap();
        let outcome = gateway.run_schedule("probe").await;
        let mut expected = vec!["SchedulerRole lambda:InvokeFunction Probe".to_owned()];
        if granted.contains("lambda:InvokeFunction") {
            assert_eq!(outcome.unwrap()["event"], json!({"task": "open"}));
        } else {
            assert!(matches!(outcome, Err(ScheduleError::NotGranted(_))));
            expected.push("SchedulerRole sqs:SendMessage Letters".to_owned());
            let told = if granted.is_empty() {
                "the run probe/Tick is lost: sqs:SendMessage is not granted"
            } else {
                "the run probe/Tick is a dead letter"
            };
            assert!(captured.lines().iter().any(|line| line.text == told), "{granted}");
            assert_eq!(gateway.counters("probe").unwrap().invocations, 0);
        }
        assert_eq!(*asked.lock().unwrap(), expected);
        gateway.shutdown().await;
    }
}

/// One minute and a bit passes for everything that waits; then time goes on as it does.
async fn turn_the_clock() {
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    tokio::task::yield_now().await;
}
