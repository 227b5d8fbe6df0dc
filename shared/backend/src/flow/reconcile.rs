//! Reconcile: what nobody reported is found by looking, ours first, then PortOne's.
//!
//! Safe to run twice at once and to be stopped anywhere: each step is a sync of its own, and what was not
//! reached stays due.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, future::try_join_all, stream};
use order::{
    Actor, CancellationStatus, Decision, FindingKind, Generation, Look, Observation, Order, OrderId, Overdue,
    PaymentStatus, Timestamp, decide, finding, next_look, overdue,
};
use tokio::time::Instant;

use super::{Claim, Sync, SyncError, Synced, exceptions::facts, sync::READ_MAX};
use crate::{
    clock::{self, Deadline},
    connection::aws::AWS_CALL_MAX,
    portone::{AccountClosing, PaymentPage, PortoneError, Unusable},
    store::{AdvanceError, Finding, PARKED_PAGE, SHARDS, StoreError},
    telemetry::{chain, trace},
};

/// Orders looked at, and shards asked, side by side.
const AT_ONCE: usize = 8;
/// Orders taken from one shard in one go.
const SHARD_PAGE: u16 = 25;
/// A step is begun only with this much time left.
const STEP: Duration = Duration::from_secs(30);
/// The first comparison with PortOne's list begins this long ago.
const FIRST_DAYS: i64 = 3;
/// PortOne lists no more than this many days.
const DAYS_MAX: i64 = 89;
/// Each comparison begins this much before the end of the last one: PortOne's list may lag.
const OVERLAP_MS: i64 = 15 * 60 * 1000;
/// A PG that does not close an account is asked for so long after its deadline. What is deposited later is late.
const CLOSE_HOURS: u32 = 24;
/// Pages of PortOne's list in one run.
const PAGES_MAX: u32 = 50;
/// Pages of one window of V1's list before the window is halved.
const V1_WINDOW_PAGES: u32 = 10;
/// The shortest window of V1's list, which counts in seconds.
const V1_WINDOW_MIN_MS: i64 = 1_000;
/// Findings of one page.
const FINDINGS_PAGE: u16 = 100;
/// Re-reading findings takes no longer than this in one run.
const FINDINGS_TIME: Duration = Duration::from_secs(60);
/// Orders with unknown outcomes that are read at once.
const UNKNOWN_PAGE: u16 = 100;

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Orders that were due and looked at.
    pub looked_at: u32,
    /// Of these and of PortOne's list, those that had moved.
    pub moved: u32,
    /// Parked deliveries that were worked off.
    pub unparked: u32,
    /// Payments of PortOne's list that were compared.
    pub compared: u32,
    /// Findings written down now.
    pub found: u32,
    /// Findings that settled themselves.
    pub settled: u32,
    /// Looks that failed; they stay due.
    pub failed: u32,
    /// Findings that stand; not known if they were not all reached.
    pub findings_open: Option<u32>,
    /// How old the oldest cancellation of unknown outcome is; 0 if there is none, not known if they were not
    /// all reached.
    pub oldest_unknown_minutes: Option<u32>,
    /// Whether everything that was due was reached.
    pub complete: bool,
}

impl Reconciled {
    fn add(&mut self, other: Self) {
        self.looked_at += other.looked_at;
        self.moved += other.moved;
        self.unparked += other.unparked;
        self.compared += other.compared;
        self.found += other.found;
        self.settled += other.settled;
        self.failed += other.failed;
    }
}

const SCHEDULE: Actor = Actor::Schedule;

