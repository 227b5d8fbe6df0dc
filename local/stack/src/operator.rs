//! `/operator/`: the operators' console as it is deployed, opened with this machine's keys, or signed in to at
//! this machine's provider.

use std::path::Path;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware::map_response,
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use lambda_gateway::{OperatorKeys, REGION};
use serde_json::{Value, json};
use tower_http::services::ServeDir;

use crate::issuer::{self, Issuer};

/// What the page's own policy cannot say: nobody else's page shows it in a frame.
const POLICY: &str = "frame-ancestors 'none'";

/// How one signs in at the console.
pub(crate) enum SignIn<'a> {
    /// With these keys, at once.
    Keys(&'a OperatorKeys),
    /// At this provider.
    At(&'a Issuer),
}

impl SignIn<'_> {
    fn config(&self) -> Value {
        match self {
            Self::Keys(keys) => json!({
                "kind": "sigv4",
                "region": REGION,
                "credentials": { "accessKeyId": keys.access_key, "secretAccessKey": keys.secret_key },
            }),
            Self::At(issuer) => {
                json!({ "kind": "jwt", "issuer": issuer.url(), "clientId": issuer::AUDIENCE, "scope": "openid" })
            }
        }
    }
}

/// Serves the console's folder, with `config.js` pointing it to this system. `portone` is the address of PortOne's
/// console.
pub(crate) fn router(folder: &Path, sign_in: SignIn<'_>, portone: &str) -> Router {
    let config = json!({
        "apiBase": "",
        "signIn": sign_in.config(),
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
