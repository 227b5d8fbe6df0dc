//! The V2 REST API (`https://api.portone.io`), as far as a shop's server needs it.
//!
//! Answers follow the published OpenAPI schema, with `origin` as one member more. What a handler does is
//! one step in [`crate::payment`]; this module only reads requests, writes answers and keeps the rules of
//! the transport: [`idempotency`], and [`error`] statuses and types.

pub mod error;
pub mod idempotency;
pub mod sessions;

mod bank;
mod commands;
mod filter;
mod reads;
pub(crate) mod render;

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    middleware::from_fn_with_state,
    routing::{get, post},
};
use serde::de::DeserializeOwned;

use crate::{guard, simulator::Simulator};
use error::ApiError;

/// The routes of the API, guarded.
pub(crate) fn router(simulator: &Simulator) -> Router<Simulator> {
    Router::new()
        .route("/login/api-secret", post(commands::login))
        .route("/token/refresh", post(commands::refresh))
        .route("/payments", get(reads::list))
        .route("/payments-by-cursor", get(reads::by_cursor))
        .route("/payment-events-by-cursor", get(reads::events))
        .route("/payments/{payment_id}", get(reads::payment))
        .route("/payments/{payment_id}/transactions", get(reads::transactions))
        .route("/payments/{payment_id}/pre-register", post(commands::pre_register))
        .route("/payments/{payment_id}/confirm", post(commands::confirm))
        .route("/payments/{payment_id}/cancel", post(commands::cancel))
        .route("/payments/{payment_id}/cancellations/{cancellation_id}/stop", post(commands::stop))
        .route("/payments/{payment_id}/virtual-account/close", post(commands::close_account))
        .route("/payments/{payment_id}/resend-webhook", post(commands::resend_webhook))
        .route_layer(from_fn_with_state(simulator.clone(), guard::guard))
}

/// Percent-decoded path members; what cannot be decoded is INVALID_REQUEST.
pub(crate) struct At<T>(pub T);

impl<T, S> FromRequestParts<S> for At<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(members)| Self(members)).map_err(|error| ApiError::invalid(&error.body_text()))
    }
}

/// Reads a JSON body; an empty one counts as `{}`.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ApiError::invalid(&error.to_string()))
}
