use portone_simulator::{PaymentSpec, Status};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{call, error, get, http, paid, post, refused, simulator};

fn ids(body: &Value, of: &str) -> Vec<String> {
    let items = body["items"].as_array().unwrap().iter();
    items.map(|item| item.pointer(of).unwrap().as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_id_is_percent_decoded_and_an_unknown_one_is_404() {
    let simulator = simulator().await;
    paid(&simulator, "주문/1 ?");
    let (status, body) = get(&simulator, "/payments/%EC%A3%BC%EB%AC%B8%2F1%20%3F").await;
    assert_eq!((status, &body["id"]), (StatusCode::OK, &json!("주문/1 ?")));
    assert_eq!(error(get(&simulator, "/payments/none").await), refused(404, "PAYMENT_NOT_FOUND"));
    assert_eq!(error(get(&simulator, "/payments/x?storeId=store-other").await), refused(403, "FORBIDDEN"));
}

#[tokio::test]
async fn the_secret_and_a_token_from_it_open_the_api_and_nothing_else_does() {
    let simulator = simulator().await;
    paid(&simulator, "p");
    let url = format!("{}/payments/p", simulator.url());
    let with = async |header: String| {
        http().get(&url).header("authorization", header).send().await.unwrap().status().as_u16()
    };
    assert_eq!(with("PortOne wrong".to_owned()).await, 401);
    assert_eq!(with("Basic x".to_owned()).await, 401);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 401);
    let secret = simulator.config().api_secrets[0].clone();
    let (_, tokens) = post(&simulator, "/login/api-secret", json!({ "apiSecret": secret })).await;
    assert_eq!(with(format!("Bearer {}", tokens["accessToken"].as_str().unwrap())).await, 200);
    let (_, renewed) =
        post(&simulator, "/token/refresh", json!({ "refreshToken": tokens["refreshToken"] })).await;
    assert_eq!(with(format!("Bearer {}", renewed["accessToken"].as_str().unwrap())).await, 200);
    let stale = post(&simulator, "/token/refresh", json!({ "refreshToken": tokens["refreshToken"] })).await;
    assert_eq!(error(stale), refused(401, "UNAUTHORIZED"));
    simulator.set_api_secrets(vec!["rotated".to_owned()]);
    assert_eq!(with(format!("PortOne {secret}")).await, 401);
    assert_eq!(with("PortOne rotated".to_owned()).await, 200);
}

#[tokio::test]
async fn a_list_takes_its_filter_as_a_body_or_in_the_query() {
    let simulator = simulator().await;
    for (id, status) in [("a", Status::Paid), ("b", Status::PayPending), ("c", Status::Failed)] {
        simulator.put_payment(id, &PaymentSpec { status, ..PaymentSpec::default() }).unwrap();
    }
    let body = json!({"page": {"number": 0, "size": 5}, "filter": {"status": ["PENDING"]}});
    let (_, by_body) = call(&simulator, Method::GET, "/payments", Some(body.clone()), None).await;
    assert_eq!((ids(&by_body, "/id"), &by_body["page"]["totalCount"]), (vec!["b".to_owned()], &json!(1)));
    let mut url = reqwest::Url::parse(&format!("{}/payments", simulator.url())).unwrap();
    url.query_pairs_mut().append_pair("requestBody", &body.to_string());
    let query =
        http().get(url).header("authorization", format!("PortOne {}", simulator.config().api_secrets[0]));
    let by_query: Value = query.send().await.unwrap().json().await.unwrap();
    assert_eq!(by_query, by_body);
    let wrong = json!({"filter": {"status": ["PAY_PENDING"]}});
    assert_eq!(
        error(call(&simulator, Method::GET, "/payments", Some(wrong), None).await),
        refused(400, "INVALID_REQUEST")
    );
}

#[tokio::test]
async fn a_page_beyond_sixty_thousand_is_refused() {
    let simulator = simulator().await;
    let page = |number: i64, size: i64| json!({"page": {"number": number, "size": size}});
    let list = |body: Value| call(&simulator, Method::GET, "/payments", Some(body), None);
    assert_eq!(list(page(59, 1000)).await.0, StatusCode::OK);
    assert_eq!(error(list(page(60, 1000)).await), refused(400, "INVALID_REQUEST"));
}

#[tokio::test]
async fn cursors_walk_every_payment_once_in_order_of_creation() {
    let simulator = simulator().await;
    for n in 0..25 {
        let at = Some(format!("2026-11-{:02}T00:00:00Z", n % 5 + 1));
        let spec = PaymentSpec { requested_at: at, ..PaymentSpec::default() };
        simulator.put_payment(&format!("p{n:02}"), &spec).unwrap();
    }
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let body = json!({"size": 10, "cursor": cursor, "from": "2026-10-31T00:00:00+09:00"});
        let (_, page) = call(&simulator, Method::GET, "/payments-by-cursor", Some(body), None).await;
        let found = ids(&page, "/payment/id");
        if found.is_empty() {
            break;
        }
        cursor = ids(&page, "/cursor").pop();
        seen.extend(found);
    }
    let mut sorted: Vec<String> = (0..25).map(|n| format!("p{n:02}")).collect();
    sorted.sort_by_key(|id| (id[1..].parse::<u32>().unwrap() % 5, id.clone()));
    assert_eq!(seen, sorted);
}

#[tokio::test]
async fn a_patch_shows_what_no_real_payment_would() {
    let simulator = simulator().await;
    let patch =
        json!({"status": "SOMETHING_NEW", "channel": {"key": null, "type": "TEST"}, "brandNew": {"x": 1}});
    simulator.put_payment("p", &PaymentSpec { patch, ..PaymentSpec::default() }).unwrap();
    let (_, body) = get(&simulator, "/payments/p").await;
    assert_eq!((&body["status"], &body["brandNew"]["x"]), (&json!("SOMETHING_NEW"), &json!(1)));
    assert_eq!((body["channel"].get("key"), &body["channel"]["type"]), (None, &json!("TEST")));
}

#[tokio::test]
async fn a_registration_alone_is_404_unless_the_switch_shows_it() {
    let simulator = simulator().await;
    let (status, body) =
        post(&simulator, "/payments/p/pre-register", json!({"totalAmount": 1000, "currency": "KRW"})).await;
    assert_eq!((status, body), (StatusCode::OK, json!({})));
    assert_eq!(get(&simulator, "/payments/p").await.0, StatusCode::NOT_FOUND);
    simulator.set_switches(|switches| switches.pre_registered_visible = true);
    assert_eq!(get(&simulator, "/payments/p").await.1["status"], "READY");
    paid(&simulator, "p");
    assert_eq!(
        error(post(&simulator, "/payments/p/pre-register", json!({})).await),
        refused(409, "ALREADY_PAID")
    );
}
