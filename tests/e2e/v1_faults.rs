//! PortOne V1 down, slow, broken or talking nonsense: nothing changes, the page is told to come again, and
//! all is well as soon as V1 is.

use std::time::Duration;

use end_to_end::{Placed, Shop, shop::ANSWER_MAX};
use local_stack::wire::{Fault, Rule};
use serde_json::{Value, json};

const READ: &str = "GET /payments/{imp_uid}";
const TOKEN: &str = "POST /users/getToken";

async fn paid(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    (order, imp_uid)
}

fn envelope(status: u16, code: i32, response: &Value) -> Fault {
    Fault::json(status, &json!({ "code": code, "message": "안 됩니다.", "response": response }))
}

/// With `fault` on every call of `operation` the page is told to come again, the webhook's news is kept,
/// and nothing is written; healed, the order is PAID by one write.
async fn assert_comes_through(shop: &Shop, what: &str, operation: &str, fault: Fault) {
    let (order, imp_uid) = paid(shop).await;
    let stored = shop.stored(&order.id);
    shop.portone().expire_v1_tokens();
    let injected = shop.v1_wire().inject(Rule::on(operation), fault);
    let (verified, delivered) =
        tokio::join!(shop.verify_v1(&imp_uid, &order), shop.deliver_v1(&imp_uid, &order, "paid"));
    assert_eq!(verified.status, 503, "{what}: {}", verified.text);
    verified.expect_problem(503, "payment-gateway-unavailable");
    for leak in ["502", "reset", "hyper", "reqwest", "html", "iamport", "127.0.0.1", "안 됩니다"] {
        assert!(!verified.json()["detail"].as_str().unwrap().contains(leak), "{what}: {}", verified.text);
    }
    assert_eq!(delivered.status, 200, "{what}: {}", delivered.text);
    for answer in [&verified, &delivered] {
        assert!(answer.took < Duration::from_secs(15), "{what}: {:?}", answer.took);
    }
    assert!(injected.hits() >= 2, "{what}");
    assert_eq!(shop.stored(&order.id), stored, "{what}");

    shop.stack.heal();
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID", "{what}");
    shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
    assert_eq!(shop.stored(&order.id)["version"], 2, "{what}");
}

#[tokio::test]
async fn while_v1_cannot_answer_nothing_changes_and_afterwards_all_is_well() {
    let shop = Shop::open().await;
    let nothing = Fault::Answer { status: 200, content_type: "application/json", body: String::new() };
    let half = json!({ "imp_uid": "imp_000000000000", "status": "paid", "amount": 2000 });
    let mut whole = half.clone();
    whole["merchant_uid"] = json!("another-order");
    for (what, fault) in [
        ("500", Fault::ServerError),
        ("429", Fault::Throttle),
        ("200 that says no", envelope(200, 1, &Value::Null)),
        ("200 that says no and shows something", envelope(200, -1, &whole)),
        ("200 with nothing in its envelope", envelope(200, 0, &Value::Null)),
        ("200 with half a payment in its envelope", envelope(200, 0, &half)),
        ("200 with a list in its envelope", envelope(200, 0, &json!([]))),
        ("a page with 502", Fault::html(502)),
        ("a page with 504", Fault::html(504)),
        ("a page with 404", Fault::html(404)),
        ("a page with 200", Fault::html(200)),
        ("reset before", Fault::ResetBefore),
        ("reset after", Fault::ResetAfter),
        ("half a body", Fault::HalfBody),
        ("nothing", nothing),
        ("a list", Fault::json(200, &json!([]))),
        ("a redirect", envelope(302, -1, &Value::Null)),
        ("forbidden", envelope(403, -1, &Value::Null)),
    ] {
        assert_comes_through(&shop, what, READ, fault).await;
    }
}

#[tokio::test]
async fn while_v1_gives_no_token_nothing_changes_and_afterwards_all_is_well() {
    let shop = Shop::open().await;
    let long_over = json!({ "access_token": "over", "now": 1_800_000_000, "expired_at": 1_700_000_000 });
    for (what, fault) in [
        ("500", Fault::ServerError),
        ("200 that says no", envelope(200, -1, &Value::Null)),
        ("a token that is over", envelope(200, 0, &long_over)),
        ("no token", envelope(200, 0, &json!({}))),
        ("a page with 502", Fault::html(502)),
        ("a page with 200", Fault::html(200)),
        ("reset before", Fault::ResetBefore),
        ("half a body", Fault::HalfBody),
    ] {
        assert_comes_through(&shop, what, TOKEN, fault).await;
    }
}

