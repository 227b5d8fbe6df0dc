//! `POST /webhooks/portone`: PortOne V2 says a payment may have changed.
//!
//! The signature says who speaks; what changed is read from PortOne. Everything that is verified is
//! answered 200, also what we do not know, cannot read or refuse, since PortOne would only repeat it;
//! 5xx is for what a repetition may finish.

use std::sync::Arc;

use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Sync, Synced},
    http::{self, Call, Problem, ProblemCode, failed, header},
    secrets::SecretCache,
    webhook::{self, Hint, SignatureFault, SignatureHeaders},
};
use lambda_http::{Body, Request, Response, http::StatusCode};
use order::Timestamp;
use serde_json::json;

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
        secrets.current().await.v2_webhook_keys()?;
        Ok(Self { sync, secrets })
    }

    /// Answers one delivery.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let deadline = Deadline::start();
        Call::of(&request).answer(deadline, self.receive(&request, deadline)).await
    }

    async fn receive(&self, request: &Request, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let now = clock::now();
        self.check_signature(request, now).await?;
        let delivery = header(request, "webhook-id").unwrap_or_default();
        let payment_id = match webhook::read(request.body()) {
            Hint::Payment(id) => id,
            hint @ (Hint::Other | Hint::Unreadable) => {
                tracing::warn!(event = "webhook.ignored", delivery, ?hint);
                return Ok(received());
            }
        };
        match self.sync.payment(&payment_id, now, deadline).await {
            Ok(Synced::Order { order, return_unresolved, .. }) => {
                tracing::info!(event = "webhook.applied", delivery, order_id = %order.id, status = ?order.status);
                // PortOne's next delivery is the next try to give the money back.
                if return_unresolved {
                    Err(Problem::new(ProblemCode::TemporarilyUnavailable))
                } else {
                    Ok(received())
                }
            }
            Ok(Synced::Unknown(unknown)) => {
                tracing::warn!(event = "webhook.unknown_payment", delivery, payment_id, ?unknown);
                Ok(received())
            }
            Err(error) if error.is_transient() => Err(failed(error)),
            // A repetition cannot change it; a person has to.
            Err(error) => {
                failed(error);
                Ok(received())
            }
        }
    }

    /// A signature that fits no key we know may be of a key we do not know yet: the secret is read
    /// again before it is refused.
    async fn check_signature(&self, request: &Request, now: Timestamp) -> Result<(), Problem> {
        let text = |name| header(request, name).unwrap_or_default();
        let headers = SignatureHeaders {
            id: text("webhook-id"),
            timestamp: text("webhook-timestamp"),
            signatures: text("webhook-signature"),
        };
        let secrets = self.secrets.current().await;
        let mut checked =
            webhook::verify(headers, request.body(), secrets.v2_webhook_keys().map_err(failed)?, now);
        if checked == Err(SignatureFault::NoMatch)
            && let Some(newer) = self.secrets.newer_than(&secrets).await
        {
            checked = webhook::verify(headers, request.body(), newer.v2_webhook_keys().map_err(failed)?, now);
        }
        checked.map_err(|fault| {
            tracing::warn!(event = "webhook.signature", %fault, "a delivery was refused");
            Problem::new(ProblemCode::InvalidSignature)
        })
    }
}

fn received() -> Response<Body> {
    http::json(StatusCode::OK, &json!({ "received": true }))
}
