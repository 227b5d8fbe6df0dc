//! V1's confirm process: `confirm_url` is asked before money moves, and only HTTP 200 goes on (V1 confirm
//! process guide).

use std::time::Duration;

use serde_json::{Value, json};

use super::amount;
use crate::{
    payment::{Failure, Refusal, Status},
    simulator::Simulator,
};

/// Asks the shop when the window was opened with a `confirm_url`. Returns why the payment must not go on.
pub(crate) async fn ask(simulator: &Simulator, id: &str) -> Result<Option<Failure>, Refusal> {
    let question = simulator.read(|world| {
        let (payment, tx) = world.transaction(id)?;
        let Some(url) = tx.checkout.confirm_url.clone().filter(|_| tx.status == Status::Ready) else {
            return Ok(None);
        };
        let body = json!({
            "imp_uid": tx.id,
            "merchant_uid": payment.id,
            "amount": amount::write(tx.amount.total, &tx.currency),
        });
        let limit = Duration::from_millis(u64::from(world.switches.confirm_timeout_ms));
        Ok(Some((url, body, limit)))
    })?;
    let Some((url, body, limit)) = question else { return Ok(None) };
    let asked = simulator.http().post(&url).timeout(limit).json(&body).send().await;
    let Ok(response) = asked else { return Ok(Some(stopped(None))) };
    if response.status().as_u16() == 200 {
        return Ok(None);
    }
    let told: Value = response.json().await.unwrap_or(Value::Null);
    Ok(Some(stopped(told["reason"].as_str())))
}

fn stopped(reason: Option<&str>) -> Failure {
    Failure {
        code: "CONFIRM_PROCESS_FAILED".to_owned(),
        reason: reason.unwrap_or("고객사 서버가 결제를 승인하지 않았습니다.").to_owned(),
        ..Failure::default()
    }
}
