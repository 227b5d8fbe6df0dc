//! Whether a request is PortOne's, by the secrets of now.

use lambda_http::Request;
use order::Timestamp;

use super::{SignatureFault, SignatureHeaders, verify};
use crate::{
    http::{Problem, ProblemCode, header},
    secrets::SecretCache,
};

/// Lets a request through that PortOne signed.
///
/// A signature that fits no key we know may be of a key we do not know yet: the secret is read again before it
/// is refused.
///
/// # Errors
/// 400 for a missing, wrong or stale signature.
pub async fn check_signature(
    secrets: &SecretCache,
    request: &Request,
    now: Timestamp,
) -> Result<(), Problem> {
    let text = |name| header(request, name).unwrap_or_default();
    let headers = SignatureHeaders {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signatures: text("webhook-signature"),
    };
    let known = secrets.current().await;
    let mut checked = verify(headers, request.body(), known.v2_webhook_keys().unwrap_or_default(), now);
    if checked == Err(SignatureFault::NoMatch)
        && let Some(newer) = secrets.newer_than(&known).await
    {
        checked = verify(headers, request.body(), newer.v2_webhook_keys().unwrap_or_default(), now);
    }
    checked.map_err(|fault| {
        tracing::warn!(event = "webhook.signature", %fault, "a delivery was refused");
        Problem::new(ProblemCode::InvalidSignature)
    })
}
