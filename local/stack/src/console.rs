//! `/console/`: a page that shows what is on the event bus as it comes, and the dead letters, to be sent
//! again. Answered under this machine's own names, and to no page of another origin.

use std::{
    convert::Infallible,
    sync::{OnceLock, Weak},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{
        IntoResponse as _, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{bus::Bus, pipe::RunningPipe};

const PAGE: &str = include_str!("../assets/console.html");
const OWN_STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
/// One sheet for both consoles.
const STYLE: &str = include_str!("../../portone-simulator/assets/simulator.css");
/// The page loads nothing but its own files, and talks to nobody but this system.
const POLICY: &str = "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'";
/// As many events as somebody looks through.
const SHOWN: usize = 200;

/// What the page is about.
#[derive(Clone)]
pub(crate) struct Console {
    pub(crate) bus: Bus,
    /// The pipe, which is started after the page is served. Not held: it holds the functions.
    pub(crate) pipe: Weak<OnceLock<RunningPipe>>,
    /// The address of PortOne's console.
    pub(crate) portone: String,
    /// Where the system's parts are and what its functions are told, for who looks at it from outside.
    pub(crate) system: Value,
    /// True when the system is being stopped.
    pub(crate) stopping: watch::Receiver<bool>,
}

/// The page and what it asks for.
pub(crate) fn router(console: Console) -> Router {
    Router::new()
        .route("/console", get(|| async { Redirect::permanent("/console/") }))
        .route("/console/", get(page))
        .route("/console/console.js", get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/console/console.css", get(|| async { file("text/css; charset=utf-8", OWN_STYLE) }))
        .route("/console/simulator.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
        .route("/console/overview", get(overview))
        .route("/console/system", get(system))
        .route("/console/changes", get(changes))
        .route("/console/redrive", post(redrive))
        .route_layer(from_fn(own_pages_only))
        .with_state(console)
}

async fn page() -> Response {
    let mut page = file("text/html; charset=utf-8", PAGE);
    let policy = HeaderName::from_static("content-security-policy");
    page.headers_mut().insert(policy, HeaderValue::from_static(POLICY));
    page
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], text).into_response()
}

impl Console {
    /// What `look` sees of the pipe, if there is one.
    fn pipe<T>(&self, look: impl FnOnce(&RunningPipe) -> T) -> Option<T> {
        self.pipe.upgrade()?.get().map(look)
    }
}

async fn overview(State(console): State<Console>) -> Json<Value> {
    let events: Vec<Value> = console.bus.events().into_iter().rev().take(SHOWN).collect();
    Json(json!({
        "published": *console.bus.published().borrow(),
        "events": events,
        "deadLetters": console.pipe(RunningPipe::dead_letters).unwrap_or_default(),
        "links": [
            { "href": "/", "ko": "데모 쇼핑몰", "en": "Demo shop" },
            { "href": console.portone, "ko": "결제 콘솔", "en": "PortOne simulator" },
        ],
    }))
}

async fn system(State(console): State<Console>) -> Json<Value> {
    Json(console.system)
}

async fn redrive(State(console): State<Console>) -> Response {
    let Some(pipe) = console.pipe.upgrade() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let Some(pipe) = pipe.get() else { return Json(json!({ "redriven": 0, "left": 0 })).into_response() };
    match pipe.redrive().await {
        Ok(redriven) => {
            Json(json!({ "redriven": redriven, "left": pipe.dead_letters().len() })).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

/// Server-sent events: one for each change, or for several at once.
async fn changes(State(console): State<Console>) -> Response {
    // Without a pipe nothing steps forward; the sender of a channel of its own is gone at once.
    let progress = console.pipe(RunningPipe::progress).unwrap_or_else(|| watch::channel(None).1);
    let watched = (console.bus.published(), progress, console.stopping);
    let events = stream::unfold(watched, |(mut published, mut progress, mut stopping)| async move {
        let stepped = async {
            if progress.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            outcome = published.changed() => outcome.ok()?,
            () = stepped => {}
            _ = stopping.wait_for(|stop| *stop) => return None,
        }
        // A browser drops an event without data.
        let event = Event::default().event("change").data("look");
        Some((Ok::<_, Infallible>(event), (published, progress, stopping)))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

async fn own_pages_only(request: Request, next: Next) -> Response {
    if own_page(request.headers()) { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

/// A page somewhere else must not press buttons here: the request is addressed to this machine by a name
/// that nobody else can have, and comes from no page or from its own.
fn own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let own_origin = |origin: &str| origin.strip_prefix("http://") == Some(host);
    matches!(name, "127.0.0.1" | "localhost") && text(header::ORIGIN).is_none_or(own_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_page_may_look_and_press() {
        let allowed = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            own_page(&headers)
        };
        assert!(allowed("127.0.0.1:3000", None));
        assert!(allowed("localhost:3000", Some("http://localhost:3000")));
        assert!(!allowed("127.0.0.1:3000", Some("http://127.0.0.1:3001")));
        assert!(!allowed("127.0.0.1:3000", Some("null")));
        assert!(!allowed("evil.example:3000", Some("http://evil.example:3000")));
        assert!(!allowed("evil.example", None));
    }
}
