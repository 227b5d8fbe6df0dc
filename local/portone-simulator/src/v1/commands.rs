//! The calls that change something.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::IntoResponse,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Prepared, amount,
    input::Fields,
    reads::{by_imp_uid, by_merchant_uid},
    render,
    reply::{Answer, Refused, ok},
};
use crate::{
    clock::Timestamp,
    guard::LostReply,
    payment::{
        Amount, CancelMode, CancelRequest, Method, Refusal, RetainOption, Status, Transaction,
        cancel::{CancelTrigger, RefundAccount},
    },
    simulator::Simulator,
    switches::V1PrepareAgain,
    timekeeper,
    world::{Deed, World},
};

/// `POST /users/getToken`.
pub(super) async fn get_token(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::of_body(&headers, &body)?;
    let (key, secret) = (fields.required("imp_key")?, fields.required("imp_secret")?);
    let now = simulator.clock().now();
    let token = simulator.touch(|world| {
        let World { v1_tokens, book, .. } = world;
        v1_tokens.knows(&key, &secret).then(|| v1_tokens.get(now, &mut book.chance))
    });
    let token = token.ok_or_else(Refused::key_pair)?;
    ok(json!({
        "access_token": token.text,
        "now": now.seconds(),
        "expired_at": token.expires_at.seconds(),
    }))
}

