//! The model: which actions there are, and what they do.

use stateright::{Model, Property};

use crate::{
    portone::{Asks, Stage, Work},
    process::{Phase, Step},
    promises,
    scenario::{News, PIECES, Scenario},
    state::State,
};
use order::Generation;

/// A scenario as a model.
#[derive(Clone, Debug)]
pub struct System {
    /// The scenario.
    pub scenario: Scenario,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A process takes a step.
    Process(usize, Step),
    /// PortOne goes on with a call.
    Work(usize, Work),
    /// A call never reaches PortOne.
    Lost(usize),
    /// Something happens at PortOne.
    News(usize),
    /// The PG decides about a return.
    Decided(usize, usize, bool),
    /// Another buyer takes the piece.
    Sold,
    /// Time passes. Functions and calls end long before.
    Time,
}

impl Model for System {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::begin(&self.scenario)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let scenario = &self.scenario;
        for index in 0..state.processes.len() {
            // Of several that are alike and did not start, the first one does.
            let same = |one: &crate::process::Process| {
                one.role == state.processes[index].role && matches!(one.phase, Phase::Idle)
            };
            let waits = matches!(state.processes[index].phase, Phase::Idle);
            if waits && state.processes[..index].iter().any(same) {
                continue;
            }
            let steps = state.steps(index, true, scenario.clocks);
            actions.extend(steps.into_iter().map(|step| Action::Process(index, step)));
        }
        for (index, call) in state.portone.calls.iter().enumerate() {
            if !matches!(call.stage, Stage::Sent | Stage::Checked) {
                continue;
            }
            actions.push(Action::Work(index, Work::Do));
            let v1 = matches!(call.asks, Asks::Cancel { through: Generation::V1, .. });
            let checks = v1 && call.stage == Stage::Sent;
            let money = matches!(call.asks, Asks::Cancel { .. });
            if state.refusals > 0 && !checks {
                actions.push(Action::Work(index, Work::Refuse));
            }
            if scenario.later && money && !checks {
                actions.push(Action::Work(index, Work::Later));
            }
            if call.stage == Stage::Sent {
                actions.push(Action::Lost(index));
            }
        }
        for (index, news) in scenario.news.iter().enumerate() {
            let approved = match news {
                News::Paid(_, total) => !scenario.confirms || state.approved.contains(total),
                _ => true,
            };
            if state.news[index] && approved && state.portone.allows(*news) {
                actions.push(Action::News(index));
            }
        }
        for (attempt, index) in state.portone.undecided() {
            actions.push(Action::Decided(attempt, index, true));
            if state.refusals > 0 {
                actions.push(Action::Decided(attempt, index, false));
            }
        }
        if scenario.other_buyer && state.table.stock >= PIECES {
            actions.push(Action::Sold);
        }
        if state.is_quiet() && scenario.moments.iter().any(|at| *at > state.now) {
            actions.push(Action::Time);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Process(index, step) => state.step(index, step, self.scenario.late),
            Action::Work(call, how) => {
                let refused = matches!(how, Work::Refuse);
                state.refusals -= u8::from(refused);
                state.portone.work(call, how, state.now);
            }
            Action::Lost(call) => {
                let lost = state.portone.calls.remove(call);
                // Who waits for it waits for nothing: giving up is all that is left.
                debug_assert!(lost.stage == Stage::Sent);
            }
            Action::News(index) => {
                state.news[index] = false;
                state.portone.happen(self.scenario.news[index], state.now);
            }
            Action::Decided(attempt, index, succeeds) => {
                state.refusals -= u8::from(!succeeds);
                state.portone.decide_later(attempt, index, succeeds);
            }
            Action::Sold => {
                state.table.stock -= PIECES;
                state.table.sold += PIECES;
            }
            Action::Time => {
                state.now = self.scenario.moments.iter().copied().find(|at| *at > state.now)?;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::properties(&self.scenario)
    }
}
