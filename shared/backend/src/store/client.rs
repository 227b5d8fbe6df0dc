//! The SDK's client, configured for the table.

use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_dynamodb::{
    Client,
    config::{
        Builder,
        endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    },
    error::ProvideErrorMetadata,
    operation::{delete_item::DeleteItemError, put_item::PutItemError, update_item::UpdateItemError},
};

use crate::connection::aws::{Aws, Service};

/// A client of DynamoDB. Opens no connection.
pub(super) fn client(aws: &Aws) -> Client {
    let mut config = Builder::from(&aws.sdk_config(Service::DynamoDb))
        .retry_classifier(retry_after_conflict::<PutItemError>())
        .retry_classifier(retry_after_conflict::<UpdateItemError>())
        .retry_classifier(retry_after_conflict::<DeleteItemError>());
    if let Some(endpoint) = aws.fixed_endpoint(Service::DynamoDb) {
        config = config.endpoint_resolver(FixedEndpoint(endpoint));
    }
    Client::from_conf(config.build())
}

/// A write of one item that runs into a transaction on the same item is sent again. The SDK does not do so by itself.
/// Source: API Reference, `TransactionConflictException`: "Operation was rejected because there is an ongoing
/// transaction for the item."
fn retry_after_conflict<E>() -> AwsErrorCodeClassifier<E>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    AwsErrorCodeClassifier::builder().transient_errors(&["TransactionConflictException"][..]).build()
}

/// The same endpoint for every call.
#[derive(Debug)]
struct FixedEndpoint(Endpoint);

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(self.0.clone()))
    }
}
