//! An enrichment that does as its records tell it, for this crate's own tests: one event for each record.
//! A record with `poison` fails its batch as long as the file exists that `PROBE_POISON` names, one with
//! `many` makes that many events.

use std::path::Path;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(enrich)).await
}

async fn enrich(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let poison = std::env::var("PROBE_POISON").unwrap_or_default();
    let records = event.payload.as_array().cloned().ok_or("Pipes hands over a list")?;
    let mut events = Vec::new();
    for record in &records {
        let image = &record["dynamodb"]["NewImage"];
        if !image["poison"].is_null() && Path::new(&poison).exists() {
            return Err("poisoned".into());
        }
        let many = image["many"]["N"].as_str().and_then(|many| many.parse().ok()).unwrap_or(1);
        let event = json!({"type": "OrderChanged", "batch": records.len(), "record": record});
        events.extend(vec![event; many]);
    }
    Ok(Value::from(events))
}
