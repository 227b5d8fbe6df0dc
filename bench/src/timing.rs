//! What depends on this machine at this moment: start, latency, processor time, memory. Each is told beside
//! the floor's, measured in the same run.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, ensure};
use local_stack::{
    Backend,
    wire::{self, Call},
};

use crate::{
    bare,
    operation::Operation,
    process,
    system::{System, folder_of},
};

const COLD_STARTS: usize = 31;
/// Of an operation whose work is what others did: it has more to do each time.
const GROWING_MAX: usize = 100;
/// How long Secrets Manager takes where delays are realistic, and at every start.
const SECRETS_MANAGER: Duration = Duration::from_millis(10);

/// How long each backend takes to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delays {
    /// At once.
    None,
    /// DynamoDB 4 ms, PortOne 60 ms, Secrets Manager 10 ms.
    Realistic,
}

impl Delays {
    fn set(self, system: &System) {
        let stack = &system.shop.stack;
        stack.set_latency(Duration::ZERO);
        if self == Self::Realistic {
            stack.wire(Backend::SecretsManager).set_latency(SECRETS_MANAGER);
            for (backend, millis) in
                [(Backend::DynamoDb, 4), (Backend::S3, 20), (Backend::Portone, 60), (Backend::PortoneV1, 60)]
            {
                stack.wire(backend).set_latency(Duration::from_millis(millis));
            }
        }
    }
}

/// A distribution of durations.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spread {
    /// The median.
    pub p50: Duration,
    /// One in a hundred is longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl Spread {
    fn less(self, time: Duration) -> Self {
        let less = |of: Duration| of.saturating_sub(time);
        Self { p50: less(self.p50), p99: less(self.p99), max: less(self.max) }
    }

    fn of(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        let at = |percent: usize| {
            let index = durations.len().saturating_mul(percent) / 100;
            durations.get(index.min(durations.len().saturating_sub(1))).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99), max: durations.last().copied().unwrap_or_default() }
    }
}

/// Warm invocations of one operation with one kind of delay.
#[derive(Debug, Clone, Copy, Default)]
pub struct Warm {
    /// From event to answer.
    pub whole: Spread,
    /// What is left of that when nobody waits for a backend, as a bare caller would have to.
    pub own: Spread,
    /// Processor time of one invocation.
    pub cpu: Duration,
    /// How much longer than the wire a bare caller saw a call, just before these invocations.
    pub beside: Duration,
    /// How many times one after the other backends were waited for, in the middle of the invocations.
    rounds: usize,
}

/// A start of a process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cold {
    /// Process start to the first poll for work.
    pub start: Duration,
    /// The same without what a bare caller waits for Secrets Manager.
    pub start_without_secret: Duration,
    /// The floor's start, measured in turn with these: a machine is not as fast in every minute.
    pub floor: Duration,
    /// How much longer than the wire a bare caller saw a call for the secret, over a new connection, just before
    /// these starts.
    pub beside: Duration,
    /// The first event to its answer.
    pub first: Duration,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What was measured; nothing for the floor.
    pub operation: Option<Operation>,
    /// Medians over some starts, Secrets Manager with its realistic delay and the others at once.
    pub cold: Cold,
    /// Backends at once.
    pub at_once: Warm,
    /// Backends with realistic delays.
    pub realistic: Warm,
    /// The most memory the process had, in kB.
    pub peak_kb: u64,
    /// What one warm invocation logs, in bytes.
    pub log_bytes: u64,
}

/// Everything, the floor first.
#[derive(Debug)]
pub struct Times {
    /// The rows.
    pub rows: Vec<Row>,
    /// Invocations of each operation and each delay.
    pub invocations: usize,
}

/// Measures the floor and these operations.
pub async fn measure(
    functions: &Path,
    floor: &Path,
    operations: &[Operation],
    invocations: usize,
) -> anyhow::Result<Times> {
    let (_kept, folder) = folder_of(floor)?;
    let floor = System::start(&folder).await?;
    eprintln!("bench: the floor");
    let mut rows = vec![row(&folder, &floor, None, invocations).await?];
    for operation in operations {
        eprintln!("bench: {}", operation.name());
        rows.push(row(functions, &floor, Some(*operation), invocations).await?);
    }
    floor.shop.stack.shutdown().await;
    Ok(Times { rows, invocations })
}

/// The floor is asked as `list-products` is.
fn asked(operation: Option<Operation>) -> Operation {
    operation.unwrap_or(Operation::ListProducts)
}

async fn row(
    functions: &Path,
    floor: &System,
    operation: Option<Operation>,
    invocations: usize,
) -> anyhow::Result<Row> {
    let system = System::start(functions).await?;
    let name = asked(operation).function();
    let growing = asked(operation).reads_what_others_did();
    let invocations = if growing { invocations.min(GROWING_MAX) } else { invocations };
    // What is done while the secret is waited for is not waited for by anybody.
    system.shop.stack.wire(Backend::SecretsManager).set_latency(SECRETS_MANAGER);
    let beside = bare::beside_the_secret(&system).await?;
    let mut cold = Vec::new();
    for number in 0..COLD_STARTS {
        let floor = cold_start(floor, None, number, beside).await?.start;
        cold.push(Cold { floor, ..cold_start(&system, operation, number, beside).await? });
    }
    let median = |of: fn(&Cold) -> Duration| Spread::of(cold.iter().map(of).collect()).p50;
    let cold = Cold {
        beside,
        floor: median(|cold| cold.floor),
        start: median(|cold| cold.start),
        start_without_secret: median(|cold| cold.start_without_secret),
        first: median(|cold| cold.first),
    };
    system.take_log_bytes(name);
    let mut at_once = warm(&system, operation, Delays::None, COLD_STARTS, invocations).await?;
    let log_bytes = system.take_log_bytes(name) / (u64::try_from(invocations)? + 1);
    let later = COLD_STARTS + invocations;
    let mut realistic = warm(&system, operation, Delays::Realistic, later, invocations).await?;
    // Backends that answer at once make calls look sequential that are side by side.
    let rounds = u32::try_from(realistic.rounds)?;
    for warm in [&mut at_once, &mut realistic] {
        warm.own = warm.own.less(warm.beside * rounds);
    }
    let peak_kb = process::peak_memory_kb(system.pid(name)?)?;
    system.shop.stack.shutdown().await;
    Ok(Row { operation, cold, at_once, realistic, peak_kb, log_bytes })
}

