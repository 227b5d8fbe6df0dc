//! V1's envelope, and the one place where a [`Refusal`] gets its V1 words.
//!
//! `code` is 0 for success. Anything else is a failure, also under HTTP 200: that is how V1 refuses a
//! cancellation. The messages are those seen in the wild where there were any; no caller may rely on them.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::payment::Refusal;

/// What a V1 caller is told.
pub(super) type Answer = Result<Response, Refused>;

/// HTTP 200 and code 0 with this response.
pub(super) fn ok(response: Value) -> Answer {
    Ok(enveloped(StatusCode::OK, 0, Value::Null, response))
}

/// Success with another status: 207 where only some were found.
pub(super) fn with_status(status: StatusCode, response: Value) -> Answer {
    Ok(enveloped(status, 0, Value::Null, response))
}

fn enveloped(status: StatusCode, code: i32, message: Value, response: Value) -> Response {
    (status, Json(json!({ "code": code, "message": message, "response": response }))).into_response()
}

/// A refusal: HTTP status, `code` and message.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    code: i32,
    message: String,
}

impl Refused {
    fn new(status: StatusCode, code: i32, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, -1, message)
    }

    pub fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, -1, message)
    }

    /// No such payment, or one that the query leaves out.
    pub fn no_payment() -> Self {
        Self::not_found("존재하지 않는 결제정보입니다.")
    }

    /// HTTP 200 with code 1.
    pub fn in_band(message: &str) -> Self {
        Self::new(StatusCode::OK, 1, message)
    }

    /// A key pair that is not the shop's.
    pub fn key_pair() -> Self {
        let message = "인증에 실패하였습니다. API키와 secret을 확인하세요.";
        Self::new(StatusCode::UNAUTHORIZED, -1, message)
    }

    /// A token that is missing, unknown or over.
    pub fn token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, -1, "Unauthorized")
    }

    /// What `POST /payments/cancel` says: always HTTP 200 and code 1.
    pub fn cancellation(refusal: &Refusal) -> Self {
        Self::in_band(&match refusal {
            Refusal::PaymentNotFound | Refusal::TransactionNotFound => {
                "취소할 결제건이 존재하지 않습니다.".to_owned()
            }
            Refusal::AlreadyCancelled => "이미 전액취소된 주문입니다.".to_owned(),
            Refusal::NotPaid => "결제완료 상태가 아니어서 취소할 수 없습니다.".to_owned(),
            Refusal::BalanceDiffers { balance } => {
                format!("취소 가능 금액이 일치하지 않습니다. 현재 취소 가능 금액: {balance}")
            }
            Refusal::AmountExceedsBalance => "취소 요청 금액이 취소 가능 금액을 초과했습니다.".to_owned(),
            Refusal::PartsExceedAmount | Refusal::TaxFreeExceedsBalance | Refusal::TaxableExceedsBalance => {
                "면세 금액 또는 부가세가 취소 가능 금액을 초과했습니다.".to_owned()
            }
            Refusal::RetainOptionChanged => {
                "프로모션 혜택 유지 여부는 처음 부분 취소와 같아야 합니다.".to_owned()
            }
            Refusal::NegativePromotionAmount => "프로모션 정책에 의해 취소할 수 없는 금액입니다.".to_owned(),
            Refusal::CancelCountReached => "취소 가능 횟수를 초과했습니다.".to_owned(),
            Refusal::Pg { code, message } => format!("[{code}] {message}"),
            other => format!("취소할 수 없습니다. {other:?}"),
        })
    }

    /// What everything else says.
    pub fn other(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::PaymentNotFound | Refusal::TransactionNotFound => Self::no_payment(),
            Refusal::NotWaitingForDeposit => Self::bad_request("입금을 기다리는 가상계좌가 아닙니다."),
            Refusal::Invalid(message) => Self::bad_request(message),
            other => Self::bad_request(&format!("{other:?}")),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        enveloped(self.status, self.code, Value::String(self.message), Value::Null)
    }
}
