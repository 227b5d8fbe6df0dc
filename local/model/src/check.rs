//! Going through all states of a model, and saying what came of it.

use std::{fmt::Debug, hash::Hash, time::Instant};

use anyhow::bail;
use stateright::{Checker as _, HasDiscoveries, Model};

use crate::{
    pair::{Both, Pair},
    scenario::Scenario,
    state::State,
    system::System,
};

/// What is promised of every state.
pub const ALWAYS: &str = "nothing is lost, doubled or made up";
/// What is promised of every state in which nothing is under way.
pub const IN_THE_END: &str = "all is settled when the network heals";

/// What going through a model took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// States that differ.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
}

/// Goes through every state of a scenario. An error tells the shortest history that breaks a promise.
pub fn check(scenario: &Scenario, threads: usize) -> anyhow::Result<Counts> {
    let system = System { scenario: scenario.clone() };
    let rule = |state: &State| state.broken(scenario).or_else(|| state.heal(scenario).err());
    explore(scenario.name, system, scenario.reaches, threads, rule, tell)
}

/// The same for two orders.
pub fn check_pair(pair: &Pair, threads: usize) -> anyhow::Result<Counts> {
    let rule = |both: &Both| both.broken(pair).or_else(|| both.heal(pair).err());
    let tell = |both: &Both| {
        let second = both.second.as_ref().map(|(state, made)| format!("made at {made}:\n{}", tell(state)));
        format!("{}\n{}", tell(&both.first), second.unwrap_or_default())
    };
    explore(pair.name, pair.clone(), pair.reaches, threads, rule, tell)
}

fn tell(state: &State) -> String {
    let order = &state.table.order;
    let rows = order.cancellations.iter().map(|row| (row.number, row.amount, row.status)).collect::<Vec<_>>();
    format!(
        "  order: {:?} received {:?} returned {} rows {rows:?}\n  PortOne: {:?}",
        order.status, order.received, order.returned, state.portone.attempts
    )
}

fn explore<M>(
    name: &'static str,
    model: M,
    reaches: &'static [&'static str],
    threads: usize,
    rule: impl Fn(&M::State) -> Option<&'static str>,
    tell: impl Fn(&M::State) -> String,
) -> anyhow::Result<Counts>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Hash + PartialEq + Send + Sync + Debug + 'static,
    M::Action: Clone + Send + Sync + Debug + PartialEq,
{
    let began = Instant::now();
    let checker = model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let discoveries = checker.discoveries();
    for property in [ALWAYS, IN_THE_END] {
        let Some(path) = discoveries.get(property) else { continue };
        let end = path.last_state();
        let steps = path.clone().into_actions();
        let history = steps.iter().map(|step| format!("    {step:?}\n")).collect::<String>();
        bail!("{name}: broken: {}\n{history}{}", rule(end).unwrap_or(property), tell(end));
    }
    if let Some(missing) = reaches.iter().find(|name| !discoveries.contains_key(*name)) {
        bail!("{name}: no state is {missing:?}, so the model is not about that");
    }
    let counts = Counts { states: checker.unique_state_count(), steps: checker.state_count() };
    println!(
        "{name:50} {:>9} states {:>10} steps, depth {:>3}, {:>6.1} s",
        counts.states,
        counts.steps,
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    Ok(counts)
}
