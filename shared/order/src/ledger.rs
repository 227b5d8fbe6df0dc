//! Money going back: how the ledger of cancellations is continued, and what follows from it.

use crate::{
    Cancellation, CancellationOrigin, CancellationOutcome, CancellationStatus, Generation, Observation,
    Order, OrderStatus, PaymentStatus, Timestamp,
    cancel::ABANDONED,
    commit::{commit, write},
    decision::Decision,
    journal::Look,
    method::{self, GoingBack},
    observation::{ObservedCancellation, ObservedCancellationStatus},
};

/// What the answer of a cancellation does to the order: the outcome is recorded in its ledger.
///
/// An unknown outcome changes nothing, nor does an outcome of a row that has one.
pub fn record_outcome(order: &Order, number: u32, outcome: &CancellationOutcome, look: Look<'_>) -> Decision {
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
        CancellationOutcome::Failed { code, message } => {
            row.status = CancellationStatus::Failed;
            row.failure = Some(code.clone());
            row.failure_message.clone_from(message);
        }
    }
    row.refund_account = None;
    if row.everything {
        // What went back in the console since it was asked for is no part of what was left.
        row.amount = row.amount.min(order.not_returned());
    }
    settle_ledger(&mut next);
    write(order, next, look, None)
}

/// `next` holds money that has to go back: continue a return that has no outcome, or begin one for
/// what is left.
pub(crate) fn give_back(order: &Order, mut next: Order, seen: &Observation, look: Look<'_>) -> Decision {
    merge(&mut next, seen, look.at);
    let balance = next.balance();
    let back = GoingBack { partial: balance < seen.total, has_account: false, has_phone: false };
    let paid_at = next.paid_at.unwrap_or(look.at);
    // A deposit has nowhere to go back to before an operator says where: see the findings.
    let possible = method::check(seen.paid_by, seen.pg.as_deref(), paid_at, look.at, back).is_ok();
    let open = next.open_cancellation().is_some();
    if open || balance == 0 || !possible || !may_request_again(&next, look.at) {
        return ask_again(order, next, seen, look);
    }
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
        failure_message: None,
        reason: None,
        request: None,
        promotion: None,
        refund_account: None,
        at: look.at,
        asked_again_at: None,
    };
    let number = row.number;
    forget_old_refusals(&mut next);
    next.cancellations.push(row);
    Decision::GiveBack { order: Box::new(commit(order, next, look, Some(seen))), number, write: true }
}

/// A cancellation of ours without an outcome is asked for again, if the payment still holds money.
pub(crate) fn ask_again(order: &Order, mut next: Order, seen: &Observation, look: Look<'_>) -> Decision {
    let holds_money = matches!(seen.status, PaymentStatus::Paid | PaymentStatus::PartialCancelled);
    let through = next.paid_through();
    let open = next.cancellations.iter_mut().find(|row| row.status == CancellationStatus::Intended);
    let Some(row) = open.filter(|_| holds_money) else { return write(order, next, look, Some(seen)) };
    let number = row.number;
    if through == Generation::V1 {
        // V1 knows no idempotency key: only one look at a time may ask, and only when PortOne cannot be at
        // work on the one before any more. So asking again is a write.
        if look.at < row.asked_again_at.unwrap_or(row.at).plus_minutes(V1_CALL_MINUTES) {
            return write(order, next, look, Some(seen));
        }
        row.asked_again_at = Some(look.at);
    }
    if next == *order {
        return Decision::GiveBack { order: Box::new(next), number, write: false };
    }
    Decision::GiveBack { order: Box::new(commit(order, next, look, Some(seen))), number, write: true }
}

/// Share of what can go back that carries no VAT. V1 does not say: it is what the order asked for, if that
/// is what was paid, less what went back of it through us.
pub(crate) fn tax_free_left(order: &Order, seen: &Observation) -> u64 {
    seen.tax_free_left.unwrap_or_else(|| {
        let alive = order.cancellations.iter().filter(|row| row.status != CancellationStatus::Failed);
        let gone = alive.map(|row| row.tax_free).fold(0, u64::saturating_add);
        if order.received == Some(order.total) { order.tax_free.saturating_sub(gone) } else { 0 }
    })
}

/// PortOne works on after a caller hung up; its own clients wait a minute and more. With the time that the
/// asking itself takes, ten are enough.
const V1_CALL_MINUTES: u32 = 10;
/// A PG that rejects an automatic cancellation is asked for so long, counted from the first sync that found the money.
/// After that an operator has to act.
const TRIES_DAYS: u32 = 7;
/// Refusals after which the next look asks again at once.
const REFUSALS_AT_ONCE: usize = 3;
/// Refusals of ours that an order keeps; the newest say enough.
const REFUSALS_KEPT: usize = 10;

