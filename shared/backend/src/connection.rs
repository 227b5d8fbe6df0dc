//! One connection pool and one TLS stack for everything a function calls: PortOne, DynamoDB and
//! Secrets Manager. Roots are compiled in; the provider is ring.

use std::{sync::Arc, time::Duration};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Region, StalledStreamProtectionConfig,
    endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    retry::{ReconnectMode, RetryConfig},
    timeout::TimeoutConfig,
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use crate::config::AwsEnvironment;

/// How long a call to an AWS backend may take, all its attempts together.
pub const AWS_CALL_MAX: Duration = Duration::from_millis(4_000);
/// How long one attempt of it may take.
pub(crate) const AWS_ATTEMPT_MAX: Duration = Duration::from_millis(1_500);
/// The longest answer of an AWS backend that is held: DynamoDB's largest is 16 MB.
const AWS_ANSWER_BYTES_MAX: usize = 17 * 1024 * 1024;
const CONNECT_MAX: Duration = Duration::from_millis(3_000);
/// Idle connections are dropped before the backends' load balancers do it silently.
const IDLE_MAX: Duration = Duration::from_secs(45);

/// The shared HTTP client; cloning it shares the pool.
#[derive(Clone, Debug)]
pub struct Connection(reqwest::Client);

impl Connection {
    /// Builds the client. Opens nothing yet.
    pub fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports rustls's default TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            // A payment backend follows nobody: a redirect would carry the secret along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .build()
            .expect("a client built from constants");
        Self(client)
    }

    /// The HTTP client itself.
    pub fn http(&self) -> &reqwest::Client {
        &self.0
    }

    /// A DynamoDB client over this connection.
    pub fn dynamodb(&self, aws: &AwsEnvironment) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region.clone()))
            .endpoint_resolver(OneEndpoint::of(endpoint(
                "dynamodb",
                &aws.region,
                aws.dynamodb_endpoint.as_ref(),
            )))
            .credentials_provider(credentials(aws))
            .retry_config(retries())
            .timeout_config(timeouts())
            // The bound of an attempt is shorter than what this would wait for.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.clone())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }
}

/// Where a service is: at `given`, else at its host in this region.
pub fn endpoint(service: &str, region: &str, given: Option<&String>) -> String {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    let given = given.map(|url| url.trim_end_matches('/').to_owned());
    given.unwrap_or_else(|| format!("https://{service}.{region}.amazonaws.com{end}"))
}

/// The table is in one place. The SDK's own resolver works that out at every call.
#[derive(Debug)]
struct OneEndpoint(Endpoint);

impl OneEndpoint {
    fn of(url: String) -> Self {
        Self(Endpoint::builder().url(url).build())
    }
}

impl ResolveEndpoint for OneEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

/// The body of an answer; nothing if it is longer than `bytes_max`, of which no more is read or held than that.
pub async fn whole_body(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}

/// Lambda's credentials, which it sets as variables of the environment.
pub(crate) fn credentials(aws: &AwsEnvironment) -> Credentials {
    let AwsEnvironment { access_key_id, secret_access_key, session_token, .. } = aws;
    Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "environment")
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        // The pool is reqwest's, which drops broken connections itself; the SDK cannot reach into it.
        .with_reconnect_mode(ReconnectMode::ReuseAllConnections)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .operation_attempt_timeout(AWS_ATTEMPT_MAX)
        .operation_timeout(AWS_CALL_MAX)
        .build()
}

impl HttpClient for Connection {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let (head, body) = request.try_into_http1x().map_err(user_error)?.into_parts();
            let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
            let request = http::Request::from_parts(head, body).try_into().map_err(user_error)?;
            let response = client.execute(request).await.map_err(io_error)?;
            let mut answer = http::Response::builder().status(response.status());
            if let Some(headers) = answer.headers_mut() {
                *headers = response.headers().clone();
            }
            let body = whole_body(response, AWS_ANSWER_BYTES_MAX).await.map_err(io_error)?;
            let body = body.ok_or_else(|| ConnectorError::other("the answer is too long".into(), None))?;
            let answer = answer.body(SdkBody::from(body)).map_err(user_error)?;
            HttpResponse::try_from(answer).map_err(user_error)
        })
    }
}

fn user_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ConnectorError {
    ConnectorError::user(error.into())
}

fn io_error(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_its_region_is_unless_it_is_told_where() {
        assert_eq!(
            endpoint("dynamodb", "ap-northeast-2", None),
            "https://dynamodb.ap-northeast-2.amazonaws.com"
        );
        assert_eq!(endpoint("s3", "cn-north-1", None), "https://s3.cn-north-1.amazonaws.com.cn");
        let given = "http://127.0.0.1:8000".to_owned();
        assert_eq!(endpoint("dynamodb", "ap-northeast-2", Some(&given)), given);
    }
}
