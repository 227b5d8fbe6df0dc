//! Which system is looked at, and where its parts are: one on this machine tells it itself, one in the cloud
//! is read from its stack. From here on both are the same: addresses, the functions' environment, AWS clients.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::Credentials;
use serde_json::Value;

use crate::cloud::Cloud;

/// No call takes longer, whatever is at its other end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine, at this address.
    Here {
        /// The address of shop and API.
        url: String,
    },
    /// In the cloud.
    Cloud {
        /// The stack's name.
        stack: String,
        /// Its region, if not the profile's.
        region: Option<String>,
        /// The profile of the credentials, if not the usual one.
        profile: Option<String>,
    },
}

/// A system with its parts.
pub(crate) struct System {
    pub(crate) title: String,
    /// Without a slash at its end.
    pub(crate) api_url: String,
    pub(crate) webhook_url: String,
    /// What every function is told.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) http: reqwest::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    /// What only a system in the cloud has.
    pub(crate) cloud: Option<Cloud>,
    /// The checkout whose template is compared with.
    pub(crate) template: PathBuf,
}

impl System {
    /// Finds the parts.
    pub(crate) async fn find(place: &Place) -> anyhow::Result<Self> {
        match place {
            Place::Here { url } => here(url.trim_end_matches('/')).await,
            Place::Cloud { stack, region, profile } => {
                let mut loader = loader();
                if let Some(region) = region {
                    loader = loader.region(Region::new(region.clone()));
                }
                if let Some(profile) = profile {
                    loader = loader.profile_name(profile);
                }
                in_the_cloud(stack, &loader.load().await).await
            }
        }
    }

    /// A variable of the functions; empty if there is none.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.environment.get(name).map_or("", String::as_str)
    }

    pub(crate) fn portone_base(&self) -> &str {
        self.base("PORTONE_API_BASE", "https://api.portone.io")
    }

    pub(crate) fn portone_v1_base(&self) -> &str {
        self.base("PORTONE_V1_API_BASE", "https://api.iamport.kr")
    }

    fn base<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        Some(self.variable(name)).filter(|base| !base.is_empty()).unwrap_or(default).trim_end_matches('/')
    }

    /// The shop's origins.
    pub(crate) fn origins(&self) -> Vec<&str> {
        let origins = self.variable("ALLOWED_ORIGINS").split(',').map(str::trim);
        origins.filter(|origin| !origin.is_empty()).collect()
    }

    /// Whether real money is taken.
    pub(crate) fn is_live(&self) -> bool {
        self.variable("PAYMENT_MODE") != "TEST"
    }
}

async fn here(url: &str) -> anyhow::Result<System> {
    let http = client(url)?;
    let told = http.get(format!("{url}/console/system")).send().await;
    let told = told.with_context(|| format!("nothing answers at {url}: start it with `cargo xtask dev`"))?;
    let told: Value = told.json().await.with_context(|| {
        format!("{url} is no local system of this version; a deployed one is named by --stack")
    })?;
    let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
    let environment = told["environment"].as_object().into_iter().flatten();
    Ok(System {
        title: format!("the local system at {url}"),
        api_url: url.to_owned(),
        webhook_url: format!("{url}/webhooks/portone"),
        environment: environment.map(|(name, value)| (name.clone(), text(value))).collect(),
        http,
        dynamodb: aws_sdk_dynamodb::Client::new(&local(&text(&told["endpoints"]["dynamodb"])).await),
        secrets: aws_sdk_secretsmanager::Client::new(
            &local(&text(&told["endpoints"]["secretsManager"])).await,
        ),
        cloud: None,
        template: template(),
    })
}

/// This machine's endpoints take any credentials; none of the real ones are sent to them.
async fn local(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let loader = loader().region(Region::new(lambda_gateway::REGION)).credentials_provider(credentials);
    loader.endpoint_url(endpoint).load().await
}

fn loader() -> ConfigLoader {
    let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE).build();
    aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts)
}

async fn in_the_cloud(stack: &str, config: &SdkConfig) -> anyhow::Result<System> {
    let Some(region) = config.region() else {
        bail!("which region? --region REGION, or the variable AWS_REGION");
    };
    let title = format!("the stack {stack} in {region}");
    let cloud = Cloud::read(stack, config).await.with_context(|| format!("{title} cannot be read"))?;
    let output = |name: &str| cloud.outputs.get(name).map(|url| url.trim_end_matches('/').to_owned());
    let api_url =
        output("ApiUrl").with_context(|| format!("{title} has no output ApiUrl: is it another system's?"))?;
    let at = |path: &str| format!("{api_url}{path}");
    Ok(System {
        title,
        http: client(&api_url)?,
        webhook_url: output("WebhookUrl").unwrap_or_else(|| at("/webhooks/portone")),
        environment: cloud.environment(),
        dynamodb: aws_sdk_dynamodb::Client::new(config),
        secrets: aws_sdk_secretsmanager::Client::new(config),
        cloud: Some(cloud),
        template: template(),
        api_url,
    })
}

/// What speaks HTTP with the system at `url`, and with PortOne. Nothing on this machine is behind a proxy.
fn client(url: &str) -> anyhow::Result<reqwest::Client> {
    let here = ["http://127.0.0.1", "http://localhost"].iter().any(|start| url.starts_with(start));
    let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    Ok(if here { builder.no_proxy() } else { builder }.build()?)
}

fn template() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
}
