//! Text that no parser expects (case 06), in single and list answers of both generations.

use portone_simulator::{PaymentSpec, RawText, Simulator, Status, Version};
use serde_json::{Value, json};

use crate::{http, simulator, v1, v1::v1_paid};

async fn v2_text(simulator: &Simulator, path: &str) -> String {
    let secret = format!("PortOne {}", simulator.config().api_secrets[0]);
    let url = format!("{}{path}", simulator.url());
    http().get(url).header("authorization", secret).send().await.unwrap().text().await.unwrap()
}

async fn v1_text(simulator: &Simulator, path: &str) -> String {
    let token = v1::token(simulator).await["response"]["access_token"].as_str().unwrap().to_owned();
    let url = format!("{}{path}", simulator.v1_url());
    http().get(url).header("authorization", token).send().await.unwrap().text().await.unwrap()
}

fn failed(version: Version) -> PaymentSpec {
    PaymentSpec { status: Status::Failed, version, ..PaymentSpec::default() }
}

#[tokio::test]
async fn half_an_emoji_is_written_as_its_escape_in_every_answer_about_the_payment() {
    let simulator = simulator().await;
    simulator.put_payment("p", &failed(Version::V2)).unwrap();
    simulator.put_payment("q", &PaymentSpec::default()).unwrap();
    for field in ["orderName", "customer.name", "failure.pgMessage"] {
        simulator.set_raw_text("p", field, Some(RawText::LoneSurrogate)).unwrap();
        for path in ["/payments/p", "/payments", "/payments-by-cursor", "/payments/p/transactions"] {
            let text = v2_text(&simulator, path).await;
            assert!(text.contains(r#"\ud83d""#), "{field} {path}");
            assert!(serde_json::from_str::<Value>(&text).is_err(), "no strict parser reads {path}");
        }
        assert!(!v2_text(&simulator, "/payments/q").await.contains(r"\ud83d"));
        simulator.set_raw_text("p", field, None).unwrap();
        assert!(!v2_text(&simulator, "/payments").await.contains(r"\ud83d"), "the truth is shown again");
    }
}

#[tokio::test]
async fn v1s_answers_can_have_half_an_emoji_too() {
    let simulator = simulator().await;
    simulator.put_payment("order", &failed(Version::V1)).unwrap();
    let imp_uid = simulator.v1_payments("order")[0]["imp_uid"].as_str().unwrap().to_owned();
    for field in ["buyer_name", "fail_reason", "name"] {
        simulator.set_raw_text("order", field, Some(RawText::LoneSurrogate)).unwrap();
        let one = format!("/payments/{imp_uid}");
        for path in [one.as_str(), "/payments/status/all", "/payments/findAll/order", "/payments/find/order"]
        {
            assert!(v1_text(&simulator, path).await.contains(r#"\ud83d""#), "{field} {path}");
        }
        assert!(!v2_text(&simulator, "/payments/order").await.contains(r"\ud83d"), "it is V1's member");
        simulator.set_raw_text("order", field, None).unwrap();
    }
    simulator.set_raw_text("order", "orderName", Some(RawText::LoneSurrogate)).unwrap();
    assert!(v2_text(&simulator, "/payments/order").await.contains(r"\ud83d"), "V2 shows V1's payment so");
    assert!(!v1_text(&simulator, &format!("/payments/{imp_uid}")).await.contains(r"\ud83d"));
}

#[tokio::test]
async fn a_member_can_have_a_nul_be_a_number_or_be_missing() {
    let simulator = simulator().await;
    let spec = PaymentSpec { status: Status::PartialCancelled, ..PaymentSpec::default() };
    simulator.put_payment("p", &spec).unwrap();
    let shown = async |field: &str, raw| {
        simulator.set_raw_text("p", field, Some(raw)).unwrap();
        serde_json::from_str::<Value>(&v2_text(&simulator, "/payments").await).unwrap()["items"][0].clone()
    };
    assert_eq!(shown("orderName", RawText::Nul).await["orderName"], "신발\0");
    assert!(v2_text(&simulator, "/payments/p").await.contains(r"\u0000"));
    assert_eq!(shown("orderName", RawText::WrongType).await["orderName"], 7);
    assert_eq!(shown("orderName", RawText::Missing).await.get("orderName"), None);
    assert_eq!(shown("customer.name", RawText::WrongType).await["customer"], json!({"name": 7}));
    let part = shown("cancellations.0.reason", RawText::Missing).await["cancellations"][0].clone();
    assert_eq!((part.get("reason"), &part["status"]), (None, &json!("SUCCEEDED")));

    let imp_uid = v1_paid(&simulator, "order", &v1::spec());
    for (raw, expected) in [(RawText::Nul, json!("\0")), (RawText::WrongType, json!(7))] {
        simulator.set_raw_text("order", "buyer_name", Some(raw)).unwrap();
        assert_eq!(simulator.v1_payment(&imp_uid).unwrap()["buyer_name"], expected);
    }
    simulator.set_raw_text("order", "buyer_name", Some(RawText::Missing)).unwrap();
    assert_eq!(simulator.v1_payment(&imp_uid).unwrap().get("buyer_name"), None);
}

#[tokio::test]
async fn the_control_api_sets_a_raw_text_as_rust_does() {
    let simulator = simulator().await;
    simulator.put_payment("p", &PaymentSpec::default()).unwrap();
    let set = async |body: Value| {
        let url = format!("{}/_simulator/payments/p/raw-text", simulator.url());
        http().put(url).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(set(json!({"field": "orderName", "raw": "LONE_SURROGATE"})).await, 204);
    assert!(v2_text(&simulator, "/payments/p").await.contains(r"\ud83d"));
    assert_eq!(set(json!({"field": "orderName", "raw": null})).await, 204);
    assert!(!v2_text(&simulator, "/payments/p").await.contains(r"\ud83d"));
}
