//! The payment itself: attempts, money and what may happen to them. Knows no HTTP and no JSON shape:
//! [`crate::v2`] writes these types the way one generation of the API does, and another can do the same.
//!
//! A payment is what the shop names by `payment_id`; a transaction is one attempt at a PG inside it.
//! [`attempt`] moves an attempt, [`cancel`] gives money back, [`method`] says what was paid with.

pub mod attempt;
pub mod cancel;
pub mod method;
pub mod money;
pub mod promotion;
#[cfg(test)]
mod sample;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use attempt::{Failure, News, NewsKind};
pub use cancel::{CancelMode, CancelRequest, Cancellation, CancellationStatus};
pub use method::{Method, PayMethod, RefundStatus};
pub use money::Amount;
pub use promotion::{CancellableBalance, RetainOption};

use crate::{clock::Timestamp, config::Channel, raw::RawTexts};

/// Where an attempt stands. Seven values, as in PortOne's schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// The window was opened.
    Ready,
    /// The PG decides later.
    PayPending,
    /// The buyer has an account to deposit into.
    VirtualAccountIssued,
    /// Money was captured.
    Paid,
    /// Part of it went back.
    PartialCancelled,
    /// All of it went back.
    Cancelled,
    /// Declined, closed or expired.
    Failed,
}

impl Status {
    /// As on the wire of a payment object. The list filter spells `PAY_PENDING` as `PENDING`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::PayPending => "PAY_PENDING",
            Self::VirtualAccountIssued => "VIRTUAL_ACCOUNT_ISSUED",
            Self::Paid => "PAID",
            Self::PartialCancelled => "PARTIAL_CANCELLED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }
}

/// Which generation opened the payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// `IMP.request_pay`.
    V1,
    /// `PortOne.requestPayment`.
    #[default]
    V2,
}

/// From where the buyer came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Platform {
    /// A desktop browser.
    #[default]
    Pc,
    /// A phone.
    Mobile,
    /// No browser at all.
    Api,
}

/// What the shop told about the buyer; every member may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Customer {
    /// The shop's number of the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Telephone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zipcode: Option<String>,
}

/// How a window is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Presentation {
    /// Over the page.
    Iframe,
    /// In a window of its own.
    Popup,
    /// Instead of the page.
    Redirection,
}

/// How the window was opened and where its result goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checkout {
    /// How it is shown; nothing when no browser opened it.
    pub presentation: Option<Presentation>,
    /// The shop page's origin; results are posted to no other.
    pub page_origin: Option<String>,
    /// Where the buyer returns to.
    pub redirect_url: Option<String>,
    /// The result goes to `redirect_url` instead of the promise.
    pub redirects: bool,
    /// Asked before approval (the confirm process).
    pub confirm_url: Option<String>,
    /// Replaces the console's webhook URL when not empty.
    pub notice_urls: Vec<String>,
    /// Hours a virtual account stays open.
    pub account_valid_hours: Option<u32>,
    /// `KO_KR`, `EN_US`, …
    pub locale: Option<String>,
    /// V1's own word for the method, as the page gave it.
    pub asked_as: Option<String>,
    /// The buyer's address, which only V1 returns.
    pub buyer_address: Option<String>,
    /// The buyer's browser, which only V1 returns.
    pub user_agent: Option<String>,
}

/// A dispute raised by the card holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// The PG's number.
    #[serde(default)]
    pub pg_dispute_id: Option<String>,
    /// Why.
    pub reason: String,
    /// When it was raised.
    pub created_at: Timestamp,
    /// When it was settled.
    pub resolved_at: Option<Timestamp>,
}

/// One attempt at a PG.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transaction {
    /// `transactionId`; `imp_uid` in V1.
    pub id: String,
    /// Where it stands.
    pub status: Status,
    /// The channel it runs over.
    pub channel: Channel,
    /// What the shop asked for.
    pub pay_method: PayMethod,
    /// What was paid with, once known.
    pub method: Option<Method>,
    /// The money asked for or, after capture, taken.
    pub amount: Amount,
    /// ISO 4217.
    pub currency: String,
    /// As shown to the buyer.
    pub order_name: String,
    /// The buyer.
    pub customer: Customer,
    /// JSON text given by the shop.
    pub custom_data: Option<String>,
    /// As given by the shop.
    pub products: Vec<Value>,
    /// From where.
    pub platform: Platform,
    /// Window details.
    pub checkout: Checkout,
    /// Window opened.
    pub requested_at: Timestamp,
    /// Anything changed.
    pub updated_at: Timestamp,
    /// Status changed.
    pub status_changed_at: Timestamp,
    /// Captured.
    pub paid_at: Option<Timestamp>,
    /// Failed.
    pub failed_at: Option<Timestamp>,
    /// Last cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The PG's number.
    pub pg_tx_id: Option<String>,
    /// Money returned or being returned, oldest first.
    pub cancellations: Vec<Cancellation>,
    /// What the first cancellation in parts chose for the discount.
    #[serde(default)]
    pub retain_option: Option<RetainOption>,
    /// The least sum that the promotion discounts.
    #[serde(default)]
    pub promotion_minimum: Option<i64>,
    /// Disputes, oldest first.
    pub disputes: Vec<Dispute>,
    /// Manual approval: what `/confirm` must present.
    pub payment_token: Option<String>,
    /// Ids of the webhooks about this attempt, oldest first.
    pub webhooks: Vec<String>,
}

