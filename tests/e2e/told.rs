//! What the rest of the shop is told of, through the table's stream, the pipe and the bus; and finance's
//! statement of a day.

use end_to_end::{Shop, table};
use portone_simulator::{Act, Press};
use serde_json::{Value, json};

async fn kinds(shop: &Shop) -> Vec<String> {
    shop.events()
        .await
        .iter()
        .map(|event| event["detail-type"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_paid_order_is_told_of_once_however_often_it_is_reported() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    for _ in 0..3 {
        shop.verify(&order.id).await.expect(200);
    }
    shop.release_webhooks().await;
    assert_eq!(kinds(&shop).await, ["OrderPaid"]);
    let event = &shop.events().await[0];
    assert_eq!(event["detail"]["orderId"], order.id);
    assert_eq!(event["detail"]["amount"]["paid"], 2000);
    let text = event.to_string();
    assert!(!text.contains("홍길동"), "nothing of the customer is on the bus: {text}");
}

/// U14: three webhooks settled one payment three times, with three events.
#[tokio::test]
async fn three_webhooks_at_once_are_one_event() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    let deliveries = (0..3).map(|_| shop.deliver_about("Transaction.Paid", &order.id));
    for answer in futures::future::join_all(deliveries).await {
        answer.expect(200);
    }
    assert_eq!(kinds(&shop).await, ["OrderPaid"]);
}

/// U19: written is not delivered.
#[tokio::test]
async fn what_was_committed_while_nobody_listened_is_told_when_somebody_does() {
    let shop = Shop::open().await;
    shop.stack.pause_pipe().await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    shop.cancel_amount(&order, "c-1", None).await.expect(200);
    assert!(shop.stack.bus().events().is_empty());
    shop.stack.resume_pipe();
    assert_eq!(kinds(&shop).await, ["OrderPaid", "OrderCancelled"]);
    assert!(shop.stack.dead_letters().is_empty());
}

/// U4: the shop's mail to the buyer has all it needs.
#[tokio::test]
async fn an_account_a_deposit_and_two_cancellations_are_told_of_in_their_order() {
    let shop = Shop::open().await;
    let mut body = end_to_end::shop::basket("shoes", 2);
    body["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let order = shop.placed_for(&body).await;
    shop.press(&order, Press::Issue).await;
    shop.verify(&order.id).await.expect(200);
    shop.portone().act(&order.id, &Act::Deposit { amount: None }).unwrap();
    shop.verify(&order.id).await.expect(200);
    let account = json!({ "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" });
    for (key, amount) in [("c-1", json!(500)), ("c-2", Value::Null)] {
        let body = json!({ "reason": "변심", "amount": amount, "refundAccount": account });
        shop.cancel(&order, key, &body).await.expect(200);
    }
    assert_eq!(
        kinds(&shop).await,
        ["VirtualAccountIssued", "OrderPaid", "OrderPartiallyCancelled", "OrderCancelled"]
    );
    let ids: Vec<_> = shop.events().await.iter().map(|event| event["detail"]["id"].to_string()).collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 4, "each its own: {ids:?}");
}

#[tokio::test]
async fn an_event_that_is_told_again_has_the_same_id() {
    let shop = Shop::open().await;
    let order = shop.placed().await;
    let before = table::raw_order(&shop.stack, &order.id);
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    let after = table::raw_order(&shop.stack, &order.id);
    let record = json!([{
        "eventID": "1", "eventName": "MODIFY", "eventSource": "aws:dynamodb", "awsRegion": "ap-northeast-2",
        "dynamodb": { "Keys": { "PK": after["PK"], "SK": after["SK"] }, "OldImage": before, "NewImage": after,
                      "SequenceNumber": "1", "StreamViewType": "NEW_AND_OLD_IMAGES" },
    }]);
    let again = shop.stack.gateway().invoke("order-events", &record).await.unwrap();
    assert_eq!(again[0]["id"], shop.events().await[0]["detail"]["id"]);
}

#[tokio::test]
async fn the_statement_of_today_has_the_payments_and_what_went_back_and_its_sums_balance() {
    let shop = Shop::open().await;
    let rice = json!({
        "items": [{ "productId": "rice", "quantity": 1 }, { "productId": "shoes", "quantity": 1 }],
        "customer": { "name": "홍길동" },
    });
    let (one, two) = (shop.placed().await, shop.placed_for(&rice).await);
    for order in [&one, &two] {
        shop.pay(order).await;
        shop.verify(&order.id).await.expect(200);
    }
    shop.cancel_amount(&two, "c-1", Some(1000)).await.expect(200);
    let unpaid = shop.placed().await;

    let answer =
        shop.stack.gateway().invoke("daily-export", &json!({ "day": today_in_korea() })).await.unwrap();
    let objects = shop.stack.objects();
    let keys = objects.keys("export-bucket");
    let csv = keys.iter().find(|key| key.ends_with(".csv")).unwrap_or_else(|| panic!("{keys:?} {answer}"));
    assert!(csv.starts_with("statements/"), "{csv}");
    let bytes = objects.get("export-bucket", csv).expect("the statement is there");
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with('\u{feff}'), "Excel needs the mark to read Korean");
    let of = |id: &str| text.lines().filter(|line| line.contains(id)).count();
    assert_eq!((of(&one.id), of(&two.id), of(&unpaid.id)), (1, 2, 0), "{text}");
    assert!(text.contains("결제") && text.contains("취소") && text.contains("-1000"), "{text}");
    assert!(!text.contains("홍길동"), "the customer is none of finance's business");
    assert!(shop.findings("BROKEN_ORDER").is_empty());

    shop.stack.gateway().invoke("daily-export", &json!({ "day": today_in_korea() })).await.unwrap();
    let again = objects.get("export-bucket", csv).expect("still there");
    assert_eq!(String::from_utf8(again).unwrap(), text, "made again, it is the same");
}

#[tokio::test]
async fn the_audit_makes_a_finding_of_an_order_that_cannot_be_read() {
    let shop = Shop::open().await;
    let (sound, damaged) = (shop.placed().await, shop.placed().await);
    table::set_order(&shop.stack, &damaged.id, "status", &json!({ "S": "WHATEVER" }));

    let export = || async { shop.stack.gateway().invoke("daily-export", &json!({})).await.unwrap() };
    export().await;
    let found = shop.findings("BROKEN_ORDER");
    let subjects: Vec<_> = found.iter().map(|finding| finding["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects.len(), 1, "{found:?}");
    assert!(damaged.id.ends_with(subjects[0]) && !sound.id.ends_with(subjects[0]), "{found:?}");
    export().await;
    assert_eq!(shop.findings("BROKEN_ORDER").len(), 1, "the same audit finds nothing new");
}

/// The date in Seoul, as `2026-11-23`.
fn today_in_korea() -> String {
    let korea = time::UtcOffset::from_hms(9, 0, 0).unwrap();
    time::OffsetDateTime::now_utc().to_offset(korea).date().to_string()
}
