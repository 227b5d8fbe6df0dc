//! Requests in, answers and problems out. The only place where an error meets a status code.

mod answered_problem;
mod broken_body;
mod call;
mod idempotency;
mod language;
mod operator;
mod request;

pub use answered_problem::{FieldFault, Problem};
pub use api::problem::ProblemCode;
pub use call::{Call, failed};
pub use idempotency::idempotency_key;
pub use language::Language;
pub use operator::operator;
pub use request::{BODY_BYTES_MAX, bearer_token, header, json_body};

use std::{convert::Infallible, pin::Pin};

use lambda_http::{
    Adapter, Body, IntoResponse, LambdaEvent, Response, Service, http::StatusCode, request::LambdaRequest,
    service_fn,
};
use serde::Serialize;

use crate::clock;

/// A JSON answer.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_string(body).expect("answers are made of strings, integers and lists");
    Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .header("cache-control", "no-store")
        .body(Body::Text(body))
        .expect("an answer of constants and checked values")
}

/// Serves calls until the environment ends.
///
/// A function's `main` is this and its wiring; its answers are never errors, so a failing runtime
/// loop means that the runtime itself is gone.
pub async fn serve<F>(answer: impl Fn(lambda_http::Request) -> F) -> std::process::ExitCode
where
    F: Future<Output = Response<Body>> + Send,
{
    let mut answer = Adapter::from(service_fn(|request| {
        // On the heap, since the runtime moves it more than once.
        let response = Box::pin(answer(request));
        async { Ok::<_, Infallible>(Answered(response.await)) }
    }));
    let mut refuse = Adapter::from(service_fn(|request| async move {
        Ok::<_, Infallible>(Answered(broken_body::refuse(&request).await))
    }));
    let service = service_fn(move |mut event: LambdaEvent<LambdaRequest>| {
        let is_broken = broken_body::is_taken_from(&mut event.payload);
        if is_broken { refuse.call(event) } else { answer.call(event) }
    });
    clock::init_ends();
    match lambda_http::lambda_runtime::run(service).await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime.gone", error = crate::telemetry::chain(&*error));
            std::process::ExitCode::FAILURE
        }
    }
}

/// An answer whose body is text already. What the runtime would do with a body of any kind, it brings the tables of
/// every old character set for, a tenth of a megabyte of an executable.
struct Answered(Response<Body>);

impl IntoResponse for Answered {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(std::future::ready(self.0))
    }
}
