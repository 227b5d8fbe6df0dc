//! `IMP.request_pay`, as far as no browser is needed.

use portone_simulator::{Channel, ChannelKind, Press, Simulator, SimulatorConfig, switches::V1Callback};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    http,
    receiver::Receiver,
    simulator, start,
    v1::{spec, v1, v1_paid},
    window_request,
};

fn params(merchant_uid: &str) -> Value {
    json!({
        "channelKey": SimulatorConfig::default().channels[0].key,
        "pay_method": "card",
        "merchant_uid": merchant_uid,
        "name": "신발",
        "amount": 1000,
        "buyer_name": "홍길동",
        "custom_data": {"orderId": merchant_uid},
    })
}

fn with(merchant_uid: &str, patch: Value) -> Value {
    let mut params = params(merchant_uid);
    params.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    params
}

async fn full_callbacks() -> Simulator {
    let simulator = simulator().await;
    simulator.set_switches(|switches| switches.v1_callback = V1Callback::Full);
    simulator
}

#[tokio::test]
async fn parameters_of_a_wrong_form_open_no_window_and_have_no_imp_uid() {
    let simulator = simulator().await;
    v1_paid(&simulator, "paid", &spec());
    simulator.open_window(&window_request(&simulator, "v2")).unwrap();
    let table = [
        with("p", json!({"amount": "1000"})),
        with("p", json!({"amount": 0})),
        with("p", json!({"amount": null})),
        with("p", json!({"amount": 10.5})),
        with("p", json!({"merchant_uid": null})),
        with("p", json!({"merchant_uid": 1})),
        with("p", json!({"merchant_uid": "x".repeat(41)})),
        with("p", json!({"pay_method": "shells"})),
        with("p", json!({"channelKey": "none"})),
        with("p", json!({"m_redirect_url": "javascript:1"})),
        with("p", json!({"vbank_due": "2020-01-01"})),
        with("p", json!({"tax_free": 1001})),
        with("paid", json!({})),
        with("v2", json!({})),
    ];
    for params in table {
        let refused = simulator.open_v1_window(&params).unwrap_err().callback();
        assert_eq!((&refused["imp_uid"], &refused["success"]), (&Value::Null, &json!(false)), "{params}");
        assert!(refused["error_code"].is_string() && refused["error_msg"].is_string());
    }
    assert_eq!(simulator.payment_ids(), ["paid", "v2"]);
    let v2 = simulator.open_window(&window_request(&simulator, "paid")).unwrap_err();
    assert_eq!(v2.code, "UnknownError", "a payment stays with its generation");
}

#[tokio::test]
async fn a_window_with_another_amount_than_was_prepared_does_not_open() {
    let simulator = simulator().await;
    let prepared = json!({"merchant_uid": "order", "amount": 2000, "currency": "KRW"});
    v1(&simulator, Method::POST, "/payments/prepare", prepared).await;
    let tampered = simulator.open_v1_window(&params("order")).unwrap_err();
    assert_eq!(tampered.merchant_uid.as_deref(), Some("order"));
    assert!(simulator.open_v1_window(&with("order", json!({"amount": 2000, "currency": "USD"}))).is_err());
    assert_eq!(simulator.v1_payments("order"), Vec::<Value>::new());
    assert!(simulator.open_v1_window(&with("order", json!({"amount": 2000}))).is_ok());
    assert_eq!(simulator.v1_prepared("order").unwrap().amount.as_i64(), Some(2000));
}

