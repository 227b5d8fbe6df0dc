//! An operator gives money back: what PortOne is asked for, once for each request, and never more than was
//! paid.

use end_to_end::{Placed, Shop, shop::basket};
use futures::future::join_all;
use local_stack::wire::{Fault, Rule};
use portone_simulator::PaymentSpec;
use reqwest::Method;
use serde_json::{Value, json};

const CANCEL: &str = "POST /payments/{paymentId}/cancel";

/// Two pairs of shoes, paid: 2,000 won.
async fn paid(shop: &Shop) -> Placed {
    let order = shop.placed().await;
    shop.pay(&order).await;
    order
}

/// Rice carries no VAT, shoes do: 31,000 won, of which 30,000 are tax-free; paid.
async fn rice_and_shoes(shop: &Shop) -> Placed {
    let body = json!({
        "items": [{ "productId": "rice", "quantity": 1 }, { "productId": "shoes", "quantity": 1 }],
        "customer": { "name": "홍길동" },
    });
    let order = shop.placed_for(&body).await;
    shop.pay(&order).await;
    order
}

/// `(amount, taxFreeAmount, currentCancellableAmount)` of each call, as PortOne got them.
fn asked(shop: &Shop, order: &Placed) -> Vec<(Value, Value, Value)> {
    let member = |body: &Value, name: &str| body.get(name).cloned().unwrap_or(json!("missing"));
    let calls = shop.v2_cancels(order).into_iter().map(|(_, body)| {
        let members = ["amount", "taxFreeAmount", "currentCancellableAmount"];
        let [amount, tax_free, balance] = members.map(|name| member(&body, name));
        (amount, tax_free, balance)
    });
    calls.collect()
}

#[tokio::test]
async fn without_an_amount_all_that_is_left_goes_back_and_the_reason_reaches_portone() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let view = shop.cancel(&order, "c-1", &json!({ "reason": "재고 없음" })).await.expect(200);
    assert_eq!(view["status"], "CANCELLED", "{view}");
    assert_eq!(view["amount"]["cancelled"], 2000);
    assert_eq!(view["cancellation"]["status"], "SUCCEEDED");
    assert_eq!(view["cancellation"]["amount"], 2000);
    assert_eq!(view["cancellation"]["id"], view["cancellations"][0]["id"]);

    assert_eq!(shop.returned(&order), (1, 2000));
    assert_eq!(shop.payment(&order)["cancellations"][0]["reason"], "재고 없음");
    assert_eq!(asked(&shop, &order), [(json!(2000), json!(0), json!(2000))]);
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn parts_go_back_until_nothing_is_left_each_named_from_our_own_ledger() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    for (key, amount, status, gone) in [
        ("c-1", Some(500), "PARTIAL_CANCELLED", 500),
        ("c-2", Some(700), "PARTIAL_CANCELLED", 1200),
        ("c-3", None, "CANCELLED", 2000),
    ] {
        let view = shop.cancel_amount(&order, key, amount).await.expect(200);
        assert_eq!((&view["status"], &view["amount"]["cancelled"]), (&json!(status), &json!(gone)), "{key}");
        assert_eq!(view["amount"]["paid"], 2000);
    }
    let expected = [(500, 0, 2000), (700, 0, 1500), (800, 0, 800)];
    assert_eq!(asked(&shop, &order), expected.map(|(a, t, b)| (json!(a), json!(t), json!(b))));
    assert_eq!(shop.returned(&order), (3, 2000));
    shop.cancel_amount(&order, "c-4", None).await.expect_problem(409, "order-not-cancellable");
    shop.release_webhooks().await;
    assert_eq!(shop.ledger(&order).len(), 3, "their webhooks are no further cancellations");
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn of_a_part_as_little_as_possible_is_tax_free_unless_the_operator_says_how_much() {
    let shop = Shop::open().await;
    let order = rice_and_shoes(&shop).await;
    // Taxable are 1,000: the first part fits in, of the second 500 do not, the rest is as stated.
    shop.cancel_amount(&order, "c-1", Some(400)).await.expect(200);
    shop.cancel_amount(&order, "c-2", Some(1100)).await.expect(200);
    let stated = json!({ "reason": "쌀 일부 반품", "amount": 10_000, "taxFreeAmount": 10_000 });
    shop.cancel(&order, "c-3", &stated).await.expect(200);
    shop.cancel_amount(&order, "c-4", None).await.expect(200);
    let expected =
        [(400, 0, 31_000), (1100, 500, 30_600), (10_000, 10_000, 29_500), (19_500, 19_500, 19_500)];
    assert_eq!(asked(&shop, &order), expected.map(|(a, t, b)| (json!(a), json!(t), json!(b))));
    assert_eq!(shop.payment(&order)["amount"]["cancelledTaxFree"], 30_000);
    assert_eq!(shop.view(&order).await["status"], "CANCELLED");
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn more_tax_free_or_more_taxable_than_is_left_is_refused_with_what_is_left() {
    let shop = Shop::open().await;
    let order = rice_and_shoes(&shop).await;
    for (amount, tax_free) in [(2000, 0), (30_500, 30_001)] {
        let body = json!({ "reason": "r", "amount": amount, "taxFreeAmount": tax_free });
        let problem = shop.cancel(&order, "c-1", &body).await;
        let problem = problem.expect_problem(409, "cancel-tax-free-exceeds-balance");
        assert_eq!(problem["balance"], 30_000, "{problem}");
    }
    assert_eq!(asked(&shop, &order), []);
}

/// U21, U24: the same key and the same request is the same cancellation.
#[tokio::test]
async fn a_repeated_request_makes_no_second_cancellation_and_gets_the_same_answer() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let first = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    let stored = shop.stored(&order.id);
    for key in ["c-1", "\"c-1\""] {
        assert_eq!(shop.cancel_amount(&order, key, Some(500)).await.expect(200), first);
    }
    shop.cancel_amount(&order, "c-2", Some(100)).await.expect(200);
    let later = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(later["cancellation"], first["cancellation"]);
    assert_eq!(shop.v2_cancels(&order).len(), 2);
    assert_eq!(shop.returned(&order), (2, 600));
    assert_eq!(stored["cancellations"][0], shop.ledger(&order)[0]);
}

