//! What the PG reports of a payment after it was made: disputes, and the transfer of a refunded deposit.

use crate::Timestamp;

/// A buyer's dispute of a payment, as PortOne lists it in `disputes[]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// The PG's ID of it (`pgDisputeId`), if it gives one.
    pub pg_id: Option<String>,
    /// When it was opened (`createdAt`).
    pub opened_at: Timestamp,
    /// Whether it is still open. A status that this build does not know counts as open.
    pub open: bool,
    /// When it was resolved (`resolvedAt`), if PortOne says.
    pub resolved_at: Option<Timestamp>,
}

impl Dispute {
    fn is_same(&self, other: &Self) -> bool {
        match (&self.pg_id, &other.pg_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.opened_at == other.opened_at,
        }
    }
}

/// Takes over what PortOne lists. A dispute that is missing from the list stays as it was: PortOne lists disputes of
/// payments in state PAID only (schema: `PaidPayment.disputes`), so that its absence does not mean that it is resolved.
pub(crate) fn merge(ours: &mut Vec<Dispute>, listed: &[Dispute]) {
    for theirs in listed {
        match ours.iter_mut().find(|dispute| dispute.is_same(theirs)) {
            // Resolved is final: an older answer does not open it again.
            Some(dispute) if dispute.open => dispute.clone_from(theirs),
            Some(_) => {}
            None => ours.push(theirs.clone()),
        }
    }
}

/// How far the transfer of a refunded deposit to the buyer's account has come (schema:
/// `PaymentMethodVirtualAccount.refundStatus`). The payment itself is cancelled already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepositRefund {
    /// The PG has not transferred it yet.
    Pending,
    /// The transfer failed: the buyer has received nothing.
    Failed,
    /// One of several transfers failed: the buyer has received a part.
    PartiallyFailed,
    /// The buyer's account has it.
    Completed,
}

impl DepositRefund {
    /// Whether the buyer still waits for money and only an operator can help.
    pub fn has_failed(self) -> bool {
        match self {
            Self::Failed | Self::PartiallyFailed => true,
            Self::Pending | Self::Completed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispute(pg_id: Option<&str>, minute: i64, open: bool) -> Dispute {
        let opened_at = Timestamp::from_millis(minute * 60_000);
        Dispute { pg_id: pg_id.map(str::to_owned), opened_at, open, resolved_at: None }
    }

    #[test]
    fn a_dispute_that_is_not_listed_any_more_stays_open() {
        let mut ours = vec![dispute(Some("d1"), 1, true)];
        merge(&mut ours, &[]);
        assert_eq!(ours, [dispute(Some("d1"), 1, true)]);
    }

    #[test]
    fn a_resolved_dispute_is_not_opened_by_an_older_answer() {
        let mut ours = vec![dispute(Some("d1"), 1, true)];
        merge(&mut ours, &[dispute(Some("d1"), 1, false)]);
        merge(&mut ours, &[dispute(Some("d1"), 1, true), dispute(None, 9, true)]);
        assert_eq!(ours, [dispute(Some("d1"), 1, false), dispute(None, 9, true)]);
    }
}
