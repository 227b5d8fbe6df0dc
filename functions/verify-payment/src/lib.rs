//! `POST /payments/verify`: the buyer's page says it is done; PortOne says whether it is.
//!
//! The body is a hint which payment to look at, and nothing in it decides anything.

use std::sync::Arc;

use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Sync, Synced},
    http::{self, Call, FieldFault, Problem, ProblemCode, bearer_token, failed},
    secrets::SecretCache,
    token,
};
use lambda_http::{Body, Request, Response, http::StatusCode};
use order::OrderId;
use serde_json::Value;

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
    secrets: Arc<SecretCache>,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (sync, secrets) = backends::sync(&Connection::new()).await?;
        secrets.current().await.order_token_key()?;
        Ok(Self { sync, secrets })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let deadline = Deadline::start();
        Call::of(&request).answer(deadline, self.verify(&request, deadline)).await
    }

    async fn verify(&self, request: &Request, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let id = payment_id(&http::json_body(request)?)?;
        // Only what can be an order of ours is looked up: nobody asks PortOne through us.
        if id.parse::<OrderId>().is_err() {
            return Err(Problem::new(ProblemCode::OrderNotFound));
        }
        let synced = self.sync.payment(&id, clock::now(), deadline).await.map_err(failed)?;
        let order = match synced {
            Synced::Unknown(_) => return Err(Problem::new(ProblemCode::OrderNotFound)),
            Synced::Order { found_mismatch: true, .. } => {
                return Err(Problem::new(ProblemCode::PaymentMismatch));
            }
            Synced::Order { order, .. } => order,
        };
        // A page written for another server sends no token and gets what it needs; a stranger with an
        // id learns no more than that.
        let view = if self.is_holder(request, order.id).await? {
            http::order_view(&order)
        } else {
            http::order_summary(&order)
        };
        Ok(http::json(StatusCode::OK, &view))
    }

    async fn is_holder(&self, request: &Request, id: OrderId) -> Result<bool, Problem> {
        let Some(token) = bearer_token(request) else { return Ok(false) };
        let secrets = self.secrets.current().await;
        Ok(token::is_valid(secrets.order_token_key().map_err(failed)?, id, token))
    }
}

fn payment_id(body: &Value) -> Result<String, Problem> {
    let fault = |code, korean: &str, english: &str| {
        let detail = (korean.to_owned(), english.to_owned());
        Err(Problem::fields(vec![FieldFault { pointer: "/paymentId".to_owned(), code, detail }]))
    };
    match body.get("paymentId") {
        Some(Value::String(id)) if !id.is_empty() => Ok(id.clone()),
        None | Some(Value::Null) => fault("required", "paymentId가 필요합니다.", "paymentId is required."),
        Some(_) => fault(
            "invalid-type",
            "paymentId는 비어 있지 않은 문자열이어야 합니다.",
            "paymentId must be a non-empty string.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_a_text_names_a_payment() {
        assert_eq!(
            payment_id(&json!({ "paymentId": "p", "status": "PAID", "amount": 1 })).ok().as_deref(),
            Some("p")
        );
        for wrong in [
            json!({}),
            json!([]),
            json!("p"),
            json!(null),
            json!({ "paymentId": "" }),
            json!({ "paymentId": 1 }),
            json!({ "paymentId": ["p"] }),
        ] {
            assert_eq!(payment_id(&wrong).unwrap_err().code(), ProblemCode::ValidationFailed, "{wrong}");
        }
    }
}
