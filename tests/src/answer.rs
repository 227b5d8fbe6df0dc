//! An HTTP answer of the API, and what the contract says about every one of them.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// From sending the request to the last byte.
    pub took: Duration,
}

impl Answer {
    /// Reads a response to its end.
    pub(crate) async fn read(response: reqwest::Response, sent: std::time::Instant) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("the gateway's answers are whole");
        Self { status, headers, text, took: sent.elapsed() }
    }

    /// The body as JSON; panics showing it if it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// A header's value, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body, of an answer that has to have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The body, of an answer that has to be this problem: RFC 9457 with every member that the contract
    /// asks for, and `Retry-After` exactly where it says that trying again may help.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("application/problem+json"), "{content_type}");
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["status"], status, "{body}");
        for member in ["type", "title", "detail", "requestId"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {body}");
        }
        let retryable = matches!(status, 429 | 503);
        assert_eq!(body["retryable"], retryable, "{body}");
        let retry_after = self.header("retry-after").map(str::parse::<u32>);
        assert_eq!(matches!(retry_after, Some(Ok(_))), retryable, "Retry-After: {retry_after:?}");
        body
    }
}
