//! Asking PortOne for a cancellation that is written down, and writing its outcome down.

use std::time::Duration;

use order::{CancellationOutcome, Decision, FindingKind, Look, Observation, Order, record_outcome};

use super::{Sync, SyncError, sync::TURNS_MAX, words};
use crate::{clock::Deadline, connection::aws::AWS_CALL_MAX, portone::CancelRequest, store::AdvanceError};

/// A call that moves money may take this long: PortOne works on after a caller hung up.
pub(super) const MONEY_MAX: Duration = Duration::from_secs(25);
/// With less time than this left, a call that moves money is left to the next look.
const MONEY_MIN: Duration = Duration::from_secs(3);

/// PortOne's error if the cancellable amount is not what the request says (schema:
/// `CancellableAmountConsistencyBrokenError`).
const BALANCE_DIFFERS: &str = "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN";

/// What money going back says to the buyer and to the shop's staff at PortOne, unless an operator said it.
const MISMATCH_REASON: &str = "주문과 일치하지 않는 결제입니다 (payment does not match its order)";

impl Sync {
    /// Asks PortOne for the cancellation `number`, whose intent is written, and writes the outcome down.
    ///
    /// A lost race over the outcome is no failure: whoever won read it from PortOne.
    pub(super) async fn ask_portone(
        &self,
        order: Order,
        number: u32,
        seen: &Observation,
        look: Look<'_>,
        deadline: Deadline,
    ) -> Result<Order, SyncError> {
        let time = deadline.allow(MONEY_MAX, AWS_CALL_MAX);
        let Some(row) = order.cancellations.iter().find(|row| row.number == number) else { return Ok(order) };
        if time < MONEY_MIN {
            tracing::warn!(event = "cancellation.deferred", order_id = %order.id, number, "no time left to ask for it; the next look does");
            return Ok(order);
        }
        let request = CancelRequest {
            payment_id: order.id.as_str(),
            transaction_id: order.sighting.as_ref().map_or("", |sighting| &sighting.transaction_id),
            row,
            reason: row.reason.as_deref().unwrap_or(MISMATCH_REASON),
            key: &order.cancellation_key(row),
            currency: order.received.map_or(order.total.currency, |received| received.currency),
            discounted: seen.discounted,
        };
        let mut outcome = self.portone.cancel(order.paid_through(), request, time).await;
        if let CancellationOutcome::Failed { message, .. } = &mut outcome {
            *message = message.as_deref().and_then(|words| words::kept(words, &order, row));
        }
        match &outcome {
            CancellationOutcome::Failed { code, .. } => {
                if code == BALANCE_DIFFERS {
                    let facts = [
                        ("asked", row.amount.to_string()),
                        ("expectedBalance", row.balance_before.to_string()),
                        ("total", seen.total.to_string()),
                        ("cancelled", seen.cancelled.to_string()),
                    ];
                    self.raise(FindingKind::BalanceDiffers, order.id.as_str(), &facts, look.at).await?;
                    // The next sync reads PortOne's own numbers again.
                    self.store.bring_look_forward(order.id, look.at.plus_minutes(1)).await?;
                }
                tracing::error!(event = "cancellation.refused", order_id = %order.id, number, code, "money that has to go back was refused");
            }
            CancellationOutcome::Unknown => {
                tracing::error!(event = "cancellation.unknown", order_id = %order.id, number, "nobody knows whether the money went back; the next look asks again");
            }
            CancellationOutcome::Succeeded { .. } | CancellationOutcome::Requested { .. } => {
                tracing::info!(event = "cancellation.answered", order_id = %order.id, number, ?outcome);
            }
        }

        let mut order = order;
        for _ in 0..TURNS_MAX {
            match record_outcome(&order, number, &outcome, look) {
                Decision::Write(next) => match self.advance(&order, &next, look.at).await {
                    Ok(stored) => return Ok(stored),
                    Err(AdvanceError::Stale(current)) => order = *current,
                    // An outcome takes no stock.
                    Err(AdvanceError::SoldOut) => return Err(SyncError::Contended),
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                },
                Decision::Stay | Decision::CloseAccount | Decision::GiveBack { .. } | Decision::Alarm(_) => {
                    return Ok(order);
                }
            }
        }
        Err(SyncError::Contended)
    }
}
