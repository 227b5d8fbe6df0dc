//! `/_simulator/…`: the control API for tests in any language and for the console page. JSON both ways.
//!
//! Answered to this machine only, and not to web pages of other origins: it has no other protection.

mod overview;
mod routes;

use std::net::SocketAddr;

use axum::{
    Json, Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use serde_json::json;

use crate::{payment::Refusal, simulator::Simulator};

pub(crate) fn router(simulator: &Simulator) -> Router<Simulator> {
    let routes = Router::new()
        .route("/overview", get(overview::overview))
        .route("/changes", get(overview::changes))
        .route(
            "/payments/{id}",
            get(overview::payment).put(routes::put_payment).delete(routes::forget_payment),
        )
        .route("/payments/{id}/actions", post(routes::act))
        .route("/payments/{id}/cancel-mode", put(routes::set_cancel_mode))
        .route("/payments/{id}/patch", put(routes::patch_payment))
        .route("/payments/{id}/raw-text", put(routes::set_raw_text))
        .route("/windows/{transaction_id}/press", post(routes::press))
        .route("/switches", get(routes::switches).patch(routes::patch_switches))
        .route("/webhooks", get(overview::deliveries).post(routes::send_event))
        .route("/webhooks/rules", get(routes::rules).patch(routes::patch_rules))
        .route("/webhooks/release", post(routes::release))
        .route("/webhooks/test", post(routes::send_test))
        .route("/webhooks/{id}/resend", post(routes::resend))
        .route("/faults", get(routes::faults).post(routes::add_fault).delete(routes::clear_faults))
        .route("/faults/{number}", delete(routes::remove_fault))
        .route("/secrets", put(routes::set_secrets))
        .route("/v1/tokens", delete(routes::expire_v1_tokens))
        .route("/v1/payments/{imp_uid}", get(routes::v1_payment))
        .route("/v1/charges", post(routes::charge_by_rest))
        .route("/v1/windows", post(routes::open_v1_window))
        .route("/v1/windows/{imp_uid}/press", post(routes::press_v1))
        .route("/clock", get(routes::clock).post(routes::turn_clock))
        .route("/calls", get(routes::calls).delete(routes::clear_calls))
        .route("/settle", post(routes::settle))
        .route("/reset", post(routes::reset))
        .route_layer(from_fn_with_state(simulator.clone(), own_machine_only));
    Router::new().nest("/_simulator", routes)
}

async fn own_machine_only(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let near = peer.is_some_and(|ConnectInfo(peer)| peer.ip().is_loopback());
    if near && own_page(request.headers(), simulator.url()) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// A page somewhere else must not press buttons here: the request is addressed to this simulator by its
/// own name, so that no other name can be pointed at it, and comes from no page or from its own.
fn own_page(headers: &HeaderMap, url: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let own_name =
        matches!(name, "127.0.0.1" | "localhost" | "[::1]") || url.ends_with(&format!("://{host}"));
    let own_origin = |origin: &str| origin.split_once("://").is_some_and(|(_, it)| it == host);
    own_name && text(header::ORIGIN).is_none_or(own_origin)
}

/// A refusal as the control API says it: always 4xx, the reason in words.
struct Refused(Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        use Refusal as R;
        let status = match &self.0 {
            R::PaymentNotFound | R::TransactionNotFound | R::CancellationNotFound | R::WebhookNotFound => {
                StatusCode::NOT_FOUND
            }
            R::Invalid(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::CONFLICT,
        };
        (status, Json(json!({ "error": format!("{:?}", self.0) }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        own_page(&headers, "http://portone.test:3001")
    }

    #[test]
    fn a_page_of_another_origin_cannot_press_buttons() {
        assert!(allowed("127.0.0.1:3001", None));
        assert!(allowed("127.0.0.1:3001", Some("http://127.0.0.1:3001")));
        assert!(!allowed("127.0.0.1:3001", Some("http://127.0.0.1:3000")));
        assert!(!allowed("127.0.0.1:3001", Some("null")));
    }

    #[test]
    fn a_foreign_name_for_this_machine_is_refused() {
        assert!(allowed("portone.test:3001", Some("http://portone.test:3001")));
        assert!(!allowed("evil.example:3001", Some("http://evil.example:3001")));
        assert!(!allowed("evil.example:3001", None));
    }
}
