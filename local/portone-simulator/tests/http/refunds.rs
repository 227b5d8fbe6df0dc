//! A virtual account: how its refund goes, and how long it stays open.

use portone_simulator::{Act, PaymentSpec, Press, RefundStatus, Simulator, Status};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    paid, post, simulator,
    v1::{v1, v1_get},
    window_request,
};

/// A payment whose deposit arrived and goes back.
async fn cancelled_deposit(simulator: &Simulator, id: &str) {
    let spec = PaymentSpec { status: Status::VirtualAccountIssued, ..PaymentSpec::default() };
    simulator.put_payment(id, &spec).unwrap();
    simulator.act(id, &Act::Deposit { amount: None }).unwrap();
    let account = json!({"bank": "SHINHAN", "number": "110000000000", "holderName": "홍길동"});
    let body = json!({"reason": "r", "refundAccount": account});
    assert_eq!(post(simulator, &format!("/payments/{id}/cancel"), body).await.0, 200);
}

/// `PaymentMethodVirtualAccount.refundStatus` of the V2 schema: PENDING, PARTIAL_REFUND_FAILED, FAILED, COMPLETED
/// (case 14). The payment is CANCELLED all the while.
#[tokio::test]
async fn a_refund_into_an_account_has_a_status_of_its_own_while_the_payment_stays_cancelled() {
    let simulator = simulator().await;
    simulator.set_switches(|switches| switches.refund_status_after_cancel = RefundStatus::Pending);
    cancelled_deposit(&simulator, "p").await;
    assert_eq!(simulator.payment("p").unwrap()["method"]["refundStatus"], "PENDING");
    for (status, name) in [
        (RefundStatus::PartialRefundFailed, "PARTIAL_REFUND_FAILED"),
        (RefundStatus::Failed, "FAILED"),
        (RefundStatus::Completed, "COMPLETED"),
    ] {
        let before = simulator.payment("p").unwrap();
        simulator.act("p", &Act::SetRefundStatus { status }).unwrap();
        let after = simulator.payment("p").unwrap();
        assert_eq!((&after["status"], &after["method"]["refundStatus"]), (&json!("CANCELLED"), &json!(name)));
        assert_eq!(after["statusChangedAt"], before["statusChangedAt"]);
        assert_eq!(after["cancellations"][0]["status"], "SUCCEEDED");
    }
}

#[tokio::test]
async fn only_money_on_its_way_into_an_account_has_a_refund_status() {
    let simulator = simulator().await;
    let failed = Act::SetRefundStatus { status: RefundStatus::Failed };
    paid(&simulator, "card");
    assert!(simulator.act("card", &failed).is_err());
    let spec = PaymentSpec { status: Status::VirtualAccountIssued, ..PaymentSpec::default() };
    simulator.put_payment("open", &spec).unwrap();
    assert!(simulator.act("open", &failed).is_err(), "nothing was paid in");
}

/// PortOne does not know the shop's order, so a window that is open goes on (case of issue 17, A5).
#[tokio::test]
async fn a_window_that_is_open_issues_an_account_whatever_the_shop_did_to_its_order_meanwhile() {
    let simulator = simulator().await;
    let mut request = window_request(&simulator, "p");
    request["payMethod"] = json!("VIRTUAL_ACCOUNT");
    let window = simulator.open_window(&request).unwrap();
    simulator.act_on("p", &window, &Act::Issue {}).unwrap();
    assert_eq!(simulator.payment("p").unwrap()["status"], "VIRTUAL_ACCOUNT_ISSUED");
    let closed = post(&simulator, "/payments/p/virtual-account/close", json!({})).await;
    assert_eq!(closed.0, 200);
    let again = simulator.open_window(&request).unwrap();
    simulator.press(&again, Press::Issue).await.unwrap();
    assert_eq!(simulator.payment("p").unwrap()["status"], "VIRTUAL_ACCOUNT_ISSUED", "a later window too");
}

/// Every attempt has its own `imp_uid` and state (V1 `GET /payments/findAll/{merchant_uid}`), so the account
/// takes a deposit although the order's latest attempt failed.
#[tokio::test]
async fn v1s_open_account_stays_open_when_a_later_card_attempt_of_the_order_fails() {
    let simulator = simulator().await;
    let params = |method: &str| json!({"merchant_uid": "order", "amount": 1000, "pay_method": method});
    let account = simulator.open_v1_window(&params("vbank")).unwrap();
    simulator.press_v1(&account, Press::Issue).await.unwrap();
    let card = simulator.open_v1_window(&params("card")).unwrap();
    simulator.press_v1(&card, Press::Decline).await.unwrap();

    let (_, _, newest) = v1_get(&simulator, "/payments/find/order").await;
    assert_eq!((&newest["imp_uid"], &newest["status"]), (&json!(card), &json!("failed")));
    let (_, _, open) = v1_get(&simulator, &format!("/payments/{account}")).await;
    assert_eq!((&open["status"], open["vbank_num"].is_string()), (&json!("ready"), true));
    simulator.act_on("order", &account, &Act::Deposit { amount: None }).unwrap();
    assert_eq!(simulator.v1_payment(&account).unwrap()["status"], "paid");
    let late = v1(&simulator, Method::DELETE, &format!("/vbanks/{account}"), Value::Null).await;
    assert_eq!(late.0, 400, "a paid account cannot be revoked");
}
