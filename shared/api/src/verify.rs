//! Asking whether an order is paid.

use serde::Serialize;

use crate::order::{OrderSummary, OrderView};

/// 결제를 확인해 달라는 요청: V2는 paymentId, V1은 imp_uid나 merchant_uid / Which payment to look at: V2's
/// paymentId, or V1's imp_uid or merchant_uid
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
pub enum VerifyRequest {
    /// V2
    V2(V2Claim),
    /// V1
    V1(V1Claim),
    /// V1, 결제창이 열리지 않았을 때 / V1, where its window never opened
    V1Order(V1OrderClaim),
}

/// V2의 결제창이 끝났을 때 / When V2's window has ended
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct V2Claim {
    /// 결제 번호(= 주문 번호) / The payment's id, which is the order's
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub payment_id: String,
    /// 수동 승인일 때 결제창이 준 토큰 / Where payments are approved by hand, the token the window ended with
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub payment_token: Option<String>,
}

/// V1의 결제창이 끝났을 때 / When V1's window has ended
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct V1Claim {
    /// 포트원의 시도 번호 / PortOne's id of the attempt
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub imp_uid: String,
    /// 주문 번호 / The order's id
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub merchant_uid: Option<String>,
}

/// V1의 결제창이 열리지 않았을 때 / Where V1's window never opened
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct V1OrderClaim {
    /// 주문 번호 / The order's id
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub merchant_uid: String,
}

/// 주문 토큰이 함께 오면 주문 전체, 아니면 요약 / The whole order with its token, a summary without
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "made once and written at once")]
pub enum Verified<'a> {
    /// With the order's token.
    Order(OrderView<'a>),
    /// Without.
    Summary(OrderSummary),
}
