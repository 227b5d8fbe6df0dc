//! What nobody outside PortOne knows, or what a test wants otherwise: named settings with a default.
//!
//! Marked **[?]** is behaviour that PortOne does not state; the default is then the choice that is
//! hardest on a careless caller. Every one can be changed while the simulator runs.

use serde::{Deserialize, Serialize};

use crate::{
    payment::{CancelMode, CancellableBalance, RefundStatus, Status},
    webhook::V1Body,
};

/// The settings. In JSON, members are `camelCase` and unknown ones are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Switches {
    /// [?] What a closed or expired virtual account becomes. Default FAILED.
    pub closed_account_status: ClosedAccountStatus,
    /// [?] Whether closing or expiry is told by webhook. Default true.
    pub closed_account_webhook: bool,
    /// [?] `GET /payments/{id}` answers READY after pre-registration, before any window. Default false: 404.
    pub pre_registered_visible: bool,
    /// [?] `amount.paid` after money went back. Default KEEP.
    pub amount_paid_after_cancel: AmountPaid,
    /// [?] Attempts per payment before MAX_TRANSACTION_COUNT_REACHED. Default none.
    pub attempt_cap: Option<u32>,
    /// [?] Cancellations per payment before the next is refused. Default none.
    pub cancel_cap: Option<u32>,
    /// [?] How a cancellation over the cap is refused. Default PG_PROVIDER, the only one in every schema.
    pub cancel_cap_reaction: CapReaction,
    /// How cancellations end where the payment says nothing else. Default SYNC.
    pub cancel_mode: CancelMode,
    /// [?] The webhook type when an asynchronous cancellation fails. Default none: nothing is sent.
    pub cancel_failed_type: Option<String>,
    /// Virtual milliseconds until a slow payment is approved; `null` waits for the console. Default 5000.
    pub slow_approval_ms: Option<u32>,
    /// Hours a virtual account is open when the shop says nothing. Default 72.
    pub account_valid_hours: u32,
    /// What "pay a tampered amount" captures. Default none: a tenth of what was asked, at least 1.
    pub tampered_amount: Option<i64>,
    /// Every channel is one of manual approval, as [`Channel::manual_approval`](crate::Channel) makes one of
    /// them. Default false.
    pub manual_approval: bool,
    /// Closing the window fails the attempt; otherwise it stays READY. Default true.
    pub close_fails_attempt: bool,
    /// Webhooks for opened windows, also of those that are abandoned. Default true.
    pub ready_webhook: bool,
    /// Whether payments carry `origin`, as the newer schema requires and the older does not know. Default true.
    pub with_origin: bool,
    /// [?] An Idempotency-Key that is unquoted or not 16–256 ASCII characters. Default REJECT.
    pub malformed_key: MalformedKey,
    /// [?] An Idempotency-Key that comes again with another request. Default REJECT.
    pub reused_key: ReusedKey,
    /// Virtual minutes an Idempotency-Key is remembered; PortOne says three hours and "may change". Default 180.
    pub key_lifetime_minutes: u32,
    /// Executions of one webhook, the first included. Default 6.
    pub webhook_max_executions: u32,
    /// [?] Which answers end the retries. Default ONLY_200.
    pub webhook_success: SuccessRange,
    /// [?] Whether a redirect is followed. Default false.
    pub webhook_follows_redirects: bool,
    /// [?] Resends by hand before MAX_WEBHOOK_RETRY_COUNT_REACHED. Default 10.
    pub webhook_max_resends: u32,
    /// Whether the first webhook execution comes first, beside or after the window's result. Default BESIDE.
    pub webhook_order: WebhookOrder,
    /// [?] Milliseconds the confirm process waits for the shop; V1 says 10 s. Default 10000.
    pub confirm_timeout_ms: u32,
    /// [?] Which answers of the confirm process approve. Default ANY_2XX.
    pub confirm_success: SuccessRange,
    /// [?] V1's status of a partly cancelled payment. Default PAID.
    pub v1_partial_cancel: V1PartialCancel,
    /// [?] A second `POST /payments/prepare` for one `merchant_uid`. Default REJECT.
    pub v1_prepare_again: V1PrepareAgain,
    /// Which members V1's callback has, and with them `imp_success` in the return. Default BY_PG.
    pub v1_callback: V1Callback,
    /// The form of V1's webhooks, as chosen in the console. Default JSON.
    pub v1_webhook_body: V1Body,
    /// V1's webhooks are sent up to five times more after a network error or 5xx, a virtual minute apart,
    /// as PortOne sets up on request. Default false: once.
    pub v1_webhook_resends: bool,
    /// Whether V2's API shows V1's payments. Default true.
    pub v1_visible_in_v2: bool,
    /// Which payments a list has when it names no store. Default COMPANY, as the schema says of a company's
    /// credential; OWN_STORE is [?] what the credential of one store gets.
    pub list_without_store: ListWithoutStore,
    /// Whether V1's payments pass a V2 list's filters on test channel, PG, method and platform, which "may not
    /// apply" to them (`GetPaymentsBody.filter`). Default false.
    pub v1_escapes_filter: bool,
    /// [?] How a discount enters the cancellable balance. Default TOTAL.
    pub cancellable_balance: CancellableBalance,
    /// `method.refundStatus` of a virtual account right after its money went back. Default COMPLETED.
    pub refund_status_after_cancel: RefundStatus,
    /// Payments on one page of V1's lists, whatever larger `limit` up to 1,000 the caller gives. Default 1000,
    /// which is no cap (`GET /payments/status/{payment_status}`, parameter `limit`).
    pub v1_page_cap: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            closed_account_status: ClosedAccountStatus::Failed,
            closed_account_webhook: true,
            pre_registered_visible: false,
            amount_paid_after_cancel: AmountPaid::Keep,
            attempt_cap: None,
            cancel_cap: None,
            cancel_cap_reaction: CapReaction::PgProvider,
            cancel_mode: CancelMode::Sync,
            cancel_failed_type: None,
            slow_approval_ms: Some(5000),
            account_valid_hours: 72,
            tampered_amount: None,
            manual_approval: false,
            close_fails_attempt: true,
            ready_webhook: true,
            with_origin: true,
            malformed_key: MalformedKey::Reject,
            reused_key: ReusedKey::Reject,
            key_lifetime_minutes: 180,
            webhook_max_executions: 6,
            webhook_success: SuccessRange::Only200,
            webhook_follows_redirects: false,
            webhook_max_resends: 10,
            webhook_order: WebhookOrder::Beside,
            confirm_timeout_ms: 10_000,
            confirm_success: SuccessRange::Any2xx,
            v1_partial_cancel: V1PartialCancel::Paid,
            v1_prepare_again: V1PrepareAgain::Reject,
            v1_callback: V1Callback::ByPg,
            v1_webhook_body: V1Body::Json,
            v1_webhook_resends: false,
            v1_visible_in_v2: true,
            list_without_store: ListWithoutStore::Company,
            v1_escapes_filter: false,
            cancellable_balance: CancellableBalance::Total,
            refund_status_after_cancel: RefundStatus::Completed,
            v1_page_cap: 1000,
        }
    }
}

