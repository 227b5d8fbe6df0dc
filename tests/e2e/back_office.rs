//! The operators' routes beside cancelling: what happened to an order, looking at it anew, and what a person
//! has to look at.

use end_to_end::{Shop, operator::OPERATOR, shop::basket, table};
use local_stack::wire::{Fault, Rule};
use portone_simulator::{Act, CancelMode, PaymentSpec, Press};
use reqwest::Method;
use serde_json::{Value, json};

/// `(by, who, status)` of each entry of a journal, after checking that entry `n` is version `n`.
fn entries(journal: &Value) -> Vec<(String, Option<String>, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let entries = journal["journal"].as_array().expect("a list");
    let of = |(index, entry): (usize, &Value)| {
        assert_eq!(entry["version"], index + 1, "{journal}");
        assert!(entry["at"].is_string(), "{entry}");
        (text(&entry["by"]).unwrap(), text(&entry["who"]), text(&entry["status"]).unwrap())
    };
    entries.iter().enumerate().map(of).collect()
}

fn entry(by: &str, status: &str) -> (String, Option<String>, String) {
    let who = (by == "OPERATOR").then(|| OPERATOR.to_owned());
    (by.to_owned(), who, status.to_owned())
}

#[tokio::test]
async fn the_journal_tells_of_every_version_who_made_it_and_what_was_seen() {
    let shop = Shop::open().await;
    let mut body = basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.release_webhooks().await;
    let account = json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" });
    let cancel = json!({ "reason": "고객 변심", "amount": 500, "refundAccount": account });
    shop.cancel(&order, "c-1", &cancel).await.expect(200);

    let journal = shop.journal(&order).await;
    let expected = [
        entry("BUYER", "PENDING"),
        entry("BUYER", "VIRTUAL_ACCOUNT_ISSUED"),
        entry("PORTONE", "PAID"),
        entry("OPERATOR", "PAID"),
        entry("OPERATOR", "PARTIAL_CANCELLED"),
    ];
    assert_eq!(entries(&journal), expected, "{journal}");
    assert_eq!(shop.stored(&order.id)["version"], 5);

    let (list, payment) = (&journal["journal"], shop.payment(&order));
    assert_eq!(list[0]["seen"], Value::Null);
    assert_eq!(list[1]["seen"]["status"], "VIRTUAL_ACCOUNT_ISSUED");
    assert_eq!(list[2]["seen"], json!({ "status": "PAID", "transactionId": payment["transactionId"] }));
    assert_eq!(list[3]["cancellations"], json!([{ "number": 1, "status": "INTENDED" }]));
    assert_eq!(list[4]["cancellations"], json!([{ "number": 1, "status": "SUCCEEDED" }]));
    let row = &journal["cancellations"][0];
    let members = ["number", "origin", "amount", "balanceBefore", "reason", "status"].map(|name| &row[name]);
    let expected =
        [json!(1), json!("OPERATOR"), json!(500), json!(2000), json!("고객 변심"), json!("SUCCEEDED")];
    assert_eq!(members, expected.each_ref());
    assert_eq!(row["portoneId"], payment["cancellations"][0]["id"]);
    assert_eq!(journal["imbalances"], json!([]));
}

#[tokio::test]
async fn a_look_that_changes_nothing_makes_no_entry_and_the_schedules_is_the_schedules() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    for _ in 0..2 {
        shop.verify(&order.id).await.expect(200);
        shop.sync_now(&order).await.expect(200);
    }
    assert_eq!(entries(&shop.journal(&order).await), [entry("BUYER", "PENDING")]);
    shop.pay(&order).await;
    table::set_order(&shop.stack, &order.id, "lookAt", &json!({ "N": "0" }));
    shop.stack.run_schedule("reconcile").await.expect("reconcile runs");
    let expected = [entry("BUYER", "PENDING"), entry("SCHEDULE", "PAID")];
    assert_eq!(entries(&shop.journal(&order).await), expected);
}

#[tokio::test]
async fn the_journal_of_money_that_did_not_match_says_why_and_what_portone_refused() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.put_payment(&order, |payment: &mut PaymentSpec| {
        payment.total_amount = 1999;
        payment.cancel_mode = Some(CancelMode::RefuseByPg);
    });
    shop.verify(&order.id).await.expect_problem(409, "payment-mismatch");
    let journal = shop.journal(&order).await;
    assert_eq!((&journal["status"], &journal["rejections"]), (&json!("REJECTED"), &json!(["AMOUNT"])));
    let row = &journal["cancellations"][0];
    let members = ["origin", "status", "failure"].map(|name| &row[name]);
    assert_eq!(members, [&json!("MISMATCH"), &json!("FAILED"), &json!("REFUSED")], "{row}");
}

