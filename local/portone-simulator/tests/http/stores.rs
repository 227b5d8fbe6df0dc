//! Which store a payment belongs to: a company credential with a default store and others.
//!
//! The rules are those of member or query `storeId` in PortOne's V2 schema: "only stores that the credential may
//! access; without it the store of the credential is used".

use portone_simulator::{
    ChannelKind, ListWithoutStore, PaymentSpec, Simulator, SimulatorConfig, Status, Version,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{call, error, get, post, refused, start, window_request};

const OWN: &str = "store-own";
const OTHER: &str = "store-other";

/// A company with two stores, and a payment of each in every state that a call needs.
async fn company() -> Simulator {
    let simulator = start(SimulatorConfig::default().with_stores(OWN, [OTHER])).await;
    for store in [OWN, OTHER] {
        for (name, status) in [("paid", Status::Paid), ("account", Status::VirtualAccountIssued)] {
            let spec = PaymentSpec { status, store_id: Some(store.to_owned()), ..PaymentSpec::default() };
            simulator.put_payment(&format!("{store}-{name}"), &spec).unwrap();
        }
    }
    simulator
}

fn listed(page: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_payment_of_another_store_is_not_found_unless_the_call_names_its_store() {
    let simulator = company().await;
    let missing = refused(404, "PAYMENT_NOT_FOUND");
    for path in ["/payments/store-other-paid", "/payments/store-other-paid/transactions"] {
        assert_eq!(error(get(&simulator, path).await), missing, "{path}");
        let named = format!("{path}?storeId={OTHER}");
        assert_eq!(get(&simulator, &named).await.0, 200, "{named}");
    }
    let own = get(&simulator, "/payments/store-own-paid").await;
    assert_eq!((own.0.as_u16(), own.1["storeId"].as_str()), (200, Some(OWN)));
    let misnamed = get(&simulator, &format!("/payments/store-own-paid?storeId={OTHER}")).await;
    assert_eq!(error(misnamed), missing);
}

#[tokio::test]
async fn a_store_that_the_credential_may_not_access_is_403_for_every_call() {
    let simulator = company().await;
    let forbidden = refused(403, "FORBIDDEN");
    for path in ["/payments/store-own-paid", "/payments/store-own-paid/transactions"] {
        assert_eq!(error(get(&simulator, &format!("{path}?storeId=store-x")).await), forbidden, "{path}");
    }
    let list = json!({"filter": {"storeId": "store-x"}});
    assert_eq!(error(call(&simulator, Method::GET, "/payments", Some(list), None).await), forbidden);
    let close = "/payments/store-own-account/virtual-account/close?storeId=store-x";
    assert_eq!(error(post(&simulator, close, json!({})).await), forbidden);
    for (act, body) in [
        ("cancel", json!({"reason": "r", "storeId": "store-x"})),
        ("confirm", json!({"paymentToken": "t", "storeId": "store-x"})),
        ("pre-register", json!({"storeId": "store-x"})),
        ("resend-webhook", json!({"storeId": "store-x"})),
    ] {
        let path = format!("/payments/store-own-paid/{act}");
        assert_eq!(error(post(&simulator, &path, body).await), forbidden, "{act}");
    }
}

#[tokio::test]
async fn what_changes_a_payment_reaches_another_store_only_when_the_call_names_it() {
    let simulator = company().await;
    let missing = refused(404, "PAYMENT_NOT_FOUND");
    let cancel = "/payments/store-other-paid/cancel";
    let close = "/payments/store-other-account/virtual-account/close";
    assert_eq!(error(post(&simulator, cancel, json!({"reason": "r"})).await), missing);
    assert_eq!(error(post(&simulator, close, json!({})).await), missing);
    let resend = post(&simulator, "/payments/store-other-paid/resend-webhook", json!({})).await;
    assert_eq!(error(resend), missing);
    let confirm = post(&simulator, "/payments/store-other-paid/confirm", json!({"paymentToken": "t"})).await;
    assert_eq!(error(confirm), missing);
    assert_eq!(simulator.payment("store-other-paid").unwrap()["status"], "PAID");

    let named = post(&simulator, cancel, json!({"reason": "r", "storeId": OTHER})).await;
    assert_eq!((named.0.as_u16(), &named.1["cancellation"]["status"]), (200, &json!("SUCCEEDED")));
    assert_eq!(post(&simulator, &format!("{close}?storeId={OTHER}"), json!({})).await.0, 200);
    let named = json!({"storeId": OTHER});
    let resend = post(&simulator, "/payments/store-other-paid/resend-webhook", named).await;
    assert_eq!(error(resend), refused(404, "WEBHOOK_NOT_FOUND"));
}

/// `PaymentFilterInput.storeId`: "only for users of a company; without it the payments of the whole company
/// are listed". `GetAllPaymentsByCursorBody.storeId` has the words of the single calls instead.
#[tokio::test]
async fn a_list_without_a_store_is_of_the_whole_company_and_a_cursor_list_of_the_own_store() {
    let simulator = company().await;
    let (_, all) = get(&simulator, "/payments").await;
    assert_eq!(listed(&all).len(), 4);
    for (store, first) in [(OWN, "store-own-account"), (OTHER, "store-other-account")] {
        let body = json!({"filter": {"storeId": store}});
        let (_, page) = call(&simulator, Method::GET, "/payments", Some(body), None).await;
        assert_eq!((listed(&page).len(), listed(&page)[0]), (2, first));
    }
    let (_, events) = get(&simulator, "/payment-events-by-cursor").await;
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "one payment of each store is paid");
    let (_, by_cursor) = get(&simulator, "/payments-by-cursor").await;
    let stores: Vec<&Value> =
        by_cursor["items"].as_array().unwrap().iter().map(|it| &it["payment"]["storeId"]).collect();
    assert_eq!(stores, [OWN, OWN]);

    simulator.set_switches(|switches| switches.list_without_store = ListWithoutStore::OwnStore);
    assert_eq!(listed(&get(&simulator, "/payments").await.1), ["store-own-account", "store-own-paid"]);
}

#[tokio::test]
async fn a_registered_amount_holds_for_the_windows_of_its_store_alone() {
    let simulator = company().await;
    let amount = json!({"totalAmount": 5000, "currency": "KRW"});
    post(&simulator, "/payments/p/pre-register", amount.clone()).await;
    let mut request = window_request(&simulator, "p");
    request["storeId"] = json!(OTHER);
    assert!(simulator.open_window(&request).is_ok(), "the amount is registered in another store");
    let mut named = amount;
    named["storeId"] = json!(OTHER);
    post(&simulator, "/payments/q/pre-register", named).await;
    request["paymentId"] = json!("q");
    assert_eq!(simulator.open_window(&request).unwrap_err().code, "AmountNotEqualToPredefined");
}

/// `PaymentFilterInput.isTest`, `.storeId` and `.version`. "For V1 payments some filters may not apply"
/// (`GetPaymentsBody.filter`) is a switch.
#[tokio::test]
async fn a_list_is_filtered_by_test_channel_store_and_version() {
    let simulator = start(SimulatorConfig::default().with_stores(OWN, [OTHER])).await;
    let test = ChannelKind::Test;
    for (id, spec) in [
        ("live", PaymentSpec::default()),
        ("test", PaymentSpec { channel_type: test, ..PaymentSpec::default() }),
        ("other", PaymentSpec { store_id: Some(OTHER.to_owned()), ..PaymentSpec::default() }),
        ("v1", PaymentSpec { version: Version::V1, ..PaymentSpec::default() }),
        ("v1test", PaymentSpec { version: Version::V1, channel_type: test, ..PaymentSpec::default() }),
    ] {
        simulator.put_payment(id, &spec).unwrap();
    }
    let list = async |filter: Value| {
        let body = json!({"filter": filter, "page": {"size": 100}});
        let (_, page) = call(&simulator, Method::GET, "/payments", Some(body), None).await;
        listed(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(list(json!({"isTest": true})).await, ["test", "v1test"]);
    assert_eq!(list(json!({"isTest": false, "storeId": OWN})).await, ["live", "v1"]);
    assert_eq!(list(json!({"version": "V1"})).await, ["v1", "v1test"]);
    assert_eq!(list(json!({"version": "V2", "isTest": false})).await, ["live", "other"]);
    simulator.set_switches(|switches| switches.v1_escapes_filter = true);
    assert_eq!(list(json!({"isTest": false, "storeId": OWN})).await, ["live", "v1", "v1test"]);
    assert_eq!(list(json!({"isTest": true, "version": "V2"})).await, ["test"]);
}
