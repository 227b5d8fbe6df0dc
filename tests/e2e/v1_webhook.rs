//! V1's webhook, which comes once, unsigned, or not at all: who may send it, and that an order ends as its
//! payment did when the table or PortOne is down at the wrong moment.

use std::net::{IpAddr, Ipv4Addr};

use end_to_end::{Answer, Placed, Shop, in_time};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Delivery, DeliveryState, webhook::Outcome};
use serde_json::json;

/// As PortOne publishes them.
const PORTONES: &str = "52.78.100.19, 52.78.48.223, 52.78.5.241";

async fn paid(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    (order, imp_uid)
}

/// The one delivery that PortOne has about this order.
#[track_caller]
fn only_delivery(shop: &Shop, order: &Placed) -> Delivery {
    let deliveries = shop.portone().deliveries_of(&order.id);
    let [delivery] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    delivery.clone()
}

/// How this delivery was answered, each time that it was sent.
fn answers(delivery: &Delivery) -> Vec<Option<u16>> {
    let code = |outcome: &Outcome| match outcome {
        Outcome::Answered { code, .. } => Some(*code),
        Outcome::Pending | Outcome::Unreachable { .. } => None,
    };
    delivery.executions.iter().map(|execution| code(&execution.outcome)).collect()
}

/// A delivery that comes from this address of the loopback network, which claims another one.
async fn deliver_from(shop: &Shop, from: Ipv4Addr, (order, imp_uid): &(Placed, String)) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().local_address(IpAddr::V4(from)).build().unwrap();
    let body = json!({ "imp_uid": imp_uid, "merchant_uid": order.id, "status": "paid" });
    let request = client
        .post(format!("{}/webhooks/portone/v1", shop.stack.url()))
        .header("content-type", "application/json")
        .header("x-forwarded-for", "52.78.100.19")
        .body(body.to_string());
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn of_the_listed_sources_a_delivery_is_taken_and_of_any_other_refused_before_portone_is_asked() {
    let sources = format!("{PORTONES}, 127.0.0.3");
    let shop = Shop::open_with_env(&[("V1_WEBHOOK_SOURCES", &sources)]).await;
    let paid = paid(&shop).await;
    let mark = shop.stack.mark();
    for stranger in [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)] {
        let (status, text) = deliver_from(&shop, stranger, &paid).await;
        assert!(status == 403 && text.contains("\"source-not-allowed\""), "{status} {text}");
    }
    let refused = shop.deliver_v1(&paid.1, &paid.0, "paid").await;
    refused.expect_problem(403, "source-not-allowed");
    let asked: Vec<_> = shop.stack.calls_since(mark).into_iter().map(|call| call.operation).collect();
    assert!(asked.iter().all(|operation| operation == "GetSecretValue"), "{asked:?}");
    assert_eq!(shop.stored(&paid.0.id)["status"], "PENDING");
    assert!(shop.parked().is_empty());

    let (status, text) = deliver_from(&shop, Ipv4Addr::new(127, 0, 0, 3), &paid).await;
    assert_eq!(status, 200, "{text}");
    assert_eq!(shop.stored(&paid.0.id)["status"], "PAID");
}

