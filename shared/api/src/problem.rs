//! Problems as RFC 9457 `application/problem+json`, and the one table of codes, statuses and texts.

use order::Language;
use serde::Serialize;

use crate::scalar::Amount;

/// The stable slug of a problem. Clients match on it: changing one is a breaking change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemCode {
    /// The body is not JSON.
    MalformedJson,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// Well-formed, but fields are refused; they are listed.
    ValidationFailed,
    /// The `Idempotency-Key` is no key.
    InvalidIdempotencyKey,
    /// The key was used for another request.
    IdempotencyKeyReused,
    /// No such order, or not the caller's.
    OrderNotFound,
    /// Money arrived that does not match; it goes back.
    PaymentMismatch,
    /// The request needs an `Idempotency-Key`.
    IdempotencyKeyRequired,
    /// The order is closed, or nothing of its money is left.
    OrderNotCancellable,
    /// The PG has not decided about the payment yet.
    PaymentUndecided,
    /// Another cancellation of the order has no outcome yet.
    CancellationInProgress,
    /// More is to go back than is left.
    CancelAmountExceedsBalance,
    /// More tax-free, or more taxable, is to go back than is left of it.
    CancelTaxFreeExceedsBalance,
    /// The method's time for cancelling is over.
    CancelDeadlinePassed,
    /// The method gives back all or nothing.
    PartialCancelNotSupported,
    /// The method gives nothing back.
    CancelNotSupported,
    /// The caller is no operator.
    NotAnOperator,
    /// No such finding.
    FindingNotFound,
    /// A webhook that PortOne did not sign, or not now.
    InvalidSignature,
    /// A V1 webhook from an address that is not on the list.
    SourceNotAllowed,
    /// PortOne cannot answer now.
    PaymentGatewayUnavailable,
    /// We cannot answer now.
    TemporarilyUnavailable,
    /// We cannot answer, and waiting does not help.
    InternalError,
}

struct Entry {
    slug: &'static str,
    status: u16,
    retry_after_seconds: Option<u32>,
    title: (&'static str, &'static str),
    detail: (&'static str, &'static str),
}

