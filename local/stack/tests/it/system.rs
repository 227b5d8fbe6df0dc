//! The whole system, with executables in the functions' place that end at once: what is tested here is
//! everything around them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use local_stack::{
    Backend, InitialSecret, Products, Stack, StackOptions, catalogue, dynamodb::TABLE_NAME, probe,
};
use serde_json::{Value, json};

use super::place::client_of;

const FUNCTIONS: [&str; 11] = [
    "back-office",
    "cancel-order",
    "confirm-payment",
    "create-order",
    "daily-export",
    "get-order",
    "list-products",
    "order-events",
    "reconcile",
    "verify-payment",
    "webhook",
];

fn functions(folder: &Path) {
    for name in FUNCTIONS {
        let file = folder.join(name);
        fs::write(&file, "#!/bin/sh\necho 'TABLE_NAME is missing' >&2\nexit 1\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn options(folder: &tempfile::TempDir) -> StackOptions {
    functions(folder.path());
    StackOptions::new(folder.path())
}

fn product(stack: &Stack, id: &str) -> Value {
    let request = json!({"TableName": TABLE_NAME,
        "Key": {"PK": {"S": format!("PRODUCT#{id}")}, "SK": {"S": "PRODUCT"}}});
    let found = stack.database().get_item(serde_json::from_value(request).unwrap()).unwrap();
    serde_json::to_value(found).unwrap()["Item"].clone()
}

async fn secret_on_the_wire(stack: &Stack) -> (u16, Value) {
    let response = client_of("webhook")
        .post(stack.wire(Backend::SecretsManager).url())
        .header("x-amz-target", "secretsmanager.GetSecretValue")
        .body(r#"{"SecretId":"local/portone"}"#)
        .send()
        .await
        .unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn systems_run_side_by_side_with_tables_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    functions(folder.path());
    let start = || Stack::start(StackOptions::new(folder.path()));
    let (one, two) = tokio::join!(start(), start());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.url(), two.url());
    assert_ne!(one.secret().await, two.secret().await);

    let text = r#"[{"productId":"only-one","name":"하나","price":1,"currency":"KRW","active":true}]"#;
    let [extra] = catalogue::parse(text).unwrap().try_into().unwrap();
    let request = serde_json::from_value(extra.load_request(TABLE_NAME)).unwrap();
    one.database().update_item(request).unwrap();
    assert_eq!(product(&one, "only-one")["price"]["N"], "1");
    assert!(product(&two, "only-one").is_null());
    assert_eq!(product(&two, "sticker")["name"]["S"], "민화 스티커 한 장");
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test]
async fn the_shop_and_the_checkout_module_are_served_and_pointed_to_this_system() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(&folder)).await.unwrap();
    let text = reqwest::get(format!("{}/config.js", stack.url())).await.unwrap().text().await.unwrap();
    let config = text.strip_prefix("export const config = ").unwrap().trim_end().trim_end_matches(';');
    let config: Value = serde_json::from_str(config).unwrap();
    assert_eq!(config["apiBase"], "");
    assert_eq!(config["portoneSdk"], stack.simulator().sdk_url());
    for file in ["products.json", "checkout/checkout.js", "checkout/examples/"] {
        let page = reqwest::get(format!("{}/{file}", stack.url())).await.unwrap();
        assert_eq!(page.status(), 200, "{file}");
    }
    for (file, shown) in [
        ("plain.js", "text/javascript"),
        ("react.jsx", "text/javascript"),
        ("../checkout.d.ts", "text/plain"),
    ] {
        let page = reqwest::get(format!("{}/checkout/examples/{file}", stack.url())).await.unwrap();
        assert_eq!(page.headers()["content-type"], format!("{shown}; charset=utf-8"), "{file}");
    }
    stack.shutdown().await;
}

