//! The decision: what we hold + what PortOne says now → what to do.
//!
//! One pure function, [`decide`]. It is stable under repetition, and news may come in any order: money outranks
//! everything that is not money, more money back outranks less, and among the states without money
//! the newest by PortOne's clock wins. So the end state depends on what was seen, not on when.

use crate::{
    Generation, Money, Observation, Order, OrderStatus, PaymentMode, PaymentStatus, Rejection, Sighting,
    Timestamp, VirtualAccount,
    commit::write,
    decision::{Anomaly, Decision},
    dispute,
    journal::Look,
    ledger::{ask_again, give_back, merge},
    observation::Channel,
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
    /// An account waits for a deposit that the order does not take.
    CloseAccount,
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

        // A window of a closed order issued an account, before it closed or after that.
        (O::Cancelled | O::Expired | O::Rejected, P::VirtualAccountIssued) => Turn::CloseAccount,

        // News without money for an order that has it, or that is closed: news from the past.
        (O::Paid | O::PartialCancelled, P::VirtualAccountIssued)
        | (
            O::Paid | O::PartialCancelled | O::Cancelled | O::Expired | O::Rejected,
            P::PayPending | P::Failed,
        ) => Turn::Stay,
    }
}

/// What seeing this payment at PortOne does to the order.
///
/// `look` dates what is written, and tells whether money that was refused or went unanswered may be asked
/// for again. Repeating a decision that was carried out is [`Decision::Stay`], except that a return of
/// money without a known outcome is asked for again: through V2 with the same key, through V1, which
/// knows no key, when the call before cannot be running any more.
pub fn decide(order: &Order, seen: &Observation, terms: &Terms, look: Look<'_>) -> Decision {
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
                // A deposit into it would pay the order twice.
                PaymentStatus::VirtualAccountIssued => Decision::CloseAccount,
                _ => Decision::Stay,
            };
        }
    }
    match turn(order.status, seen.status) {
        Turn::Stay => Decision::Stay,
        Turn::Alarm => Decision::Alarm(Anomaly::UnrecognizedStatus),
        // The account that paid the order is not waiting any more: this is an answer from before the deposit.
        Turn::CloseAccount if was_paid_by(order, seen) => Decision::Stay,
        Turn::CloseAccount => Decision::CloseAccount,
        Turn::Attempt(status) => attempt(order, seen, status, terms, look),
        Turn::Take => take(order, seen, terms, look),
        Turn::TakeLate => match terms.late_payment {
            LatePayment::Accept => take(order, seen, terms, look),
            LatePayment::Return => {
                reject(order, seen, reasons(order, seen, terms, Some(Rejection::Late)), look)
            }
        },
        Turn::GiveBack => match order.status {
            // The money went back and this is a look from before.
            OrderStatus::Cancelled if order.received.is_some() => Decision::Stay,
            OrderStatus::Cancelled => {
                reject(order, seen, reasons(order, seen, terms, Some(Rejection::OrderCancelled)), look)
            }
            _ if is_other_money(order, seen) => Decision::Alarm(Anomaly::PaymentChanged),
            _ => give_back(order, order.clone(), seen, look),
        },
        Turn::Close => close(order, seen, terms, look),
        Turn::Ledger if order.received.is_none() => came_and_went(order, seen, terms, look),
        Turn::Ledger => ledger(order, seen, look),
    }
}

/// Whether the order's money came by this very transaction.
fn was_paid_by(order: &Order, seen: &Observation) -> bool {
    let paid = order.sighting.as_ref().filter(|_| order.received.is_some());
    paid.is_some_and(|paid| paid.transaction_id == seen.transaction_id)
}

impl Terms {
    /// Whether a payment is this deployment's to answer for: made in its store, on its kind of channel. A deployment for
    /// test payments next to one for real ones, or one for another store, answers for the others.
    pub fn cover(&self, seen: &Observation) -> bool {
        is_of_store(seen, self) && is_of_mode(seen, self)
    }
}

fn is_of_mode(seen: &Observation, terms: &Terms) -> bool {
    match (seen.channel, terms.mode) {
        (Channel::Live, PaymentMode::Live) | (Channel::Test, PaymentMode::Test) => true,
        (Channel::Live, PaymentMode::Test)
        | (Channel::Test, PaymentMode::Live)
        | (Channel::Unrecognized, _) => false,
    }
}

fn is_of_store(seen: &Observation, terms: &Terms) -> bool {
    match &seen.store_id {
        Some(store) => *store == terms.store_id,
        None => seen.generation == Generation::V1,
    }
}

/// Why this payment is not this order's; empty when it is.
fn reasons(order: &Order, seen: &Observation, terms: &Terms, also: Option<Rejection>) -> Vec<Rejection> {
    let faults = [
        (seen.total != order.total.amount, Rejection::Amount),
        (seen.currency != Some(order.total.currency), Rejection::Currency),
        (!is_of_store(seen, terms), Rejection::Store),
        (!is_of_mode(seen, terms), Rejection::Channel),
    ];
    faults.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).chain(also).collect()
}