impl Transaction {
    /// An attempt whose window was just opened, with nothing known but what was asked for.
    #[must_use]
    pub fn ready(id: String, channel: Channel, asked: PayMethod, amount: Amount, wall: Timestamp) -> Self {
        Self {
            id,
            status: Status::Ready,
            channel,
            pay_method: asked,
            method: None,
            amount,
            currency: "KRW".to_owned(),
            order_name: String::new(),
            customer: Customer::default(),
            custom_data: None,
            products: Vec::new(),
            platform: Platform::Pc,
            checkout: Checkout::default(),
            requested_at: wall,
            updated_at: wall,
            status_changed_at: wall,
            paid_at: None,
            failed_at: None,
            cancelled_at: None,
            failure: None,
            pg_tx_id: None,
            cancellations: Vec::new(),
            retain_option: None,
            promotion_minimum: None,
            disputes: Vec::new(),
            payment_token: None,
            webhooks: Vec::new(),
        }
    }

    /// Money was captured, whatever happened to it since.
    #[must_use]
    pub fn captured(&self) -> bool {
        self.paid_at.is_some()
    }
}

/// What the shop names by `payment_id`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// Chosen by the shop.
    pub id: String,
    /// Of the shop.
    pub merchant_id: String,
    /// Of the shop.
    pub store_id: String,
    /// Which generation opened it.
    pub version: Version,
    /// First window opened.
    pub created_at: Timestamp,
    /// Attempts, oldest first; never empty.
    pub transactions: Vec<Transaction>,
    /// How cancellations of this payment end; the switch `cancelMode` when empty.
    pub cancel_mode: Option<CancelMode>,
    /// How many more cancellations `cancel_mode` rules; `None` is all.
    pub cancel_mode_left: Option<u32>,
    /// Merged into the rendered payment (RFC 7396), to show what no real state would.
    pub patch: Value,
    /// Members that are shown with a text, or without one, that no parser expects.
    #[serde(default)]
    pub raw_texts: RawTexts,
}

impl Payment {
    /// The attempt that a read of the payment shows: the captured one, else the latest.
    #[must_use]
    pub fn decisive(&self) -> &Transaction {
        let captured = self.transactions.iter().find(|tx| tx.captured());
        captured.or(self.transactions.last()).expect("a payment is created with its first transaction")
    }

    /// The attempt of that id.
    ///
    /// # Errors
    /// [`Refusal::TransactionNotFound`].
    pub fn transaction_mut(&mut self, id: &str) -> Result<&mut Transaction, Refusal> {
        self.transactions.iter_mut().find(|tx| tx.id == id).ok_or(Refusal::TransactionNotFound)
    }

    /// Some attempt was captured.
    #[must_use]
    pub fn captured(&self) -> bool {
        self.transactions.iter().any(Transaction::captured)
    }
}

/// Why something did not happen. Each generation of the API has its own words for these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such payment.
    PaymentNotFound,
    /// No such attempt.
    TransactionNotFound,
    /// Money was captured under this id before, possibly given back since.
    AlreadyPaid,
    /// All of it went back before.
    AlreadyCancelled,
    /// There is nothing to give back.
    NotPaid,
    /// The presented balance is not the balance.
    BalanceDiffers {
        /// What can still be given back.
        balance: i64,
    },
    /// More than the balance.
    AmountExceedsBalance,
    /// Tax-free and VAT together are more than the amount.
    PartsExceedAmount,
    /// More tax-free than is left.
    TaxFreeExceedsBalance,
    /// More taxable than is left.
    TaxableExceedsBalance,
    /// The first cancellation in parts chose the other option for the discount.
    RetainOptionChanged,
    /// What remains would cost more without its discount than was paid.
    NegativePromotionAmount,
    /// Too many cancellations.
    CancelCountReached,
    /// Too many attempts.
    AttemptCountReached,
    /// The PG said no.
    Pg {
        /// The PG's code.
        code: String,
        /// The PG's words.
        message: String,
    },
    /// No such cancellation.
    CancellationNotFound,
    /// It is settled already.
    CancellationNotPending,
    /// There is no open virtual account.
    NotWaitingForDeposit,
    /// Not the token the window gave.
    PaymentTokenInvalid,
    /// An assertion of `/confirm` does not hold.
    InformationMismatch,
    /// No such webhook.
    WebhookNotFound,
    /// Resent too often.
    ResendCountReached,
    /// The request makes no sense; says how.
    Invalid(String),
    /// That cannot happen in this status.
    OutOfOrder {
        /// The attempt's status.
        status: Status,
    },
}
