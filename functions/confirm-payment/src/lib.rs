//! `POST /webhooks/portone/confirm`: PortOne's last question before a PG approves a payment.
//!
//! 200 lets it go on; anything else stops it, and `errorMessage` is what its page is told. One read of the
//! table decides, so that the answer comes well inside PortOne's time limit.

use std::sync::Arc;

use api::portone::{Confirmed, Stopped};
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    http::{self, Call, Problem, ProblemCode, failed},
    secrets::SecretCache,
    store::Store,
    telemetry::trace,
    webhook,
};
use lambda_http::{Body, Request, Response, http::StatusCode};
use order::{
    Language, Order, OrderId,
    confirm::{ConfirmRefusal, may_approve},
};

/// What the function needs.
#[derive(Debug)]
pub struct App {
    store: Store,
    secrets: Arc<SecretCache>,
}

/// Why a payment is stopped.
enum Stop {
    Unknown,
    Unreadable,
    Refused(ConfirmRefusal),
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (store, secrets) = backends::store_and_secrets(&Connection::new()).await?;
        secrets.current().await.webhooks()?;
        Ok(Self { store, secrets })
    }

    /// Answers one question.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        Call::of(&request).answer(Deadline::start(), self.confirm(&request)).await
    }

    async fn confirm(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let now = clock::now();
        if request.body().len() > http::BODY_BYTES_MAX {
            return Err(Problem::new(ProblemCode::BodyTooLarge));
        }
        webhook::check_signature(&self.secrets, request, now).await?;
        let Some((payment_id, total)) = webhook::read_confirm(request.body()) else {
            return Ok(stop(None, Stop::Unreadable));
        };
        let order = match payment_id.parse::<OrderId>() {
            Ok(id) => self.store.order(id).await.map_err(failed)?,
            Err(_) => None,
        };
        let Some(order) = order else { return Ok(stop(None, Stop::Unknown)) };
        trace::about(&order);
        match may_approve(&order, total, now) {
            Ok(()) => {
                tracing::info!(event = "payment.confirmed", order_id = %order.id);
                Ok(http::json(StatusCode::OK, &Confirmed {}))
            }
            Err(refusal) => Ok(stop(Some(&order), Stop::Refused(refusal))),
        }
    }
}

fn stop(order: Option<&Order>, why: Stop) -> Response<Body> {
    let language = order.map_or(Language::Korean, |order| order.language);
    let (korean, english) = match why {
        Stop::Unknown => ("주문을 찾을 수 없습니다.", "There is no such order."),
        Stop::Unreadable => ("결제 정보를 읽을 수 없습니다.", "The payment cannot be read."),
        Stop::Refused(ConfirmRefusal::Amount) => {
            ("결제 금액이 주문 금액과 다릅니다.", "The amount differs from the order's.")
        }
        Stop::Refused(ConfirmRefusal::Paid) => ("이미 결제된 주문입니다.", "This order is paid already."),
        Stop::Refused(ConfirmRefusal::Closed) => (
            "주문이 만료되었거나 취소되었습니다. 다시 주문해 주세요.",
            "This order has expired or was cancelled. Please order again.",
        ),
    };
    let id = order.map(|order| order.id.to_string());
    tracing::warn!(event = "payment.stopped", order_id = id, reason = english);
    http::json(StatusCode::CONFLICT, &Stopped { error_message: language.pick(korean, english) })
}