/// U21, U24.
#[tokio::test]
async fn ten_times_the_same_request_at_once_is_one_cancellation_under_one_key() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let answers = join_all((0..10).map(|_| shop.cancel_amount(&order, "c-1", Some(500)))).await;
    for answer in &answers {
        // Who comes while PortOne works is told that it is not known yet.
        let (status, said) = (answer.status, answer.json());
        let said = said["cancellation"]["status"].clone();
        assert!(
            matches!((status, said.as_str()), (200, Some("SUCCEEDED")) | (202, Some("UNKNOWN"))),
            "{said}"
        );
    }
    let view = shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    assert_eq!(view["cancellation"]["status"], "SUCCEEDED");
    assert_eq!(shop.returned(&order), (1, 500));
    assert_eq!(shop.ledger(&order).len(), 1);
    let mut keys: Vec<_> = shop.v2_cancels(&order).into_iter().map(|(key, _)| key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 1, "{keys:?}");
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn a_key_that_was_used_for_another_request_is_refused_and_moves_nothing() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    for other in
        [json!({ "reason": "고객 변심", "amount": 600 }), json!({ "reason": "다른 사유", "amount": 500 })]
    {
        shop.cancel(&order, "c-1", &other).await.expect_problem(422, "idempotency-key-reused");
    }
    assert_eq!(shop.returned(&order), (1, 500));
}

#[tokio::test]
async fn keys_belong_to_their_order() {
    let shop = Shop::open().await;
    let (one, other) = (paid(&shop).await, paid(&shop).await);
    shop.cancel_amount(&one, "c-1", Some(500)).await.expect(200);
    shop.cancel_amount(&other, "c-1", Some(300)).await.expect(200);
    assert_eq!((shop.returned(&one), shop.returned(&other)), ((1, 500), (1, 300)));
}

#[tokio::test]
async fn a_request_without_a_key_is_refused_and_moves_nothing() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let (path, body) = (format!("/orders/{}/cancel", order.id), json!({ "reason": "r" }));
    let answer = shop.as_operator(Method::POST, &path, &[], &body).await;
    answer.expect_problem(400, "idempotency-key-required");
    shop.cancel(&order, &"k".repeat(256), &body).await.expect_problem(400, "invalid-idempotency-key");
    assert_eq!(shop.returned(&order), (0, 0));
}

#[tokio::test]
async fn more_than_is_left_is_refused_with_what_is_left_and_portone_is_not_asked() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let problem = shop.cancel_amount(&order, "c-1", Some(2001)).await;
    let problem = problem.expect_problem(409, "cancel-amount-exceeds-balance");
    assert_eq!(problem["balance"], 2000, "{problem}");
    shop.cancel_amount(&order, "c-2", Some(1500)).await.expect(200);
    let problem = shop.cancel_amount(&order, "c-3", Some(501)).await;
    assert_eq!(problem.expect_problem(409, "cancel-amount-exceeds-balance")["balance"], 500);
    assert_eq!(shop.v2_cancels(&order).len(), 1);
}

/// U21, U24.
#[tokio::test]
async fn two_operators_at_once_never_return_more_than_was_paid() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let keys = ["c-1", "c-2", "c-3", "c-4"];
    let answers = join_all(keys.map(|key| shop.cancel_amount(&order, key, Some(1500)))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(done <= 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert!(matches!(answer.status, 202 | 409), "{}", answer.text);
    }
    shop.verify(&order.id).await.expect(200);
    assert_eq!(shop.returned(&order), (1, 1500));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn while_one_cancellation_has_no_outcome_another_is_refused() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    // The second request's own look asks for the first cancellation again, in vain.
    shop.portone_wire().inject(Rule::on(CANCEL).times(2), Fault::ServerError);
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(202);
    let second = shop.cancel_amount(&order, "c-2", Some(300)).await;
    second.expect_problem(409, "cancellation-in-progress");
    shop.cancel_amount(&order, "c-2", Some(300)).await.expect(200);
    assert_eq!(shop.returned(&order), (2, 800));
    shop.assert_balanced(&order).await;
}

