//! The V1 REST API as a shop's server meets it.

use std::time::Duration;

use portone_simulator::{
    CancelMode, Channel, ChannelKind, FaultReply, FaultRule, PaymentSpec, Simulator, SimulatorConfig, Status,
    Version,
    switches::{V1PartialCancel, V1PrepareAgain},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{get, http, post, simulator, start};

/// V1's answer: HTTP status, `code`, `response`.
pub(crate) type V1Answer = (u16, i64, Value);

pub(crate) async fn token(simulator: &Simulator) -> Value {
    let config = simulator.config();
    let pair = json!({ "imp_key": config.v1_api_key, "imp_secret": config.v1_api_secret });
    let url = format!("{}/users/getToken", simulator.v1_url());
    http().post(url).json(&pair).send().await.unwrap().json().await.unwrap()
}

async fn access_token(simulator: &Simulator) -> String {
    token(simulator).await["response"]["access_token"].as_str().unwrap().to_owned()
}

async fn answered(request: reqwest::RequestBuilder) -> V1Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["code", "message", "response"], "the envelope is there whatever happened");
    (status, body["code"].as_i64().unwrap(), body["response"].clone())
}

pub(crate) async fn v1(simulator: &Simulator, method: Method, path: &str, body: Value) -> V1Answer {
    let token = access_token(simulator).await;
    let url = format!("{}{path}", simulator.v1_url());
    let request = http().request(method, url).header("authorization", format!("Bearer {token}"));
    answered(if body.is_null() { request } else { request.json(&body) }).await
}

pub(crate) async fn v1_get(simulator: &Simulator, path: &str) -> V1Answer {
    v1(simulator, Method::GET, path, Value::Null).await
}

pub(crate) async fn v1_cancel(simulator: &Simulator, body: Value) -> V1Answer {
    v1(simulator, Method::POST, "/payments/cancel", body).await
}

pub(crate) fn spec() -> PaymentSpec {
    PaymentSpec { version: Version::V1, ..PaymentSpec::default() }
}

/// A V1 payment of this `merchant_uid` in PAID; returns its `imp_uid`.
pub(crate) fn v1_paid(simulator: &Simulator, merchant_uid: &str, spec: &PaymentSpec) -> String {
    simulator.put_payment(merchant_uid, spec).unwrap();
    simulator.v1_payments(merchant_uid)[0]["imp_uid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_the_same_until_its_end_and_lives_five_minutes_longer_when_asked_in_its_last() {
    let simulator = simulator().await;
    let first = token(&simulator).await["response"].clone();
    assert_eq!(first["expired_at"].as_i64().unwrap() - first["now"].as_i64().unwrap(), 1800);
    simulator.clock().advance(Duration::from_secs(1000));
    assert_eq!(token(&simulator).await["response"]["expired_at"], first["expired_at"]);
    simulator.clock().advance(Duration::from_secs(770));
    let extended = token(&simulator).await["response"].clone();
    assert_eq!(extended["access_token"], first["access_token"]);
    assert_eq!(extended["expired_at"].as_i64().unwrap(), first["expired_at"].as_i64().unwrap() + 300);
    simulator.clock().advance(Duration::from_secs(400));
    assert_ne!(token(&simulator).await["response"]["access_token"], first["access_token"]);
}

#[tokio::test]
async fn a_token_may_come_bare_or_as_bearer_or_in_the_old_header_and_must_be_good() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    let read = async |name: &str, value: String| {
        let url = format!("{}/payments/{imp_uid}", simulator.v1_url());
        answered(http().get(url).header(name, value)).await
    };
    let good = access_token(&simulator).await;
    for (name, value) in [
        ("authorization", good.clone()),
        ("authorization", format!("Bearer {good}")),
        ("x-imptokenheader", good.clone()),
    ] {
        assert_eq!(read(name, value).await.0, 200, "{name}");
    }
    assert_eq!(read("authorization", "Bearer wrong".to_owned()).await, (401, -1, Value::Null));
    assert_eq!(read("x-other", good.clone()).await.0, 401);

    simulator.expire_v1_tokens();
    assert_eq!(read("authorization", good.clone()).await.0, 401);
    let new = access_token(&simulator).await;
    simulator.clock().advance(Duration::from_secs(1800));
    assert_eq!(read("authorization", new).await.0, 401, "its time is over");
}