impl Sync {
    /// One run: parked deliveries, orders whose look is due, PortOne's list of both generations, findings.
    ///
    /// Repeating it changes nothing that the run before settled.
    pub async fn reconcile(&self, now: Timestamp, deadline: Deadline) -> Result<Reconciled, StoreError> {
        let look = Look { at: now, by: &SCHEDULE };
        let mut done = Reconciled { complete: true, ..Reconciled::default() };
        self.work_off_parked(deadline, &mut done).await?;
        self.look_at_waiting(look, deadline, &mut done).await?;
        for generation in [Generation::V2, Generation::V1] {
            match self.compare(generation, look, deadline, &mut done).await {
                Ok(()) => {}
                Err(SyncError::Portone(PortoneError::NotConfigured(_))) => {}
                Err(SyncError::Store(error)) => return Err(error),
                Err(error) => {
                    tracing::error!(event = "reconcile.failed", ?generation, error = chain(&error));
                    done.failed += 1;
                    done.complete = false;
                }
            }
        }
        self.look_at_unknown(look.at, deadline, &mut done).await?;
        self.look_at_findings(look, deadline, &mut done).await?;
        Ok(done)
    }

    async fn work_off_parked(&self, deadline: Deadline, done: &mut Reconciled) -> Result<(), StoreError> {
        let parked = self.store.parked().await?;
        // There may be more than one page of them.
        done.complete &= parked.len() < PARKED_PAGE;
        for delivery in parked {
            if !deadline.leaves(STEP) {
                done.complete = false;
                return Ok(());
            }
            let claim = Claim::V1Transaction { imp_uid: &delivery.imp_uid, merchant_uid: None };
            let look = Look { at: clock::now(), by: &SCHEDULE };
            match trace::apart(self.payment(claim, look, deadline.step())).await {
                Ok(Synced::Order { return_unresolved: true, .. }) => done.failed += 1,
                Ok(_) => {
                    self.store.unpark(&delivery).await?;
                    done.unparked += 1;
                }
                Err(error) => {
                    tracing::warn!(
                        event = "webhook.still_parked",
                        imp_uid = delivery.imp_uid,
                        error = chain(&error)
                    );
                    done.failed += 1;
                }
            }
        }
        Ok(())
    }

