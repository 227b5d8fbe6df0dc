//! The decision: what we hold + what PortOne says now → what to do.
//!
//! One pure function, [`decide`], and its companion [`record_outcome`] for the answer of a
//! cancellation. Both are stable under repetition, and news may come in any order: money outranks
//! everything that is not money, more money back outranks less, and among the states without money
//! the newest by PortOne's clock wins. So the end state depends on what was seen, not on when.

use crate::{
    Cancellation, CancellationOrigin, CancellationOutcome, CancellationStatus, Generation, Money,
    Observation, Order, OrderStatus, PaymentMode, PaymentStatus, Rejection, Sighting, Timestamp,
    observation::{Channel, ObservedCancellation, ObservedCancellationStatus},
};

/// What this deployment takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Our store. V2 payments of another one are not ours.
    pub store_id: String,
    /// Real payments or test payments.
    pub mode: PaymentMode,
    /// What to do with money that arrives after the order expired.
    pub late_payment: LatePayment,
}

/// What to do with money that arrives after its order expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePayment {
    /// Take it.
    Accept,
    /// Give it back.
    Return,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: known already, old news, or no news.
    Stay,
    /// Write the order as it stands here.
    Write(Box<Order>),
    /// Write the order as it stands here, then ask PortOne for its cancellation number `number`,
    /// then record the outcome.
    GiveBack {
        /// The order, its ledger already naming the intent.
        order: Box<Order>,
        /// The cancellation to ask for.
        number: u32,
        /// Whether `order` differs from what is stored. When not, the intent is written already and
        /// only the call is left.
        write: bool,
    },
    /// Nothing to write, but a person should know.
    Alarm(Anomaly),
}

/// News that fits no story this backend knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anomaly {
    /// PortOne answered with another payment than the one asked for.
    AnotherPayment,
    /// A payment status this build has not heard of.
    UnrecognizedStatus,
    /// The payment of an order that holds money has changed its amount or currency.
    PaymentChanged,
    /// A second V1 transaction took money for an order that has its money.
    PaidTwice,
}

/// What a payment in some state means for an order in some state, before amounts and times are
/// looked at. The whole table is printed by the test
/// `every_order_status_answers_every_payment_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing.
    Stay,
    /// News without money: the newest wins.
    Attempt(OrderStatus),
    /// Money for an open order: taken if it matches, returned if not.
    Take,
    /// Money for an expired order: by the terms.
    TakeLate,
    /// Money for an order that takes none: returned.
    GiveBack,
    /// An open order's payment ended without money left.
    Close,
    /// News of money we know: only the ledger can move.
    Ledger,
    /// Not understood.
    Alarm,
}

fn turn(order: OrderStatus, payment: PaymentStatus) -> Turn {
    use {OrderStatus as O, PaymentStatus as P};

    match (order, payment) {
        (_, P::Unrecognized) => Turn::Alarm,

        // A window was opened. Whatever we know is better.
        (_, P::Ready) => Turn::Stay,

        (O::Pending | O::PayPending | O::VirtualAccountIssued, P::PayPending) => Turn::Attempt(O::PayPending),
        (O::Pending | O::PayPending | O::VirtualAccountIssued, P::VirtualAccountIssued) => {
            Turn::Attempt(O::VirtualAccountIssued)
        }
        // A failed transaction does not end the order: the buyer may try again.
        (O::Pending | O::PayPending | O::VirtualAccountIssued, P::Failed) => Turn::Attempt(O::Pending),
        (O::Pending | O::PayPending | O::VirtualAccountIssued, P::Paid | P::PartialCancelled) => Turn::Take,
        (O::Pending | O::PayPending | O::VirtualAccountIssued, P::Cancelled) => Turn::Close,

        (O::Expired, P::Paid | P::PartialCancelled) => Turn::TakeLate,
        (O::Expired, P::Cancelled) => Turn::Close,

        (O::Paid | O::PartialCancelled, P::Paid | P::PartialCancelled | P::Cancelled) => Turn::Ledger,

        (O::Cancelled | O::Rejected, P::Paid | P::PartialCancelled) => Turn::GiveBack,
        (O::Cancelled | O::Rejected, P::Cancelled) => Turn::Ledger,

        // News without money for an order that has it, or that is closed: news from the past.
        (
            O::Paid | O::PartialCancelled | O::Cancelled | O::Expired | O::Rejected,
            P::PayPending | P::VirtualAccountIssued | P::Failed,
        ) => Turn::Stay,
    }
}

