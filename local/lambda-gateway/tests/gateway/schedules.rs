//! Functions that run by themselves, and by hand.

use std::time::Duration;

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

/// One minute and a bit passes for everything that waits; then time goes on as it does.
async fn turn_the_clock() {
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    tokio::time::resume();
    tokio::task::yield_now().await;
}