#[tokio::test]
async fn a_key_pair_must_be_there_and_right_in_json_or_as_a_form() {
    let simulator = simulator().await;
    let url = format!("{}/users/getToken", simulator.v1_url());
    let asked = async |pair: Value| answered(http().post(&url).json(&pair)).await;
    assert_eq!(asked(json!({"imp_key": "a", "imp_secret": "b"})).await, (401, -1, Value::Null));
    assert_eq!(asked(json!({"imp_key": "a"})).await.0, 400);
    simulator.set_v1_keys("new", "pair");
    let form = answered(http().post(&url).form(&[("imp_key", "new"), ("imp_secret", "pair")])).await;
    assert_eq!((form.0, form.1), (200, 0));
    assert_eq!(token(&simulator).await["code"], -1, "the old pair is refused");
}

#[tokio::test]
async fn a_payment_is_read_by_its_imp_uid_with_seconds_and_zero_for_not_yet() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    assert!(imp_uid.strip_prefix("imp_").unwrap().bytes().all(|it| it.is_ascii_digit()));
    let (status, code, payment) = v1_get(&simulator, &format!("/payments/{imp_uid}")).await;
    assert_eq!((status, code), (200, 0));
    assert_eq!((&payment["merchant_uid"], &payment["status"]), (&json!("order"), &json!("paid")));
    assert_eq!((&payment["amount"], &payment["cancel_amount"]), (&json!(1000), &json!(0)));
    assert_eq!((&payment["failed_at"], &payment["cancelled_at"]), (&json!(0), &json!(0)));
    assert!(payment["paid_at"].as_i64().unwrap() < 10_000_000_000, "seconds, not milliseconds");
    assert_eq!((&payment["sandbox"], &payment["currency"]), (&json!(false), &json!("KRW")));
    assert_eq!(v1_get(&simulator, "/payments/imp_0").await, (404, -1, Value::Null));
}

#[tokio::test]
async fn a_test_channels_payment_is_found_only_with_include_sandbox() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &PaymentSpec { channel_type: ChannelKind::Test, ..spec() });
    assert_eq!(v1_get(&simulator, &format!("/payments/{imp_uid}")).await.0, 404);
    assert_eq!(v1_get(&simulator, &format!("/payments/{imp_uid}?include_sandbox=false")).await.0, 404);
    let (status, _, payment) = v1_get(&simulator, &format!("/payments/{imp_uid}?include_sandbox=true")).await;
    assert_eq!((status, &payment["sandbox"]), (200, &json!(true)));
}

#[tokio::test]
async fn several_payments_are_200_when_all_are_there_207_when_some_and_404_when_none() {
    let simulator = simulator().await;
    let (a, _) = (v1_paid(&simulator, "a", &spec()), v1_paid(&simulator, "b", &spec()));
    let asked = async |query: &str| {
        let (status, _, list) = v1_get(&simulator, &format!("/payments?{query}")).await;
        (status, list.as_array().map_or(0, Vec::len))
    };
    assert_eq!(asked(&format!("imp_uid[]={a}&merchant_uid[]=b")).await, (200, 2));
    assert_eq!(asked(&format!("imp_uid[]={a}&imp_uid[]=imp_0")).await, (207, 1));
    assert_eq!(asked("imp_uid[]=imp_0").await, (404, 0));
    assert_eq!(asked("").await, (400, 0));
    assert_eq!(asked(&"imp_uid[]=x&".repeat(101)).await, (400, 0));
}

