//! What an answer costs: backend calls, and how many of them have to wait for one another. Measured on the
//! wires with a latency that makes side by side and one after another easy to tell.

use std::time::Duration;

use end_to_end::{Answer, Shop, shop::basket};
use local_stack::wire::{Call, rounds};
use portone_simulator::Press;
use reqwest::Method;

const LATENCY: Duration = Duration::from_millis(40);

/// The calls that `work` makes, by operation, and their sequential rounds.
async fn measure(shop: &Shop, work: impl Future<Output = Answer>) -> (Vec<String>, usize) {
    let mark = shop.stack.mark();
    shop.stack.set_latency(LATENCY);
    let answer = work.await;
    shop.stack.set_latency(Duration::ZERO);
    assert!(matches!(answer.status, 200 | 201 | 409), "{}", answer.text);
    let calls: Vec<Call> = shop.stack.calls_since(mark);
    let mut operations: Vec<_> = calls.iter().map(|call| call.operation.clone()).collect();
    operations.sort_unstable();
    (operations, rounds(&calls))
}

/// A shop whose functions are all started and have their connections.
async fn warm() -> Shop {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    shop.view(&order).await;
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    shop
}

#[tokio::test]
async fn verify_and_webhook_read_side_by_side_and_write_once() {
    let shop = warm().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let (calls, rounds) = measure(&shop, shop.verify(&order.id)).await;
    assert_eq!(calls, ["GET /payments/{paymentId}", "GetItem", "UpdateItem"]);
    assert!(rounds <= 2, "{rounds} rounds");

    let order = shop.placed().await;
    shop.pay(&order).await;
    let (calls, rounds) = measure(&shop, shop.deliver_about("Transaction.Paid", &order.id)).await;
    assert_eq!(calls, ["GET /payments/{paymentId}", "GetItem", "UpdateItem"]);
    assert!(rounds <= 2, "{rounds} rounds");
}

#[tokio::test]
async fn a_repeated_report_is_one_round_and_writes_nothing() {
    let shop = warm().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    for work in [true, false] {
        let look = async {
            if work {
                shop.verify(&order.id).await
            } else {
                shop.deliver_about("Transaction.Paid", &order.id).await
            }
        };
        let (calls, rounds) = measure(&shop, look).await;
        assert_eq!(calls, ["GET /payments/{paymentId}", "GetItem"]);
        assert_eq!(rounds, 1);
    }
}

#[tokio::test]
async fn an_order_is_made_in_two_rounds_with_and_without_a_key() {
    let shop = warm().await;
    let calls = ["BatchGetItem", "POST /payments/{paymentId}/pre-register", "PutItem"];
    let body = basket("shoes", 2);
    let (plain, rounds) = measure(&shop, shop.order(&body)).await;
    assert_eq!((plain, rounds), (calls.map(str::to_owned).to_vec(), 2));
    let (keyed, rounds) = measure(&shop, shop.order_once("one-key", &body)).await;
    assert_eq!((keyed, rounds), (calls.map(str::to_owned).to_vec(), 2));
    let (replayed, rounds) = measure(&shop, shop.order_once("one-key", &body)).await;
    assert!(!replayed.contains(&"PutItem".to_owned()), "{replayed:?}");
    assert!(rounds <= 2, "{rounds} rounds");
}

#[tokio::test]
async fn looking_at_an_order_or_the_catalogue_is_one_call() {
    let shop = warm().await;
    let order = shop.placed().await;
    let (calls, _) = measure(&shop, shop.get_order(&order.id, Some(&order.token))).await;
    assert_eq!(calls, ["GetItem"]);
    let (calls, _) = measure(&shop, shop.send(Method::GET, "/products", &[], Vec::new())).await;
    assert_eq!(calls, ["Query"]);
}

#[tokio::test]
async fn a_wrong_token_costs_no_call_at_all() {
    let shop = warm().await;
    let order = shop.placed().await;
    let mark = shop.stack.mark();
    shop.get_order(&order.id, Some("guess")).await.expect(404);
    assert!(shop.stack.calls_since(mark).is_empty());
}

#[tokio::test]
async fn money_goes_back_in_four_calls_one_after_another() {
    let shop = warm().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    let (calls, rounds) = measure(&shop, shop.verify(&order.id)).await;
    let expected = [
        "GET /payments/{paymentId}",
        "GetItem",
        "POST /payments/{paymentId}/cancel",
        "UpdateItem",
        "UpdateItem",
    ];
    assert_eq!(calls, expected, "the intent, the call, the outcome");
    assert_eq!(rounds, 4);
}

#[tokio::test]
async fn a_function_that_starts_reads_the_secret_once_and_nothing_else() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    shop.view(&order).await;
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    assert_eq!(shop.calls_since(mark, "GetSecretValue").len(), 4, "once each, and list-products never");
    for _ in 0..3 {
        shop.verify(&order.id).await.expect(200);
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    }
    assert_eq!(shop.calls_since(mark, "GetSecretValue").len(), 4, "and then never again for five minutes");
}
