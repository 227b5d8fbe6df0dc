//! Approving a payment by hand: the buyer finished the window, and nothing is charged before we say so.

use order::{Order, OrderId, PaymentMode, confirm::may_approve};

use super::{Sync, SyncError, ask::MONEY_MAX};
use crate::{clock::Deadline, connection::aws::AWS_CALL_MAX, portone::PortoneError};
use order::Timestamp;

impl Sync {
    /// Approves the payment of an order that still waits for it, by the token its page got.
    ///
    /// What cannot be approved is not: the look that follows tells how the order stands. Approving it twice is
    /// harmless.
    pub async fn approve(
        &self,
        id: OrderId,
        payment_token: &str,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<(), SyncError> {
        let Some(order) = self.order(id.as_str()).await? else { return Ok(()) };
        if let Err(refusal) = may_approve(&order, order.total.amount, now) {
            tracing::warn!(event = "payment.not_approved", order_id = %order.id, ?refusal);
            return Ok(());
        }
        let time = deadline.allow(MONEY_MAX, AWS_CALL_MAX);
        match self.portone.v2.confirm(&order, payment_token, self.is_test(), time).await {
            Ok(()) => {
                tracing::info!(event = "payment.approved", order_id = %order.id);
                Ok(())
            }
            Err(error @ PortoneError::Refused { status: 400 | 409, .. }) => {
                refused(&order, &error);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_test(&self) -> bool {
        self.terms.mode == PaymentMode::Test
    }
}

/// The amount, the currency or the channel is another one than ours, the token is none, or the PG refuses.
fn refused(order: &Order, error: &PortoneError) {
    tracing::error!(event = "payment.approval_refused", order_id = %order.id, %error);
}
