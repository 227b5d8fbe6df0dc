//! A Lambda function that does as it is told, for the gateway's own tests: the smallest real peer of its
//! Runtime API. `do` of the event names the act; `PROBE_INIT` makes the start fail.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("exit") => {
            eprintln!("TABLE_NAME is missing");
            std::process::exit(7);
        }
        Ok("hang") => std::future::pending::<()>().await,
        _ => {}
    }
    lambda_runtime::run(service_fn(probe)).await
}

async fn probe(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    // Over HTTP the order comes in the body.
    let body = event["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
    let order: &Value = body.as_ref().unwrap_or(&event);
    match order["do"].as_str() {
        Some("exit") => {
            eprintln!("the last words");
            std::process::exit(3);
        }
        Some("fail") => return Err("refused".into()),
        Some("sleep") => {
            let milliseconds = order["ms"].as_u64().unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some("log") => {
            println!("one line\nanother line");
            eprintln!("a line on stderr");
        }
        Some("answer") => return Ok(order["with"].clone()),
        _ => {}
    }
    Ok(json!({
        "pid": std::process::id(),
        "requestId": context.request_id,
        "deadline": context.deadline,
        "arn": context.invoked_function_arn,
        "traceId": context.xray_trace_id,
        "environment": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
        "event": event,
    }))
}