/// U27: an operator makes up for a lost webhook without touching the status by hand.
#[tokio::test]
async fn looking_anew_pays_an_order_whose_webhook_was_lost() {
    let shop = Shop::open().await;
    let (v2, v1) = (shop.placed().await, shop.placed_v1().await);
    shop.portone().set_webhook_rules(|rules| rules.drop_next = 9);
    shop.pay(&v2).await;
    shop.pay_v1(&v1).await;
    for order in [v2, v1] {
        assert_eq!(shop.view(&order).await["status"], "PENDING");
        for _ in 0..2 {
            let view = shop.sync_now(&order).await.expect(200);
            assert_eq!((&view["status"], &view["amount"]["paid"]), (&json!("PAID"), &json!(2000)));
        }
        let expected = [entry("BUYER", "PENDING"), entry("OPERATOR", "PAID")];
        assert_eq!(entries(&shop.journal(&order).await), expected);
    }
}

#[tokio::test]
async fn looking_anew_cannot_pay_what_was_not_paid_and_says_when_portone_is_down() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.press(&order, Press::Decline).await;
    let view = shop.sync_now(&order).await.expect(200);
    assert_eq!(
        (&view["status"], &view["lastFailure"]["code"]),
        (&json!("PENDING"), &json!("REJECT_CARD_COMPANY"))
    );
    shop.portone_wire().inject(Rule::any(), Fault::ServerError);
    shop.sync_now(&order).await.expect_problem(503, "payment-gateway-unavailable");
}

/// The answer of `GET /findings`, in this language, after this one.
async fn findings(shop: &Shop, language: &str, after: Option<&str>) -> Value {
    let after = after.map_or_else(String::new, |after| format!("?after={}", after.replace('#', "%23")));
    let headers = [("accept-language", language)];
    shop.as_operator(Method::GET, &format!("/findings{after}"), &headers, &Value::Null).await.expect(200)
}

async fn settle(shop: &Shop, id: &str) -> end_to_end::Answer {
    shop.as_operator(Method::DELETE, &format!("/findings/{id}"), &[], &Value::Null).await
}

#[tokio::test]
async fn a_finding_is_told_with_reason_and_next_step_in_the_operators_language_and_settled_once() {
    let shop = Shop::open().await;
    let orphan = "01JDABCDEFGHJKMNPQRSTVWXYZ";
    shop.portone()
        .put_payment(orphan, &PaymentSpec { total_amount: 7700, ..PaymentSpec::default() })
        .unwrap();
    assert_eq!(findings(&shop, "ko", None).await, json!({ "findings": [], "next": null }));
    shop.deliver_about("Transaction.Paid", orphan).await.expect(200);

    for (language, reason) in
        [("ko", "주문이 없는 결제가 포트원에 있습니다."), ("en", "PortOne has a payment without an order.")]
    {
        let listed = findings(&shop, language, None).await;
        let found = &listed["findings"][0];
        assert_eq!((&listed["findings"][1], &listed["next"]), (&Value::Null, &Value::Null), "{listed}");
        assert_eq!((&found["kind"], &found["subject"]), (&json!("ORPHAN"), &json!(orphan)));
        assert_eq!(found["reason"], reason);
        assert!(
            found["nextStep"].as_str().is_some_and(|step| step.is_ascii() == (language == "en")),
            "{found}"
        );
        assert_eq!(
            (&found["facts"]["paymentId"], &found["facts"]["total"]),
            (&json!(orphan), &json!("7700 KRW"))
        );
        assert!(found["firstSeenAt"].is_string());
    }
    let id = findings(&shop, "ko", None).await["findings"][0]["id"].as_str().unwrap().to_owned();
    settle(&shop, &id).await.expect(200);
    settle(&shop, &id).await.expect_problem(404, "finding-not-found");
    assert_eq!(findings(&shop, "ko", None).await["findings"], json!([]));
    for nothing in ["nonsense", "ORPHAN~", "NOTHING~01JDABCDEFGHJKMNPQRSTVWXYZ"] {
        settle(&shop, nothing).await.expect_problem(404, "finding-not-found");
    }
}

