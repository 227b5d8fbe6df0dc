//! What the functions write: ids to find an order's story by, and nothing of anybody's person or secrets,
//! however loud the log is turned.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use end_to_end::{Delivery, Placed, Shop, shop::basket};
use lambda_gateway::Stream;
use local_stack::wire::{Fault, Rule};
use portone_simulator::{PaymentSpec, Press};
use reqwest::Method;
use serde_json::{Value, json};

const NAME: &str = "남궁민수";
const EMAIL: &str = "minsu.namgung@private.example";
const PHONE: &str = "010-9876-5432";
/// In every body that is sent to us, and in every body that PortOne answers.
const MARK: &str = "a-mark-of-a-body";

fn marked_basket() -> Value {
    let mut body = basket("shoes", 2);
    body["customer"] = json!({ "name": NAME, "email": EMAIL, "phone": PHONE });
    body["note"] = json!(MARK);
    body
}

/// Everything that can be said to the functions, good and bad, with everything behind them broken in turn.
async fn whole_run(shop: &Shop) -> Vec<Placed> {
    let mut orders = Vec::new();
    let secrets = shop.webhook_secrets().await;

    let order = shop.placed_for(&marked_basket()).await;
    shop.order_once("a-key-of-a-buyer", &marked_basket()).await.expect(201);
    shop.order_once("a-key-of-a-buyer", &basket("shoes", 1)).await.expect(422);
    shop.pay(&order).await;
    let mark_at_portone =
        json!({ "customData": MARK, "customer": { "name": NAME, "email": EMAIL, "phoneNumber": PHONE } });
    shop.portone().patch_payment(&order.id, mark_at_portone).unwrap();
    shop.verify_as_buyer(&order).await.expect(200);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    shop.view(&order).await;
    shop.get_order(&order.id, Some("a-guess-at-a-token")).await.expect(404);
    orders.push(order);

    // Refused requests, each with what must not be repeated in a log.
    let mut refused = marked_basket();
    refused["customer"] =
        json!({ "name": NAME.repeat(30), "email": format!("{EMAIL} "), "phone": format!("{PHONE}x") });
    refused["redirectUrl"] = json!(format!("https://evil.example/?{MARK}"));
    refused["items"] = json!([{ "productId": MARK, "quantity": MARK }]);
    shop.order(&refused).await.expect(422);
    let headers = [("content-type", "application/json")];
    for broken in [format!("{{\"{MARK}\": \"{NAME}\""), format!("\"{EMAIL}\""), MARK.repeat(2000)] {
        shop.send(Method::POST, "/orders", &headers, broken.clone().into_bytes()).await;
        shop.send(Method::POST, "/payments/verify", &headers, broken.into_bytes()).await;
    }
    for body in [format!("{{\"type\":\"{MARK}\",\"data\":\"{NAME}\"}}"), format!("{MARK} {NAME}")] {
        shop.deliver(&Delivery::of("application/json", body.clone()).signed(&secrets)).await.expect(200);
        shop.deliver(&Delivery::of("application/json", body)).await.expect(400);
    }

    // A mismatch, an orphan, and every backend failing in its own way.
    let mismatch = shop.placed_for(&marked_basket()).await;
    shop.press(&mismatch, Press::Tamper).await;
    let page =
        |status| Fault::Answer { status, content_type: "text/html", body: format!("<h1>{MARK} {NAME}</h1>") };
    let told = Fault::json(400, &json!({ "type": "INVALID_REQUEST", "message": format!("{MARK} {NAME}") }));
    for fault in [page(502), page(200), told.clone(), Fault::ResetAfter, Fault::HalfBody, Fault::ServerError]
    {
        shop.portone_wire().inject(Rule::any(), fault);
        shop.verify(&mismatch.id).await;
        shop.deliver_about("Transaction.Paid", &mismatch.id).await;
        shop.order(&marked_basket()).await.expect(201);
        shop.stack.heal();
    }
    shop.portone_wire().inject(Rule::on("POST /payments/{paymentId}/cancel").times(1), told);
    shop.verify(&mismatch.id).await.expect(409);
    shop.verify(&mismatch.id).await.expect(200);
    orders.push(mismatch);
    let orphan = PaymentSpec { custom_data: Some(MARK.to_owned()), ..PaymentSpec::default() };
    shop.portone().put_payment("an-orphan", &orphan).unwrap();
    shop.deliver_about("Transaction.Paid", "an-orphan").await.expect(200);

    for fault in [Fault::Throttle, Fault::ServerError, page(503), Fault::ResetAfter] {
        let order = shop.placed_for(&marked_basket()).await;
        shop.pay(&order).await;
        shop.table_wire().inject(Rule::any(), fault);
        shop.order(&marked_basket()).await;
        shop.verify(&order.id).await;
        shop.view_or_not(&order).await;
        shop.stack.heal();
        orders.push(order);
    }
    let spoiled = json!({
        "PK": { "S": "PRODUCT#spoiled" }, "SK": { "S": "PRODUCT" }, "name": { "S": MARK }, "price": { "S": NAME },
        "currency": { "S": "KRW" }, "active": { "BOOL": true },
    });
    end_to_end::table::put(&shop.stack, &spoiled);
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);

    // A refused API secret, a rotated one, and a secret that cannot be read.
    shop.portone().set_api_secrets(vec!["another-api-secret".to_owned()]);
    shop.verify(&orders[0].id).await.expect(503);
    let nobodys = ["whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==".to_owned()];
    shop.stack.set_secret(&format!("{MARK} no longer JSON")).await.unwrap();
    shop.deliver(&Delivery::about("Transaction.Paid", &orders[0].id).signed(&nobodys)).await.expect(400);
    orders
}