#[tokio::test]
async fn the_list_of_sources_is_for_v1s_webhook_alone() {
    let shop = Shop::open_with_env(&[("V1_WEBHOOK_SOURCES", PORTONES)]).await;
    let (order, imp_uid) = paid(&shop).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn what_a_delivery_says_of_the_order_is_not_believed_but_its_payment_is_found() {
    let shop = Shop::open().await;
    let named = shop.placed_v1().await;
    let (order, imp_uid) = paid(&shop).await;
    shop.deliver_v1(&imp_uid, &named, "paid").await.expect(200);
    assert_eq!(shop.stored(&named.id)["version"], 1);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn while_the_table_is_down_a_delivery_is_503_and_works_when_it_is_back() {
    let shop = Shop::open().await;
    for fault in [Fault::ServerError, Fault::Throttle, Fault::ResetBefore, Fault::Hang] {
        let (order, imp_uid) = paid(&shop).await;
        shop.table_wire().inject(Rule::any(), fault);
        let answer = shop.deliver_v1(&imp_uid, &order, "paid").await;
        answer.expect_problem(503, "temporarily-unavailable");
        assert!(answer.took < end_to_end::shop::ANSWER_MAX, "{:?}", answer.took);

        shop.stack.heal();
        assert_eq!(shop.stored(&order.id)["version"], 1);
        shop.deliver_v1(&imp_uid, &order, "paid").await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "PAID");
        assert!(shop.parked().is_empty());
    }
}

#[tokio::test]
async fn where_v1_repeats_a_delivery_that_met_a_table_down_ends_paid_by_itself() {
    let shop = Shop::open().await;
    shop.portone().set_switches(|switches| switches.v1_webhook_resends = true);
    let (order, _) = paid(&shop).await;
    shop.table_wire().inject(Rule::any(), Fault::ServerError);
    shop.release_webhooks().await;
    shop.portone().clock().advance(std::time::Duration::from_secs(60));
    in_time("the second send", shop.portone().settled()).await;
    assert_eq!(answers(&only_delivery(&shop, &order)), [Some(503), Some(503)]);
    assert_eq!(shop.stored(&order.id)["status"], "PENDING");

    shop.stack.heal();
    shop.portone().clock().advance(std::time::Duration::from_secs(60));
    in_time("the third send", shop.portone().settled()).await;
    assert_eq!(answers(&only_delivery(&shop, &order)), [Some(503), Some(503), Some(200)]);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

/// The only webhook of an order came while PortOne's V1 was down, and V1 is back.
async fn met_v1_down(shop: &Shop) -> (Placed, String) {
    let (order, imp_uid) = paid(shop).await;
    shop.v1_wire().inject(Rule::any(), Fault::ServerError);
    shop.release_webhooks().await;
    assert_eq!(answers(&only_delivery(shop, &order)), [Some(200)], "V1 would not send it again");
    assert_eq!(shop.stored(&order.id)["version"], 1);
    assert_eq!(shop.parked().len(), 1);
    shop.stack.heal();
    (order, imp_uid)
}

async fn finish_another(shop: &Shop) {
    let (other, _) = paid(shop).await;
    shop.release_webhooks().await;
    assert_eq!(shop.stored(&other.id)["status"], "PAID");
}

#[tokio::test]
async fn the_only_webhook_met_v1_down_and_the_page_finishes_the_order() {
    let shop = Shop::open().await;
    let (order, imp_uid) = met_v1_down(&shop).await;
    assert_eq!(shop.verify_v1(&imp_uid, &order).await.expect(200)["status"], "PAID");

    // What waited has nothing left to do, and does not wait any longer than to the next delivery.
    let stored = shop.stored(&order.id);
    finish_another(&shop).await;
    assert!(shop.parked().is_empty());
    assert_eq!(shop.stored(&order.id), stored);
}

#[tokio::test]
async fn the_only_webhook_met_v1_down_and_the_next_payments_webhook_finishes_the_order() {
    let shop = Shop::open().await;
    let (order, _) = met_v1_down(&shop).await;
    finish_another(&shop).await;
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
    assert_eq!(shop.stored(&order.id)["version"], 2);
    assert!(shop.parked().is_empty());
    let delivery = only_delivery(&shop, &order);
    assert_eq!(delivery.executions.len(), 1, "V1 sent it once");
}

#[tokio::test]
async fn a_lost_webhook_leaves_an_order_that_only_a_look_at_portone_finishes() {
    let shop = Shop::open().await;
    shop.portone().set_webhook_rules(|rules| rules.drop_next = 1);
    let (order, imp_uid) = paid(&shop).await;
    shop.release_webhooks().await;
    let delivery = only_delivery(&shop, &order);
    assert_eq!((delivery.state, delivery.executions.len()), (DeliveryState::Dropped, 0));

    let view = |answer: Answer| answer.expect(200)["status"].clone();
    assert_eq!(view(shop.get_order(&order.id, Some(&order.token)).await), "PENDING");
    assert_eq!(view(shop.verify_v1(&imp_uid, &order).await), "PAID");
    assert_eq!(view(shop.get_order(&order.id, Some(&order.token)).await), "PAID");
}
