//! What Lambda does to processes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_gateway::{InvokeError, LogSink, Stream};
use serde_json::json;

use super::gateway;

fn runs(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_process_is_told_its_request_deadline_function_and_environment() {
    let gateway = gateway(&[("TABLE_NAME", "orders"), ("UNDECLARED", "1")], 1, LogSink::discard()).await;
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let told = gateway.invoke("probe", &json!({})).await.unwrap();

    assert_eq!(told["requestId"].as_str().unwrap().len(), 36);
    let left = u128::from(told["deadline"].as_u64().unwrap()) - before;
    assert!((1000..2000).contains(&left), "the deadline is the function's timeout from now, not {left} ms");
    assert_eq!(told["arn"], "arn:aws:lambda:ap-northeast-2:123456789012:function:probe");
    assert!(told["traceId"].as_str().unwrap().starts_with("Root=1-"));

    let environment = &told["environment"];
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "probe");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "256");
    assert_eq!(environment["AWS_ACCESS_KEY_ID"], "probe", "whoever is called can tell who calls");
    assert_eq!(environment["AWS_ENDPOINT_URL"], "http://local");
    assert_eq!(environment["TABLE_NAME"], "orders");
    assert_eq!(environment["TTL"], "30");
    assert!(environment.get("UNDECLARED").is_none(), "only what the template declares is passed");
    assert!(environment.get("HOME").is_none(), "nothing of the developer's shell is passed");
    gateway.shutdown().await;
}

#[tokio::test]
async fn one_environment_serves_one_caller_after_another() {
    let gateway = gateway(&[], 10, LogSink::discard()).await;
    let first = gateway.invoke("probe", &json!({})).await.unwrap()["pid"].clone();
    for _ in 0..50 {
        assert_eq!(gateway.invoke("probe", &json!({})).await.unwrap()["pid"], first);
    }
    let counters = gateway.counters("probe").unwrap();
    assert_eq!((counters.invocations, counters.starts), (51, 1));
    gateway.shutdown().await;
}

