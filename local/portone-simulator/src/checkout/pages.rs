//! The SDK script, the payment window and what its buttons call.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Press, WindowResult, open, press, redirect_to};
use crate::{
    assets,
    payment::{PayMethod, Payment, Status, Transaction},
    simulator::Simulator,
    v1,
    world::World,
};

pub(super) fn router() -> Router<Simulator> {
    Router::new()
        .route("/v2/browser-sdk.js", get(sdk))
        .route("/checkout/windows", post(open_window).options(preflight))
        .route("/window/{transaction_id}", get(window))
        .route("/window/{transaction_id}/press", post(press_button))
}

async fn sdk(State(simulator): State<Simulator>) -> Response {
    assets::public_script(assets::BROWSER_SDK, simulator.url())
}

#[derive(Deserialize)]
struct WindowBody {
    request: Value,
    #[serde(default)]
    mobile: bool,
}

async fn open_window(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    Json(body): Json<WindowBody>,
) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).map(str::to_owned);
    let opened = simulator.change(|world| open(world, &body.request, body.mobile, origin));
    let response = match opened {
        Ok(opened) => {
            let url = format!("{}/window/{}", simulator.url(), opened.tx_id);
            let answer =
                json!({ "txId": opened.tx_id, "presentation": opened.presentation, "windowUrl": url });
            Json(answer).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(error)).into_response(),
    };
    allowing(response, &headers)
}

async fn preflight(headers: HeaderMap) -> Response {
    allowing(StatusCode::NO_CONTENT.into_response(), &headers)
}

/// The SDK runs on the shop's origin, whichever that is.
pub(crate) fn allowing(mut response: Response, request: &HeaderMap) -> Response {
    let Some(origin) = request.get(header::ORIGIN).cloned() else { return response };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
    response
}

async fn window(State(simulator): State<Simulator>, Path(id): Path<String>) -> Response {
    let data = simulator.read(|world| {
        let (payment, tx) = world.transaction(&id).ok()?;
        Some(window_data(world, payment, tx))
    });
    match data {
        Some(data) => assets::page_with_data(assets::WINDOW_HTML, &data),
        None => (StatusCode::NOT_FOUND, assets::page(assets::GONE_HTML)).into_response(),
    }
}

fn window_data(world: &World, payment: &Payment, tx: &Transaction) -> Value {
    let (method_ko, method_en) = tx.pay_method.label();
    let result = super::result(payment, tx, None);
    let decided = tx.status != Status::Ready || tx.payment_token.is_some();
    let (_, redirect_to) = handed(world, tx, &result);
    json!({
        "txId": tx.id,
        "paymentId": payment.id,
        "storeId": payment.store_id,
        "orderName": tx.order_name,
        "amount": tx.amount.total,
        "currency": tx.currency,
        "method": { "ko": method_ko, "en": method_en },
        "issuesAccount": tx.pay_method == PayMethod::VirtualAccount,
        "channel": { "name": tx.channel.name, "kind": tx.channel.kind.as_str(), "pgProvider": tx.channel.pg_provider },
        "otherKind": tx.channel.kind.other().as_str(),
        "locale": tx.checkout.locale,
        "status": tx.status.as_str(),
        "presentation": tx.checkout.presentation,
        "pageOrigin": tx.checkout.page_origin,
        "redirects": redirect_to.is_some(),
        "result": decided.then(|| json!(result)),
        "redirectTo": redirect_to.filter(|_| decided),
    })
}

#[derive(Deserialize)]
struct PressBody {
    button: Press,
}

async fn press_button(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(body): Json<PressBody>,
) -> Response {
    let result = match press(&simulator, &id, body.button).await {
        Ok(result) => result,
        Err(refusal) => return crate::v2::error::ApiError::from(refusal).into_response(),
    };
    let handed = simulator.read(|world| {
        let (_, tx) = world.transaction(&id).ok()?;
        Some(handed(world, tx, &result))
    });
    let (rsp, redirect) = handed.unwrap_or_default();
    Json(json!({ "result": result, "rsp": rsp, "redirectTo": redirect })).into_response()
}

/// V1's callback value, if V1 opened the window; and where the buyer goes, if the window replaced the page.
fn handed(world: &World, tx: &Transaction, result: &WindowResult) -> (Option<Value>, Option<String>) {
    if let Some(handed) = v1::callback::handed(world, &tx.id, result) {
        return (Some(handed.rsp), handed.redirect_to);
    }
    let back = tx.checkout.redirect_url.as_deref().filter(|_| tx.checkout.redirects);
    (None, back.and_then(|url| redirect_to(url, result)))
}
