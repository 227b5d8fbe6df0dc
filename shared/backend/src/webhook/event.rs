//! What a verified delivery hints at. The body says where to look, never what is there.

use serde_json::Value;

use crate::portone::{is_segment, lenient, v1::is_imp_uid};

/// What a delivery is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// This payment may have changed.
    Payment(String),
    /// Something this backend does not follow (billing keys, types added later).
    Other,
    /// No delivery PortOne documents.
    Unreadable,
}

/// Reads a body of version 2024-04-25 (JSON), or 2024-01-01 (JSON or form).
pub fn read(body: &[u8]) -> Hint {
    match lenient::parse::<Value>(body) {
        Some(Value::Object(event)) => match (event.get("type"), event.get("payment_id")) {
            (Some(Value::String(kind)), _) if kind.starts_with("Transaction.") => {
                payment(event.get("data").and_then(|data| data.get("paymentId")).and_then(Value::as_str))
            }
            (Some(Value::String(_)), _) => Hint::Other,
            (None, Some(id)) => payment(id.as_str()),
            _ => Hint::Unreadable,
        },
        Some(_) => Hint::Unreadable,
        None => {
            let id = form_urlencoded::parse(body)
                .find_map(|(name, value)| (name == "payment_id").then_some(value));
            payment(id.as_deref())
        }
    }
}

/// The payment and the amount that PortOne asks about before it lets a PG approve, in either version; nothing if
/// the body is no such question.
pub fn read_confirm(body: &[u8]) -> Option<(String, u64)> {
    let (id, total) = match lenient::parse::<Value>(body) {
        Some(event) => {
            let (of, names) = match event.get("type").and_then(Value::as_str) {
                Some("Transaction.Confirm") => (event.get("data")?, ("paymentId", "totalAmount")),
                Some(_) => return None,
                None => (&event, ("payment_id", "total_amount")),
            };
            let total = of.get(names.1)?;
            let total = total.as_u64().or_else(|| total.as_str()?.parse().ok())?;
            (of.get(names.0)?.as_str()?.to_owned(), total)
        }
        None => {
            let text =
                |name| form_urlencoded::parse(body).find_map(|(key, value)| (key == name).then_some(value));
            (text("payment_id")?.into_owned(), text("total_amount")?.parse().ok()?)
        }
    };
    (!id.is_empty()).then_some((id, total))
}

/// What a V1 delivery claims. Nobody signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V1Hint {
    /// PortOne's id of the attempt.
    pub imp_uid: String,
    /// The order it is said to be for.
    pub merchant_uid: Option<String>,
}

/// Reads a V1 body, JSON or form; nothing if it names no `imp_uid` that can be one.
pub fn read_v1(body: &[u8]) -> Option<V1Hint> {
    let (imp_uid, merchant_uid) = match lenient::parse::<Value>(body) {
        Some(event) => {
            let text = |name| event.get(name).and_then(Value::as_str).map(str::to_owned);
            (text("imp_uid"), text("merchant_uid"))
        }
        None => {
            let text = |name| {
                form_urlencoded::parse(body)
                    .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
            };
            (text("imp_uid"), text("merchant_uid"))
        }
    };
    let imp_uid = imp_uid.filter(|id| is_imp_uid(id))?;
    Some(V1Hint { imp_uid, merchant_uid: merchant_uid.filter(|id| !id.is_empty()) })
}

fn payment(id: Option<&str>) -> Hint {
    match id {
        // A buyer may have chosen the id.
        Some(id) if id.len() <= 256 && is_segment(id) => Hint::Payment(id.to_owned()),
        _ => Hint::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_bodies_name_their_payment() {
        let current = r#"{"type":"Transaction.Paid","timestamp":"2024-04-25T10:00:00.000Z","data":{"paymentId":"p-1","storeId":"s","transactionId":"t","new":1}}"#;
        for body in [
            current,
            r#"{"payment_id":"p-1","tx_id":"t","status":"Paid"}"#,
            "payment_id=p-1&tx_id=t&status=Paid",
        ] {
            assert_eq!(read(body.as_bytes()), Hint::Payment("p-1".to_owned()), "{body}");
        }
    }

    #[test]
    fn all_three_questions_name_their_payment_and_amount() {
        let current = r#"{"type":"Transaction.Confirm","timestamp":"2024-04-25T10:00:00.000Z","data":{"paymentId":"p-1","storeId":"s","transactionId":"t","totalAmount":1000}}"#;
        for body in [
            current,
            r#"{"payment_id":"p-1","tx_id":"t","total_amount":1000}"#,
            "payment_id=p-1&tx_id=t&total_amount=1000",
        ] {
            assert_eq!(read_confirm(body.as_bytes()), Some(("p-1".to_owned(), 1000)), "{body}");
        }
        for other in [
            r#"{"type":"Transaction.Paid","data":{"paymentId":"p-1","totalAmount":1000}}"#,
            r#"{"type":"Transaction.Confirm","data":{"paymentId":"p-1"}}"#,
            r#"{"type":"Transaction.Confirm","data":{"paymentId":"p-1","totalAmount":-1}}"#,
            "",
            "[]",
            "null",
        ] {
            assert_eq!(read_confirm(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn both_v1_bodies_name_their_transaction() {
        for body in [
            r#"{"imp_uid":"imp_1","merchant_uid":"o","status":"paid"}"#,
            "imp_uid=imp_1&merchant_uid=o&status=paid",
        ] {
            let hint = read_v1(body.as_bytes()).unwrap();
            assert_eq!((hint.imp_uid.as_str(), hint.merchant_uid.as_deref()), ("imp_1", Some("o")), "{body}");
        }
    }

    #[test]
    fn a_v1_body_without_a_possible_imp_uid_is_nothing() {
        for body in [
            "",
            "{}",
            r#"{"imp_uid":1}"#,
            "imp_uid=",
            "imp_uid=../../users",
            "[]",
            r#"{"imp_uid":"imp_한글"}"#,
        ] {
            assert_eq!(read_v1(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn other_types_are_not_ours_to_follow() {
        for body in [
            r#"{"type":"BillingKey.Issued","data":{"billingKey":"b"}}"#,
            r#"{"type":"Settlement.New","data":{"paymentId":"p"}}"#,
        ] {
            assert_eq!(read(body.as_bytes()), Hint::Other, "{body}");
        }
    }

    #[test]
    fn anything_else_is_unreadable_and_harmless() {
        for body in [
            "",
            "null",
            "[]",
            "{}",
            "{",
            r#"{"type":1}"#,
            r#"{"type":"Transaction.Paid"}"#,
            r#"{"payment_id":7}"#,
            "payment_id=",
            "payment_id=..",
            "payment_id=.%09.",
            "payment_id=a%0d%0ab",
            "\u{feff}안녕",
        ] {
            assert_eq!(read(body.as_bytes()), Hint::Unreadable, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe, 0x00]), Hint::Unreadable);
    }
}
