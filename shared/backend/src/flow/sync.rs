//! Sync: re-read one payment at PortOne and apply it to its order.
//!
//! Everything that reports a payment — the buyer's page, a webhook, later a schedule — ends here, and
//! none of them is believed: the order and the payment are read side by side, a pure function decides,
//! one conditional write carries it out. Who loses the race decides again from the item that won.
//!
//! Money that does not match goes back: the intent is in the order's ledger before PortOne is called
//! and the outcome after it, so a process that dies in between is taken up by a later sync, as the same
//! cancellation (V2: with the same idempotency key).

use std::time::Duration;

use order::{
    CancellationOutcome, Decision, Generation, Observation, Order, OrderId, OrderStatus, Terms, Timestamp,
    decide, decide::Anomaly, record_outcome,
};

use crate::{
    clock::Deadline,
    connection::AWS_CALL_MAX,
    portone::{CancelRequest, Portone, PortoneError},
    store::{AdvanceError, Orphan, Store, StoreError},
};

/// A read of PortOne may take this long.
const READ_MAX: Duration = Duration::from_secs(10);
/// A call that moves money may take this long: PortOne works on after a caller hung up.
const MONEY_MAX: Duration = Duration::from_secs(25);
/// With less time than this left, a call that moves money is left to the next look.
const MONEY_MIN: Duration = Duration::from_secs(3);
/// Turns of deciding and losing. Each loss is somebody else's progress.
const TURNS_MAX: u32 = 8;

/// What money going back says to the buyer and to the shop's staff at PortOne.
const MISMATCH_REASON: &str = "주문과 일치하지 않는 결제입니다 (payment does not match its order)";

/// Why a sync came to no end. The next one may.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// PortOne did not answer, or refused.
    #[error(transparent)]
    Portone(#[from] PortoneError),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others moved the order each time.
    #[error("the order was moved by others {TURNS_MAX} times in a row")]
    Contended,
}

impl SyncError {
    /// Whether the same sync may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Portone(error) => error.is_transient(),
            Self::Store(StoreError::Unavailable { .. }) | Self::Contended => true,
            Self::Store(StoreError::Broken { .. }) => false,
        }
    }
}

/// Somebody's claim that a payment may have changed: where to look, not what is there.
#[derive(Clone, Copy, Debug)]
pub enum Claim<'a> {
    /// The payment of this id, which is our order's id.
    Payment(&'a str),
    /// V1's transaction `imp_uid`, said to be for the order `merchant_uid`.
    V1Transaction {
        /// PortOne's id of the attempt.
        imp_uid: &'a str,
        /// The order, if the claimant names one. Else PortOne does, at the price of another round.
        merchant_uid: Option<&'a str>,
    },
}

/// What a sync came to.
#[derive(Debug)]
pub enum Synced {
    /// The order as it stands now.
    Order {
        /// The order.
        order: Box<Order>,
        /// Whether this very look found money that does not match.
        found_mismatch: bool,
        /// Whether money still has to go back: refused, unanswered, or not asked for again yet.
        return_unresolved: bool,
    },
    /// We have no such order.
    Unknown(UnknownPayment),
    /// The payment exists, and it is another order's than the claimed one. Nothing was done.
    AnotherOrder,
}

/// A payment id that is none of our orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownPayment {
    /// PortOne has no such payment either.
    Nowhere,
    /// PortOne has it: an orphan, written down.
    Orphan,
}

/// What a sync needs.
#[derive(Clone, Debug)]
pub struct Sync {
    /// The table.
    pub store: Store,
    /// PortOne.
    pub portone: Portone,
    /// What this deployment takes.
    pub terms: Terms,
}

impl Sync {
    /// Syncs the payment that `claim` points to.
    ///
    /// Repeating it, at once or later, changes nothing after the first time, except that it finishes
    /// what an earlier one left undone.
    pub async fn payment(
        &self,
        claim: Claim<'_>,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Synced, SyncError> {
        let read_max = deadline.allow(READ_MAX, AWS_CALL_MAX);
        let (order, seen) = match claim {
            Claim::Payment(id) => {
                let (order, seen) = tokio::join!(self.order(id), self.portone.v2.payment(id, read_max));
                match (order?, seen) {
                    // V1's orders are asked of V1, unless V2 knows the payment as well.
                    (Some(order), seen @ (Ok(None) | Err(_))) if order.paid_through() == Generation::V1 => {
                        let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
                        let known = self.portone.v1.payment_of_order(id, time).await?;
                        // Its page may have been paid through V2 all the same, and V2 did not say.
                        if known.is_none() {
                            if_configured(seen)?;
                        }
                        (Some(order), known)
                    }
                    (None, seen) => (None, if_configured(seen)?),
                    (order, seen) => (order, seen?),
                }
            }
            Claim::V1Transaction { imp_uid, merchant_uid: Some(id) } => {
                let (order, seen) = tokio::join!(self.order(id), self.portone.v1.payment(imp_uid, read_max));
                let order = order?;
                let is_v1 = order.as_ref().is_some_and(|order| order.paid_through() == Generation::V1);
                let seen = if is_v1 { seen? } else { if_configured(seen)? };
                if seen.as_ref().is_some_and(|seen| seen.payment_id != id) {
                    return Ok(Synced::AnotherOrder);
                }
                (order, seen)
            }
            Claim::V1Transaction { imp_uid, merchant_uid: None } => {
                match if_configured(self.portone.v1.payment(imp_uid, read_max).await)? {
                    Some(seen) => (self.order(&seen.payment_id).await?, Some(seen)),
                    None => (None, None),
                }
            }
        };
        match (order, seen) {
            (None, None) => Ok(Synced::Unknown(UnknownPayment::Nowhere)),
            (None, Some(seen)) => {
                self.record_orphan(&seen, now).await?;
                Ok(Synced::Unknown(UnknownPayment::Orphan))
            }
            (Some(order), None) => Ok(settled(order)),
            (Some(order), Some(seen)) => self.apply(order, &seen, now, deadline).await,
        }
    }