#[tokio::test]
async fn of_several_attempts_find_gives_the_one_started_last_and_find_all_gives_pages() {
    let simulator = simulator().await;
    let params = json!({"merchant_uid": "order", "amount": 1000, "name": "신발"});
    let mut started = Vec::new();
    for _ in 0..3 {
        started.push(simulator.open_v1_window(&params).unwrap());
    }
    simulator.press_v1(&started[0], portone_simulator::Press::Decline).await.unwrap();
    let found = async |path: &str| v1_get(&simulator, path).await.2["imp_uid"].clone();
    assert_eq!(found("/payments/find/order").await, json!(started[2]));
    assert_eq!(found("/payments/find/order?sorting=started").await, json!(started[0]));
    assert_eq!(found("/payments/find/order/failed").await, json!(started[0]));
    assert_eq!(v1_get(&simulator, "/payments/find/order/paid").await.0, 404);
    assert_eq!(v1_get(&simulator, "/payments/find/none").await.0, 404);
    assert_eq!(v1_get(&simulator, "/payments/find/order/other").await.0, 404);

    let (_, _, page) = v1_get(&simulator, "/payments/findAll/order?limit=2").await;
    assert_eq!((&page["total"], &page["previous"], &page["next"]), (&json!(3), &json!(0), &json!(2)));
    assert_eq!(page["list"][0]["imp_uid"], json!(started[2]));
    let (_, _, page) = v1_get(&simulator, "/payments/findAll/order/ready?limit=1&page=2").await;
    assert_eq!((&page["total"], &page["previous"], &page["next"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!(v1_get(&simulator, "/payments/findAll/order/other").await.0, 400);
    assert_eq!(v1_get(&simulator, "/payments/findAll/order?limit=1001").await.0, 400);
    assert_eq!(v1_get(&simulator, "/payments/findAll/none").await.0, 404);
}

#[tokio::test]
async fn payments_are_listed_by_status_within_ninety_days_of_what_happened_last() {
    let simulator = simulator().await;
    v1_paid(&simulator, "paid", &spec());
    v1_paid(&simulator, "cancelled", &PaymentSpec { status: Status::Cancelled, ..spec() });
    let old = Some("2020-01-01T00:00:00Z".to_owned());
    v1_paid(&simulator, "old", &PaymentSpec { requested_at: old, ..spec() });
    simulator.put_payment("v2", &PaymentSpec::default()).unwrap();
    let listed = async |path: &str| {
        let list = v1_get(&simulator, path).await.2["list"].clone();
        let ids = list.as_array().unwrap().iter().map(|it| it["merchant_uid"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed("/payments/status/paid").await, ["paid"]);
    assert_eq!(listed("/payments/status/all").await.len(), 2, "neither the old one nor V2's");
    assert_eq!(listed("/payments/status/paid?from=1577836800&to=1577923200").await, ["old"]);
    assert_eq!(v1_get(&simulator, "/payments/status/paid?from=0").await.0, 400);
    assert_eq!(v1_get(&simulator, "/payments/status/all?page=9").await.0, 400);
    assert_eq!(v1_get(&simulator, "/payments/status/done").await.0, 400);
}

#[tokio::test]
async fn an_amount_is_prepared_once_changed_by_put_and_read_back() {
    let simulator = simulator().await;
    let prepare = async |method: Method, amount: i64| {
        let body = json!({"merchant_uid": "order", "amount": amount});
        v1(&simulator, method, "/payments/prepare", body).await
    };
    assert_eq!(prepare(Method::PUT, 1000).await.0, 404);
    let (_, code, prepared) = prepare(Method::POST, 1000).await;
    assert_eq!((code, prepared), (0, json!({"merchant_uid": "order", "amount": 1000, "currency": null})));
    assert_eq!(prepare(Method::POST, 1000).await, (200, 1, Value::Null));
    assert_eq!(prepare(Method::PUT, 2000).await.1, 0);
    assert_eq!(v1_get(&simulator, "/payments/prepare/order").await.2["amount"], 2000);
    assert_eq!(v1_get(&simulator, "/payments/prepare/none").await, (200, 1, Value::Null));
    simulator.set_switches(|switches| switches.v1_prepare_again = V1PrepareAgain::Replace);
    assert_eq!(prepare(Method::POST, 3000).await.1, 0);
}

#[tokio::test]
async fn a_cancellation_checks_its_checksum_and_tells_what_is_left() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    let part = json!({"imp_uid": imp_uid, "amount": 300, "checksum": 1000, "reason": "변심"});
    let (status, code, payment) = v1_cancel(&simulator, part.clone()).await;
    assert_eq!((status, code), (200, 0));
    assert_eq!((&payment["cancel_amount"], &payment["status"]), (&json!(300), &json!("paid")));
    let entry = &payment["cancel_history"][0];
    assert_eq!((&entry["amount"], &entry["reason"]), (&json!(300), &json!("변심")));
    assert!(entry["cancellation_id"].is_string());
    assert_eq!(v1_cancel(&simulator, part).await, (200, 1, Value::Null), "the balance is 700 now");
    simulator.set_switches(|switches| switches.v1_partial_cancel = V1PartialCancel::Cancelled);
    assert_eq!(simulator.v1_payment(&imp_uid).unwrap()["status"], "cancelled");
}

#[tokio::test]
async fn no_amount_and_an_amount_of_zero_both_take_everything_that_is_left() {
    let simulator = simulator().await;
    for (id, amount) in [("none", Value::Null), ("zero", json!(0)), ("text", json!("0"))] {
        let imp_uid = v1_paid(&simulator, id, &PaymentSpec { tax_free_amount: 400, ..spec() });
        let (_, code, payment) = v1_cancel(&simulator, json!({"imp_uid": imp_uid, "amount": amount})).await;
        assert_eq!(
            (code, &payment["cancel_amount"], &payment["status"]),
            (0, &json!(1000), &json!("cancelled"))
        );
        assert_ne!(payment["cancelled_at"], 0);
    }
}

#[tokio::test]
async fn a_refused_cancellation_is_http_200_with_code_1_and_changes_nothing() {
    let simulator = simulator().await;
    let paid = v1_paid(&simulator, "paid", &spec());
    let gone = v1_paid(&simulator, "gone", &PaymentSpec { status: Status::Cancelled, ..spec() });
    let ready = v1_paid(&simulator, "ready", &PaymentSpec { status: Status::Ready, ..spec() });
    simulator.set_cancel_mode("gone", CancelMode::Sync, None).unwrap();
    let table = [
        ("wrong imp_uid, good merchant_uid", json!({"imp_uid": "imp_0", "merchant_uid": "paid"})),
        ("all of it before", json!({"imp_uid": gone})),
        ("never paid", json!({"imp_uid": ready})),
        ("more than there is", json!({"imp_uid": paid, "amount": 1001})),
    ];
    for (what, body) in table {
        assert_eq!(v1_cancel(&simulator, body).await, (200, 1, Value::Null), "{what}");
    }
    for mode in [CancelMode::RefuseByPg, CancelMode::FailInBand] {
        simulator.set_cancel_mode("paid", mode, Some(1)).unwrap();
        assert_eq!(v1_cancel(&simulator, json!({"imp_uid": paid})).await, (200, 1, Value::Null), "{mode:?}");
    }
    assert_eq!(simulator.v1_payment(&paid).unwrap()["cancel_amount"], 0);
    assert_eq!(v1_cancel(&simulator, json!({})).await.0, 400);
    assert_eq!(v1_cancel(&simulator, json!({"imp_uid": paid, "amount": -1})).await.0, 400);
    assert_eq!(v1_cancel(&simulator, json!({"merchant_uid": "paid"})).await.1, 0, "by merchant_uid alone");
}

#[tokio::test]
async fn an_unpaid_attempt_does_not_cancel_the_money_of_its_sibling() {
    let simulator = simulator().await;
    let params = json!({"merchant_uid": "order", "amount": 1000});
    let declined = simulator.open_v1_window(&params).unwrap();
    simulator.press_v1(&declined, portone_simulator::Press::Decline).await.unwrap();
    let paid = simulator.open_v1_window(&params).unwrap();
    simulator.press_v1(&paid, portone_simulator::Press::Pay).await.unwrap();
    assert_eq!(v1_cancel(&simulator, json!({"imp_uid": declined})).await, (200, 1, Value::Null));
    assert_eq!(simulator.v1_payment(&paid).unwrap()["status"], "paid");
}

#[tokio::test]
async fn a_deposit_goes_back_only_into_a_named_account_and_a_form_can_say_so() {
    let simulator = simulator().await;
    let vbank =
        PaymentSpec { pay_method: Some(portone_simulator::payment::PayMethod::VirtualAccount), ..spec() };
    let issued = PaymentSpec { status: Status::VirtualAccountIssued, ..vbank };
    let imp_uid = v1_paid(&simulator, "order", &issued);
    let open = simulator.v1_payment(&imp_uid).unwrap();
    assert_eq!(
        (&open["status"], &open["pay_method"], &open["paid_at"]),
        (&json!("ready"), &json!("vbank"), &json!(0))
    );
    assert!(open["vbank_num"].is_string() && open["vbank_date"].as_i64() > open["vbank_issued_at"].as_i64());
    simulator.act("order", &portone_simulator::Act::Deposit { amount: None }).unwrap();
    assert_eq!(v1_cancel(&simulator, json!({"imp_uid": imp_uid})).await, (200, 1, Value::Null));
    let form = [
        ("imp_uid", imp_uid.as_str()),
        ("refund_bank", "88"),
        ("refund_account", "110"),
        ("refund_holder", "홍"),
    ];
    let request = http().post(format!("{}/payments/cancel", simulator.v1_url()));
    let (_, code, payment) =
        answered(request.header("authorization", access_token(&simulator).await).form(&form)).await;
    assert_eq!((code, &payment["status"]), (0, &json!("cancelled")));
    assert_eq!(simulator.calls().last().unwrap().body["refund_bank"], "88", "a form is shown as an object");
}

#[tokio::test]
async fn an_open_account_is_closed_into_failed_and_changed_only_at_hecto() {
    let hecto =
        Channel { pg_provider: "HECTO".to_owned(), ..Channel::new("channel-key-hecto", ChannelKind::Live) };
    let mut channels = SimulatorConfig::default().channels;
    channels.push(hecto);
    let simulator = start(SimulatorConfig { channels, ..SimulatorConfig::default() }).await;
    let issued = PaymentSpec { status: Status::VirtualAccountIssued, ..spec() };
    let closed = v1_paid(&simulator, "closed", &issued);
    let path = format!("/vbanks/{closed}");
    let due = portone_simulator::Timestamp::wall().seconds() + 3600;
    let change = json!({"amount": 500, "vbank_due": due});
    assert_eq!(v1(&simulator, Method::PUT, &path, change.clone()).await.0, 400);
    let (_, code, payment) = v1(&simulator, Method::DELETE, &path, Value::Null).await;
    assert_eq!((code, &payment["status"]), (0, &json!("failed")));
    assert_ne!(payment["failed_at"], 0);
    assert_eq!(v1(&simulator, Method::DELETE, &path, Value::Null).await.0, 400);
    assert_eq!(v1(&simulator, Method::DELETE, "/vbanks/imp_0", Value::Null).await.0, 404);

    let at_hecto = PaymentSpec { channel_key: Some("channel-key-hecto".to_owned()), ..issued };
    let changed = v1_paid(&simulator, "changed", &at_hecto);
    let (_, _, payment) = v1(&simulator, Method::PUT, &format!("/vbanks/{changed}"), change).await;
    assert_eq!((&payment["amount"], &payment["vbank_date"]), (&json!(500), &json!(due)));
    simulator.clock().advance(Duration::from_secs(3601));
    simulator.settled().await;
    assert_eq!(simulator.v1_payment(&changed).unwrap()["status"], "failed");
}

#[tokio::test]
async fn amounts_are_in_the_currencys_major_unit() {
    let simulator = simulator().await;
    let dollars = PaymentSpec { currency: "USD".to_owned(), total_amount: 1420, ..spec() };
    let imp_uid = v1_paid(&simulator, "order", &dollars);
    let (_, _, payment) =
        v1_cancel(&simulator, json!({"imp_uid": imp_uid, "amount": 4.2, "checksum": 14.2})).await;
    assert_eq!((&payment["amount"], &payment["cancel_amount"]), (&json!(14.2), &json!(4.2)));
    assert_eq!(simulator.payment("order").unwrap()["amount"]["cancelled"], 420, "V2 counts cents");
}

#[tokio::test]
async fn v2_shows_a_v1_payment_as_such_unless_the_switch_hides_it() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    let (status, payment) = get(&simulator, "/payments/order").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&payment["version"], &payment["transactionId"]), (&json!("V1"), &json!(imp_uid)));
    simulator.set_switches(|switches| switches.v1_visible_in_v2 = false);
    assert_eq!(get(&simulator, "/payments/order").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&simulator, "/payments").await.1["page"]["totalCount"], 0);
    assert_eq!(get(&simulator, "/payment-events-by-cursor").await.1["items"], json!([]));
    let cancelled = post(&simulator, "/payments/order/cancel", json!({"reason": "r"})).await;
    assert_eq!(cancelled.0, StatusCode::NOT_FOUND);
    simulator.put_payment("v2", &PaymentSpec::default()).unwrap();
    let transaction = simulator.payment("v2").unwrap()["transactionId"].as_str().unwrap().to_owned();
    assert_eq!(
        v1_get(&simulator, &format!("/payments/{transaction}")).await.0,
        404,
        "V1 knows no V2 payment"
    );
}

