//! `POST /orders`: what an order is made of, and every fault of a request told at once.

use end_to_end::{Shop, shop::basket, table};
use portone_simulator::Press;
use reqwest::Method;
use serde_json::{Value, json};

/// `(pointer, code)` of every field error, in the order they are told.
fn faults(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().expect("field errors").iter();
    errors.map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

async fn refused(shop: &Shop, body: &Value) -> Value {
    shop.order(body).await.expect_problem(422, "validation-failed")
}

fn line(product: &str, quantity: u32) -> Value {
    json!({ "productId": product, "quantity": quantity })
}

fn lines(lines: &[Value]) -> Value {
    json!({ "items": lines, "customer": { "name": "홍길동" } })
}

#[tokio::test]
async fn an_order_is_answered_with_what_the_browser_sdk_takes_as_it_is() {
    let shop = Shop::open().await;
    let redirect = format!("{}/return?a=1", shop.stack.url());
    let order = shop
        .placed_for(&json!({
            "items": [line("shoes", 2)],
            "customer": { "name": "홍길동", "email": "a@example.com", "phone": "010-1234-5678" },
            "payMethod": "CARD", "sdk": "v2", "redirectUrl": redirect,
        }))
        .await;
    let body = &order.body;

    assert!(order.id.len() == 26 && order.id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()));
    assert!(order.token.len() >= 32, "nobody guesses a token");
    assert_eq!(body["status"], "PENDING");
    assert_eq!(body["orderName"], "신발");
    assert_eq!(body["amount"], json!({ "total": 2000, "currency": "KRW" }));
    let item =
        json!({ "productId": "shoes", "name": "신발", "quantity": 2, "unitPrice": 1000, "amount": 2000 });
    assert_eq!(body["items"], json!([item]));
    for time in ["createdAt", "expiresAt"] {
        assert!(body[time].as_str().is_some_and(|at| at.ends_with('Z') && at.contains('T')), "{body}");
    }

    let config = shop.portone().config();
    let live = shop.portone().channel_key(portone_simulator::ChannelKind::Live).unwrap();
    let payment = json!({
        "storeId": config.store_id, "channelKey": live, "paymentId": order.id, "orderName": "신발",
        "totalAmount": 2000, "currency": "KRW", "payMethod": "CARD",
        "customer": { "fullName": "홍길동", "email": "a@example.com", "phoneNumber": "01012345678" },
        "redirectUrl": redirect,
    });
    let mut told = order.payment().clone();
    let custom = told.as_object_mut().unwrap().remove("customData").expect("customData");
    assert!(custom.is_object(), "{custom}");
    assert_eq!(told, payment);
    // And the SDK does take it.
    let result = shop.press(&order, Press::Pay).await;
    assert_eq!(result.code, None);
}

#[tokio::test]
async fn an_order_stays_open_for_as_long_as_the_shop_says() {
    let shop = Shop::open_with_env(&[("ORDER_TTL_MINUTES", "45")]).await;
    let order = shop.placed().await;
    let stored = shop.stored(&order.id);
    let open = stored["expiresAt"].as_i64().unwrap() - stored["createdAt"].as_i64().unwrap();
    assert_eq!(open, 45 * 60 * 1000);
}

#[tokio::test]
async fn prices_come_from_the_table_and_from_nowhere_else() {
    let shop = Shop::open().await;
    let mut body = basket("shoes", 2);
    body["items"][0]["price"] = json!(1);
    body["items"][0]["unitPrice"] = json!(1);
    body["items"][0]["amount"] = json!(1);
    body["totalAmount"] = json!(1);
    body["amount"] = json!({ "total": 1, "currency": "USD" });
    body["currency"] = json!("USD");
    body["taxFreeAmount"] = json!(2000);
    body["orderId"] = json!("01JDABCDEFGHJKMNPQRSTVWXYZ");
    body["payment"] = json!({ "totalAmount": 1 });
    let order = shop.placed_for(&body).await;
    assert_eq!(order.total(), 2000);
    assert_eq!(order.payment()["totalAmount"], 2000);
    assert_eq!(order.payment()["currency"], "KRW");
    assert_eq!(order.payment().get("taxFreeAmount"), None);
    assert_ne!(order.id, "01JDABCDEFGHJKMNPQRSTVWXYZ");

    table::set_product(&shop.stack, "shoes", "price", &json!({ "N": "1100" }));
    assert_eq!(shop.placed().await.total(), 2200, "a new order has the new price");
    assert_eq!(shop.stored(&order.id)["total"]["amount"], 2000, "and the old one keeps its own");
}

