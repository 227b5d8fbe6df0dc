//! Registering an order's amount with V1 beforehand: exact, never in the way of a sale, and what it is for.

use std::time::Duration;

use end_to_end::{Placed, Shop, shop::basket, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::switches::V1PrepareAgain;
use serde_json::{Value, json};

const PREPARE: &str = "POST /payments/prepare";
const CHANGE: &str = "PUT /payments/prepare";
const TOKEN: &str = "POST /users/getToken";

fn v1_basket() -> Value {
    let mut body = basket("shoes", 2);
    body["sdk"] = json!("v1");
    body
}

/// What V1 has registered for the order, as amount and currency.
fn prepared(shop: &Shop, order_id: &str) -> Option<(String, Option<String>)> {
    let prepared = shop.portone().v1_prepared(order_id)?;
    Some((prepared.amount.to_string(), prepared.currency))
}

fn won(amount: &str) -> Option<(String, Option<String>)> {
    Some((amount.to_owned(), Some("KRW".to_owned())))
}

async fn assert_can_be_paid(shop: &Shop, order: &Placed) {
    let imp_uid = shop.pay_v1(order).await;
    assert_eq!(shop.verify_v1(&imp_uid, order).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn what_is_registered_is_exactly_the_orders_amount() {
    let shop = Shop::open().await;
    for (product, quantity, amount) in [("shoes", 2, "2000"), ("party", 3, "23100"), ("rice", 1, "30000")] {
        let order = shop.placed_v1_for(basket(product, quantity)).await;
        assert_eq!(order.payment()["amount"].to_string(), amount, "a number without a fraction");
        assert_eq!(prepared(&shop, &order.id), won(amount));
        assert_eq!(shop.stored(&order.id).get("unregistered"), None);
    }
    assert!(shop.portone_calls("POST", "/pre-register").is_empty(), "V2 is not told of V1's orders");
}

#[tokio::test]
async fn a_window_with_another_amount_or_currency_does_not_open() {
    let shop = Shop::open().await;
    let order = shop.placed_v1().await;
    for (member, value) in [
        ("amount", json!(1999)),
        ("amount", json!(200)),
        ("amount", json!("2000")),
        ("currency", json!("JPY")),
    ] {
        let mut params = order.payment().clone();
        params[member] = value.clone();
        let refused = shop.portone().open_v1_window(&params).expect_err("no window opens");
        assert_eq!(refused.callback()["imp_uid"], Value::Null, "{member} {value}");
    }
    assert!(shop.portone().v1_payments(&order.id).is_empty());
    assert_can_be_paid(&shop, &order).await;
}

#[tokio::test]
async fn a_v1_that_refuses_or_breaks_while_it_is_told_of_an_order_does_not_cost_the_sale() {
    let shop = Shop::open().await;
    let no = |status, code| {
        Fault::json(status, &json!({ "code": code, "message": "안 됩니다.", "response": null }))
    };
    for (what, operations, fault) in [
        ("refused in words", &[PREPARE, CHANGE][..], no(200, 1)),
        ("refused by status", &[PREPARE, CHANGE], no(400, -1)),
        ("unauthorized", &[PREPARE], no(401, -1)),
        ("no token", &[TOKEN], no(401, -1)),
        ("a page with 502", &[PREPARE], Fault::html(502)),
        ("a page with 200", &[PREPARE], Fault::html(200)),
        ("reset", &[PREPARE], Fault::ResetBefore),
        ("half a body", &[PREPARE], Fault::HalfBody),
    ] {
        // Each time the token has to be fetched again.
        shop.portone().expire_v1_tokens();
        for operation in operations {
            shop.v1_wire().inject(Rule::on(operation), fault.clone());
        }
        let answer = shop.order(&v1_basket()).await;
        assert!(answer.took < Duration::from_secs(5), "{what}: {:?}", answer.took);
        let order = Placed::of(answer.expect(201));
        assert_eq!(shop.stored(&order.id)["unregistered"], true, "{what}");
        shop.stack.heal();
        assert_can_be_paid(&shop, &order).await;
    }
}

#[tokio::test]
async fn a_v1_that_hangs_while_it_is_told_of_an_order_holds_the_answer_less_than_5_seconds() {
    let slow_no = Fault::CallBefore(std::sync::Arc::new(|_| {
        Box::pin(tokio::time::sleep(Duration::from_millis(2_500)))
    }));
    let story = async |what: &str, faults: Vec<(&str, Fault)>| {
        let shop = Shop::open().await;
        // A process's start is not V1's doing.
        shop.placed().await;
        for (operation, fault) in faults {
            shop.v1_wire().inject(Rule::on(operation), fault);
        }
        let answer = shop.order(&v1_basket()).await;
        assert!(answer.took < Duration::from_secs(5), "{what}: {:?}", answer.took);
        let order = Placed::of(answer.expect(201));
        assert_eq!(shop.stored(&order.id)["unregistered"], true, "{what}");
        shop.stack.heal();
        assert_can_be_paid(&shop, &order).await;
    };
    tokio::join!(
        story("no answer", vec![(PREPARE, Fault::Hang)]),
        story("no token", vec![(TOKEN, Fault::Hang)]),
        story("both slow", vec![(TOKEN, slow_no.clone()), (PREPARE, slow_no)]),
    );
}

#[tokio::test]
async fn an_order_that_is_asked_for_again_stays_registered_however_v1_takes_a_second_registration() {
    let shop = Shop::open().await;
    for reaction in [V1PrepareAgain::Reject, V1PrepareAgain::Replace] {
        shop.portone().set_switches(|switches| switches.v1_prepare_again = reaction);
        let key = format!("checkout-{reaction:?}");
        let first = shop.order_once(&key, &v1_basket()).await;
        let again = shop.order_once(&key, &v1_basket()).await;
        assert_eq!(again.expect(201), first.expect(201));
        let id = first.json()["orderId"].as_str().unwrap().to_owned();
        assert_eq!(shop.stored(&id).get("unregistered"), None, "{reaction:?}");
        assert_eq!(prepared(&shop, &id), won("2000"), "{reaction:?}");
    }
}

#[tokio::test]
async fn an_order_whose_maker_died_before_it_was_registered_is_registered_by_the_retry() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let gate = shop.v1_wire().hold_before(Rule::on(PREPARE).times(1));
    let kill = async {
        shop.at_gate(&gate, 1).await;
        shop.answered(mark, "PutItem").await;
        shop.kill("create-order").await;
    };
    let body = v1_basket();
    let (answer, ()) = tokio::join!(shop.order_once("checkout-crash", &body), kill);
    assert_eq!(answer.status, 500);
    let id = shop.stored_orders()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(prepared(&shop, &id), None, "nobody registered it");

    assert_eq!(shop.order_once("checkout-crash", &body).await.expect(201)["orderId"], id);
    assert_eq!(prepared(&shop, &id), won("2000"));
}

#[tokio::test]
async fn a_currency_with_a_fraction_is_not_for_v1() {
    let shop = Shop::open().await;
    let mut body = basket("mug", 1);
    body["sdk"] = json!("v1");
    let mark = shop.stack.mark();
    let problem = shop.order(&body).await.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/sdk", "{problem}");
    assert_eq!(problem["errors"][0]["code"], "currency-not-supported", "{problem}");
    assert!(shop.stored_orders().is_empty());
    assert!(shop.calls_since(mark, PREPARE).is_empty());

    body["sdk"] = json!("v2");
    assert_eq!(shop.placed_for(&body).await.payment()["currency"], "USD");
}

#[tokio::test]
async fn yen_are_paid_through_v1_as_won_are() {
    let shop = Shop::open().await;
    table::set_product(&shop.stack, "shoes", "currency", &json!({ "S": "JPY" }));
    let order = shop.placed_v1().await;
    assert_eq!(prepared(&shop, &order.id), Some(("2000".to_owned(), Some("JPY".to_owned()))));
    assert_can_be_paid(&shop, &order).await;

    // The same number in another currency is another sum.
    let order = shop.placed_v1().await;
    let mut params = order.payment().clone();
    params["currency"] = json!("KRW");
    assert!(shop.portone().open_v1_window(&params).is_err());
}
