//! An order while something breaks: the process dies between two steps, PortOne hangs, answers get lost.

use std::time::Duration;

use end_to_end::{Answer, Shop, shop::basket};
use local_stack::wire::{Fault, Rule};
use serde_json::json;

const KEY: &str = "checkout-crash";
const PRE_REGISTER: &str = "POST /payments/{paymentId}/pre-register";

/// Sends the order and kills the process while `gate` holds it.
async fn order_and_kill(shop: &Shop, gate: &local_stack::wire::Gate) {
    let body = basket("shoes", 2);
    let kill = async {
        shop.at_gate(gate, 1).await;
        shop.kill("create-order").await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.order_once(KEY, &body), kill);
    assert_eq!(answer.status, 500, "Lambda tells of a dead process: {}", answer.text);
}

#[tokio::test]
async fn killed_after_the_write_took_effect_the_retry_gets_the_order() {
    let shop = Shop::open().await;
    let gate = shop.table_wire().hold_after(Rule::on("PutItem").times(1));
    order_and_kill(&shop, &gate).await;
    assert_eq!(shop.stored_orders().len(), 1, "the write took effect");
    let id = shop.stored_orders()[0]["id"].clone();

    let again = shop.order_once(KEY, &basket("shoes", 2)).await;
    assert_eq!(again.expect(201)["orderId"], id);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(shop.stored_orders().len(), 1);
    let registered = shop.portone().registered(id.as_str().unwrap());
    assert_eq!(registered, Some((Some(2000), Some("KRW".to_owned()))));
}

#[tokio::test]
async fn killed_before_the_write_the_retry_makes_the_order() {
    let shop = Shop::open().await;
    let gate = shop.table_wire().hold_before(Rule::on("PutItem").times(1));
    order_and_kill(&shop, &gate).await;
    let again = shop.order_once(KEY, &basket("shoes", 2)).await;
    again.expect(201);
    assert_eq!(shop.stored_orders().len(), 1);
}

#[tokio::test]
async fn killed_before_the_amount_was_registered_the_retry_registers_it() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let gate = shop.portone_wire().hold_before(Rule::on(PRE_REGISTER).times(1));
    let body = basket("shoes", 2);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.answered(mark, "PutItem").await;
        shop.kill("create-order").await;
    };
    let (answer, ()) = tokio::join!(shop.order_once(KEY, &body), kill);
    assert_eq!(answer.status, 500);
    let id = shop.stored_orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.portone().registered(&id), None, "nobody registered it");

    let again = shop.order_once(KEY, &body).await;
    assert_eq!(again.expect(201)["orderId"], id);
    assert_eq!(shop.portone().registered(&id), Some((Some(2000), Some("KRW".to_owned()))));
}

#[tokio::test]
async fn portone_hanging_in_pre_registration_holds_the_answer_less_than_5_seconds() {
    let shop = Shop::open().await;
    shop.portone_wire().inject(Rule::on(PRE_REGISTER), Fault::Hang);
    let body = basket("shoes", 2);
    let (keyed, plain) = tokio::join!(shop.order_once(KEY, &body), shop.order(&body));
    for answer in [&keyed, &plain] {
        let id = answer.expect(201)["orderId"].as_str().unwrap().to_owned();
        assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
        assert_eq!(shop.stored(&id)["unregistered"], true);
    }
    // A repeated request hangs as long and no longer, and gets the same answer.
    let again = shop.order_once(KEY, &body).await;
    assert_eq!(again.expect(201), keyed.json());
    assert!(again.took < Duration::from_secs(5), "{:?}", again.took);
}

#[tokio::test]
async fn portone_hanging_holds_the_second_of_two_requests_with_one_key_less_than_5_seconds_too() {
    let shop = Shop::open().await;
    shop.portone_wire().inject(Rule::on(PRE_REGISTER), Fault::Hang);
    let (a, b) = two_that_found_nothing(&shop).await;
    assert_eq!(a.expect(201)["orderId"], b.expect(201)["orderId"]);
    for answer in [&a, &b] {
        assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
    }
}

#[tokio::test]
async fn an_order_whose_maker_died_and_that_still_cannot_be_registered_is_marked_by_the_retry() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let gate = shop.portone_wire().hold_before(Rule::on(PRE_REGISTER).times(1));
    let body = basket("shoes", 2);
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.answered(mark, "PutItem").await;
        shop.kill("create-order").await;
    };
    let (answer, ()) = tokio::join!(shop.order_once(KEY, &body), kill);
    assert_eq!(answer.status, 500);

    shop.stack.heal();
    shop.portone_wire().inject(Rule::on(PRE_REGISTER), Fault::ServerError);
    let order = shop.order_once(KEY, &body).await.expect(201);
    assert_eq!(shop.stored(order["orderId"].as_str().unwrap())["unregistered"], true);
}

#[tokio::test]
async fn a_repeated_request_for_an_order_that_was_paid_meanwhile_raises_no_alarm() {
    let shop = Shop::open().await;
    let body = basket("shoes", 2);
    let order = shop.order_once(KEY, &body).await.expect(201);
    let window = shop.portone().open_window(&order["payment"]).unwrap();
    shop.portone().press(&window, portone_simulator::Press::Pay).await.unwrap();
    // Nobody has reported the payment yet when the page is loaded again.
    assert_eq!(shop.order_once(KEY, &body).await.expect(201), order);
    shop.logged("create-order", "call.answered", 2).await;
    let log = shop.log.of("create-order");
    let alarms: Vec<_> = log.iter().filter(|line| line.contains("\"ERROR\"")).collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}

