//! Giving money back, in whole or in part.

use order::Language;
use serde::Serialize;

use crate::{
    order::{CancellationView, OrderView},
    scalar::Amount,
};

/// Most bytes of a reason: V1 takes this many (V1 API reference, field sizes).
pub const REASON_BYTES_MAX: usize = 256;
/// Most characters of an account's members: V1 takes 16 digits or characters for each; V2 does not say.
pub const ACCOUNT_CHARS_MAX: usize = 32;

/// 취소 요청 / A request to give money back
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct CancelRequest {
    /// 사유, 한 줄 / Why, in one line
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = REASON_BYTES_MAX)))]
    pub reason: String,
    /// 돌려줄 금액, 없으면 남은 전부 / What goes back; all that is left if missing
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = order::money::AMOUNT_MAX), with = "Option<u64>"))]
    pub amount: Option<Amount>,
    /// 그중 면세 금액 / The share of it that carries no VAT
    pub tax_free_amount: Option<Amount>,
    /// 가상계좌 입금을 돌려받을 계좌 / Where a deposit goes back to
    pub refund_account: Option<RefundAccount>,
    /// 포트원 프로모션 할인을 어떻게 할지: 유지(RETAIN), 회수(RELEASE). 첫 부분 취소가 이후 모든 취소를 정합니다 / What
    /// happens to a PortOne promotion's discount. The first partial cancellation fixes it for all later ones
    pub promotion_discount_retain_option: Option<PromotionDiscount>,
    /// PG사가 결정하지 않은 주문(PAY_PENDING)도 취소할지 / Whether an order is closed although the PG has not decided
    pub close_undecided: Option<bool>,
    /// 포트원에 확인한 결과 실행되지 않은 취소의 번호. 실패로 기록만 합니다 / The number of an accepted cancellation that
    /// did not take place, as checked with PortOne. It is recorded as failed, and nothing is requested
    pub abandon_cancellation: Option<u32>,
}

/// 프로모션 할인 처리 / What happens to a promotion's discount
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "UPPERCASE"))]
pub enum PromotionDiscount {
    /// 유지 / The buyer keeps it
    Retain,
    /// 회수 / It is taken back with the cancelled part
    Release,
}

/// 환불 계좌 / An account to be refunded to
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct RefundAccount {
    /// 은행: V2는 포트원의 이름(예: SHINHAN), V1은 PG사의 코드 / The bank: PortOne's name, or for V1 the PG's code
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = ACCOUNT_CHARS_MAX)))]
    pub bank: String,
    /// 계좌번호 / Its number
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = ACCOUNT_CHARS_MAX)))]
    pub number: String,
    /// 예금주 / Whose it is
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = ACCOUNT_CHARS_MAX)))]
    pub holder_name: String,
    /// 예금주 전화번호(스마트로) / Their phone number, which Smartro wants
    #[cfg_attr(feature = "schema", schemars(length(max = ACCOUNT_CHARS_MAX)))]
    pub holder_phone_number: Option<String>,
}

/// What PortOne's own errors of a cancellation mean and what to do, where the PG says nothing. Source: schema, the errors
/// of `cancelPayment`; for promotions the page `opi/ko/extra/promotion/refund`.
pub fn explanation(failure: &str, language: Language) -> Option<&'static str> {
    let (korean, english) = match failure {
        "PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED" => (
            "프로모션 할인 처리 방식(RETAIN 또는 RELEASE)은 첫 부분 취소 때 정해집니다. 첫 취소와 같은 값으로 다시 취소하세요.",
            "The first partial cancellation fixes RETAIN or RELEASE. Cancel again with the option of the first one.",
        ),
        "NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT" => (
            "할인을 회수하면 남은 상품의 금액이 결제 금액보다 커집니다. 더 큰 금액을 취소하거나 RETAIN으로 취소하세요.",
            "Without the discount the rest would cost more than was paid. Cancel a larger part, or cancel with RETAIN.",
        ),
        "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN" | "BALANCE_CHANGED" => (
            "취소 가능 금액이 바뀌었습니다. 주문을 다시 확인한 뒤 취소하세요.",
            "The cancellable amount has changed. Look at the order again, then cancel.",
        ),
        "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT" => {
            ("취소 가능 금액보다 큰 금액입니다.", "The amount exceeds what can be cancelled.")
        }
        "PAYMENT_ALREADY_CANCELLED" => ("이미 전액 취소된 결제입니다.", "The payment is cancelled already."),
        "PAYMENT_NOT_PAID" => ("결제가 완료되지 않은 주문입니다.", "The payment is not completed."),
        "MAX_CANCEL_COUNT_REACHED" => (
            "PG사가 허용하는 부분 취소 횟수를 넘었습니다. 남은 금액 전체를 취소하거나 PG사에 문의하세요.",
            "The PG allows no more partial cancellations. Cancel all that is left, or ask the PG.",
        ),
        _ => return None,
    };
    Some(language.pick(korean, english))
}

/// 취소한 뒤의 주문 / The order after the cancellation
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CancelledOrder<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub order: OrderView<'a>,
    /// 이 요청의 취소 / The cancellation of this request
    pub cancellation: Option<RequestedCancellation<'a>>,
}

/// 요청한 취소 / The cancellation that was asked for
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RequestedCancellation<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub cancellation: CancellationView,
    /// 실패한 까닭, 포트원이나 PG사의 코드 / Why it failed: PortOne's or the PG's code
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<&'a str>,
    /// PG사가 한 말, 개인정보 없이 / The PG's own words, without personal data
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_message: Option<&'a str>,
}