/// `POST /payments/prepare`. What a second one does is not stated; see
/// [`Switches::v1_prepare_again`](crate::Switches::v1_prepare_again).
pub(super) async fn prepare(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Answer {
    let (merchant_uid, prepared) = preparation(&headers, &body)?;
    simulator.change(|world| {
        let refuses = world.switches.v1_prepare_again == V1PrepareAgain::Reject;
        if refuses && world.book.prepared.contains_key(&merchant_uid) {
            return Err(Refused::in_band("이미 등록된 merchant_uid입니다."));
        }
        let answer = shown(&merchant_uid, &prepared);
        world.book.prepared.insert(merchant_uid, prepared);
        ok(answer)
    })
}

/// `PUT /payments/prepare`: another amount for what was registered.
pub(super) async fn change_prepared(
    State(simulator): State<Simulator>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let (merchant_uid, prepared) = preparation(&headers, &body)?;
    simulator.change(|world| {
        let registered = world.book.prepared.get_mut(&merchant_uid).ok_or_else(not_prepared)?;
        *registered = prepared;
        ok(shown(&merchant_uid, registered))
    })
}

/// `GET /payments/prepare/{merchant_uid}`. V1 lists no 404 here, so an unknown one is code 1.
pub(super) async fn prepared(State(simulator): State<Simulator>, Path(merchant_uid): Path<String>) -> Answer {
    simulator.read(|world| match world.book.prepared.get(&merchant_uid) {
        Some(prepared) => ok(shown(&merchant_uid, prepared)),
        None => Err(Refused::in_band("사전 등록된 결제정보가 존재하지 않습니다.")),
    })
}

fn not_prepared() -> Refused {
    Refused::not_found("사전 등록된 결제정보가 존재하지 않습니다.")
}

fn preparation(headers: &HeaderMap, body: &[u8]) -> Result<(String, Prepared), Refused> {
    let fields = Fields::of_body(headers, body)?;
    let merchant_uid = fields.required("merchant_uid")?;
    let currency = fields.text("currency");
    let wrong = || Refused::bad_request("amount가 올바른 금액이 아닙니다.");
    let amount = fields.number("amount")?.ok_or_else(wrong)?;
    // Without a currency nothing is known of its decimals, so the most are allowed.
    amount::read(&amount, currency.as_deref().unwrap_or("USD")).ok_or_else(wrong)?;
    Ok((merchant_uid, Prepared { amount, currency }))
}

fn shown(merchant_uid: &str, prepared: &Prepared) -> Value {
    json!({ "merchant_uid": merchant_uid, "amount": prepared.amount, "currency": prepared.currency })
}

/// `POST /payments/cancel`. Without an amount, or with 0, everything that is left goes back. A refusal is
/// HTTP 200 with code 1. What an asynchronous cancellation answers is not stated; here the payment as it
/// was.
pub(super) async fn cancel(State(simulator): State<Simulator>, headers: HeaderMap, body: Bytes) -> Answer {
    let fields = Fields::of_body(&headers, &body)?;
    simulator.change(|world| {
        let (payment_id, imp_uid) = to_cancel(world, &fields)?;
        let (_, tx) = world.transaction(&imp_uid).map_err(|refusal| Refused::cancellation(&refusal))?;
        let request = cancel_request(tx, &fields)?;
        let decisive = world.payment(&payment_id).is_ok_and(|payment| payment.decisive().id == imp_uid);
        if !decisive {
            // Another attempt of this order has the money; this one never had any.
            return Err(Refused::cancellation(&Refusal::NotPaid));
        }
        let silent = !fields.flag("enable_webhook");
        let cancelled = world.cancel(&payment_id, &request, silent);
        let (cancellation, mode) = cancelled.map_err(|refusal| Refused::cancellation(&refusal))?;
        if mode == CancelMode::FailInBand {
            return Err(Refused::in_band(&format!("PG사에서 취소에 실패했습니다. ({})", cancellation.id)));
        }
        let (payment, tx) = world.transaction(&imp_uid).map_err(|refusal| Refused::cancellation(&refusal))?;
        let mut answer = ok(render::payment(world, payment, tx))?;
        match mode {
            CancelMode::EffectThenHang => {
                answer.extensions_mut().insert(LostReply::Hang);
            }
            CancelMode::EffectThenDrop => {
                answer.extensions_mut().insert(LostReply::Drop);
            }
            CancelMode::Sync | CancelMode::Async | CancelMode::FailInBand | CancelMode::RefuseByPg => {}
        }
        Ok(answer.into_response())
    })
}

/// Whose money: `imp_uid` wins, and a wrong one is not mended by a good `merchant_uid`.
fn to_cancel(world: &World, fields: &Fields) -> Result<(String, String), Refused> {
    let unknown = || Refused::cancellation(&Refusal::PaymentNotFound);
    match (fields.text("imp_uid"), fields.text("merchant_uid")) {
        (Some(imp_uid), _) => {
            let (payment, tx) = by_imp_uid(world, &imp_uid).ok_or_else(unknown)?;
            Ok((payment.id.clone(), tx.id.clone()))
        }
        (None, Some(merchant_uid)) => {
            let found = by_merchant_uid(world, &merchant_uid);
            let (payment, _) = found.first().ok_or_else(unknown)?;
            Ok((payment.id.clone(), payment.decisive().id.clone()))
        }
        (None, None) => Err(Refused::bad_request("imp_uid 또는 merchant_uid 중 하나는 필수입니다.")),
    }
}

fn cancel_request(tx: &Transaction, fields: &Fields) -> Result<CancelRequest, Refused> {
    let money = |name: &str| -> Result<Option<i64>, Refused> {
        let wrong = || Refused::bad_request(&format!("{name}가 올바른 금액이 아닙니다."));
        fields.number(name)?.map(|number| amount::read(&number, &tx.currency).ok_or_else(wrong)).transpose()
    };
    let account = (fields.text("refund_bank"), fields.text("refund_account"), fields.text("refund_holder"));
    let refund_account = match account {
        (Some(bank), Some(number), Some(holder_name)) => Some(RefundAccount { bank, number, holder_name }),
        _ => None,
    };
    Ok(CancelRequest {
        reason: fields.text("reason").unwrap_or_default(),
        amount: money("amount")?.filter(|amount| *amount != 0),
        tax_free: money("tax_free")?.filter(|tax_free| *tax_free != 0),
        vat: money("vat_amount")?,
        current_balance: money("checksum")?,
        refund_account,
        // Default false, which is V2's RELEASE (guide `opi/ko/extra/promotion/refund`).
        retain: fields.flag("retain_promotion").then_some(RetainOption::Retain),
        trigger: CancelTrigger::Api,
    })
}

/// `PUT /vbanks/{imp_uid}`: another amount or deadline for an open account. Only Hecto does this.
pub(super) async fn change_account(
    State(simulator): State<Simulator>,
    Path(imp_uid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let fields = Fields::of_body(&headers, &body)?;
    let (total, due) = (fields.number("amount")?, fields.integer("vbank_due")?);
    simulator.change(|world| {
        let payment_id = open_account(world, &imp_uid)?;
        let tx = world
            .payment_mut(&payment_id)
            .and_then(|payment| payment.transaction_mut(&imp_uid))
            .map_err(|refusal| Refused::other(&refusal))?;
        if !tx.channel.pg_provider.starts_with("HECTO") {
            return Err(Refused::bad_request("가상계좌 수정을 지원하지 않는 PG사입니다."));
        }
        if let Some(total) = total {
            let total = amount::read(&total, &tx.currency);
            let changed = total.and_then(|total| Amount::new(total, tx.amount.tax_free.min(total), None));
            tx.amount = changed.ok_or_else(|| Refused::bad_request("amount가 올바른 금액이 아닙니다."))?;
        }
        if let (Some(due), Some(Method::VirtualAccount { expires_at, .. })) = (due, &mut tx.method) {
            let until = Timestamp::from_millis(due.saturating_mul(1000));
            *expires_at = until;
            let left = until.millis().saturating_sub(Timestamp::wall().millis());
            forget_deadline(world, &imp_uid);
            let due = world.clock.now().plus_millis(left);
            world.book.agenda.insert((due, Deed::Expire(imp_uid.clone())));
        }
        let (payment, tx) = by_imp_uid(world, &imp_uid).ok_or_else(Refused::no_payment)?;
        ok(render::payment(world, payment, tx))
    })
}

/// `DELETE /vbanks/{imp_uid}`: closes an account that nothing was paid into. It is `failed` then.
pub(super) async fn close_account(State(simulator): State<Simulator>, Path(imp_uid): Path<String>) -> Answer {
    simulator.change(|world| {
        let payment_id = open_account(world, &imp_uid)?;
        timekeeper::close_account(world, &payment_id, &imp_uid, "가상계좌가 말소되었습니다.")
            .map_err(|refusal| Refused::other(&refusal))?;
        forget_deadline(world, &imp_uid);
        let (payment, tx) = by_imp_uid(world, &imp_uid).ok_or_else(Refused::no_payment)?;
        ok(render::payment(world, payment, tx))
    })
}

fn open_account(world: &World, imp_uid: &str) -> Result<String, Refused> {
    let (payment, tx) = by_imp_uid(world, imp_uid).ok_or_else(Refused::no_payment)?;
    match tx.status {
        Status::VirtualAccountIssued => Ok(payment.id.clone()),
        _ => Err(Refused::other(&Refusal::NotWaitingForDeposit)),
    }
}

fn forget_deadline(world: &mut World, imp_uid: &str) {
    world.book.agenda.retain(|(_, deed)| *deed != Deed::Expire(imp_uid.to_owned()));
}