/// What seeing this payment at PortOne does to the order.
///
/// `now` dates what is written, and tells whether money that was refused or went unanswered may be asked
/// for again. Repeating a decision that was carried out is [`Decision::Stay`], except that a return of
/// money without a known outcome is asked for again: through V2 with the same key, through V1, which
/// knows no key, when the call before cannot be running any more.
pub fn decide(order: &Order, seen: &Observation, terms: &Terms, now: Timestamp) -> Decision {
    if seen.payment_id != order.id.as_str() {
        return Decision::Alarm(Anomaly::AnotherPayment);
    }
    if let Some(paid) = order.sighting.as_ref().filter(|_| order.received.is_some()) {
        // V1 has a record for each transaction, and two windows of one order can both be paid, also one of
        // each generation. News of another transaction than the one that paid is no news of the order's
        // money. A V2 payment is one record, whatever its transactions.
        let through_v1 = Generation::V1 == seen.generation || Generation::V1 == paid.generation;
        if through_v1 && seen.transaction_id != paid.transaction_id {
            return match seen.status {
                PaymentStatus::Paid | PaymentStatus::PartialCancelled => Decision::Alarm(Anomaly::PaidTwice),
                _ => Decision::Stay,
            };
        }
    }
    match turn(order.status, seen.status) {
        Turn::Stay => Decision::Stay,
        Turn::Alarm => Decision::Alarm(Anomaly::UnrecognizedStatus),
        Turn::Attempt(status) => attempt(order, seen, status, terms, now),
        Turn::Take => take(order, seen, terms, now),
        Turn::TakeLate => match terms.late_payment {
            LatePayment::Accept => take(order, seen, terms, now),
            LatePayment::Return => {
                reject(order, seen, reasons(order, seen, terms, Some(Rejection::Late)), now)
            }
        },
        Turn::GiveBack => match order.status {
            // The money went back and this is a look from before.
            OrderStatus::Cancelled if order.received.is_some() => Decision::Stay,
            OrderStatus::Cancelled => {
                reject(order, seen, reasons(order, seen, terms, Some(Rejection::OrderCancelled)), now)
            }
            _ if is_other_money(order, seen) => Decision::Alarm(Anomaly::PaymentChanged),
            _ => give_back(order, order.clone(), seen, now),
        },
        Turn::Close => close(order, seen, terms, now),
        Turn::Ledger => ledger(order, seen, now),
    }
}

/// What the answer of a cancellation does to the order: the outcome is recorded in its ledger.
///
/// An unknown outcome changes nothing, nor does an outcome of a row that has one.
pub fn record_outcome(order: &Order, number: u32, outcome: &CancellationOutcome, now: Timestamp) -> Decision {
    let mut next = order.clone();
    let Some(row) = next
        .cancellations
        .iter_mut()
        .find(|c| c.number == number && c.status == CancellationStatus::Intended)
    else {
        return Decision::Stay;
    };
    match outcome {
        CancellationOutcome::Unknown => return Decision::Stay,
        CancellationOutcome::Succeeded { portone_id } => {
            row.status = CancellationStatus::Succeeded;
            row.portone_id.clone_from(portone_id);
        }
        CancellationOutcome::Requested { portone_id } => {
            row.status = CancellationStatus::Requested;
            row.portone_id.clone_from(portone_id);
        }
        CancellationOutcome::Failed { code } => {
            row.status = CancellationStatus::Failed;
            row.failure = Some(code.clone());
        }
    }
    settle_ledger(&mut next);
    write(order, next, now)
}