#[tokio::test]
async fn lines_of_one_product_are_one_line() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&lines(&[line("shoes", 2), line("socks", 1), line("shoes", 3)])).await;
    assert_eq!(order.body["orderName"], "신발 외 1건");
    let quantities: Vec<_> =
        order.body["items"].as_array().unwrap().iter().map(|item| &item["quantity"]).collect();
    assert_eq!(quantities, [5, 1]);
    assert_eq!(order.total(), 5 * 1000 + 300);
}

#[tokio::test]
async fn pieces_of_one_product_are_counted_together() {
    let shop = Shop::open().await;
    shop.placed_for(&lines(&[line("shoes", 900), line("shoes", 99)])).await;
    let problem = refused(&shop, &lines(&[line("shoes", 900), line("shoes", 100)])).await;
    assert_eq!(faults(&problem), [("/items/0/quantity", "out-of-range")]);
}

#[tokio::test]
async fn the_tax_free_share_is_registered_and_handed_to_the_window() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&lines(&[line("rice", 2), line("shoes", 1)])).await;
    assert_eq!(order.total(), 61_000);
    assert_eq!(order.payment()["taxFreeAmount"], 60_000);
    shop.pay(&order).await;
    assert_eq!(shop.payment(&order)["amount"]["taxFree"], 60_000);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_currency_with_cents_is_counted_in_cents() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&basket("mug", 2)).await;
    assert_eq!(order.body["amount"], json!({ "total": 3100, "currency": "USD" }));
    assert_eq!(order.payment()["totalAmount"], 3100);
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn every_fault_of_a_request_is_told_at_once() {
    let shop = Shop::open().await;
    let body = json!({
        "items": [
            { "productId": "no-such-product", "quantity": 0 },
            { "productId": "relic", "quantity": 1 },
            { "productId": "shoes", "quantity": 1000 },
            { "quantity": 1 },
            { "productId": "socks" },
            "shoes",
            { "productId": "mug", "quantity": 1 },
        ],
        "customer": { "name": " ", "email": "not an address", "phone": "12" },
        "payMethod": "BEADS", "sdk": "v3", "redirectUrl": "https://elsewhere.example/",
    });
    let problem = refused(&shop, &body).await;
    let mut told = faults(&problem);
    told.sort_unstable();
    let mut expected = vec![
        ("/items/0/productId", "unknown-product"),
        ("/items/0/quantity", "out-of-range"),
        ("/items/1/productId", "inactive-product"),
        ("/items/2/quantity", "out-of-range"),
        ("/items/3/productId", "required"),
        ("/items/4/quantity", "required"),
        ("/items/5", "invalid-type"),
        ("/items/6/productId", "mixed-currency"),
        ("/customer/name", "required"),
        ("/customer/email", "invalid-email"),
        ("/customer/phone", "invalid-phone"),
    ];
    let prefixes = ["/payMethod", "/sdk", "/redirectUrl"];
    let rest: Vec<_> = told.iter().filter(|(at, _)| prefixes.contains(at)).collect();
    assert_eq!(rest.len(), 3, "{told:?}");
    told.retain(|(at, _)| !prefixes.contains(at));
    expected.sort_unstable();
    assert_eq!(told, expected);
    assert!(problem["errors"].as_array().unwrap().iter().all(|error| error["detail"].is_string()));
    assert!(shop.stored_orders().is_empty());
    assert!(shop.portone().calls().is_empty(), "nothing is registered for a refused order");
}

#[tokio::test]
async fn a_body_that_is_no_order_at_all_is_refused_in_words() {
    let shop = Shop::open().await;
    for body in [json!({}), json!([]), json!("order"), json!(7), json!(null), json!({ "items": {} })] {
        let problem = refused(&shop, &body).await;
        assert!(!faults(&problem).is_empty(), "{body}");
    }
    let deep = format!("{}{}", "[".repeat(8000), "]".repeat(8000));
    let json = ("content-type", "application/json");
    for wrong in ["", " ", "{", "{\"items\":}", "\u{feff}{}", "{'items':[]}", "NaN", deep.as_str()] {
        let answer = shop.send(Method::POST, "/orders", &[json], wrong.as_bytes().to_vec()).await;
        answer.expect_problem(400, "malformed-json");
    }
    let answer = shop.send(Method::POST, "/orders", &[json], vec![0xff, 0xfe, b'{', b'}']).await;
    answer.expect_problem(400, "malformed-json");
}