#[tokio::test]
async fn the_callback_tells_each_outcome() {
    let simulator = full_callbacks().await;
    simulator.set_switches(|switches| switches.slow_approval_ms = None);
    let table = [
        (Press::Pay, true, "paid", 1000),
        (Press::Tamper, true, "paid", 100),
        (Press::Slow, true, "ready", 0),
        (Press::Decline, false, "failed", 0),
        (Press::Close, false, "failed", 0),
    ];
    for (button, success, status, paid) in table {
        let id = format!("{button:?}");
        let imp_uid = simulator.open_v1_window(&params(&id)).unwrap();
        let rsp = simulator.press_v1(&imp_uid, button).await.unwrap();
        assert_eq!((&rsp["imp_uid"], &rsp["merchant_uid"]), (&json!(imp_uid), &json!(id)));
        assert_eq!(
            (&rsp["success"], &rsp["status"], &rsp["paid_amount"]),
            (&json!(success), &json!(status), &json!(paid))
        );
        assert_eq!(rsp.get("error_code").is_none(), success, "{button:?}");
        assert_eq!(rsp["custom_data"]["orderId"], id.as_str(), "an object stays one");
        assert_eq!(
            simulator.v1_payment(&imp_uid).unwrap()["custom_data"],
            json!({"orderId": id}).to_string()
        );
    }
}