/// Why this payment is not this order's; empty when it is.
fn reasons(order: &Order, seen: &Observation, terms: &Terms, also: Option<Rejection>) -> Vec<Rejection> {
    let channel_fits = match (seen.channel, terms.mode) {
        (Channel::Live, PaymentMode::Live) | (Channel::Test, PaymentMode::Test) => true,
        (Channel::Live, PaymentMode::Test)
        | (Channel::Test, PaymentMode::Live)
        | (Channel::Unrecognized, _) => false,
    };
    let store_fits = match &seen.store_id {
        Some(store) => *store == terms.store_id,
        None => seen.generation == Generation::V1,
    };
    let faults = [
        (seen.total != order.total.amount, Rejection::Amount),
        (seen.currency != Some(order.total.currency), Rejection::Currency),
        (!store_fits, Rejection::Store),
        (!channel_fits, Rejection::Channel),
    ];
    faults.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).chain(also).collect()
}

/// News without money. A payment that does not match is not worth a word until money moves.
fn attempt(
    order: &Order,
    seen: &Observation,
    status: OrderStatus,
    terms: &Terms,
    now: Timestamp,
) -> Decision {
    let failed = seen.status == PaymentStatus::Failed;
    if !is_news(order, seen) || (!failed && !reasons(order, seen, terms, None).is_empty()) {
        return Decision::Stay;
    }
    let mut next = order.clone();
    next.status = status;
    next.virtual_account =
        seen.virtual_account.clone().filter(|_| status == OrderStatus::VirtualAccountIssued);
    next.last_failure = seen.failure.clone().filter(|_| failed);
    next.sighting = Some(sighting(seen));
    write(order, next, now)
}

/// Newer by PortOne's clock than what was applied last; of two at one moment, one wins by rule.
fn is_news(order: &Order, seen: &Observation) -> bool {
    let rank = |s: &Sighting| (s.changed_at, s.status, s.transaction_id.clone());
    order.sighting.as_ref().is_none_or(|known| rank(known) < rank(&sighting(seen)))
}

fn sighting(seen: &Observation) -> Sighting {
    Sighting {
        generation: seen.generation,
        transaction_id: seen.transaction_id.clone(),
        status: seen.status,
        changed_at: seen.changed_at,
    }
}

/// Money for an order that can take it.
fn take(order: &Order, seen: &Observation, terms: &Terms, now: Timestamp) -> Decision {
    let reasons = reasons(order, seen, terms, None);
    if !reasons.is_empty() {
        return reject(order, seen, reasons, now);
    }
    let mut next = order.clone();
    receive(&mut next, seen);
    merge(&mut next, seen, now);
    write(order, next, now)
}

/// Money that is not this order's: the order is rejected and what is left of the money goes back.
fn reject(order: &Order, seen: &Observation, reasons: Vec<Rejection>, now: Timestamp) -> Decision {
    let mut next = order.clone();
    next.status = OrderStatus::Rejected;
    next.rejections = reasons;
    receive(&mut next, seen);
    give_back(order, next, seen, now)
}

/// `next` holds money that has to go back: continue a return that has no outcome, or begin one for
/// what is left.
fn give_back(order: &Order, mut next: Order, seen: &Observation, now: Timestamp) -> Decision {
    merge(&mut next, seen, now);
    let balance = next.balance();
    if balance == 0 {
        return write(order, next, now);
    }
    let through = next.paid_through();
    let open = next.cancellations.iter().position(|row| row.status == CancellationStatus::Intended);
    let number = match open {
        // V1 knows no idempotency key: only one look at a time may ask, and only when the one before
        // cannot be waiting for its answer any more. So asking again is a write.
        Some(index) if through == Generation::V1 => {
            let row = &mut next.cancellations[index];
            if now < row.at.plus_minutes(1) {
                return write(order, next, now);
            }
            row.at = now;
            row.number
        }
        Some(index) => next.cancellations[index].number,
        None if !may_ask_again(&next, now) => return write(order, next, now),
        None => {
            let row = Cancellation {
                number: next_number(&next),
                origin: CancellationOrigin::Mismatch,
                status: CancellationStatus::Intended,
                amount: balance,
                tax_free: tax_free_left(&next, seen).min(balance),
                balance_before: balance,
                everything: seen.discounted,
                portone_id: None,
                failure: None,
                at: now,
            };
            let number = row.number;
            forget_old_refusals(&mut next);
            next.cancellations.push(row);
            number
        }
    };
    let changed = next != *order;
    if changed {
        next.updated_at = now;
    }
    Decision::GiveBack { order: Box::new(next), number, write: changed }
}

