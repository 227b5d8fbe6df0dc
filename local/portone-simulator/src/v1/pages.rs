//! `iamport.js`, and the window it asks for. The window page itself is the one V2 uses.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Browser, open};
use crate::{assets, checkout::pages::allowing, simulator::Simulator};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/v1/iamport.js", get(script))
        .route("/v1/windows", post(open_window).options(preflight))
}

async fn script(State(simulator): State<Simulator>) -> Response {
    assets::public_script(assets::IAMPORT_JS, simulator.url())
}

#[derive(Deserialize)]
struct WindowBody {
    params: Value,
    #[serde(default)]
    mobile: bool,
}

async fn open_window(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    Json(body): Json<WindowBody>,
) -> Response {
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
    let browser =
        Browser { mobile: body.mobile, origin: text(header::ORIGIN), user_agent: text(header::USER_AGENT) };
    let opened = simulator.change(|world| open(world, &body.params, browser));
    let response = match opened {
        Ok(opened) => {
            let url = format!("{}/window/{}", simulator.url(), opened.imp_uid);
            let answer =
                json!({ "txId": opened.imp_uid, "presentation": opened.presentation, "windowUrl": url });
            Json(answer).into_response()
        }
        Err(refused) => (StatusCode::BAD_REQUEST, Json(refused.callback())).into_response(),
    };
    allowing(response, &headers)
}

async fn preflight(headers: HeaderMap) -> Response {
    allowing(StatusCode::NO_CONTENT.into_response(), &headers)
}
