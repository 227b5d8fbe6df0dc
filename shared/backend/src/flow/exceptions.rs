//! Exceptions for operators (findings) that a sync raises at once.

use api::scalar::Moment;
use order::{CancellationStatus, FindingKind, Observation, Order, Timestamp, finding};

use super::{Sync, SyncError, sync::READ_MAX};
use crate::{
    clock::Deadline,
    connection::aws::AWS_CALL_MAX,
    portone::AccountClosing,
    store::{Finding, Found, StoreError},
};

impl Sync {
    /// Raises what a write made true, such as a dispute. What only time makes true, such as an undecided cancellation,
    /// is raised by `reconcile`.
    pub(super) async fn raise_new(
        &self,
        before: &Order,
        after: &Order,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // The rejection of a cancellation is requested again first, or was not requested yet.
        let at_once = [FindingKind::Disputed, FindingKind::DepositRefundFailed];
        let before = finding::standing(before, now);
        for kind in finding::standing(after, now) {
            if at_once.contains(&kind) && !before.contains(&kind) {
                self.raise(kind, after.id.as_str(), &facts(after), now).await?;
            }
        }
        Ok(())
    }

    /// Records an exception that stands until it settles. 1 if it is new.
    pub(super) async fn raise(
        &self,
        kind: FindingKind,
        subject: &str,
        facts: &[(&str, String)],
        now: Timestamp,
    ) -> Result<u32, StoreError> {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        // It stands until it settles, so its date is the first one.
        let since = Timestamp::from_millis(0);
        let finding = Finding { kind, subject: subject.to_owned(), facts, changed_at: since };
        let new = self.store.record_finding(&finding, now).await? == Found::New;
        if new {
            tracing::error!(event = "reconcile.finding", subject, ?kind, "a person has to look");
        }
        Ok(u32::from(new))
    }

    /// Revokes the virtual account of an order that takes no deposit. Repeating it changes nothing.
    pub(super) async fn revoke_account(
        &self,
        order: &Order,
        seen: &Observation,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<(), SyncError> {
        let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
        match self.portone.close_account(seen, time).await? {
            AccountClosing::Done => {
                tracing::info!(event = "account.closed", order_id = %order.id, by = "sync");
            }
            AccountClosing::Refused => {
                tracing::warn!(event = "account.not_closed", order_id = %order.id);
                let facts = [("transactionId", seen.transaction_id.clone())];
                self.raise(FindingKind::AccountOpen, order.id.as_str(), &facts, now).await?;
            }
        }
        Ok(())
    }
}

/// What an operator has to know of an order at first sight.
pub(super) fn facts(order: &Order) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("status", order.status.word().to_owned()),
        ("total", order.total.to_string()),
        ("returned", order.returned.to_string()),
    ];
    if let Some(dispute) = order.disputes.iter().find(|dispute| dispute.open) {
        facts.push(("disputedAt", Moment(dispute.opened_at).text()));
        facts.extend(dispute.pg_id.clone().map(|id| ("pgDisputeId", id)));
    }
    if let Some(refund) = order.deposit_refund {
        facts.push(("depositRefund", refund.word().to_owned()));
    }
    let refused = order.cancellations.iter().rev().find(|row| row.status == CancellationStatus::Failed);
    if let Some(code) = refused.and_then(|row| row.failure.clone()) {
        facts.push(("failure", code));
    }
    facts
}
