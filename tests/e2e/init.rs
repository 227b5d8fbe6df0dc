//! What stops a function at init: one line that names it, and an exit code.

use std::{collections::BTreeMap, time::Duration};

use end_to_end::{Shop, functions, shop::secret_with};
use futures::future::join_all;
use local_stack::{
    InitialSecret,
    wire::{Fault, Rule},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Longer than any init takes.
const LIMIT: Duration = Duration::from_secs(20);
/// The functions that read the secret.
const WITH_SECRET: [&str; 8] = [
    "create-order",
    "verify-payment",
    "webhook",
    "get-order",
    "confirm-payment",
    "cancel-order",
    "back-office",
    "reconcile",
];
/// The functions that look at payments.
const WITH_TERMS: [&str; 5] = ["verify-payment", "webhook", "cancel-order", "back-office", "reconcile"];

/// A complete environment for this function, with the shop's secret behind it and nobody to serve.
fn environment(shop: &Shop, function: &str) -> BTreeMap<String, String> {
    let variables = [
        ("TABLE_NAME", shop.stack.table_name()),
        ("PORTONE_SECRET_ID", "local/portone"),
        ("PORTONE_API_BASE", shop.portone().url()),
        ("PORTONE_STORE_ID", "store-a"),
        ("PORTONE_CHANNEL_KEY", "channel-key-a"),
        ("PAYMENT_MODE", "LIVE"),
        ("ALLOWED_ORIGINS", "https://shop.example"),
        ("EXPORT_BUCKET", "statements"),
        ("AWS_REGION", "ap-northeast-2"),
        ("AWS_ACCESS_KEY_ID", function),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", shop.table_wire().url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", shop.secret_wire().url()),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
        ("AWS_LAMBDA_FUNCTION_NAME", function),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ];
    variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The function ends with an error and says why in one line, which names `named`.
async fn assert_stops(function: &str, variables: &BTreeMap<String, String>, named: &str) -> String {
    let ended = functions::run(function, variables, LIMIT).await;
    assert!(ended.code.is_some_and(|code| code != 0), "{function} without {named}: {ended:?}");
    assert_eq!(ended.lines.len(), 1, "{function} without {named}: {:#?}", ended.lines);
    assert!(ended.lines[0].contains(named), "{function} does not name {named}: {}", ended.lines[0]);
    ended.lines[0].clone()
}

#[tokio::test]
async fn with_a_complete_environment_every_function_starts() {
    let shop = Shop::open().await;
    for function in functions::NAMES {
        let variables = environment(&shop, function);
        let ended = functions::run(function, &variables, Duration::from_secs(3)).await;
        // Nobody serves it events, which it may say; but never that it cannot start.
        let said = ended.lines.join("\n");
        assert!(!said.contains("init.failed") && !said.contains("cannot start"), "{function}: {said}");
    }
}

#[tokio::test]
async fn a_missing_or_empty_variable_stops_the_functions_that_need_it() {
    let shop = Shop::open().await;
    // It only turns what it is given into something else.
    let all = functions::NAMES.into_iter().filter(|name| *name != "order-events").collect::<Vec<_>>();
    let all = &all[..];
    let payment = &WITH_TERMS[..];
    let needed: [(&str, &[&str]); 11] = [
        ("TABLE_NAME", all),
        ("AWS_REGION", all),
        ("AWS_ACCESS_KEY_ID", all),
        ("AWS_SECRET_ACCESS_KEY", all),
        ("PORTONE_SECRET_ID", &WITH_SECRET),
        ("PORTONE_STORE_ID", payment),
        ("PORTONE_STORE_ID", &["create-order"]),
        ("PORTONE_CHANNEL_KEY", &["create-order"]),
        ("PAYMENT_MODE", payment),
        ("ALLOWED_ORIGINS", &["create-order"]),
        ("EXPORT_BUCKET", &["daily-export"]),
    ];
    for (name, functions) in needed {
        for function in functions {
            let mut variables = environment(&shop, function);
            variables.remove(name);
            let named = if name == "AWS_REGION" { "REGION" } else { name };
            assert_stops(function, &variables, named).await;
            for blank in ["", "  "] {
                variables.insert(name.to_owned(), blank.to_owned());
                assert_stops(function, &variables, named).await;
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_variable_stops_the_functions_that_need_it() {
    let shop = Shop::open().await;
    let portone = &["create-order", "verify-payment", "webhook"][..];
    let wrong: [(&str, &[&str], &[&str]); 8] = [
        ("AWS_REGION", &["Seoul, Korea", "ap_northeast_2", "seoul/korea"], &["get-order", "daily-export"]),
        (
            "AWS_ENDPOINT_URL_DYNAMODB",
            &["127.0.0.1:8000", "ftp://127.0.0.1"],
            &["get-order", "list-products"],
        ),
        ("PAYMENT_MODE", &["live", "PRODUCTION", "LIVE,TEST", "1"], &["verify-payment", "webhook"]),
        ("LATE_PAYMENT", &["accept", "MAYBE"], &["verify-payment", "webhook"]),
        (
            "ALLOWED_ORIGINS",
            &["*", ",", "origin.example", "https://*", "https://shop.example/path", "ftp://a"],
            &["create-order"],
        ),
        ("ORDER_TTL_MINUTES", &["0", "-1", "1.5", "half an hour", "43201", "99999999999"], &["create-order"]),
        ("PAYMENT_APPROVAL", &["auto", "BY_HAND"], &["verify-payment"]),
        ("PORTONE_API_BASE", &["api.portone.io", "ftp://api.portone.io", "https://", "/"], portone),
    ];
    for (name, values, functions) in wrong {
        for value in values {
            for function in functions {
                let mut variables = environment(&shop, function);
                variables.insert(name.to_owned(), (*value).to_owned());
                let line = assert_stops(function, &variables, name).await;
                assert!(value.len() < 5 || !line.contains(value), "the value is not repeated: {line}");
            }
        }
    }
}

#[tokio::test]
async fn a_variable_that_a_function_does_not_need_does_not_stop_it() {
    let shop = Shop::open().await;
    for (function, spared) in [
        ("list-products", &["PORTONE_SECRET_ID", "PORTONE_STORE_ID", "PAYMENT_MODE", "ALLOWED_ORIGINS"][..]),
        ("get-order", &["PORTONE_STORE_ID", "PORTONE_CHANNEL_KEY", "PAYMENT_MODE", "ALLOWED_ORIGINS"][..]),
        ("webhook", &["PORTONE_CHANNEL_KEY", "ALLOWED_ORIGINS"][..]),
    ] {
        let mut variables = environment(&shop, function);
        spared.iter().for_each(|name| drop(variables.remove(*name)));
        let ended = functions::run(function, &variables, Duration::from_secs(3)).await;
        assert!(!ended.lines.join("\n").contains("cannot start"), "{function}: {:?}", ended.lines);
    }
}

/// Lambda Developer Guide, "Defined runtime environment variables": with SnapStart the keys are not set, and
/// `AWS_CONTAINER_CREDENTIALS_FULL_URI` and `AWS_CONTAINER_AUTHORIZATION_TOKEN` are. The response's shape is that of
/// the container credential provider in AWS's "SDKs and Tools Reference Guide".
#[tokio::test]
async fn credentials_come_from_the_container_where_the_environment_has_no_key() {
    let shop = Shop::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = tokio::spawn(async move {
        let (mut caller, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            assert!(caller.read_buf(&mut request).await.unwrap() > 0, "the request ends early");
        }
        let body = json!({
            "AccessKeyId": "get-order", "SecretAccessKey": "local", "Token": "of-the-container",
            "Expiration": "2099-01-01T00:00:00Z",
        });
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        caller.write_all((head + &body).as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let mut variables = environment(&shop, "get-order");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        variables.remove(name);
    }
    variables
        .insert("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned(), format!("http://{address}/credentials"));
    variables.insert("AWS_CONTAINER_AUTHORIZATION_TOKEN".to_owned(), "a-token".to_owned());
    let mark = shop.stack.mark();
    let ended = functions::run("get-order", &variables, Duration::from_secs(3)).await;
    assert!(!ended.lines.join("\n").contains("cannot start"), "{:?}", ended.lines);
    let request = asked.await.unwrap();
    assert!(request.starts_with("GET /credentials HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: a-token\r\n"), "{request}");
    assert_eq!(shop.calls_since(mark, "GetSecretValue").len(), 1, "the secret is read with them");
}

// Many shops at once: a table elsewhere keeps the thread that makes it waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_missing_or_malformed_stops_the_functions_that_read_it() {
    let malformed = |text: &str| InitialSecret::Text(text.to_owned());
    let secrets = [
        InitialSecret::Missing,
        malformed(""),
        malformed("hunter2hunter2"),
        malformed("[]"),
        malformed("{\"v2ApiSecret\": 7}"),
        malformed("{\"v2WebhookSecrets\": \"whsec_aHVudGVyMmh1bnRlcjI=\"}"),
        malformed("{}"),
    ];
    join_all(secrets.into_iter().map(|secret| async move {
        let shop = Shop::open_with(|options| options.secret = secret).await;
        for function in WITH_SECRET {
            let variables = environment(&shop, function);
            let line = assert_stops(function, &variables, "PORTONE_SECRET_ID").await;
            assert!(
                !line.contains("hunter2") && !line.contains("aHVudGVy"),
                "the secret is not told: {line}"
            );
        }
    }))
    .await;
}

// Many shops at once: a table elsewhere keeps the thread that makes it waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_the_secret_that_is_missing_or_wrong_is_named_by_the_functions_that_need_it() {
    let api = &["create-order", "verify-payment", "webhook"][..];
    let token = &["create-order", "verify-payment", "get-order"][..];
    let without_v1 = [("v1ApiKey", Value::Null), ("v1ApiSecret", Value::Null)];
    let one_half = [("v1ApiKey", Value::Null)];
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("v2ApiSecret", Value::Null, api),
        ("v2ApiSecret", json!(""), &WITH_SECRET),
        ("v2ApiSecret", json!("hunter2\nhunter2"), &WITH_SECRET),
        ("v2WebhookSecrets", Value::Null, &["webhook"]),
        ("v2WebhookSecrets", json!([]), &["webhook"]),
        ("v2WebhookSecrets", json!(["whsec_"]), &WITH_SECRET),
        ("v2WebhookSecrets", json!(["whsec_hunter2 hunter2"]), &WITH_SECRET),
        ("orderTokenKey", Value::Null, token),
        ("orderTokenKey", json!("aHVudGVyMg=="), &WITH_SECRET),
        ("orderTokenKey", json!("hunter2 hunter2 hunter2 hunter2 hunter2!"), &WITH_SECRET),
    ];
    let cases = cases.into_iter().map(|(member, value, functions)| {
        let mut members = without_v1.to_vec();
        members.push((member, value));
        (member, members, functions)
    });
    let halves = one_half.map(|half| ("v1ApiSecret", vec![half], &WITH_SECRET[..]));
    join_all(cases.chain(halves).map(|(member, members, functions)| async move {
        let shop = Shop::open_with(|options| options.secret = secret_with(&members)).await;
        for function in functions {
            let variables = environment(&shop, function);
            let line = assert_stops(function, &variables, member).await;
            assert!(
                !line.contains("hunter2") && !line.contains("aHVudGVy"),
                "the secret is not told: {line}"
            );
        }
    }))
    .await;
}

#[tokio::test]
async fn members_of_a_generation_that_is_not_used_may_be_missing() {
    let without_v1 = secret_with(&[("v1ApiKey", Value::Null), ("v1ApiSecret", Value::Null)]);
    let shop = Shop::open_with(|options| options.secret = without_v1).await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.view(&order).await["status"], "PAID");
}

#[tokio::test]
async fn a_secrets_manager_that_fails_for_a_moment_does_not_stop_a_function() {
    let shop = Shop::open().await;
    for fault in [Fault::Throttle, Fault::ServerError, Fault::ResetBefore] {
        shop.secret_wire().inject(Rule::on("GetSecretValue").times(2), fault);
        let ended = functions::run("webhook", &environment(&shop, "webhook"), Duration::from_secs(5)).await;
        assert!(!ended.lines.join("\n").contains("cannot start"), "{:?}", ended.lines);
    }
    shop.secret_wire().inject(Rule::any(), Fault::ServerError);
    assert_stops("webhook", &environment(&shop, "webhook"), "PORTONE_SECRET_ID").await;
}
