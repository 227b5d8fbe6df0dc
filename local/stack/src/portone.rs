//! PortOne on this machine: the simulator, set up for this system's shop. Everything that depends on the
//! simulator's own configuration is here.

use std::path::PathBuf;

use anyhow::Context as _;
use portone_simulator::{ChannelKind, Simulator, SimulatorConfig, WebhookTarget};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::options::{PaymentMode, StackOptions};

/// The simulator's configuration: it accepts and signs with what the secret says, and sends its webhooks
/// to the API.
pub(crate) fn config(
    options: &StackOptions,
    secret: &Value,
    api: &str,
    state_file: Option<PathBuf>,
) -> SimulatorConfig {
    let mut config = SimulatorConfig { state_file, clock_speed: options.clock_speed, ..Default::default() };
    if let Some(api_secret) = secret["v2ApiSecret"].as_str() {
        config.api_secrets = vec![api_secret.to_owned()];
    }
    if let (Some(key), Some(secret)) = (secret["v1ApiKey"].as_str(), secret["v1ApiSecret"].as_str()) {
        (config.v1_api_key, config.v1_api_secret) = (key.to_owned(), secret.to_owned());
    }
    if let [default, others @ ..] = options.stores.as_slice() {
        config = config.with_stores(default, others.iter().cloned());
    }
    config.v1_webhook_url = Some(format!("{api}/webhooks/portone/v1"));
    config.webhook = WebhookTarget {
        url: Some(format!("{api}/webhooks/portone")),
        secrets: secret["v2WebhookSecrets"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|secret| Some(secret.as_str()?.to_owned()))
            .collect(),
    };
    config
}

/// The shop's store and channel.
pub(crate) fn shop_channel(config: &SimulatorConfig, mode: PaymentMode) -> anyhow::Result<(String, String)> {
    let kind = match mode {
        PaymentMode::Live => ChannelKind::Live,
        PaymentMode::Test => ChannelKind::Test,
    };
    let channel = config.channels.iter().find(|channel| channel.kind == kind);
    let channel = channel.with_context(|| format!("the simulator has no {} channel", mode.as_str()))?;
    // A shop below the merchant's own store uses the merchant's API secret.
    let store = config.sub_stores.last().unwrap_or(&config.store_id);
    Ok((store.clone(), channel.key.clone()))
}

/// Serves V2 on `listener` and V1 on `v1_listener`.
pub(crate) async fn start(
    listener: TcpListener,
    v1_listener: TcpListener,
    config: SimulatorConfig,
) -> anyhow::Result<Simulator> {
    Simulator::start_on(listener, v1_listener, config).await.context("the PortOne simulator does not start")
}
