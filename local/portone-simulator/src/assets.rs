//! Pages, scripts and the one style sheet, inside the library so that it needs no files at run time.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;

use crate::simulator::Simulator;

pub(crate) const BROWSER_SDK: &str = include_str!("../assets/browser-sdk.js");
pub(crate) const IAMPORT_JS: &str = include_str!("../assets/iamport.js");
pub(crate) const WINDOW_HTML: &str = include_str!("../assets/window.html");
pub(crate) const GONE_HTML: &str = include_str!("../assets/gone.html");
const CONSOLE_HTML: &str = include_str!("../assets/console.html");
const STYLE: &str = include_str!("../assets/simulator.css");
/// What both browser scripts need to show a window over the shop's page.
const WINDOW_HOST_JS: &str = include_str!("../assets/window-host.js");
const WINDOW_JS: &str = include_str!("../assets/window.js");
const CONSOLE_JS: &str = include_str!("../assets/console.js");

/// Where a page's data goes, inside its `<script type="application/json">`.
const DATA_PLACE: &str = "__DATA__";
/// Pages load nothing but their own files, and talk to nobody but the simulator.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/// The console page and the files of all pages.
pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/", get(|| async { page(CONSOLE_HTML) }))
        .route("/console", get(|| async { page(CONSOLE_HTML) }))
        .route("/assets/simulator.css", get(|| async { file("text/css; charset=utf-8", STYLE.to_owned()) }))
        .route("/assets/window.js", get(|| async { script(WINDOW_JS.to_owned()) }))
        .route("/assets/console.js", get(|| async { script(CONSOLE_JS.to_owned()) }))
        .route("/favicon.ico", get(|| async { axum::http::StatusCode::NO_CONTENT }))
}

/// A page as it is.
pub(crate) fn page(html: &str) -> Response {
    let mut response = file("text/html; charset=utf-8", html.to_owned());
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(HeaderName::from_static("content-security-policy"), policy);
    response
}

/// A page with its data.
pub(crate) fn page_with_data(html: &str, data: &Value) -> Response {
    // `<` would let a shop's order name end the script element.
    page(&html.replace(DATA_PLACE, &data.to_string().replace('<', "\\u003c")))
}

/// A classic script for shops' pages: `origin` is where it came from when the page does not say.
pub(crate) fn public_script(source: &str, origin: &str) -> Response {
    let source = source.replace("// __WINDOW_HOST__", WINDOW_HOST_JS).replace("__SIMULATOR_ORIGIN__", origin);
    let mut response = script(source);
    // Pages of any origin load it, as they load the real one from its CDN.
    let anyone = HeaderValue::from_static("cross-origin");
    response.headers_mut().insert("cross-origin-resource-policy", anyone);
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// A classic script.
pub(crate) fn script(source: String) -> Response {
    file("text/javascript; charset=utf-8", source)
}

fn file(content_type: &'static str, text: String) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}
