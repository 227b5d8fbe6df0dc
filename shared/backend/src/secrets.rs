//! The secret: one JSON value in Secrets Manager, fetched at init, cached, refreshed.
//!
//! It is read again after 5 minutes, and at once when PortOne answers 401 or a signature fits no
//! known key, so that a rotation needs no redeploy; but never twice within a second, so that forged
//! webhooks do not become a storm of reads.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client,
    config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use order::Generation;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    connection::aws::{Aws, Service},
    webhook::SigningKey,
};

/// Values older than this are read again before they are used.
const FRESH_FOR: Duration = Duration::from_secs(300);
/// Two reads of one process are at least this far apart.
const READS_APART: Duration = Duration::from_secs(1);
/// After a failed refresh the old values serve for this long before the next one.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The secret's values. A member that a deployment does not use may be missing; who needs it asks.
#[derive(Debug)]
pub struct Secrets {
    v2_api_secret: Option<SecretString>,
    v2_webhook_keys: Vec<SigningKey>,
    v1_key_pair: Option<V1KeyPair>,
    order_token_key: Option<SecretSlice<u8>>,
}

/// V1's key (an account's name) and secret.
#[derive(Debug)]
pub struct V1KeyPair {
    /// `imp_key`.
    pub key: String,
    /// `imp_secret`.
    pub secret: SecretString,
}

/// Why the secret cannot be used. Says which member is wrong, never what it holds.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager did not give it.
    #[error("the secret named by PORTONE_SECRET_ID cannot be read from Secrets Manager")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is not what the contract says.
    #[error("the secret named by PORTONE_SECRET_ID {0}")]
    Malformed(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    v2_api_secret: Option<Incoming>,
    #[serde(default)]
    v2_webhook_secrets: Vec<Incoming>,
    v1_api_key: Option<Incoming>,
    v1_api_secret: Option<Incoming>,
    order_token_key: Option<Incoming>,
}

/// A string of the secret on its way in; it has no `Debug`.
#[derive(Deserialize)]
struct Incoming(String);

impl Secrets {
    fn parse(json: &str) -> Result<Self, SecretsError> {
        // What an editor puts before its text is no part of the value.
        let json = json.trim_start_matches('\u{FEFF}');
        // serde's message could quote the value: it is dropped on purpose.
        let wire: Wire = serde_json::from_str(json).map_err(|_| {
            // What another encoding looks like when it is read as UTF-8.
            SecretsError::Malformed(if json.contains('\0') {
                "is text in UTF-16; save it as UTF-8"
            } else if json.contains('\u{FFFD}') {
                "has characters that are not UTF-8, as text in CP949 or UTF-16 has; save it as UTF-8"
            } else if json.contains(|c: char| c.is_control() && !c.is_whitespace()) {
                "has a control character in it; copy it again as plain text"
            } else {
                "must be a JSON object of strings; v2WebhookSecrets a list of strings"
            })
        })?;
        let v2_api_secret = wire.v2_api_secret.map(|text| text.0.trim().to_owned());
        if v2_api_secret
            .as_ref()
            .is_some_and(|secret| secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(SecretsError::Malformed(
                "has a v2ApiSecret that is empty or has characters no header can carry",
            ));
        }
        let key = |text: &Incoming| {
            SigningKey::from_secret(&text.0).ok_or(SecretsError::Malformed(
                "has a v2WebhookSecrets entry that is empty or not base64 after whsec_",
            ))
        };
        let token_key = |text: Incoming| match STANDARD.decode(text.0.trim()) {
            Ok(bytes) if bytes.len() >= 32 => Ok(SecretSlice::from(bytes)),
            _ => Err(SecretsError::Malformed("has an orderTokenKey that is not base64 of at least 32 bytes")),
        };
        let v1_key_pair = match (wire.v1_api_key, wire.v1_api_secret) {
            (None, None) => None,
            (Some(key), Some(secret)) if !key.0.trim().is_empty() && !secret.0.trim().is_empty() => {
                Some(V1KeyPair { key: key.0.trim().to_owned(), secret: secret.0.trim().into() })
            }
            _ => return Err(SecretsError::Malformed("must have both v1ApiKey and v1ApiSecret, or neither")),
        };
        Ok(Self {
            v1_key_pair,
            v2_api_secret: v2_api_secret.map(SecretString::from),
            v2_webhook_keys: wire.v2_webhook_secrets.iter().map(key).collect::<Result<_, _>>()?,
            order_token_key: wire.order_token_key.map(token_key).transpose()?,
        })
    }