    /// Each shard's orders, soonest first. A few shards are asked side by side, and the next page of any only
    /// after the first of all, so that a shard with much to do keeps no other waiting.
    async fn look_at_waiting(
        &self,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), StoreError> {
        // Another shard first in each run, so that none is always last.
        let first = usize::try_from(look.at.as_millis() / 60_000).unwrap_or(0) % SHARDS.len();
        let shards = SHARDS.chars().cycle().skip(first).take(SHARDS.len());
        let mut open: VecDeque<_> = shards.map(|shard| (shard, None)).collect();
        while !open.is_empty() {
            if !deadline.leaves(STEP) {
                done.complete = false;
                return Ok(());
            }
            let some = open.drain(..open.len().min(AT_ONCE)).map(|(shard, after)| async move {
                let page = self.store.waiting(shard, look.at, after, SHARD_PAGE).await?;
                Ok::<_, StoreError>((shard, page))
            });
            let mut ids = Vec::new();
            for (shard, (due, next)) in try_join_all(some).await? {
                ids.extend(due);
                open.extend(next.map(|next| (shard, Some(next))));
            }
            let looks = stream::iter(ids).map(|id| async move {
                if !deadline.leaves(STEP) {
                    return None;
                }
                Some(trace::apart(self.look_at(id, deadline.step())).await)
            });
            let looked: Vec<Option<Reconciled>> = looks.buffer_unordered(AT_ONCE).collect().await;
            // What failed or was not reached stays due, and hides nobody behind it.
            for one in looked {
                done.complete &= one.is_some_and(|one| one.failed == 0);
                done.add(one.unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Looks at one order: asks PortOne, applies it, closes it if it is overdue, plans the next look.
    async fn look_at(&self, id: OrderId, deadline: Deadline) -> Reconciled {
        // Dated now, not when the run began: what V1 is asked for is counted from this moment.
        let look = Look { at: clock::now(), by: &SCHEDULE };
        let one = Reconciled { looked_at: 1, ..Reconciled::default() };
        match self.settle(id, look, deadline).await {
            Ok(settled) => Reconciled { looked_at: 1, ..settled },
            Err(error) if error.is_transient() => {
                tracing::warn!(event = "reconcile.put_off", order_id = %id, error = chain(&error));
                Reconciled { failed: 1, ..one }
            }
            // Waiting does not mend it: a person has to look, and the others must not wait for it.
            Err(error) => {
                tracing::error!(event = "order.broken", order_id = %id, error = chain(&error));
                let found = self.raise(finding_of(&error), id.as_str(), &cause(&error), look.at).await;
                let put_off = self.store.put_off_look(id, look.at.plus_minutes(24 * 60)).await;
                match (found, put_off) {
                    (Ok(found), Ok(())) => Reconciled { found, ..one },
                    _ => Reconciled { failed: 1, ..one },
                }
            }
        }
    }

    async fn settle(&self, id: OrderId, look: Look<'_>, deadline: Deadline) -> Result<Reconciled, SyncError> {
        let claim = Claim::Payment(id.as_str());
        let mut done = Reconciled::default();
        let (mut closed, mut refused) = (false, false);
        // Once more after a virtual account was closed, or was not: a deposit may have been faster.
        for _ in 0..3 {
            let Synced::Order { order, seen, .. } = self.payment(claim, look, deadline).await? else {
                return Ok(done);
            };
            if order.open_cancellation().is_some() {
                self.store.remember_unknown(id).await?;
            }
            let order = match overdue(&order, seen.as_deref(), look, closed) {
                Overdue::No => *order,
                Overdue::Expire(next) => match self.advance(&order, &next, look.at).await {
                    Ok(stored) => {
                        super::sync::note(&order, &stored, false);
                        stored
                    }
                    // Somebody was faster: the next run sees what came of it.
                    Err(AdvanceError::Stale(_) | AdvanceError::SoldOut) => return Ok(done),
                    Err(AdvanceError::Store(error)) => return Err(error.into()),
                },
                Overdue::CloseAccount => {
                    let Some(seen) = &seen else { return Ok(done) };
                    let time = deadline.allow(READ_MAX, AWS_CALL_MAX);
                    let closing = self.portone.close_account(seen, time).await?;
                    let given_up = look.at >= order.due().plus_minutes(CLOSE_HOURS * 60);
                    if closing == AccountClosing::Refused && !refused {
                        refused = true;
                        continue;
                    }
                    if closing == AccountClosing::Refused && !given_up {
                        tracing::warn!(event = "account.not_closed", order_id = %order.id);
                        self.store.plan_look(&order, next_look(&order, look.at)).await?;
                        return Ok(done);
                    }
                    closed = true;
                    tracing::info!(event = "account.closed", order_id = %order.id, by = "schedule");
                    continue;
                }
            };
            done.moved = u32::from(order.updated_at == look.at);
            for kind in finding::standing(&order, look.at) {
                done.found += self.raise(kind, order.id.as_str(), &facts(&order), look.at).await?;
            }
            if order.look_at.is_some_and(|at| at <= look.at) {
                self.store.plan_look(&order, next_look(&order, look.at)).await?;
            }
            return Ok(done);
        }
        // PortOne still shows the account as open: the next run looks again.
        if let Some(order) = self.store.order(id).await? {
            self.store.plan_look(&order, next_look(&order, look.at)).await?;
        }
        Ok(done)
    }

    /// PortOne's payments whose state changed since the last run, against ours. Its list is a hint: what differs is read
    /// again.
    async fn compare(
        &self,
        generation: Generation,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), SyncError> {
        let first = Timestamp::from_millis(look.at.as_millis() - FIRST_DAYS * 24 * 60 * 60 * 1000);
        let mark = self.store.watermark(generation).await?.unwrap_or(first);
        // V1 refuses a span of more than 90 days.
        let earliest = look.at.as_millis() - DAYS_MAX * 24 * 60 * 60 * 1000;
        let from = Timestamp::from_millis((mark.as_millis() - OVERLAP_MS).max(earliest));
        match generation {
            Generation::V1 => self.compare_v1(from, look, deadline, done).await,
            Generation::V2 => self.compare_v2(from, look, deadline, done).await,
        }
    }

    /// V2's list is in order of change: from the last change on, page numbers cannot shift. Where one moment fills a
    /// page, the page's number is all there is.
    async fn compare_v2(
        &self,
        mut from: Timestamp,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), SyncError> {
        let mut page = 0;
        for _ in 0..PAGES_MAX {
            if !deadline.leaves(STEP) {
                done.complete = false;
                return Ok(());
            }
            let time = deadline.step().allow(READ_MAX, AWS_CALL_MAX);
            let read = self.portone.v2.changed(self.terms.mode, from, look.at, page, time).await?;
            if !self.compare_page(&read, look, deadline, done).await? {
                done.complete = false;
                return Ok(());
            }
            if !read.more {
                self.store.move_watermark(Generation::V2, look.at).await?;
                return Ok(());
            }
            match read.payments.last().map(|seen| seen.changed_at) {
                Some(last) if last > from => {
                    self.store.move_watermark(Generation::V2, last).await?;
                    (from, page) = (last, 0);
                }
                _ => page += 1,
            }
        }
        done.complete = false;
        Ok(())
    }

    /// V1's list has no order that pages can be continued by: it is read in windows of time. A window with too many pages
    /// is halved. The watermark moves with each window, so that the next run continues where this one stopped.
    async fn compare_v1(
        &self,
        mut from: Timestamp,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), SyncError> {
        let mut span = (look.at.as_millis() - from.as_millis()).max(V1_WINDOW_MIN_MS);
        let (mut page, mut pages) = (1, 0);
        loop {
            if !deadline.leaves(STEP) || pages == PAGES_MAX {
                done.complete = false;
                return Ok(());
            }
            pages += 1;
            let until = Timestamp::from_millis((from.as_millis() + span).min(look.at.as_millis()));
            let time = deadline.step().allow(READ_MAX, AWS_CALL_MAX);
            let read = self.portone.v1.changed(from, until, page, time).await?;
            if !self.compare_page(&read, look, deadline, done).await? {
                done.complete = false;
                return Ok(());
            }
            if read.more && page >= V1_WINDOW_PAGES && span > V1_WINDOW_MIN_MS {
                (span, page) = ((span / 2).max(V1_WINDOW_MIN_MS), 1);
                continue;
            }
            if read.more {
                page += 1;
                continue;
            }
            self.store.move_watermark(Generation::V1, until).await?;
            if until >= look.at {
                return Ok(());
            }
            (from, page) = (until, 1);
        }
    }

    /// Whether the page was compared. If most of it failed it is PortOne that does not respond, and the next run begins
    /// here again.
    async fn compare_page(
        &self,
        PaymentPage { payments, unreadable, .. }: &PaymentPage,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<bool, SyncError> {
        // A record without an ID cannot be named.
        for (id, field) in unreadable.iter().filter(|(id, _)| !id.is_empty()) {
            let facts = [("field", (*field).to_owned())];
            done.found += self.raise(FindingKind::UnusableAnswer, id, &facts, look.at).await?;
            // An order of ours is read by itself: the list may be what is wrong.
            if let Ok(id) = id.parse() {
                self.store.bring_look_forward(id, look.at.plus_minutes(1)).await?;
            }
        }
        let ids: Vec<OrderId> = payments.iter().filter_map(|seen| seen.payment_id.parse().ok()).collect();
        let orders = if ids.is_empty() { Vec::new() } else { self.store.orders(&ids).await? };
        let orders: BTreeMap<&str, &Order> = orders.iter().map(|order| (order.id.as_str(), order)).collect();
        let differing = payments.iter().filter(|seen| match orders.get(seen.payment_id.as_str()) {
            Some(order) => !matches!(decide(order, seen, &self.terms, look), Decision::Stay),
            None => seen.holds_money() || seen.status == PaymentStatus::VirtualAccountIssued,
        });
        done.compared += u32::try_from(payments.len()).unwrap_or(u32::MAX);
        let syncs = stream::iter(differing).map(|seen| async move {
            let claim = match seen.generation {
                Generation::V1 => Claim::V1Transaction {
                    imp_uid: &seen.transaction_id,
                    merchant_uid: Some(&seen.payment_id),
                },
                Generation::V2 => Claim::Payment(&seen.payment_id),
            };
            let look = Look { at: clock::now(), by: &SCHEDULE };
            (seen, look.at, trace::apart(self.payment(claim, look, deadline.step())).await)
        });
        let synced: Vec<_> = syncs.buffer_unordered(AT_ONCE).collect().await;
        let (all, mut failed) = (synced.len(), 0);
        for (seen, at, one) in synced {
            match one {
                Ok(Synced::Order { order, .. }) => done.moved += u32::from(order.updated_at == at),
                Ok(Synced::Unknown(_)) => done.found += 1,
                Ok(Synced::AnotherOrder) | Err(SyncError::Portone(PortoneError::NotConfigured(_))) => {}
                Err(SyncError::Store(error @ StoreError::Unavailable { .. })) => return Err(error.into()),
                // It must not hold up the others for ever: its order is due soon, or a person has to look.
                Err(error) => {
                    let transient = error.is_transient();
                    tracing::warn!(
                        event = "reconcile.put_off",
                        payment_id = seen.payment_id,
                        error = chain(&error)
                    );
                    failed += usize::from(transient);
                    match orders.get(seen.payment_id.as_str()) {
                        Some(order) if transient => {
                            self.store.bring_look_forward(order.id, look.at.plus_minutes(1)).await?;
                        }
                        Some(order) => {
                            let kind = finding_of(&error);
                            done.found += self.raise(kind, order.id.as_str(), &facts(order), look.at).await?;
                        }
                        None => {}
                    }
                }
            }
        }
        done.failed += u32::try_from(failed).unwrap_or(u32::MAX);
        Ok(failed * 2 <= all)
    }

    /// Findings that settled themselves are taken back.
    async fn look_at_findings(
        &self,
        look: Look<'_>,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), StoreError> {
        let (mut after, mut open) = (None, 0);
        let end = Instant::now() + FINDINGS_TIME;
        loop {
            let (page, next) = self.store.findings(after.as_deref(), FINDINGS_PAGE).await?;
            let checks = stream::iter(page).map(|kept| async move {
                if !deadline.leaves(STEP) || Instant::now() >= end {
                    return None;
                }
                let settled = trace::apart(self.is_settled(&kept.finding, look, deadline)).await;
                Some((kept.finding, settled.unwrap_or(false)))
            });
            let checked: Vec<_> = checks.buffer_unordered(AT_ONCE).collect().await;
            for one in checked {
                let Some((finding, is_settled)) = one else {
                    done.complete = false;
                    return Ok(());
                };
                if is_settled && self.store.settle_finding(finding.kind, &finding.subject).await? {
                    tracing::info!(event = "reconcile.settled", subject = finding.subject, kind = ?finding.kind);
                    done.settled += 1;
                } else {
                    open += 1;
                }
            }
            after = next;
            if after.is_none() {
                done.findings_open = Some(open);
                return Ok(());
            }
        }
    }

    /// How long money may have been nowhere. Orders whose outcomes are known by now are forgotten.
    async fn look_at_unknown(
        &self,
        now: Timestamp,
        deadline: Deadline,
        done: &mut Reconciled,
    ) -> Result<(), StoreError> {
        let (mut after, mut oldest) = (None, 0);
        loop {
            if !deadline.leaves(STEP) {
                done.complete = false;
                return Ok(());
            }
            let (ids, next) = self.store.unknown(after, UNKNOWN_PAGE).await?;
            let orders = if ids.is_empty() { Vec::new() } else { self.store.orders(&ids).await? };
            for order in orders {
                let open =
                    order.cancellations.iter().filter(|row| row.status == CancellationStatus::Intended);
                match open.map(|row| now.minutes_since(row.at)).max() {
                    Some(minutes) => oldest = oldest.max(u32::try_from(minutes).unwrap_or(0)),
                    None => self.store.forget_unknown(order.id).await?,
                }
            }
            after = next;
            if after.is_none() {
                done.oldest_unknown_minutes = Some(oldest);
                return Ok(());
            }
        }
    }

    /// Whether what was found is so no longer. Where only a person can tell, it is not settled.
    async fn is_settled(
        &self,
        finding: &Finding,
        look: Look<'_>,
        deadline: Deadline,
    ) -> Result<bool, SyncError> {
        let time = deadline.step().allow(READ_MAX, AWS_CALL_MAX);
        let claim = Claim::Payment(&finding.subject);
        // PortOne need not report their end.
        if matches!(finding.kind, FindingKind::Disputed | FindingKind::DepositRefundFailed) {
            self.payment(claim, look, deadline.step()).await?;
        }
        if finding::STANDING.contains(&finding.kind) {
            let Ok(id) = finding.subject.parse() else { return Ok(false) };
            let order = self.store.order(id).await?;
            return Ok(order.is_some_and(|order| !finding::standing(&order, look.at).contains(&finding.kind)));
        }
        let v1 = finding.facts.iter().any(|(name, value)| name == "generation" && value == "V1");
        match finding.kind {
            FindingKind::UnusableAnswer | FindingKind::WriteRejected => {
                Ok(self.payment(claim, look, deadline.step()).await.is_ok())
            }
            FindingKind::AccountOpen => match self.payment(claim, look, deadline.step()).await? {
                Synced::Order { seen, .. } => {
                    Ok(seen.is_none_or(|seen| seen.status != PaymentStatus::VirtualAccountIssued))
                }
                Synced::Unknown(_) | Synced::AnotherOrder => Ok(false),
            },
            FindingKind::BalanceDiffers => {
                let Ok(id) = finding.subject.parse() else { return Ok(false) };
                let order = self.store.order(id).await?;
                // A later cancellation was accepted, or nothing is left to cancel.
                let refused = |order: &Order| {
                    let last = order.cancellations.last();
                    last.is_some_and(|row| row.status == CancellationStatus::Failed)
                };
                Ok(order.is_some_and(|order| order.balance() == 0 || !refused(&order)))
            }
            FindingKind::Orphan | FindingKind::PaidTwice => {
                let fact = |name: &str| finding.facts.iter().find(|(fact, _)| fact == name);
                let payment = fact("paymentId").map_or(finding.subject.as_str(), |(_, id)| id);
                let seen = if v1 {
                    self.portone.v1.payment(&finding.subject, time).await?
                } else {
                    // What V2 shows now may be V1's payment of the same order.
                    let seen = self.portone.v2.payment(payment, time).await?;
                    let other = |seen: &Observation| seen.transaction_id == finding.subject;
                    seen.filter(|seen| finding.kind == FindingKind::Orphan || other(seen))
                };
                let known = match seen.as_ref().and_then(|seen| seen.payment_id.parse().ok()) {
                    Some(id) if finding.kind == FindingKind::Orphan => self.store.order(id).await?.is_some(),
                    _ => false,
                };
                // Its money went back, or an order of ours turned up.
                let waits = |seen: &Observation| seen.status == PaymentStatus::VirtualAccountIssued;
                let over = |seen: &Observation| !seen.holds_money() && !waits(seen);
                // Another deployment answers for it.
                let theirs =
                    |seen: &Observation| finding.kind == FindingKind::Orphan && !self.terms.cover(seen);
                Ok(known || seen.is_some_and(|seen| over(&seen) || theirs(&seen)))
            }
            _ => Ok(false),
        }
    }
}

/// What keeps a record from being used, as a fact of its finding.
fn cause(error: &SyncError) -> Vec<(&'static str, String)> {
    match error {
        SyncError::Portone(PortoneError::Unusable(Unusable(field))) => vec![("field", (*field).to_owned())],
        SyncError::Store(StoreError::Rejected { operation, code }) => {
            vec![("operation", (*operation).to_owned()), ("code", code.clone())]
        }
        SyncError::Store(StoreError::Broken { attribute, .. }) => {
            vec![("attribute", (*attribute).to_owned())]
        }
        _ => Vec::new(),
    }
}

/// What an operator has to know of an error that time does not end.
fn finding_of(error: &SyncError) -> FindingKind {
    match error {
        SyncError::Portone(_) => FindingKind::UnusableAnswer,
        SyncError::Store(StoreError::Rejected { .. }) => FindingKind::WriteRejected,
        SyncError::Store(_) | SyncError::Contended => FindingKind::BrokenOrder,
    }
}
