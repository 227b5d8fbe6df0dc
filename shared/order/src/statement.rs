//! The finance statement of a day: what came and what went back, and what of it is supply, VAT and tax-free.
//!
//! An order is looked at as the list of its [`Posting`]s, each on one day for good: what was posted on a
//! closed day stays as it is, whatever happens to the order later, so a statement can be made again at any
//! time. Over all days the postings of an order sum to what it received less what it returned.

use std::{
    collections::BTreeMap,
    ops::{AddAssign, Neg},
};

use crate::{
    CancellationStatus, Currency, Entry, Order, OrderId, OrderStatus, PayMethod, PaymentStatus, Timestamp,
    day::Day,
};

/// What kind of money moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PostingKind {
    /// It came.
    Payment,
    /// It went back to the buyer of an order that had it rightly.
    Cancellation,
    /// It went back because it was not the order's.
    Return,
}

/// An amount by what it is for tax, in minor units; negative where money went back.
///
/// Sums are 128 bits wide: they cannot overflow by adding up what 64 bits hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The taxable part without its VAT.
    pub supply: i128,
    /// Value added tax: a tenth of the supply, that is an eleventh of the taxable part.
    pub vat: i128,
    /// The part that carries no VAT.
    pub tax_free: i128,
}

impl Split {
    /// The whole of it.
    pub fn amount(self) -> i128 {
        self.supply + self.vat + self.tax_free
    }

    /// `amount`, of which `tax_free` carries no VAT.
    fn of(amount: u64, tax_free: u64) -> Self {
        let (taxable, tax_free) = (i128::from(amount.saturating_sub(tax_free)), i128::from(tax_free));
        // An eleventh of a whole number is never halfway between two.
        let vat = (taxable + 5) / 11;
        Self { supply: taxable - vat, vat, tax_free }
    }

    fn less(self, other: Self) -> Self {
        let mut left = self;
        left += -other;
        left
    }
}

impl AddAssign for Split {
    fn add_assign(&mut self, other: Self) {
        self.supply += other.supply;
        self.vat += other.vat;
        self.tax_free += other.tax_free;
    }
}

impl Neg for Split {
    type Output = Self;

    fn neg(self) -> Self {
        Self { supply: -self.supply, vat: -self.vat, tax_free: -self.tax_free }
    }
}

/// Money that moved, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The day it belongs to.
    pub day: Day,
    /// When it moved: a payment by PortOne's clock, what went back when it was written down.
    pub at: Timestamp,
    /// Which way and why.
    pub kind: PostingKind,
    /// Its place among the postings of its order: 0 for the payment, then each return.
    pub place: u32,
    /// What it is units of.
    pub currency: Currency,
    /// How much.
    pub split: Split,
}

/// Everything that moved for one order, in the order in which it was written down.
pub fn postings(order: &Order) -> Vec<Posting> {
    let Some(received) = order.received else { return Vec::new() };
    // Money of another amount or currency is not split as the order would be.
    let tax_free = if received == order.total { order.tax_free.min(received.amount) } else { 0 };
    let written = payment_entry(order).map(|entry| entry.at);
    let at = order.paid_at.or(written).unwrap_or(order.updated_at);
    // PortOne's clock may run ahead of ours: nothing happened after it was written down.
    let written = written.unwrap_or(at);
    let at = at.min(written);
    let day = if written < Day::of(at).closes_at() { Day::of(at) } else { Day::of(written) };
    let payment = Posting {
        day,
        at,
        kind: PostingKind::Payment,
        place: 0,
        currency: received.currency,
        split: Split::of(received.amount, tax_free),
    };
    let kind =
        if order.status == OrderStatus::Rejected { PostingKind::Return } else { PostingKind::Cancellation };
    let mut list = vec![payment];
    let mut gone = Gone::default();
    for (place, back) in (1..).zip(returns(order)) {
        let before = gone.split();
        gone.add(&back, received.amount, tax_free);
        let split = -gone.split().less(before);
        list.push(Posting { day: Day::of(back.at), at: back.at, kind, place, split, ..payment });
    }
    list
}

/// How much of a payment went back so far.
#[derive(Clone, Copy, Default)]
struct Gone {
    amount: u64,
    tax_free: u64,
}

impl Gone {
    /// Splitting what went back in all, and taking the difference, makes the parts of an order sum to its
    /// whole to the last won, however they were rounded. For the same reason the tax-free share is held to
    /// what is left of either kind: PortOne's console and V1 do not always say it.
    fn add(&mut self, back: &Return, received: u64, tax_free: u64) {
        let amount = self.amount.saturating_add(back.amount).min(received);
        let taxable = received - tax_free;
        let wanted = self.tax_free.saturating_add(back.tax_free);
        *self = Self { amount, tax_free: wanted.clamp(amount.saturating_sub(taxable), tax_free.min(amount)) };
    }

