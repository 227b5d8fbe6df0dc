//! PortOne V1 (Iamport, `https://api.iamport.kr`): the same payments in V1's words.
//!
//! V1 has a listener of its own, since `GET /payments/{id}` means an `imp_uid` here and a `paymentId` in
//! V2. A V1 payment's id is its `merchant_uid`, and the id of each attempt an `imp_uid`, so that V2 can
//! show it too.

mod amount;
pub(crate) mod callback;
mod commands;
mod confirm;
mod handle;
pub(crate) mod input;
mod pages;
mod reads;
pub(crate) mod render;
pub(crate) mod reply;
mod token;
mod window;
mod words;

use axum::{
    Router,
    http::{HeaderMap, header},
    middleware::from_fn_with_state,
    routing::{get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::Number;

pub(crate) use confirm::ask as ask_before_approval;
pub(crate) use token::Tokens;
pub use window::WindowRefused;
pub(crate) use window::{Browser, open};

use crate::{guard, simulator::Simulator};

/// The amount a shop registered by `POST /payments/prepare`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// As it was sent, in the currency's major unit.
    pub amount: Number,
    /// ISO 4217; without one any currency will do.
    pub currency: Option<String>,
}

/// The routes of the API, guarded.
pub(crate) fn router(simulator: &Simulator) -> Router<Simulator> {
    Router::new()
        .route("/users/getToken", post(commands::get_token))
        .route("/payments", get(reads::several))
        .route("/payments/{imp_uid}", get(reads::one))
        .route("/payments/find/{merchant_uid}", get(reads::find))
        .route("/payments/find/{merchant_uid}/{payment_status}", get(reads::find))
        .route("/payments/findAll/{merchant_uid}", get(reads::find_all))
        .route("/payments/findAll/{merchant_uid}/{payment_status}", get(reads::find_all))
        .route("/payments/status/{payment_status}", get(reads::by_status))
        .route("/payments/prepare", post(commands::prepare).put(commands::change_prepared))
        .route("/payments/prepare/{merchant_uid}", get(commands::prepared))
        .route("/payments/cancel", post(commands::cancel))
        .route("/vbanks/{imp_uid}", put(commands::change_account).delete(commands::close_account))
        .route_layer(from_fn_with_state(simulator.clone(), guard::guard_v1))
}

/// The browser script and what it calls, on both listeners.
pub(crate) fn browser_router() -> Router<Simulator> {
    pages::router()
}

/// No such route here.
pub(crate) fn no_route() -> reply::Refused {
    reply::Refused::not_found("no such route in this simulator")
}

/// Whether the call has a token that is good now: bare or as `Bearer`, or in the header of older clients.
pub(crate) fn authorized(simulator: &Simulator, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).or_else(|| headers.get("x-imptokenheader"));
    let Some(text) = given.and_then(|value| value.to_str().ok()) else { return false };
    let token = text.strip_prefix("Bearer ").unwrap_or(text).trim();
    let now = simulator.clock().now();
    simulator.read(|world| world.v1_tokens.accepts(token, now))
}
