//! Answers that a proxy makes itself, in the words of the backend they stand for.

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use std::{io, time::Duration};

use super::{Backend, fault::Fault, operation::Request};
use crate::iam::Denial;

/// A body that may break off.
pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Headers about one connection; the length is counted anew.
const HOP_BY_HOP: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE];

/// An answer held whole, so that it can be sent in any of the ways below.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    fn new(status: u16, content_type: &'static str, body: String) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self { status, headers, body: body.into() }
    }

    fn json(status: u16, content_type: &'static str, body: &Value) -> Self {
        Self::new(status, content_type, body.to_string())
    }

    /// The refusal of `fault`, if it refuses calls before any effect.
    pub(super) fn refusal(backend: Backend, fault: &Fault, request: &Request) -> Option<Self> {
        Some(match fault {
            Fault::Throttle => throttled(backend),
            Fault::TransactionConflict => conflict(request),
            Fault::ServerError => broken(backend),
            Fault::Answer { status, content_type, body } => Self::new(*status, content_type, body.clone()),
            _ => return None,
        })
    }

    /// What AWS answers to somebody who may not.
    pub(super) fn denied(backend: Backend, denial: &Denial) -> Self {
        let (kind, message) = match denial {
            Denial::Stranger => {
                let message = "The security token included in the request is invalid.".to_owned();
                ("UnrecognizedClientException", message)
            }
            Denial::NotGranted { user, action, resource } => {
                let message = format!(
                    "User: {user} is not authorized to perform: {action} on resource: {resource} because no \
                     identity-based policy allows the {action} action"
                );
                ("AccessDeniedException", message)
            }
        };
        match backend {
            Backend::S3 if *denial == Denial::Stranger => s3(403, "InvalidAccessKeyId", &message),
            Backend::S3 => s3(403, "AccessDenied", &message),
            Backend::DynamoDb => {
                let kind = format!("com.amazon.coral.service#{kind}");
                Self::json(400, DYNAMODB, &json!({"__type": kind, "Message": message}))
            }
            _ => Self::json(400, SECRETS_MANAGER, &json!({"__type": kind, "Message": message})),
        }
    }

    fn response(&self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status.try_into().unwrap_or_default();
        for (name, value) in &self.headers {
            if !HOP_BY_HOP.contains(name) {
                response.headers_mut().append(name, value.clone());
            }
        }
        response
    }

    /// The whole answer.
    pub(super) fn whole(self) -> Response<Body> {
        let body = Full::new(self.body.clone()).map_err(|never| match never {});
        self.response(body.boxed_unsync())
    }

    /// Headers that promise everything, half of the body, and an end of the connection.
    pub(super) fn half(self) -> Response<Body> {
        let half = self.body.slice(..self.body.len() / 2);
        let broken = async {
            // The server sends what it has when there is nothing to send at the moment.
            tokio::task::yield_now().await;
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "half a body"))
        };
        let pieces = stream::iter([Ok(Frame::data(half))]).chain(stream::once(broken));
        let mut response = self.response(StreamBody::new(pieces).boxed_unsync());
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        response
    }

    /// The body in pieces, with a pause before each.
    pub(super) fn slow(self, bytes: usize, pause: Duration) -> Response<Body> {
        let pieces: Vec<Bytes> =
            self.body.chunks(bytes.max(1)).map(|piece| self.body.slice_ref(piece)).collect();
        let pieces = stream::iter(pieces).then(move |piece| async move {
            tokio::time::sleep(pause).await;
            Ok(Frame::data(piece))
        });
        let mut response = self.response(StreamBody::new(pieces).boxed_unsync());
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        response
    }
}

const DYNAMODB: &str = "application/x-amz-json-1.0";
const SECRETS_MANAGER: &str = "application/x-amz-json-1.1";

fn throttled(backend: Backend) -> Reply {
    match backend {
        Backend::DynamoDb => Reply::json(
            400,
            DYNAMODB,
            &json!({
                "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "message": "The level of configured provisioned throughput for the table was exceeded. \
                            Consider increasing your provisioning level with the UpdateTable API.",
            }),
        ),
        Backend::SecretsManager => Reply::json(
            400,
            SECRETS_MANAGER,
            &json!({
                "__type": "ThrottlingException",
                "message": "Rate exceeded",
            }),
        ),
        Backend::S3 => s3(503, "SlowDown", "Please reduce your request rate."),
        // PortOne documents no throttling; what stands before its API answers a page.
        Backend::Portone | Backend::PortoneV1 => {
            Reply::new(429, "text/html", "<h1>429 Too Many Requests</h1>".to_owned())
        }
    }
}

fn broken(backend: Backend) -> Reply {
    match backend {
        Backend::DynamoDb => Reply::json(
            500,
            DYNAMODB,
            &json!({
                "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError",
                "message": "The request processing has failed because of an unknown error, exception or failure.",
            }),
        ),
        Backend::SecretsManager => Reply::json(
            500,
            SECRETS_MANAGER,
            &json!({
                "__type": "InternalServiceError",
                "Message": "An error occurred on the server side.",
            }),
        ),
        Backend::S3 => s3(500, "InternalError", "We encountered an internal error. Please try again."),
        Backend::Portone => Reply::json(
            500,
            "application/json",
            &json!({
                "type": "INTERNAL_SERVER_ERROR",
                "message": "일시적인 오류가 발생했습니다.",
            }),
        ),
        Backend::PortoneV1 => Reply::json(
            500,
            "application/json",
            &json!({
                "code": -1,
                "message": "일시적인 오류가 발생했습니다.",
                "response": null,
            }),
        ),
    }
}

fn s3(status: u16, code: &str, message: &str) -> Reply {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Reply::new(status, "application/xml", body)
}

/// DynamoDB tells of a conflict in two ways: in the reasons of a cancelled transaction, or, to a single
/// write that met a transaction, as an error of its own.
fn conflict(request: &Request) -> Reply {
    if request.operation != "TransactWriteItems" {
        return Reply::json(
            400,
            DYNAMODB,
            &json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
                "message": "Transaction is ongoing for the item",
            }),
        );
    }
    let items = request.json()["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<_> = (0..items)
        .map(|index| match index {
            0 => json!({"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}),
            _ => json!({"Code": "None"}),
        })
        .collect();
    let codes: Vec<_> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    Reply::json(
        400,
        DYNAMODB,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": format!(
                "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                codes.join(", ")
            ),
            "CancellationReasons": reasons,
        }),
    )
}
