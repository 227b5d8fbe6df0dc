//! The bucket that statements are written to.

use std::time::Duration;

use backend::{
    config::AwsEnvironment,
    connection::{Connection, endpoint},
    signed::{Bounds, Service, SignedClient, SignedError},
    sigv4::Signable,
};
use lambda_http::http::Method;

/// One statement is some megabytes on a busy day.
const BOUNDS: Bounds = Bounds { attempt: Duration::from_secs(20), whole: Duration::from_secs(60) };

/// An object was not written, after some attempts.
#[derive(Debug, thiserror::Error)]
#[error("{key} was not written")]
pub struct PutError {
    key: String,
    #[source]
    source: SignedError,
}

/// One bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: SignedClient,
    /// Up to the keys.
    url: String,
}

impl Bucket {
    /// The bucket `name`, over the connection that everything else goes over.
    pub fn new(connection: &Connection, aws: &AwsEnvironment, name: &str) -> Self {
        let client = SignedClient::new(connection, aws, Service::S3);
        let service = endpoint("s3", &aws.region, aws.s3_endpoint.as_ref()).to_string();
        let url = match aws.s3_endpoint {
            // A stand-in on this machine has one host name for all buckets.
            Some(_) => format!("{service}{name}/"),
            None => service.replacen("://", &format!("://{name}."), 1),
        };
        Self { client, url }
    }

    /// Writes an object, in the place of one that has its key, which is of characters that a URL has as they are.
    pub async fn put(&self, key: &str, content_type: &str, body: &[u8]) -> Result<(), PutError> {
        let url =
            format!("{}{key}", self.url).parse().expect("a bucket's name is part of a URL, and so is a key");
        let request =
            Signable { method: &Method::PUT, url: &url, headers: &[("content-type", content_type)], body };
        let sent = self.client.send(request, BOUNDS).await;
        sent.map(|_| ()).map_err(|source| PutError { key: key.to_owned(), source })
    }
}