    /// The V2 API secret.
    pub fn v2_api_secret(&self) -> Result<&SecretString, SecretsError> {
        self.v2_api_secret.as_ref().ok_or(SecretsError::Malformed("has no v2ApiSecret"))
    }

    /// V1's key and secret.
    pub fn v1_key_pair(&self) -> Result<&V1KeyPair, SecretsError> {
        self.v1_key_pair.as_ref().ok_or(SecretsError::Malformed("has no v1ApiKey and v1ApiSecret"))
    }

    /// Whether V1's key and secret are the same as in `other`.
    pub fn has_v1_key_pair_of(&self, other: &Self) -> bool {
        fn texts(pair: Option<&V1KeyPair>) -> Option<(&str, &str)> {
            pair.map(|pair| (pair.key.as_str(), pair.secret.expose_secret()))
        }
        texts(self.v1_key_pair.as_ref()) == texts(other.v1_key_pair.as_ref())
    }

    /// Whether the V2 API secret is the same as in `other`.
    pub fn has_v2_api_secret_of(&self, other: &Self) -> bool {
        fn text(secrets: &Secrets) -> Option<&str> {
            secrets.v2_api_secret.as_ref().map(ExposeSecret::expose_secret)
        }
        text(self) == text(other)
    }

    /// Whether the API of this generation can be called.
    pub fn has(&self, generation: Generation) -> bool {
        match generation {
            Generation::V1 => self.v1_key_pair.is_some(),
            Generation::V2 => self.v2_api_secret.is_some(),
        }
    }

    /// Whether the API of at least one generation can be called.
    pub fn portone(&self) -> Result<(), SecretsError> {
        if self.v2_api_secret.is_none() && self.v1_key_pair.is_none() {
            return Err(SecretsError::Malformed("has neither v2ApiSecret nor v1ApiKey and v1ApiSecret"));
        }
        Ok(())
    }

    /// Whether the deliveries of every generation in use can be worked off: V1's need no key.
    pub fn webhooks(&self) -> Result<(), SecretsError> {
        let v1_only = self.v2_api_secret.is_none() && self.v1_key_pair.is_some();
        if v1_only { Ok(()) } else { self.v2_webhook_keys().map(|_| ()) }
    }

    /// The keys that webhooks may be signed with; at least one.
    pub fn v2_webhook_keys(&self) -> Result<&[SigningKey], SecretsError> {
        match self.v2_webhook_keys.as_slice() {
            [] => Err(SecretsError::Malformed("has no v2WebhookSecrets")),
            keys => Ok(keys),
        }
    }

    /// The key of order tokens, at least 32 bytes.
    pub fn order_token_key(&self) -> Result<&[u8], SecretsError> {
        let key = self.order_token_key.as_ref().ok_or(SecretsError::Malformed("has no orderTokenKey"))?;
        Ok(key.expose_secret())
    }
}

/// The cached secret of one process.
#[derive(Debug)]
pub struct SecretCache {
    store: SecretStore,
    cached: Mutex<Cached>,
}

#[derive(Debug)]
struct Cached {
    secrets: Arc<Secrets>,
    /// When the last read was begun, whether it succeeded or not.
    read_at: Instant,
    fresh_until: Instant,
}

impl SecretCache {
    /// Reads the secret. Fails when it cannot be read or is malformed: the function must not start.
    pub async fn load(store: SecretStore) -> Result<Self, SecretsError> {
        let read_at = Instant::now();
        let secrets = Arc::new(store.read().await?);
        let cached = Mutex::new(Cached { secrets, read_at, fresh_until: read_at + FRESH_FOR });
        Ok(Self { store, cached })
    }

