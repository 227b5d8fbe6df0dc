//! An operator wants an order cancelled, in whole or in part.

use crate::{
    Cancellation, CancellationOrigin, CancellationStatus, Generation, Observation, Order, OrderStatus,
    PaymentStatus,
    cancellation::{PromotionDiscount, RefundAccount, RequestMark},
    commit::commit,
    expiry::{is_without_money, may_take_deposit},
    journal::Look,
    ledger::{next_number, tax_free_left},
    method::{self, GoingBack, MethodRefusal},
};

/// What the operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedCancellation {
    /// The request, so that its repetition is known.
    pub request: RequestMark,
    /// Minor units, above 0; all that is left if nothing.
    pub amount: Option<u64>,
    /// Share of it that carries no VAT; as little as possible if nothing.
    pub tax_free: Option<u64>,
    /// Why, for the buyer and the PG.
    pub reason: String,
    /// What happens to the discount of a PortOne promotion.
    pub promotion: Option<PromotionDiscount>,
    /// Whether an order whose payment the PG has not decided about is closed all the same. A payment that succeeds later
    /// is cancelled automatically.
    pub close_undecided: bool,
    /// The number of a cancellation that PortOne accepted and that never took place, as an operator has checked with
    /// PortOne. It is recorded as failed, and nothing else is done.
    pub abandon: Option<u32>,
    /// Where the money goes, for a method that cannot send it back where it came from.
    pub refund_account: Option<RefundAccount>,
}

impl WantedCancellation {
    /// A cancellation of `amount`, or of all that is left, without anything special.
    pub fn of(request: RequestMark, amount: Option<u64>, reason: String) -> Self {
        Self {
            request,
            amount,
            tax_free: None,
            reason,
            promotion: None,
            close_undecided: false,
            abandon: None,
            refund_account: None,
        }
    }
}

/// Why nothing is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelRefusal {
    /// The key was used for another request.
    KeyReused,
    /// The order is closed, or nothing of its money is left.
    NothingLeft,
    /// The PG has not decided about the payment yet.
    Undecided,
    /// Another cancellation of the order has no outcome yet.
    InProgress,
    /// More than is left, in minor units.
    ExceedsBalance(u64),
    /// More tax-free, or more taxable, than is left. The tax-free share that is left, in minor units.
    ExceedsTaxFree(u64),
    /// The method does not allow it.
    Method(MethodRefusal),
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelling {
    /// The same request made this cancellation before: answer how it stands.
    Known(u32),
    /// No money came yet: write the order as it stands here, cancelled.
    Close {
        /// The order.
        order: Box<Order>,
        /// The number of the cancellation, of nothing.
        number: u32,
    },
    /// No money came yet, and a virtual account waits for it: write the intent, close the account at PortOne,
    /// then look again.
    CloseAccount {
        /// The order with the intent, if it is not written yet.
        intent: Option<Box<Order>>,
    },
    /// Write the order as it stands here: an accepted cancellation did not take place.
    Abandon {
        /// The order.
        order: Box<Order>,
        /// The number of that cancellation.
        number: u32,
    },
    /// Write the order as it stands here, then ask PortOne for its cancellation.
    Ask {
        /// The order, its ledger naming the intent.
        order: Box<Order>,
        /// The cancellation to ask for.
        number: u32,
    },
    /// Nothing.
    Refused(CancelRefusal),
}

/// What an operator's request does to an order that stands by what PortOne said just now; `closed` says that its
/// virtual account was closed just now.
pub fn cancel(
    order: &Order,
    seen: Option<&Observation>,
    wanted: &WantedCancellation,
    look: Look<'_>,
    closed: bool,
) -> Cancelling {
    let made = |row: &&Cancellation| row.request.as_ref().is_some_and(|mark| mark.key == wanted.request.key);
    let made = order.cancellations.iter().find(made);
    if let Some(row) = made {
        if row.request != Some(wanted.request) {
            return Cancelling::Refused(CancelRefusal::KeyReused);
        }
        // Closing an unpaid order that a crash interrupted is gone on with; money asked for is not.
        if !order.is_open() || !row.is_closing() {
            return Cancelling::Known(row.number);
        }
    }
    if let Some(number) = wanted.abandon {
        return abandon(order, number, &wanted.reason, look);
    }
    match order.status {
        OrderStatus::Pending | OrderStatus::PayPending | OrderStatus::VirtualAccountIssued => {
            let number = made.map(|row| row.number);
            let whole = wanted.amount.is_none_or(|amount| amount == order.total.amount);
            if !closed && may_take_deposit(order, seen) && whole {
                return Cancelling::CloseAccount {
                    intent: number.is_none().then(|| {
                        let mut next = order.clone();
                        begin_closing(&mut next, wanted, look);
                        Box::new(commit(order, next, look, seen))
                    }),
                };
            }
            let undecided = seen.is_some_and(|seen| seen.status == PaymentStatus::PayPending);
            let may_close = undecided && wanted.close_undecided;
            if !is_without_money(seen, false) && !may_close {
                return Cancelling::Refused(CancelRefusal::Undecided);
            }
            // Nothing was paid: there is no part of it to give back.
            if !whole {
                return Cancelling::Refused(CancelRefusal::ExceedsBalance(0));
            }
            let mut next = order.clone();
            let number = number.unwrap_or_else(|| begin_closing(&mut next, wanted, look));
            next.status = OrderStatus::Cancelled;
            next.virtual_account = None;
            Cancelling::Close { order: Box::new(commit(order, next, look, seen)), number }
        }
        OrderStatus::Rejected if order.balance() == 0 => Cancelling::Refused(CancelRefusal::NothingLeft),
        // Money that is not the order's goes back by itself, unless it is a deposit: that needs an account.
        OrderStatus::Paid | OrderStatus::PartialCancelled | OrderStatus::Rejected => match seen {
            Some(seen) => match ask(order, seen, wanted, look) {
                Ok(asked) => asked,
                Err(refusal) => Cancelling::Refused(refusal),
            },
            None => Cancelling::Refused(CancelRefusal::Undecided),
        },
        OrderStatus::Cancelled | OrderStatus::Expired => Cancelling::Refused(CancelRefusal::NothingLeft),
    }
}

