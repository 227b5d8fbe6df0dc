//! The environment, read once. Each function reads the values it needs; a missing or wrong one stops
//! it at init with one line that names it.

use std::{env, net::IpAddr};

use order::{LatePayment, PaymentMode, Terms};
use url::Url;

/// An environment variable that is missing or wrong. The message names it and says what it must be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not set, or empty.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// Set to something that it cannot be. The value itself is not repeated.
    #[error("{name} {must}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// What it must be, as a sentence after its name.
        must: &'static str,
    },
}

#[expect(clippy::disallowed_methods, reason = "the one place")]
fn optional(name: &'static str) -> Option<String> {
    env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// `TABLE_NAME`.
pub fn table_name() -> Result<String, ConfigError> {
    required("TABLE_NAME")
}

/// `PORTONE_SECRET_ID`: name or ARN of the secret.
pub fn secret_id() -> Result<String, ConfigError> {
    required("PORTONE_SECRET_ID")
}

/// `PORTONE_API_BASE`: where PortOne V2 is.
pub fn portone_api_base() -> Result<String, ConfigError> {
    base_url("PORTONE_API_BASE", "https://api.portone.io")
}

/// `PORTONE_V1_API_BASE`: where PortOne V1 is.
pub fn portone_v1_api_base() -> Result<String, ConfigError> {
    base_url("PORTONE_V1_API_BASE", "https://api.iamport.kr")
}

fn base_url(name: &'static str, default: &str) -> Result<String, ConfigError> {
    let base = url(name)?.map_or_else(|| default.to_owned(), String::from);
    Ok(base.trim_end_matches('/').to_owned())
}

fn url(name: &'static str) -> Result<Option<Url>, ConfigError> {
    let Some(text) = optional(name) else { return Ok(None) };
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(Some(url)),
        _ => Err(ConfigError::Wrong { name, must: "must be an http or https URL" }),
    }
}

/// `PORTONE_STORE_ID`.
pub fn store_id() -> Result<String, ConfigError> {
    required("PORTONE_STORE_ID")
}

/// `PORTONE_CHANNEL_KEY`: the channel the payment window opens.
pub fn channel_key() -> Result<String, ConfigError> {
    required("PORTONE_CHANNEL_KEY")
}

/// `PORTONE_V1_CHANNEL_KEY`: the channel V1's window opens; the V2 one if not set.
pub fn v1_channel_key() -> Result<String, ConfigError> {
    optional("PORTONE_V1_CHANNEL_KEY").map_or_else(channel_key, Ok)
}

/// `V1_WEBHOOK_SOURCES`: the addresses V1 webhooks may come from, comma-separated; empty for any, since a
/// V1 webhook is only a hint. PortOne publishes 52.78.100.19, 52.78.48.223 and 52.78.5.241.
pub fn v1_webhook_sources() -> Result<Vec<IpAddr>, ConfigError> {
    let wrong = |_| ConfigError::Wrong {
        name: "V1_WEBHOOK_SOURCES",
        must: "must be IP addresses separated by commas",
    };
    let listed = optional("V1_WEBHOOK_SOURCES").unwrap_or_default();
    let addresses = listed.split(',').map(str::trim).filter(|address| !address.is_empty());
    addresses.map(|address| address.parse().map_err(wrong)).collect()
}

/// `PORTONE_STORE_ID`, `PAYMENT_MODE` and `LATE_PAYMENT`: what this deployment takes.
///
/// `PAYMENT_MODE` has no default: taking test payments for real ones must be nobody's oversight.
pub fn terms() -> Result<Terms, ConfigError> {
    let mode = match required("PAYMENT_MODE")?.as_str() {
        "LIVE" => PaymentMode::Live,
        "TEST" => PaymentMode::Test,
        _ => return Err(ConfigError::Wrong { name: "PAYMENT_MODE", must: "must be LIVE or TEST" }),
    };
    let late_payment = match optional("LATE_PAYMENT").as_deref() {
        None | Some("ACCEPT") => LatePayment::Accept,
        Some("RETURN") => LatePayment::Return,
        Some(_) => return Err(ConfigError::Wrong { name: "LATE_PAYMENT", must: "must be ACCEPT or RETURN" }),
    };
    Ok(Terms { store_id: store_id()?, mode, late_payment })
}

/// `PAYMENT_APPROVAL`: `AUTO` (default), the PG approves by itself; `MANUAL`, `verify-payment` does, with the
/// token the page got. The channel's setting in PortOne's console has to agree.
pub fn approves_by_hand() -> Result<bool, ConfigError> {
    match optional("PAYMENT_APPROVAL").as_deref() {
        None | Some("AUTO") => Ok(false),
        Some("MANUAL") => Ok(true),
        Some(_) => Err(ConfigError::Wrong { name: "PAYMENT_APPROVAL", must: "must be AUTO or MANUAL" }),
    }
}