    async fn order(&self, payment_id: &str) -> Result<Option<Order>, StoreError> {
        match payment_id.parse::<OrderId>() {
            Ok(id) => self.store.order(id).await,
            Err(_) => Ok(None),
        }
    }

    async fn record_orphan(&self, seen: &Observation, now: Timestamp) -> Result<(), StoreError> {
        if self.store.record_orphan(seen, now).await? == Orphan::Recorded {
            let has_money = seen.had_money();
            tracing::error!(event = "payment.orphan", payment_id = seen.payment_id, status = ?seen.status, has_money, "PortOne has a payment that is none of our orders");
        }
        Ok(())
    }

    async fn apply(
        &self,
        read: Order,
        seen: &Observation,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Synced, SyncError> {
        let mut order = read;
        for _ in 0..TURNS_MAX {
            let (next, call, write) = match decide(&order, seen, &self.terms, now) {
                Decision::Stay => return Ok(settled(order)),
                Decision::Alarm(anomaly) => {
                    tracing::error!(event = "payment.anomaly", order_id = %order.id, ?anomaly, payment_status = ?seen.status, "news of a payment that fits no story");
                    if anomaly == Anomaly::PaidTwice {
                        self.record_orphan(seen, now).await?;
                    }
                    return Ok(settled(order));
                }
                Decision::Write(next) => (next, None, true),
                Decision::GiveBack { order: next, number, write } => (next, Some(number), write),
            };
            let stored = if write {
                match self.store.advance(&next).await {
                    Ok(stored) => stored,
                    Err(AdvanceError::Stale(current)) => {
                        order = *current;
                        continue;
                    }
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                }
            } else {
                *next
            };
            let found_mismatch = order.status != OrderStatus::Rejected && holds_foreign_money(&stored);
            note(&order, &stored, found_mismatch);
            let order = match call {
                Some(number) => self.give_back(stored, number, now, deadline).await?,
                None => stored,
            };
            let return_unresolved = owes(&order);
            return Ok(Synced::Order { order: Box::new(order), found_mismatch, return_unresolved });
        }
        Err(SyncError::Contended)
    }

    /// Asks PortOne for the return whose intent is written, and writes the outcome down.
    ///
    /// A lost race over the outcome is no failure: whoever won read it from PortOne.
    async fn give_back(
        &self,
        order: Order,
        number: u32,
        now: Timestamp,
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
            reason: MISMATCH_REASON,
            key: &order.cancellation_key(row),
        };
        let outcome = self.portone.cancel(order.paid_through(), request, time).await;
        match &outcome {
            CancellationOutcome::Failed { code } => {
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
            match record_outcome(&order, number, &outcome, now) {
                Decision::Write(next) => match self.store.advance(&next).await {
                    Ok(stored) => return Ok(stored),
                    Err(AdvanceError::Stale(current)) => order = *current,
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                },
                Decision::Stay | Decision::GiveBack { .. } | Decision::Alarm(_) => return Ok(order),
            }
        }
        Err(SyncError::Contended)
    }
}

/// Whether money that is not the order's is still held and not on its way back.
fn owes(order: &Order) -> bool {
    order.status == OrderStatus::Rejected && order.balance() > 0
}

/// Whether money that is not the order's did not come back to its buyer yet.
fn holds_foreign_money(order: &Order) -> bool {
    let received = order.received.map_or(0, |money| money.amount);
    order.status == OrderStatus::Rejected && received > order.returned
}

/// A generation that this deployment has no credentials of took none of its payments.
fn if_configured(
    seen: Result<Option<Observation>, PortoneError>,
) -> Result<Option<Observation>, PortoneError> {
    match seen {
        Err(PortoneError::NotConfigured(_)) => Ok(None),
        seen => seen,
    }
}

fn settled(order: Order) -> Synced {
    let return_unresolved = owes(&order);
    Synced::Order { order: Box::new(order), found_mismatch: false, return_unresolved }
}

fn note(before: &Order, after: &Order, found_mismatch: bool) {
    if found_mismatch {
        tracing::error!(event = "payment.mismatch", order_id = %after.id, reasons = ?after.rejections, received = ?after.received, total = %after.total, "money arrived that is not this order's; it goes back");
    } else if before.status != after.status {
        tracing::info!(event = "order.advanced", order_id = %after.id, from = ?before.status, to = ?after.status);
    }
}
