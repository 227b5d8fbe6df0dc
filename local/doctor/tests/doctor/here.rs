//! Faults of a real system on this machine.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use doctor::{Place, Report, Verdict, examine};
use end_to_end::{Shop, shop::secret_with, table};
use local_stack::Products;
use portone_simulator::Status;
use serde_json::{Value, json};

use crate::{assert_told, faults};

async fn look(shop: &Shop) -> Report {
    examine(&Place::Here { url: shop.stack.url().to_owned() }).await.unwrap()
}

/// A shop with a payment, whose webhooks have been through.
async fn used(shop: Shop) -> Shop {
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.release_webhooks().await;
    shop
}

#[tokio::test]
async fn of_a_sound_system_with_a_payment_everything_is_ok() {
    let report = look(&used(Shop::open().await).await).await;
    assert_eq!(faults(&report), Vec::<String>::new());
    assert_eq!(report.findings.iter().filter(|finding| finding.check == "endpoint").count(), 2);
}

#[tokio::test]
async fn before_the_first_payment_what_only_payments_tell_is_left_to_a_person() {
    let report = look(&Shop::open().await).await;
    assert_told(&report, "not checked webhook: no webhook was sent", "/webhooks/portone");
    assert_told(&report, "not checked channel: no payment was made on this channel yet", "채널 관리");
    assert_eq!(report.count(Verdict::NotChecked), faults(&report).len());
}

#[tokio::test]
async fn looking_changes_nothing() {
    let shop = used(Shop::open().await).await;
    let everything = || table::items(&shop.stack, "");
    let before = everything();
    let called = shop.portone().calls().len();
    look(&shop).await;
    assert_eq!(everything(), before);
    let calls = shop.portone().calls().split_off(called);
    let calls: Vec<_> = calls.iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(
        calls.contains(&"GET /payments".to_owned()) && calls.contains(&"POST /users/getToken".to_owned())
    );
}

#[tokio::test]
async fn a_secret_that_is_missing_or_wrongly_filled_in_is_told_by_its_member() {
    let shop = Shop::open_with(|options| options.secret = local_stack::InitialSecret::Missing).await;
    assert_told(&look(&shop).await, "fail secret: it is not there", "create-secret");

    let short = json!(STANDARD.encode([1, 2, 3]));
    for (member, value, says, cure) in [
        (
            "v2ApiSecret",
            json!("whsec_c2VjcmV0IG9mIHdlYmhvb2tz"),
            "v2ApiSecret holds a webhook secret",
            "API Keys",
        ),
        ("v1ApiKey", json!("imp12345678"), "v1ApiKey holds the shop's code", "V1 API"),
        ("orderTokenKey", short, "orderTokenKey is too short", "openssl rand"),
        ("v2ApiSecret", json!("…"), "v2ApiSecret is empty or a placeholder", "API Keys"),
    ] {
        let shop = Shop::open_with(|options| options.secret = secret_with(&[(member, value)])).await;
        assert_told(&look(&shop).await, &format!("fail secret: {says}"), cure);
    }
}

#[tokio::test]
async fn a_function_that_does_not_start_is_seen_at_its_address() {
    let shop = Shop::open_with(|options| {
        options.secret = secret_with(&[("v2WebhookSecrets", json!([]))]);
    })
    .await;
    let report = look(&shop).await;
    assert_told(&report, "fail secret: there is no v2WebhookSecrets", "Webhook");
    assert_told(&report, "fail endpoint: the webhook answers 5", "log");
}

#[tokio::test]
async fn an_api_secret_that_portone_no_longer_takes_is_told() {
    let shop = Shop::open().await;
    shop.portone().set_api_secrets(vec!["another".to_owned()]);
    shop.rotate("v1ApiSecret", json!("another")).await;
    let report = look(&shop).await;
    assert_told(
        &report,
        "fail portone-v2: PortOne does not take v2ApiSecret (401)",
        "issue a new V2 API secret",
    );
    assert_told(&report, "fail portone-v1: PortOne does not take v1ApiKey and v1ApiSecret", "V1 API");
    assert_told(&report, "not checked webhook: PortOne's payments could not be read", "/webhooks/portone");
}

#[tokio::test]
async fn another_accounts_store_is_told() {
    let shop = Shop::open_with_env(&[("PORTONE_STORE_ID", "store-of-somebody-else")]).await;
    let report = look(&shop).await;
    assert_told(
        &report,
        "fail portone-v2: PortOne does not let this API secret see store-of",
        "PortoneStoreId",
    );
}

#[tokio::test]
async fn portone_that_does_not_answer_is_told() {
    let shop = Shop::open().await;
    shop.portone().shutdown().await;
    let report = look(&shop).await;
    assert_told(&report, "fail portone-v2: PortOne is not reached: no connection", "status page");
    assert_told(&report, "fail portone-v1: PortOne's V1 is not reached", "status page");
    assert_told(&report, "not checked clock: PortOne answered without a date", "once it answers");
}