#[tokio::test]
async fn a_patch_shows_what_no_true_v1_payment_would() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    simulator.patch_payment("order", json!({"sandbox": null, "status": "held", "currency": "USD"})).unwrap();
    let (_, _, payment) = v1_get(&simulator, &format!("/payments/{imp_uid}")).await;
    assert_eq!((payment.get("sandbox"), &payment["status"]), (None, &json!("held")));
    assert_eq!(simulator.payment("order").unwrap()["status"], "PAID");
}

#[tokio::test]
async fn a_fault_can_be_for_one_generation_alone() {
    let simulator = simulator().await;
    let imp_uid = v1_paid(&simulator, "order", &spec());
    access_token(&simulator).await;
    simulator.add_fault(FaultRule::html(502).on("GET", "/payments/*").of(Version::V1));
    assert_eq!(get(&simulator, "/payments/order").await.0, StatusCode::OK);
    let read = http()
        .get(format!("{}/payments/{imp_uid}", simulator.v1_url()))
        .header("authorization", access_token(&simulator).await);
    assert_eq!(read.send().await.unwrap().status(), StatusCode::BAD_GATEWAY);
    simulator.clear_faults();

    simulator.add_fault(FaultRule::reply(FaultReply::Drop).on("POST", "/payments/cancel").after_effect());
    let cancel = http()
        .post(format!("{}/payments/cancel", simulator.v1_url()))
        .header("authorization", access_token(&simulator).await)
        .json(&json!({"imp_uid": imp_uid, "amount": 300}));
    assert!(cancel.send().await.is_err());
    assert_eq!(simulator.v1_payment(&imp_uid).unwrap()["cancel_amount"], 300, "done, but nobody was told");
    let seen = simulator.calls().into_iter().filter(|call| call.version == Version::V1 && call.disturbed);
    assert_eq!(seen.count(), 2);
}
