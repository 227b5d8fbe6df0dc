//! What is the same on every machine: calls, sequential rounds, units of the table, sizes, instructions. It
//! is held to `bench/exact.json`; a difference fails.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use local_stack::{
    Backend,
    wire::{self, HalfUnits},
};
use serde::{Deserialize, Serialize};

use crate::{
    callgrind,
    operation::{ALL, Operation},
    system::System,
};

/// Backends this slow tell calls side by side from calls one after another.
const LATENCY: Duration = Duration::from_millis(40);
/// Orders that are in the table already, in the second of two runs that must cost the same.
const OTHER_ORDERS: usize = 300;
/// Instructions depend on hash seeds and on how the kernel hands packets over.
const INSTRUCTIONS_SLACK_PERCENT: u64 = 5;
/// Sizes depend on the linker and the system's libraries.
const SIZE_SLACK_PERCENT: u64 = 2;

/// What one operation costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Its backend calls, sorted.
    pub calls: Vec<String>,
    /// How many of them wait for one another.
    pub rounds: usize,
    /// DynamoDB's read units, in halves.
    pub half_reads: u32,
    /// DynamoDB's write units.
    pub writes: u32,
    /// Thousands of instructions of one warm invocation.
    #[serde(default)]
    pub kilo_instructions: u64,
}

/// The size of a function, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Of its executable.
    pub bootstrap: u64,
    /// Of what is uploaded.
    pub zip: u64,
}

/// Everything exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exact {
    /// By operation.
    pub operations: BTreeMap<String, Cost>,
    /// By function.
    pub functions: BTreeMap<String, Size>,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("exact.json")
}

/// Measures everything exact. An error if an operation costs more in a table that has more in it.
pub async fn measure(functions: &Path) -> anyhow::Result<Exact> {
    let mut costs = BTreeMap::new();
    let (small, large) = (System::start(functions).await?, System::start(functions).await?);
    eprintln!("bench: {OTHER_ORDERS} other orders for the second table");
    for number in 0..OTHER_ORDERS {
        Operation::GetOrder.prepare(&large.shop, number).await?;
    }
    for operation in ALL {
        eprintln!("bench: {}", operation.name());
        let mut cost = cost(&small, operation).await?;
        if !operation.reads_what_others_did() {
            let beside = self::cost(&large, operation).await?;
            ensure!(
                cost == beside,
                "{} depends on what else is in the table: {cost:?} alone, {beside:?} beside others",
                operation.name()
            );
        }
        cost.kilo_instructions = callgrind::kilo_instructions(functions, operation).await?;
        costs.insert(operation.name().to_owned(), cost);
    }
    small.shop.stack.shutdown().await;
    large.shop.stack.shutdown().await;
    let sizes = ALL.iter().filter(|operation| operation.is_first_of_its_function());
    let sizes = sizes.map(|operation| {
        let name = operation.function();
        let length = |path: PathBuf| {
            fs::metadata(&path).map(|found| found.len()).with_context(|| path.display().to_string())
        };
        let bootstrap = length(functions.join(name).join("bootstrap"))?;
        Ok((name.to_owned(), Size { bootstrap, zip: length(functions.join(format!("{name}.zip")))? }))
    });
    Ok(Exact { operations: costs, functions: sizes.collect::<anyhow::Result<_>>()? })
}

/// One warm invocation with slow backends.
async fn cost(system: &System, operation: Operation) -> anyhow::Result<Cost> {
    let shop = &system.shop;
    for number in 0..2 {
        let prepared = operation.prepare(shop, number).await?;
        operation.run(shop, &prepared).await?;
    }
    let prepared = operation.prepare(shop, 2).await?;
    let mark = shop.stack.mark();
    shop.stack.set_latency(LATENCY);
    let done = operation.run(shop, &prepared).await;
    shop.stack.set_latency(Duration::ZERO);
    done?;
    let calls = shop.stack.calls_since(mark);
    let rounds = wire::rounds(&calls);
    let (mut half_reads, mut half_writes) = (0, 0);
    for call in calls.iter().filter(|call| call.backend == Backend::DynamoDb) {
        // A write whose condition does not hold is charged and does not tell: one unit for a small item.
        let refused = (call.status == Some(400)).then_some(HalfUnits(2));
        let units = call.units.or(refused);
        let units = units.with_context(|| format!("{} did not tell its units", call.operation))?;
        match call.operation.as_str() {
            "GetItem" | "BatchGetItem" | "Query" | "Scan" => half_reads += units.0,
            _ => half_writes += units.0,
        }
    }
    let mut calls: Vec<_> = calls.into_iter().map(|call| call.operation).collect();
    calls.sort_unstable();
    Ok(Cost { calls, rounds, half_reads, writes: half_writes.div_ceil(2), kilo_instructions: 0 })
}