    fn split(self) -> Split {
        Split::of(self.amount, self.tax_free)
    }
}

/// Money that went back.
struct Return {
    at: Timestamp,
    amount: u64,
    tax_free: u64,
}

/// The entry by which the payment came into the books.
fn payment_entry(order: &Order) -> Option<&Entry> {
    let is = |wanted: &[OrderStatus]| order.journal.iter().find(|entry| wanted.contains(&entry.status));
    // An order can be cancelled unpaid and rejected when money comes after all; but money that had gone back
    // before anybody looked makes it CANCELLED at once.
    is(&[OrderStatus::Paid, OrderStatus::PartialCancelled, OrderStatus::Rejected])
        .or_else(|| is(&[OrderStatus::Cancelled]))
}

/// Everything that went back, in the order in which it was written down.
fn returns(order: &Order) -> Vec<Return> {
    let entry = |holds: &dyn Fn(&Entry) -> bool| order.journal.iter().position(holds);
    let at = |index: Option<usize>, otherwise: Timestamp| {
        index.and_then(|index| order.journal.get(index)).map_or(otherwise, |entry| entry.at)
    };
    let succeeded = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Succeeded);
    // Closing an order that nobody paid for is a cancellation of nothing.
    let rows = succeeded.filter(|row| row.amount > 0).map(|row| {
        let index =
            entry(&|entry| entry.cancellations.contains(&(row.number, CancellationStatus::Succeeded)));
        let back = Return { at: at(index, row.at), amount: row.amount, tax_free: row.tax_free };
        (index.unwrap_or(usize::MAX), row.number, back)
    });
    let mut list: Vec<_> = rows.collect();
    let listed = list.iter().map(|(_, _, back)| back.amount).fold(0, u64::saturating_add);
    let unlisted = order.returned.saturating_sub(listed);
    if unlisted > 0 {
        // PortOne counts more than it lists, as for a discounted payment that is cancelled whole. It came
        // into the books with the news that said so.
        let wanted: &[_] = if order.received.is_some_and(|money| money.amount == order.returned) {
            &[PaymentStatus::Cancelled]
        } else {
            &[PaymentStatus::PartialCancelled, PaymentStatus::Cancelled]
        };
        let index = entry(&|entry| entry.seen.as_ref().is_some_and(|(status, _)| wanted.contains(status)));
        let back = Return { at: at(index, order.updated_at), amount: unlisted, tax_free: 0 };
        list.push((index.unwrap_or(usize::MAX), u32::MAX, back));
    }
    list.sort_by_key(|(index, number, _)| (*index, *number));
    list.into_iter().map(|(_, _, back)| back).collect()
}

/// A posting with what a reader wants to know of its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The posting.
    pub posting: Posting,
    /// The order.
    pub order_id: OrderId,
    /// Its name.
    pub order_name: String,
    /// How the buyer meant to pay.
    pub pay_method: PayMethod,
}

/// How often, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Postings.
    pub count: u64,
    /// Their sum.
    pub split: Split,
}

/// The statement of one day, order by order in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    day: Day,
    rows: Vec<Row>,
}

impl Statement {
    /// The empty statement of a day.
    pub fn new(day: Day) -> Self {
        Self { day, rows: Vec::new() }
    }

    /// The day.
    pub fn day(&self) -> Day {
        self.day
    }

    /// Takes what moved for `order` on the day.
    pub fn add(&mut self, order: &Order) {
        let today = postings(order).into_iter().filter(|posting| posting.day == self.day);
        self.rows.extend(today.map(|posting| Row {
            posting,
            order_id: order.id,
            order_name: order.name.clone(),
            pay_method: order.pay_method,
        }));
    }

    /// Its rows, by time.
    pub fn rows(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        rows.sort_by_key(|row| (row.posting.at, row.order_id, row.posting.place));
        rows
    }

    /// Its totals: by currency, then by kind.
    pub fn totals(&self) -> BTreeMap<Currency, BTreeMap<PostingKind, Total>> {
        let mut totals = BTreeMap::<_, BTreeMap<_, Total>>::new();
        for Row { posting, .. } in &self.rows {
            let total = totals.entry(posting.currency).or_default().entry(posting.kind).or_default();
            total.count += 1;
            total.split += posting.split;
        }
        totals
    }
}

#[cfg(test)]
mod tests;
