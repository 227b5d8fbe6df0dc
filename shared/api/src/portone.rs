//! What PortOne's webhooks are answered. PortOne looks at the status alone, but for the words that stop a
//! payment.

use serde::Serialize;

/// 웹훅을 받았다는 답 / A delivery was taken
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Received {
    /// 늘 true / Always true
    pub received: bool,
}

/// 결제를 진행해도 좋다는 답 / The payment may go on
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Confirmed {}

/// 결제를 멈추라는 답 / The payment is stopped
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Stopped<'a> {
    /// 결제창에 보일 말, 구매자의 언어로 / What its page shows, in the buyer's language
    pub error_message: &'a str,
}
