//! What a function is wired from: the one place where configuration meets clients.

use std::sync::Arc;

use crate::{
    config::{self, ConfigError},
    connection::{Connection, aws::Aws},
    flow::Sync,
    portone::{Portone, V1Client, V2Client},
    secrets::{SecretCache, SecretStore, SecretsError},
    store::Store,
};

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An environment variable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The secret.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
}

/// The table. Nothing is connected yet.
pub fn store(connection: &Connection) -> Result<Store, StartError> {
    Ok(Store::new(&Aws::new(connection, config::aws()?), config::table_name()?))
}

/// The table and the secret, which is read now. All of both's configuration is checked before.
pub async fn store_and_secrets(connection: &Connection) -> Result<(Store, Arc<SecretCache>), StartError> {
    let (aws, table) = (Aws::new(connection, config::aws()?), config::table_name()?);
    let secrets = SecretCache::load(SecretStore::new(&aws, config::secret_id()?));
    // DynamoDB's client is created while the response of Secrets Manager is under way.
    let store = async { Store::new(&aws, table) };
    let (secrets, store) = tokio::join!(biased; secrets, store);
    Ok((store, Arc::new(secrets?)))
}

/// Both generations of PortOne. Nothing is connected yet.
pub async fn portone(connection: &Connection, secrets: Arc<SecretCache>) -> Result<Portone, StartError> {
    secrets.current().await.portone()?;
    Ok(Portone {
        v1: V1Client::new(connection, config::portone_v1_api_base()?, secrets.clone()),
        v2: V2Client::new(connection, config::portone_api_base()?, config::store_id()?, secrets),
    })
}

/// What syncing payments needs. Configuration is checked before the secret is read.
pub async fn sync(connection: &Connection) -> Result<(Sync, Arc<SecretCache>), StartError> {
    let terms = config::terms()?;
    config::portone_api_base()?;
    config::portone_v1_api_base()?;
    let (store, secrets) = store_and_secrets(connection).await?;
    let portone = portone(connection, secrets.clone()).await?;
    Ok((Sync { store, portone, terms }, secrets))
}
