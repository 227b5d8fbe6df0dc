//! A gateway that is killed takes its functions with it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use lambda_gateway::LogSink;
use serde_json::json;

use super::gateway;

/// Set in the process that plays the gateway: this test, started once more by itself.
const PLAYS_THE_GATEWAY: &str = "PLAYS_THE_GATEWAY";
const PID_LINE: &str = "function process ";

#[tokio::test]
async fn functions_end_by_themselves_when_the_gateway_is_killed() {
    if std::env::var_os(PLAYS_THE_GATEWAY).is_some() {
        let gateway = gateway(&[], 1, LogSink::discard()).await;
        println!("{PID_LINE}{}", gateway.invoke("probe", &json!({})).await.unwrap()["pid"]);
        std::future::pending::<()>().await;
    }
    let mut process = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "orphans::functions_end_by_themselves_when_the_gateway_is_killed"])
        .env(PLAYS_THE_GATEWAY, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The test harness writes its own words before it on the same line.
    let pid = lines.filter_map(|line| Some(line.split_once(PID_LINE)?.1.to_owned())).next().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();

    // Nobody is left to collect an orphan's exit status on some systems, so a zombie counts as ended.
    let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let runs = || state().rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']));
    while runs() {
        tokio::task::yield_now().await;
    }
}
