//! `POST /orders/{orderId}/cancel`: an operator gives money back, or closes an order nobody paid.
//!
//! What is left comes from our own ledger and from PortOne as it is now; the intent is on record before
//! PortOne is asked and the outcome after it. The request's key makes a repetition harmless.

#[doc(hidden)]
pub mod request;

use api::{
    cancel::{CancelledOrder, RequestedCancellation, explanation},
    order::{CancellationView, OrderView},
};
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Cancelled, Sync},
    http::{self, Call, FieldFault, Language, Problem, ProblemCode, failed, idempotency_key, operator},
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode};
use order::{CancelRefusal, CancellationStatus, Look, Order, OrderId, method::MethodRefusal};

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (sync, _) = backends::sync(&Connection::new()).await?;
        Ok(Self { sync })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let deadline = Deadline::start();
        let call = Call::of(&request);
        call.answer(deadline, self.cancel(&request, call.language(), deadline)).await
    }

    async fn cancel(
        &self,
        request: &Request,
        language: Language,
        deadline: Deadline,
    ) -> Result<Response<Body>, Problem> {
        let by = operator(request)?;
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id = request.path_parameters_ref().and_then(|path| path.first("orderId").map(str::to_owned));
        let id: OrderId = id.and_then(|id| id.parse().ok()).ok_or_else(not_found)?;
        let key = idempotency_key(request.headers())?
            .ok_or_else(|| Problem::new(ProblemCode::IdempotencyKeyRequired))?;
        let wanted = request::read(&http::json_body(request)?, &key).map_err(Problem::fields)?;
        let look = Look { at: clock::now(), by: &by };
        match self.sync.cancel(id, &wanted, look, deadline).await.map_err(failed)? {
            Cancelled::Order { order, number } => Ok(respond(&order, number, language)),
            Cancelled::Refused(refusal) => Err(refused(refusal)),
            Cancelled::NotFound => Err(not_found()),
        }
    }
}

/// Done or refused is 200; taken, or without an answer, is 202: get-order tells what became of it.
fn respond(order: &Order, number: u32, language: Language) -> Response<Body> {
    let row = order.cancellations.iter().find(|row| row.number == number);
    let status = match row.map(|row| row.status) {
        Some(CancellationStatus::Succeeded | CancellationStatus::Failed) | None => StatusCode::OK,
        Some(CancellationStatus::Requested | CancellationStatus::Intended) => StatusCode::ACCEPTED,
    };
    let cancellation = row.map(|row| RequestedCancellation {
        cancellation: CancellationView::of(order, row),
        failure: row.failure.as_deref(),
        failure_message: row
            .failure_message
            .as_deref()
            .or_else(|| explanation(row.failure.as_deref()?, language)),
    });
    http::json(status, &CancelledOrder { order: OrderView::of(order), cancellation })
}

fn refused(refusal: CancelRefusal) -> Problem {
    let account = |member: &str, code: &'static str, korean: &str, english: &str| {
        let pointer = format!("/refundAccount{member}");
        let detail = (korean.to_owned(), english.to_owned());
        Problem::fields(vec![FieldFault { pointer, code, detail }])
    };
    let missing = |member: &str, korean: &str, english: &str| account(member, "required", korean, english);
    match refusal {
        CancelRefusal::KeyReused => Problem::new(ProblemCode::IdempotencyKeyReused),
        CancelRefusal::NothingLeft => Problem::new(ProblemCode::OrderNotCancellable),
        CancelRefusal::Undecided => Problem::new(ProblemCode::PaymentUndecided),
        CancelRefusal::InProgress => Problem::new(ProblemCode::CancellationInProgress),
        CancelRefusal::ExceedsBalance(balance) => {
            Problem::with_balance(ProblemCode::CancelAmountExceedsBalance, balance)
        }
        CancelRefusal::ExceedsTaxFree(balance) => {
            Problem::with_balance(ProblemCode::CancelTaxFreeExceedsBalance, balance)
        }
        CancelRefusal::Method(MethodRefusal::TooLate) => Problem::new(ProblemCode::CancelDeadlinePassed),
        CancelRefusal::Method(MethodRefusal::NoPartial) => {
            Problem::new(ProblemCode::PartialCancelNotSupported)
        }
        CancelRefusal::Method(MethodRefusal::NoCancel) => Problem::new(ProblemCode::CancelNotSupported),
        CancelRefusal::Method(MethodRefusal::AccountMissing) => missing(
            "",
            "무통장입금은 환불받을 계좌가 필요합니다.",
            "A deposit needs an account to be refunded to.",
        ),
        CancelRefusal::Method(MethodRefusal::OtherBank) => account(
            "/bank",
            "unknown-bank",
            "V2 결제는 포트원의 은행 이름, V1 결제는 PG사의 은행 코드여야 합니다.",
            "A V2 payment takes PortOne's name of the bank, a V1 payment the PG's code.",
        ),
        CancelRefusal::Method(MethodRefusal::PhoneMissing) => missing(
            "/holderPhoneNumber",
            "이 PG사는 예금주의 전화번호가 필요합니다.",
            "This PG needs the account holder's phone number.",
        ),
    }
}