#[tokio::test]
async fn an_order_whose_amount_could_not_be_registered_stands_marked_and_can_be_paid() {
    let shop = Shop::open().await;
    let faults = [
        Fault::ServerError,
        Fault::Throttle,
        Fault::html(502),
        Fault::html(200),
        Fault::ResetBefore,
        Fault::json(403, &json!({ "type": "FORBIDDEN" })),
        Fault::json(400, &json!({ "type": "INVALID_REQUEST" })),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let tolerated = matches!(&fault, Fault::Answer { status: 200, .. });
        shop.portone_wire().inject(Rule::on(PRE_REGISTER), fault);
        let order = shop.placed().await;
        shop.stack.heal();
        let stored = shop.stored(&order.id);
        assert_eq!(stored["status"], "PENDING");
        if !tolerated {
            assert_eq!(stored["unregistered"], true, "fault {number}");
        }
        shop.pay(&order).await;
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "fault {number}");
    }
}

#[tokio::test]
async fn an_order_without_registration_still_takes_no_other_amount() {
    let shop = Shop::open().await;
    shop.portone_wire().inject(Rule::on(PRE_REGISTER), Fault::ServerError);
    let order = shop.placed().await;
    let mut tampered = order.payment().clone();
    tampered["totalAmount"] = json!(100);
    let window = shop.portone().open_window(&tampered).expect("PortOne knows no amount");
    shop.portone().press(&window, portone_simulator::Press::Pay).await.unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    assert_eq!(shop.returned(&order), (1, 100));
}

#[tokio::test]
async fn an_answer_lost_after_the_registration_is_no_order_lost() {
    let shop = Shop::open().await;
    shop.portone_wire().inject(Rule::on(PRE_REGISTER).times(1), Fault::ResetAfter);
    let order = shop.placed().await;
    assert!(shop.portone().registered(&order.id).is_some());
    shop.pay(&order).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn a_write_whose_answer_got_lost_is_answered_and_makes_one_order() {
    let shop = Shop::open().await;
    for (key, fault) in [("a", Fault::ResetAfter), ("b", Fault::HalfBody)] {
        shop.table_wire().inject(Rule::on("PutItem").times(1), fault.clone());
        shop.order_once(key, &basket("shoes", 2)).await.expect(201);
        shop.table_wire().inject(Rule::on("PutItem").times(1), fault);
        shop.order(&basket("shoes", 2)).await.expect(201);
    }
    assert_eq!(shop.stored_orders().len(), 4);
}

#[tokio::test]
async fn an_order_that_cannot_be_stored_is_no_order() {
    let shop = Shop::open().await;
    shop.table_wire().inject(Rule::on("PutItem"), Fault::Throttle);
    shop.order_once(KEY, &basket("shoes", 2)).await.expect_problem(503, "temporarily-unavailable");
    shop.stack.heal();
    assert!(shop.stored_orders().is_empty());
    let order = shop.order_once(KEY, &basket("shoes", 2)).await.expect(201);
    assert_eq!(shop.stored_orders().len(), 1);
    let id = order["orderId"].as_str().unwrap();
    assert!(shop.portone().registered(id).is_some());
}

#[tokio::test]
async fn keys_that_the_table_did_not_get_to_are_asked_for_again() {
    let shop = Shop::open().await;
    let key = |id: &str| json!({ "PK": { "S": format!("PRODUCT#{id}") }, "SK": { "S": "PRODUCT" } });
    let table = shop.stack.table_name();
    let unprocessed = json!({
        "Responses": { table: [] },
        "UnprocessedKeys": { table: { "Keys": [key("shoes"), key("socks")], "ConsistentRead": true } },
    });
    let nothing_yet = Fault::Answer {
        status: 200,
        content_type: "application/x-amz-json-1.0",
        body: unprocessed.to_string(),
    };
    let body = json!({
        "items": [{ "productId": "shoes", "quantity": 1 }, { "productId": "socks", "quantity": 1 }],
        "customer": { "name": "홍길동" },
    });
    shop.table_wire().inject(Rule::on("BatchGetItem").times(2), nothing_yet.clone());
    assert_eq!(shop.placed_for(&body).await.total(), 1300);
    shop.table_wire().inject(Rule::on("BatchGetItem"), nothing_yet);
    shop.order(&body).await.expect_problem(503, "temporarily-unavailable");
}

/// Two requests with one key that have both looked for its order in vain when they come to write it.
async fn two_that_found_nothing(shop: &Shop) -> (Answer, Answer) {
    let gate = shop.table_wire().hold_before(Rule::on("PutItem").times(2));
    let body = basket("shoes", 2);
    let second = async {
        shop.at_gate(&gate, 1).await;
        let release = async {
            shop.at_gate(&gate, 2).await;
            gate.open();
        };
        tokio::join!(shop.order_once(KEY, &body), release).0
    };
    tokio::join!(shop.order_once(KEY, &body), second)
}

#[tokio::test]
async fn an_order_made_by_two_processes_at_once_is_one_order() {
    let shop = Shop::open().await;
    let (a, b) = two_that_found_nothing(&shop).await;
    assert_eq!(a.expect(201), b.expect(201));
    assert_eq!(shop.stored_orders().len(), 1);
    let replayed = [&a, &b].map(|answer| answer.header("idempotent-replayed").is_some());
    assert_ne!(replayed[0], replayed[1], "one made it, the other was told");
    let id = a.json()["orderId"].as_str().unwrap().to_owned();
    assert_eq!(shop.portone().registered(&id), Some((Some(2000), Some("KRW".to_owned()))));
}
