//! The secret while the functions run: rotated without a restart, refreshed when it is refused, and never
//! read in a storm.

use std::time::{Duration, Instant};

use end_to_end::{Delivery, Shop};
use local_stack::wire::{Fault, Rule};
use serde_json::json;

const NEW_WEBHOOK_SECRET: &str = "whsec_YSBuZXcgc2VjcmV0IGZvciB3ZWJob29rcw==";
const OTHER_SECRET: &str = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==";
const READ: &str = "GetSecretValue";

#[tokio::test]
async fn the_first_delivery_signed_with_a_rotated_secret_passes_at_once() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    let process = shop.stack.gateway().environments("webhook").unwrap();

    let old = shop.webhook_secrets().await;
    shop.rotate("v2WebhookSecrets", json!([NEW_WEBHOOK_SECRET])).await;
    let new = [NEW_WEBHOOK_SECRET.to_owned()];
    shop.deliver(&Delivery::about("Transaction.Ready", &order.id).signed(&new)).await.expect(200);
    shop.deliver(&Delivery::about("Transaction.Ready", &order.id).signed(&old))
        .await
        .expect_problem(400, "invalid-signature");
    assert_eq!(shop.stack.gateway().environments("webhook").unwrap(), process, "no restart");
}

#[tokio::test]
async fn a_storm_of_forged_deliveries_reads_the_secret_about_once_a_second() {
    // One process, so that its reads can be told from those of others starting.
    let shop = Shop::open_with(|options| options.max_environments = 1).await;
    let order = shop.placed().await;
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    let forged = Delivery::about("Transaction.Paid", &order.id).signed(&[OTHER_SECRET.to_owned()]);

    let mark = shop.stack.mark();
    let began = Instant::now();
    let mut refused = 0_u32;
    while began.elapsed() < Duration::from_secs(3) {
        shop.deliver(&forged).await.expect_problem(400, "invalid-signature");
        refused += 1;
    }
    let seconds = began.elapsed().as_secs() + 1;
    let reads = shop.calls_since(mark, READ).len() as u64;
    assert!(reads <= seconds + 1, "{reads} reads in {seconds} s");
    assert!(refused > 0);
    // And in the middle of the storm, a delivery with a new secret passes.
    shop.rotate("v2WebhookSecrets", json!([NEW_WEBHOOK_SECRET])).await;
    let new = Delivery::about("Transaction.Ready", &order.id).signed(&[NEW_WEBHOOK_SECRET.to_owned()]);
    shop.deliver(&new).await.expect(200);
}

#[tokio::test]
async fn a_storm_over_many_processes_stays_about_once_a_second_in_each() {
    let shop = Shop::open_with(|options| options.max_environments = 8).await;
    let order = shop.placed().await;
    let secrets = shop.webhook_secrets().await;
    let genuine = Delivery::about("Transaction.Ready", &order.id).signed(&secrets);
    let forged = Delivery::about("Transaction.Paid", &order.id).signed(&[OTHER_SECRET.to_owned()]);
    futures::future::join_all((0..8).map(|_| shop.deliver(&genuine))).await;
    let processes = shop.stack.gateway().environments("webhook").unwrap().len() as u64;

    let mark = shop.stack.mark();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(2) {
        for answer in futures::future::join_all((0..8).map(|_| shop.deliver(&forged))).await {
            // The gateway turns away what finds every process busy.
            assert!(matches!(answer.status, 400 | 503), "{}", answer.text);
        }
    }
    let started = shop.stack.gateway().environments("webhook").unwrap().len() as u64 - processes;
    let reads = shop.calls_since(mark, READ).len() as u64;
    let most = (processes + started) * (began.elapsed().as_secs() + 2);
    assert!(reads <= most, "{reads} reads, at most {most} expected");
}

