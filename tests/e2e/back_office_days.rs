//! `GET /days`: what the days came to is what the daily statement says, and costs one bounded read.

use end_to_end::{Shop, table};
use reqwest::Method;
use serde_json::{Value, json};
use time::{Date, Duration, OffsetDateTime, UtcOffset};

/// The date in Seoul.
fn today() -> Date {
    OffsetDateTime::now_utc().to_offset(UtcOffset::from_hms(9, 0, 0).unwrap()).date()
}

async fn days(shop: &Shop, query: &str) -> Value {
    shop.as_operator(Method::GET, &format!("/days{query}"), &[], &Value::Null).await.expect(200)
}

async fn export(shop: &Shop, day: &str) -> Value {
    shop.stack.gateway().invoke("daily-export", &json!({ "day": day })).await.unwrap()
}

#[tokio::test]
async fn a_days_totals_are_those_of_its_statement() {
    let shop = Shop::open().await;
    let (one, two) = (shop.placed().await, shop.placed().await);
    for order in [&one, &two] {
        shop.pay(order).await;
        shop.verify(&order.id).await.expect(200);
    }
    shop.cancel_amount(&two, "c-1", Some(700)).await.expect(200);
    let rejected = shop.placed().await;
    shop.put_payment(&rejected, |payment| payment.total_amount = 1999);
    shop.verify(&rejected.id).await.expect_problem(409, "payment-mismatch");

    let day = today().to_string();
    let query = format!("?from={day}&to={day}");
    assert_eq!(days(&shop, &query).await["days"], json!([]), "a day without a statement is missing");
    let statement = export(&shop, &day).await["statement"].clone();
    let shown = days(&shop, &query).await;
    let shown_day = &shown["days"][0];
    assert_eq!((&shown["from"], &shown["to"], &shown_day["day"]), (&json!(day), &json!(day), &json!(day)));
    assert_eq!((&shown_day["final"], &shown_day["unreadableOrders"]), (&json!(false), &json!(0)));
    let moved = |count, amount| json!({ "count": count, "amount": amount });
    let expected = json!([{
        "currency": "KRW", "payments": moved(3, 5999), "cancellations": moved(1, -700),
        "returns": moved(1, -1999), "net": 3300,
    }]);
    assert_eq!(shown_day["totals"], expected);
    for kind in ["payments", "cancellations", "returns"] {
        for member in ["count", "amount"] {
            let said = &statement["totals"][0][kind][member];
            assert_eq!(&shown_day["totals"][0][kind][member], said, "{statement}");
        }
    }
}

#[tokio::test]
async fn a_newer_count_of_a_day_takes_the_place_of_an_older_and_never_the_other_way_round() {
    let shop = Shop::open().await;
    let day = today().to_string();
    export(&shop, &day).await;
    let order = shop.placed().await;
    shop.pay(&order).await;
    shop.verify(&order.id).await.expect(200);
    export(&shop, &day).await;
    let kept = || table::items(&shop.stack, "DAYS");
    assert_eq!(kept().len(), 1, "one item a day: {:?}", kept());
    assert_eq!(kept()[0]["sums"]["KRW"]["payments"], json!({ "count": 1, "amount": 2000 }));

    let later = json!({
        "PK": { "S": "DAYS" }, "SK": { "S": day }, "countedAt": { "N": "9999999999999" },
        "isFinal": { "BOOL": true }, "unreadable": { "N": "0" }, "sums": { "M": {} },
    });
    table::put(&shop.stack, &later);
    export(&shop, &day).await;
    assert_eq!(kept()[0]["sums"], json!({}));
}

#[tokio::test]
async fn a_month_of_days_is_one_read_and_the_month_up_to_yesterday_needs_no_naming() {
    let shop = Shop::open().await;
    for back in 0..100 {
        let moved = |amount: &str| json!({ "M": { "count": { "N": "1" }, "amount": { "N": amount } } });
        let sums = json!({ "KRW": { "M": { "payments": moved("100"), "cancellations": moved("-10"), "returns": moved("0") } } });
        let item = json!({
            "PK": { "S": "DAYS" }, "SK": { "S": (today() - Duration::days(back)).to_string() },
            "countedAt": { "N": "1" }, "isFinal": { "BOOL": true }, "unreadable": { "N": "0" }, "sums": { "M": sums },
        });
        table::put(&shop.stack, &item);
    }
    // One that cannot be read hides no other.
    let broken = json!({ "PK": { "S": "DAYS" }, "SK": { "S": (today() - Duration::days(3)).to_string() } });
    table::put(&shop.stack, &broken);

    let mark = shop.stack.mark();
    let month = days(&shop, "").await;
    assert_eq!(shop.calls_since(mark, "Query").len(), 1);
    let list = month["days"].as_array().unwrap();
    assert_eq!(list.len(), 30, "31 less the broken one: {month}");
    assert_eq!(list[29]["day"], json!((today() - Duration::days(1)).to_string()));
    assert_eq!(list[0]["day"], month["from"]);
    assert_eq!(list[0]["totals"][0]["net"], 90);

    let quarter = format!("?from={}&to={}", today() - Duration::days(91), today());
    assert_eq!(days(&shop, &quarter).await["days"].as_array().unwrap().len(), 91);
    for wrong in [
        format!("?from={}&to={}", today() - Duration::days(92), today()),
        "?from=2026-11-23&to=2026-11-22".to_owned(),
        "?from=yesterday".to_owned(),
    ] {
        let answer = shop.as_operator(Method::GET, &format!("/days{wrong}"), &[], &Value::Null).await;
        answer.expect_problem(422, "validation-failed");
    }
}
