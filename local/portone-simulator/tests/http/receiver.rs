//! A shop's webhook endpoint that answers what it is told to and remembers what it got.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::Value;

#[derive(Clone)]
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    status: Mutex<u16>,
    answer: Mutex<String>,
    got: Mutex<Vec<Got>>,
}

#[derive(Clone, Debug)]
pub struct Got {
    pub headers: HeaderMap,
    pub body: String,
}

impl Got {
    pub fn kind(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["type"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/portone", listener.local_addr().unwrap());
        let inner =
            Arc::new(Inner { status: Mutex::new(200), answer: Mutex::default(), got: Mutex::default() });
        let app = Router::new().fallback(take).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner }
    }

    pub fn answers(&self, status: u16, body: &str) {
        *self.inner.status.lock().unwrap() = status;
        *self.inner.answer.lock().unwrap() = body.to_owned();
    }

    pub fn got(&self) -> Vec<Got> {
        self.inner.got.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.got().iter().map(|got| got.kind().replace("Transaction.", "")).collect()
    }
}

async fn take(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    inner.got.lock().unwrap().push(Got { headers, body });
    let status = StatusCode::from_u16(*inner.status.lock().unwrap()).unwrap();
    (status, inner.answer.lock().unwrap().clone())
}