#[tokio::test]
async fn stale_and_unsigned_deliveries_read_no_secret() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);
    let mark = shop.stack.mark();
    let stale = end_to_end::delivery::unix_seconds() - 1000;
    let stale = Delivery::about("Transaction.Paid", &order.id).signed_at(&[OTHER_SECRET.to_owned()], stale);
    for delivery in [Delivery::about("Transaction.Paid", &order.id), stale] {
        shop.deliver(&delivery).await.expect_problem(400, "invalid-signature");
    }
    assert!(shop.calls_since(mark, READ).is_empty());
}

#[tokio::test]
async fn an_api_secret_rotated_at_portone_and_in_secrets_manager_is_picked_up_within_the_same_call() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.deliver_about("Transaction.Ready", &order.id).await.expect(200);

    shop.portone().set_api_secrets(vec!["rotated-api-secret".to_owned()]);
    shop.rotate("v2ApiSecret", json!("rotated-api-secret")).await;
    let next = shop.placed().await;
    assert_eq!(shop.stored(&next.id).get("unregistered"), None, "create-order picked it up");
    shop.pay(&next).await;
    let verified = shop.verify(&next.id).await;
    assert_eq!(verified.expect(200)["status"], "PAID");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    for function in ["create-order", "verify-payment", "webhook"] {
        let counters = shop.stack.gateway().counters(function).unwrap();
        assert_eq!(counters.starts, 1, "{function} went on in one process");
    }
}

#[tokio::test]
async fn a_secret_that_portone_refuses_makes_answers_retryable_until_it_is_repaired() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.portone().set_api_secrets(vec!["rotated-api-secret".to_owned()]);
    for _ in 0..2 {
        shop.verify(&order.id).await.expect_problem(503, "payment-gateway-unavailable");
        let delivered = shop.deliver_about("Transaction.Paid", &order.id).await;
        delivered.expect_problem(503, "payment-gateway-unavailable");
    }
    assert_eq!(shop.stored(&order.id)["version"], 1);
    shop.rotate("v2ApiSecret", json!("rotated-api-secret")).await;
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
}

#[tokio::test]
async fn money_goes_back_with_a_secret_rotated_in_between() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, portone_simulator::Press::Tamper).await;
    let gate = shop.table_wire().hold_after(Rule::on("UpdateItem").times(1));
    let rotate = async {
        shop.at_gate(&gate, 1).await;
        shop.portone().set_api_secrets(vec!["rotated-api-secret".to_owned()]);
        shop.rotate("v2ApiSecret", json!("rotated-api-secret")).await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.verify(&order.id), rotate);
    answer.expect_problem(409, "payment-mismatch");
    assert_eq!(shop.returned(&order), (1, 200));
    assert_eq!(shop.stored(&order.id)["cancellations"][0]["status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_secret_that_was_spoiled_or_cannot_be_read_does_not_stop_a_running_function() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let genuine = Delivery::about("Transaction.Ready", &order.id).signed(&shop.webhook_secrets().await);
    let forged = Delivery::about("Transaction.Paid", &order.id).signed(&[OTHER_SECRET.to_owned()]);
    shop.deliver(&genuine).await.expect(200);

    shop.stack.set_secret("no longer JSON").await.unwrap();
    shop.deliver(&forged).await.expect_problem(400, "invalid-signature");
    shop.deliver(&genuine).await.expect(200);
    shop.secret_wire().inject(Rule::on(READ), Fault::ServerError);
    shop.deliver(&forged).await.expect_problem(400, "invalid-signature");
    shop.deliver(&genuine).await.expect(200);
    assert_eq!(shop.stored(&order.id)["status"], "PAID");
}

#[tokio::test]
async fn order_tokens_are_of_the_key_in_the_secret() {
    let shop = Shop::open().await;
    let (one, two) = (shop.placed().await, shop.placed().await);
    assert_ne!(one.token, two.token);
    let other = Shop::open().await;
    other.stack.set_secret(&shop.secret().await.to_string()).await.unwrap();
    let mine = other.placed().await;
    assert_ne!(mine.token, one.token);
}
