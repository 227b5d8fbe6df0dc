//! The table throttled, reset, in conflict or gone: retries where they help, no effect twice, and an honest
//! answer where they do not.

use end_to_end::{
    Answer, Placed, Shop,
    shop::{ANSWER_MAX, basket},
};
use local_stack::wire::{Fault, Request, Rule};
use reqwest::Method;
use serde_json::json;

async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    order
}

#[tokio::test]
async fn throttling_that_passes_is_not_noticed_by_anybody() {
    let shop = Shop::open().await;
    for operation in ["GetItem", "UpdateItem"] {
        let order = paid(&shop).await;
        let throttled = shop.table_wire().inject(Rule::on(operation).times(2), Fault::Throttle);
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{operation}");
        assert_eq!(throttled.hits(), 2, "{operation}");
        assert_eq!(shop.stored(&order.id)["version"], 2);
    }
    for operation in ["BatchGetItem", "PutItem"] {
        let throttled = shop.table_wire().inject(Rule::on(operation).times(2), Fault::Throttle);
        shop.placed().await;
        assert_eq!(throttled.hits(), 2, "{operation}");
    }
    let throttled = shop.table_wire().inject(Rule::on("Query").times(2), Fault::Throttle);
    shop.send(Method::GET, "/products", &[], Vec::new()).await.expect(200);
    assert_eq!(throttled.hits(), 2);
}

#[tokio::test]
async fn an_error_or_a_broken_connection_that_passes_is_not_noticed_by_anybody() {
    let shop = Shop::open().await;
    for fault in
        [Fault::ServerError, Fault::ResetBefore, Fault::ResetAfter, Fault::HalfBody, Fault::html(503)]
    {
        for operation in ["GetItem", "UpdateItem"] {
            let order = paid(&shop).await;
            let injected = shop.table_wire().inject(Rule::on(operation).times(1), fault.clone());
            assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID", "{operation}");
            assert_eq!(injected.hits(), 1);
            assert_eq!(shop.stored(&order.id)["version"], 2, "{operation}: one effect");
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_got_lost_is_done_once_also_when_others_write_meanwhile() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    // The write takes effect and its answer is held; meanwhile the payment is cancelled and that is written
    // too; then the answer gets lost, and the function tries again.
    let held = shop.table_wire().hold_after(Rule::on("UpdateItem").times(1));
    let meanwhile = async {
        shop.at_gate(&held, 1).await;
        let whole = portone_simulator::Act::Cancel {
            amount: None,
            tax_free_amount: None,
            reason: None,
            trigger: None,
        };
        shop.portone().act(&order.id, &whole).unwrap();
        shop.deliver_about("Transaction.Cancelled", &order.id).await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "CANCELLED");
    };
    // Longer than one attempt may take, so that the held one is given up.
    let (answer, ()) = tokio::join!(shop.verify(&order.id), async {
        meanwhile.await;
        let mark = shop.stack.mark();
        shop.answered(mark, "UpdateItem").await;
        held.open();
    });
    assert_eq!(answer.expect(200)["status"], "CANCELLED");
    assert_eq!(shop.stored(&order.id)["version"], 3, "paid, cancelled, and nothing else");
}

/// DynamoDB's API reference: a single write "was rejected because there is an ongoing transaction for the item".
#[tokio::test]
async fn a_single_write_that_runs_into_a_transaction_is_sent_again() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        let conflict = shop.table_wire().inject(Rule::on("PutItem").times(1), Fault::TransactionConflict);
        let order = shop.placed().await;
        assert_eq!(conflict.hits(), 1);
        let conflict = shop.table_wire().inject(Rule::on("UpdateItem").times(2), Fault::TransactionConflict);
        shop.pay(&order).await;
        assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "PAID");
        assert_eq!(conflict.hits(), 2);
        assert_eq!(shop.stored(&order.id)["version"], 2, "one effect");
        shop.stack.heal();
    }
}

/// DynamoDB's error of this code, in the form of its JSON protocol.
fn rejection(code: &str) -> Fault {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    Fault::json(400, &json!({ "__type": kind, "message": "Item size has exceeded the maximum allowed size" }))
}

/// DynamoDB Developer Guide, "Error handling": `ValidationException` and `AccessDeniedException` are not to be retried.
#[tokio::test]
async fn a_write_that_dynamodb_rejects_for_good_is_an_internal_error_a_finding_and_a_metric() {
    for code in ["ValidationException", "AccessDeniedException"] {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        let of_the_order = |request: &Request| request.mentions("writtenBy");
        let rejected = shop.table_wire().inject(Rule::on("UpdateItem").when(of_the_order), rejection(code));
        let answer = shop.verify(&order.id).await;
        answer.expect_problem(500, "internal-error");
        assert_eq!(rejected.hits(), 1, "it is not sent again");
        let finding = &shop.findings("WRITE_REJECTED")[0];
        assert_eq!((&finding["subject"], &finding["facts"]["code"]), (&json!(order.id), &json!(code)));

        // PortOne repeats what is answered 5xx: the delivery is not lost.
        let delivered = shop.deliver_about("Transaction.Paid", &order.id).await;
        delivered.expect_problem(500, "internal-error");
        shop.stack.heal();
        shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
        assert_eq!(shop.stored(&order.id)["status"], "PAID");
        shop.reconcile().await;
        assert!(shop.findings("WRITE_REJECTED").is_empty(), "it settles when the order can be written");
    }
}

