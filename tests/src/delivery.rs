//! A webhook delivery made by hand, for what PortOne itself would never send. Signed with PortOne's own
//! signature, as the simulator has it.

use std::time::{SystemTime, UNIX_EPOCH};

use portone_simulator::webhook::signature;
use serde_json::json;

/// One delivery, sent as its fields say.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The body's media type.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`, where there are any.
    pub headers: Vec<(String, String)>,
}

/// The present in Unix seconds.
pub fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Delivery {
    /// An unsigned delivery of these bytes.
    pub fn of(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type: content_type.to_owned(), body: body.into(), headers: Vec::new() }
    }

    /// An unsigned delivery of version 2024-04-25 about a payment.
    pub fn about(kind: &str, payment_id: &str) -> Self {
        let body = json!({
            "type": kind,
            "timestamp": "2026-11-23T00:00:00.000Z",
            "data": { "paymentId": payment_id, "storeId": "store-any", "transactionId": "tx-any" },
        });
        Self::of("application/json", body.to_string())
    }

    /// Signed now with each of these secrets.
    pub fn signed(self, secrets: &[String]) -> Self {
        self.signed_at(secrets, unix_seconds())
    }

    /// Signed at this Unix second with each of these secrets.
    pub fn signed_at(mut self, secrets: &[String], seconds: i64) -> Self {
        let id = format!("delivery-{seconds}-{}", self.body.len());
        let signature = signature::header(secrets, &id, seconds, &self.body);
        self.headers = vec![
            ("webhook-id".to_owned(), id),
            ("webhook-timestamp".to_owned(), seconds.to_string()),
            ("webhook-signature".to_owned(), signature),
        ];
        self
    }

    /// With one header replaced, or left out.
    pub fn with_header(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    /// The value of one of its headers.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).expect("a signed delivery")
    }
}
