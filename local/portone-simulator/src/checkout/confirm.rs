//! The confirm process: PortOne's last question to the shop before money moves (`confirmUrl`).

use std::time::Duration;

use serde_json::Value;

use crate::{
    clock::Timestamp,
    payment::{Failure, Refusal, Status, Version},
    simulator::Simulator,
    v1,
    webhook::{Event, signature},
};

/// Asks the shop when the window was opened with a `confirmUrl`. Returns why the payment must not go on.
///
/// # Errors
/// [`Refusal::TransactionNotFound`].
pub(super) async fn ask(simulator: &Simulator, id: &str) -> Result<Option<Failure>, Refusal> {
    let version = simulator.read(|world| world.transaction(id).map(|(payment, _)| payment.version))?;
    if version == Version::V1 {
        return v1::ask_before_approval(simulator, id).await;
    }
    let question = simulator.change(|world| {
        let (payment, tx) = world.transaction(id)?;
        let Some(url) = tx.checkout.confirm_url.clone().filter(|_| tx.status == Status::Ready) else {
            return Ok(None);
        };
        let event = Event {
            kind: "Transaction.Confirm".to_owned(),
            happened: Timestamp::wall(),
            payment_id: payment.id.clone(),
            store_id: payment.store_id.clone(),
            transaction_id: tx.id.clone(),
            cancellation_id: None,
            total_amount: Some(tx.amount.total),
        };
        let secrets = world.target(tx.channel.kind).secrets.clone();
        let version = world.rules.body_version;
        let body = event.body(version, &world.rules.body_patch);
        let limit = Duration::from_millis(u64::from(world.switches.confirm_timeout_ms));
        let webhook_id = world.book.chance.uuid();
        Ok(Some((
            url,
            webhook_id,
            body,
            version.content_type(),
            secrets,
            limit,
            world.switches.confirm_success,
        )))
    })?;
    let Some((url, webhook_id, body, content_type, secrets, limit, success)) = question else {
        return Ok(None);
    };
    let seconds = Timestamp::wall().seconds();
    let request = simulator
        .http()
        .post(&url)
        .timeout(limit)
        .header("content-type", content_type)
        .header("webhook-id", &webhook_id)
        .header("webhook-timestamp", seconds)
        .header("webhook-signature", signature::header(&secrets, &webhook_id, seconds, body.as_bytes()))
        .body(body);
    let Ok(response) = request.send().await else { return Ok(Some(stopped(None))) };
    if success.holds(response.status().as_u16()) {
        return Ok(None);
    }
    let told = response.bytes().await.unwrap_or_default();
    let told: Value = serde_json::from_slice(&told).unwrap_or(Value::Null);
    Ok(Some(stopped(told["errorMessage"].as_str())))
}

fn stopped(message: Option<&str>) -> Failure {
    Failure {
        code: "ConfirmProcessFailed".to_owned(),
        reason: message.unwrap_or("고객사 서버가 결제를 승인하지 않았습니다.").to_owned(),
        ..Failure::default()
    }
}