/// News without money. A payment that does not match is not worth a word until money moves.
fn attempt(
    order: &Order,
    seen: &Observation,
    status: OrderStatus,
    terms: &Terms,
    look: Look<'_>,
) -> Decision {
    let failed = seen.status == PaymentStatus::Failed;
    if !is_news(order, seen)
        || is_known(order, seen)
        || (!failed && !reasons(order, seen, terms, None).is_empty())
    {
        return Decision::Stay;
    }
    let mut next = order.clone();
    next.status = status;
    if status == OrderStatus::VirtualAccountIssued {
        next.virtual_account.clone_from(&seen.virtual_account);
    } else {
        // The buyer may still pay into an account that another window issued.
        next.virtual_account =
            next.virtual_account.filter(|account| account.transaction_id != seen.transaction_id);
        // V1 has a record for each window. A card that failed does not close the account of another window.
        if failed && seen.generation == Generation::V1 && next.virtual_account.is_some() {
            next.status = OrderStatus::VirtualAccountIssued;
        }
    }
    next.last_failure = seen.failure.clone().filter(|_| failed);
    next.sighting = Some(sighting(seen));
    write(order, next, look, Some(seen))
}

/// The same state of the same transaction is no news, though the other generation's API dates it and spells
/// its bank in another way.
fn is_known(order: &Order, seen: &Observation) -> bool {
    let known = order.sighting.as_ref();
    let same = known.is_some_and(|s| s.transaction_id == seen.transaction_id && s.status == seen.status);
    let account = |account: &Option<VirtualAccount>| {
        account
            .as_ref()
            .map(|account| (account.number.clone(), account.expires_at.map(Timestamp::as_seconds)))
    };
    same && seen.status == PaymentStatus::VirtualAccountIssued
        && account(&order.virtual_account) == account(&seen.virtual_account)
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
fn take(order: &Order, seen: &Observation, terms: &Terms, look: Look<'_>) -> Decision {
    let reasons = reasons(order, seen, terms, None);
    if !reasons.is_empty() {
        return reject(order, seen, reasons, look);
    }
    let mut next = order.clone();
    receive(&mut next, seen, look);
    merge(&mut next, seen, look.at);
    write(order, next, look, Some(seen))
}

/// Money that is not this order's: the order is rejected and what is left of the money goes back.
fn reject(order: &Order, seen: &Observation, reasons: Vec<Rejection>, look: Look<'_>) -> Decision {
    let mut next = order.clone();
    next.status = OrderStatus::Rejected;
    next.rejections = reasons;
    receive(&mut next, seen, look);
    give_back(order, next, seen, look)
}

/// The payment of an order without money ended: it was cancelled before we saw it paid, or closed.
fn close(order: &Order, seen: &Observation, terms: &Terms, look: Look<'_>) -> Decision {
    let reasons = reasons(order, seen, terms, None);
    let mut next = order.clone();
    match (seen.had_money(), reasons.is_empty()) {
        (true, true) => {
            receive(&mut next, seen, look);
            merge(&mut next, seen, look.at);
        }
        // It came and went without us. Nothing is left to return.
        (true, false) => {
            next.status = OrderStatus::Rejected;
            next.rejections = reasons;
            receive(&mut next, seen, look);
            merge(&mut next, seen, look.at);
        }
        // PortOne takes no further attempt on a cancelled payment.
        (false, true) if order.status != OrderStatus::Expired => {
            next.status = OrderStatus::Cancelled;
            next.virtual_account = None;
            next.sighting = Some(sighting(seen));
        }
        (false, _) => return Decision::Stay,
    }
    write(order, next, look, Some(seen))
}

/// The order was cancelled unpaid. So was its payment, or it was paid after that and given back before anybody
/// looked: then the order had money that it did not take.
fn came_and_went(order: &Order, seen: &Observation, terms: &Terms, look: Look<'_>) -> Decision {
    if !seen.had_money() {
        return Decision::Stay;
    }
    let mut next = order.clone();
    next.status = OrderStatus::Rejected;
    next.rejections = reasons(order, seen, terms, Some(Rejection::OrderCancelled));
    receive(&mut next, seen, look);
    merge(&mut next, seen, look.at);
    write(order, next, look, Some(seen))
}

/// News of money that an order has or had: more of it may have gone back.
fn ledger(order: &Order, seen: &Observation, look: Look<'_>) -> Decision {
    if is_other_money(order, seen) {
        return Decision::Alarm(Anomaly::PaymentChanged);
    }
    let mut next = order.clone();
    merge(&mut next, seen, look.at);
    if next == *order {
        // A write of its own, so that no write has more than two events. The same answer is decided about again.
        dispute::merge(&mut next.disputes, &seen.disputes);
        next.deposit_refund = seen.deposit_refund.or(next.deposit_refund);
    }
    ask_again(order, next, seen, look)
}

/// Whether this is not the money that the order received.
fn is_other_money(order: &Order, seen: &Observation) -> bool {
    // Money in a currency that is not known was taken down in the order's, and is rejected for that.
    let unknown = seen.currency.is_none() && order.rejections.contains(&Rejection::Currency);
    order.received.is_some_and(|money| {
        let currency = if unknown { Some(order.total.currency) } else { seen.currency };
        money.amount != seen.total || Some(money.currency) != currency
    })
}

fn receive(next: &mut Order, seen: &Observation, look: Look<'_>) {
    let currency = seen.currency.unwrap_or(next.total.currency);
    next.received = Some(Money::new(seen.total, currency));
    // A record without any time tells nothing about when.
    let dated = Some(seen.changed_at).filter(|at| *at > Timestamp::from_millis(0));
    next.paid_at = seen.paid_at.or(dated).or(Some(look.at));
    next.sighting = Some(sighting(seen));
    next.last_failure = None;
    next.virtual_account = None;
}

#[cfg(test)]
mod tests;
