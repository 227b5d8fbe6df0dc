//! Every file of `events/` is sent to its function: the samples that a newcomer tries first work.

use std::{collections::BTreeMap, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use end_to_end::{Shop, delivery::unix_seconds};
use portone_simulator::webhook::signature;
use serde_json::{Value, json};

/// Every sample event, by file name.
fn samples() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let files = fs::read_dir(&folder).expect("events/ is there");
    let paths = files.map(|file| file.expect("a file of events/").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a sample is a text");
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, event)
        })
        .collect()
}

/// The function that a file is for: its name up to the first dot.
fn function(file: &str) -> &str {
    file.split('.').next().unwrap_or(file)
}

/// What a sample is answered, as it is.
fn expected(file: &str) -> u64 {
    match file {
        "create-order.json" => 201,
        "create-order.refused.json" => 422,
        "list-products.json"
        | "back-office.findings.json"
        | "back-office.search.json"
        | "back-office.days.json" => 200,
        // V1 signs nothing: a delivery is a hint, and is kept where it cannot be worked off.
        "webhook.v1.json" => 200,
        _ => match function(file) {
            "webhook" | "confirm-payment" => 400,
            "verify-payment" | "get-order" | "cancel-order" | "back-office" => 404,
            _ => panic!("{file}: say here what it is answered"),
        },
    }
}

fn sign(event: &mut Value, secrets: &[String]) {
    let text = event["body"].as_str().unwrap_or_default();
    let body = match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(text).expect("base64"),
        _ => text.as_bytes().to_vec(),
    };
    let (id, now) = ("sample-delivery-1", unix_seconds());
    event["headers"]["webhook-id"] = json!(id);
    event["headers"]["webhook-timestamp"] = json!(now.to_string());
    event["headers"]["webhook-signature"] = json!(signature::header(secrets, id, now, &body));
}

#[tokio::test]
async fn every_sample_event_is_answered_as_it_is_meant() {
    let shop = Shop::open().await;
    let samples = samples();
    for name in end_to_end::functions::NAMES {
        assert!(samples.keys().any(|file| function(file) == name), "{name} has no sample");
    }
    for (file, event) in &samples {
        let answer = shop.stack.gateway().invoke(function(file), event).await;
        let answer = answer.unwrap_or_else(|error| panic!("{file}: {error}"));
        // What has no caller has no status.
        match function(file) {
            "reconcile" => assert_eq!(answer["complete"], true, "{file}: {answer}"),
            "daily-export" => assert!(answer.is_object(), "{file}: {answer}"),
            "order-events" => assert_eq!(answer[0]["type"], "OrderPaid", "{file}: {answer}"),
            _ => assert_eq!(answer["statusCode"], expected(file), "{file}: {answer}"),
        }
    }
}

#[tokio::test]
async fn every_sample_webhook_is_taken_when_it_is_signed_now() {
    let shop = Shop::open().await;
    let secrets = shop.webhook_secrets().await;
    let webhooks = samples().into_iter().filter(|(file, _)| function(file) == "webhook");
    let mut sent = 0;
    for (file, mut event) in webhooks {
        sign(&mut event, &secrets);
        let answer = shop.stack.gateway().invoke("webhook", &event).await.unwrap();
        assert_eq!(answer["statusCode"], 200, "{file}: {answer}");
        sent += 1;
    }
    assert!(sent >= 3, "one of each body version at least");
}