#[tokio::test]
async fn a_rotated_secret_is_what_the_next_read_gets() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(&folder)).await.unwrap();
    let (status, first) = secret_on_the_wire(&stack).await;
    assert_eq!(status, 200);
    assert_eq!(first["SecretString"].as_str().map(str::to_owned), stack.secret().await);
    assert!(first["ARN"].as_str().unwrap().starts_with("arn:aws:secretsmanager:ap-northeast-2:"));

    stack.set_secret(r#"{"v2ApiSecret":"rotated"}"#).await.unwrap();
    let (_, second) = secret_on_the_wire(&stack).await;
    assert_eq!(second["SecretString"], r#"{"v2ApiSecret":"rotated"}"#);
    assert_eq!(stack.wire(Backend::SecretsManager).count("GetSecretValue"), 2);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_system_can_start_without_a_secret_and_with_a_malformed_one() {
    let folder = tempfile::tempdir().unwrap();
    let stack =
        Stack::start(StackOptions { secret: InitialSecret::Missing, ..options(&folder) }).await.unwrap();
    let (status, refusal) = secret_on_the_wire(&stack).await;
    assert_eq!(status, 400);
    assert!(refusal["__type"].as_str().unwrap().contains("ResourceNotFoundException"));
    stack.set_secret("not json").await.unwrap();
    assert_eq!(secret_on_the_wire(&stack).await.1["SecretString"], "not json");
    stack.shutdown().await;

    let changes = [("v2ApiSecret".to_owned(), Value::Null)].into();
    let secret = InitialSecret::Changed(changes);
    let stack = Stack::start(StackOptions { secret, ..options(&folder) }).await.unwrap();
    let kept: Value = serde_json::from_str(&stack.secret().await.unwrap()).unwrap();
    assert!(kept.get("v2ApiSecret").is_none() && kept.get("orderTokenKey").is_some());
    stack.shutdown().await;
}

#[tokio::test]
async fn kept_data_survives_a_restart_and_fresh_starts_empty() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = async |fresh| {
        Stack::start(StackOptions { data: Some(data.clone()), fresh, ..options(&folder) }).await.unwrap()
    };

    let first = start(false).await;
    let secret = first.secret().await;
    let sold = json!({"TableName": TABLE_NAME,
        "Key": {"PK": {"S": "PRODUCT#onggi-rice-jar"}, "SK": {"S": "PRODUCT"}},
        "UpdateExpression": "SET stock = :left", "ExpressionAttributeValues": {":left": {"N": "1"}}});
    first.database().update_item(serde_json::from_value(sold).unwrap()).unwrap();
    let busy = StackOptions { data: Some(data.clone()), ..options(&folder) };
    assert!(Stack::start(busy).await.is_err_and(|error| error.to_string().contains("in use")));
    first.shutdown().await;
    drop(first);

    let second = start(false).await;
    assert_eq!(second.secret().await, secret);
    assert_eq!(product(&second, "onggi-rice-jar")["stock"]["N"], "1", "what was sold stays sold");
    second.shutdown().await;
    drop(second);

    let third = start(true).await;
    assert_ne!(third.secret().await, secret);
    assert_eq!(product(&third, "onggi-rice-jar")["stock"]["N"], "3");
    third.shutdown().await;
}

#[tokio::test]
async fn a_table_made_from_another_template_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = || StackOptions { data: Some(data.clone()), ..options(&folder) };
    let first = Stack::start(options()).await.unwrap();
    first.shutdown().await;
    drop(first);
    fs::write(data.join("table.json"), r#"{"TableName":"orders"}"#).unwrap();
    let error = Stack::start(options()).await.err().unwrap();
    assert!(error.to_string().contains("--fresh"), "{error}");
}

#[tokio::test]
async fn a_faulty_catalogue_stops_the_start_with_all_its_faults() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.json");
    fs::write(&file, r#"[{"productId":"a","name":"A","price":-1,"currency":"won","active":true}]"#).unwrap();
    let options = StackOptions { products: Products::File(file), ..options(&folder) };
    let error = Stack::start(options).await.err().unwrap().to_string();
    assert!(error.contains("/0/price") && error.contains("/0/currency"), "{error}");
}

#[tokio::test]
async fn a_function_that_does_not_start_fails_the_probe_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(&folder)).await.unwrap();
    let error = probe::probe(&stack).await.unwrap_err().to_string();
    assert!(error.contains("create-order") && error.contains("500"), "{error}");
    stack.shutdown().await;
}

#[tokio::test]
async fn a_missing_executable_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Stack::start(StackOptions::new(folder.path())).await.err().unwrap().to_string();
    assert!(error.starts_with("create-order: no executable at "), "{error}");
}

#[tokio::test]
async fn the_operators_console_is_served_signed_in_and_in_nobodys_frame() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Stack::start(options(&folder)).await.unwrap();
    let get = async |path: &str| reqwest::get(format!("{}{path}", stack.url())).await.unwrap();

    let moved = get("/operator").await;
    assert_eq!(moved.url().path(), "/operator/");
    let page = moved.text().await.unwrap();
    assert!(page.contains("src=\"page.js\""), "{page}");
    let config = get("/operator/config.js").await;
    assert_eq!(config.headers()["content-security-policy"], "frame-ancestors 'none'");
    assert_eq!(config.headers()["content-type"], "text/javascript; charset=utf-8");
    let config = config.text().await.unwrap();
    assert!(config.contains(r#""credentials":{"accessKeyId":"local""#), "{config}");
    assert_eq!(get("/operator/config.js.map").await.status(), 404);
    assert_eq!(get("/operator/..%2Ftemplate.yaml").await.status(), 404);
    assert!(get("/shop.css").await.status().is_success(), "the shop is where it was");
    stack.shutdown().await;
}
