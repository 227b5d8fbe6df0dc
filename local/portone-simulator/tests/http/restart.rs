use std::time::Duration;

use portone_simulator::{FaultReply, FaultRule, PaymentSpec, SimulatorConfig, Status};
use serde_json::json;

use crate::{call, http, start};

#[tokio::test]
async fn payments_survive_a_restart_and_ids_do_not_repeat() {
    let file = std::env::temp_dir().join(format!("portone-simulator-{}.json", std::process::id()));
    let config = || SimulatorConfig { state_file: Some(file.clone()), ..SimulatorConfig::default() };
    let before = start(config()).await;
    before
        .put_payment("p", &PaymentSpec { status: Status::PartialCancelled, ..PaymentSpec::default() })
        .unwrap();
    let seen = before.payment("p").unwrap();
    before.shutdown().await;

    let after = start(config()).await;
    assert_eq!(after.payment("p").unwrap(), seen);
    after.put_payment("q", &PaymentSpec::default()).unwrap();
    assert_ne!(after.payment("q").unwrap()["transactionId"], seen["transactionId"]);
    let body = json!({"reason": "r", "currentCancellableAmount": 500});
    let cancelled = call(&after, reqwest::Method::POST, "/payments/p/cancel", Some(body), None).await;
    assert_eq!(cancelled.0, 200);
    after.shutdown().await;
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_open_streams_or_hanging_answers() {
    let simulator = start(SimulatorConfig::default()).await;
    simulator.add_fault(FaultRule::reply(FaultReply::Hang { hang_ms: 3_600_000 }));
    let stream = http().get(format!("{}/_simulator/changes", simulator.url())).send().await.unwrap();
    let hanging = tokio::spawn(http().get(format!("{}/payments/p", simulator.url())).send());
    while simulator.calls().is_empty() {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_secs(5), simulator.shutdown()).await.unwrap();
    assert!(hanging.await.unwrap().is_err());
    // The stream ends, whichever way.
    drop(stream.bytes().await);
    assert!(http().get(simulator.url()).send().await.is_err());
}
