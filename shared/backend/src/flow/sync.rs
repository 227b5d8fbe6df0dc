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
    Anomaly, CancellationOrigin, CancellationStatus, Decision, DepositRefund, FindingKind, Generation,
    LatePayment, Look, Observation, Order, OrderId, OrderStatus, PaymentStatus, Terms, Timestamp, decide,
};

use crate::{
    clock::Deadline,
    connection::aws::AWS_CALL_MAX,
    portone::{Portone, PortoneError},
    store::{AdvanceError, Finding, Found, Store, StoreError},
    telemetry::trace,
};

/// A read of PortOne may take this long.
pub(super) const READ_MAX: Duration = Duration::from_secs(10);
/// Turns of deciding and losing. Each loss is somebody else's progress.
pub(super) const TURNS_MAX: u32 = 8;

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
            Self::Store(StoreError::Rejected { .. } | StoreError::Broken { .. }) => false,
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
        /// What PortOne said, if it knows the payment.
        seen: Option<Box<Observation>>,
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
        look: Look<'_>,
        deadline: Deadline,
    ) -> Result<Synced, SyncError> {
        let read_max = deadline.allow(READ_MAX, AWS_CALL_MAX);
        // V2 shows V1's payments too, by the order's ID. It serves a deployment without V1 credentials.
        let has_v1 = self.portone.v1.is_configured().await;
        let claim = match claim {
            Claim::V1Transaction { merchant_uid: Some(id), .. } if !has_v1 => Claim::Payment(id),
            claim => claim,
        };
        let (order, seen) = match claim {
            Claim::Payment(id) => {
                let (order, seen) = tokio::join!(self.order(id), self.portone.v2.payment(id, read_max));
                match (order?, seen) {
                    // The money an order has is one V1 transaction's, whatever other windows came to.
                    (Some(order), seen) if has_v1 && order.v1_money().is_some() => {
                        let imp_uid = order.v1_money().unwrap_or_default();
                        let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
                        let known = self.portone.v1.payment(imp_uid, time).await?;
                        let seen = match known {
                            Some(known) => {
                                self.tell_of_another(&order, &seen, look).await?;
                                Some(known)
                            }
                            None => if_configured(seen)?,
                        };
                        (Some(order), seen)
                    }
                    // V1's orders are asked of V1, unless V2 knows the payment as well.
                    // V2 shows the newest attempt only, and an older one can have the money.
                    (Some(order), seen)
                        if has_v1 && order.paid_through() == Generation::V1 && !shows_money(&seen) =>
                    {
                        let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
                        let known = self.portone.v1.payment_of_order(id, time).await?;
                        // Its page may have been paid through V2 all the same.
                        let seen = match known {
                            Some(known) => Some(known),
                            None => if_configured(seen)?,
                        };
                        (Some(order), seen)
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
                self.record_orphan(&seen, look.at).await?;
                Ok(Synced::Unknown(UnknownPayment::Orphan))
            }
            (Some(order), None) => Ok(settled(order, None, false)),
            (Some(order), Some(seen)) => self.apply(order, seen, look, deadline).await,
        }
    }

    /// V2 may have taken money for an order that has V1's: no other look would come upon it.
    async fn tell_of_another(
        &self,
        order: &Order,
        shown: &Result<Option<Observation>, PortoneError>,
        look: Look<'_>,
    ) -> Result<(), SyncError> {
        let Ok(Some(seen)) = shown else { return Ok(()) };
        match (seen.generation, decide(order, seen, &self.terms, look)) {
            (Generation::V2, Decision::Alarm(anomaly)) => self.alarm(order, anomaly, seen, look.at).await,
            _ => Ok(()),
        }
    }

    async fn alarm(
        &self,
        order: &Order,
        anomaly: Anomaly,
        seen: &Observation,
        now: Timestamp,
    ) -> Result<(), SyncError> {
        tracing::error!(event = "payment.anomaly", order_id = %order.id, ?anomaly, payment_status = ?seen.status, "news of a payment that fits no story");
        let subject = match anomaly {
            Anomaly::PaidTwice => seen.transaction_id.as_str(),
            _ => order.id.as_str(),
        };
        self.record(anomaly.into(), subject, seen, now).await?;
        Ok(())
    }

    pub(super) async fn order(&self, payment_id: &str) -> Result<Option<Order>, StoreError> {
        let Ok(id) = payment_id.parse::<OrderId>() else { return Ok(None) };
        trace::about_id(id);
        Ok(self.store.order(id).await?.inspect(trace::about))
    }

    /// A window that somebody else's page opened and left is nobody's business, nor is money that went back.
    async fn record_orphan(&self, seen: &Observation, now: Timestamp) -> Result<(), StoreError> {
        let is_open = seen.holds_money() || seen.status == PaymentStatus::VirtualAccountIssued;
        if !is_open || !self.terms.cover(seen) {
            return Ok(());
        }
        let subject = match seen.generation {
            Generation::V1 => &seen.transaction_id,
            Generation::V2 => &seen.payment_id,
        };
        if self.record(FindingKind::Orphan, subject, seen, now).await? == Found::New {
            let has_money = seen.had_money();
            tracing::error!(event = "payment.orphan", payment_id = seen.payment_id, status = ?seen.status, has_money, "PortOne has a payment that is none of our orders");
        }
        Ok(())
    }

    async fn record(
        &self,
        kind: FindingKind,
        subject: &str,
        seen: &Observation,
        now: Timestamp,
    ) -> Result<Found, StoreError> {
        let currency = seen.currency.map_or_else(|| "?".to_owned(), |currency| currency.code().to_owned());
        let facts = [
            ("generation", seen.generation.word().to_owned()),
            ("paymentId", seen.payment_id.clone()),
            ("transactionId", seen.transaction_id.clone()),
            ("paymentStatus", seen.status.word().to_owned()),
            ("total", format!("{} {currency}", seen.total)),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value)).into();
        let finding = Finding { kind, subject: subject.to_owned(), facts, changed_at: seen.changed_at };
        let found = self.store.record_finding(&finding, now).await?;
        if found == Found::New {
            tracing::info!(event = "finding.new", subject, ?kind, "a person has to look");
        }
        Ok(found)
    }

    /// Applies what PortOne says to an order that was read.
    pub(super) async fn apply(
        &self,
        read: Order,
        seen: Observation,
        look: Look<'_>,
        deadline: Deadline,
    ) -> Result<Synced, SyncError> {
        let (mut order, mut terms) = (read, self.terms.clone());
        let mut found_mismatch = false;
        for _ in 0..TURNS_MAX {
            let (next, call, write) = match decide(&order, &seen, &terms, look) {
                Decision::Stay => return Ok(settled(order, Some(seen), found_mismatch)),
                Decision::Alarm(anomaly) => {
                    self.alarm(&order, anomaly, &seen, look.at).await?;
                    return Ok(settled(order, Some(seen), found_mismatch));
                }
                Decision::CloseAccount => {
                    self.revoke_account(&order, &seen, look.at, deadline).await?;
                    return Ok(settled(order, Some(seen), found_mismatch));
                }
                Decision::Write(next) => (next, None, true),
                Decision::GiveBack { order: next, number, write } => (next, Some(number), write),
            };
            let stored = if write {
                match self.advance(&order, &next, look.at).await {
                    Ok(stored) => stored,
                    Err(AdvanceError::Stale(current)) => {
                        order = *current;
                        continue;
                    }
                    // It came late, and what it would buy is sold: the money goes back.
                    Err(AdvanceError::SoldOut) => {
                        terms.late_payment = LatePayment::Return;
                        continue;
                    }
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                }
            } else {
                *next
            };
            let mismatch = order.status != OrderStatus::Rejected && holds_foreign_money(&stored);
            note(&order, &stored, mismatch);
            found_mismatch |= mismatch;
            self.raise_new(&order, &stored, look.at).await?;
            if let Some(number) = call {
                let order = self.ask_portone(stored, number, &seen, look, deadline).await?;
                return Ok(settled(order, Some(seen), found_mismatch));
            }
            // The same answer again: what is written by itself, such as a dispute, is left.
            order = stored;
        }
        Err(SyncError::Contended)
    }
}