impl ProblemCode {
    /// Its slug.
    pub fn slug(self) -> &'static str {
        self.entry().slug
    }

    /// The HTTP status it is answered with.
    pub fn status(self) -> u16 {
        self.entry().status
    }

    /// After how many seconds to come again, where that may help.
    pub fn retry_after_seconds(self) -> Option<u32> {
        self.entry().retry_after_seconds
    }

    fn entry(self) -> Entry {
        let entry =
            |slug, status, title, detail| Entry { slug, status, retry_after_seconds: None, title, detail };
        let later = |entry: Entry, seconds| Entry { retry_after_seconds: Some(seconds), ..entry };
        match self {
            Self::MalformedJson => entry(
                "malformed-json",
                400,
                ("JSON이 아닙니다", "Not JSON"),
                ("요청 본문이 올바른 JSON이 아닙니다.", "The request body is not valid JSON."),
            ),
            Self::UnsupportedMediaType => entry(
                "unsupported-media-type",
                415,
                ("지원하지 않는 형식입니다", "Unsupported media type"),
                ("Content-Type은 application/json이어야 합니다.", "Content-Type must be application/json."),
            ),
            Self::BodyTooLarge => entry(
                "body-too-large",
                413,
                ("요청이 너무 큽니다", "Request too large"),
                ("요청 본문은 16 KiB를 넘을 수 없습니다.", "The request body must not exceed 16 KiB."),
            ),
            Self::ValidationFailed => entry(
                "validation-failed",
                422,
                ("입력을 확인해 주세요", "Please check the input"),
                (
                    "errors에 적힌 항목을 고쳐 다시 보내 주세요.",
                    "Correct the fields listed in errors and send it again.",
                ),
            ),
            Self::InvalidIdempotencyKey => entry(
                "invalid-idempotency-key",
                400,
                ("Idempotency-Key가 올바르지 않습니다", "Invalid Idempotency-Key"),
                (
                    "Idempotency-Key는 출력 가능한 ASCII 1~255자여야 합니다.",
                    "Idempotency-Key must be 1–255 printable ASCII characters.",
                ),
            ),
            Self::IdempotencyKeyReused => entry(
                "idempotency-key-reused",
                422,
                ("이미 다른 요청에 쓰인 Idempotency-Key입니다", "Idempotency-Key already used"),
                (
                    "같은 키로 다른 내용을 보냈습니다. 새 요청에는 새 키를 써 주세요.",
                    "This key was used for another request. Use a new key for a new request.",
                ),
            ),
            Self::OrderNotFound => entry(
                "order-not-found",
                404,
                ("주문을 찾을 수 없습니다", "Order not found"),
                ("주문 번호와 주문 토큰을 확인해 주세요.", "Check the order id and the order token."),
            ),
            Self::PaymentMismatch => entry(
                "payment-mismatch",
                409,
                ("결제가 주문과 일치하지 않습니다", "The payment does not match the order"),
                (
                    "주문과 다른 결제가 확인되어 주문을 받지 않았습니다. 결제된 금액은 환불 처리됩니다.",
                    "The payment differs from the order, so the order was not accepted. The money is being returned.",
                ),
            ),
            Self::IdempotencyKeyRequired => entry(
                "idempotency-key-required",
                400,
                ("Idempotency-Key가 필요합니다", "Idempotency-Key required"),
                (
                    "같은 취소가 두 번 되지 않도록 Idempotency-Key 헤더를 보내 주세요.",
                    "Send an Idempotency-Key header, so that nothing is cancelled twice.",
                ),
            ),
            Self::OrderNotCancellable => entry(
                "order-not-cancellable",
                409,
                ("취소할 수 없는 주문입니다", "The order cannot be cancelled"),
                (
                    "이미 닫힌 주문이거나 남은 금액이 없습니다.",
                    "The order is closed already, or nothing of its money is left.",
                ),
            ),
            Self::PaymentUndecided => entry(
                "payment-undecided",
                409,
                ("결제가 아직 결정되지 않았습니다", "The payment is not decided yet"),
                (
                    "PG사가 결제를 처리하고 있습니다. 결과가 나온 뒤 취소해 주세요.",
                    "The PG has not decided yet. Cancel once it has.",
                ),
            ),
            Self::CancellationInProgress => entry(
                "cancellation-in-progress",
                409,
                ("진행 중인 취소가 있습니다", "Another cancellation is in progress"),
                (
                    "앞선 취소의 결과를 아직 모릅니다. 결과가 나온 뒤 다시 시도해 주세요.",
                    "What became of the one before is not known yet. Try again once it is.",
                ),
            ),
            Self::CancelAmountExceedsBalance => entry(
                "cancel-amount-exceeds-balance",
                409,
                ("남은 금액보다 많습니다", "More than is left"),
                (
                    "취소할 수 있는 금액(balance)을 확인해 주세요.",
                    "See balance for how much can be cancelled.",
                ),
            ),
            Self::CancelTaxFreeExceedsBalance => entry(
                "cancel-tax-free-exceeds-balance",
                409,
                ("과세/면세 금액이 맞지 않습니다", "The tax-free share does not fit"),
                (
                    "남은 면세 금액(balance)과 과세 금액을 확인해 주세요.",
                    "See balance for how much of the tax-free share is left.",
                ),
            ),
            Self::CancelDeadlinePassed => entry(
                "cancel-deadline-passed",
                409,
                ("취소 기한이 지났습니다", "Too late to cancel"),
                (
                    "이 결제 수단의 취소 기한이 지났습니다. 다른 방법으로 환불해 주세요.",
                    "This payment method's time for cancelling is over. Refund in another way.",
                ),
            ),
            Self::PartialCancelNotSupported => entry(
                "partial-cancel-not-supported",
                409,
                ("부분 취소를 할 수 없습니다", "No partial cancellation"),
                (
                    "이 결제 수단은 전액만 취소할 수 있습니다.",
                    "This payment method gives back all or nothing.",
                ),
            ),
            Self::CancelNotSupported => entry(
                "cancel-not-supported",
                409,
                ("취소를 지원하지 않습니다", "No cancellation"),
                ("이 결제 수단은 취소를 지원하지 않습니다.", "This payment method gives nothing back."),
            ),
            Self::NotAnOperator => entry(
                "not-an-operator",
                403,
                ("권한이 없습니다", "Not allowed"),
                ("운영자만 할 수 있습니다.", "Only an operator may do this."),
            ),
            Self::FindingNotFound => entry(
                "finding-not-found",
                404,
                ("그런 발견 사항이 없습니다", "No such finding"),
                ("이미 해결되었을 수 있습니다.", "It may be settled already."),
            ),
            Self::InvalidSignature => entry(
                "invalid-signature",
                400,
                ("서명이 올바르지 않습니다", "Invalid signature"),
                ("웹훅 서명을 확인할 수 없습니다.", "The webhook's signature cannot be verified."),
            ),
            Self::SourceNotAllowed => entry(
                "source-not-allowed",
                403,
                ("허용되지 않은 주소입니다", "Source not allowed"),
                ("이 주소에서 온 웹훅은 받지 않습니다.", "Webhooks from this address are not taken."),
            ),
            Self::PaymentGatewayUnavailable => later(
                entry(
                    "payment-gateway-unavailable",
                    503,
                    ("결제 상태를 지금 확인할 수 없습니다", "The payment cannot be checked now"),
                    (
                        "잠시 뒤 다시 시도해 주세요. 결제하셨다면 기록은 사라지지 않습니다.",
                        "Please try again shortly. If you have paid, nothing is lost.",
                    ),
                ),
                2,
            ),
            Self::TemporarilyUnavailable => later(
                entry(
                    "temporarily-unavailable",
                    503,
                    ("지금 처리할 수 없습니다", "Temporarily unavailable"),
                    ("잠시 뒤 다시 시도해 주세요.", "Please try again shortly."),
                ),
                1,
            ),
            Self::InternalError => entry(
                "internal-error",
                500,
                ("처리하지 못했습니다", "Something went wrong"),
                (
                    "요청을 처리하지 못했습니다. requestId를 알려 주시면 확인하겠습니다.",
                    "The request failed. Please tell us the requestId.",
                ),
            ),
        }
    }
}