/// Recorded as the failure of a cancellation that an operator has checked with PortOne: it did not happen.
pub(crate) const ABANDONED: &str = "CHECKED_NOT_EXECUTED";

/// An accepted cancellation is taken for one that did not take place. Its amount can be cancelled again.
fn abandon(order: &Order, number: u32, reason: &str, look: Look<'_>) -> Cancelling {
    let mut next = order.clone();
    let Some(row) = next.cancellations.iter_mut().find(|row| row.number == number) else {
        return Cancelling::Refused(CancelRefusal::NothingLeft);
    };
    if row.status == CancellationStatus::Failed && row.failure.as_deref() == Some(ABANDONED) {
        return Cancelling::Known(number);
    }
    // What has no answer yet is requested again by the next sync.
    if row.status != CancellationStatus::Requested {
        return Cancelling::Refused(CancelRefusal::InProgress);
    }
    row.status = CancellationStatus::Failed;
    row.failure = Some(ABANDONED.to_owned());
    row.failure_message = Some(reason.to_owned());
    Cancelling::Abandon { order: Box::new(commit(order, next, look, None)), number }
}

/// The intent to close an order without money: a cancellation of nothing. It is done when the order is
/// closed.
fn begin_closing(next: &mut Order, wanted: &WantedCancellation, look: Look<'_>) -> u32 {
    let row = row(next, 0, 0, wanted, look);
    let number = row.number;
    next.cancellations.push(row);
    number
}

fn ask(
    order: &Order,
    seen: &Observation,
    wanted: &WantedCancellation,
    look: Look<'_>,
) -> Result<Cancelling, CancelRefusal> {
    if order.open_cancellation().is_some() {
        return Err(CancelRefusal::InProgress);
    }
    let balance = order.balance();
    let amount = wanted.amount.unwrap_or(balance);
    if balance == 0 {
        return Err(CancelRefusal::NothingLeft);
    }
    if amount == 0 || amount > balance {
        return Err(CancelRefusal::ExceedsBalance(balance));
    }
    let tax_free_left = tax_free_left(order, seen).min(balance);
    let taxable_left = balance - tax_free_left;
    let tax_free = wanted.tax_free.unwrap_or_else(|| amount.saturating_sub(taxable_left));
    if tax_free > tax_free_left || tax_free > amount || amount - tax_free > taxable_left {
        return Err(CancelRefusal::ExceedsTaxFree(tax_free_left));
    }
    let account = wanted.refund_account.as_ref();
    let back = GoingBack {
        partial: order.received.is_some_and(|received| received.amount != amount),
        has_account: account.is_some(),
        has_phone: account.is_some_and(|account| account.holder_phone.is_some()),
    };
    // V2 has names of banks, V1 the PG's own codes.
    let is_code = |bank: &str| bank.bytes().all(|b| b.is_ascii_digit());
    let through_v1 = order.paid_through() == Generation::V1;
    if account.is_some_and(|account| is_code(&account.bank) != through_v1) {
        return Err(CancelRefusal::Method(MethodRefusal::OtherBank));
    }
    let paid_at = order.paid_at.unwrap_or(look.at);
    method::check(seen.paid_by, seen.pg.as_deref(), paid_at, look.at, back).map_err(CancelRefusal::Method)?;

    let mut row = row(order, amount, tax_free, wanted, look);
    row.balance_before = balance;
    row.everything = seen.discounted && amount == balance;
    row.refund_account.clone_from(&wanted.refund_account);
    let number = row.number;
    let mut next = order.clone();
    next.cancellations.push(row);
    Ok(Cancelling::Ask { order: Box::new(commit(order, next, look, Some(seen))), number })
}

fn row(
    order: &Order,
    amount: u64,
    tax_free: u64,
    wanted: &WantedCancellation,
    look: Look<'_>,
) -> Cancellation {
    Cancellation {
        number: next_number(order),
        origin: CancellationOrigin::Operator,
        status: CancellationStatus::Intended,
        amount,
        tax_free,
        balance_before: 0,
        everything: false,
        portone_id: None,
        failure: None,
        failure_message: None,
        reason: Some(wanted.reason.clone()),
        request: Some(wanted.request),
        promotion: wanted.promotion,
        refund_account: None,
        at: look.at,
        asked_again_at: None,
    }
}
