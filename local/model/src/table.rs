//! The table: the order's item, the product's stock, and what the stream tells of each write.
//!
//! Mirrors the store (`shared/backend/src/store/orders.rs`, `stock.rs`, `waiting.rs`): one conditional write,
//! together with the stock where that moves, and the mark by which a writer knows its own write.

use std::hash::{Hash, Hasher};

use order::{
    Cancellation, CancellationStatus, EventKind, Order, OrderStatus, Timestamp, audit::Imbalance,
    audit::imbalances, event::events,
};

use crate::{scenario::PIECES, state::Held};

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// The order as it stands.
    pub order: Held,
    /// Whose write it was.
    pub written_by: u32,
    /// Marks given out so far.
    pub marks: u32,
    /// Pieces that are left.
    pub stock: u32,
    /// Pieces that another buyer took.
    pub sold: u32,
    /// How often the rest of the shop was told that the order is paid.
    pub told_paid: u8,
    /// Somebody lost a race.
    pub lost: bool,
    /// A second payment of the order was written down for a person.
    pub found_paid_twice: bool,
    /// A payment that changed was written down for a person.
    pub found_other: bool,
    /// The first write that broke what no write may break.
    pub fault: Option<&'static str>,
}

/// What a write came to.
pub enum Advanced {
    /// It is there.
    Stored(Held),
    /// Somebody was faster; this is what is there.
    Stale(Held),
    /// The stock it would take is sold.
    SoldOut,
}

impl Hash for Table {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self {
            order,
            written_by: _,
            marks: _,
            stock,
            sold,
            told_paid,
            lost,
            found_paid_twice,
            found_other,
            fault,
        } = self;
        (order.print(), stock, sold, told_paid, lost, found_paid_twice, found_other, fault).hash(hasher);
    }
}

impl Table {
    /// With a new order that has its stock.
    pub fn new(order: Order) -> Self {
        Self {
            order: Held::new(order),
            written_by: 0,
            marks: 0,
            stock: 0,
            sold: 0,
            told_paid: 0,
            lost: false,
            found_paid_twice: false,
            found_other: false,
            fault: None,
        }
    }

    /// A mark for a new write.
    pub fn mark(&mut self) -> u32 {
        self.marks += 1;
        self.marks
    }

    /// `Store::advance`.
    pub fn advance(&mut self, before: &Held, next: &Order, mark: u32) -> Advanced {
        let current = self.order.clone();
        if current.version != before.version {
            if self.written_by == mark {
                return Advanced::Stored(current);
            }
            self.lost = true;
            return Advanced::Stale(current);
        }
        if before.holds_stock && !next.holds_stock {
            self.stock += PIECES;
        }
        if !before.holds_stock && next.holds_stock {
            if self.stock < PIECES {
                return Advanced::SoldOut;
            }
            self.stock = self.stock.saturating_sub(PIECES);
        }
        let stored = Order { version: before.version + 1, ..next.clone() };
        self.watch(&current, before, &stored);
        self.order = Held::new(stored);
        self.written_by = mark;
        Advanced::Stored(self.order.clone())
    }

    /// `Store::plan_look`.
    pub fn plan_look(&mut self, order: &Order, at: Option<Timestamp>) {
        if self.order.version == order.version {
            self.order = Held::new(Order { look_at: at, ..Order::clone(&self.order) });
        }
    }

    /// What the stream tells, and what no write may do whatever its reasons are.
    fn watch(&mut self, was: &Held, before: &Held, next: &Order) {
        let changed = |order: &Order| order.sighting.as_ref().map(|by| by.changed_at);
        let told = events(Some(was), next);
        self.told_paid += u8::from(told.contains(&EventKind::OrderPaid));
        let row =
            |order: &Order, number| order.cancellations.iter().find(|row| row.number == number).cloned();
        let ended = |row: &&Cancellation| {
            matches!(row.status, CancellationStatus::Succeeded | CancellationStatus::Failed)
        };
        let undone = |old: &Cancellation| row(next, old.number).is_none_or(|new| new.status != old.status);
        let open = next.cancellations.iter();
        let open = open.filter(|row| row.status == CancellationStatus::Intended && row.amount > 0).count();
        let unsound = imbalances(next).into_iter().any(|fault| fault != Imbalance::Journal);
        let faults = [
            (next.journal.len() != before.journal.len() + 1, "a write has one entry in the journal"),
            (was.received.is_some() && was.received != next.received, "money that came is not forgotten"),
            (next.returned < was.returned, "money that went back does not come again"),
            (was.cancellations.iter().filter(ended).any(undone), "an outcome stands"),
            (open > 1, "one cancellation at a time is asked for"),
            (unsound, "an order's own books balance"),
            (
                next.status == OrderStatus::Expired && was.is_open() && next.updated_at < was.due(),
                "an order does not expire before its time",
            ),
            (
                !was.is_open() && next.received.is_none() && next.status != was.status,
                "a closed order moves by money only",
            ),
            (next.received.is_none() && changed(next) < changed(was), "older news does not undo newer news"),
            (
                next.cancellations
                    .iter()
                    .any(|row| row.amount == 0 && row.request.is_some_and(|request| request.body[0] != 0)),
                "a part is not taken for the whole",
            ),
            (
                was.status == OrderStatus::Rejected && next.status != OrderStatus::Rejected,
                "a rejected order stays rejected",
            ),
        ];
        let broken = faults.into_iter().find(|(broken, _)| *broken).map(|(_, rule)| rule);
        self.fault = self.fault.or(broken);
    }
}