/// Asking for an order whatever comes of it.
trait ViewOrNot {
    async fn view_or_not(&self, order: &Placed);
}

impl ViewOrNot for Shop {
    async fn view_or_not(&self, order: &Placed) {
        self.get_order(&order.id, Some(&order.token)).await;
    }
}

/// What must be in no log line, with what it is.
fn forbidden(secret: &Value, orders: &[Placed]) -> Vec<(&'static str, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut forbidden: Vec<(&'static str, String)> = vec![
        ("name", NAME.to_owned()),
        ("escaped name", NAME.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()),
        ("e-mail", EMAIL.to_owned()),
        ("e-mail's name", "minsu.namgung".to_owned()),
        ("phone", PHONE.to_owned()),
        ("phone's digits", PHONE.replace('-', "")),
        ("body", MARK.to_owned()),
        ("another API secret", "another-api-secret".to_owned()),
        ("buyer's idempotency key", "a-key-of-a-buyer".to_owned()),
        ("guessed token", "a-guess-at-a-token".to_owned()),
        ("authorization", "Bearer ".to_owned()),
        ("authorization", "PortOne ".to_owned() + &text(&secret["v2ApiSecret"])),
        ("API secret", text(&secret["v2ApiSecret"])),
        ("V1 secret", text(&secret["v1ApiSecret"])),
        ("V1 key", text(&secret["v1ApiKey"])),
        ("token key", text(&secret["orderTokenKey"])),
    ];
    for webhook in secret["v2WebhookSecrets"].as_array().expect("a list") {
        let webhook = text(webhook);
        let bytes = STANDARD.decode(webhook.trim_start_matches("whsec_")).expect("base64");
        forbidden.push(("webhook secret", webhook.trim_start_matches("whsec_").to_owned()));
        forbidden.push(("webhook key", format!("{bytes:?}")));
    }
    forbidden.extend(orders.iter().map(|order| ("order token", order.token.clone())));
    forbidden
}

#[tokio::test]
async fn no_line_of_a_whole_run_holds_a_person_a_secret_or_a_body() {
    for level in ["trace", "debug,hyper=trace,hyper_util=trace,lambda_runtime=trace,rustls=trace"] {
        let shop = Shop::open_with_env(&[("RUST_LOG", level), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")]).await;
        let secret = shop.secret().await;
        let orders = whole_run(&shop).await;
        // The last lines come over a pipe.
        tokio::time::timeout(Duration::from_secs(5), shop.stack.shutdown()).await.unwrap();
        let lines: Vec<_> =
            shop.log.lines().into_iter().filter(|line| line.stream != Stream::Platform).collect();
        assert!(lines.len() > 50, "only {} lines: is anything logged?", lines.len());
        for (what, text) in forbidden(&secret, &orders) {
            let found = lines.iter().find(|line| line.text.contains(&text));
            assert!(found.is_none(), "{level}: the {what} is logged: {}", found.unwrap().text);
        }
    }
}

#[tokio::test]
async fn every_line_is_json_and_tells_which_call_and_which_order_it_is_about() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&marked_basket()).await;
    shop.pay(&order).await;
    let verified = shop.verify(&order.id).await;
    verified.expect(200);
    let gateway_id = verified.header("apigw-requestid").expect("API Gateway's id").to_owned();
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);

    for function in ["create-order", "verify-payment", "webhook"] {
        shop.logged(function, "call.answered", 1).await;
        let lines: Vec<Value> = shop
            .log
            .of(function)
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{function}: no JSON: {line}")))
            .collect();
        let answered = lines.iter().filter(|line| line["event"] == "call.answered").count();
        assert_eq!(answered, 1, "{function}: one line for its one call: {lines:?}");
        assert!(
            lines.iter().any(|line| line.to_string().contains(&order.id)),
            "{function} names the order: {lines:?}"
        );
        assert!(lines.iter().all(|line| line.to_string().contains("request_id")), "{function}: {lines:?}");
        assert!(
            lines.iter().all(|line| line["level"] != "ERROR"),
            "{function}: nothing went wrong: {lines:?}"
        );
    }
    assert!(shop.log.of("verify-payment").iter().any(|line| line.contains(&gateway_id)));
}

#[tokio::test]
async fn a_problem_carries_the_id_that_its_log_lines_have() {
    let shop = Shop::open().await;
    let problem = shop.verify("01JDABCDEFGHJKMNPQRSTVWXYZ").await.expect_problem(404, "order-not-found");
    shop.logged("verify-payment", "call.answered", 1).await;
    let id = problem["requestId"].as_str().unwrap();
    assert!(shop.log.of("verify-payment").iter().any(|line| line.contains(id)));
}

#[tokio::test]
async fn what_a_person_has_to_look_at_is_told_as_an_error() {
    let shop = Shop::open().await;
    let mismatch = shop.placed().await;
    shop.press(&mismatch, Press::Tamper).await;
    shop.verify(&mismatch.id).await.expect(409);
    shop.portone().put_payment("an-orphan", &PaymentSpec::default()).unwrap();
    shop.deliver_about("Transaction.Paid", "an-orphan").await.expect(200);
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    shop.placed().await;
    shop.logged("verify-payment", "call.answered", 1).await;
    shop.logged("webhook", "call.answered", 1).await;
    shop.logged("create-order", "call.answered", 2).await;

    let errors = |function: &str| -> Vec<Value> {
        let lines = shop.log.of(function).into_iter();
        let lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter(|line| line["level"] == "ERROR").map(|line| line["event"].clone()).collect()
    };
    assert_eq!(errors("verify-payment"), ["payment.mismatch"]);
    assert_eq!(errors("webhook"), ["payment.orphan"]);
    assert_eq!(errors("create-order"), ["order.unregistered"]);
}