/// `ALLOWED_ORIGINS`: the shop's origins, comma-separated, such as `https://shop.example`.
pub fn allowed_origins() -> Result<Vec<String>, ConfigError> {
    const MUST: &str = "must be origins separated by commas, such as https://shop.example";
    let wrong = || ConfigError::Wrong { name: "ALLOWED_ORIGINS", must: MUST };
    let listed = required("ALLOWED_ORIGINS")?;
    let origins = listed.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    let origins: Vec<String> = origins
        .map(|origin| match Url::parse(origin) {
            Ok(url)
                if matches!(url.scheme(), "http" | "https") && url.path() == "/" && !origin.contains('*') =>
            {
                Ok(url.origin().ascii_serialization())
            }
            _ => Err(wrong()),
        })
        .collect::<Result<_, _>>()?;
    if origins.is_empty() { Err(wrong()) } else { Ok(origins) }
}

/// `ORDER_TTL_MINUTES`: how long an unpaid order stays open; 30 by default.
pub fn order_ttl_minutes() -> Result<u32, ConfigError> {
    let wrong =
        ConfigError::Wrong { name: "ORDER_TTL_MINUTES", must: "must be a whole number from 1 to 43200" };
    match optional("ORDER_TTL_MINUTES") {
        None => Ok(30),
        Some(text) => text.parse().ok().filter(|minutes| (1..=43_200).contains(minutes)).ok_or(wrong),
    }
}

/// `EXPORT_BUCKET`: the S3 bucket that statements are written to.
pub fn export_bucket() -> Result<String, ConfigError> {
    required("EXPORT_BUCKET")
}

/// `RUST_LOG`, if set.
pub fn log_directives() -> Option<String> {
    optional("RUST_LOG")
}

/// `STACK_NAME`: the stack that metrics are told under, if set.
pub fn stack_name() -> Option<String> {
    optional("STACK_NAME")
}

/// `AWS_LAMBDA_FUNCTION_NAME`, which Lambda sets.
pub fn function_name() -> Option<String> {
    optional("AWS_LAMBDA_FUNCTION_NAME")
}

/// What the AWS SDKs are configured from.
#[derive(Clone, Debug)]
pub struct AwsEnvironment {
    /// `AWS_REGION`.
    pub region: String,
    /// Where the credentials come from.
    pub credentials: AwsCredentials,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dual_stack: bool,
    /// `AWS_ENDPOINT_URL_DYNAMODB`, otherwise `AWS_ENDPOINT_URL`.
    pub dynamodb_endpoint: Option<Url>,
    /// `AWS_ENDPOINT_URL_SECRETS_MANAGER`, otherwise `AWS_ENDPOINT_URL`.
    pub secrets_manager_endpoint: Option<Url>,
    /// `AWS_ENDPOINT_URL_S3`, otherwise `AWS_ENDPOINT_URL`.
    pub s3_endpoint: Option<Url>,
}

/// Where a function's credentials come from.
#[derive(Clone)]
pub enum AwsCredentials {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, which Lambda sets.
    Environment {
        /// The key's ID.
        access_key_id: String,
        /// The key.
        secret_access_key: String,
        /// The session's token.
        session_token: Option<String>,
    },
    /// An HTTP endpoint that `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `…_RELATIVE_URI` names, as Lambda sets it with
    /// SnapStart (Lambda Developer Guide, "Defined runtime environment variables"). The provider of `aws-config`
    /// reads these variables itself, `AWS_CONTAINER_AUTHORIZATION_TOKEN` among them.
    Container,
}

/// Prints no key.
impl std::fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Environment { .. } => "Environment",
            Self::Container => "Container",
        })
    }
}

/// The AWS variables, by the names in AWS's "SDKs and Tools Reference Guide".
pub fn aws() -> Result<AwsEnvironment, ConfigError> {
    let region = optional("AWS_REGION").map_or_else(|| required("AWS_DEFAULT_REGION"), Ok)?;
    if !region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(ConfigError::Wrong {
            name: "AWS_REGION",
            must: "must be a region, such as ap-northeast-2",
        });
    }
    let ignored = switch("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")?;
    let endpoint = |name| if ignored { Ok(None) } else { url(name) };
    let everywhere = endpoint("AWS_ENDPOINT_URL")?;
    Ok(AwsEnvironment {
        region,
        credentials: aws_credentials()?,
        use_fips: switch("AWS_USE_FIPS_ENDPOINT")?,
        use_dual_stack: switch("AWS_USE_DUALSTACK_ENDPOINT")?,
        dynamodb_endpoint: endpoint("AWS_ENDPOINT_URL_DYNAMODB")?.or_else(|| everywhere.clone()),
        secrets_manager_endpoint: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER")?
            .or_else(|| everywhere.clone()),
        s3_endpoint: endpoint("AWS_ENDPOINT_URL_S3")?.or(everywhere),
    })
}

fn aws_credentials() -> Result<AwsCredentials, ConfigError> {
    let container =
        ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].map(optional);
    match optional("AWS_ACCESS_KEY_ID") {
        None if container.iter().any(Option::is_some) => Ok(AwsCredentials::Container),
        None => Err(ConfigError::Missing("AWS_ACCESS_KEY_ID")),
        Some(access_key_id) => Ok(AwsCredentials::Environment {
            access_key_id,
            secret_access_key: required("AWS_SECRET_ACCESS_KEY")?,
            session_token: optional("AWS_SESSION_TOKEN"),
        }),
    }
}

fn switch(name: &'static str) -> Result<bool, ConfigError> {
    match optional(name).map(|value| value.to_ascii_lowercase()).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ConfigError::Wrong { name, must: "must be true or false" }),
    }
}
