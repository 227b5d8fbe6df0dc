//! The REST calls that were seen, for tests that ask what a caller sent.

use serde::Serialize;
use serde_json::Value;

use crate::{clock::Timestamp, payment::Version};

/// The most recent calls kept.
pub(crate) const KEPT: usize = 10_000;

/// One REST call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Its number since the start or the last reset, from 0.
    pub number: u64,
    /// Which API was called.
    pub version: Version,
    /// Received, by wall time.
    pub at: Timestamp,
    /// `GET`, …
    pub method: String,
    /// As sent, percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: Option<String>,
    /// The header as sent, quotes included.
    pub idempotency_key: Option<String>,
    /// The body, a form as an object; `null` when there was none or it was neither.
    pub body: Value,
    /// The answer's status; `None` while running, or when the connection was dropped by rule.
    pub status: Option<u16>,
    /// The answer came from the idempotency store.
    pub replayed: bool,
    /// A fault rule touched it.
    pub disturbed: bool,
    /// From receipt to answer; `None` while running.
    pub duration_ms: Option<u64>,
}
