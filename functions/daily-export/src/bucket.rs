//! The bucket that statements are written to.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region,
        retry::{ReconnectMode, RetryConfig},
        timeout::TimeoutConfig,
    },
    error::SdkError,
    operation::put_object::PutObjectError,
};
use backend::{config::AwsEnvironment, connection::Connection};

/// One statement is some megabytes on a busy day.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
const PUT_MAX: Duration = Duration::from_secs(60);

/// An object was not written, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{key} was not written")]
pub struct PutError {
    key: String,
    #[source]
    source: Box<SdkError<PutObjectError>>,
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket `name`, over the connection that everything else goes over.
    pub fn new(connection: &Connection, aws: &AwsEnvironment, name: String) -> Self {
        let AwsEnvironment { access_key_id, secret_access_key, session_token, .. } = aws;
        let credentials =
            Credentials::new(access_key_id, secret_access_key, session_token.clone(), None, "environment");
        let retries = RetryConfig::standard()
            .with_max_attempts(4)
            // The pool is reqwest's, which drops broken connections itself.
            .with_reconnect_mode(ReconnectMode::ReuseAllConnections);
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_MAX)
            .operation_timeout(PUT_MAX)
            .build();
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(aws.region.clone()))
            .credentials_provider(credentials)
            .retry_config(retries)
            .timeout_config(timeouts)
            .http_client(connection.clone())
            // A stand-in on this machine has one host name for all buckets.
            .force_path_style(aws.s3_endpoint.is_some());
        config.set_endpoint_url(aws.s3_endpoint.clone());
        Self { client: Client::from_conf(config.build()), name }
    }

    /// Writes an object, in the place of one that has its key.
    pub async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), PutError> {
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        let sent = put.body(body.into()).send().await;
        sent.map(|_| ()).map_err(|source| PutError { key: key.to_owned(), source: Box::new(source) })
    }
}
