//! A problem as it is answered. Which codes there are, and what they say, is the API's ([`api::problem`]).

use api::{
    problem::{self, FieldProblem},
    scalar::Amount,
};
use lambda_http::{
    Body, Response,
    http::{HeaderValue, StatusCode},
};

use super::{Language, ProblemCode};
use crate::{flow::SyncError, secrets::SecretsError, store::StoreError};

/// A refused field: where, why, and what to tell a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// JSON Pointer into the request's body (RFC 6901).
    pub pointer: String,
    /// Stable slug.
    pub code: &'static str,
    /// Korean and English.
    pub detail: (String, String),
}

impl FieldFault {
    fn told(&self, language: Language) -> FieldProblem<'_> {
        FieldProblem {
            pointer: &self.pointer,
            code: self.code,
            detail: match language {
                Language::Korean => &self.detail.0,
                Language::English => &self.detail.1,
            },
        }
    }
}

/// A problem to answer with.
#[derive(Clone, Debug)]
pub struct Problem {
    code: ProblemCode,
    errors: Vec<FieldFault>,
    balance: Option<u64>,
}

impl Problem {
    /// A problem without fields.
    pub fn new(code: ProblemCode) -> Self {
        Self { code, errors: Vec::new(), balance: None }
    }

    /// Refused fields, all of them.
    pub fn fields(errors: Vec<FieldFault>) -> Self {
        Self { code: ProblemCode::ValidationFailed, errors, balance: None }
    }

    /// A problem that says how much is left, in minor units.
    pub fn with_balance(code: ProblemCode, balance: u64) -> Self {
        Self { code, errors: Vec::new(), balance: Some(balance) }
    }

    /// Which problem it is.
    pub fn code(&self) -> ProblemCode {
        self.code
    }

    /// The answer.
    pub fn respond(&self, language: Language, request_id: &str) -> Response<Body> {
        let body = problem::Problem {
            errors: self.errors.iter().map(|fault| fault.told(language)).collect(),
            balance: self.balance.map(Amount),
            ..problem::Problem::of(self.code, language, request_id)
        };
        let status = StatusCode::from_u16(body.status).expect("the table has statuses only");
        let mut response = super::json(status, &body);
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/problem+json; charset=utf-8"));
        headers.insert("content-language", HeaderValue::from_static(language.pick("ko", "en")));
        if let Some(seconds) = self.code.retry_after_seconds() {
            headers.insert("retry-after", seconds.into());
        }
        response
    }
}

/// Causes stay inside: which of ours failed goes to the log where the answer is made.
impl From<&SyncError> for Problem {
    fn from(error: &SyncError) -> Self {
        Self::new(match error {
            SyncError::Portone(_) => ProblemCode::PaymentGatewayUnavailable,
            SyncError::Store(_) | SyncError::Contended if error.is_transient() => {
                ProblemCode::TemporarilyUnavailable
            }
            SyncError::Store(_) | SyncError::Contended => ProblemCode::InternalError,
        })
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        Self::new(match error {
            StoreError::Unavailable { .. } => ProblemCode::TemporarilyUnavailable,
            StoreError::Rejected { .. } | StoreError::Broken { .. } => ProblemCode::InternalError,
        })
    }
}

impl From<&SecretsError> for Problem {
    fn from(_: &SecretsError) -> Self {
        Self::new(ProblemCode::InternalError)
    }
}
