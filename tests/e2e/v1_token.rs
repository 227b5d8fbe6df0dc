//! V1's access token: fetched once, shared by all looks of a process, replaced when it is refused, and
//! never a reason to ask on and on.

use std::time::Duration;

use end_to_end::{Placed, Shop, in_time};
use local_stack::wire::{Fault, Mark, Rule, rounds};
use serde_json::{Value, json};

const TOKEN: &str = "POST /users/getToken";
const READ: &str = "GET /payments/{imp_uid}";

async fn paid(shop: &Shop) -> (Placed, String) {
    let order = shop.placed_v1().await;
    let imp_uid = shop.pay_v1(&order).await;
    (order, imp_uid)
}

async fn assert_paid(shop: &Shop, (order, imp_uid): &(Placed, String)) {
    assert_eq!(shop.verify_v1(imp_uid, order).await.expect(200)["status"], "PAID");
}

/// Token calls and payment reads since `mark`.
fn counted(shop: &Shop, mark: Mark) -> (usize, usize) {
    (shop.calls_since(mark, TOKEN).len(), shop.calls_since(mark, READ).len())
}

fn refusal() -> Fault {
    Fault::json(401, &json!({ "code": -1, "message": "Unauthorized", "response": null }))
}

#[tokio::test]
async fn one_token_is_fetched_at_the_first_look_and_none_after() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    let mark = shop.stack.mark();
    for looks in 1..=10 {
        assert_paid(&shop, &paid).await;
        assert_eq!(counted(&shop, mark), (1, looks));
    }
    assert_eq!(shop.stack.gateway().environments("verify-payment").unwrap().len(), 1, "one process");

    let mark = shop.stack.mark();
    shop.stack.set_latency(Duration::from_millis(40));
    assert_paid(&shop, &paid).await;
    let calls = shop.stack.calls_since(mark);
    assert_eq!((calls.len(), rounds(&calls)), (2, 1), "order and payment side by side: {calls:?}");
}

#[tokio::test]
async fn a_token_that_ended_between_two_looks_is_fetched_once_more() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    assert_paid(&shop, &paid).await;

    let mark = shop.stack.mark();
    shop.portone().clock().advance(Duration::from_secs(31 * 60));
    for looks in 1..=3 {
        assert_paid(&shop, &paid).await;
        assert_eq!(counted(&shop, mark), (1, looks + 1), "the first of {looks} was refused and repeated");
    }
}

#[tokio::test]
async fn a_token_that_ends_during_a_look_is_replaced_and_the_look_repeated_once() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    for report in ["page", "webhook"] {
        // Both functions are running and have their token.
        assert_paid(&shop, &paid).await;
        shop.deliver_v1(&paid.1, &paid.0, "paid").await.expect(200);

        let (order, imp_uid) = self::paid(&shop).await;
        let mark = shop.stack.mark();
        let gate = shop.v1_wire().hold_before(Rule::on(READ).times(1));
        let ends = async {
            shop.at_gate(&gate, 1).await;
            shop.portone().expire_v1_tokens();
            gate.open();
        };
        let look = async {
            match report {
                "page" => shop.verify_v1(&imp_uid, &order).await,
                _ => shop.deliver_v1(&imp_uid, &order, "paid").await,
            }
        };
        let (answer, ()) = tokio::join!(look, ends);
        answer.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "PAID", "{report}");
        assert_eq!(counted(&shop, mark), (1, 2), "{report}");
        let statuses: Vec<_> = shop.calls_since(mark, READ).iter().map(|call| call.status).collect();
        assert_eq!(statuses, [Some(401), Some(200)], "{report}");
    }
}

#[tokio::test]
async fn a_refusal_that_stays_is_no_loop_but_503() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    assert_paid(&shop, &paid).await;
    let unpaid = self::paid(&shop).await;

    for (what, operation, most_tokens, most_reads) in
        [("every token is refused", READ, 1, 2), ("the key pair is refused", TOKEN, 2, 1)]
    {
        if operation == TOKEN {
            shop.portone().expire_v1_tokens();
        }
        let injected = shop.v1_wire().inject(Rule::on(operation), refusal());
        for _ in 0..3 {
            let mark = shop.stack.mark();
            let answer = shop.verify_v1(&unpaid.1, &unpaid.0).await;
            answer.expect_problem(503, "payment-gateway-unavailable");
            assert!(answer.took < Duration::from_secs(5), "{what}: {:?}", answer.took);
            let (tokens, reads) = counted(&shop, mark);
            assert!(tokens <= most_tokens && reads <= most_reads, "{what}: {tokens} tokens, {reads} reads");
            assert!(shop.calls_since(mark, "GetSecretValue").len() <= 1, "{what}");
        }
        assert!(injected.hits() >= 3, "{what}");
        assert_eq!(shop.stored(&unpaid.0.id)["version"], 1, "{what}");
        shop.stack.heal();
    }
    assert_paid(&shop, &unpaid).await;
}