/// See [`Switches::closed_account_status`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ClosedAccountStatus {
    /// As V1 does.
    Failed,
    /// The other candidate.
    Cancelled,
}

impl From<ClosedAccountStatus> for Status {
    fn from(closed: ClosedAccountStatus) -> Self {
        match closed {
            ClosedAccountStatus::Failed => Self::Failed,
            ClosedAccountStatus::Cancelled => Self::Cancelled,
        }
    }
}

/// See [`Switches::amount_paid_after_cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AmountPaid {
    /// What was once paid.
    Keep,
    /// Less what went back.
    Reduce,
}

/// See [`Switches::list_without_store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ListWithoutStore {
    /// Those of every store of the company.
    Company,
    /// Those of the credential's own store.
    OwnStore,
}

/// See [`Switches::cancel_cap_reaction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CapReaction {
    /// 502 PG_PROVIDER.
    PgProvider,
    /// 409 MAX_CANCEL_COUNT_REACHED, only in the newer schema.
    MaxCancelCountReached,
}

/// See [`Switches::malformed_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MalformedKey {
    /// 400 INVALID_REQUEST.
    Reject,
    /// As if there were none: the call is not protected.
    Ignore,
    /// Taken as it is.
    Accept,
}

/// See [`Switches::reused_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReusedKey {
    /// 400 INVALID_REQUEST.
    Reject,
    /// The first request's answer.
    Replay,
    /// Carried out like a new request, whose answer replaces the stored one.
    Execute,
}

/// Which HTTP statuses count as success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SuccessRange {
    /// 200 alone.
    #[serde(rename = "ONLY_200")]
    Only200,
    /// 200 to 299.
    #[serde(rename = "ANY_2XX")]
    Any2xx,
}

impl SuccessRange {
    /// Whether `status` is success.
    #[must_use]
    pub fn holds(self, status: u16) -> bool {
        match self {
            Self::Only200 => status == 200,
            Self::Any2xx => (200..300).contains(&status),
        }
    }
}

/// See [`Switches::webhook_order`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookOrder {
    /// The window waits for the first execution to end.
    First,
    /// No order.
    Beside,
    /// The first execution comes two virtual seconds after the window's result.
    After,
}

/// See [`Switches::v1_partial_cancel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum V1PartialCancel {
    /// `paid`, and only `cancel_amount` tells.
    Paid,
    /// `cancelled`, and only `cancel_amount` tells.
    Cancelled,
}

/// See [`Switches::v1_prepare_again`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum V1PrepareAgain {
    /// HTTP 200 with code 1, as `PUT` exists for changes.
    Reject,
    /// The new amount counts.
    Replace,
}

/// See [`Switches::v1_callback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum V1Callback {
    /// Four members for the PGs that PortOne names, all of them for the others.
    ByPg,
    /// All of them, the old `success` included.
    Full,
    /// `imp_uid`, `merchant_uid`, `error_code` and `error_msg`.
    FourMembers,
}