#[tokio::test]
async fn callers_at_once_get_an_environment_each_and_above_the_limit_none() {
    let gateway = gateway(&[], 3, LogSink::discard()).await;
    let event = json!({"do": "sleep", "ms": 400});
    let calls = (0..4).map(|_| gateway.invoke("probe", &event));
    let outcomes = futures::future::join_all(calls).await;

    let mut pids: Vec<_> = outcomes.iter().flatten().map(|told| told["pid"].as_u64().unwrap()).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
    let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert!(matches!(refused.as_slice(), [InvokeError::Throttled(_)]));
    assert_eq!(gateway.counters("probe").unwrap().throttles, 1);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_crash_fails_its_invocation_with_the_last_words_and_the_next_one_starts_afresh() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let before = gateway.invoke("probe", &json!({})).await.unwrap()["pid"].clone();
    let error = gateway.invoke("probe", &json!({"do": "exit"})).await.unwrap_err();
    assert!(
        matches!(&error, InvokeError::Crashed { reason, .. }
        if reason.contains("the last words") && reason.contains("exit status: 3")),
        "{error}"
    );
    assert_ne!(gateway.invoke("probe", &json!({})).await.unwrap()["pid"], before);
    let counters = gateway.counters("probe").unwrap();
    assert_eq!((counters.crashes, counters.starts), (1, 2));
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_handlers_error_keeps_its_environment() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let before = gateway.invoke("probe", &json!({})).await.unwrap()["pid"].clone();
    let error = gateway.invoke("probe", &json!({"do": "fail"})).await.unwrap_err();
    assert!(matches!(&error, InvokeError::Handler { message, .. } if message == "refused"), "{error}");
    assert_eq!(gateway.invoke("probe", &json!({})).await.unwrap()["pid"], before);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_process_that_misses_its_deadline_is_killed() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let pid = gateway.invoke("probe", &json!({})).await.unwrap()["pid"].as_u64().unwrap();
    let began = Instant::now();
    let error = gateway.invoke("probe", &json!({"do": "sleep", "ms": 60_000})).await.unwrap_err();
    assert!(matches!(error, InvokeError::TimedOut { timeout_ms: 1000, .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_ne!(gateway.invoke("probe", &json!({})).await.unwrap()["pid"].as_u64().unwrap(), pid);
    gateway.shutdown().await;
    assert!(!runs(u32::try_from(pid).unwrap()));
}

#[tokio::test]
async fn a_process_that_ends_at_init_says_why() {
    let gateway = gateway(&[("PROBE_INIT", "exit")], 1, LogSink::discard()).await;
    let error = gateway.invoke("probe", &json!({})).await.unwrap_err();
    assert!(
        matches!(&error, InvokeError::Init { reason, .. }
        if reason.contains("TABLE_NAME is missing") && reason.contains("exit status: 7")),
        "{error}"
    );
    gateway.shutdown().await;
}

#[tokio::test]
async fn killing_a_function_fails_what_it_was_doing_and_leaves_it_usable() {
    let gateway = gateway(&[], 2, LogSink::discard()).await;
    let pid = gateway.invoke("probe", &json!({})).await.unwrap()["pid"].as_u64().unwrap();
    assert_eq!(gateway.environments("probe").unwrap(), [u32::try_from(pid).unwrap()]);

    let event = json!({"do": "sleep", "ms": 900});
    let (outcome, killed) = futures::join!(gateway.invoke("probe", &event), async {
        // The invocation is with the process once the environment is no longer free.
        while gateway.counters("probe").unwrap().invocations < 2 {
            tokio::task::yield_now().await;
        }
        gateway.kill("probe").await.unwrap()
    });
    assert_eq!(killed, 1);
    assert!(!runs(u32::try_from(pid).unwrap()));
    assert!(gateway.environments("probe").unwrap().iter().all(|other| u64::from(*other) != pid));
    // Killed before it took the event, another process served it; killed after, it crashed.
    assert!(matches!(outcome, Ok(_) | Err(InvokeError::Crashed { .. })));
    gateway.invoke("probe", &json!({})).await.unwrap();
    gateway.shutdown().await;
}

#[tokio::test]
async fn output_goes_to_the_sink_line_by_line() {
    let (sink, log) = LogSink::capture();
    let gateway = gateway(&[], 1, sink).await;
    gateway.invoke("probe", &json!({"do": "log"})).await.unwrap();
    gateway.shutdown().await;
    let lines = log.lines();
    let of = |stream| -> Vec<_> {
        lines.iter().filter(|line| line.stream == stream).map(|line| line.text.as_str()).collect()
    };
    assert_eq!(of(Stream::Stdout), ["one line", "another line"]);
    assert_eq!(of(Stream::Stderr), ["a line on stderr"]);
    assert!(of(Stream::Platform).iter().any(|line| line.starts_with("REPORT Duration: ")));
    assert!(lines.iter().all(|line| line.function == "probe"));
}

#[tokio::test]
async fn shutdown_leaves_no_process() {
    let gateway = gateway(&[], 4, LogSink::discard()).await;
    let event = json!({"do": "sleep", "ms": 100});
    futures::future::join_all((0..4).map(|_| gateway.invoke("probe", &event))).await;
    let pids = gateway.environments("probe").unwrap();
    assert_eq!(pids.len(), 4);
    gateway.shutdown().await;
    assert!(pids.iter().all(|pid| !runs(*pid)), "{pids:?}");
    assert!(matches!(gateway.invoke("probe", &json!({})).await, Err(InvokeError::ShuttingDown)));
}

#[tokio::test]
async fn an_unknown_function_is_named() {
    let gateway = gateway(&[], 1, LogSink::discard()).await;
    let error = gateway.invoke("ghost", &json!({})).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no function ghost");
    gateway.shutdown().await;
}
