//! What the console page shows.

use std::convert::Infallible;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refused;
use crate::{
    clock::Timestamp,
    payment::{CancellationStatus, Payment, Transaction, Version},
    simulator::Simulator,
    v1,
    v2::render,
    webhook::Delivery,
    world::World,
};

/// Payments and deliveries shown at once.
const SHOWN: usize = 200;

/// The newest payments and deliveries, and every setting.
pub(super) async fn overview(State(simulator): State<Simulator>) -> Json<Value> {
    let clock = simulator.clock();
    Json(simulator.read(|world| {
        let mut payments: Vec<&Payment> = world.book.payments.values().collect();
        payments.sort_by_key(|payment| std::cmp::Reverse(payment.decisive().updated_at));
        let total = payments.len();
        let deliveries = world.book.deliveries.iter().rev().take(SHOWN);
        json!({
            "storeId": world.config.store_id,
            "channels": world.config.channels,
            "webhookUrl": world.webhook.url,
            "v1Url": simulator.v1_url(),
            "v1WebhookUrl": world.v1_webhook_url,
            "clock": { "now": clock.now().rfc3339(), "wall": Timestamp::wall().rfc3339(), "speed": clock.speed() },
            "switches": world.switches,
            "rules": world.rules,
            "faults": world.faults.list().iter().map(|(number, rule)| json!({ "number": number, "rule": rule })).collect::<Vec<_>>(),
            "held": world.held().len(),
            "paymentCount": total,
            "payments": payments.into_iter().take(SHOWN).map(|payment| summary(world, payment)).collect::<Vec<_>>(),
            "deliveries": deliveries.map(delivery_summary).collect::<Vec<_>>(),
            "callCount": world.calls_seen,
        })
    }))
}

fn summary(world: &World, payment: &Payment) -> Value {
    let tx = payment.decisive();
    let rendered = render::payment(world, payment);
    json!({
        "id": payment.id,
        "version": payment.version,
        "status": rendered["status"],
        "orderName": tx.order_name,
        "amount": rendered["amount"],
        "currency": tx.currency,
        "method": tx.pay_method.label().0,
        "methodEn": tx.pay_method.label().1,
        "channelType": tx.channel.kind,
        "balance": if tx.captured() { tx.balance(world.switches.cancellable_balance) } else { 0 },
        "updatedAt": tx.updated_at.rfc3339(),
        "transactions": payment.transactions.iter().map(transaction).collect::<Vec<_>>(),
        "cancellations": tx.cancellations.iter().map(render::cancellation).collect::<Vec<_>>(),
        "pendingCancellation": tx.cancellations.iter().any(|it| it.status == CancellationStatus::Requested),
        "cancelMode": payment.cancel_mode,
        "patched": !payment.patch.is_null(),
    })
}

fn transaction(tx: &Transaction) -> Value {
    json!({
        "id": tx.id,
        "status": tx.status.as_str(),
        "method": tx.method,
        "amount": tx.amount.total,
        "channel": tx.channel.name,
        "channelType": tx.channel.kind,
        "requestedAt": tx.requested_at.rfc3339(),
        "statusChangedAt": tx.status_changed_at.rfc3339(),
        "failure": tx.failure.as_ref().map(|failure| &failure.reason),
    })
}

fn delivery_summary(delivery: &Delivery) -> Value {
    let mut shown = json!(delivery);
    shown["triggeredAt"] = json!(delivery.triggered_at.rfc3339());
    shown
}

/// One payment: as read, its attempts, its deliveries.
pub(super) async fn payment(
    State(simulator): State<Simulator>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    simulator.read(|world| {
        let payment = world.payment(&id)?;
        let transactions = payment.transactions.iter().map(|tx| render::transaction(world, payment, tx));
        let deliveries = world.book.deliveries.iter().filter(|delivery| delivery.payment_id == id);
        Ok(Json(json!({
            "payment": render::payment(world, payment),
            "transactions": transactions.collect::<Vec<_>>(),
            "v1": as_v1(world, payment),
            "deliveries": deliveries.collect::<Vec<_>>(),
        })))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveriesQuery {
    payment_id: Option<String>,
}

/// Every attempt as V1 shows it; nothing for a payment of V2.
fn as_v1(world: &World, payment: &Payment) -> Vec<Value> {
    if payment.version == Version::V2 {
        return Vec::new();
    }
    payment.transactions.iter().map(|tx| v1::render::payment(world, payment, tx)).collect()
}

/// Deliveries with every execution, oldest first.
pub(super) async fn deliveries(
    State(simulator): State<Simulator>,
    Query(query): Query<DeliveriesQuery>,
) -> Json<Vec<Delivery>> {
    Json(match query.payment_id {
        Some(id) => simulator.deliveries_of(&id),
        None => simulator.deliveries(),
    })
}

/// Server-sent events, one for each change or several at once, so that the page knows when to look again.
pub(super) async fn changes(State(simulator): State<Simulator>) -> Response {
    let watched = (simulator.changes(), simulator.stopping());
    let events = stream::unfold(watched, |(mut changed, mut stopping)| async move {
        tokio::select! {
            outcome = changed.changed() => outcome.ok()?,
            _ = stopping.wait_for(|stop| *stop) => return None,
        }
        let count = *changed.borrow_and_update();
        Some((
            Ok::<_, Infallible>(Event::default().event("change").data(count.to_string())),
            (changed, stopping),
        ))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
