//! One key, one order: whoever repeats a request, and however often.

use std::collections::BTreeSet;

use end_to_end::{Shop, shop::basket, table};
use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

const KEY: &str = "checkout-7f3a";

#[tokio::test]
async fn the_same_key_and_request_get_the_same_answer_however_they_are_spelled() {
    let shop = Shop::open().await;
    let first = shop.order_once(KEY, &basket("shoes", 2)).await;
    let body = first.expect(201);
    assert_eq!(first.header("idempotent-replayed"), None);

    let spelled = r#" { "customer" : {"name":"\ud64d\uae38\ub3d9"},
        "items" : [ { "quantity":2 , "productId": "sho\u0065s" } ] } "#;
    let quoted = format!("\"{KEY}\"");
    for (key, text) in
        [(KEY, basket("shoes", 2).to_string()), (&quoted, spelled.to_owned()), (KEY, spelled.to_owned())]
    {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let again = shop.send(Method::POST, "/orders", &headers, text.into_bytes()).await;
        assert_eq!(again.expect(201), body);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    assert_eq!(shop.stored_orders().len(), 1);
}

#[tokio::test]
async fn the_answer_stays_the_same_when_the_price_has_changed() {
    let shop = Shop::open().await;
    let body = shop.order_once(KEY, &basket("shoes", 2)).await.expect(201);
    table::set_product(&shop.stack, "shoes", "price", &json!({ "N": "9900" }));
    table::set_product(&shop.stack, "shoes", "name", &json!({ "S": "다른 신발" }));
    assert_eq!(shop.order_once(KEY, &basket("shoes", 2)).await.expect(201), body);
}

#[tokio::test]
async fn the_answer_stays_the_same_when_the_product_is_no_longer_sold() {
    let shop = Shop::open().await;
    let body = shop.order_once(KEY, &basket("shoes", 2)).await.expect(201);
    table::set_product(&shop.stack, "shoes", "active", &json!({ "BOOL": false }));
    let again = shop.order_once(KEY, &basket("shoes", 2)).await;
    assert_eq!(again.expect(201), body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    shop.order_once("another-key", &basket("shoes", 2)).await.expect_problem(422, "validation-failed");
}

#[tokio::test]
async fn the_answer_stays_the_same_when_the_order_was_paid() {
    let shop = Shop::open().await;
    let body = shop.order_once(KEY, &basket("shoes", 2)).await.expect(201);
    let id = body["orderId"].as_str().unwrap();
    let window = shop.portone().open_window(&body["payment"]).unwrap();
    shop.portone().press(&window, portone_simulator::Press::Pay).await.unwrap();
    assert_eq!(shop.verify(id).await.expect(200)["status"], "PAID");
    let stored = shop.stored(id);

    let again = shop.order_once(KEY, &basket("shoes", 2)).await;
    assert_eq!(again.expect(201), body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(shop.stored(id), stored);
}

#[tokio::test]
async fn a_key_is_refused_for_another_request_also_an_impossible_one() {
    let shop = Shop::open().await;
    shop.order_once(KEY, &basket("shoes", 2)).await.expect(201);
    let mut more = basket("shoes", 2);
    more["note"] = json!("unknown members count as well");
    for other in [basket("shoes", 3), basket("socks", 2), more, basket("no-such-product", 1), json!({})] {
        shop.order_once(KEY, &other).await.expect_problem(422, "idempotency-key-reused");
    }
    assert_eq!(shop.stored_orders().len(), 1);
}

#[tokio::test]
async fn a_refused_request_does_not_use_its_key_up() {
    let shop = Shop::open().await;
    shop.order_once(KEY, &basket("relic", 1)).await.expect_problem(422, "validation-failed");
    let answer = shop.order_once(KEY, &basket("shoes", 2)).await;
    answer.expect(201);
    assert_eq!(answer.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn twenty_requests_with_one_key_at_once_make_one_order_and_get_one_answer() {
    let shop = Shop::open().await;
    let body = basket("shoes", 2);
    let answers = join_all((0..20).map(|_| shop.order_once(KEY, &body))).await;
    let mut made = BTreeSet::new();
    for answer in &answers {
        // 409 `request-in-progress` is allowed to whoever is not first.
        if answer.status == 409 {
            answer.expect_problem(409, "request-in-progress");
        } else {
            made.insert(answer.expect(201).to_string());
        }
    }
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(shop.stored_orders().len(), 1);
    let first = answers
        .iter()
        .filter(|answer| answer.status == 201 && answer.header("idempotent-replayed").is_none());
    assert_eq!(first.count(), 1, "one made it, the others were told that it was made");
}

#[tokio::test]
async fn of_two_requests_in_one_millisecond_one_is_told_that_it_was_repeated() {
    let shop = Shop::open().await;
    let body = basket("shoes", 2);
    // Both processes run already, so that the two start as close together as they can.
    tokio::join!(shop.order(&body), shop.order(&body));
    for round in 0..60 {
        let key = format!("{KEY}-{round}");
        let (a, b) = tokio::join!(shop.order_once(&key, &body), shop.order_once(&key, &body));
        assert_eq!(a.expect(201), b.expect(201));
        let told = [&a, &b].iter().filter(|answer| answer.header("idempotent-replayed").is_some()).count();
        assert_eq!(told, 1, "round {round}: made at {}", a.json()["createdAt"]);
    }
}

#[tokio::test]
async fn two_other_requests_with_one_key_at_once_make_one_order_and_one_refusal() {
    let shop = Shop::open().await;
    for round in 0..10 {
        let key = format!("{KEY}-{round}");
        let (two, three) = (basket("shoes", 2), basket("shoes", 3));
        let (a, b) = tokio::join!(shop.order_once(&key, &two), shop.order_once(&key, &three));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 422], "{} {}", a.text, b.text);
        assert_eq!(shop.stored_orders().len(), round + 1);
    }
}

#[tokio::test]
async fn without_a_key_every_request_makes_an_order() {
    let shop = Shop::open().await;
    let body = basket("shoes", 2);
    let answers = join_all((0..5).map(|_| shop.order(&body))).await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.expect(201)["orderId"].to_string()).collect();
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn a_key_is_1_to_255_printable_ascii_characters() {
    let shop = Shop::open().await;
    let longest = "k".repeat(255);
    for good in ["k", longest.as_str(), "a b", "\"q\"", "~!@#$%^&*()"] {
        shop.order_once(good, &basket("shoes", 1)).await.expect(201);
    }
    let over = "k".repeat(256);
    for wrong in ["", "\"\"", over.as_str()] {
        shop.order_once(wrong, &basket("shoes", 1)).await.expect_problem(400, "invalid-idempotency-key");
    }
    let not_ascii = shop.order_once("키", &basket("shoes", 1)).await;
    assert_eq!(
        not_ascii.status, 400,
        "{}: a key that cannot be read must not be passed over",
        not_ascii.text
    );
    assert_eq!(shop.stored_orders().len(), 5);
}

#[tokio::test]
async fn orders_of_two_keys_have_nothing_in_common() {
    let shop = Shop::open().await;
    let body = basket("shoes", 2);
    let one = shop.order_once("key-one", &body).await.expect(201);
    let two = shop.order_once("key-two", &body).await.expect(201);
    assert_ne!(one["orderId"], two["orderId"]);
    assert_ne!(one["orderToken"], two["orderToken"]);
}
