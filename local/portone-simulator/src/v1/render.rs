//! A transaction the way V1 writes a payment (`PaymentAnnotation`).

use serde_json::{Map, Value, json};

use super::{amount, words};
use crate::{
    clock::Timestamp,
    config::ChannelKind,
    json::merge_patch,
    payment::{CancellationStatus, Method, Payment, Platform, Transaction},
    raw,
    world::World,
};

/// Unix seconds; 0 is "not yet".
fn seconds(at: Option<Timestamp>) -> Value {
    Value::from(at.map_or(0, Timestamp::seconds))
}

/// One attempt, with the payment's patch merged in.
pub(crate) fn payment(world: &World, payment: &Payment, tx: &Transaction) -> Value {
    let currency = tx.currency.as_str();
    let (cancelled, _) = tx.cancelled();
    let status = words::status(tx, world.switches.v1_partial_cancel);
    let failed = if status == "failed" { tx.failed_at.or(tx.cancelled_at) } else { None };
    let cancelled_at = if status == "failed" { None } else { tx.cancelled_at };
    let mut rendered = json!({
        "imp_uid": tx.id,
        "merchant_uid": payment.id,
        "pay_method": words::paid_with(tx),
        "channel": match tx.platform {
            Platform::Pc => "pc",
            Platform::Mobile => "mobile",
            Platform::Api => "api",
        },
        "pg_provider": words::pg_provider(&tx.channel.pg_provider),
        "emb_pg_provider": null,
        "pg_tid": tx.pg_tx_id,
        "pg_id": tx.channel.pg_merchant_id,
        "sandbox": tx.channel.kind == ChannelKind::Test,
        "escrow": false,
        "name": tx.order_name,
        "amount": amount::write(tx.amount.total, currency),
        "cancel_amount": amount::write(cancelled, currency),
        "currency": currency,
        "buyer_name": tx.customer.name,
        "buyer_email": tx.customer.email,
        "buyer_tel": tx.customer.phone_number,
        "buyer_addr": tx.checkout.buyer_address,
        "buyer_postcode": tx.customer.zipcode,
        "custom_data": tx.custom_data,
        "user_agent": tx.checkout.user_agent,
        "status": status,
        "started_at": tx.requested_at.seconds(),
        "paid_at": seconds(tx.paid_at),
        "failed_at": seconds(failed),
        "cancelled_at": seconds(cancelled_at),
        "fail_reason": tx.failure.as_ref().map(|failure| &failure.reason),
        "cancel_reason": tx.cancellations.iter().rev().find(|it| it.cancelled_at.is_some()).map(|it| &it.reason),
        "receipt_url": tx.captured().then(|| format!("https://receipt.invalid/{}", tx.id)),
        "cancel_history": cancel_history(tx),
        "cancel_receipt_urls": [],
        "cash_receipt_issued": false,
        "customer_uid": tx.customer.id,
        "customer_uid_usage": null,
    });
    if let Some(members) = rendered.as_object_mut() {
        members.append(&mut means(tx));
    }
    merge_patch(&mut rendered, &payment.patch);
    raw::apply(&mut rendered, &payment.raw_texts);
    rendered
}

/// Money that went back for sure: V1 does not list what is pending or was refused.
fn cancel_history(tx: &Transaction) -> Vec<Value> {
    let done = tx.cancellations.iter().filter(|it| it.status == CancellationStatus::Succeeded);
    done.map(|it| {
        json!({
            "pg_tid": it.pg_cancellation_id.as_deref().or(tx.pg_tx_id.as_deref()).unwrap_or_default(),
            "amount": amount::write(it.total, &tx.currency),
            "cancelled_at": seconds(it.cancelled_at),
            "reason": it.reason,
            "cancellation_id": it.id,
            "receipt_url": null,
        })
    })
    .collect()
}

/// Card, bank and virtual-account members; `null` or 0 where the method has none.
fn means(tx: &Transaction) -> Map<String, Value> {
    let mut members = json!({
        "apply_num": null, "card_code": null, "card_name": null, "card_issuer_code": null,
        "card_issuer_name": null, "card_publisher_code": null, "card_publisher_name": null,
        "card_quota": 0, "card_number": null, "card_type": null,
        "bank_code": null, "bank_name": null,
        "vbank_code": null, "vbank_name": null, "vbank_num": null, "vbank_holder": null,
        "vbank_date": 0, "vbank_issued_at": 0,
    });
    let own = match &tx.method {
        Some(Method::Card { approval_number } | Method::EasyPay { approval_number, .. }) => json!({
            "apply_num": approval_number, "card_code": "366", "card_name": "신한카드",
            "card_issuer_code": "366", "card_issuer_name": "신한카드",
            "card_publisher_code": "366", "card_publisher_name": "신한카드",
            "card_number": "123456******1234", "card_type": 0,
        }),
        Some(Method::Transfer { .. }) => json!({ "bank_code": "088", "bank_name": "신한은행" }),
        Some(Method::VirtualAccount { account_number, remittee_name, issued_at, expires_at, .. }) => json!({
            "vbank_code": "088", "vbank_name": "신한은행", "vbank_num": account_number,
            "vbank_holder": remittee_name, "vbank_date": expires_at.seconds(),
            "vbank_issued_at": issued_at.seconds(),
        }),
        Some(Method::Mobile { .. } | Method::GiftCertificate { .. } | Method::ConvenienceStore { .. })
        | None => Value::Null,
    };
    merge_patch(&mut members, &own);
    match members {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
