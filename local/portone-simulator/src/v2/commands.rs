//! The calls that change something.

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    At, bank,
    error::ApiError,
    read,
    reads::{StoreQuery, own_store, readable},
    render,
};
use crate::{
    clock::Timestamp,
    config::ChannelKind,
    guard::LostReply,
    payment::{
        CancelMode, CancelRequest, PayMethod, Payment, Refusal, RetainOption, Status, Version,
        attempt::Captured,
        cancel::{CancelTrigger, RefundAccount},
    },
    simulator::Simulator,
    switches::CapReaction,
    timekeeper, webhook,
    world::{Deed, Publication, Registration, World},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoginBody {
    api_secret: String,
}

/// `POST /login/api-secret`.
pub(super) async fn login(State(simulator): State<Simulator>, body: Bytes) -> Result<Json<Value>, ApiError> {
    let LoginBody { api_secret } = read(&body)?;
    let now = simulator.clock().now();
    simulator.touch(|world| {
        if !world.api_secrets.contains(&api_secret) {
            return Err(ApiError::unauthorized());
        }
        Ok(tokens(world.sessions.login(now, &mut world.book.chance)))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefreshBody {
    refresh_token: String,
}

/// `POST /token/refresh`.
pub(super) async fn refresh(
    State(simulator): State<Simulator>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let RefreshBody { refresh_token } = read(&body)?;
    let now = simulator.clock().now();
    simulator.touch(|world| {
        let refreshed = world.sessions.refresh(&refresh_token, now, &mut world.book.chance);
        refreshed.map(tokens).ok_or_else(ApiError::unauthorized)
    })
}

fn tokens((access, refresh): (String, String)) -> Json<Value> {
    Json(json!({ "accessToken": access, "refreshToken": refresh }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PreRegisterBody {
    store_id: Option<String>,
    total_amount: Option<i64>,
    tax_free_amount: Option<i64>,
    currency: Option<String>,
}

/// `POST /payments/{paymentId}/pre-register`. May be repeated with other values until money was captured.
pub(super) async fn pre_register(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: PreRegisterBody = read(&body)?;
    if body.total_amount.is_some_and(i64::is_negative) || body.tax_free_amount.is_some_and(i64::is_negative) {
        return Err(ApiError::invalid("amounts must be integers of 0 or more"));
    }
    simulator.change(|world| {
        let store_id = own_store(world, body.store_id.as_deref())?.to_owned();
        let paid = world.payment(&id).ok().filter(|payment| payment.store_id == store_id);
        if paid.is_some_and(Payment::captured) {
            return Err(Refusal::AlreadyPaid.into());
        }
        let at = world.book.registrations.get(&id).map_or_else(Timestamp::wall, |before| before.at);
        let registration = Registration {
            total: body.total_amount,
            tax_free: body.tax_free_amount,
            currency: body.currency,
            store_id,
            at,
        };
        world.book.registrations.insert(id, registration);
        Ok(Json(json!({})))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelBody {
    store_id: Option<String>,
    amount: Option<i64>,
    tax_free_amount: Option<i64>,
    vat_amount: Option<i64>,
    reason: String,
    #[serde(rename = "requester")]
    _requester: Option<Requester>,
    promotion_discount_retain_option: Option<RetainOption>,
    current_cancellable_amount: Option<i64>,
    refund_account: Option<RefundAccountBody>,
    #[serde(default)]
    skip_webhook: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Requester {
    Customer,
    Admin,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundAccountBody {
    bank: String,
    number: String,
    holder_name: String,
    #[serde(rename = "holderPhoneNumber")]
    _holder_phone_number: Option<String>,
}

/// `POST /payments/{paymentId}/cancel`.
pub(super) async fn cancel(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body: CancelBody = read(&body)?;
    if body.amount.is_some_and(|amount| amount <= 0)
        || body.tax_free_amount.is_some_and(i64::is_negative)
        || body.vat_amount.is_some_and(i64::is_negative)
    {
        return Err(ApiError::invalid("amount must be positive, its parts 0 or more"));
    }
    if let Some(account) = &body.refund_account
        && !bank::is_known(&account.bank)
    {
        return Err(ApiError::invalid("refundAccount.bank is unknown"));
    }
    let request = CancelRequest {
        reason: body.reason,
        amount: body.amount,
        tax_free: body.tax_free_amount,
        vat: body.vat_amount,
        current_balance: body.current_cancellable_amount,
        refund_account: body.refund_account.map(|account| RefundAccount {
            bank: account.bank,
            number: account.number,
            holder_name: account.holder_name,
        }),
        retain: body.promotion_discount_retain_option,
        trigger: CancelTrigger::Api,
    };
    let silent = body.skip_webhook.unwrap_or(false);
    simulator.change(|world| {
        let payment = readable(world, &id, body.store_id.as_deref())?;
        // A V1 shop is told of no cancellation by API unless V1's own call asks for it.
        let silent = silent || payment.version == Version::V1;
        let (cancellation, mode) =
            world.cancel(&id, &request, silent).map_err(|refusal| capped(world, refusal))?;
        let mut response =
            Json(json!({ "cancellation": render::cancellation(&cancellation) })).into_response();
        match mode {
            CancelMode::EffectThenHang => {
                response.extensions_mut().insert(LostReply::Hang);
            }
            CancelMode::EffectThenDrop => {
                response.extensions_mut().insert(LostReply::Drop);
            }
            CancelMode::Sync | CancelMode::Async | CancelMode::FailInBand | CancelMode::RefuseByPg => {}
        }
        Ok(response)
    })
}

fn capped(world: &World, refusal: Refusal) -> ApiError {
    match (&refusal, world.switches.cancel_cap_reaction) {
        (Refusal::CancelCountReached, CapReaction::PgProvider) => {
            let message = "취소 가능 횟수를 초과했습니다.".to_owned();
            Refusal::Pg { code: "MAX_CANCEL_COUNT".to_owned(), message }.into()
        }
        _ => refusal.into(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StopBody {
    store_id: Option<String>,
}

/// `POST /payments/{paymentId}/cancellations/{cancellationId}/stop`. What a stopped cancellation then
/// shows is not stated; FAILED here, and nothing is sent.
pub(super) async fn stop(
    State(simulator): State<Simulator>,
    At((id, cancellation_id)): At<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: StopBody = read(&body)?;
    let wall = Timestamp::wall();
    simulator.change(|world| {
        readable(world, &id, body.store_id.as_deref())?;
        let rules = world.cancel_rules();
        let payment = world.payment_mut(&id)?;
        payment.end_cancellation(Some(&cancellation_id), false, String::new(), rules, wall)?;
        Ok(Json(json!({ "stoppedAt": wall.rfc3339() })))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmBody {
    payment_token: String,
    store_id: Option<String>,
    tx_id: Option<String>,
    currency: Option<String>,
    total_amount: Option<i64>,
    tax_free_amount: Option<i64>,
    is_test: Option<bool>,
    skip_webhook: Option<bool>,
}

/// `POST /payments/{paymentId}/confirm`: approves what the window of a manual-approval channel prepared.
pub(super) async fn confirm(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: ConfirmBody = read(&body)?;
    let wall = Timestamp::wall();
    simulator.change(|world| {
        let tx_id = to_confirm(readable(world, &id, body.store_id.as_deref())?, &body)?;
        let pg = world.pg_details(&tx_id, None)?;
        let pg_tx_id = pg.pg_tx_id.clone();
        let payment = world.payment_mut(&id)?;
        let issues = payment.transaction_mut(&tx_id)?.pay_method == PayMethod::VirtualAccount;
        let news = if issues {
            payment.issue(&tx_id, pg, wall)?
        } else {
            payment.approve(&tx_id, Captured::default(), pg, wall)?
        };
        payment.transaction_mut(&tx_id)?.payment_token = None;
        world.plan_expiry(&tx_id);
        let silent = body.skip_webhook.unwrap_or(false);
        world.publish(&id, &news, Publication { silent, from_window: false });
        Ok(Json(json!({ "pgTxId": pg_tx_id, "paidAt": wall.rfc3339() })))
    })
}

/// Which attempt the token belongs to, once every assertion of the caller holds.
fn to_confirm(payment: &Payment, body: &ConfirmBody) -> Result<String, Refusal> {
    if payment.captured() || payment.decisive().status == Status::VirtualAccountIssued {
        return Err(Refusal::AlreadyPaid);
    }
    let holder =
        payment.transactions.iter().find(|tx| tx.payment_token.as_ref() == Some(&body.payment_token));
    let tx = holder.ok_or(Refusal::PaymentTokenInvalid)?;
    let holds = body.tx_id.as_ref().is_none_or(|asserted| *asserted == tx.id)
        && body.currency.as_ref().is_none_or(|asserted| *asserted == tx.currency)
        && body.total_amount.is_none_or(|asserted| asserted == tx.amount.total)
        && body.tax_free_amount.is_none_or(|asserted| asserted == tx.amount.tax_free)
        && body.is_test.is_none_or(|asserted| asserted == (tx.channel.kind == ChannelKind::Test));
    if holds { Ok(tx.id.clone()) } else { Err(Refusal::InformationMismatch) }
}

/// `POST /payments/{paymentId}/virtual-account/close`.
pub(super) async fn close_account(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    Query(query): Query<StoreQuery>,
) -> Result<Json<Value>, ApiError> {
    simulator.change(|world| {
        let tx_id = readable(world, &id, query.store_id.as_deref())?.decisive().id.clone();
        timekeeper::close_account(world, &id, &tx_id, "가상계좌가 말소되었습니다.")?;
        world.book.agenda.retain(|(_, deed)| *deed != Deed::Expire(tx_id.clone()));
        Ok(Json(json!({ "closedAt": Timestamp::wall().rfc3339() })))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResendBody {
    store_id: Option<String>,
    webhook_id: Option<String>,
}

/// `POST /payments/{paymentId}/resend-webhook`: the named webhook, else the latest. Answers once the
/// receiver did.
pub(super) async fn resend_webhook(
    State(simulator): State<Simulator>,
    At(id): At<String>,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    let body: ResendBody = read(&body)?;
    let webhook_id = simulator.read(|world| {
        readable(world, &id, body.store_id.as_deref())?;
        let mut own = world.book.deliveries.iter().rev().filter(|delivery| delivery.payment_id == id);
        let found = own.find(|delivery| body.webhook_id.as_ref().is_none_or(|wanted| *wanted == delivery.id));
        found.map(|delivery| delivery.id.clone()).ok_or_else(|| ApiError::from(Refusal::WebhookNotFound))
    })?;
    let delivery = webhook::send::resend(&simulator, &webhook_id).await?;
    simulator.read(|world| Ok(Json(json!({ "webhook": render::webhook(world, &delivery) }))))
}
