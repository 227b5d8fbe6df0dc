//! PortOne's wire, in both generations, and clients that ask three things: what a payment is now, to
//! register an amount beforehand, and to give money back.
//!
//! Each generation's words stay in its own module: what leaves it is the domain's
//! [`order::Observation`] and [`order::CancellationOutcome`].

pub mod v1;
pub mod v2;

use std::time::Duration;

use order::{Cancellation, CancellationOutcome, Generation, Observation, Order};

pub use v1::V1Client;
pub use v2::{TextField, V2Client};

use crate::telemetry::trace;

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
    pub async fn register(
        &self,
        order: &Order,
        store_id: &str,
        timeout: Duration,
    ) -> Result<(), PortoneError> {
        match order.generation {
            Generation::V1 => self.v1.prepare(order, timeout).await,
            Generation::V2 => self.v2.pre_register(order, store_id, timeout).await,
        }
    }

    /// Closes the virtual account of the payment that was seen. One that does not wait for a deposit any more is
    /// left as it is.
    pub async fn close_account(
        &self,
        seen: &Observation,
        timeout: Duration,
    ) -> Result<AccountClosing, PortoneError> {
        match seen.generation {
            Generation::V1 => self.v1.close_account(&seen.transaction_id, timeout).await,
            Generation::V2 => self.v2.close_account(&seen.payment_id, timeout).await,
        }
    }

    /// Gives money back through the generation that took it.
    pub async fn cancel(
        &self,
        generation: Generation,
        request: CancelRequest<'_>,
        timeout: Duration,
    ) -> CancellationOutcome {
        match generation {
            Generation::V1 => self.v1.cancel(request, timeout).await,
            Generation::V2 => self.v2.cancel(request, timeout).await,
        }
    }
}

/// A page of PortOne's list of payments.
#[derive(Debug)]
pub struct PaymentPage {
    /// Those that can be read.
    pub payments: Vec<Observation>,
    /// The orders' ids of those that cannot, as far as they have one.
    pub unreadable: Vec<String>,
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
        read: impl Fn(serde_json::Value) -> Option<Observation>,
    ) -> Self {
        let mut page = Self { payments: Vec::new(), unreadable: Vec::new(), more };
        for item in items {
            let named = item.get(id).and_then(serde_json::Value::as_str).map(str::to_owned);
            match read(item) {
                Some(seen) => page.payments.push(seen),
                None => page.unreadable.extend(named),
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
    Unavailable(&'static str, #[source] Option<reqwest::Error>),
    /// PortOne refused the request for good.
    #[error("PortOne refused: {status} {kind}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// V2's error type, such as `UNAUTHORIZED`, or V1's `code`.
        kind: String,
    },
    /// The answer says something that cannot be, such as a negative amount. A person has to look.
    #[error("PortOne's payment has an amount that is no amount")]
    Impossible,
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
            Self::Impossible => false,
            Self::Refused { status, .. } => !matches!(status, 400 | 409 | 422),
        }
    }

    fn transport(error: reqwest::Error) -> Self {
        // The URL holds ids only, but whoever adds a query need not think of it.
        Self::Unavailable("the call failed", Some(error.without_url()))
    }

    /// Whether a connection broke, so that a call which is safe to repeat may be tried once more.
    fn is_broken_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_, Some(error)) if !error.is_timeout())
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
}

/// A request that says which trace it belongs to.
fn traced(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    match trace::current() {
        Some(trace) => request.header("traceparent", trace.to_string()),
        None => request,
    }
}
