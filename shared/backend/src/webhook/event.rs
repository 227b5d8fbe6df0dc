//! What a verified delivery hints at. The body says where to look, never what is there.

use serde_json::Value;

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
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(event)) => match (event.get("type"), event.get("payment_id")) {
            (Some(Value::String(kind)), _) if kind.starts_with("Transaction.") => {
                payment(event.get("data").and_then(|data| data.get("paymentId")).and_then(Value::as_str))
            }
            (Some(Value::String(_)), _) => Hint::Other,
            (None, Some(id)) => payment(id.as_str()),
            _ => Hint::Unreadable,
        },
        Ok(_) => Hint::Unreadable,
        Err(_) => {
            let id = form_urlencoded::parse(body)
                .find_map(|(name, value)| (name == "payment_id").then_some(value));
            payment(id.as_deref())
        }
    }
}

fn payment(id: Option<&str>) -> Hint {
    match id {
        Some(id) if !id.is_empty() && id.len() <= 256 => Hint::Payment(id.to_owned()),
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
            "\u{feff}안녕",
        ] {
            assert_eq!(read(body.as_bytes()), Hint::Unreadable, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe, 0x00]), Hint::Unreadable);
    }
}
