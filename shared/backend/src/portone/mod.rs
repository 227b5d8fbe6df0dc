//! PortOne's wire, in both generations, and clients that ask three things: what a payment is now, to
//! register an amount beforehand, and to give money back.
//!
//! Each generation's words stay in its own module: what leaves it is the domain's
//! [`order::Observation`] and [`order::CancellationOutcome`].

pub(crate) mod lenient;
pub mod v1;
pub mod v2;

use std::time::Duration;

use http::{Response, header};
use order::{Cancellation, CancellationOutcome, Currency, Generation, Observation, Order};
use reqwest::RequestBuilder;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use crate::{
    connection::{Bytes, Connection, Unanswered},
    telemetry::trace,
};

pub use lenient::Unusable;
pub use v1::V1Client;
pub use v2::{TextField, V2Client};

/// The longest answer that is held. A page of a hundred payments is the largest, a few kilobytes each.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// PortOne, both generations.
#[derive(Clone, Debug)]
pub struct Portone {
    /// Iamport.
    pub v1: V1Client,
    /// PortOne V2.
    pub v2: V2Client,
}

impl Portone {
    /// Registers an order's amount with the generation it is paid through.
    pub async fn register(&self, order: &Order, timeout: Duration) -> Result<(), PortoneError> {
        match order.generation {
            Generation::V1 => self.v1.prepare(order, timeout).await,
            Generation::V2 => self.v2.pre_register(order, timeout).await,
        }
    }

    /// Closes the virtual account of the payment that was seen. One that does not wait for a deposit any more is
    /// left as it is. An account of V1 is closed through V2 where the deployment has no V1 credentials.
    pub async fn close_account(
        &self,
        seen: &Observation,
        timeout: Duration,
    ) -> Result<AccountClosing, PortoneError> {
        if seen.generation == Generation::V1 && self.v1.is_configured().await {
            return self.v1.close_account(&seen.transaction_id, timeout).await;
        }
        self.v2.close_account(&seen.payment_id, timeout).await
    }

    /// Cancels a payment through the version of PortOne that took it. V2's API cancels payments of V1 too, and is used
    /// where the deployment has no V1 credentials (schema: `Payment.version`).
    pub async fn cancel(
        &self,
        generation: Generation,
        request: CancelRequest<'_>,
        timeout: Duration,
    ) -> CancellationOutcome {
        if generation == Generation::V1 && self.v1.is_configured().await {
            return self.v1.cancel(request, timeout).await;
        }
        self.v2.cancel(request, timeout).await
    }
}

/// A page of PortOne's list of payments.
#[derive(Debug)]
pub struct PaymentPage {
    /// Those that can be read.
    pub payments: Vec<Observation>,
    /// The IDs of those that cannot, as far as they have one, and the field that keeps them from it.
    pub unreadable: Vec<(String, &'static str)>,
    /// Whether there are more pages.
    pub more: bool,
}

impl PaymentPage {
    /// Reads each payment by itself: one that cannot be read must not hide the others. `id` names the member
    /// that holds the order's id.
    fn read(
        items: Vec<serde_json::Value>,
        id: &str,
        more: bool,
        read: impl Fn(serde_json::Value) -> Result<Observation, Unusable>,
    ) -> Self {
        let mut page = Self { payments: Vec::new(), unreadable: Vec::new(), more };
        for item in items {
            let named = item.get(id).and_then(serde_json::Value::as_str).map(str::to_owned);
            match read(item) {
                Ok(seen) => page.payments.push(seen),
                Err(Unusable(field)) => page.unreadable.push((named.unwrap_or_default(), field)),
            }
        }
        page
    }
}

/// What closing a virtual account came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountClosing {
    /// No deposit arrives any more, or one did: a read tells.
    Done,
    /// The PG does not close it.
    Refused,
}

/// Why PortOne gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum PortoneError {
    /// No answer in time, a broken one, or one that says "later" (5xx, 429).
    #[error("PortOne cannot answer now: {0}")]
    Unavailable(&'static str, #[source] Option<Unanswered>),
    /// PortOne refused the request for good.
    #[error("PortOne refused: {status} {kind}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// V2's error type, such as `UNAUTHORIZED`, or V1's `code`.
        kind: String,
    },
    /// A field that a decision depends on is missing, has another type or an impossible value, such as a negative
    /// amount. An operator has to act.
    #[error("PortOne's record of the payment cannot be used: {0}")]
    Unusable(#[from] Unusable),
    /// The secret has no credentials of this generation: the deployment does not use it.
    #[error("the secret has no credentials of PortOne {0:?}")]
    NotConfigured(Generation),
}

