use portone_simulator::{Act, Channel, ChannelKind, Press, SimulatorConfig, switches::ClosedAccountStatus};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{call, error, get, http, post, receiver::Receiver, refused, simulator, start, window_request};

#[tokio::test]
async fn each_button_leaves_the_payment_in_its_state() {
    let table = [
        (Press::Pay, "PAID", None),
        (Press::Decline, "FAILED", Some("PGProviderError")),
        (Press::Close, "FAILED", Some("PGProviderError")),
        (Press::Slow, "PAY_PENDING", None),
        (Press::Tamper, "PAID", None),
        (Press::TestChannel, "PAID", None),
    ];
    let simulator = simulator().await;
    simulator.set_switches(|switches| switches.slow_approval_ms = None);
    for (button, status, code) in table {
        let id = format!("{button:?}");
        let tx = simulator.open_window(&window_request(&simulator, &id)).unwrap();
        let result = simulator.press(&tx, button).await.unwrap();
        assert_eq!((result.code.as_deref(), result.tx_id), (code, tx), "{button:?}");
        assert_eq!(simulator.payment(&id).unwrap()["status"], status, "{button:?}");
    }
    assert_eq!(simulator.payment("Tamper").unwrap()["amount"]["total"], 100);
    assert_eq!(simulator.payment("TestChannel").unwrap()["channel"]["type"], "TEST");
    assert_eq!(simulator.payment("Pay").unwrap()["customData"], r#"{"orderId":"Pay"}"#);
}

#[tokio::test]
async fn pressing_twice_decides_once() {
    let simulator = simulator().await;
    let tx = simulator.open_window(&window_request(&simulator, "p")).unwrap();
    let (first, second) =
        tokio::join!(simulator.press(&tx, Press::Pay), simulator.press(&tx, Press::Decline));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(simulator.transactions("p").len(), 1);
}

#[tokio::test]
async fn what_the_sdk_refuses_changes_nothing() {
    let simulator = simulator().await;
    post(&simulator, "/payments/p/pre-register", json!({"totalAmount": 2000, "currency": "KRW"})).await;
    simulator.put_payment("paid", &portone_simulator::PaymentSpec::default()).unwrap();
    let with = |id: &str, patch: Value| {
        let mut request = window_request(&simulator, id);
        request.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        simulator.open_window(&request).map_err(|error| error.code)
    };
    let table = [
        (with("p", json!({})), "AmountNotEqualToPredefined"),
        (with("p", json!({"totalAmount": 2000, "currency": "USD"})), "AmountNotEqualToPredefined"),
        (with("paid", json!({})), "PaymentAlreadyPaid"),
        (with("q", json!({"storeId": "store-none"})), "StoreNotFound"),
        (with("q", json!({"channelKey": "none"})), "ChannelNotFound"),
        (with("q", json!({"redirectUrl": "javascript:1"})), "BadRequest"),
        (with("q", json!({"totalAmount": "1000"})), "RequestParseFailed"),
        (with("q", json!({"totalAmount": 0})), "BadRequest"),
    ];
    for (refused, code) in table {
        assert_eq!(refused, Err(code.to_owned()));
    }
    assert_eq!(simulator.payment_ids(), ["paid"]);
    assert!(with("p", json!({"totalAmount": 2000, "currency": "CURRENCY_KRW"})).is_ok());
}

#[tokio::test]
async fn after_a_decline_the_same_payment_is_paid_by_a_second_attempt() {
    let simulator = simulator().await;
    let first = simulator.open_window(&window_request(&simulator, "p")).unwrap();
    simulator.press(&first, Press::Decline).await.unwrap();
    let second = simulator.open_window(&window_request(&simulator, "p")).unwrap();
    simulator.press(&second, Press::Pay).await.unwrap();
    let payment = simulator.payment("p").unwrap();
    assert_eq!((&payment["status"], &payment["transactionId"]), (&json!("PAID"), &json!(second)));
    let (_, attempts) = get(&simulator, "/payments/p/transactions").await;
    let statuses: Vec<&Value> =
        attempts["items"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["FAILED", "PAID"]);
}

#[tokio::test]
async fn a_slow_payment_is_approved_when_its_time_has_come() {
    let simulator = simulator().await;
    let tx = simulator.open_window(&window_request(&simulator, "p")).unwrap();
    simulator.press(&tx, Press::Slow).await.unwrap();
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAY_PENDING");
    simulator.clock().advance(std::time::Duration::from_secs(5));
    simulator.settled().await;
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
}

#[tokio::test]
async fn a_virtual_account_is_issued_and_then_deposited_closed_or_expired() {
    let simulator = simulator().await;
    let issue = async |id: &str| {
        let mut request = window_request(&simulator, id);
        request["payMethod"] = json!("VIRTUAL_ACCOUNT");
        request["virtualAccount"] = json!({"accountExpiry": {"validHours": 2}});
        let tx = simulator.open_window(&request).unwrap();
        simulator.press(&tx, Press::Issue).await.unwrap();
        assert_eq!(simulator.payment(id).unwrap()["status"], "VIRTUAL_ACCOUNT_ISSUED");
    };
    issue("deposited").await;
    simulator.act("deposited", &Act::Deposit { amount: None }).unwrap();
    assert_eq!(simulator.payment("deposited").unwrap()["status"], "PAID");

    issue("closed").await;
    assert_eq!(
        post(&simulator, "/payments/closed/virtual-account/close", Value::Null).await.0,
        StatusCode::OK
    );
    assert_eq!(simulator.payment("closed").unwrap()["status"], "FAILED");
    let again = post(&simulator, "/payments/closed/virtual-account/close", Value::Null).await;
    assert_eq!(error(again), refused(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT"));
    simulator.act("closed", &Act::Deposit { amount: None }).unwrap();
    assert_eq!(simulator.payment("closed").unwrap()["status"], "PAID", "a bank may take a late deposit");

    simulator.set_switches(|switches| switches.closed_account_status = ClosedAccountStatus::Cancelled);
    issue("expired").await;
    simulator.clock().advance(std::time::Duration::from_secs(2 * 3600));
    simulator.settled().await;
    assert_eq!(simulator.payment("expired").unwrap()["status"], "CANCELLED");
}

#[tokio::test]
async fn manual_approval_captures_only_what_the_server_asserts() {
    let channel = Channel { manual_approval: true, ..Channel::new("channel-key-manual", ChannelKind::Live) };
    let simulator = start(SimulatorConfig { channels: vec![channel], ..SimulatorConfig::default() }).await;
    let tx = simulator.open_window(&window_request(&simulator, "p")).unwrap();
    let result = simulator.press(&tx, Press::Pay).await.unwrap();
    assert_eq!(simulator.payment("p").unwrap()["status"], "READY");
    let token = result.payment_token.unwrap();
    let confirm = |token: &str, total: i64| {
        let body = json!({"paymentToken": token, "totalAmount": total, "currency": "KRW", "isTest": false});
        call(&simulator, reqwest::Method::POST, "/payments/p/confirm", Some(body), None)
    };
    assert_eq!(error(confirm("wrong", 1000).await), refused(400, "INVALID_PAYMENT_TOKEN"));
    assert_eq!(error(confirm(&token, 999).await), refused(409, "INFORMATION_MISMATCH"));
    assert_eq!(confirm(&token, 1000).await.0, StatusCode::OK);
    assert_eq!(simulator.payment("p").unwrap()["status"], "PAID");
    assert_eq!(error(confirm(&token, 1000).await), refused(409, "ALREADY_PAID"));
}

#[tokio::test]
async fn the_confirm_process_asks_the_shop_before_money_moves() {
    let simulator = simulator().await;
    let shop = Receiver::start().await;
    let ask = async |id: &str| {
        let mut request = window_request(&simulator, id);
        request["confirmUrl"] = json!(shop.url);
        let tx = simulator.open_window(&request).unwrap();
        simulator.press(&tx, Press::Pay).await.unwrap()
    };
    assert_eq!(ask("yes").await.code, None);
    let question: Value = serde_json::from_str(&shop.got()[0].body).unwrap();
    assert_eq!(
        (&question["type"], &question["data"]["totalAmount"]),
        (&json!("Transaction.Confirm"), &json!(1000))
    );
    shop.answers(400, r#"{"errorMessage":"품절되었습니다."}"#);
    let stopped = ask("no").await;
    assert_eq!(stopped.code.as_deref(), Some("ConfirmProcessFailed"));
    assert_eq!(stopped.message.as_deref(), Some("품절되었습니다."));
    assert_eq!(simulator.payment("no").unwrap()["status"], "FAILED");
}

#[tokio::test]
async fn a_page_of_another_origin_may_open_a_window_and_only_read_its_address() {
    let simulator = simulator().await;
    let opened = http()
        .post(format!("{}/checkout/windows", simulator.url()))
        .header("origin", "http://shop.example")
        .json(&json!({"request": window_request(&simulator, "p"), "mobile": false}))
        .send()
        .await
        .unwrap();
    assert_eq!(opened.headers()["access-control-allow-origin"], "http://shop.example");
    let opened: Value = opened.json().await.unwrap();
    assert_eq!(opened["presentation"], "IFRAME");
    let page = http().get(opened["windowUrl"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(r#""pageOrigin":"http://shop.example""#) && page.contains(r#"data-action="pay""#));
    let foreign = http()
        .get(format!("{}/_simulator/overview", simulator.url()))
        .header("origin", "http://shop.example")
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_order_name_cannot_break_out_of_the_page() {
    let simulator = simulator().await;
    let mut request = window_request(&simulator, "p");
    request["orderName"] = json!("</script><script>alert(1)</script>");
    let tx = simulator.open_window(&request).unwrap();
    let page =
        http().get(format!("{}/window/{tx}", simulator.url())).send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("<script>alert"));
}

#[tokio::test]
async fn a_phone_leaves_the_page_only_when_it_has_somewhere_to_return_to() {
    let simulator = simulator().await;
    let shown = async |mobile: bool, patch: Value| {
        let mut request = window_request(&simulator, "p");
        request.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let opened = http()
            .post(format!("{}/checkout/windows", simulator.url()))
            .json(&json!({"request": request, "mobile": mobile}))
            .send()
            .await
            .unwrap();
        opened.json::<Value>().await.unwrap()["presentation"].as_str().unwrap().to_owned()
    };
    let back = json!({"redirectUrl": "http://shop.example/return"});
    assert_eq!(shown(false, back.clone()).await, "IFRAME");
    assert_eq!(shown(true, back).await, "REDIRECTION");
    assert_eq!(shown(true, json!({})).await, "IFRAME");
    assert_eq!(shown(false, json!({"windowType": {"pc": "POPUP"}})).await, "POPUP");
}

#[tokio::test]
async fn a_result_that_redirects_carries_its_members_in_the_query() {
    let simulator = simulator().await;
    let mut request = window_request(&simulator, "p");
    request["redirectUrl"] = json!("http://shop.example/return?lang=ko");
    request["forceRedirect"] = json!(true);
    let tx = simulator.open_window(&request).unwrap();
    let pressed = http()
        .post(format!("{}/window/{tx}/press", simulator.url()))
        .json(&json!({"button": "decline"}))
        .send()
        .await
        .unwrap();
    let pressed: Value = pressed.json().await.unwrap();
    let target = pressed["redirectTo"].as_str().unwrap();
    let members =
        format!("lang=ko&transactionType=PAYMENT&txId={tx}&paymentId=p&code=PGProviderError&message=");
    assert!(target.starts_with(&format!("http://shop.example/return?{members}")), "{target}");
}
