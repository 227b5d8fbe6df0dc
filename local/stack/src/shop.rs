//! The demo shop and the checkout module with its examples: static files, and the one file that differs
//! between this machine and a deployment.

use std::path::Path;

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
    routing::get,
};
use portone_simulator::Simulator;
use serde_json::json;
use tower_http::services::ServeDir;

/// Serves the shop's folder, with `/config.js` pointing it to this system, and `/checkout/` beside it. What the
/// examples in JSX and with packages are built to is a product of the build, so it lies under `target`.
pub(crate) fn router(root: &Path, simulator: &Simulator) -> Router {
    let config = json!({
        "apiBase": "",
        "portoneSdk": simulator.sdk_url(),
        "portoneV1Sdk": simulator.v1_sdk_url(),
        "portoneV1Code": "imp00000000",
        "simulatorConsole": format!("{}/console", simulator.url()),
    });
    let config = format!("export const config = {config};\n");
    let config = move || {
        let config = config.clone();
        async move {
            let headers = [
                (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
                // The same address serves another system after a restart on other ports.
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, config).into_response()
        }
    };
    Router::new()
        .route("/config.js", get(config))
        .nest_service("/checkout/examples/built", ServeDir::new(root.join("target/examples")))
        .nest_service("/checkout", ServeDir::new(root.join("checkout")))
        .route_layer(from_fn(as_readable))
        .fallback_service(ServeDir::new(root.join("shop")))
}

/// The examples' code is read in a browser too: in its own encoding, and types as the text they are, which by
/// their name would be a film.
async fn as_readable(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let shown = if path.ends_with(".ts") {
        Some("text/plain; charset=utf-8")
    } else if path.ends_with(".js") || path.ends_with(".jsx") {
        Some("text/javascript; charset=utf-8")
    } else {
        None
    };
    let mut response = next.run(request).await;
    if let Some(shown) = shown.filter(|_| response.status().is_success()) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(shown));
    }
    response
}
