//! The demo shop and the checkout module with its examples: static files, and the one file that differs
//! between this machine and a deployment.

use std::path::Path;

use axum::{Router, http::header, response::IntoResponse as _, routing::get};
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
        .fallback_service(ServeDir::new(root.join("shop")))
}
