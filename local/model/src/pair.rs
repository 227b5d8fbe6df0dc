//! Two orders that want the same last piece: each with its own payment and its own processes, as a model of one
//! order has them, and with the product's one stock between them.
//!
//! What the other order holds is to each what another buyer took.

use stateright::{Model, Property};

use crate::{
    scenario::{PIECES, Scenario},
    state::State,
    system::{Action, System},
};
use order::OrderStatus;

/// Two orders, and what happens to each of them. The clock's moments are the first one's.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Its name.
    pub name: &'static str,
    /// The order that has the piece at first.
    pub first: Scenario,
    /// The order that is made once the piece is free.
    pub second: Scenario,
    /// What has to be reachable.
    pub reaches: &'static [&'static str],
}

/// Everything there is at one moment.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Both {
    /// The first order and its world.
    pub first: State,
    /// The second one, and when it was made, in minutes of the first one's.
    pub second: Option<(State, i64)>,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either {
    /// Something to the first order.
    First(Action),
    /// Something to the second one.
    Second(Action),
    /// The second one is made: one transaction that takes the piece, or nothing.
    Made,
    /// Time passes for both.
    Time,
}

fn held(state: &State) -> u32 {
    if state.table.order.holds_stock { PIECES } else { 0 }
}

impl Both {
    /// What the one moved of the stock is so for the other.
    fn share(mut self, stock: u32) -> Self {
        let second = self.second.as_ref().map_or(0, |(state, _)| held(state));
        (self.first.table.stock, self.first.table.sold) = (stock, second);
        let first = held(&self.first);
        if let Some((state, _)) = &mut self.second {
            (state.table.stock, state.table.sold) = (stock, first);
        }
        self
    }

    /// The first promise that is broken.
    pub fn broken(&self, pair: &Pair) -> Option<&'static str> {
        let second = || self.second.as_ref().and_then(|(state, _)| state.broken(&pair.second));
        self.first.broken(&pair.first).or_else(second)
    }

    fn is_quiet(&self) -> bool {
        self.first.is_quiet() && self.second.as_ref().is_none_or(|(state, _)| state.is_quiet())
    }

    /// Lets the network heal for the one and then for the other, in both orders.
    pub fn heal(&self, pair: &Pair) -> Result<(), &'static str> {
        let first = |both: Self| -> Result<Self, &'static str> {
            let healed = both.first.healed(&pair.first)?;
            let stock = healed.table.stock;
            Ok(Self { first: healed, ..both }.share(stock))
        };
        let second = |both: Self| -> Result<Self, &'static str> {
            let Some((state, made)) = &both.second else { return Ok(both) };
            let healed = state.healed(&pair.second)?;
            let stock = healed.table.stock;
            Ok(Self { second: Some((healed, *made)), ..both }.share(stock))
        };
        let ends = [
            first(self.clone()).and_then(second).and_then(first)?,
            second(self.clone()).and_then(first).and_then(second)?,
        ];
        ends.into_iter().find_map(|end| end.broken(pair)).map_or(Ok(()), Err)
    }
}

impl Model for Pair {
    type State = Both;
    type Action = Either;

    fn init_states(&self) -> Vec<Both> {
        vec![Both { first: State::begin(&self.first), second: None }]
    }

    fn actions(&self, both: &Both, actions: &mut Vec<Either>) {
        let of = |scenario: &Scenario, state: &State| {
            let mut actions = Vec::new();
            System { scenario: scenario.clone() }.actions(state, &mut actions);
            actions.retain(|action| !matches!(action, Action::Time | Action::Sold));
            actions
        };
        actions.extend(of(&self.first, &both.first).into_iter().map(Either::First));
        match &both.second {
            Some((state, _)) => actions.extend(of(&self.second, state).into_iter().map(Either::Second)),
            None if both.first.table.stock >= PIECES => actions.push(Either::Made),
            None => {}
        }
        if both.is_quiet() && self.first.moments.iter().any(|at| *at > both.first.now) {
            actions.push(Either::Time);
        }
    }

    fn next_state(&self, both: &Both, action: Either) -> Option<Both> {
        let mut both = both.clone();
        let stock = both.first.table.stock;
        match action {
            Either::First(action) => {
                let system = System { scenario: self.first.clone() };
                both.first = system.next_state(&both.first, action)?;
                let stock = both.first.table.stock;
                Some(both.share(stock))
            }
            Either::Second(action) => {
                let system = System { scenario: self.second.clone() };
                let (state, made) = both.second.take()?;
                let state = system.next_state(&state, action)?;
                let stock = state.table.stock;
                both.second = Some((state, made));
                Some(both.share(stock))
            }
            Either::Made => {
                let made = both.first.now;
                both.second = Some((State::begin(&self.second), made));
                Some(both.share(stock - PIECES))
            }
            Either::Time => {
                let now = self.first.moments.iter().copied().find(|at| *at > both.first.now)?;
                both.first.now = now;
                if let Some((state, made)) = &mut both.second {
                    state.now = now - *made;
                }
                Some(both)
            }
        }
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let always = [
            Property::always(crate::check::ALWAYS, |pair: &Self, both: &Both| both.broken(pair).is_none()),
            Property::always(crate::check::IN_THE_END, |pair: &Self, both: &Both| {
                !both.is_quiet() || both.heal(pair).is_ok()
            }),
        ];
        let reached = REACHABLE.iter().filter(|(name, _)| self.reaches.contains(name));
        let reached = reached.map(|(name, condition)| Property::sometimes(name, *condition));
        always.into_iter().chain(reached).collect()
    }
}

fn status(both: &Both) -> (OrderStatus, Option<OrderStatus>) {
    (both.first.table.order.status, both.second.as_ref().map(|(state, _)| state.table.order.status))
}

type Condition = fn(&Pair, &Both) -> bool;

const REACHABLE: &[(&str, Condition)] = &[
    ("the second one has the piece, and the first one's money goes back", |_, both| {
        status(both) == (OrderStatus::Rejected, Some(OrderStatus::Paid))
    }),
    ("the first one has its piece again", |_, both| {
        status(both) == (OrderStatus::Paid, Some(OrderStatus::Expired))
    }),
    ("both ended without it", |_, both| status(both) == (OrderStatus::Expired, Some(OrderStatus::Expired))),
];