#[tokio::test]
async fn a_body_is_json_by_its_content_type_and_at_most_16_kib() {
    let shop = Shop::open().await;
    let body = basket("shoes", 1).to_string().into_bytes();
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON", "application/json ;charset=\"UTF-8\""]
    {
        shop.send(Method::POST, "/orders", &[("content-type", content_type)], body.clone()).await.expect(201);
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        let answer =
            shop.send(Method::POST, "/orders", &[("content-type", content_type)], body.clone()).await;
        answer.expect_problem(415, "unsupported-media-type");
    }
    shop.send(Method::POST, "/orders", &[], body.clone()).await.expect_problem(415, "unsupported-media-type");

    let padded = |to: usize| {
        let mut padded = body.clone();
        padded.resize(to, b' ');
        padded
    };
    let json = ("content-type", "application/json");
    shop.send(Method::POST, "/orders", &[json], padded(16 * 1024)).await.expect(201);
    let over = shop.send(Method::POST, "/orders", &[json], padded(16 * 1024 + 1)).await;
    over.expect_problem(413, "body-too-large");
    let huge = shop.send(Method::POST, "/orders", &[json], padded(5 * 1024 * 1024)).await;
    huge.expect_problem(413, "body-too-large");
}

#[tokio::test]
async fn problems_are_told_in_korean_unless_the_caller_prefers_english() {
    let shop = Shop::open().await;
    let told = async |language: Option<&str>| {
        let headers: Vec<_> = language.iter().map(|language| ("accept-language", *language)).collect();
        let answer = shop.post("/orders", &headers, &basket("relic", 1)).await;
        let problem = answer.expect_problem(422, "validation-failed");
        let texts = [&problem["title"], &problem["detail"], &problem["errors"][0]["detail"]];
        texts.map(|text| text.as_str().unwrap().is_ascii())
    };
    assert_eq!(told(None).await, [false; 3]);
    assert_eq!(told(Some("ko-KR,ko;q=0.9,en;q=0.8")).await, [false; 3]);
    assert_eq!(told(Some("en-US,en;q=0.9,ko;q=0.8")).await, [true; 3]);
}

#[tokio::test]
async fn a_quantity_is_a_whole_number_from_1_to_999() {
    let shop = Shop::open().await;
    let huge: Value = serde_json::from_str("1e400").unwrap_or_else(|_| json!(1e300));
    for wrong in
        [json!(0), json!(-1), json!(1000), json!(1.5), json!(u64::MAX), json!(4_294_967_297_u64), huge]
    {
        let problem = refused(&shop, &lines(&[json!({ "productId": "shoes", "quantity": wrong })])).await;
        assert_eq!(faults(&problem), [("/items/0/quantity", "out-of-range")], "{wrong}");
    }
    for wrong in [json!("2"), json!(true), json!([1]), json!({})] {
        let problem = refused(&shop, &lines(&[json!({ "productId": "shoes", "quantity": wrong })])).await;
        assert_eq!(faults(&problem), [("/items/0/quantity", "invalid-type")], "{wrong}");
    }
    assert_eq!(shop.placed_for(&basket("shoes", 999)).await.total(), 999_000);
}

#[tokio::test]
async fn an_order_has_1_to_50_lines_and_something_to_pay() {
    let shop = Shop::open().await;
    let fifty: Vec<_> = (0..50).map(|_| line("shoes", 1)).collect();
    assert_eq!(shop.placed_for(&lines(&fifty)).await.total(), 50_000);
    let fifty_one: Vec<_> = (0..51).map(|_| line("shoes", 1)).collect();
    assert_eq!(faults(&refused(&shop, &lines(&fifty_one)).await), [("/items", "too-many")]);
    assert_eq!(faults(&refused(&shop, &lines(&[])).await), [("/items", "required")]);
    assert_eq!(faults(&refused(&shop, &basket("gift", 3)).await), [("/items", "nothing-to-pay")]);
    shop.placed_for(&lines(&[line("gift", 1), line("shoes", 1)])).await;
}

#[tokio::test]
async fn a_total_that_cannot_be_counted_is_refused() {
    let shop = Shop::open().await;
    for body in [basket("moon", 2), basket("moon", 999), lines(&[line("moon", 1), line("shoes", 1)])] {
        assert_eq!(faults(&refused(&shop, &body).await), [("/items", "amount-too-large")]);
    }
    assert_eq!(shop.placed_for(&basket("moon", 1)).await.total(), i64::MAX, "the largest amount there is");
}

#[tokio::test]
async fn one_order_has_one_currency() {
    let shop = Shop::open().await;
    let problem = refused(&shop, &lines(&[line("shoes", 1), line("mug", 1)])).await;
    assert_eq!(faults(&problem), [("/items/1/productId", "mixed-currency")]);
}

