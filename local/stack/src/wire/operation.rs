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
        Backend::S3 => match *method {
            Method::PUT => "PutObject".to_owned(),
            Method::GET => "GetObject".to_owned(),
            Method::HEAD => "HeadObject".to_owned(),
            _ => format!("{method} object"),
        },
        Backend::Portone | Backend::PortoneV1 => format!("{method} {}", template(backend, path)),
    }
}

/// Words of V2's paths, and what the segment after each one is.
const V2_NAMES: &[(&str, &str)] = &[
    ("payments", "{paymentId}"),
    ("cancellations", "{cancellationId}"),
    ("payment-schedules", "{scheduleId}"),
    ("billing-keys", "{billingKey}"),
];
/// The same of V1's.
const V1_NAMES: &[(&str, &str)] = &[
    ("payments", "{imp_uid}"),
    ("vbanks", "{imp_uid}"),
    ("find", "{merchant_uid}"),
    ("findAll", "{merchant_uid}"),
    ("prepare", "{merchant_uid}"),
    ("status", "{status}"),
];
/// Words that stand after V1's `payments` and are no id.
const V1_WORDS: &[&str] = &["cancel", "prepare", "find", "findAll", "status"];

fn template(backend: Backend, path: &str) -> String {
    let (names, words) =
        if backend == Backend::PortoneV1 { (V1_NAMES, V1_WORDS) } else { (V2_NAMES, [].as_slice()) };
    let path = path.split('?').next().unwrap_or_default();
    let mut out: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        let named = out.last().and_then(|last| names.iter().find(|(name, _)| name == last));
        out.push(match named {
            Some((_, id)) if !words.contains(&segment) => id,
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
        assert_eq!(name(Backend::S3, &Method::PUT, "/export-bucket/a.csv", &HeaderMap::new()), "PutObject");
        for (backend, path, expected) in [
            (Backend::Portone, "/payments/01JD?storeId=s", "GET /payments/{paymentId}"),
            (Backend::Portone, "/payments/a%2Fb/cancel", "GET /payments/{paymentId}/cancel"),
            (Backend::Portone, "/payments-by-cursor", "GET /payments-by-cursor"),
            (
                Backend::Portone,
                "/payments/1/cancellations/2/stop",
                "GET /payments/{paymentId}/cancellations/{cancellationId}/stop",
            ),
            (Backend::PortoneV1, "/users/getToken", "GET /users/getToken"),
            (Backend::PortoneV1, "/payments/imp_1?include_sandbox=true", "GET /payments/{imp_uid}"),
            (Backend::PortoneV1, "/payments/prepare", "GET /payments/prepare"),
            (Backend::PortoneV1, "/payments/prepare/01JD", "GET /payments/prepare/{merchant_uid}"),
            (Backend::PortoneV1, "/payments/find/01JD/paid", "GET /payments/find/{merchant_uid}/paid"),
            (Backend::PortoneV1, "/payments/status/paid", "GET /payments/status/{status}"),
        ] {
            assert_eq!(name(backend, &Method::GET, path, &HeaderMap::new()), expected);
        }
    }
}