#[tokio::test]
async fn a_channel_of_the_other_kind_is_told() {
    let shop = Shop::open_with_env(&[("PAYMENT_MODE", "TEST")]).await;
    let report = look(&used(shop).await).await;
    assert_told(
        &report,
        "fail channel: it is a LIVE channel: every payment on it is refused",
        "PaymentMode=LIVE",
    );
}

#[tokio::test]
async fn webhooks_that_go_elsewhere_or_are_refused_are_told() {
    let shop = Shop::open().await;
    shop.portone().set_webhook_url(Some("http://127.0.0.1:9/old?token=hush".to_owned()));
    let report = look(&used(shop).await).await;
    assert_told(&report, "fail webhook: the last one went to http://127.0.0.1:9/old", "must say http");
    assert!(!report.json().to_string().contains("hush"));

    let shop = Shop::open().await;
    shop.portone().set_webhook_secrets(vec![format!("whsec_{}", STANDARD.encode([8; 24]))]);
    let report = look(&used(shop).await).await;
    assert_told(&report, "fail webhook: the last one was refused (400)", "secret of the LIVE address");
}

#[tokio::test]
async fn a_virtual_account_without_a_deposit_names_what_cannot_be_read() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |spec| spec.status = Status::VirtualAccountIssued);
    assert_told(&look(&shop).await, "not checked virtual-accounts: 1 issued and no deposit", "입금통보");
    let order = shop.placed().await;
    shop.put_payment(&order, |spec| {
        spec.pay_method = serde_json::from_value(json!("VIRTUAL_ACCOUNT")).unwrap();
    });
    let report = look(&shop).await;
    assert_eq!(report.of("virtual-accounts")[0].says, "a deposit arrived");
}

#[tokio::test]
async fn an_origin_that_may_not_call_and_one_that_is_a_placeholder_are_told() {
    let shop = Shop::open_with_env(&[("ALLOWED_ORIGINS", "http://shop.kr,https://shop.example")]).await;
    let report = look(&shop).await;
    assert_told(&report, "fail cors: pages of http://shop.kr may not call the API", "AllowedOrigins");
    assert_told(&report, "warn cors: http://shop.kr is not https", "https");
    assert_told(&report, "fail cors: https://shop.example is a placeholder", "AllowedOrigins");
}

#[tokio::test]
async fn a_table_without_its_stream_is_told() {
    let shop = Shop::open_with(|options| options.stream = false).await;
    assert_told(&look(&shop).await, "fail table: its stream is off", "xtask deploy");
}

#[tokio::test]
async fn another_table_is_told_and_so_is_none() {
    let shop = Shop::open_with_env(&[("TABLE_NAME", "nowhere")]).await;
    let report = look(&shop).await;
    assert_told(&report, "fail table: it is not there", "xtask deploy");
    assert_told(&report, "fail catalogue: it is not there", "xtask deploy");
}

#[tokio::test]
async fn broken_products_are_named_and_an_empty_catalogue_is_told() {
    let shop = Shop::open().await;
    table::set_product(&shop.stack, "shoes", "price", &json!({"N": "10.5"}));
    table::set_product(&shop.stack, "socks", "active", &json!({"S": "yes"}));
    let report = look(&shop).await;
    assert_told(
        &report,
        "warn catalogue: the product \"shoes\" is broken and left out: price",
        "products load",
    );
    assert_told(
        &report,
        "warn catalogue: the product \"socks\" is broken and left out: active",
        "products load",
    );

    let shop = Shop::open_with(|options| options.products = Products::None).await;
    assert_told(&look(&shop).await, "warn catalogue: nothing is for sale", "products load");
}

#[tokio::test]
async fn where_nothing_answers_the_error_says_what_to_start() {
    let error = examine(&Place::Here { url: "http://127.0.0.1:9".to_owned() }).await.unwrap_err();
    assert!(format!("{error:#}").contains("start it with `cargo xtask dev`"), "{error:#}");
}

#[tokio::test]
async fn no_secret_is_in_a_report() {
    let shop = used(Shop::open().await).await;
    shop.rotate("orderTokenKey", json!("dG9vIHNob3J0IGJ1dCBzZWNyZXQ=")).await;
    let secret = shop.secret().await;
    let report = look(&shop).await;
    assert_told(&report, "fail secret: orderTokenKey is too short", "openssl rand");
    let (text, json) = (report.to_string(), report.json().to_string());
    let mut values = Vec::new();
    texts(&secret, &mut values);
    assert_eq!(values.len(), 5);
    for value in values {
        assert!(!text.contains(&value) && !json.contains(&value), "a value of the secret is told");
    }
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, into)),
        Value::Object(members) => members.values().for_each(|value| texts(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
