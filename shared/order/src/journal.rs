//! The journal: who did what to an order, one entry for each write of it, in the order of its versions.

use crate::{CancellationStatus, Observation, Order, OrderStatus, PaymentStatus, Timestamp};

/// Who made us look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The buyer's page.
    Buyer,
    /// PortOne's webhook.
    Portone,
    /// An operator of the shop, by the name the authorizer gave.
    Operator(String),
    /// The schedule.
    Schedule,
}

/// A look at an order: when, and on whose account.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Now.
    pub at: Timestamp,
    /// Who looks.
    pub by: &'a Actor,
}

/// One write of an order. Entry `n` was made by version `n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Where the order stood after it.
    pub status: OrderStatus,
    /// What PortOne said, if it was asked: the payment's state and the transaction it was about.
    pub seen: Option<(PaymentStatus, String)>,
    /// The cancellations that began or moved, and where they stood after it.
    pub cancellations: Vec<(u32, CancellationStatus)>,
}

impl Entry {
    /// The entry for going from `before` to `after`; `before` is nothing for a new order.
    pub fn of(before: Option<&Order>, after: &Order, look: Look<'_>, seen: Option<&Observation>) -> Self {
        let rows = before.map_or(&[][..], |order| order.cancellations.as_slice());
        let stood = |number| rows.iter().find(|row| row.number == number).map(|row| row.status);
        let moved = after.cancellations.iter().filter(|row| stood(row.number) != Some(row.status));
        Self {
            at: look.at,
            by: look.by.clone(),
            status: after.status,
            seen: seen.map(|seen| (seen.status, seen.transaction_id.clone())),
            cancellations: moved.map(|row| (row.number, row.status)).collect(),
        }
    }
}
