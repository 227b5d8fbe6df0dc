//! `GET /orders/{orderId}`: the order, for who holds its token.
//!
//! Reads the table only, so it answers while PortOne does not; a payment is looked up again by
//! `verify-payment` and by webhooks.

use std::sync::Arc;

use api::order::OrderView;
use backend::{
    backends::{self, StartError},
    clock::Deadline,
    connection::Connection,
    http::{self, Call, Problem, ProblemCode, bearer_token, failed},
    secrets::SecretCache,
    store::Store,
    telemetry::trace,
    token,
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode};
use order::OrderId;

/// What the function needs.
#[derive(Debug)]
pub struct App {
    store: Store,
    secrets: Arc<SecretCache>,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (store, secrets) = backends::store_and_secrets(&Connection::new()).await?;
        secrets.current().await.order_token_key()?;
        Ok(Self { store, secrets })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        Call::of(&request).answer(Deadline::start(), self.view(&request)).await
    }

    /// An unknown order, a wrong token and no token are one answer, so that nobody can find out which
    /// ids exist. The token is checked before the table is asked.
    async fn view(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id = request.path_parameters_ref().and_then(|path| path.first("orderId").map(str::to_owned));
        let id: OrderId = id.and_then(|id| id.parse().ok()).ok_or_else(not_found)?;
        let token = bearer_token(request).ok_or_else(not_found)?;
        let secrets = self.secrets.current().await;
        if !token::is_valid(secrets.order_token_key().map_err(failed)?, id, token) {
            return Err(not_found());
        }
        trace::about_id(id);
        let order = self.store.order(id).await.map_err(failed)?.ok_or_else(not_found)?;
        trace::about(&order);
        Ok(http::json(StatusCode::OK, &OrderView::of(&order)))
    }
}