#[tokio::test]
async fn an_order_that_dynamodb_rejects_for_good_is_not_promised_for_later() {
    let shop = Shop::open().await;
    shop.table_wire().inject(Rule::on("PutItem"), rejection("ValidationException"));
    let answer = shop.order(&basket("shoes", 1)).await;
    answer.expect_problem(500, "internal-error");
    assert!(!answer.text.contains("ValidationException"), "{}", answer.text);
}

#[tokio::test]
async fn two_reports_of_which_one_meets_a_conflict_pay_the_order_once() {
    let shop = Shop::open().await;
    for _ in 0..5 {
        let order = paid(&shop).await;
        shop.table_wire().inject(Rule::on("UpdateItem").times(1), Fault::TransactionConflict);
        let delivery = shop.deliver_about("Transaction.Paid", &order.id);
        let (verified, delivered) = tokio::join!(shop.verify(&order.id), delivery);
        assert!(matches!(verified.status, 200 | 503), "{}", verified.text);
        assert!(matches!(delivered.status, 200 | 503), "{}", delivered.text);
        assert!(verified.status == 200 || delivered.status == 200, "one of them met no conflict");
        assert_eq!(shop.stored(&order.id)["version"], 2);
        shop.stack.heal();
    }
}

/// What every function says while the table is gone.
async fn all_answers(shop: &Shop, order: &Placed) -> Vec<(&'static str, Answer)> {
    let body = basket("shoes", 1);
    let (created, verified, delivered, got, listed) = tokio::join!(
        shop.order_once("while-the-table-is-gone", &body),
        shop.verify(&order.id),
        shop.deliver_about("Transaction.Paid", &order.id),
        shop.get_order(&order.id, Some(&order.token)),
        shop.send(Method::GET, "/products", &[], Vec::new()),
    );
    vec![
        ("create-order", created),
        ("verify-payment", verified),
        ("webhook", delivered),
        ("get-order", got),
        ("list-products", listed),
    ]
}

#[tokio::test]
async fn a_table_that_is_gone_makes_every_answer_retryable_in_time_and_comes_back() {
    let story = async |what: &str, fault: Fault| {
        let shop = Shop::open().await;
        let order = paid(&shop).await;
        shop.table_wire().inject(Rule::any(), fault);
        for (function, answer) in all_answers(&shop, &order).await {
            assert_eq!(answer.status, 503, "{what}, {function}: {}", answer.text);
            answer.expect_problem(503, "temporarily-unavailable");
            assert!(answer.took < ANSWER_MAX, "{what}, {function}: {:?}", answer.took);
            assert!(
                !answer.text.contains("Throughput") && !answer.text.contains("amazon"),
                "{}",
                answer.text
            );
        }
        shop.stack.heal();
        for (function, answer) in all_answers(&shop, &order).await {
            assert!(matches!(answer.status, 200 | 201), "{what}, {function}: {}", answer.text);
        }
        assert_eq!(shop.stored(&order.id)["status"], "PAID");
        assert_eq!(shop.stored_orders().len(), 2);
    };
    tokio::join!(
        story("throttled", Fault::Throttle),
        story("broken", Fault::ServerError),
        story("reset", Fault::ResetBefore),
        story("silent", Fault::Hang),
        story("a page", Fault::html(502)),
    );
}

#[tokio::test]
async fn money_goes_back_once_though_the_table_fails_after_portone_did_it() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, portone_simulator::Press::Tamper).await;
    // The intent is written; the outcome cannot be.
    shop.table_wire().inject(Rule::on("UpdateItem").after(1), Fault::ServerError);
    let answer = shop.verify(&order.id).await;
    assert!(matches!(answer.status, 409 | 503), "{}", answer.text);
    assert_eq!(shop.returned(&order), (1, 200));
    shop.stack.heal();
    assert_eq!(shop.verify(&order.id).await.expect(200)["status"], "REJECTED");
    assert_eq!(shop.returned(&order), (1, 200));
    assert_eq!(shop.stored(&order.id)["cancellations"][0]["status"], "SUCCEEDED");
}

#[tokio::test]
async fn no_money_moves_before_the_intent_is_written() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, portone_simulator::Press::Tamper).await;
    shop.table_wire().inject(Rule::on("UpdateItem"), Fault::ServerError);
    for _ in 0..2 {
        shop.verify(&order.id).await.expect_problem(503, "temporarily-unavailable");
    }
    assert!(shop.portone_calls("POST", "/cancel").is_empty());
    shop.stack.heal();
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    assert_eq!(shop.returned(&order), (1, 200));
}

#[tokio::test]
async fn an_order_that_somebody_spoiled_in_the_table_is_an_error_of_ours_and_stays_as_it_is() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let tail = &order.id[10..];
    let spoiled = json!({
        "PK": { "S": format!("ORDER#{tail}") }, "SK": { "S": "ORDER" }, "id": { "S": order.id },
        "version": { "N": "1" }, "status": { "S": "PENDING" }, "total": { "S": "much" },
    });
    end_to_end::table::put(&shop.stack, &spoiled);
    shop.verify(&order.id).await.expect_problem(500, "internal-error");
    shop.get_order(&order.id, Some(&order.token)).await.expect_problem(500, "internal-error");
    // PortOne could only repeat it: the log has it, and a person has to look.
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    assert_eq!(shop.stored(&order.id)["version"], 1);
}
