//! How money goes back: one key over every try whose outcome is unknown, a new one after a refusal, and
//! never twice.

use end_to_end::{Placed, Shop};
use futures::future::join_all;
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, CancelMode, FaultRule, Press};
use serde_json::json;

const CANCEL: &str = "POST /payments/{paymentId}/cancel";

/// A shop and an order that 200 won were paid for instead of 2,000.
async fn mismatched() -> (Shop, Placed) {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Tamper).await;
    (shop, order)
}

/// The keys of all calls that asked for the order's money, as sent.
fn keys(shop: &Shop, order: &Placed) -> Vec<String> {
    let calls = shop.portone_calls("POST", &format!("{}/cancel", order.id)).into_iter();
    calls.map(|(key, _, _)| key.expect("money never moves without a key")).collect()
}

#[track_caller]
fn assert_all_back(shop: &Shop, order: &Placed) {
    assert_eq!(shop.returned(order), (1, 200), "{}", shop.payment(order)["cancellations"]);
    assert_eq!(shop.stored(&order.id)["status"], "REJECTED");
    let rows = shop.stored(&order.id)["cancellations"].clone();
    let succeeded = rows.as_array().unwrap().iter().filter(|row| row["status"] == "SUCCEEDED");
    assert_eq!(succeeded.count(), 1, "{rows}");
}

#[tokio::test]
async fn a_try_without_an_answer_is_repeated_with_the_same_key() {
    let faults = [
        Fault::ResetBefore,
        Fault::ServerError,
        Fault::Throttle,
        Fault::html(502),
        Fault::html(200),
        Fault::json(200, &json!({})),
        Fault::json(200, &json!({ "cancellation": { "status": "SOMETHING_NEW", "id": "c" } })),
        Fault::json(409, &json!({ "type": "IDEMPOTENCY_OUTSTANDING_REQUEST" })),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let (shop, order) = mismatched().await;
        let sent = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let noted = sent.clone();
        let injected = shop.portone_wire().inject(
            Rule::on(CANCEL).times(2).when(move |call| {
                let key =
                    call.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
                noted.lock().unwrap().push(key);
                true
            }),
            fault,
        );
        shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
        let view = shop.verify_as_buyer(&order).await.expect(200);
        assert_eq!(view["status"], "REJECTED", "fault {number}");
        assert_eq!(view["cancellations"][0]["status"], "UNKNOWN", "fault {number}");
        assert_eq!(injected.hits(), 2, "fault {number}");
        assert_eq!(shop.returned(&order), (0, 0), "fault {number}");

        shop.verify(&order.id).await.expect(200);
        assert_all_back(&shop, &order);
        let mut keys: Vec<_> = sent.lock().unwrap().iter().flatten().cloned().collect();
        keys.dedup();
        assert_eq!(keys.len(), 1, "fault {number}: {keys:?}");
    }
}

#[tokio::test]
async fn an_effect_whose_answer_got_lost_is_found_at_the_next_look_and_not_repeated() {
    for (number, fault) in [Fault::ResetAfter, Fault::HalfBody].into_iter().enumerate() {
        let (shop, order) = mismatched().await;
        shop.portone_wire().inject(Rule::on(CANCEL).times(1), fault);
        shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
        assert_eq!(shop.returned(&order), (1, 200), "fault {number}");
        assert_eq!(shop.stored(&order.id)["cancellations"][0]["status"], "INTENDED", "fault {number}");
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED");
        assert_all_back(&shop, &order);
    }
    let (shop, order) = mismatched().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::EffectThenDrop, Some(1)).unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    shop.release_webhooks().await;
    assert_all_back(&shop, &order);
    assert_eq!(keys(&shop, &order).len(), 1);
}

#[tokio::test]
async fn a_webhook_is_refused_while_money_has_to_go_back_so_that_portone_repeats_it() {
    let (shop, order) = mismatched().await;
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ResetBefore);
    shop.deliver_about("Transaction.Paid", &order.id).await.expect_problem(503, "temporarily-unavailable");
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_all_back(&shop, &order);
}

