//! AWS Secrets Manager on one machine: winterbaume's implementation behind a listener. In memory only; the
//! stack seeds it at every start.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use axum::{Router, body::Body, extract::State, http};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use winterbaume_core::{MockRequest, MockService as _};
use winterbaume_secretsmanager::SecretsManagerService;

/// The service takes its region from the host; the ARNs then say the right one.
const URI: &str = "https://secretsmanager.ap-northeast-2.amazonaws.com/";
/// Larger than any secret; AWS's limit is 64 KB.
const BODY_MAX: usize = 1024 * 1024;

/// A running Secrets Manager.
pub struct SecretsManager {
    service: Arc<SecretsManagerService>,
    server: JoinHandle<()>,
}

impl SecretsManager {
    /// Serves `listener`, with nothing in it.
    pub fn start(listener: TcpListener) -> Self {
        let service = Arc::new(SecretsManagerService::new());
        let app = Router::new().fallback(serve).with_state(service.clone());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Self { service, server }
    }

    /// Creates a secret. An error if there is one of this name.
    pub async fn create(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        self.call("CreateSecret", &json!({"Name": name, "SecretString": secret})).await.map(drop)
    }

    /// Puts a new version, which every read from now on gets.
    pub async fn put(&self, name: &str, secret: &str) -> anyhow::Result<()> {
        self.call("PutSecretValue", &json!({"SecretId": name, "SecretString": secret})).await.map(drop)
    }

    async fn call(&self, operation: &str, body: &Value) -> anyhow::Result<Value> {
        let target = format!("secretsmanager.{operation}");
        let headers = http::HeaderMap::from_iter([(
            http::HeaderName::from_static("x-amz-target"),
            http::HeaderValue::from_str(&target).context("an operation's name is ASCII")?,
        )]);
        let request = MockRequest {
            method: "POST".to_owned(),
            uri: URI.to_owned(),
            headers,
            body: body.to_string().into(),
        };
        let response = self.service.handle(request).await;
        let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        ensure!(response.status == 200, "{operation}: {} {}", response.status, answer["__type"]);
        Ok(answer)
    }

    pub(crate) fn stop(&self) {
        self.server.abort();
    }
}

async fn serve(
    State(service): State<Arc<SecretsManagerService>>,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return status(413, Body::empty());
    };
    let request =
        MockRequest { method: parts.method.to_string(), uri: URI.to_owned(), headers: parts.headers, body };
    let answer = service.handle(request).await;
    let mut response = status(answer.status, Body::from(answer.body));
    *response.headers_mut() = answer.headers;
    response
}

fn status(status: u16, body: Body) -> http::Response<Body> {
    let mut response = http::Response::new(body);
    *response.status_mut() = status.try_into().unwrap_or_default();
    response
}