/// Share of what can go back that carries no VAT. V1 does not say: it is what the order asked for, if that
/// is what was paid, less what went back of it through us.
fn tax_free_left(order: &Order, seen: &Observation) -> u64 {
    seen.tax_free_left.unwrap_or_else(|| {
        let alive = order.cancellations.iter().filter(|row| row.status != CancellationStatus::Failed);
        let gone = alive.map(|row| row.tax_free).fold(0, u64::saturating_add);
        if order.received == Some(order.total) { order.tax_free.saturating_sub(gone) } else { 0 }
    })
}

/// Refusals after which the next look asks again at once.
const REFUSALS_AT_ONCE: usize = 3;
/// Refusals of ours that an order keeps; the newest say enough.
const REFUSALS_KEPT: usize = 10;

fn is_refused_return(row: &Cancellation) -> bool {
    row.origin == CancellationOrigin::Mismatch && row.status == CancellationStatus::Failed
}

/// A PG that refused a few times is asked at growing distances, 1 to 60 minutes: anybody can look, and
/// each look must not be a call that moves money.
fn may_ask_again(order: &Order, now: Timestamp) -> bool {
    let refusals = order.cancellations.iter().filter(|row| is_refused_return(row));
    let (count, last) = refusals.fold((0, None), |(count, _), row| (count + 1, Some(row.at)));
    let (Some(last), Some(beyond)) = (last, usize::checked_sub(count, REFUSALS_AT_ONCE)) else { return true };
    let minutes = 1_u32 << beyond.min(6);
    now >= last.plus_minutes(minutes.min(60))
}

fn forget_old_refusals(order: &mut Order) {
    while order.cancellations.iter().filter(|row| is_refused_return(row)).count() >= REFUSALS_KEPT {
        let oldest = order.cancellations.iter().position(is_refused_return);
        oldest.map(|index| order.cancellations.remove(index));
    }
}

/// The payment of an order without money ended: it was cancelled before we saw it paid, or closed.
fn close(order: &Order, seen: &Observation, terms: &Terms, now: Timestamp) -> Decision {
    let reasons = reasons(order, seen, terms, None);
    let mut next = order.clone();
    match (seen.had_money(), reasons.is_empty()) {
        (true, true) => {
            receive(&mut next, seen);
            merge(&mut next, seen, now);
        }
        // It came and went without us. Nothing is left to return.
        (true, false) => {
            next.status = OrderStatus::Rejected;
            next.rejections = reasons;
            receive(&mut next, seen);
            merge(&mut next, seen, now);
        }
        // PortOne takes no further attempt on a cancelled payment.
        (false, true) if order.status != OrderStatus::Expired => {
            next.status = OrderStatus::Cancelled;
            next.virtual_account = None;
            next.sighting = Some(sighting(seen));
        }
        (false, _) => return Decision::Stay,
    }
    write(order, next, now)
}

/// News of money that an order has or had: more of it may have gone back.
fn ledger(order: &Order, seen: &Observation, now: Timestamp) -> Decision {
    if order.received.is_none() {
        // Cancelled unpaid, and so is the payment.
        return Decision::Stay;
    }
    if is_other_money(order, seen) {
        return Decision::Alarm(Anomaly::PaymentChanged);
    }
    let mut next = order.clone();
    merge(&mut next, seen, now);
    write(order, next, now)
}

/// Whether this is not the money that the order received.
fn is_other_money(order: &Order, seen: &Observation) -> bool {
    order.received.is_some_and(|money| money.amount != seen.total || Some(money.currency) != seen.currency)
}