#[tokio::test]
async fn a_refusal_is_final_for_its_key_and_a_later_look_tries_with_a_new_one() {
    for (mode, failure) in [(CancelMode::FailInBand, "FAILED"), (CancelMode::RefuseByPg, "")] {
        let (shop, order) = mismatched().await;
        shop.portone().set_cancel_mode(&order.id, mode, Some(2)).unwrap();
        shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
        let row = shop.stored(&order.id)["cancellations"][0].clone();
        assert_eq!(row["status"], "FAILED", "{mode:?}");
        assert!(row["failure"].as_str().is_some_and(|code| code.contains(failure)), "{row}");

        shop.verify(&order.id).await.expect(200);
        assert_eq!(shop.returned(&order), (0, 0));
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        assert_all_back(&shop, &order);
        let mut keys = keys(&shop, &order);
        assert_eq!(keys.len(), 3, "{mode:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3, "{mode:?}: each try its own key {keys:?}");
    }
}

#[tokio::test]
async fn a_return_that_the_pg_decides_later_is_waited_for_and_not_asked_for_again() {
    let (shop, order) = mismatched().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    for _ in 0..3 {
        let view = shop.verify_as_buyer(&order).await.expect(200);
        assert_eq!(view["status"], "REJECTED");
        assert_eq!(view["cancellations"][0]["status"], "REQUESTED");
        shop.deliver_about("Transaction.CancelPending", &order.id).await.expect(200);
    }
    assert_eq!(keys(&shop, &order).len(), 1);

    shop.portone().act(&order.id, &Act::ApproveCancellation { cancellation_id: None }).unwrap();
    shop.release_webhooks().await;
    assert_all_back(&shop, &order);
    assert_eq!(keys(&shop, &order).len(), 1);
}

#[tokio::test]
async fn a_return_that_the_pg_refuses_later_is_tried_anew() {
    let (shop, order) = mismatched().await;
    shop.portone().set_cancel_mode(&order.id, CancelMode::Async, Some(1)).unwrap();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    shop.portone().act(&order.id, &Act::FailCancellation { cancellation_id: None }).unwrap();
    shop.verify(&order.id).await.expect(200);
    assert_all_back(&shop, &order);
    let keys = keys(&shop, &order);
    assert_eq!(keys.len(), 2);
    assert_ne!(keys[0], keys[1]);
}

#[tokio::test]
async fn fifty_looks_at_once_send_the_money_back_once() {
    let (shop, order) = mismatched().await;
    let looks = join_all((0..50).map(|look| {
        let (shop, order) = (&shop, &order);
        async move {
            if look % 2 == 0 {
                shop.verify(&order.id).await
            } else {
                shop.deliver_about("Transaction.Paid", &order.id).await
            }
        }
    }));
    for answer in looks.await {
        assert!(matches!(answer.status, 200 | 409 | 503), "{} {}", answer.status, answer.text);
    }
    shop.verify(&order.id).await.expect(200);
    assert_all_back(&shop, &order);
    let mut keys = keys(&shop, &order);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 1, "{keys:?}");
}

#[tokio::test]
async fn a_second_look_while_the_first_still_waits_for_portone_gives_nothing_back_twice() {
    let (shop, order) = mismatched().await;
    let slow = FaultRule::delay(400).on("POST", "/payments/*/cancel").times(1);
    shop.portone().add_fault(slow);
    let mark = shop.stack.mark();
    let second = async {
        // The first call is under way at PortOne, which answers 409 to the same key meanwhile.
        let under_way = async {
            while shop.calls_since(mark, CANCEL).is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
        };
        end_to_end::in_time("the first call is under way", under_way).await;
        shop.verify(&order.id).await
    };
    let (first, second) = tokio::join!(shop.verify(&order.id), second);
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.text, second.text);
    shop.verify(&order.id).await.expect(200);
    assert_all_back(&shop, &order);
}

#[tokio::test]
async fn money_that_somebody_else_gave_back_first_is_not_given_back_again() {
    let (shop, order) = mismatched().await;
    // The first look has read the payment as PAID; before it asks for the money, the console gives it back.
    let gate = shop.portone_wire().hold_before(Rule::on(CANCEL).times(1));
    let console = async {
        shop.at_gate(&gate, 1).await;
        let whole = Act::Cancel { amount: None, tax_free_amount: None, reason: None, trigger: None };
        shop.portone().act(&order.id, &whole).unwrap();
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.verify(&order.id), console);
    answer.expect_problem(409, "payment-mismatch");
    shop.verify(&order.id).await.expect(200);
    shop.release_webhooks().await;
    assert_eq!(shop.returned(&order), (1, 200));
    let view = shop.view(&order).await;
    assert_eq!(view["amount"]["cancelled"], 200, "{view}");
}

#[tokio::test]
async fn of_money_that_was_partly_given_back_meanwhile_the_rest_goes_back() {
    let (shop, order) = mismatched().await;
    let gate = shop.portone_wire().hold_before(Rule::on(CANCEL).times(1));
    let console = async {
        shop.at_gate(&gate, 1).await;
        let part = Act::Cancel { amount: Some(50), tax_free_amount: None, reason: None, trigger: None };
        shop.portone().act(&order.id, &part).unwrap();
        gate.open();
    };
    let (answer, ()) = tokio::join!(shop.verify(&order.id), console);
    answer.expect_problem(409, "payment-mismatch");
    for _ in 0..2 {
        shop.verify(&order.id).await.expect(200);
    }
    assert_eq!(shop.returned(&order), (2, 200));
    let calls = shop.portone_calls("POST", "/cancel");
    assert_eq!(calls.last().unwrap().1["currentCancellableAmount"], 150, "{calls:?}");
}

#[tokio::test]
async fn a_key_that_portone_forgot_gives_nothing_back_twice() {
    let (shop, order) = mismatched().await;
    shop.portone_wire().inject(Rule::on(CANCEL).times(1), Fault::ResetAfter);
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    // Four hours later PortOne has forgotten the key, and its list of cancellations is late.
    shop.portone().clock().advance(std::time::Duration::from_secs(4 * 3600));
    let before = json!({ "status": "PAID", "cancellations": [], "amount": { "cancelled": 0 } });
    shop.portone().patch_payment(&order.id, before).unwrap();
    shop.verify(&order.id).await.expect(200);
    shop.portone().patch_payment(&order.id, json!(null)).unwrap();
    for _ in 0..2 {
        shop.verify(&order.id).await.expect(200);
    }
    assert_eq!(shop.returned(&order), (1, 200));
    assert_eq!(shop.view(&order).await["amount"]["cancelled"], 200);
}