#[tokio::test]
async fn a_v1_that_does_not_answer_or_trickles_is_waited_for_10_seconds_and_no_longer() {
    let trickle = Fault::SlowBody { bytes: 16, pause: Duration::from_millis(500) };
    let late = Fault::DelayBefore(Duration::from_secs(60));
    let story = async |what, operation, fault| {
        let shop = Shop::open().await;
        assert_comes_through(&shop, what, operation, fault).await;
    };
    tokio::join!(
        story("no answer", READ, Fault::Hang),
        story("a trickle", READ, trickle),
        story("a minute late", READ, late),
        story("no token", TOKEN, Fault::Hang),
    );
}

#[tokio::test]
async fn a_page_without_an_imp_uid_is_answered_in_time_however_slow_both_generations_are() {
    let both = async {
        let shop = Shop::open().await;
        let (order, _) = paid(&shop).await;
        shop.portone_wire().inject(Rule::any(), Fault::Hang);
        shop.v1_wire().inject(Rule::any(), Fault::Hang);
        let answer = shop.verify_v1_order(&order).await;
        answer.expect_problem(503, "payment-gateway-unavailable");
        assert!(answer.took < ANSWER_MAX, "{:?}", answer.took);
    };
    let v2_alone = async {
        let shop = Shop::open().await;
        let (order, _) = paid(&shop).await;
        shop.portone_wire().inject(Rule::any(), Fault::Hang);
        let answer = shop.verify_v1_order(&order).await;
        assert_eq!(answer.expect(200)["status"], "PAID", "V1 knows its own orders without V2");
        assert!(answer.took < ANSWER_MAX, "{:?}", answer.took);
    };
    tokio::join!(both, v2_alone);
}

#[tokio::test]
async fn a_slow_v1_within_its_10_seconds_is_waited_for() {
    let shop = Shop::open().await;
    let (order, imp_uid) = paid(&shop).await;
    shop.v1_wire().inject(Rule::on(TOKEN), Fault::DelayAfter(Duration::from_secs(3)));
    shop.v1_wire().inject(Rule::on(READ), Fault::DelayAfter(Duration::from_secs(3)));
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn one_broken_connection_to_v1_is_not_noticed_by_anybody() {
    let shop = Shop::open().await;
    for operation in [READ, TOKEN] {
        for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::HalfBody] {
            for by_page in [true, false] {
                let (order, imp_uid) = paid(&shop).await;
                shop.portone().expire_v1_tokens();
                let broken = shop.v1_wire().inject(Rule::on(operation).times(1), fault.clone());
                let answer = if by_page {
                    shop.verify_v1(&imp_uid, &order).await
                } else {
                    shop.deliver_v1(&imp_uid, &order, "paid").await
                };
                answer.expect(200);
                assert_eq!(shop.stored(&order.id)["status"], "PAID", "{operation}");
                assert_eq!(broken.hits(), 1, "{operation}");
                assert!(shop.parked().is_empty(), "{operation}");
            }
        }
    }
}

#[tokio::test]
async fn a_payment_that_v1_shows_late_is_pending_until_it_shows_it() {
    let shop = Shop::open().await;
    let (order, imp_uid) = paid(&shop).await;
    shop.v1_wire().inject(Rule::on(READ).times(1), envelope(404, -1, &Value::Null));
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PENDING");
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn orders_of_v2_are_paid_while_v1_is_down_and_orders_of_v1_while_v2_is() {
    let shop = Shop::open().await;
    let (order, imp_uid) = paid(&shop).await;
    let second = shop.placed().await;
    shop.pay(&second).await;

    let down = shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    assert_eq!(shop.verify(&second.id).await.expect(200)["status"], "PAID");
    shop.v1_wire().remove(&down);
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
    assert_eq!(shop.verify_v1_order(&order).await.expect(200)["status"], "PAID");
}
