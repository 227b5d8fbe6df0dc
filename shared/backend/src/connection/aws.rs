//! The configuration that all AWS SDK clients share: region, credentials, endpoints, time limits and retries, over
//! the function's one HTTP client.
//!
//! It is built from the environment that Lambda sets, without `aws-config`'s default chain, which looks for profiles
//! and asks the instance metadata service.

use std::time::Duration;

use aws_config::{ecs::EcsCredentialsProvider, provider_config::ProviderConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion,
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{
    body::SdkBody,
    endpoint::Endpoint,
    retry::{ReconnectMode, RetryConfig},
    timeout::TimeoutConfig,
};
use aws_types::{SdkConfig, region::Region};
use http_body_util::BodyExt as _;
use url::Url;

use super::{Connection, Unanswered};
use crate::config::{AwsCredentials, AwsEnvironment};

/// How long one call to an AWS service may take, all attempts together.
pub const AWS_CALL_MAX: Duration = Duration::from_millis(4_000);
/// How long one attempt may take.
const ATTEMPT_MAX: Duration = Duration::from_millis(1_500);
const ATTEMPTS_MAX: u32 = 4;
/// The wait before the second attempt, before jitter. It doubles with each further attempt.
const BACKOFF: Duration = Duration::from_millis(50);
/// The longest response that is read. DynamoDB's largest is 16 MB (BatchGetItem, API reference).
const RESPONSE_BYTES_MAX: usize = 17 * 1024 * 1024;

/// An AWS service that the functions call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// Secrets Manager.
    SecretsManager,
    /// S3.
    S3,
}

/// What the clients of all AWS services are built from. Building it opens no connection.
#[derive(Clone, Debug)]
pub struct Aws {
    sdk: SdkConfig,
    environment: AwsEnvironment,
}

impl Aws {
    /// The configuration of this environment, over `connection`.
    pub fn new(connection: &Connection, environment: AwsEnvironment) -> Self {
        let AwsEnvironment { region, use_fips, use_dual_stack, .. } = &environment;
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(BACKOFF)
            // The pool is reqwest's, which removes broken connections itself. The SDK cannot reach into it.
            .with_reconnect_mode(ReconnectMode::ReuseAllConnections);
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .use_fips(*use_fips)
            .use_dual_stack(*use_dual_stack)
            .credentials_provider(credentials(connection, &environment.credentials))
            .retry_config(retries)
            .timeout_config(time_limits(ATTEMPT_MAX, AWS_CALL_MAX))
            .sleep_impl(TokioSleep::new())
            // The limit of an attempt is shorter than the time this would wait for a stalled body.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(connection.clone())
            .build();
        Self { sdk, environment }
    }

    /// The shared configuration for the client of `service`, with the endpoint that `AWS_ENDPOINT_URL_<SERVICE>` or
    /// `AWS_ENDPOINT_URL` names, if one does.
    pub fn sdk_config(&self, service: Service) -> SdkConfig {
        match self.named_endpoint(service) {
            Some(url) => self.sdk.to_builder().endpoint_url(url.as_str()).build(),
            None => self.sdk.clone(),
        }
    }

    /// The endpoint that an environment variable names for `service`.
    pub fn named_endpoint(&self, service: Service) -> Option<&Url> {
        match service {
            Service::DynamoDb => self.environment.dynamodb_endpoint.as_ref(),
            Service::SecretsManager => self.environment.secrets_manager_endpoint.as_ref(),
            Service::S3 => self.environment.s3_endpoint.as_ref(),
        }
    }

    /// The endpoint of `service`, where it is the same for every call and can be known without AWS's list of
    /// partitions: one that an environment variable names, or the regional one in the standard partition. `None`
    /// leaves the decision to the SDK: the partitions of China, the US government and others, FIPS and dual stack.
    ///
    /// A client with a fixed endpoint does not parse the list when it is created, nor search it at each call.
    /// Source: AWS General Reference, "Service endpoints": `protocol://service-code.region-code.amazonaws.com`.
    pub fn fixed_endpoint(&self, service: Service) -> Option<Endpoint> {
        let AwsEnvironment { region, use_fips, use_dual_stack, .. } = &self.environment;
        let url = match self.named_endpoint(service) {
            Some(url) => url.to_string(),
            None if *use_fips || *use_dual_stack || !is_in_standard_partition(region) => return None,
            None => format!("https://{}.{region}.amazonaws.com", service.host()),
        };
        Some(Endpoint::builder().url(url).build())
    }
}

impl Service {
    fn host(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::SecretsManager => "secretsmanager",
            Self::S3 => "s3",
        }
    }
}

/// Whether a region such as `ap-northeast-2` is in the partition `aws`: two letters of those below, one word, one
/// number. `cn-north-1` begins otherwise, `us-gov-west-1` and `eu-isoe-west-1` have four parts.
fn is_in_standard_partition(region: &str) -> bool {
    let parts: Vec<_> = region.split('-').collect();
    let [place, direction, number] = parts[..] else { return false };
    matches!(place, "af" | "ap" | "ca" | "eu" | "il" | "me" | "mx" | "sa" | "us")
        && !direction.is_empty()
        && direction.bytes().all(|byte| byte.is_ascii_lowercase())
        && number.parse::<u8>().is_ok()
}

/// Time limits of one call: `attempt` for each attempt, `call` for all of them together.
pub fn time_limits(attempt: Duration, call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(call).build()
}

