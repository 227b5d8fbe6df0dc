//! PortOne's last question before a PG approves a payment.

use crate::{Cancellation, Order, OrderStatus, Timestamp};

/// Why a payment must not be approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfirmRefusal {
    /// The buyer is asked for another amount than the order's total.
    Amount,
    /// The order has its money.
    Paid,
    /// The order is closed, or its time is over.
    Closed,
}

/// Whether a payment of `total` minor units may be approved for the order now. An open order holds its
/// stock, so there is nothing else to look at.
pub fn may_approve(order: &Order, total: u64, now: Timestamp) -> Result<(), ConfirmRefusal> {
    match order.status {
        OrderStatus::Pending | OrderStatus::PayPending | OrderStatus::VirtualAccountIssued => {
            if order.cancellations.iter().any(Cancellation::is_closing) {
                Err(ConfirmRefusal::Closed)
            } else if total != order.total.amount {
                Err(ConfirmRefusal::Amount)
            } else if now > order.due() {
                Err(ConfirmRefusal::Closed)
            } else {
                Ok(())
            }
        }
        OrderStatus::Paid | OrderStatus::PartialCancelled => Err(ConfirmRefusal::Paid),
        OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Rejected => Err(ConfirmRefusal::Closed),
    }
}
