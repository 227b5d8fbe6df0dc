//! `/operator/`: the operators' console as it is deployed, opened with this machine's keys.

use std::path::Path;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware::map_response,
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use lambda_gateway::{OperatorKeys, REGION};
use serde_json::json;
use tower_http::services::ServeDir;

/// What the page's own policy cannot say: nobody else's page shows it in a frame.
const POLICY: &str = "frame-ancestors 'none'";

/// Serves the console's folder, with `config.js` pointing it to this system. `portone` is the address of PortOne's
/// console.
pub(crate) fn router(folder: &Path, keys: &OperatorKeys, portone: &str) -> Router {
    let config = json!({
        "apiBase": "",
        "signIn": {
            "kind": "sigv4",
            "region": REGION,
            "credentials": { "accessKeyId": keys.access_key, "secretAccessKey": keys.secret_key },
        },
        "links": [
            { "href": "/", "ko": "데모 쇼핑몰", "en": "Demo shop" },
            { "href": portone, "ko": "결제 콘솔", "en": "PortOne simulator" },
            { "href": "/console/", "ko": "이벤트", "en": "Events" },
        ],
    });
    let config = format!("export const config = {config};\n");
    let config = move || {
        let config = config.clone();
        async move { ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], config).into_response() }
    };
    Router::new()
        .route("/operator", get(|| async { Redirect::permanent("/operator/") }))
        .route("/operator/config.js", get(config))
        .nest_service("/operator/", ServeDir::new(folder))
        .layer(map_response(with_headers))
}

/// The same address serves another system after a restart on other ports.
async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    response
}