/// 문제, RFC 9457 / A problem, RFC 9457
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem<'a> {
    /// code와 같은 뜻의 URN / A URN that says the same as code
    pub r#type: String,
    /// 제목, Accept-Language의 언어로 / What happened, in the language of Accept-Language
    pub title: &'a str,
    /// HTTP 상태 / HTTP status
    pub status: u16,
    /// 바뀌지 않는 이름: 코드는 이것을 봅니다. / Stable slug: match on it
    pub code: &'a str,
    /// 사람에게 보여도 되는 말 / Safe to show to a person
    pub detail: &'a str,
    /// 문의할 때 알려 줄 번호 / To be told to support
    pub request_id: &'a str,
    /// 다시 하면 될 수 있는지 / Whether the same request may succeed later
    pub retryable: bool,
    /// 거절된 항목 전부 / Every refused field
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem<'a>>,
    /// 남은 금액 / How much is left
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Amount>,
}

/// 거절된 항목 / A refused field
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldProblem<'a> {
    /// 본문 안의 자리, JSON Pointer / Where in the body, as a JSON Pointer
    pub pointer: &'a str,
    /// 바뀌지 않는 이름 / Stable slug
    pub code: &'a str,
    /// 사람에게 보여도 되는 말 / Safe to show to a person
    pub detail: &'a str,
}

impl<'a> Problem<'a> {
    /// A problem of this code, told in `language`, without fields or a balance.
    pub fn of(code: ProblemCode, language: Language, request_id: &'a str) -> Self {
        let entry = code.entry();
        Self {
            r#type: format!("urn:problem:{}", entry.slug),
            title: language.pick(entry.title.0, entry.title.1),
            status: entry.status,
            code: entry.slug,
            detail: language.pick(entry.detail.0, entry.detail.1),
            request_id,
            retryable: entry.retry_after_seconds.is_some(),
            errors: Vec::new(),
            balance: None,
        }
    }
}
