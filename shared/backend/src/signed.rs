//! Signed requests to AWS. A function needs few operations of few services, and an SDK is dear: each client
//! reads AWS's whole list of partitions when it is made, a third of the instructions of a start, and each call
//! through one took a quarter of an invocation's.
//!
//! What stands here is when a request is sent again.

use std::{error::Error, sync::Arc, time::Duration};

use http::{Request, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use crate::{
    clock,
    config::AwsEnvironment,
    connection::{Bytes, Connection},
    sigv4::{Signable, Signer},
};

/// Attempts of one request, the first one among them.
const ATTEMPTS_MAX: u32 = 4;
/// Waiting before the second attempt; twice as long before each one after it, all by chance down to nothing.
const BACKOFF: Duration = Duration::from_millis(50);
/// What AWS's services call a request that may succeed if it is sent again, whatever its status.
const TRANSIENT: [&str; 10] = [
    "InternalServiceError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// A service, by what it does differently from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// One host, one path; answers of 16 MB.
    DynamoDb,
    /// One host, one path.
    SecretsManager,
    /// The path is the object's key, signed as it is sent, and the object's hash goes with it.
    S3,
}

impl Service {
    fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::SecretsManager => "secretsmanager",
            Self::S3 => "s3",
        }
    }

    /// No answer that is read is longer.
    fn answer_bytes_max(self) -> usize {
        match self {
            Self::DynamoDb => 17 * 1024 * 1024,
            Self::SecretsManager | Self::S3 => 1024 * 1024,
        }
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
    Unanswered(#[source] Box<dyn Error + Send + Sync>),
}

/// What a service answered.
pub enum Answer {
    /// It did as it was asked.
    Ok(Bytes),
    /// It says no.
    Refused(Refusal),
}

/// How a service says no. It cannot be printed: an item may be in it.
pub struct Refusal {
    /// HTTP's status.
    pub status: u16,
    /// What the service calls it; empty if it does not say.
    pub code: String,
    /// All of it.
    pub body: Bytes,
}

impl Refusal {
    fn is_transient(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504) || TRANSIENT.contains(&self.code.as_str())
    }
}

impl From<Refusal> for SignedError {
    fn from(Refusal { status, code, .. }: Refusal) -> Self {
        Self::Refused { status, code }
    }
}

/// One service, as this function calls it.
#[derive(Clone, Debug)]
pub struct SignedClient {
    connection: Connection,
    service: Service,
    signer: Arc<Signer>,
}

impl SignedClient {
    /// Nothing is connected yet.
    pub fn new(connection: &Connection, aws: &AwsEnvironment, service: Service) -> Self {
        Self {
            connection: connection.clone(),
            service,
            signer: Arc::new(Signer::new(aws, service.name(), service == Service::S3)),
        }
    }

    /// Sends the request, which has to be harmless twice, until it is done or refused for good, or no time is left, four times at most, and
    /// answers the body.
    pub async fn send(&self, request: Signable<'_>, bounds: Bounds) -> Result<Bytes, SignedError> {
        match self.exchange(request, bounds).await? {
            Answer::Ok(body) => Ok(body),
            Answer::Refused(refusal) => Err(refusal.into()),
        }
    }

    /// The same, where a refusal is an answer too.
    pub async fn exchange(&self, request: Signable<'_>, bounds: Bounds) -> Result<Answer, SignedError> {
        let end = Instant::now() + bounds.whole;
        let mut attempt = 1;
        loop {
            let sent = self.attempt(request, end.min(Instant::now() + bounds.attempt)).await;
            let again = match &sent {
                Ok(Answer::Ok(_)) => false,
                Ok(Answer::Refused(refusal)) => refusal.is_transient(),
                Err(_) => true,
            };
            if !again || attempt == ATTEMPTS_MAX {
                return sent.map_err(SignedError::Unanswered);
            }
            let next = Instant::now() + backoff(attempt);
            if next >= end {
                return sent.map_err(SignedError::Unanswered);
            }
            sleep_until(next).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        request: Signable<'_>,
        until: Instant,
    ) -> Result<Answer, Box<dyn Error + Send + Sync>> {
        let mut sent = Request::builder().method(request.method).uri(request.url.as_str());
        for (name, value) in request.headers {
            sent = sent.header(*name, *value);
        }
        for (name, value) in self.signer.sign(request, clock::now()) {
            sent = sent.header(name, value);
        }
        let sent = sent.body(Bytes::copy_from_slice(request.body))?;
        let answer = self.connection.send(sent, until, self.service.answer_bytes_max()).await?;
        let (head, body) = answer.into_parts();
        if head.status == StatusCode::OK {
            return Ok(Answer::Ok(body));
        }
        Ok(Answer::Refused(Refusal { status: head.status.as_u16(), code: code_of(&body), body }))
    }
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
        let refused = |status, code: &str| Refusal { status, code: code.to_owned(), body: Bytes::new() };
        assert!(refused(400, "ThrottlingException").is_transient());
        assert!(refused(503, "").is_transient());
        assert!(!refused(400, "ResourceNotFoundException").is_transient());
        assert!(!refused(403, "AccessDenied").is_transient());
    }
}