/// What is written down.
fn recorded() -> anyhow::Result<Exact> {
    let text = fs::read_to_string(file()).context("bench/exact.json")?;
    serde_json::from_str(&text).context("bench/exact.json")
}

/// Writes it down.
pub fn write(found: &Exact) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(found)?;
    text.push('\n');
    fs::write(file(), text).context("bench/exact.json")
}

/// The differences to what is written down, one line each.
pub fn compare(found: &Exact) -> anyhow::Result<Vec<String>> {
    Ok(differences(&recorded()?, found))
}

fn differences(recorded: &Exact, found: &Exact) -> Vec<String> {
    let mut lines = Vec::new();
    let names =
        |exact: &Exact| exact.operations.keys().chain(exact.functions.keys()).cloned().collect::<Vec<_>>();
    if names(recorded) != names(found) {
        lines.push(format!("operations or functions: {:?}, recorded {:?}", names(found), names(recorded)));
    }
    for (name, now) in &found.operations {
        let Some(then) = recorded.operations.get(name) else { continue };
        // What they cost depends on what the others of this run left behind.
        if ALL.iter().any(|operation| operation.name() == name && operation.reads_what_others_did()) {
            continue;
        }
        let told = |cost: &Cost| {
            format!(
                "{} in {} rounds, {} half read units, {} write units",
                cost.calls.join(" + "),
                cost.rounds,
                cost.half_reads,
                cost.writes
            )
        };
        if told(now) != told(then) {
            lines.push(format!("{name}: {}; recorded {}", told(now), told(then)));
        }
        if grew(then.kilo_instructions, now.kilo_instructions, INSTRUCTIONS_SLACK_PERCENT) {
            let (now, then) = (now.kilo_instructions, then.kilo_instructions);
            lines.push(format!("{name}: {now}k instructions; recorded {then}k"));
        }
    }
    for (name, now) in &found.functions {
        let Some(then) = recorded.functions.get(name) else { continue };
        if grew(then.zip, now.zip, SIZE_SLACK_PERCENT)
            || grew(then.bootstrap, now.bootstrap, SIZE_SLACK_PERCENT)
        {
            lines.push(format!("{name}: {now:?}; recorded {then:?}"));
        }
    }
    lines
}

fn grew(then: u64, now: u64, slack_percent: u64) -> bool {
    now.saturating_mul(100) > then.saturating_mul(100 + slack_percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(rounds: usize, kilo_instructions: u64, zip: u64) -> Exact {
        let cost =
            Cost { calls: vec!["GetItem".to_owned()], rounds, half_reads: 2, writes: 0, kilo_instructions };
        Exact {
            operations: [("get-order".to_owned(), cost)].into(),
            functions: [("get-order".to_owned(), Size { bootstrap: 5_000_000, zip })].into(),
        }
    }

    #[test]
    fn one_round_more_is_a_difference_and_a_little_noise_is_none() {
        let recorded = exact(1, 1000, 2_000_000);
        assert_eq!(differences(&recorded, &exact(1, 1049, 2_030_000)), Vec::<String>::new());
        assert_eq!(differences(&recorded, &exact(2, 1000, 2_000_000)).len(), 1);
        assert_eq!(differences(&recorded, &exact(1, 1051, 2_000_000)).len(), 1);
        assert_eq!(differences(&recorded, &exact(1, 1000, 2_040_001)).len(), 1);
    }

    #[test]
    fn an_operation_that_nobody_recorded_is_a_difference() {
        let mut found = exact(1, 1000, 2_000_000);
        let cost = found.operations["get-order"].clone();
        found.operations.insert("new".to_owned(), cost);
        assert_eq!(differences(&exact(1, 1000, 2_000_000), &found).len(), 1);
    }
}