    /// The values, read again if they are older than 5 minutes. If that fails the old ones serve on.
    pub async fn current(&self) -> Arc<Secrets> {
        let mut cached = self.cached.lock().await;
        if Instant::now() >= cached.fresh_until {
            self.read_again(&mut cached).await;
        }
        cached.secrets.clone()
    }

    /// Newer values than `known`, or nothing if there are none.
    ///
    /// To be called when `known` was refused. Waits up to a second where the last read is younger
    /// than that: so the first delivery signed with a new key passes, and however many forged ones
    /// arrive, one process reads once a second at most.
    pub async fn newer_than(&self, known: &Arc<Secrets>) -> Option<Arc<Secrets>> {
        let mut cached = self.cached.lock().await;
        if Arc::ptr_eq(&cached.secrets, known) {
            tokio::time::sleep_until(cached.read_at + READS_APART).await;
            self.read_again(&mut cached).await;
        }
        (!Arc::ptr_eq(&cached.secrets, known)).then(|| cached.secrets.clone())
    }

    async fn read_again(&self, cached: &mut Cached) {
        cached.read_at = Instant::now();
        match self.store.read().await {
            Ok(secrets) => {
                cached.secrets = Arc::new(secrets);
                cached.fresh_until = cached.read_at + FRESH_FOR;
            }
            Err(error) => {
                tracing::error!(event = "secret.unreadable", %error, "the secret cannot be refreshed, the old one serves on");
                cached.fresh_until = cached.read_at + RETRY_AFTER;
            }
        }
    }
}

/// The secret where it is kept: one secret of Secrets Manager.
#[derive(Debug)]
pub struct SecretStore {
    client: Client,
    secret_id: String,
}

impl SecretStore {
    /// The secret of this name or ARN. Opens no connection.
    pub fn new(aws: &Aws, secret_id: String) -> Self {
        let mut config =
            aws_sdk_secretsmanager::config::Builder::from(&aws.sdk_config(Service::SecretsManager));
        if let Some(endpoint) = aws.fixed_endpoint(Service::SecretsManager) {
            config = config.endpoint_resolver(FixedEndpoint(endpoint));
        }
        Self { client: Client::from_conf(config.build()), secret_id }
    }

    async fn read(&self) -> Result<Secrets, SecretsError> {
        let answer = self.client.get_secret_value().secret_id(&self.secret_id).send().await;
        let answer = answer.map_err(|error| SecretsError::Unavailable(Box::new(error)))?;
        Secrets::parse(answer.secret_string().ok_or(SecretsError::Malformed("has no text value"))?)
    }
}

/// The same endpoint for every call.
#[derive(Debug)]
struct FixedEndpoint(Endpoint);

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"{ "v2ApiSecret": "hunter2" }"#;

    #[test]
    fn a_byte_order_mark_before_the_secret_is_not_a_part_of_it() {
        let secrets = Secrets::parse(&format!("\u{FEFF}{SOUND}")).unwrap();
        assert_eq!(secrets.v2_api_secret().unwrap().expose_secret(), "hunter2");
    }

    #[test]
    fn a_secret_in_another_encoding_names_the_encoding_and_nothing_else() {
        let utf16: String = SOUND.chars().flat_map(|c| [c, '\0']).collect();
        for (text, cause) in [
            (utf16.as_str(), "UTF-16"),
            ("\u{FFFD}\u{FFFD}{ \"v2ApiSecret\": \"hunter2\" }", "CP949"),
            ("{ \"v2ApiSecret\": \"hunter2\u{1A}\" }", "control character"),
        ] {
            let said = Secrets::parse(text).unwrap_err().to_string();
            assert!(said.contains(cause) && !said.contains("hunter2"), "{said}");
        }
        // A mark inside a value is no part of any credential, and is not taken away.
        assert!(Secrets::parse("{ \"v2ApiSecret\": \"hunter2\u{FEFF}\" }").is_err());
    }
}
