//! `GET /orders/{orderId}` and `GET /products`.

use end_to_end::{Shop, shop::basket, table};
use reqwest::Method;
use serde_json::{Value, json};

/// A problem without what differs from call to call.
fn without_request_id(mut problem: Value) -> Value {
    problem.as_object_mut().expect("a problem").remove("requestId");
    problem
}

#[tokio::test]
async fn an_unknown_order_a_wrong_token_and_no_token_are_one_answer() {
    let shop = Shop::open().await;
    let (order, other) = (shop.placed().await, shop.placed().await);
    let unknown = "01JDABCDEFGHJKMNPQRSTVWXYZ";
    let half = &order.token[..order.token.len() / 2];
    let longer = format!("{}A", order.token);
    let mut answers = Vec::new();
    for (id, token) in [
        (order.id.as_str(), Some(other.token.as_str())),
        (&order.id, Some("guess")),
        (&order.id, Some("")),
        (&order.id, Some(half)),
        (&order.id, Some(&longer)),
        (&order.id, None),
        (unknown, Some(&order.token)),
        (unknown, None),
        ("not-an-id", Some(&order.token)),
        ("not-an-id", None),
        (&order.id.to_lowercase(), Some(&order.token)),
        ("%252e%252e", Some(&order.token)),
    ] {
        let problem = shop.get_order(id, token).await.expect_problem(404, "order-not-found");
        answers.push(without_request_id(problem));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    shop.get_order(&order.id, Some(&order.token)).await.expect(200);
}

#[tokio::test]
async fn a_token_comes_as_a_bearer_and_in_no_other_way() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let path = format!("/orders/{}", order.id);
    for good in [format!("Bearer {}", order.token), format!("bearer {}", order.token)] {
        shop.send(Method::GET, &path, &[("authorization", &good)], Vec::new()).await.expect(200);
    }
    for wrong in [order.token.clone(), format!("Basic {}", order.token), format!("Bearer{}", order.token)] {
        let answer = shop.send(Method::GET, &path, &[("authorization", &wrong)], Vec::new()).await;
        answer.expect_problem(404, "order-not-found");
    }
    let in_query = format!("{path}?token={}&orderToken={}", order.token, order.token);
    shop.send(Method::GET, &in_query, &[], Vec::new()).await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn an_order_with_another_time_in_its_id_is_another_order() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let twin = format!("01JDABCDEF{}", &order.id[10..]);
    shop.get_order(&twin, Some(&order.token)).await.expect_problem(404, "order-not-found");
    shop.verify(&twin).await.expect_problem(404, "order-not-found");
}

#[tokio::test]
async fn the_view_has_nothing_of_the_customer() {
    let shop = Shop::open().await;
    let mut body = basket("shoes", 2);
    body["customer"] = json!({ "name": "남궁민수", "email": "minsu@example.com", "phone": "010-9876-5432" });
    let order = shop.placed_for(&body).await;
    shop.pay(&order).await;
    let views = [shop.verify_as_buyer(&order).await, shop.get_order(&order.id, Some(&order.token)).await];
    for view in views {
        view.expect(200);
        for personal in ["남궁민수", "minsu", "9876", "5432", "customer", order.token.as_str()] {
            assert!(!view.text.contains(personal), "{personal} in {}", view.text);
        }
    }
}

#[tokio::test]
async fn the_view_says_all_that_the_contract_names() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let view = shop.view(&order).await;
    let mut members: Vec<_> = view.as_object().unwrap().keys().map(String::as_str).collect();
    members.retain(|name| *name != "cancellations");
    members.sort_unstable();
    let expected =
        ["amount", "createdAt", "expiresAt", "items", "orderId", "orderName", "status", "updatedAt"];
    assert_eq!(members, expected);
    assert_eq!(view["items"], order.body["items"]);
    for time in ["createdAt", "expiresAt"] {
        assert_eq!(view[time], order.body[time]);
    }
}

#[tokio::test]
async fn products_for_sale_are_listed_and_inactive_ones_are_not() {
    let shop = Shop::open().await;
    let listed = shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    let products = listed["products"].as_array().unwrap();
    let ids: Vec<_> = products.iter().map(|product| product["productId"].as_str().unwrap()).collect();
    assert!(ids.contains(&"shoes") && !ids.contains(&"relic"), "{ids:?}");
    let find = |id| products.iter().find(|product| product["productId"] == id).unwrap();
    let shoes =
        json!({ "productId": "shoes", "name": "신발", "price": 1000, "currency": "KRW", "available": true });
    assert_eq!(*find("shoes"), shoes);
    assert_eq!(find("sold-out")["available"], false);
    assert_eq!(find("moon")["price"], i64::MAX);
}

#[tokio::test]
async fn a_broken_product_is_skipped_and_counted() {
    let shop = Shop::open().await;
    table::set_product(&shop.stack, "socks", "price", &json!({ "S": "300" }));
    table::set_product(&shop.stack, "rice", "active", &json!({ "S": "yes" }));
    table::set_product(&shop.stack, "mug", "taxFreeAmount", &json!({ "N": "999999" }));
    let nameless = json!({
        "PK": { "S": "PRODUCT#nameless" }, "SK": { "S": "PRODUCT" }, "price": { "N": "1" },
        "currency": { "S": "KRW" }, "active": { "BOOL": true },
    });
    table::put(&shop.stack, &nameless);
    let listed = shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    let ids: Vec<_> =
        listed["products"].as_array().unwrap().iter().map(|product| product["productId"].clone()).collect();
    assert!(ids.contains(&json!("shoes")));
    for broken in ["socks", "rice", "mug", "nameless"] {
        assert!(!ids.contains(&json!(broken)), "{broken}");
    }
    let log = shop.log.of("list-products");
    let counted = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let counted: Vec<_> = counted.filter(|line| line["event"] == "products.broken").collect();
    assert_eq!(counted.len(), 1, "{log:?}");
    assert_eq!(counted[0]["broken"], 4);
}

#[tokio::test]
async fn an_empty_catalogue_is_an_empty_list() {
    let shop = Shop::open_with(|options| options.products = local_stack::Products::None).await;
    let listed = shop.send(Method::GET, "/products", &[], Vec::new()).await;
    assert_eq!(listed.expect(200), json!({ "products": [] }));
}

#[tokio::test]
async fn a_catalogue_of_many_pages_is_listed_whole_beside_many_orders() {
    let shop = Shop::open_with(|options| options.products = local_stack::Products::None).await;
    // DynamoDB answers at most 1 MB at once: three pages of these.
    let name = "가".repeat(100);
    for number in 0..700 {
        let product = json!({
            "PK": { "S": format!("PRODUCT#p-{number:04}") }, "SK": { "S": "PRODUCT" }, "name": { "S": name },
            "price": { "N": "100" }, "currency": { "S": "KRW" }, "active": { "BOOL": true },
            "note": { "S": "x".repeat(3000) },
        });
        table::put(&shop.stack, &product);
    }
    let mark = shop.stack.mark();
    let listed = shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    assert_eq!(listed["products"].as_array().unwrap().len(), 700);
    assert!(shop.calls_since(mark, "Query").len() >= 2, "more than one page");
}
