//! What is promised of every state that can be reached, and what has to be reachable at all.

use order::{CancellationStatus, OrderStatus};
use stateright::Property;

use crate::{
    scenario::{PIECES, Role, Scenario, TOTAL},
    state::State,
    system::System,
};

impl State {
    /// The first promise that this state breaks.
    pub fn broken(&self, scenario: &Scenario) -> Option<&'static str> {
        if let Some(fault) = self.table.fault {
            return Some(fault);
        }
        let order = &self.table.order;
        let received = order.received.map_or(0, |money| money.amount);
        let taken = order.received.is_some() && order.status != OrderStatus::Rejected;
        let attempts = &self.portone.attempts;
        let by = order.sighting.as_ref().map_or("", |by| &by.transaction_id);
        let ours = attempts.iter().enumerate().find(|(at, _)| format!("t{at}") == by).map(|(_, one)| one);
        let paid = ours.filter(|one| one.paid.is_some());
        let back = paid.map_or(0, |one| one.undone());
        let rows = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Succeeded);
        let rows: u64 = rows.map(|row| row.amount).sum();
        // What operators want, each key once; nothing of it where the money is not the order's.
        let mut wants: Vec<(u8, Option<u64>)> = Vec::new();
        for role in scenario.roles {
            if let Role::Cancel(want) = role
                && wants.iter().all(|(key, _)| *key != want.key)
            {
                wants.push((want.key, want.amount));
            }
        }
        let wanted: u64 = wants.iter().map(|(_, amount)| amount.unwrap_or(TOTAL)).sum();
        let by_api: u64 = attempts.iter().map(|one| one.returned_by_api()).sum();
        let holds = if order.holds_stock { PIECES } else { 0 };
        let faults = [
            (taken && received > TOTAL, "no more is taken than was ordered"),
            (
                taken && paid.is_none_or(|one| one.total != TOTAL || one.oddity.is_some()),
                "an order has its money by a payment of its amount",
            ),
            (attempts.iter().any(|one| one.returned() > one.total), "no more goes back than came"),
            (taken && by_api > wanted, "no return is made twice"),
            (order.returned > back, "what went back here went back at PortOne"),
            (rows > back, "a return that succeeded is PortOne's"),
            (self.table.told_paid > 1, "the shop is told once to send the goods"),
            (
                self.table.stock + self.table.sold + holds != PIECES,
                "no piece is lost, and none released twice",
            ),
            (
                taken && order.status != OrderStatus::Cancelled && !order.holds_stock,
                "a paid order has its stock",
            ),
            (self.portone.asked_twice_at_once, "V1 is asked by one at a time"),
        ];
        faults.into_iter().find_map(|(broken, rule)| broken.then_some(rule))
    }
}

type Condition = fn(&System, &State) -> bool;

/// What a scenario can name as reachable.
const REACHABLE: &[(&str, Condition)] = &[
    ("paid", |_, state| state.table.order.status == OrderStatus::Paid),
    ("expired", |_, state| state.table.order.status == OrderStatus::Expired),
    ("rejected", |_, state| state.table.order.status == OrderStatus::Rejected),
    ("partly returned", |_, state| state.table.order.status == OrderStatus::PartialCancelled),
    ("all of it went back", |_, state| {
        state.table.order.received.is_some_and(|money| money.amount == state.table.order.returned)
    }),
    ("closed by an operator", |_, state| {
        state.table.order.status == OrderStatus::Cancelled
            && state.table.order.received.is_none()
            && !state.table.order.cancellations.is_empty()
    }),
    ("on its way back", |_, state| {
        state.table.order.cancellations.iter().any(|row| row.status == CancellationStatus::Requested)
    }),
    ("a write lost its race", |_, state| state.table.lost),
    ("sold to another", |_, state| state.table.sold > 0),
    ("asked again", |_, state| state.asked_again),
    ("paid twice", |_, state| state.table.found_paid_twice),
    ("left to a person", |_, state| state.is_left_to_a_person()),
];

/// The properties of a model.
pub fn properties(scenario: &Scenario) -> Vec<Property<System>> {
    let always = [
        Property::always(crate::check::ALWAYS, |system: &System, state: &State| {
            state.broken(&system.scenario).is_none()
        }),
        Property::always(crate::check::IN_THE_END, |system: &System, state: &State| {
            !state.is_quiet() || state.heal(&system.scenario).is_ok()
        }),
    ];
    let reached = REACHABLE.iter().filter(|(name, _)| scenario.reaches.contains(name));
    let reached = reached.map(|(name, condition)| Property::sometimes(name, *condition));
    always.into_iter().chain(reached).collect()
}