#[tokio::test]
async fn some_pgs_give_the_callback_four_members_and_no_word_of_success() {
    let kcp = Channel { pg_provider: "KCP".to_owned(), ..Channel::new("channel-key-kcp", ChannelKind::Live) };
    let mut channels = SimulatorConfig::default().channels;
    channels.push(kcp);
    let simulator = start(SimulatorConfig { channels, ..SimulatorConfig::default() }).await;
    let pay = async |id: &str, key: Value, button: Press| {
        let imp_uid = simulator.open_v1_window(&with(id, json!({"channelKey": key}))).unwrap();
        let rsp = simulator.press_v1(&imp_uid, button).await.unwrap();
        rsp.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    let toss = params("")["channelKey"].clone();
    assert_eq!(pay("a", toss.clone(), Press::Pay).await, ["imp_uid", "merchant_uid"]);
    assert_eq!(pay("b", toss, Press::Decline).await, ["imp_uid", "merchant_uid", "error_code", "error_msg"]);
    assert!(pay("c", json!("channel-key-kcp"), Press::Pay).await.contains(&"paid_amount".to_owned()));
}

#[tokio::test]
async fn every_attempt_of_an_order_has_an_imp_uid_of_its_own_and_one_is_paid() {
    let simulator = full_callbacks().await;
    let [first, second] = [0, 1].map(|_| simulator.open_v1_window(&params("order")).unwrap());
    assert_ne!(first, second);
    simulator.press_v1(&second, Press::Pay).await.unwrap();
    let late = simulator.press_v1(&first, Press::Pay).await.unwrap();
    assert_eq!((&late["success"], &late["status"]), (&json!(false), &json!("failed")));
    assert_eq!(simulator.payment("order").unwrap()["transactionId"], json!(second));
    assert_eq!(simulator.v1_payments("order").len(), 2);
}

#[tokio::test]
async fn an_old_pg_code_finds_its_channel_or_the_default_one() {
    let simulator = simulator().await;
    let sandbox = async |pg: Value| {
        let mut params = params(&format!("{pg}"));
        params.as_object_mut().unwrap().remove("channelKey");
        params["pg"] = pg;
        let imp_uid = simulator.open_v1_window(&params).unwrap();
        simulator.v1_payment(&imp_uid).unwrap()["sandbox"].clone()
    };
    assert_eq!(sandbox(json!("tosspayments.tosstest")).await, json!(true));
    assert_eq!(sandbox(json!("html5_inicis.other")).await, json!(false));
    assert_eq!(sandbox(Value::Null).await, json!(false));
}

#[tokio::test]
async fn a_phone_returns_to_m_redirect_url_with_the_ids_and_an_error_only_when_there_is_one() {
    let simulator = simulator().await;
    let pressed = async |id: &str, button: &str| {
        let params = with(id, json!({"m_redirect_url": "http://shop.example/return?lang=ko"}));
        let opened: Value = http()
            .post(format!("{}/v1/windows", simulator.v1_url()))
            .header("origin", "http://shop.example")
            .json(&json!({"params": params, "mobile": true}))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(opened["presentation"], "REDIRECTION");
        let imp_uid = opened["txId"].as_str().unwrap().to_owned();
        let url = format!("{}/window/{imp_uid}/press", simulator.url());
        let handed = http().post(url).json(&json!({"button": button})).send().await.unwrap();
        let handed: Value = handed.json().await.unwrap();
        (imp_uid, handed["redirectTo"].as_str().unwrap().to_owned())
    };
    let (imp_uid, paid) = pressed("a", "pay").await;
    assert_eq!(paid, format!("http://shop.example/return?lang=ko&imp_uid={imp_uid}&merchant_uid=a"));
    let (imp_uid, declined) = pressed("b", "decline").await;
    let start = format!(
        "http://shop.example/return?lang=ko&imp_uid={imp_uid}&merchant_uid=b&error_code=REJECT_CARD_COMPANY&error_msg="
    );
    assert!(declined.starts_with(&start), "{declined}");
    simulator.set_switches(|switches| switches.v1_callback = V1Callback::Full);
    assert!(pressed("c", "pay").await.1.contains("&imp_success=true"));
}

#[tokio::test]
async fn both_listeners_serve_the_script_and_any_page_may_call_it() {
    let simulator = simulator().await;
    for base in [simulator.url(), simulator.v1_url()] {
        let script = http().get(format!("{base}/v1/iamport.js")).send().await.unwrap();
        assert_eq!(script.headers()["cross-origin-resource-policy"], "cross-origin");
        let script = script.text().await.unwrap();
        assert!(script.contains("window.IMP") && !script.contains("__WINDOW_HOST__"));
    }
    assert!(simulator.v1_sdk_url().ends_with("/v1/iamport.js"));
    let refused = http()
        .post(format!("{}/v1/windows", simulator.v1_url()))
        .header("origin", "http://shop.example")
        .json(&json!({"params": {"merchant_uid": "order"}}))
        .send()
        .await
        .unwrap();
    assert_eq!(refused.headers()["access-control-allow-origin"], "http://shop.example");
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_confirm_url_is_asked_with_the_amount_and_only_200_goes_on() {
    let simulator = full_callbacks().await;
    let shop = Receiver::start().await;
    let ask = async |id: &str| {
        let imp_uid = simulator.open_v1_window(&with(id, json!({"confirm_url": shop.url}))).unwrap();
        simulator.press_v1(&imp_uid, Press::Pay).await.unwrap()
    };
    let yes = ask("yes").await;
    assert_eq!(yes["success"], true);
    let question: Value = serde_json::from_str(&shop.got()[0].body).unwrap();
    assert_eq!(question, json!({"imp_uid": yes["imp_uid"], "merchant_uid": "yes", "amount": 1000}));
    shop.answers(201, r#"{"reason":"품절되었습니다."}"#);
    let no = ask("no").await;
    assert_eq!((&no["success"], &no["error_msg"]), (&json!(false), &json!("품절되었습니다.")));
    let stopped = simulator.v1_payment(no["imp_uid"].as_str().unwrap()).unwrap();
    assert_eq!((&stopped["status"], &stopped["fail_reason"]), (&json!("failed"), &json!("품절되었습니다.")));
}

#[tokio::test]
async fn control_over_http_opens_presses_and_shows_a_v1_payment() {
    let simulator = simulator().await;
    let control = format!("{}/_simulator", simulator.v1_url());
    let post = async |path: &str, body: Value| {
        let answer = http().post(format!("{control}{path}")).json(&body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let (status, opened) = post("/v1/windows", json!({"params": params("order")})).await;
    assert_eq!(status, StatusCode::CREATED);
    let imp_uid = opened["imp_uid"].as_str().unwrap();
    let (_, rsp) = post(&format!("/v1/windows/{imp_uid}/press"), json!({"button": "pay"})).await;
    assert_eq!(rsp["merchant_uid"], "order");
    let get = async |path: String| http().get(path).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(get(format!("{control}/v1/payments/{imp_uid}")).await["status"], "paid");
    assert_eq!(get(format!("{control}/payments/order")).await["v1"][0]["imp_uid"], imp_uid);
    assert_eq!(get(format!("{control}/overview")).await["payments"][0]["version"], "V1");
}
