//! The one place where a [`Refusal`] becomes an HTTP status and a V2 error type.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::payment::Refusal;

/// A V2 error: status, `type`, and a message that no caller should read by machine.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    body: Value,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, kind: &str, message: &str) -> Self {
        Self { status, body: json!({ "type": kind, "message": message }) }
    }

    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "인증 정보가 올바르지 않습니다.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "접근 권한이 없는 상점 아이디입니다.")
    }

    pub(crate) fn outstanding() -> Self {
        let message = "같은 멱등 키를 사용한 요청이 처리 중입니다.";
        Self::new(StatusCode::CONFLICT, "IDEMPOTENCY_OUTSTANDING_REQUEST", message)
    }

    pub(crate) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "no such route in this simulator")
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        use Refusal as R;
        let (status, kind, message) = match refusal {
            R::PaymentNotFound | R::TransactionNotFound => {
                (404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.".to_owned())
            }
            R::AlreadyPaid => (409, "ALREADY_PAID", "결제가 이미 완료되었습니다.".to_owned()),
            R::AlreadyCancelled => {
                (409, "PAYMENT_ALREADY_CANCELLED", "결제가 이미 취소되었습니다.".to_owned())
            }
            R::NotPaid => (409, "PAYMENT_NOT_PAID", "결제가 완료되지 않았습니다.".to_owned()),
            R::BalanceDiffers { balance } => {
                (409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", format!("취소 가능 잔액은 {balance}입니다."))
            }
            R::AmountExceedsBalance => {
                (409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", "취소 가능 금액을 초과했습니다.".to_owned())
            }
            R::PartsExceedAmount => (
                409,
                "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT",
                "면세 금액과 부가세의 합이 취소 금액을 초과했습니다.".to_owned(),
            ),
            R::TaxFreeExceedsBalance => (
                409,
                "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT",
                "취소 가능한 면세 금액을 초과했습니다.".to_owned(),
            ),
            R::TaxableExceedsBalance => (
                409,
                "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT",
                "취소 가능한 과세 금액을 초과했습니다.".to_owned(),
            ),
            R::RetainOptionChanged => (
                400,
                "PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED",
                "프로모션 혜택 유지 옵션을 이전 부분 취소와 다르게 입력할 수 없습니다.".to_owned(),
            ),
            R::NegativePromotionAmount => (
                400,
                "NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT",
                "프로모션에 의해 조정된 취소 금액이 음수입니다.".to_owned(),
            ),
            R::CancelCountReached => {
                (409, "MAX_CANCEL_COUNT_REACHED", "취소 가능 횟수를 초과했습니다.".to_owned())
            }
            R::AttemptCountReached => {
                (400, "MAX_TRANSACTION_COUNT_REACHED", "결제 시도 횟수를 초과했습니다.".to_owned())
            }
            R::Pg { code, message } => {
                let body = json!({
                    "type": "PG_PROVIDER",
                    "message": message.clone(),
                    "pgCode": code,
                    "pgMessage": message,
                });
                return Self { status: StatusCode::BAD_GATEWAY, body };
            }
            R::CancellationNotFound => {
                (404, "PAYMENT_CANCELLATION_NOT_FOUND", "취소 내역이 존재하지 않습니다.".to_owned())
            }
            R::CancellationNotPending => {
                (409, "PAYMENT_CANCELLATION_NOT_PENDING", "취소가 대기 상태가 아닙니다.".to_owned())
            }
            R::NotWaitingForDeposit => {
                (409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT", "입금을 기다리는 결제 건이 아닙니다.".to_owned())
            }
            R::PaymentTokenInvalid => {
                (400, "INVALID_PAYMENT_TOKEN", "결제 토큰이 올바르지 않습니다.".to_owned())
            }
            R::InformationMismatch => {
                (409, "INFORMATION_MISMATCH", "결제 정보가 일치하지 않습니다.".to_owned())
            }
            R::WebhookNotFound => (404, "WEBHOOK_NOT_FOUND", "웹훅 내역이 존재하지 않습니다.".to_owned()),
            R::ResendCountReached => {
                (400, "MAX_WEBHOOK_RETRY_COUNT_REACHED", "웹훅 재발송 가능 횟수를 초과했습니다.".to_owned())
            }
            R::Invalid(message) => (400, "INVALID_REQUEST", message),
            R::OutOfOrder { status } => {
                (400, "INVALID_REQUEST", format!("{} 상태에서는 할 수 없습니다.", status.as_str()))
            }
        };
        let status = StatusCode::from_u16(status).expect("the table above holds valid statuses");
        Self::new(status, kind, &message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
