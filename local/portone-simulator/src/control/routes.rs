//! The control API's settings and acts.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::Refused;
use crate::{
    calls::Call,
    checkout::{Press, WindowResult},
    clock::Timestamp,
    config::WebhookTarget,
    desk::Act,
    fault::FaultRule,
    json::merge_patch,
    payment::{CancelMode, Refusal},
    raw::RawText,
    simulator::Simulator,
    spec::PaymentSpec,
    switches::Switches,
    v2::render,
    webhook::{Delivery, Event, ReleaseOrder, WebhookRules, signature},
};

type Answer<T> = Result<Json<T>, Refused>;

pub(super) async fn put_payment(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(spec): Json<PaymentSpec>,
) -> Answer<Value> {
    simulator.put_payment(&id, &spec)?;
    shown(&simulator, &id)
}

fn shown(simulator: &Simulator, id: &str) -> Answer<Value> {
    simulator.read(|world| Ok(Json(render::payment(world, world.payment(id)?))))
}

pub(super) async fn forget_payment(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    simulator.forget_payment(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `{"action": "…", …}` with an optional `transactionId`.
pub(super) async fn act(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(mut body): Json<Value>,
) -> Answer<Value> {
    let attempt = body.as_object_mut().and_then(|body| body.shift_remove("transactionId"));
    let act: Act = typed(body)?;
    match attempt.as_ref().and_then(Value::as_str) {
        Some(attempt) => simulator.act_on(&id, attempt, &act)?,
        None => simulator.act(&id, &act)?,
    }
    shown(&simulator, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelModeBody {
    mode: CancelMode,
    times: Option<u32>,
}

pub(super) async fn set_cancel_mode(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(body): Json<CancelModeBody>,
) -> Result<StatusCode, Refused> {
    simulator.set_cancel_mode(&id, body.mode, body.times)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn patch_payment(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(patch): Json<Value>,
) -> Answer<Value> {
    simulator.patch_payment(&id, patch)?;
    shown(&simulator, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTextBody {
    field: String,
    raw: Option<RawText>,
}

pub(super) async fn set_raw_text(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(body): Json<RawTextBody>,
) -> Result<StatusCode, Refused> {
    simulator.set_raw_text(&id, &body.field, body.raw)?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct PressBody {
    button: Press,
}

pub(super) async fn press(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
    Json(body): Json<PressBody>,
) -> Answer<WindowResult> {
    Ok(Json(simulator.press(&id, body.button).await?))
}

pub(super) async fn switches(State(simulator): State<Simulator>) -> Json<Switches> {
    Json(simulator.switches())
}

pub(super) async fn patch_switches(
    State(simulator): State<Simulator>,
    Json(patch): Json<Value>,
) -> Answer<Switches> {
    let wanted = patched(&simulator.switches(), &patch)?;
    simulator.set_switches(|switches| *switches = wanted);
    Ok(switches(State(simulator)).await)
}

pub(super) async fn rules(State(simulator): State<Simulator>) -> Json<WebhookRules> {
    Json(simulator.webhook_rules())
}

pub(super) async fn patch_rules(
    State(simulator): State<Simulator>,
    Json(patch): Json<Value>,
) -> Answer<WebhookRules> {
    let wanted = patched(&simulator.webhook_rules(), &patch)?;
    simulator.set_webhook_rules(|rules| *rules = wanted);
    Ok(rules(State(simulator)).await)
}

/// `null` puts a member back to its default, since a merge patch removes it.
fn patched<T: Serialize + DeserializeOwned>(now: &T, patch: &Value) -> Result<T, Refused> {
    let mut settings = serde_json::to_value(now).map_err(|error| Refusal::Invalid(error.to_string()))?;
    merge_patch(&mut settings, patch);
    typed(settings)
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Refused> {
    serde_json::from_value(value).map_err(|error| Refused(Refusal::Invalid(error.to_string())))
}

#[derive(Deserialize)]
pub(super) struct ReleaseBody {
    #[serde(default)]
    order: ReleaseOrder,
}

pub(super) async fn release(
    State(simulator): State<Simulator>,
    Json(body): Json<ReleaseBody>,
) -> Json<Value> {
    Json(json!({ "released": simulator.release_webhooks(body.order) }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventBody {
    #[serde(rename = "type")]
    kind: String,
    payment_id: String,
    transaction_id: Option<String>,
    cancellation_id: Option<String>,
    total_amount: Option<i64>,
}

pub(super) async fn send_event(
    State(simulator): State<Simulator>,
    Json(body): Json<EventBody>,
) -> Answer<Value> {
    sent(&simulator, body)
}

/// The console's test button: a Paid event about ids that match nothing.
pub(super) async fn send_test(State(simulator): State<Simulator>) -> Answer<Value> {
    let id = simulator.change(|world| world.book.chance.uuid());
    let body = EventBody {
        kind: "Transaction.Paid".to_owned(),
        payment_id: format!("test-payment-{id}"),
        transaction_id: Some(format!("test-transaction-{id}")),
        cancellation_id: None,
        total_amount: None,
    };
    sent(&simulator, body)
}

fn sent(simulator: &Simulator, body: EventBody) -> Answer<Value> {
    let event = Event {
        kind: body.kind,
        happened: Timestamp::wall(),
        payment_id: body.payment_id,
        store_id: simulator.config().store_id.clone(),
        transaction_id: body
            .transaction_id
            .unwrap_or_else(|| "00000000-0000-0000-0000-000000000000".to_owned()),
        cancellation_id: body.cancellation_id,
        total_amount: body.total_amount,
    };
    let id =
        simulator.send_event(&event).ok_or_else(|| Refusal::Invalid("no webhook URL is set".to_owned()))?;
    Ok(Json(json!({ "webhookId": id })))
}

pub(super) async fn resend(State(simulator): State<Simulator>, Path(id): Path<String>) -> Answer<Delivery> {
    Ok(Json(simulator.resend_webhook(&id).await?))
}

pub(super) async fn faults(State(simulator): State<Simulator>) -> Json<Value> {
    let listed = simulator.read(|world| {
        let rules = world.faults.list().iter();
        rules.map(|(number, rule)| json!({ "number": number, "rule": rule })).collect::<Vec<_>>()
    });
    Json(json!({ "faults": listed }))
}

pub(super) async fn add_fault(
    State(simulator): State<Simulator>,
    Json(rule): Json<FaultRule>,
) -> Json<Value> {
    Json(json!({ "number": simulator.add_fault(rule) }))
}

pub(super) async fn clear_faults(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_faults();
    StatusCode::NO_CONTENT
}

pub(super) async fn remove_fault(State(simulator): State<Simulator>, Path(number): Path<u64>) -> StatusCode {
    let removed = simulator.change(|world| world.faults.remove(number));
    if removed { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SecretsBody {
    api_secrets: Option<Vec<String>>,
    webhook_secrets: Option<Vec<String>>,
    webhook_url: Option<String>,
    test_webhook: Option<WebhookTarget>,
    v1_api_key: Option<String>,
    v1_api_secret: Option<String>,
    v1_webhook_url: Option<String>,
}

pub(super) async fn set_secrets(
    State(simulator): State<Simulator>,
    Json(body): Json<SecretsBody>,
) -> Result<StatusCode, Refused> {
    let of_test = body.test_webhook.iter().flat_map(|target| &target.secrets);
    if body.webhook_secrets.iter().flatten().chain(of_test).any(|secret| !signature::is_usable(secret)) {
        return Err(Refusal::Invalid("a webhook secret is base64 and not empty".to_owned()).into());
    }
    if let Some(secrets) = body.api_secrets {
        simulator.set_api_secrets(secrets);
    }
    if let Some(secrets) = body.webhook_secrets {
        simulator.set_webhook_secrets(secrets);
    }
    if let Some(url) = body.webhook_url {
        simulator.set_webhook_url(Some(url));
    }
    match (body.v1_api_key, body.v1_api_secret) {
        (Some(key), Some(secret)) => simulator.set_v1_keys(&key, &secret),
        (None, None) => {}
        _ => return Err(Refusal::Invalid("v1ApiKey and v1ApiSecret are a pair".to_owned()).into()),
    }
    if let Some(url) = body.v1_webhook_url {
        simulator.set_v1_webhook_url(Some(url));
    }
    if let Some(target) = body.test_webhook {
        simulator.change(|world| world.test_webhook = Some(target));
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClockBody {
    advance_minutes: Option<u32>,
    advance_ms: Option<u64>,
    speed: Option<u32>,
}

pub(super) async fn clock(State(simulator): State<Simulator>) -> Json<Value> {
    let clock = simulator.clock();
    Json(json!({ "now": clock.now().rfc3339(), "wall": Timestamp::wall().rfc3339(), "speed": clock.speed() }))
}

/// Advances, then changes the speed; answers once what became due is done.
pub(super) async fn turn_clock(
    State(simulator): State<Simulator>,
    Json(body): Json<ClockBody>,
) -> Json<Value> {
    let minutes = Duration::from_secs(60) * body.advance_minutes.unwrap_or(0);
    simulator.clock().advance(minutes + Duration::from_millis(body.advance_ms.unwrap_or(0)));
    if let Some(speed) = body.speed {
        simulator.clock().set_speed(speed);
    }
    simulator.settled().await;
    clock(State(simulator)).await
}

/// Ends the V1 token that is good now.
pub(super) async fn expire_v1_tokens(State(simulator): State<Simulator>) -> StatusCode {
    simulator.expire_v1_tokens();
    StatusCode::NO_CONTENT
}

/// The attempt of an `imp_uid` as V1 shows it.
pub(super) async fn v1_payment(
    State(simulator): State<Simulator>,
    Path(imp_uid): Path<String>,
) -> Answer<Value> {
    Ok(Json(simulator.v1_payment(&imp_uid).ok_or(Refusal::TransactionNotFound)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct V1WindowBody {
    params: Value,
}

/// Opens a window as `IMP.request_pay` does: `{imp_uid}`, or what its callback is called with at once.
pub(super) async fn open_v1_window(
    State(simulator): State<Simulator>,
    Json(body): Json<V1WindowBody>,
) -> (StatusCode, Json<Value>) {
    match simulator.open_v1_window(&body.params) {
        Ok(imp_uid) => (StatusCode::CREATED, Json(json!({ "imp_uid": imp_uid }))),
        Err(refused) => (StatusCode::CONFLICT, Json(refused.callback())),
    }
}

/// Presses a button of a V1 window; answers what its callback is called with.
pub(super) async fn press_v1(
    State(simulator): State<Simulator>,
    Path(imp_uid): Path<String>,
    Json(body): Json<PressBody>,
) -> Answer<Value> {
    Ok(Json(simulator.press_v1(&imp_uid, body.button).await?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChargeBody {
    merchant_uid: String,
    #[serde(default)]
    payment: PaymentSpec,
}

/// Charges by V1's REST API, as a clerk or a schedule does.
pub(super) async fn charge_by_rest(
    State(simulator): State<Simulator>,
    Json(body): Json<ChargeBody>,
) -> Answer<Value> {
    let imp_uid = simulator.charge_by_rest(&body.merchant_uid, &body.payment)?;
    Ok(Json(json!({ "imp_uid": imp_uid })))
}

pub(super) async fn calls(State(simulator): State<Simulator>) -> Json<Vec<Call>> {
    Json(simulator.calls())
}

pub(super) async fn clear_calls(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_calls();
    StatusCode::NO_CONTENT
}

/// Answers once nothing is on the wire and nothing is due.
pub(super) async fn settle(State(simulator): State<Simulator>) -> StatusCode {
    simulator.settled().await;
    StatusCode::NO_CONTENT
}

pub(super) async fn reset(State(simulator): State<Simulator>) -> StatusCode {
    simulator.reset();
    StatusCode::NO_CONTENT
}