impl PortoneError {
    /// Whether the same call may succeed later without anybody changing it.
    ///
    /// Only a refusal of the request itself is for good. A refused secret is rotated, a wrong base URL is
    /// repaired: the news they would have brought is still there.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(..) | Self::NotConfigured(_) => true,
            Self::Unusable(_) => false,
            Self::Refused { status, .. } => !matches!(status, 400 | 409 | 422),
        }
    }

    /// Whether a connection broke, so that a call which is safe to repeat may be tried once more.
    fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_, Some(Unanswered::Broken(_))))
    }
}

/// A cancellation to ask for, as its ledger row says, and what PortOne shall check before it moves money.
///
/// One row always makes the same request: PortOne forbids another one under the same key.
#[derive(Clone, Copy, Debug)]
pub struct CancelRequest<'a> {
    /// The order's id: V2 `paymentId`, V1 `merchant_uid`.
    pub payment_id: &'a str,
    /// The transaction that holds the money: V1 `imp_uid`.
    pub transaction_id: &'a str,
    /// How much, which share of it carries no VAT, and what can be cancelled before it (V2
    /// `currentCancellableAmount`, V1 `checksum`).
    pub row: &'a Cancellation,
    /// For the buyer and the shop's staff.
    pub reason: &'a str,
    /// V2's idempotency key, the same over every try.
    pub key: &'a str,
    /// What the amounts of `row` are units of.
    pub currency: Currency,
    /// Whether PortOne charged less than the order's total.
    pub discounted: bool,
}

/// Whether `id` can be one segment of a path. Ids come from buyers and deliveries: one that a URL reads as a step
/// up, or reads control characters out of until it is one, would name another resource.
pub fn is_segment(id: &str) -> bool {
    !matches!(id, "" | "." | "..") && !id.contains(char::is_control)
}

/// The address of a resource; nothing if a part of its path names none.
fn resource(base: &str, path: &[&str], query: &[(&str, &str)]) -> Option<Url> {
    if !path.iter().all(|part| is_segment(part)) {
        return None;
    }
    let mut url = Url::parse(base).expect("the base URL was checked at init");
    url.path_segments_mut().expect("an http URL has a path").pop_if_empty().extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Some(url)
}

/// What no resource can be named by is not found, and nobody is asked.
fn names_nothing() -> PortoneError {
    PortoneError::Refused { status: 404, kind: "PAYMENT_NOT_FOUND".to_owned() }
}

/// Sends a request, in the trace of the current call, with `body` as JSON, and waits until `until` for the whole
/// response.
async fn exchange(
    connection: &Connection,
    mut request: RequestBuilder,
    body: Option<&impl Serialize>,
    until: Instant,
) -> Result<Response<Bytes>, PortoneError> {
    if let Some(trace) = trace::current() {
        request = request.header("traceparent", trace.to_string());
    }
    if let Some(body) = body {
        let json = serde_json::to_vec(body).expect("strings and numbers are JSON");
        request = request.header(header::CONTENT_TYPE, "application/json").body(json);
    }
    let request = request.header(header::ACCEPT, "application/json");
    let answer = connection.send(request, until, ANSWER_BYTES_MAX).await;
    answer.map_err(|error| PortoneError::Unavailable("the call failed", Some(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment_of_a_path_or_names_nothing() {
        for id in ["a/../b", "..%2f..", "a?b#c", "a\\b", "%2e%2e", "한글", "..;", " .. ", "a b", "…"] {
            let url = resource("https://portone.example/v", &["payments", id], &[]).unwrap();
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            assert_eq!(segments.len(), 3, "{id:?}: {url}");
            assert_eq!((segments[0], segments[1]), ("v", "payments"), "{id:?}: {url}");
            assert_eq!((url.host_str(), url.query(), url.fragment()), (Some("portone.example"), None, None));
        }
        for id in ["", ".", "..", ".\t.", "\r..", ".\n", "a\r\nHost: evil", "\u{85}", "\0"] {
            assert_eq!(resource("https://portone.example/v", &["payments", id], &[]), None, "{id:?}");
        }
    }
}