#[tokio::test]
async fn a_rotated_key_pair_is_picked_up_within_the_same_look() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    assert_paid(&shop, &paid).await;
    let process = shop.stack.gateway().environments("verify-payment").unwrap();

    let mut secret = shop.secret().await;
    (secret["v1ApiKey"], secret["v1ApiSecret"]) = (json!("rotated-key"), json!("rotated-secret"));
    shop.stack.set_secret(&secret.to_string()).await.unwrap();
    shop.portone().set_v1_keys("rotated-key", "rotated-secret");
    shop.portone().expire_v1_tokens();

    let next = self::paid(&shop).await;
    assert_eq!(shop.stored(&next.0.id).get("unregistered"), None, "create-order picked it up");
    assert_paid(&shop, &next).await;
    assert_eq!(shop.stack.gateway().environments("verify-payment").unwrap(), process, "no restart");
}

/// The token that PortOne gives this shop now, past the wire.
async fn true_token(shop: &Shop) -> Value {
    let secret = shop.secret().await;
    let body = json!({ "imp_key": secret["v1ApiKey"], "imp_secret": secret["v1ApiSecret"] });
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/users/getToken", shop.portone().v1_url()));
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await;
    let answer: Value = serde_json::from_str(&answer.unwrap().text().await.unwrap()).unwrap();
    answer["response"]["access_token"].clone()
}

#[tokio::test]
async fn a_tokens_age_is_counted_by_the_clock_that_portone_says() {
    for (what, now, lasts, fetched) in [
        ("30 minutes left by a clock of 1970", 1_000, 1_800, 1),
        ("30 minutes left by a clock of 2096", 4_000_000_000_u64, 1_800, 1),
        ("half a minute left by a clock of 2096", 4_000_000_000, 30, 3),
    ] {
        let shop = Shop::open().await;
        let paid = paid(&shop).await;
        let token = true_token(&shop).await;
        let told = json!({ "access_token": token, "now": now, "expired_at": now + lasts });
        let told = json!({ "code": 0, "message": null, "response": told });
        shop.v1_wire().inject(Rule::on(TOKEN), Fault::json(200, &told));
        let mark = shop.stack.mark();
        for _ in 0..3 {
            assert_paid(&shop, &paid).await;
        }
        assert_eq!(counted(&shop, mark), (fetched, 3), "{what}");
    }
}

#[tokio::test]
async fn two_processes_have_a_token_each_and_fetch_it_once_each() {
    let shop = Shop::open().await;
    let paid = paid(&shop).await;
    let mark = shop.stack.mark();
    for round in 0..3 {
        let gate = shop.v1_wire().hold_before(Rule::on(READ).times(2));
        let release = async {
            shop.at_gate(&gate, 2).await;
            gate.open();
        };
        tokio::join!(assert_paid(&shop, &paid), assert_paid(&shop, &paid), release);
        assert_eq!(shop.calls_since(mark, TOKEN).len(), 2, "round {round}");
    }
    assert_eq!(shop.stack.gateway().environments("verify-payment").unwrap().len(), 2);
}

#[tokio::test]
async fn the_end_of_one_shops_token_is_no_other_shops() {
    let (one, other) = tokio::join!(Shop::open(), Shop::open());
    let (paid_one, paid_other) = tokio::join!(paid(&one), paid(&other));
    tokio::join!(assert_paid(&one, &paid_one), assert_paid(&other, &paid_other));

    one.portone().expire_v1_tokens();
    let (mark_one, mark_other) = (one.stack.mark(), other.stack.mark());
    tokio::join!(assert_paid(&one, &paid_one), assert_paid(&other, &paid_other));
    assert_eq!(counted(&one, mark_one), (1, 2));
    assert_eq!(counted(&other, mark_other), (0, 1));
}

#[tokio::test]
async fn a_shop_with_other_keys_at_the_same_portone_sees_nothing_and_disturbs_nobody() {
    let owner = Shop::open().await;
    let paid = paid(&owner).await;
    assert_paid(&owner, &paid).await;
    let base = ("PORTONE_V1_API_BASE".to_owned(), owner.v1_wire().url().to_owned());
    let stranger = Shop::open_with(|options| drop(options.extra_env.insert(base.0, base.1))).await;
    let order = stranger.placed_v1().await;
    assert_eq!(stranger.stored(&order.id)["unregistered"], true, "its keys register nothing there");

    let mark = owner.stack.mark();
    let looks = in_time("both looks", async {
        tokio::join!(stranger.verify_v1(&paid.1, &order), owner.verify_v1(&paid.1, &paid.0))
    });
    let (strange, own) = looks.await;
    strange.expect_problem(503, "payment-gateway-unavailable");
    assert_eq!(own.expect(200)["status"], "PAID");
    let tokens = owner.calls_since(mark, TOKEN);
    assert!(!tokens.is_empty() && tokens.iter().all(|call| call.status == Some(401)), "{tokens:?}");
    assert_eq!(owner.calls_since(mark, READ).len(), 1, "the owner's own");
    assert_eq!(stranger.stored(&order.id)["status"], "PENDING");
}
