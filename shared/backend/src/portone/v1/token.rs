//! V1's access token: fetched at the first use, shared by all calls of a process, fetched again when it
//! is about to end or was refused.
//!
//! Its age is counted from `expired_at − now`, PortOne's own clock, never from ours (V1 auth guide).

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Method};
use order::Generation;
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Mutex, time::Instant};

use super::wire;
use crate::{
    connection::Connection,
    portone::{PortoneError, exchange, lenient, names_nothing, resource},
    secrets::Secrets,
};

/// With less than this left a token is not used: PortOne extends one that has under a minute.
const LEFT_MIN: Duration = Duration::from_secs(60);

/// PortOne's tokens live 30 minutes; an absurd answer is not believed for longer than a day.
const LIFETIME_MAX: Duration = Duration::from_secs(86_400);

/// A token and until when it is used. Cloning shares it.
#[derive(Clone, Debug)]
pub struct AccessToken {
    text: SecretString,
    until: Instant,
    /// The secret it was fetched with: a rotated key pair makes it useless.
    secrets: Arc<Secrets>,
}

impl AccessToken {
    /// The value of the `Authorization` header.
    pub fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", self.text.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// The token of one process.
#[derive(Debug, Default)]
pub struct TokenCache(Mutex<Option<AccessToken>>);

impl TokenCache {
    /// The token, fetched if there is none, it is about to end, it belongs to another secret, or it is
    /// `refused`.
    pub async fn token(
        &self,
        connection: &Connection,
        base: &str,
        secrets: &Arc<Secrets>,
        refused: Option<&AccessToken>,
        until: Instant,
    ) -> Result<AccessToken, PortoneError> {
        let mut cached = self.0.lock().await;
        if let Some(token) = cached.as_ref() {
            let was_refused = refused.is_some_and(|refused| refused.until == token.until);
            if !was_refused && token.secrets.has_v1_key_pair_of(secrets) && token.until > Instant::now() {
                return Ok(token.clone());
            }
        }
        let token = fetch(connection, base, secrets, until).await?;
        *cached = Some(token.clone());
        Ok(token)
    }
}

async fn fetch(
    connection: &Connection,
    base: &str,
    secrets: &Arc<Secrets>,
    until: Instant,
) -> Result<AccessToken, PortoneError> {
    let asked_at = Instant::now();
    let pair = secrets.v1_key_pair().map_err(|_| PortoneError::NotConfigured(Generation::V1))?;
    let body = wire::GetToken { imp_key: &pair.key, imp_secret: pair.secret.expose_secret() };
    let url = resource(base, &["users", "getToken"], &[]).ok_or_else(names_nothing)?;
    let request = connection.request(Method::POST, url);
    let (head, answer) = exchange(connection, request, Some(&body), until).await?.into_parts();
    let status = head.status;
    let envelope: wire::Envelope<wire::Token> =
        lenient::parse(&answer).ok_or(PortoneError::Unavailable("its answer is no token", None))?;
    match envelope.response {
        Some(token) if status.is_success() && envelope.code == 0 => {
            let lifetime = u64::try_from(token.expired_at.saturating_sub(token.now)).unwrap_or(0);
            let lifetime = Duration::from_secs(lifetime).min(LIFETIME_MAX);
            let until = asked_at + lifetime.saturating_sub(LEFT_MIN);
            Ok(AccessToken { text: token.access_token.into(), until, secrets: secrets.clone() })
        }
        _ if status.is_server_error() || status.as_u16() == 429 => {
            Err(PortoneError::Unavailable("it answered with an error", None))
        }
        // V1 says no under HTTP 200 too: a key pair that is refused is refused.
        _ => Err(PortoneError::Refused { status: 401, kind: envelope.code.to_string() }),
    }
}
