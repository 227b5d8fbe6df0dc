//! The Lambda Runtime API, version 2018-06-01, for real function processes.
//!
//! AWS gives every environment an endpoint of its own at `AWS_LAMBDA_RUNTIME_API`. Here all share one
//! listener, and the path begins with the function and the environment, `/{function}/{environment}`, so
//! that each poll is known to be of one process.
//!
//! Why not the crate `lambda-simulator` (0.2.0), which speaks the same API: by its own documentation it
//! computes deadlines and does not enforce them; it has one queue and one runtime to a simulator, so that
//! several environments of one function cannot be told apart; and it neither notices a process that ended
//! nor starts another. Those three are what a payment backend has to be tested against.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use crate::{ACCOUNT_ID, REGION, environment::Environment, invocation::InvokeError, pool::Pool};

/// Lambda's limit for a synchronous answer, 6 MB.
const ANSWER_MAX: usize = 6 * 1024 * 1024;

type Pools = Arc<BTreeMap<String, Arc<Pool>>>;

/// Serves the polls and answers of all processes of `pools`.
pub(crate) fn router(pools: Pools) -> Router {
    const BASE: &str = "/{function}/{environment}/2018-06-01/runtime";
    Router::new()
        .route(&format!("{BASE}/invocation/next"), get(next))
        .route(&format!("{BASE}/invocation/{{request_id}}/response"), post(response))
        .route(&format!("{BASE}/invocation/{{request_id}}/error"), post(error))
        .route(&format!("{BASE}/init/error"), post(init_error))
        // One byte more is let through, so that the refusal is this API's and not the framework's.
        .layer(DefaultBodyLimit::max(ANSWER_MAX + 1))
        .with_state(pools)
}

/// A refused call: status, `errorType`, `errorMessage`.
struct Refusal(StatusCode, &'static str, String);

impl Refusal {
    fn new(status: StatusCode, error_type: &'static str, message: &str) -> Self {
        Self(status, error_type, message.to_owned())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, error_type, message) = self;
        (status, Json(json!({"errorType": error_type, "errorMessage": message}))).into_response()
    }
}

fn find(pools: &Pools, function: &str, environment: &str) -> Result<Arc<Environment>, Refusal> {
    let found = pools.get(function).and_then(|pool| pool.environment(environment));
    found.ok_or_else(|| Refusal::new(StatusCode::FORBIDDEN, "InvalidStateTransition", "no such environment"))
}

async fn next(
    State(pools): State<Pools>,
    Path((function, environment)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let delivery = find(&pools, &function, &environment)?.next().await;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", delivery.request_id),
        ("lambda-runtime-deadline-ms", delivery.deadline_ms.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{function}"),
        ),
        ("lambda-runtime-trace-id", delivery.trace_id),
    ];
    Ok((headers, delivery.payload).into_response())
}

async fn response(
    State(pools): State<Pools>,
    Path((function, environment, request_id)): Path<(String, String, String)>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let environment = find(&pools, &function, &environment)?;
    if body.len() > ANSWER_MAX {
        let error_type = "Function.ResponseSizeTooLarge";
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({ANSWER_MAX} bytes).");
        let outcome =
            Err(InvokeError::Handler { error_type: error_type.to_owned(), message: message.clone() });
        environment.answer(&request_id, outcome);
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, error_type, message));
    }
    accepted(environment.answer(&request_id, Ok(body)))
}

async fn error(
    State(pools): State<Pools>,
    Path((function, environment, request_id)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (error_type, message) = reported(&headers, &body);
    let outcome = Err(InvokeError::Handler { error_type, message });
    accepted(find(&pools, &function, &environment)?.answer(&request_id, outcome))
}

async fn init_error(
    State(pools): State<Pools>,
    Path((function, environment)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let (error_type, message) = reported(&headers, &body);
    find(&pools, &function, &environment)?.fail_init(format!("{error_type}: {message}"));
    accepted(true)
}

/// `errorType` and `errorMessage` of a reported error; a body of another form is the message.
fn reported(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let report: Value = serde_json::from_slice(body).unwrap_or_default();
    let member = |name: &str| report[name].as_str().map(str::to_owned);
    let header = headers.get("lambda-runtime-function-error-type").and_then(|value| value.to_str().ok());
    (
        member("errorType").or_else(|| header.map(str::to_owned)).unwrap_or_else(|| "Unhandled".to_owned()),
        member("errorMessage").unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
    )
}

fn accepted(known: bool) -> Result<Response, Refusal> {
    if known {
        return Ok((StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response());
    }
    let message = "not the invocation of this environment";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequestID", message))
}
