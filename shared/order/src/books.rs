//! The books of the whole table: per currency, what was ordered, what came, what went back.

use std::collections::BTreeMap;

use crate::{Currency, Order, OrderStatus, statement::postings};

/// Sums over orders in one currency, in minor units. 128 bits wide: they cannot overflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// What the orders that hold or held their money cost.
    pub ordered: i128,
    /// What came for them.
    pub received: i128,
    /// What of it went back.
    pub returned: i128,
    /// What came that was not its order's.
    pub rejected: i128,
    /// What of that went back.
    pub rejected_returned: i128,
    /// What the statements of all days sum to.
    pub posted: i128,
}

impl Sums {
    /// Paid = ordered, returned ≤ paid, and the statements tell of all of it.
    pub fn balance(&self) -> bool {
        self.received == self.ordered
            && self.returned <= self.received
            && self.rejected_returned <= self.rejected
            && self.posted == self.received - self.returned + self.rejected - self.rejected_returned
    }

    /// What is rejected and still here: it has to go back.
    pub fn owed(&self) -> i128 {
        self.rejected - self.rejected_returned
    }
}

/// The books: filled order by order, in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Books {
    /// How many orders were looked at.
    pub orders: u64,
    /// The sums, by currency.
    pub sums: BTreeMap<Currency, Sums>,
}

impl Books {
    /// Takes an order in.
    pub fn add(&mut self, order: &Order) {
        self.orders += 1;
        let Some(received) = order.received else { return };
        let (came, back) = (i128::from(received.amount), i128::from(order.returned));
        if order.status == OrderStatus::Rejected {
            let sums = self.sums.entry(received.currency).or_default();
            sums.rejected += came;
            sums.rejected_returned += back;
        } else {
            self.sums.entry(order.total.currency).or_default().ordered += i128::from(order.total.amount);
            let sums = self.sums.entry(received.currency).or_default();
            sums.received += came;
            sums.returned += back;
        }
        let posted = postings(order).iter().map(|posting| posting.split.amount()).sum::<i128>();
        self.sums.entry(received.currency).or_default().posted += posted;
    }

    /// Whether every currency's sums balance.
    pub fn balance(&self) -> bool {
        self.sums.values().all(Sums::balance)
    }
}
