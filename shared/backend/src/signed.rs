//! Signed requests to AWS, for the services of which a function needs one operation: the secret is read, a
//! statement is written. The table has DynamoDB's SDK, for its operations are many. Each client of an SDK reads
//! AWS's whole list of partitions when it is made, a third of the instructions of a start.
//!
//! The signature is made by AWS's own crate. What stands here is when a request is sent again.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use crate::{
    clock,
    config::AwsEnvironment,
    connection::{Connection, credentials, whole_body},
};

/// Attempts of one request, the first one among them.
const ATTEMPTS_MAX: u32 = 4;
/// Waiting before the second attempt; twice as long before each one after it, all by chance down to nothing.
const BACKOFF: Duration = Duration::from_millis(50);
/// No answer that is read this way is longer.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// What AWS's services call a request that may succeed if it is sent again, whatever its status.
const TRANSIENT: [&str; 8] = [
    "InternalServiceError",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// A service, by what it does differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// One host, one path.
    SecretsManager,
    /// The path is the object's key, signed as it is sent, and the object's hash goes with it.
    S3,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::S3 => "s3",
        }
    }

    fn settings(self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        if self == Self::S3 {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        settings
    }
}

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// One attempt.
    pub attempt: Duration,
    /// All attempts together.
    pub whole: Duration,
}

/// What is sent. Sending it twice has to be harmless.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// All of it, with a path that is encoded as it is to be sent.
    pub url: &'a str,
    /// Beside those of the signature.
    pub headers: &'a [(&'static str, &'a str)],
    /// All of it.
    pub body: &'a [u8],
}

/// Why there is no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// The service says no.
    #[error("it answered {status} {code}")]
    Refused {
        /// HTTP's status.
        status: u16,
        /// What the service calls it; empty if it does not say.
        code: String,
    },
    /// No answer in time, or none that can be read.
    #[error("it did not answer")]
    Unanswered(#[source] Option<Box<dyn Error + Send + Sync>>),
}

impl SignedError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, code } => {
                matches!(status, 429 | 500 | 502 | 503 | 504) || TRANSIENT.contains(&code.as_str())
            }
            Self::Unanswered(_) => true,
        }
    }
}

/// One service, as this function calls it.
#[derive(Clone, Debug)]
pub struct SignedClient {
    http: reqwest::Client,
    service: Service,
    region: String,
    credentials: Credentials,
}

impl SignedClient {
    /// Nothing is connected yet.
    pub fn new(connection: &Connection, aws: &AwsEnvironment, service: Service) -> Self {
        Self {
            http: connection.http().clone(),
            service,
            region: aws.region.clone(),
            credentials: credentials(aws),
        }
    }

    /// Sends the request until there is an answer or no time, four times at most, and answers its body.
    pub async fn send(&self, request: SignedRequest<'_>, bounds: Bounds) -> Result<Vec<u8>, SignedError> {
        let attempts = async {
            let mut attempt = 0;
            loop {
                let sent = tokio::time::timeout(bounds.attempt, self.attempt(request)).await;
                attempt += 1;
                match sent.unwrap_or(Err(SignedError::Unanswered(None))) {
                    Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => {
                        tokio::time::sleep(backoff(attempt)).await;
                    }
                    done => return done,
                }
            }
        };
        tokio::time::timeout(bounds.whole, attempts).await.unwrap_or(Err(SignedError::Unanswered(None)))
    }

    async fn attempt(&self, request: SignedRequest<'_>) -> Result<Vec<u8>, SignedError> {
        let mut sent = self.http.request(request.method.clone(), request.url).body(request.body.to_vec());
        for (name, value) in request.headers {
            sent = sent.header(*name, *value);
        }
        for (name, value) in self.signature(request)? {
            sent = sent.header(name, value);
        }
        let response = sent.send().await.map_err(|error| unanswered(error.without_url()))?;
        let status = response.status();
        let body = whole_body(response, ANSWER_BYTES_MAX).await.map_err(unanswered)?;
        let body = body.ok_or_else(|| unanswered("the answer is too long"))?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(SignedError::Refused { status: status.as_u16(), code: code_of(&body) })
    }

    /// The headers that sign a request, dated now.
    fn signature(&self, request: SignedRequest<'_>) -> Result<Vec<(String, String)>, SignedError> {
        let identity = self.credentials.clone().into();
        let millis = u64::try_from(clock::now().as_millis()).unwrap_or_default();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service.name())
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .settings(self.service.settings())
            .build()
            .map_err(unanswered)?
            .into();
        let signable = SignableRequest::new(
            request.method.as_str(),
            request.url,
            request.headers.iter().copied(),
            SignableBody::Bytes(request.body),
        );
        let (instructions, _) =
            sign(signable.map_err(unanswered)?, &parameters).map_err(unanswered)?.into_parts();
        Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

fn unanswered(error: impl Into<Box<dyn Error + Send + Sync>>) -> SignedError {
    SignedError::Unanswered(Some(error.into()))
}

/// By chance, so that functions that failed together do not come back together.
fn backoff(attempt: u32) -> Duration {
    let chance = u32::from(clock::entropy()[0]);
    BACKOFF * 2_u32.pow(attempt - 1) * chance / u32::from(u8::MAX)
}

/// What the service calls its refusal: JSON's `__type` without its namespace, or XML's `Code`.
fn code_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "__type")]
        kind: String,
    }
    if let Ok(Refusal { kind }) = serde_json::from_slice(body) {
        return kind.rsplit('#').next().unwrap_or_default().to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(String::new, |(code, _)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(service: Service, region: &str) -> SignedClient {
        let aws = AwsEnvironment {
            region: region.to_owned(),
            access_key_id: "an-id".to_owned(),
            secret_access_key: "a-key".to_owned(),
            session_token: Some("a-session".to_owned()),
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            s3_endpoint: None,
        };
        SignedClient::new(&Connection::new(), &aws, service)
    }

    #[test]
    fn what_a_service_calls_its_refusal_is_read_from_json_and_from_xml() {
        assert_eq!(
            code_of(br#"{"__type":"com.amazonaws.secretsmanager#ThrottlingException"}"#),
            "ThrottlingException"
        );
        assert_eq!(code_of(br#"{"__type":"ResourceNotFoundException"}"#), "ResourceNotFoundException");
        assert_eq!(code_of(b"<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>"), "SlowDown");
        assert_eq!(code_of(b"<html>503</html>"), "");
    }

    #[test]
    fn only_what_time_may_mend_is_sent_again() {
        let refused = |status, code: &str| SignedError::Refused { status, code: code.to_owned() };
        assert!(refused(400, "ThrottlingException").is_transient());
        assert!(refused(503, "").is_transient());
        assert!(SignedError::Unanswered(None).is_transient());
        assert!(!refused(400, "ResourceNotFoundException").is_transient());
        assert!(!refused(403, "AccessDenied").is_transient());
    }

    #[test]
    fn the_session_and_for_s3_the_objects_hash_are_signed() {
        let request = SignedRequest {
            method: &Method::PUT,
            url: "https://bucket.s3.ap-northeast-2.amazonaws.com/statements/2026-11-23.csv",
            headers: &[("content-type", "text/csv")],
            body: b"",
        };
        let signed = |service| {
            let headers = client(service, "ap-northeast-2").signature(request).unwrap();
            headers.into_iter().find(|(name, _)| name == "authorization").unwrap().1
        };
        assert!(signed(Service::S3).contains(
            "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
        ));
        assert!(signed(Service::SecretsManager).contains("/ap-northeast-2/secretsmanager/aws4_request"));
    }
}