/// Whether an operator took it for one that did not happen. PortOne may say later that it did.
fn is_abandoned(row: &Cancellation) -> bool {
    row.status == CancellationStatus::Failed && row.failure.as_deref() == Some(ABANDONED)
}

fn is_refused_return(row: &Cancellation) -> bool {
    row.origin == CancellationOrigin::Mismatch && row.status == CancellationStatus::Failed
}

/// Whether a rejected automatic cancellation may be requested again now.
///
/// After a few rejections the PG is asked at growing distances, 1 to 60 minutes: anybody can cause a sync, and each one
/// must not be a call that moves money.
fn may_request_again(order: &Order, now: Timestamp) -> bool {
    if is_given_up(order, now) {
        return false;
    }
    let refusals = order.cancellations.iter().filter(|row| is_refused_return(row));
    let (count, last) = refusals.fold((0, None), |(count, _), row| (count + 1, Some(row.at)));
    let (Some(last), Some(beyond)) = (last, usize::checked_sub(count, REFUSALS_AT_ONCE)) else { return true };
    let minutes = 1_u32 << beyond.min(6);
    now >= last.plus_minutes(minutes.min(60))
}

/// Whether the time for automatic cancellations of this order is over. It begins when the money was found, not when it
/// was paid: money that is found late gets its attempts too.
fn is_given_up(order: &Order, now: Timestamp) -> bool {
    let found = order.journal.iter().find(|entry| entry.status == OrderStatus::Rejected);
    found.is_some_and(|entry| now > entry.at.plus_minutes(TRIES_DAYS * 24 * 60))
}

/// Whether money that is not the order's stays with the shop, although nothing is under way that would return it: the
/// PG rejected it three times, the time for attempts is over, the payment method does not allow it, or a deposit has no
/// account to go to.
///
/// To be asked about an order as it stands after a sync. Where a request was possible the sync made one, so that a
/// rejection from before it, with nothing after it, means that none was possible.
pub(crate) fn is_stuck(order: &Order, now: Timestamp) -> bool {
    if order.status != OrderStatus::Rejected || order.balance() == 0 || order.open_cancellation().is_some() {
        return false;
    }
    let refusals = order.cancellations.iter().filter(|row| is_refused_return(row));
    let (count, last) = refusals.fold((0, None), |(count, _), row| (count + 1, Some(row.at)));
    match last {
        None => true,
        Some(last) => {
            count >= REFUSALS_AT_ONCE
                || is_given_up(order, now)
                || (last < now && may_request_again(order, now))
        }
    }
}

fn forget_old_refusals(order: &mut Order) {
    while order.cancellations.iter().filter(|row| is_refused_return(row)).count() >= REFUSALS_KEPT {
        let oldest = order.cancellations.iter().position(is_refused_return);
        oldest.map(|index| order.cancellations.remove(index));
    }
}