async fn cold_start(
    system: &System,
    operation: Option<Operation>,
    number: usize,
    beside: Duration,
) -> anyhow::Result<Cold> {
    let name = asked(operation).function();
    let prepared = asked(operation).prepare(&system.shop, number).await?;
    system.shop.stack.gateway().kill(name).await?;
    system.take_reports(name);
    let mark = system.shop.stack.mark();
    asked(operation).run(&system.shop, &prepared).await?;
    let reports = system.take_reports(name);
    let invoked = reports.first().context("a report")?;
    let start = invoked.init.context("a cold start")?;
    let calls = system.shop.stack.calls_since(mark);
    let secret: Vec<_> = calls.into_iter().filter(|call| call.backend == Backend::SecretsManager).collect();
    let waited = waited(&secret) + beside * u32::try_from(secret.len())?;
    let start_without_secret = start.saturating_sub(waited);
    Ok(Cold { start, start_without_secret, floor: Duration::ZERO, beside, first: invoked.duration })
}

async fn warm(
    system: &System,
    operation: Option<Operation>,
    delays: Delays,
    from: usize,
    invocations: usize,
) -> anyhow::Result<Warm> {
    let name = asked(operation).function();
    let mut prepared = Vec::with_capacity(invocations);
    for number in from..from + invocations {
        prepared.push(asked(operation).prepare(&system.shop, number).await?);
    }
    delays.set(system);
    let beside = bare::beside_the_wire(system).await?;
    // One more, not counted, so that every connection is open.
    let first = asked(operation).prepare(&system.shop, from + invocations).await?;
    asked(operation).run(&system.shop, &first).await?;
    system.take_reports(name);
    let pid = system.pid(name)?;
    let cpu_before = process::cpu(pid)?;
    let begin = system.shop.stack.mark();
    let mut begins = Vec::with_capacity(invocations);
    for prepared in &prepared {
        begins.push(system.shop.stack.mark().at());
        asked(operation).run(&system.shop, prepared).await?;
    }
    let cpu = process::cpu(pid)?.saturating_sub(cpu_before);
    ensure!(system.pid(name)? == pid, "{name} was started anew");
    let reports = system.take_reports(name);
    ensure!(reports.len() == invocations, "{} reports of {invocations} invocations", reports.len());
    Delays::None.set(system);

    let calls = system.shop.stack.calls_since(begin);
    let (mut own, mut rounds) = (Vec::new(), Vec::new());
    for (index, invoked) in reports.iter().enumerate() {
        let from = begins[index];
        let to = begins.get(index + 1).copied().unwrap_or(Duration::MAX);
        let mine: Vec<_> =
            calls.iter().filter(|call| call.started >= from && call.started < to).cloned().collect();
        own.push(invoked.duration.saturating_sub(waited(&mine)));
        rounds.push(wire::rounds(&mine));
    }
    rounds.sort_unstable();
    Ok(Warm {
        own: Spread::of(own),
        whole: Spread::of(reports.iter().map(|invoked| invoked.duration).collect()),
        cpu: cpu / u32::try_from(invocations)?,
        beside,
        rounds: rounds.get(rounds.len() / 2).copied().unwrap_or_default(),
    })
}

/// How long somebody waited for at least one of these calls.
fn waited(calls: &[Call]) -> Duration {
    let mut spans: Vec<_> = calls.iter().filter_map(|call| Some((call.started, call.ended?))).collect();
    spans.sort_unstable();
    let (mut total, mut until) = (Duration::ZERO, Duration::ZERO);
    for (from, to) in spans {
        total += to.saturating_sub(from.max(until));
        until = until.max(to);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_calls_side_by_side_is_waiting_once() {
        let call = |started, ended| Call {
            backend: Backend::DynamoDb,
            operation: "GetItem".to_owned(),
            started: Duration::from_millis(started),
            ended: Some(Duration::from_millis(ended)),
            status: Some(200),
            forwarded: true,
            faulty: false,
            units: None,
        };
        let millis = Duration::from_millis;
        assert_eq!(waited(&[]), millis(0));
        assert_eq!(waited(&[call(0, 60), call(1, 5)]), millis(60), "one within the other");
        assert_eq!(waited(&[call(0, 4), call(2, 60), call(61, 65)]), millis(64));
    }

    #[test]
    fn a_spread_is_the_middle_the_hundredth_and_the_end() {
        let spread = Spread::of((1..=200).map(Duration::from_millis).collect());
        assert_eq!(spread.p50, Duration::from_millis(101));
        assert_eq!(spread.p99, Duration::from_millis(199));
        assert_eq!(spread.max, Duration::from_millis(200));
    }
}