#[tokio::test]
async fn text_in_any_script_is_taken_and_what_a_pg_refuses_is_left_out_of_the_orders_name() {
    let shop = Shop::open().await;
    let long = "가".repeat(60);
    for (name, at_the_pg) in [
        ("홍길동", "홍길동"),
        ("José Ñandú", "Jose Nandu"),
        ("王小明", "王小明"),
        ("O'Neil <b>&amp;", "O'Neil <b>&amp;"),
        ("김🎉", "김"),
        (&long, &long),
    ] {
        let mut body = basket("party", 1);
        body["customer"] = json!({ "name": name });
        let order = shop.placed_for(&body).await;
        assert_eq!(order.payment()["customer"]["fullName"], at_the_pg);
        let told = order.body["orderName"].as_str().unwrap();
        assert!(told.len() <= 40 && !told.contains(['🎉', '[', ']', '%', '!']), "{told}");
        assert_eq!(shop.stored(&order.id)["customer"]["name"], *name);
    }
    for wrong in ["", "  ", "\n", &"가".repeat(61), "a\u{0}b", "줄\n바꿈"] {
        let mut body = basket("shoes", 1);
        body["customer"] = json!({ "name": wrong });
        let problem = refused(&shop, &body).await;
        assert_eq!(faults(&problem)[0].0, "/customer/name", "{wrong:?}");
    }
}

#[tokio::test]
async fn a_redirect_goes_to_an_origin_of_the_shop_and_nowhere_else() {
    let shop = Shop::open().await;
    let own = shop.stack.url().to_owned();
    let with = |url: &str| {
        let mut body = basket("shoes", 1);
        body["redirectUrl"] = json!(url);
        body
    };
    for good in [format!("{own}/"), format!("{own}/return?order=1#x")] {
        assert_eq!(shop.placed_for(&with(&good)).await.payment()["redirectUrl"], good);
    }
    for wrong in [
        "https://evil.example/".to_owned(),
        format!("{own}.evil.example/"),
        format!("{own}@evil.example/"),
        own.replace("http://", "http://user@"),
        own.replace("http://", "https://"),
        own.replace("http://", "//"),
        "javascript:alert(1)".to_owned(),
        "/return".to_owned(),
        String::new(),
        format!("{own}/{}", "a".repeat(3000)),
    ] {
        let problem = refused(&shop, &with(&wrong)).await;
        assert_eq!(faults(&problem).len(), 1, "{wrong}");
        assert_eq!(faults(&problem)[0].0, "/redirectUrl", "{wrong}");
    }
}

#[tokio::test]
async fn a_tampered_amount_is_refused_by_portone_before_any_money_moves() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    for (member, value) in
        [("totalAmount", json!(1)), ("currency", json!("USD")), ("taxFreeAmount", json!(1000))]
    {
        let mut tampered = order.payment().clone();
        tampered[member] = value;
        let refused = shop.portone().open_window(&tampered).unwrap_err();
        assert_eq!(refused.code, "AmountNotEqualToPredefined", "{member}");
    }
    assert!(shop.portone().payment(&order.id).is_none(), "no window, no payment");
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_product_that_somebody_spoiled_cannot_be_ordered_and_spoils_no_other() {
    let shop = Shop::open().await;
    table::set_product(&shop.stack, "socks", "price", &json!({ "S": "300" }));
    table::set_product(&shop.stack, "rice", "price", &json!({ "N": "-1" }));
    table::set_product(&shop.stack, "mug", "price", &json!({ "N": "15.5" }));
    for spoiled in ["socks", "rice", "mug"] {
        let problem = refused(&shop, &basket(spoiled, 1)).await;
        assert_eq!(faults(&problem), [("/items/0/productId", "unknown-product")], "{spoiled}");
    }
    shop.placed().await;
}

#[tokio::test]
async fn an_id_of_a_product_is_never_another_key_of_the_table() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let tail = &order.id[10..];
    for id in
        [format!("../ORDER#{tail}"), format!("ORDER#{tail}"), "PRODUCT#shoes".to_owned(), "shoes ".to_owned()]
    {
        let problem = refused(&shop, &basket(&id, 1)).await;
        assert_eq!(faults(&problem), [("/items/0/productId", "unknown-product")], "{id}");
    }
    for id in ["", "a\nb", &"x".repeat(129), &"x".repeat(3000)] {
        let problem = refused(&shop, &basket(id, 1)).await;
        assert_eq!(faults(&problem)[0].0, "/items/0/productId", "{id}");
    }
}
