//! What a call on the wire is called: the operation of an AWS request, or method and path template of a
//! PortOne request. Tests and figures are told per operation.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::Backend;

/// A call as a rule's predicate sees it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `PutItem`, `GetSecretValue`, `GET /payments/{paymentId}` …
    pub operation: String,
    /// The HTTP method.
    pub method: Method,
    /// Path and query as sent.
    pub path: String,
    /// The headers as sent.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: bytes::Bytes,
}

impl Request {
    /// The body as JSON; `null` if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether the body contains this text, such as an item's key.
    pub fn mentions(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text) || self.path.contains(text)
    }
}

/// The operation's name.
pub(super) fn name(backend: Backend, method: &Method, path: &str, headers: &HeaderMap) -> String {
    match backend {
        Backend::DynamoDb | Backend::SecretsManager => headers
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok()?.rsplit('.').next())
            .unwrap_or("unknown")
            .to_owned(),
        Backend::Portone | Backend::PortoneV1 => format!("{method} {}", template(path)),
    }
}

/// Words of PortOne's API (V2 and V1), and what the segment after each one is.
const NAMES: [(&str, &str); 9] = [
    ("payments", "{paymentId}"),
    ("cancellations", "{cancellationId}"),
    ("payment-schedules", "{scheduleId}"),
    ("billing-keys", "{billingKey}"),
    ("vbanks", "{imp_uid}"),
    ("find", "{merchant_uid}"),
    ("findAll", "{merchant_uid}"),
    ("prepare", "{merchant_uid}"),
    ("status", "{status}"),
];
/// Words that stand after `payments` and are no id.
const WORDS: [&str; 6] = ["cancel", "prepare", "find", "findAll", "status", "balance"];

fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        let named = out.last().and_then(|last| NAMES.iter().find(|(name, _)| name == last));
        out.push(match named {
            Some((_, id)) if !WORDS.contains(&segment) => id,
            _ => segment,
        });
    }
    out.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_named_by_operation_or_by_path_template() {
        let target = |target: &str| {
            HeaderMap::from_iter([(http::HeaderName::from_static("x-amz-target"), target.parse().unwrap())])
        };
        let put = target("DynamoDB_20120810.PutItem");
        assert_eq!(name(Backend::DynamoDb, &Method::POST, "/", &put), "PutItem");
        let get = target("secretsmanager.GetSecretValue");
        assert_eq!(name(Backend::SecretsManager, &Method::POST, "/", &get), "GetSecretValue");
        for (path, expected) in [
            ("/payments/01JD?storeId=s", "GET /payments/{paymentId}"),
            ("/payments/a%2Fb/cancel", "GET /payments/{paymentId}/cancel"),
            (
                "/payments/1/cancellations/2/stop",
                "GET /payments/{paymentId}/cancellations/{cancellationId}/stop",
            ),
            ("/payments-by-cursor", "GET /payments-by-cursor"),
            ("/payments/prepare", "GET /payments/prepare"),
            ("/payments/prepare/01JD", "GET /payments/prepare/{merchant_uid}"),
            ("/payments/find/01JD/paid", "GET /payments/find/{merchant_uid}/paid"),
            ("/payments/status/paid", "GET /payments/status/{status}"),
            ("/users/getToken", "GET /users/getToken"),
        ] {
            for backend in [Backend::Portone, Backend::PortoneV1] {
                assert_eq!(name(backend, &Method::GET, path, &HeaderMap::new()), expected);
            }
        }
    }
}
