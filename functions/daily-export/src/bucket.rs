//! The bucket that statements are written to.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    operation::put_object::PutObjectError,
    primitives::ByteStream,
};
use backend::connection::aws::{Aws, Service, time_limits};

/// A statement has some megabytes on a busy day.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
/// All attempts together.
const PUT_MAX: Duration = Duration::from_secs(60);

/// An object was not written, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{key} was not written: {reason}")]
pub struct PutError {
    key: String,
    /// S3's error code, or what happened to the connection.
    reason: String,
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket `name`. Opens no connection.
    pub fn new(aws: &Aws, name: String) -> Self {
        let config = aws_sdk_s3::config::Builder::from(&aws.sdk_config(Service::S3))
            .timeout_config(time_limits(ATTEMPT_MAX, PUT_MAX))
            // A replacement on this machine has one host name for all buckets.
            .force_path_style(aws.named_endpoint(Service::S3).is_some())
            .build();
        Self { client: Client::from_conf(config), name }
    }

    /// Writes an object. Replaces one with the same key.
    pub async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), PutError> {
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        let sent = put.body(ByteStream::from(body)).send().await;
        sent.map(|_| ()).map_err(|error| PutError { key: key.to_owned(), reason: reason(&error) })
    }
}

fn reason(error: &SdkError<PutObjectError>) -> String {
    match error.as_service_error().and_then(|error| error.code()) {
        Some(code) => code.to_owned(),
        None => DisplayErrorContext(error).to_string(),
    }
}
