//! V1's lists: order, paging, and what a caller meets beyond five thousand payments.

use std::collections::BTreeSet;

use portone_simulator::{PaymentSpec, Simulator, Timestamp};
use serde_json::{Value, json};

use crate::{
    simulator,
    v1::{spec, v1_get},
};

/// Payments a second apart, the first one oldest.
fn series(count: i64) -> impl Iterator<Item = (String, PaymentSpec)> {
    let now = Timestamp::wall();
    (0..count).map(move |n| {
        let at = Some(now.plus_millis((n - count) * 1000).rfc3339());
        (format!("order-{n:05}"), PaymentSpec { requested_at: at, ..spec() })
    })
}

async fn page(simulator: &Simulator, query: &str) -> Value {
    let (status, code, page) = v1_get(simulator, &format!("/payments/status/all?{query}")).await;
    assert_eq!((status, code), (200, 0), "{query}");
    page
}

fn ids(page: &Value) -> Vec<String> {
    let list = page["list"].as_array().unwrap().iter();
    list.map(|it| it["merchant_uid"].as_str().unwrap().to_owned()).collect()
}

/// `GET /payments/status/{payment_status}` of the V1 schema: `page` from 1, `limit` 20 unless given and at most
/// 1,000, `sorting` `-started` unless given; `previous` and `next` are page numbers, 0 for none.
#[tokio::test]
async fn a_list_has_the_newest_first_and_names_the_pages_before_and_after() {
    let simulator = simulator().await;
    simulator.put_payments(series(45)).unwrap();
    let first = page(&simulator, "").await;
    assert_eq!((first["list"].as_array().unwrap().len(), &ids(&first)[0]), (20, &"order-00044".to_owned()));
    assert_eq!((&first["total"], &first["previous"], &first["next"]), (&json!(45), &json!(0), &json!(2)));
    let last = page(&simulator, "page=3").await;
    assert_eq!((ids(&last).len(), &last["previous"], &last["next"]), (5, &json!(2), &json!(0)));
    assert_eq!(ids(&page(&simulator, "sorting=started&limit=2").await), ["order-00000", "order-00001"]);
    assert_eq!(v1_get(&simulator, "/payments/status/all?page=4").await.0, 400);
    assert_eq!(v1_get(&simulator, "/payments/status/all?limit=1001").await.0, 400);
}

/// `from` and `to`, Unix seconds, both included: how a caller goes on where its pages end.
#[tokio::test]
async fn windows_of_time_divide_a_list_without_loss() {
    let simulator = simulator().await;
    simulator.put_payments(series(30)).unwrap();
    let times = |payment: &Value| payment["paid_at"].as_i64().unwrap();
    let oldest = page(&simulator, "sorting=started&limit=30").await;
    let middle = times(&oldest["list"][15]);
    let older = page(&simulator, &format!("to={}&limit=100", middle - 1)).await;
    let newer = page(&simulator, &format!("from={middle}&limit=100")).await;
    assert_eq!((ids(&older).len(), ids(&newer).len()), (15, 15));
    let all: BTreeSet<String> = ids(&older).into_iter().chain(ids(&newer)).collect();
    assert_eq!(all.len(), 30);
}

#[tokio::test]
async fn a_page_cap_gives_a_caller_more_pages_than_it_asks_for() {
    let simulator = simulator().await;
    simulator.set_switches(|switches| switches.v1_page_cap = 5);
    simulator.put_payments(series(23)).unwrap();
    let (mut seen, mut next) = (Vec::new(), 1);
    while next != 0 {
        let page = page(&simulator, &format!("page={next}&limit=100")).await;
        assert!(ids(&page).len() <= 5);
        next = page["next"].as_i64().unwrap();
        seen.extend(ids(&page));
    }
    assert_eq!((seen.len(), seen.first().unwrap().as_str()), (23, "order-00022"));
}

#[tokio::test]
async fn more_than_five_thousand_payments_are_made_and_listed_in_one_test() {
    let simulator = simulator().await;
    simulator.put_payments(series(5_200)).unwrap();
    let beyond = page(&simulator, "page=52&limit=100").await;
    assert_eq!((&beyond["total"], &beyond["next"]), (&json!(5_200), &json!(0)));
    assert_eq!(ids(&beyond).last().unwrap(), "order-00000");
}
