//! Everything has a bound: what is larger is refused or cut, nobody waits for it or holds it, and whoever comes
//! next is served.

use std::{collections::BTreeSet, time::Duration};

use end_to_end::{Delivery, Shop, shop::basket};
use local_stack::wire::{Fault, Rule};
use reqwest::Method;
use serde_json::{Value, json};

/// More than any answer of PortOne's may be.
const HUGE: usize = 64 * 1024 * 1024;

fn json_header() -> [(&'static str, &'static str); 1] {
    [("content-type", "application/json")]
}

#[tokio::test]
async fn an_answer_of_portones_that_is_far_too_long_is_cut_and_the_next_one_is_read() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let mut endless = String::from("{\"status\":\"PAID\",\"more\":\"");
    endless.push_str(&"a".repeat(HUGE));
    endless.push_str("\"}");
    let fault = Fault::Answer { status: 200, content_type: "application/json", body: endless };
    let injected = shop.portone_wire().inject(Rule::on("GET /payments/{paymentId}"), fault);
    let answer = shop.verify(&order.id).await;
    answer.expect_problem(503, "payment-gateway-unavailable");
    assert!(answer.took < Duration::from_secs(10), "{:?}", answer.took);
    assert_eq!(injected.hits(), 1, "what is too long is not asked for twice");
    shop.logged("verify-payment", "call.failed", 1).await;
    let told = shop.log.of("verify-payment").iter().any(|line| line.contains("the answer is too long"));
    assert!(told, "{:?}", shop.log.of("verify-payment"));
    shop.stack.heal();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn nesting_without_end_is_malformed_json_at_every_route() {
    let shop = Shop::open().await;
    let secrets = shop.webhook_secrets().await;
    for nested in ["[".repeat(16_000), format!("{}1{}", "{\"a\":".repeat(2_000), "}".repeat(2_000))] {
        for path in ["/orders", "/payments/verify"] {
            let answer = shop.send(Method::POST, path, &json_header(), nested.clone().into_bytes()).await;
            answer.expect_problem(400, "malformed-json");
        }
        let delivery = Delivery::of("application/json", nested.clone());
        shop.deliver(&delivery.clone().signed(&secrets)).await.expect(200);
        shop.deliver_to("/webhooks/portone/v1", &delivery).await.expect(200);
    }
    shop.placed().await;
}

#[tokio::test]
async fn what_is_named_must_be_as_short_as_names_are() {
    let shop = Shop::open().await;
    for length in [256, 8_000] {
        let long = "x".repeat(length);
        let refused: [(Value, &str); 4] = [
            (
                json!({ "items": [{ "productId": long, "quantity": 1 }], "customer": { "name": "A" } }),
                "/items/0/productId",
            ),
            (
                json!({ "items": [{ "productId": "shoes", "quantity": 1 }], "customer": { "name": long } }),
                "/customer/name",
            ),
            (
                json!({ "items": [{ "productId": "shoes", "quantity": 1 }], "customer": { "name": "A", "email": format!("{long}@example.com") } }),
                "/customer/email",
            ),
            (
                json!({ "items": [{ "productId": "shoes", "quantity": 1 }], "customer": { "name": "A" }, "payMethod": long }),
                "/payMethod",
            ),
        ];
        for (body, pointer) in refused {
            let problem = shop.order(&body).await.expect_problem(422, "validation-failed");
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
        shop.order_once(&long, &basket("shoes", 1)).await.expect_problem(400, "invalid-idempotency-key");
        shop.verify(&long).await.expect_problem(404, "order-not-found");
        shop.get_order(&long, Some(&long)).await.expect_problem(404, "order-not-found");
    }
    let mut body = basket("shoes", 1);
    body["redirectUrl"] = json!(format!("http://127.0.0.1/{}", "x".repeat(2_048)));
    let problem = shop.order(&body).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["code"], "invalid-url", "{problem}");
}

#[tokio::test]
async fn signatures_without_end_are_refused_in_a_moment_and_a_true_one_after_them_is_not_looked_for() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let delivery = Delivery::about("Transaction.Paid", &order.id).signed(&shop.webhook_secrets().await);
    let genuine = delivery.header("webhook-signature").to_owned();
    let wrong = "v1,x9F4zp5ZADOWUiDoPKsK0/eBoHr9Nr6QnunRw+F/MHI= ";
    let many = |number: usize| {
        let claims = format!("{}{genuine}", wrong.repeat(number));
        delivery.clone().with_header("webhook-signature", Some(&claims))
    };
    shop.deliver(&many(10)).await.expect(200);
    let answer = shop.deliver(&many(100)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
}

#[tokio::test]
async fn a_host_that_is_none_costs_its_sender_an_error_and_nobody_else_anything() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.view(&order).await;
    let bearer = format!("Bearer {}", order.token);
    let headers = [("host", "api.sho:p.example"), ("authorization", bearer.as_str())];
    let path = format!("/orders/{}", order.id);
    let answer = shop.send(Method::GET, &path, &headers, Vec::new()).await;
    // The library panics at it; what it said stays in the log, and the process lives.
    assert_eq!((answer.status, answer.text.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
    shop.view(&order).await;
    let lines = shop.log.lines().into_iter().filter(|line| line.function == "get-order" && line.pid != 0);
    let processes: BTreeSet<_> = lines.map(|line| line.pid).collect();
    assert_eq!(processes.len(), 1, "{processes:?}");
}
