//! Going through all states of a model, and saying what came of it.

use std::time::Instant;

use anyhow::bail;
use stateright::{Checker as _, HasDiscoveries, Model as _};

use crate::{scenario::Scenario, system::System};

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
    let began = Instant::now();
    let system = System { scenario: scenario.clone() };
    let checker = system.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    let discoveries = checker.discoveries();
    for name in ["nothing is lost, doubled or made up", "all is settled when the network heals"] {
        let Some(path) = discoveries.get(name) else { continue };
        let end = path.last_state();
        let rule = end.broken(scenario).or_else(|| end.heal(scenario).err()).unwrap_or(name);
        let steps = path.clone().into_actions();
        let history = steps.iter().map(|step| format!("    {step:?}\n")).collect::<String>();
        bail!(
            "{}: broken: {rule}\n{history}  order: {:?} received {:?} returned {} rows {:?}\n  PortOne: {:?}",
            scenario.name,
            end.table.order.status,
            end.table.order.received,
            end.table.order.returned,
            end.table
                .order
                .cancellations
                .iter()
                .map(|row| (row.number, row.amount, row.status))
                .collect::<Vec<_>>(),
            end.portone.attempts,
        );
    }
    if let Some(missing) = scenario.reaches.iter().find(|name| !discoveries.contains_key(*name)) {
        bail!("{}: no state is {missing:?}, so the model is not about that", scenario.name);
    }
    let counts = Counts { states: checker.unique_state_count(), steps: checker.state_count() };
    println!(
        "{:45} {:>9} states {:>10} steps, depth {:>3}, {:>6.1} s",
        scenario.name,
        counts.states,
        counts.steps,
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    Ok(counts)
}
