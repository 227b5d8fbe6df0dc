//! What a webhook says: the two body versions, and the names of what happened.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{clock::Timestamp, json::merge_patch, payment::NewsKind};

/// The body version chosen in PortOne's console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyVersion {
    /// `{type, timestamp, data}`.
    #[default]
    #[serde(rename = "2024-04-25")]
    V20240425,
    /// `{payment_id, tx_id, status}`.
    #[serde(rename = "2024-01-01")]
    V20240101,
    /// The same as form fields.
    #[serde(rename = "2024-01-01-form")]
    V20240101Form,
}

impl BodyVersion {
    /// The header that goes with it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::V20240425 | Self::V20240101 => "application/json",
            Self::V20240101Form => "application/x-www-form-urlencoded",
        }
    }
}

impl NewsKind {
    /// The part after `Transaction.`; `None` where PortOne names no type.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Ready => "Ready",
            Self::Paid => "Paid",
            Self::VirtualAccountIssued => "VirtualAccountIssued",
            Self::PartialCancelled => "PartialCancelled",
            Self::Cancelled => "Cancelled",
            Self::CancelPending => "CancelPending",
            Self::Failed => "Failed",
            Self::PayPending => "PayPending",
            Self::DisputeCreated => "DisputeCreated",
            Self::DisputeResolved => "DisputeResolved",
            Self::CancelFailed => return None,
        })
    }
}

/// Everything a body may contain.
#[derive(Clone, Debug)]
pub struct Event {
    /// `Transaction.Paid`, …
    pub kind: String,
    /// When it happened, the same for every execution.
    pub happened: Timestamp,
    /// Which payment.
    pub payment_id: String,
    /// Which store.
    pub store_id: String,
    /// Which attempt.
    pub transaction_id: String,
    /// Which cancellation.
    pub cancellation_id: Option<String>,
    /// Only asked about before approval, in the confirm process.
    pub total_amount: Option<i64>,
}

impl Event {
    /// The bytes to send, with `patch` merged into them (RFC 7396).
    #[must_use]
    pub fn body(&self, version: BodyVersion, patch: &Value) -> String {
        let mut body = match version {
            BodyVersion::V20240425 => {
                let mut data = json!({
                    "paymentId": self.payment_id,
                    "storeId": self.store_id,
                    "transactionId": self.transaction_id,
                });
                if let Some(id) = &self.cancellation_id {
                    data["cancellationId"] = json!(id);
                }
                if let Some(total) = self.total_amount {
                    data["totalAmount"] = json!(total);
                }
                json!({ "type": self.kind, "timestamp": self.happened.rfc3339(), "data": data })
            }
            BodyVersion::V20240101 | BodyVersion::V20240101Form => {
                let mut body = json!({ "payment_id": self.payment_id, "tx_id": self.transaction_id });
                match self.total_amount {
                    Some(total) => body["total_amount"] = json!(total),
                    None => body["status"] = json!(self.kind.trim_start_matches("Transaction.")),
                }
                body
            }
        };
        merge_patch(&mut body, patch);
        match version {
            BodyVersion::V20240425 | BodyVersion::V20240101 => body.to_string(),
            BodyVersion::V20240101Form => form(&body),
        }
    }
}

/// A body's members as form fields.
pub(super) fn form(body: &Value) -> String {
    let mut fields = reqwest::Url::parse("http://form.invalid/").expect("a constant URL parses");
    for (name, value) in body.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fields.query_pairs_mut().append_pair(name, &text);
    }
    fields.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        Event {
            kind: "Transaction.Paid".to_owned(),
            happened: Timestamp::from_millis(1_714_039_200_000),
            payment_id: "p 1".to_owned(),
            store_id: "s".to_owned(),
            transaction_id: "t".to_owned(),
            cancellation_id: None,
            total_amount: None,
        }
    }

    #[test]
    fn the_current_version_is_thin_and_carries_no_amount() {
        assert_eq!(
            event().body(BodyVersion::V20240425, &Value::Null),
            r#"{"type":"Transaction.Paid","timestamp":"2024-04-25T10:00:00.000Z","data":{"paymentId":"p 1","storeId":"s","transactionId":"t"}}"#
        );
    }

    #[test]
    fn the_old_version_comes_as_json_or_as_a_form() {
        assert_eq!(
            event().body(BodyVersion::V20240101, &Value::Null),
            r#"{"payment_id":"p 1","tx_id":"t","status":"Paid"}"#
        );
        assert_eq!(
            event().body(BodyVersion::V20240101Form, &Value::Null),
            "payment_id=p+1&tx_id=t&status=Paid"
        );
    }

    #[test]
    fn a_patch_adds_fields_nobody_knows() {
        let body = event().body(BodyVersion::V20240101, &json!({"new": 1, "status": null}));
        assert_eq!(body, r#"{"payment_id":"p 1","tx_id":"t","new":1}"#);
    }
}
