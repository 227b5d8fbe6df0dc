//! Webhooks: which are due to whom, how they are disturbed on the way, and what came of them.
//!
//! A [`Delivery`] is one message to one URL; each time it is sent is an [`Execution`]. Id and body never
//! change between executions, the timestamp and the signatures do. Sending itself is in [`send`].

pub mod event;
pub mod schedule;
pub mod send;
pub mod signature;
pub mod v1;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use event::{BodyVersion, Event};
pub use v1::V1Body;

use crate::{
    clock::Timestamp,
    config::ChannelKind,
    payment::{Status, Version, attempt::Trigger},
    switches::SuccessRange,
};

/// One message to one URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// `webhook-id`, the same for every execution; V1 sends none.
    pub id: String,
    /// Which generation it is a webhook of.
    #[serde(default)]
    pub version: Version,
    /// Its number in this simulator, from 0.
    pub number: u64,
    /// Which payment it is about; may be one that does not exist.
    pub payment_id: String,
    /// Which attempt.
    pub transaction_id: String,
    /// As sent, `Transaction.Paid`; V1's `status`.
    pub kind: String,
    /// Where the payment stood.
    pub payment_status: Option<Status>,
    /// Where to.
    pub url: String,
    /// Whose secrets sign.
    pub environment: ChannelKind,
    /// Its media type.
    pub content_type: String,
    /// Its bytes.
    pub body: String,
    /// Not the consequence of a call or a window.
    pub is_async: bool,
    /// Why it was sent.
    pub trigger: Option<Trigger>,
    /// When it happened, by wall time.
    pub triggered_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// Each time it was sent, oldest first.
    pub executions: Vec<Execution>,
    /// Times it was resent by hand.
    pub resends: u32,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "name", content = "due")]
pub enum DeliveryState {
    /// Due at this virtual moment.
    Scheduled(Timestamp),
    /// Kept back until released.
    Held,
    /// On the wire.
    Running,
    /// Answered as wanted.
    Succeeded,
    /// Given up.
    Failed,
    /// Lost on purpose, never sent.
    Dropped,
}

/// One time a delivery was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// Why it was sent again.
    pub cause: Cause,
    /// By wall time.
    pub requested_at: Timestamp,
    /// As sent.
    pub headers: Vec<(String, String)>,
    /// What came back.
    pub outcome: Outcome,
}

/// Why an execution took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// By the schedule.
    Schedule,
    /// Repeated on purpose, beside the schedule.
    Duplicate,
    /// By hand.
    Resend,
}

/// What came of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "kind")]
pub enum Outcome {
    /// Still on the wire.
    Pending,
    /// Somebody answered.
    Answered {
        /// HTTP status.
        code: u16,
        /// Name and value.
        headers: Vec<(String, String)>,
        /// The first 4 KiB.
        body: String,
        /// By wall time.
        responded_at: Timestamp,
    },
    /// Nobody answered in time.
    Unreachable {
        /// Why.
        error: String,
        /// By wall time.
        failed_at: Timestamp,
    },
}

impl Outcome {
    /// Whether the answer ends the retries.
    #[must_use]
    pub fn succeeded(&self, range: SuccessRange) -> bool {
        matches!(self, Self::Answered { code, .. } if range.holds(*code))
    }
}

impl Delivery {
    /// Executions by the schedule or by hand.
    #[must_use]
    pub fn counted(&self) -> u32 {
        let counted = self.executions.iter().filter(|execution| execution.cause != Cause::Duplicate).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// Executions by the schedule.
    #[must_use]
    pub fn scheduled(&self) -> u32 {
        let scheduled = self.executions.iter().filter(|execution| execution.cause == Cause::Schedule).count();
        u32::try_from(scheduled).unwrap_or(u32::MAX)
    }
}

/// Disturbances of webhooks. All start switched off; counters count down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct WebhookRules {
    /// So many next webhooks are lost for good.
    pub drop_next: u32,
    /// So many next executions do not arrive; the retry schedule goes on.
    pub fail_next_executions: u32,
    /// Virtual milliseconds before the first execution.
    pub delay_ms: u32,
    /// Every webhook is sent this many times more, at once.
    pub duplicates: u32,
    /// Webhooks are kept back until released.
    pub hold: bool,
    /// So many webhooks are gathered and then sent newest first.
    pub reverse_next: u32,
    /// Added to the `webhook-timestamp` header; −600 makes it stale.
    pub timestamp_shift_s: i64,
    /// Signs with a secret that nobody knows.
    pub wrong_secret: bool,
    /// Leaves out the signature headers.
    pub unsigned: bool,
    /// Sends header names in mixed case.
    pub mixed_case_headers: bool,
    /// The body's version and form.
    pub body_version: BodyVersion,
    /// Merged into the body (RFC 7396).
    pub body_patch: Value,
    /// The type instead of the true one.
    pub type_override: Option<String>,
}

/// In which order held webhooks are released.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReleaseOrder {
    /// As they were triggered, each after the one before was answered.
    #[default]
    Oldest,
    /// Newest first, each after the one before was answered.
    Newest,
    /// All at once.
    Together,
}
