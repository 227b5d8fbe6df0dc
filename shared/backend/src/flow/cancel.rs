//! An operator cancels an order: looked at first, decided purely, on record before the call and after it.

use order::{CancelRefusal, Cancelling, Look, Order, OrderId, WantedCancellation, cancel::cancel};

use super::{
    Claim, Sync, SyncError, Synced,
    sync::{READ_MAX, TURNS_MAX},
};
use crate::{clock::Deadline, connection::aws::AWS_CALL_MAX, portone::AccountClosing, store::AdvanceError};

/// What cancelling came to.
#[derive(Debug)]
pub enum Cancelled {
    /// The order as it stands, and the number of the cancellation in its ledger.
    Order {
        /// The order.
        order: Box<Order>,
        /// The cancellation.
        number: u32,
    },
    /// Nothing was asked for.
    Refused(CancelRefusal),
    /// We have no such order.
    NotFound,
}

impl Sync {
    /// Cancels what `wanted` says of the order. Repeating the request, also after a crash anywhere, makes no
    /// second cancellation, goes on with the first, and answers how it stands.
    pub async fn cancel(
        &self,
        id: OrderId,
        wanted: &WantedCancellation,
        look: Look<'_>,
        deadline: Deadline,
    ) -> Result<Cancelled, SyncError> {
        let (mut closed, mut refused) = (false, false);
        for _ in 0..TURNS_MAX {
            let synced = self.payment(Claim::Payment(id.as_str()), look, deadline).await?;
            let Synced::Order { order, seen, .. } = synced else { return Ok(Cancelled::NotFound) };
            match cancel(&order, seen.as_deref(), wanted, look, closed) {
                Cancelling::Known(number) => return Ok(Cancelled::Order { order, number }),
                Cancelling::Abandon { order: next, number } => {
                    match self.advance(&order, &next, look.at).await {
                        Ok(stored) => {
                            tracing::warn!(event = "cancellation.abandoned", order_id = %stored.id, number);
                            return Ok(Cancelled::Order { order: Box::new(stored), number });
                        }
                        Err(AdvanceError::Stale(_) | AdvanceError::SoldOut) => {}
                        Err(AdvanceError::Store(error)) => return Err(error.into()),
                    }
                }
                Cancelling::Refused(refusal) => return Ok(Cancelled::Refused(refusal)),
                Cancelling::CloseAccount { intent } => {
                    if let Some(intent) = intent {
                        match self.advance(&order, &intent, look.at).await {
                            Ok(_) => {}
                            Err(AdvanceError::Stale(_) | AdvanceError::SoldOut) => continue,
                            Err(AdvanceError::Store(error)) => return Err(error.into()),
                        }
                    }
                    let Some(seen) = &seen else { continue };
                    let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
                    if self.portone.close_account(seen, time).await? == AccountClosing::Refused {
                        tracing::warn!(event = "account.not_closed", order_id = %order.id);
                        // The deposit may have been faster: one more look tells.
                        if refused {
                            return Ok(Cancelled::Refused(CancelRefusal::Undecided));
                        }
                        refused = true;
                        continue;
                    }
                    closed = true;
                    tracing::info!(event = "account.closed", order_id = %order.id, by = "operator");
                }
                Cancelling::Close { order: next, number } => match self.advance(&order, &next, look.at).await
                {
                    Ok(stored) => {
                        super::sync::note(&order, &stored, false);
                        return Ok(Cancelled::Order { order: Box::new(stored), number });
                    }
                    Err(AdvanceError::Stale(_) | AdvanceError::SoldOut) => {}
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                },
                Cancelling::Ask { order: next, number } => {
                    let Some(seen) = &seen else { continue };
                    match self.advance(&order, &next, look.at).await {
                        Ok(stored) => {
                            let asked = self.ask_portone(stored, number, seen, look, deadline).await?;
                            return Ok(Cancelled::Order { order: Box::new(asked), number });
                        }
                        Err(AdvanceError::Stale(_) | AdvanceError::SoldOut) => {}
                        Err(AdvanceError::Store(error)) => return Err(error.into()),
                    }
                }
            }
        }
        Err(SyncError::Contended)
    }
}