fn receive(next: &mut Order, seen: &Observation) {
    let currency = seen.currency.unwrap_or(next.total.currency);
    next.received = Some(Money::new(seen.total, currency));
    next.paid_at = seen.paid_at.or(Some(seen.changed_at));
    next.sighting = Some(sighting(seen));
    next.last_failure = None;
    next.virtual_account = None;
}

/// Takes over what PortOne lists of cancellations. Rows with an outcome keep it; a row of ours
/// without one takes the first unclaimed cancellation that could be it.
fn merge(next: &mut Order, seen: &Observation, now: Timestamp) {
    for theirs in &seen.cancellations {
        let known = next.cancellations.iter().position(|ours| ours.portone_id.as_ref() == Some(&theirs.id));
        let claimed = known.or_else(|| next.cancellations.iter().position(|ours| could_be(ours, theirs)));
        let row = match claimed {
            Some(index) => &mut next.cancellations[index],
            // A refusal moved no money; if it was ours, the same key brings it to us.
            None if theirs.status == ObservedCancellationStatus::Failed => continue,
            None => {
                let number = next_number(next);
                next.cancellations.push(Cancellation {
                    number,
                    origin: CancellationOrigin::Outside,
                    status: CancellationStatus::Requested,
                    amount: theirs.amount,
                    tax_free: theirs.tax_free,
                    balance_before: 0,
                    everything: false,
                    portone_id: None,
                    failure: None,
                    at: theirs.requested_at.unwrap_or(now),
                });
                next.cancellations.last_mut().expect("a row was just pushed")
            }
        };
        row.portone_id = Some(theirs.id.clone());
        if matches!(row.status, CancellationStatus::Intended | CancellationStatus::Requested) {
            row.status = match theirs.status {
                ObservedCancellationStatus::Succeeded => CancellationStatus::Succeeded,
                ObservedCancellationStatus::Failed => CancellationStatus::Failed,
                ObservedCancellationStatus::Requested | ObservedCancellationStatus::Unrecognized => {
                    CancellationStatus::Requested
                }
            };
        }
    }
    next.returned = next.returned.max(seen.returned());
    settle_ledger(next);

    // An intent whose balance is no longer there cannot take effect any more: PortOne refuses it by
    // `currentCancellableAmount`. What is left is a new intent.
    let balance = next.balance();
    for row in next.cancellations.iter_mut().filter(|c| c.status == CancellationStatus::Intended) {
        if row.balance_before != balance {
            row.status = CancellationStatus::Failed;
            row.failure = Some("BALANCE_CHANGED".to_owned());
        }
    }
}

fn could_be(ours: &Cancellation, theirs: &ObservedCancellation) -> bool {
    matches!(ours.status, CancellationStatus::Intended | CancellationStatus::Requested)
        && ours.portone_id.is_none()
        && ours.amount == theirs.amount
        && theirs.by_api
        && theirs.status != ObservedCancellationStatus::Failed
}

fn next_number(order: &Order) -> u32 {
    order.cancellations.iter().map(|c| c.number).max().unwrap_or(0).saturating_add(1)
}

/// The sums and the status follow from the ledger, for an order whose money was taken.
fn settle_ledger(next: &mut Order) {
    let Some(received) = next.received else { return };
    let succeeded = next.cancellations.iter().filter(|c| c.status == CancellationStatus::Succeeded);
    let listed = succeeded.map(|c| c.amount).fold(0, u64::saturating_add);
    next.returned = next.returned.max(listed).min(received.amount);
    if next.status != OrderStatus::Rejected {
        next.status = match next.returned {
            0 => OrderStatus::Paid,
            part if part < received.amount => OrderStatus::PartialCancelled,
            _ => OrderStatus::Cancelled,
        };
    }
}

fn write(order: &Order, mut next: Order, now: Timestamp) -> Decision {
    if next == *order {
        return Decision::Stay;
    }
    next.updated_at = now;
    Decision::Write(Box::new(next))
}

#[cfg(test)]
mod tests;