fn credentials(connection: &Connection, from: &AwsCredentials) -> SharedCredentialsProvider {
    match from {
        AwsCredentials::Environment { access_key_id, secret_access_key, session_token } => {
            let token = session_token.clone();
            SharedCredentialsProvider::new(Credentials::new(
                access_key_id,
                secret_access_key,
                token,
                None,
                "environment",
            ))
        }
        AwsCredentials::Container => {
            let provider = ProviderConfig::empty().with_http_client(connection.clone());
            SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(&provider).build())
        }
    }
}

impl HttpClient for Connection {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// Sends the SDK's requests over the function's own client. The SDK limits the time of each attempt itself.
impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connection = self.clone();
        HttpConnectorFuture::new(async move {
            let (head, body) = request.try_into_http1x().map_err(|error| user(error.into()))?.into_parts();
            let body = body.collect().await.map_err(user)?.to_bytes();
            let request = http::Request::from_parts(head, body);
            let request = request.try_into().map_err(|error: reqwest::Error| user(error.into()))?;
            let response = connection.exchange(request, RESPONSE_BYTES_MAX).await.map_err(connector_error)?;
            HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| user(error.into()))
        })
    }
}

fn user(error: Box<dyn std::error::Error + Send + Sync>) -> ConnectorError {
    ConnectorError::user(error)
}

fn connector_error(error: Unanswered) -> ConnectorError {
    match error {
        Unanswered::Late => ConnectorError::timeout(error.into()),
        Unanswered::Broken(_) => ConnectorError::io(error.into()),
        Unanswered::TooLong => ConnectorError::other(error.into(), None),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::config::endpoint as dynamodb;
    use aws_sdk_secretsmanager::config::endpoint as secrets_manager;

    use super::*;

    fn environment(region: &str) -> AwsEnvironment {
        AwsEnvironment {
            region: region.to_owned(),
            credentials: AwsCredentials::Container,
            use_fips: false,
            use_dual_stack: false,
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            s3_endpoint: None,
        }
    }

    fn fixed(service: Service, environment: AwsEnvironment) -> Option<String> {
        let endpoint = Aws::new(&Connection::new(), environment).fixed_endpoint(service);
        endpoint.map(|endpoint| endpoint.url().to_owned())
    }

    /// The SDK's resolver knows AWS's list of partitions. Regions: AWS General Reference, "AWS service endpoints".
    #[tokio::test]
    async fn a_fixed_endpoint_is_the_one_that_the_sdk_would_find() {
        for region in [
            "af-south-1",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-northeast-3",
            "ap-southeast-5",
            "ca-central-1",
            "ca-west-1",
            "eu-central-1",
            "eu-west-3",
            "il-central-1",
            "me-central-1",
            "mx-central-1",
            "sa-east-1",
            "us-east-1",
            "us-west-2",
        ] {
            let params = dynamodb::Params::builder().region(region).build().unwrap();
            let resolver = dynamodb::DefaultResolver::new();
            let found = dynamodb::ResolveEndpoint::resolve_endpoint(&resolver, &params).await.unwrap();
            assert_eq!(fixed(Service::DynamoDb, environment(region)).as_deref(), Some(found.url()));

            let params = secrets_manager::Params::builder().region(region).build().unwrap();
            let resolver = secrets_manager::DefaultResolver::new();
            let found = secrets_manager::ResolveEndpoint::resolve_endpoint(&resolver, &params).await.unwrap();
            assert_eq!(fixed(Service::SecretsManager, environment(region)).as_deref(), Some(found.url()));
        }
    }

    #[test]
    fn other_partitions_fips_and_dual_stack_are_left_to_the_sdk() {
        for region in
            ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "seoul"]
        {
            assert_eq!(fixed(Service::DynamoDb, environment(region)), None, "{region}");
        }
        let fips = AwsEnvironment { use_fips: true, ..environment("us-east-1") };
        assert_eq!(fixed(Service::DynamoDb, fips.clone()), None);
        assert_eq!(Aws::new(&Connection::new(), fips).sdk_config(Service::DynamoDb).use_fips(), Some(true));
        let dual = AwsEnvironment { use_dual_stack: true, ..environment("ap-northeast-2") };
        assert_eq!(fixed(Service::SecretsManager, dual.clone()), None);
        let sdk = Aws::new(&Connection::new(), dual).sdk_config(Service::SecretsManager);
        assert_eq!(sdk.use_dual_stack(), Some(true));
    }

    #[test]
    fn an_endpoint_that_the_environment_names_is_used_for_its_service_only() {
        let url: Url = "http://127.0.0.1:8000/".parse().unwrap();
        let named = AwsEnvironment { dynamodb_endpoint: Some(url), ..environment("ap-northeast-2") };
        let aws = Aws::new(&Connection::new(), named);
        assert_eq!(aws.sdk_config(Service::DynamoDb).endpoint_url(), Some("http://127.0.0.1:8000/"));
        assert_eq!(aws.fixed_endpoint(Service::DynamoDb).unwrap().url(), "http://127.0.0.1:8000/");
        assert_eq!(aws.sdk_config(Service::S3).endpoint_url(), None);
    }

    #[test]
    fn credentials_are_not_printed() {
        let credentials = AwsCredentials::Environment {
            access_key_id: "an-id".to_owned(),
            secret_access_key: "a-key".to_owned(),
            session_token: Some("a-session".to_owned()),
        };
        let aws = Aws::new(&Connection::new(), AwsEnvironment { credentials, ..environment("us-east-1") });
        let printed = format!("{aws:?}");
        assert!(!printed.contains("a-key") && !printed.contains("a-session"), "{printed}");
    }
}