#[tokio::test]
async fn findings_come_in_pages_and_none_is_missed_or_told_twice() {
    let shop = Shop::open().await;
    let mut expected: Vec<_> = (0..120).map(|number| format!("orphan-{number:03}")).collect();
    for subject in &expected {
        let item = json!({
            "PK": { "S": "FINDINGS" }, "SK": { "S": format!("ORPHAN#{subject}") }, "kind": { "S": "ORPHAN" },
            "subject": { "S": subject }, "facts": { "M": {} }, "changedAt": { "N": "1" }, "firstSeenAt": { "N": "1" },
        });
        table::put(&shop.stack, &item);
    }
    // One that cannot be read hides no other.
    let broken = json!({ "PK": { "S": "FINDINGS" }, "SK": { "S": "ORPHAN#orphan-0505" } });
    table::put(&shop.stack, &broken);

    let (mut told, mut after) = (Vec::new(), None::<String>);
    for number in 1..=3 {
        let page = findings(&shop, "en", after.as_deref()).await;
        let subjects = page["findings"].as_array().unwrap().iter();
        let subjects: Vec<_> = subjects.map(|found| found["subject"].as_str().unwrap().to_owned()).collect();
        assert!(subjects.len() <= 50, "{}", subjects.len());
        told.extend(subjects);
        after = page["next"].as_str().map(str::to_owned);
        assert_eq!(after.is_none(), number == 3, "page {number}: {}", page["next"]);
    }
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn who_is_no_operator_is_refused_at_every_route_before_anything_is_read() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let mark = shop.stack.mark();
    let bearer = format!("Bearer {}", order.token);
    for (method, path) in [
        (Method::GET, format!("/orders/{}/journal", order.id)),
        (Method::POST, format!("/orders/{}/sync", order.id)),
        (Method::GET, "/findings".to_owned()),
        (Method::GET, format!("/orders?query={}", order.id)),
        (Method::GET, "/days".to_owned()),
        (Method::DELETE, "/findings/ORPHAN~x".to_owned()),
    ] {
        for headers in [&[][..], &[("authorization", bearer.as_str())]] {
            let answer = shop.send(method.clone(), &path, headers, Vec::new()).await;
            assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text);
        }
    }
    assert!(shop.stack.calls_since(mark).is_empty(), "{:?}", shop.stack.calls_since(mark));
}

/// The template has an authorizer at each route. One that is forgotten there opens nothing.
#[tokio::test]
async fn a_route_without_its_authorizer_answers_nobody() {
    let shop = Shop::open().await;
    for name in ["days", "findings", "journal", "search", "sync"] {
        let file = format!("{}/../events/back-office.{name}.json", env!("CARGO_MANIFEST_DIR"));
        let mut event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        event["requestContext"].as_object_mut().unwrap().remove("authorizer");
        let answer = shop.stack.gateway().invoke("back-office", &event).await.unwrap();
        assert_eq!(answer["statusCode"], 403, "{name}: {answer}");
    }
}

#[tokio::test]
async fn the_journal_and_the_sync_of_no_order_are_not_found() {
    let shop = Shop::open().await;
    for id in ["01JDABCDEFGHJKMNPQRSTVWXYZ", "nonsense"] {
        for (method, route) in [(Method::GET, "journal"), (Method::POST, "sync")] {
            let answer = shop.as_operator(method, &format!("/orders/{id}/{route}"), &[], &Value::Null).await;
            answer.expect_problem(404, "order-not-found");
        }
    }
}

/// DynamoDB takes no longer key: asking it would end in a failure of ours.
#[tokio::test]
async fn what_is_too_long_to_name_a_finding_is_refused_before_the_table_is_asked() {
    let shop = Shop::open().await;
    let mark = shop.stack.mark();
    let path = format!("/findings?after={}", "x".repeat(1025));
    let answer = shop.as_operator(Method::GET, &path, &[], &Value::Null).await;
    let problem = answer.expect_problem(422, "validation-failed");
    assert_eq!(problem["errors"][0]["pointer"], "/after", "{problem}");
    settle(&shop, &format!("ORPHAN~{}", "x".repeat(1025))).await.expect_problem(404, "finding-not-found");
    assert!(shop.calls_since(mark, "Query").is_empty() && shop.calls_since(mark, "DeleteItem").is_empty());
}

#[tokio::test]
async fn an_empty_after_is_the_first_page() {
    let shop = Shop::open().await;
    let answer = shop.as_operator(Method::GET, "/findings?after=", &[], &Value::Null).await;
    assert_eq!(answer.expect(200)["findings"], json!([]));
}
