//! `GET /orders?query=`: an order is found by whatever number somebody has of it.

use end_to_end::{Answer, Shop, shop::secret_with, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::PaymentSpec;
use reqwest::{Method, Url};
use serde_json::{Value, json};

async fn search(shop: &Shop, query: &str) -> Answer {
    let url = Url::parse_with_params("http://x/orders", [("query", query)]).expect("an address");
    let query = url.query().expect("there is one");
    shop.as_operator(Method::GET, &format!("/orders?{query}"), &[], &Value::Null).await
}

/// The ids of the orders that were found.
async fn found(shop: &Shop, query: &str) -> Vec<String> {
    let answer = search(shop, query).await.expect(200);
    let orders = answer["orders"].as_array().expect("a list").iter();
    orders.map(|order| order["orderId"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn an_order_is_found_by_its_id_the_pgs_id_and_portones_id_of_the_transaction() {
    let shop = Shop::open().await;
    let (order, other) = (shop.placed().await, shop.placed().await);
    for order in [&order, &other] {
        shop.pay(order).await;
        shop.verify(&order.id).await.expect(200);
    }
    let payment = shop.payment(&order);
    let text = |name: &str| payment[name].as_str().expect("PortOne says it").to_owned();
    for query in [order.id.clone(), order.id.to_lowercase(), text("pgTxId"), text("transactionId")] {
        assert_eq!(found(&shop, &query).await, [order.id.as_str()], "{query}");
    }
    let answer = search(&shop, &text("pgTxId")).await.expect(200);
    assert_eq!((&answer["more"], &answer["unknownPayments"]), (&json!(false), &json!([])));
    let line = &answer["orders"][0];
    assert_eq!(
        (&line["status"], &line["total"], &line["currency"]),
        (&json!("PAID"), &json!(2000), &json!("KRW"))
    );
    assert!(line["createdAt"].is_string() && line["paidAt"].is_string(), "{line}");
    assert!(!answer.to_string().contains("홍길동"), "nothing of the customer is in a list");
}

#[tokio::test]
async fn a_v1_order_is_found_by_its_imp_uid() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    assert_eq!(found(&shop, &imp_uid).await, [order.id.as_str()]);
    assert_eq!(found(&shop, "imp_000000000000").await, [""; 0]);
}

#[tokio::test]
async fn a_shop_of_one_generation_finds_its_own_and_nothing_of_the_other() {
    let without = |members: [&'static str; 2]| {
        let members = members.map(|name| (name, Value::Null));
        Shop::open_with(move |options| options.secret = secret_with(&members))
    };
    let shop = without(["v2ApiSecret", "v2WebhookSecrets"]).await;
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    assert_eq!(found(&shop, &imp_uid).await, [order.id.as_str()]);
    assert_eq!(found(&shop, "T-1234").await, [""; 0]);

    let shop = without(["v1ApiKey", "v1ApiSecret"]).await;
    assert_eq!(found(&shop, "imp_000000000000").await, [""; 0]);
}

#[tokio::test]
async fn portone_is_asked_only_where_the_number_is_not_an_orders() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let mark = shop.stack.mark();
    assert_eq!(found(&shop, &order.id).await, [order.id.as_str()]);
    assert_eq!(found(&shop, "01JDABCDEFGHJKMNPQRSTVWXYZ").await, [""; 0]);
    let calls = shop.stack.calls_since(mark);
    // A new environment reads the secret first.
    let calls = calls.iter().filter(|call| call.operation != "GetSecretValue").map(|call| &*call.operation);
    assert_eq!(calls.collect::<Vec<_>>(), ["GetItem", "GetItem"]);
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    assert_eq!(found(&shop, &order.id).await, [order.id.as_str()]);
    search(&shop, "T-1234").await.expect_problem(503, "payment-gateway-unavailable");
}

#[tokio::test]
async fn a_payment_that_is_no_order_of_ours_is_told_as_one() {
    let shop = Shop::open().await;
    let orphan = "01JDABCDEFGHJKMNPQRSTVWXYZ";
    shop.portone().put_payment(orphan, &PaymentSpec::default()).unwrap();
    let payment = shop.portone().payment(orphan).expect("it is there");
    let answer = search(&shop, payment["transactionId"].as_str().unwrap()).await.expect(200);
    assert_eq!((&answer["orders"], &answer["unknownPayments"]), (&json!([]), &json!([orphan])));
}

#[tokio::test]
async fn no_query_is_a_fault_of_the_query() {
    let shop = Shop::open().await;
    for query in ["", "%20", "%ED%99%8D%EA%B8%B8%EB%8F%99"] {
        let path = format!("/orders?query={query}");
        let answer = shop.as_operator(Method::GET, &path, &[], &Value::Null).await;
        answer.expect_problem(422, "validation-failed");
    }
    let answer = shop.as_operator(Method::GET, "/orders", &[], &Value::Null).await;
    let problem = answer.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/query");
}

/// What the console draws an order from, beside the buyer's view.
#[tokio::test]
async fn the_journal_says_what_is_left_and_what_a_person_has_to_look_at() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    let journal = shop.journal(&order).await;
    let members = ["version", "balance", "payMethod", "paidThrough", "findings"].map(|name| &journal[name]);
    assert_eq!(members, [&json!(4), &json!(1500), &json!("CARD"), &json!("V2"), &json!([])]);
    assert_eq!(journal["received"], json!({ "amount": 2000, "returned": 500, "currency": "KRW" }));

    for (kind, subject) in [("PAYMENT_CHANGED", order.id.as_str()), ("ORPHAN", "another")] {
        let item = json!({
            "PK": { "S": "FINDINGS" }, "SK": { "S": format!("{kind}#{subject}") }, "kind": { "S": kind },
            "subject": { "S": subject }, "facts": { "M": {} }, "changedAt": { "N": "1" }, "firstSeenAt": { "N": "1" },
        });
        table::put(&shop.stack, &item);
    }
    let journal = shop.journal(&order).await;
    let findings = journal["findings"].as_array().unwrap().iter().map(|it| it["id"].clone());
    assert_eq!(findings.collect::<Vec<_>>(), [format!("PAYMENT_CHANGED~{}", order.id)], "{journal}");
}