/// Whether money that is not the order's is still held and not on its way back, and goes back by itself: a
/// deposit waits for an operator.
fn owes(order: &Order) -> bool {
    let tried = order.cancellations.iter().any(|row| row.origin == CancellationOrigin::Mismatch);
    order.status == OrderStatus::Rejected && order.balance() > 0 && tried
}

/// Whether money that is not the order's did not come back to its buyer yet.
fn holds_foreign_money(order: &Order) -> bool {
    let received = order.received.map_or(0, |money| money.amount);
    order.status == OrderStatus::Rejected && received > order.returned
}

/// Whether V2 shows money: of a V1 order it shows the newest attempt only, or a V2 window somebody opened.
fn shows_money(seen: &Result<Option<Observation>, PortoneError>) -> bool {
    matches!(seen, Ok(Some(seen)) if seen.had_money())
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

fn settled(order: Order, seen: Option<Observation>, found_mismatch: bool) -> Synced {
    let return_unresolved = owes(&order);
    Synced::Order { order: Box::new(order), seen: seen.map(Box::new), found_mismatch, return_unresolved }
}

pub(super) fn note(before: &Order, after: &Order, found_mismatch: bool) {
    if found_mismatch {
        tracing::error!(event = "payment.mismatch", order_id = %after.id, reasons = ?after.rejections, received = ?after.received, total = %after.total, "money arrived that is not this order's; it goes back");
    } else if before.status != after.status {
        tracing::info!(event = "order.advanced", order_id = %after.id, from = ?before.status, to = ?after.status);
    }
    for row in &after.cancellations {
        let was = before.cancellations.iter().find(|was| was.number == row.number);
        let refused = row.status == CancellationStatus::Failed
            && was.is_some_and(|was| was.status == CancellationStatus::Requested);
        if refused {
            tracing::error!(event = "cancellation.refused", order_id = %after.id, number = row.number, code = row.failure, "the PG rejected a cancellation that it had accepted");
        }
    }
    if after.disputes.len() > before.disputes.len() {
        tracing::error!(event = "payment.disputed", order_id = %after.id, "the buyer disputes the payment");
    }
    let has_failed = |order: &Order| order.deposit_refund.is_some_and(DepositRefund::has_failed);
    if has_failed(after) && !has_failed(before) {
        tracing::error!(event = "deposit.refund_failed", order_id = %after.id, "the refund of a deposit did not reach the buyer");
    }
}
