//! PortOne down, slow, broken or talking nonsense: nothing changes, the caller is told to come again, and
//! all is well as soon as PortOne is.

use std::time::Duration;

use end_to_end::{Placed, Shop};
use local_stack::wire::{Fault, Rule};
use serde_json::json;

const READ: &str = "GET /payments/{paymentId}";

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    order
}

/// With `fault` on every read, both reports fail retryably and change nothing; healed, both succeed.
async fn assert_comes_through(shop: &Shop, what: &str, fault: Fault) {
    let order = paid(shop).await;
    let stored = shop.stored(&order.id);
    let injected = shop.portone_wire().inject(Rule::on(READ), fault);
    let (verified, delivered) =
        tokio::join!(shop.verify(&order.id), shop.deliver_about("Transaction.Paid", &order.id));
    for answer in [&verified, &delivered] {
        assert_eq!(answer.status, 503, "{what}: {}", answer.text);
        answer.expect_problem(503, "payment-gateway-unavailable");
        assert!(answer.took < Duration::from_secs(15), "{what}: {:?}", answer.took);
        for leak in ["502", "reset", "hyper", "reqwest", "html", "portone.io", "127.0.0.1"] {
            assert!(!answer.json()["detail"].as_str().unwrap().contains(leak), "{what}: {}", answer.text);
        }
    }
    assert!(injected.hits() >= 2, "{what}");
    assert_eq!(shop.stored(&order.id), stored, "{what}");

    shop.stack.heal();
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{what}");
    assert_eq!(shop.stored(&order.id)["version"], 2, "{what}");
}

#[tokio::test]
async fn while_portone_cannot_answer_nothing_changes_and_afterwards_all_is_well() {
    let shop = Shop::open().await;
    let refused = |status, kind| Fault::json(status, &json!({ "type": kind, "message": "…" }));
    for (what, fault) in [
        ("500", Fault::ServerError),
        ("429", Fault::Throttle),
        ("a page with 502", Fault::html(502)),
        ("a page with 504", Fault::html(504)),
        ("a page with 404", Fault::html(404)),
        ("a page with 200", Fault::html(200)),
        ("reset before", Fault::ResetBefore),
        ("reset after", Fault::ResetAfter),
        ("half a body", Fault::HalfBody),
        ("nothing", Fault::Answer { status: 200, content_type: "application/json", body: String::new() }),
        ("another JSON", Fault::json(200, &json!({ "items": [] }))),
        ("a list", Fault::json(200, &json!([]))),
        ("a redirect", refused(302, "MOVED")),
        ("unauthorized", refused(401, "UNAUTHORIZED")),
        ("forbidden", refused(403, "FORBIDDEN")),
    ] {
        assert_comes_through(&shop, what, fault).await;
    }
}

#[tokio::test]
async fn a_refusal_that_says_nothing_about_the_payment_is_no_reason_to_drop_a_report() {
    let shop = Shop::open().await;
    // What stands before an API answers such things while the API is moved or restarted.
    for (status, kind) in [(404, "NOT_FOUND"), (405, "METHOD_NOT_ALLOWED"), (418, "SOMETHING_NEW")] {
        let refused = Fault::json(status, &json!({ "type": kind }));
        assert_comes_through(&shop, kind, refused).await;
    }
}

#[tokio::test]
async fn a_portone_that_does_not_answer_or_trickles_is_waited_for_10_seconds_and_no_longer() {
    let trickle = Fault::SlowBody { bytes: 16, pause: Duration::from_millis(500) };
    let story = async |what, fault| {
        let shop = Shop::open().await;
        assert_comes_through(&shop, what, fault).await;
    };
    tokio::join!(story("no answer", Fault::Hang), story("a trickle", trickle), async {
        story("a minute late", Fault::DelayBefore(Duration::from_secs(60))).await;
    });
}

#[tokio::test]
async fn a_slow_portone_within_its_10_seconds_is_waited_for() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone_wire().inject(Rule::on(READ), Fault::DelayAfter(Duration::from_secs(6)));
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn one_broken_connection_is_not_noticed_by_anybody() {
    let shop = Shop::open().await;
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::HalfBody] {
        let order = paid(&shop).await;
        shop.portone_wire().inject(Rule::on(READ).times(1), fault.clone());
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{:?}", order.id);
        let order = paid(&shop).await;
        shop.portone_wire().inject(Rule::on(READ).times(1), fault);
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "PAID");
    }
}

#[tokio::test]
async fn webhooks_that_could_not_be_worked_off_are_finished_by_portones_own_retries() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone_wire().inject(Rule::on(READ), Fault::ServerError);
    shop.release_webhooks().await;
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");

    shop.portone().clock().advance(Duration::from_secs(60));
    end_to_end::in_time("a retry", shop.portone().settled()).await;
    assert_eq!(shop.stored(&order.id)["status"], "PENDING", "PortOne is still down");
    shop.stack.heal();
    for _ in 0..3 {
        shop.portone().clock().advance(Duration::from_secs(64 * 60));
        end_to_end::in_time("a retry", shop.portone().settled()).await;
    }
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn an_unknown_payment_status_is_not_paid_and_not_an_error() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.portone().patch_payment(&order.id, json!({ "status": "PAID_SOMEHOW" })).unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING");
    shop.deliver_about("Transaction.PaidSomehow", &order.id).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");
    shop.portone().patch_payment(&order.id, json!(null)).unwrap();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn both_spellings_of_a_pending_payment_are_understood() {
    let shop = Shop::open().await;
    for status in ["PAY_PENDING", "PENDING"] {
        let order = shop.placed().await;
        shop.put_payment(&order, |payment| {
            payment.status = portone_simulator::Status::PayPending;
            payment.patch = json!({ "status": status });
        });
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAY_PENDING", "{status}");
    }
}

#[tokio::test]
async fn an_order_can_be_looked_at_while_portone_is_down() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.portone_wire().inject(Rule::any(), Fault::Hang);
    assert_eq!(shop.view(&order).await["status"], "PENDING");
    shop.send(reqwest::Method::GET, "/products", &[], Vec::new()).await.expect(200);
}

#[tokio::test]
async fn a_payment_that_portone_shows_late_is_pending_until_it_shows_it() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let not_found = Fault::json(404, &json!({ "type": "PAYMENT_NOT_FOUND" }));
    shop.portone_wire().inject(Rule::on(READ).times(2), not_found);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PENDING");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}