/// Takes over what PortOne lists of cancellations. Rows with an outcome keep it; a row of ours
/// without one takes the first unclaimed cancellation that could be it.
pub(crate) fn merge(next: &mut Order, seen: &Observation, now: Timestamp) {
    correct_all_that_was_left(next, seen);
    // Old payments list cancellations that have one name together: each is a row of its own.
    let mut named = Vec::new();
    for theirs in &seen.cancellations {
        let mut rows = next.cancellations.iter().enumerate();
        let known =
            rows.find(|(index, ours)| ours.portone_id.as_ref() == Some(&theirs.id) && !named.contains(index));
        let known = known.map(|(index, _)| index);
        // All that PortOne counts is in the ledger already, if under another name: V1 and V2 need not call
        // one cancellation the same. So it is not what a row without a name waits for either.
        if known.is_none()
            && theirs.status == ObservedCancellationStatus::Succeeded
            && succeeded(next).saturating_add(theirs.amount) > seen.returned()
        {
            continue;
        }
        let claimed = known.or_else(|| next.cancellations.iter().position(|ours| could_be(ours, theirs)));
        named.push(claimed.unwrap_or(next.cancellations.len()));
        let row = match claimed {
            Some(index) => &mut next.cancellations[index],
            // A refusal moved no money; if it was ours, the same key brings it to us.
            None if theirs.status == ObservedCancellationStatus::Failed => continue,
            None => {
                let (number, origin) = (next_number(next), origin_of_unclaimed(next, theirs));
                next.cancellations.push(Cancellation {
                    number,
                    origin,
                    status: CancellationStatus::Requested,
                    amount: theirs.amount,
                    tax_free: theirs.tax_free,
                    balance_before: 0,
                    everything: false,
                    portone_id: None,
                    failure: None,
                    failure_message: None,
                    reason: None,
                    request: None,
                    promotion: None,
                    refund_account: None,
                    at: theirs.requested_at.unwrap_or(now),
                    asked_again_at: None,
                });
                next.cancellations.last_mut().expect("a row was just pushed")
            }
        };
        row.portone_id = Some(theirs.id.clone());
        let happened = is_abandoned(row) && theirs.status == ObservedCancellationStatus::Succeeded;
        if happened || matches!(row.status, CancellationStatus::Intended | CancellationStatus::Requested) {
            row.status = match theirs.status {
                ObservedCancellationStatus::Succeeded => CancellationStatus::Succeeded,
                ObservedCancellationStatus::Failed => CancellationStatus::Failed,
                ObservedCancellationStatus::Requested | ObservedCancellationStatus::Unrecognized => {
                    CancellationStatus::Requested
                }
            };
            row.refund_account = None;
            if happened {
                (row.failure, row.failure_message) = (None, None);
            }
        }
        correct_all_that_was_left(next, seen);
    }
    next.returned = next.returned.max(seen.returned());
    settle_ledger(next);

    // An intent whose balance is no longer there cannot take effect any more: PortOne refuses it by
    // `currentCancellableAmount`. What is left is a new intent. What is only on its way back can still be
    // refused, and then the balance is there again for a call that is under way.
    let (balance, most) = (next.balance(), next.not_returned());
    for row in next.cancellations.iter_mut().filter(|c| c.status == CancellationStatus::Intended) {
        // All that is left is whatever that is, while there is anything.
        let gone = if row.everything { balance == 0 } else { row.balance_before > most };
        if gone {
            row.status = CancellationStatus::Failed;
            row.failure = Some("BALANCE_CHANGED".to_owned());
            row.refund_account = None;
        }
    }
}

/// A row that asked for all that is left, without naming it, came to what the others that PortOne lists did not
/// bring back. A return in the console may have been faster.
fn correct_all_that_was_left(next: &mut Order, seen: &Observation) {
    let listed = |one: &&ObservedCancellation| one.status == ObservedCancellationStatus::Succeeded;
    let all = seen.cancellations.iter().filter(listed).map(|one| one.amount).fold(0, u64::saturating_add);
    for theirs in seen.cancellations.iter().filter(listed) {
        let ours = |row: &&mut Cancellation| row.everything && row.portone_id.as_ref() == Some(&theirs.id);
        if let Some(row) = next.cancellations.iter_mut().find(ours) {
            row.amount = seen.returned().saturating_sub(all.saturating_sub(theirs.amount));
        }
    }
}

/// Whether this row of ours, whose name at PortOne is not known, can be that cancellation.
fn could_be(ours: &Cancellation, theirs: &ObservedCancellation) -> bool {
    let fits = match theirs.status {
        // What was taken first and is refused now; what was never answered, the same request brings to us.
        ObservedCancellationStatus::Failed => ours.status == CancellationStatus::Requested,
        _ => ours.status != CancellationStatus::Failed || is_abandoned(ours),
    };
    fits && ours.portone_id.is_none()
        && ours.amount > 0
        && (ours.amount == theirs.amount || ours.everything)
        && theirs.by_api
}

/// Who asked for a cancellation that no row of ours waits for. V2 says whether its API did, and forgets a key after
/// three hours: a return that was asked for again after that, by a process that died with the answer, is another
/// one than the refused one that our row has.
fn origin_of_unclaimed(order: &Order, theirs: &ObservedCancellation) -> CancellationOrigin {
    let by_api = theirs.by_api && order.paid_through() == Generation::V2;
    let ours = by_api && order.cancellations.iter().any(is_refused_return);
    match ours {
        true => CancellationOrigin::Mismatch,
        false if theirs.chargeback => CancellationOrigin::Chargeback,
        false => CancellationOrigin::Outside,
    }
}

fn succeeded(order: &Order) -> u64 {
    let rows = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Succeeded);
    rows.map(|row| row.amount).fold(0, u64::saturating_add)
}

pub(crate) fn next_number(order: &Order) -> u32 {
    order.cancellations.iter().map(|c| c.number).max().unwrap_or(0).saturating_add(1)
}

/// The sums and the status follow from the ledger, for an order whose money was taken.
fn settle_ledger(next: &mut Order) {
    let Some(received) = next.received else { return };
    next.returned = next.returned.max(succeeded(next)).min(received.amount);
    if next.status != OrderStatus::Rejected {
        next.status = match next.returned {
            0 => OrderStatus::Paid,
            part if part < received.amount => OrderStatus::PartialCancelled,
            _ => OrderStatus::Cancelled,
        };
    }
}