#[tokio::test]
async fn every_fault_of_a_request_is_told_at_once_in_the_operators_language() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let body = json!({
        "reason": "\u{7}", "amount": 1.5, "taxFreeAmount": -1,
        "refundAccount": { "bank": "MARS", "number": "11-a", "holderName": "" },
    });
    let headers = [("idempotency-key", "c-1"), ("accept-language", "en")];
    let path = format!("/orders/{}/cancel", order.id);
    let problem = shop.as_operator(Method::POST, &path, &headers, &body).await;
    let problem = problem.expect_problem(422, "validation-failed");
    let mut pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    let expected = [
        "/amount",
        "/reason",
        "/refundAccount/bank",
        "/refundAccount/holderName",
        "/refundAccount/number",
        "/taxFreeAmount",
    ];
    assert_eq!(pointers, expected, "{problem}");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().is_ascii(), "{problem}");
    // The key was not used up.
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
}

#[tokio::test]
async fn who_is_no_operator_is_refused_before_anything_is_read() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    let mark = shop.stack.mark();
    let path = format!("/orders/{}/cancel", order.id);
    let bearer = format!("Bearer {}", order.token);
    let forged = "AWS4-HMAC-SHA256 Credential=local/20261123/ap-northeast-2/execute-api/aws4_request, \
                  SignedHeaders=host;x-amz-date, Signature=00";
    for authorization in [None, Some(bearer.as_str()), Some(forged)] {
        let mut headers = vec![("idempotency-key", "c-1")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        let answer = shop.post(&path, &headers, &json!({ "reason": "r" })).await;
        assert_eq!(answer.status, 403, "{}", answer.text);
    }
    assert!(shop.stack.calls_since(mark).is_empty(), "{:?}", shop.stack.calls_since(mark));
    assert_eq!(shop.returned(&order), (0, 0));
}

#[tokio::test]
async fn an_order_that_is_none_is_not_found() {
    let shop = Shop::open().await;
    let order = paid(&shop).await;
    for id in ["01JDABCDEFGHJKMNPQRSTVWXYZ", "nonsense", "01jdabcdefghjkmnpqrstvwxyz"] {
        let other = Placed { id: id.to_owned(), ..order.clone() };
        shop.cancel_amount(&other, "c-1", None).await.expect_problem(404, "order-not-found");
    }
}

#[tokio::test]
async fn an_order_that_is_closed_already_is_not_cancelled() {
    let shop = Shop::open().await;
    let rejected = shop.placed().await;
    shop.put_payment(&rejected, |payment: &mut PaymentSpec| payment.total_amount = 1999);
    shop.verify(&rejected.id).await.expect_problem(409, "payment-mismatch");
    let cancelled = paid(&shop).await;
    shop.cancel_amount(&cancelled, "c-1", None).await.expect(200);
    let expired = shop.placed().await;
    end_to_end::table::set_order(&shop.stack, &expired.id, "status", &json!({ "S": "EXPIRED" }));
    for (order, status) in [(rejected, "REJECTED"), (cancelled, "CANCELLED"), (expired, "EXPIRED")] {
        let calls = shop.v2_cancels(&order).len();
        let answer = shop.cancel_amount(&order, "c-2", None).await;
        answer.expect_problem(409, "order-not-cancellable");
        assert_eq!(shop.stored(&order.id)["status"], status);
        assert_eq!(shop.v2_cancels(&order).len(), calls, "{status}");
    }
}

#[tokio::test]
async fn all_of_a_discounted_payment_is_asked_for_without_naming_an_amount_and_a_part_with_it() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment| payment.discount = 100);
    shop.verify(&order.id).await.expect(200);
    shop.cancel_amount(&order, "c-1", Some(500)).await.expect(200);
    let view = shop.cancel_amount(&order, "c-2", None).await.expect(200);
    assert_eq!(view["status"], "CANCELLED", "{view}");
    let missing = json!("missing");
    // Whether PortOne's balance counts the discount is not stated, so that none is sent.
    let expected = [(json!(500), json!(0), missing.clone()), (missing.clone(), json!(0), missing)];
    assert_eq!(asked(&shop, &order), expected);
    assert_eq!(shop.returned(&order), (2, 2000));
}

#[tokio::test]
async fn an_order_in_another_currency_goes_back_in_its_minor_unit() {
    let shop = Shop::open().await;
    let order = shop.placed_for(&basket("mug", 2)).await;
    shop.pay(&order).await;
    let view = shop.cancel_amount(&order, "c-1", Some(1)).await.expect(200);
    assert_eq!((&view["amount"]["currency"], &view["amount"]["cancelled"]), (&json!("USD"), &json!(1)));
    shop.cancel_amount(&order, "c-2", None).await.expect(200);
    let expected = [(1, 0, 3100), (3099, 0, 3099)];
    assert_eq!(asked(&shop, &order), expected.map(|(a, t, b)| (json!(a), json!(t), json!(b))));
}
