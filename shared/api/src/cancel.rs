//! Giving money back, in whole or in part.

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
