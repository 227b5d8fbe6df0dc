//! The local system with the measured functions in it, one environment of each, and what its platform
//! reports of every invocation.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, bail};
use end_to_end::{Shop, functions};
use lambda_gateway::{LogSink, Stream};
use local_stack::Backend;

/// One invocation, as Lambda would report it.
#[derive(Debug, Clone, Copy)]
pub struct Invoked {
    /// From handing the event over to the answer.
    pub duration: Duration,
    /// Process start to the first poll for work, if this invocation started the process.
    pub init: Option<Duration>,
}

/// A running system.
pub struct System {
    /// The system as its users meet it.
    pub shop: Shop,
    reports: Arc<Mutex<Vec<(String, Invoked)>>>,
    log_bytes: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl System {
    /// A system with the executables in `folder`, without the table's stream, whose cost in the embedded
    /// database grows with every write.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let log_bytes = Arc::new(Mutex::new(BTreeMap::new()));
        let (kept, counted) = (reports.clone(), log_bytes.clone());
        let log = LogSink::new(move |line| {
            if line.stream != Stream::Platform {
                let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
                *counted.entry(line.function).or_default() += line.text.len() as u64 + 1;
            } else if let Some(invoked) = report(&line.text) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push((line.function, invoked));
            }
        });
        let folder = folder.canonicalize().with_context(|| folder.display().to_string())?;
        let shop = Shop::open_with(|options| {
            options.functions = folder;
            options.stream = false;
            options.max_environments = 1;
            options.log = log;
        })
        .await;
        shop.stack.wire(Backend::DynamoDb).meter();
        Ok(Self { shop, reports, log_bytes })
    }

    /// What was reported of a function since the last time this was asked.
    pub fn take_reports(&self, function: &str) -> Vec<Invoked> {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, kept) = reports.drain(..).partition(|(name, _)| name == function);
        *reports = kept;
        taken.into_iter().map(|(_, invoked): (String, Invoked)| invoked).collect()
    }

    /// How much a function has logged since the last time this was asked.
    pub fn take_log_bytes(&self, function: &str) -> u64 {
        let mut counted = self.log_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        counted.remove(function).unwrap_or_default()
    }

    /// The process of a function.
    pub fn pid(&self, function: &str) -> anyhow::Result<u32> {
        match self.shop.stack.gateway().environments(function)?.as_slice() {
            [pid] => Ok(*pid),
            several => bail!("{function} has {} processes", several.len()),
        }
    }
}

/// `REPORT Duration: 1.23 ms Init Duration: 4.56 ms`.
fn report(text: &str) -> Option<Invoked> {
    let times = text.strip_prefix("REPORT ")?;
    let after = |name: &str| -> Option<Duration> {
        let rest = times.split_once(name)?.1.split_whitespace().next()?;
        let (whole, hundredths) = rest.split_once('.')?;
        let (whole, hundredths): (u64, u64) = (whole.parse().ok()?, hundredths.parse().ok()?);
        Some(Duration::from_micros(whole * 1000 + hundredths * 10))
    };
    Some(Invoked { duration: after("Duration: ")?, init: after("Init Duration: ") })
}

/// A folder in which `program` is every function.
pub fn folder_of(program: &Path) -> anyhow::Result<(tempfile::TempDir, PathBuf)> {
    let folder = tempfile::tempdir()?;
    let program = fs::canonicalize(program).with_context(|| program.display().to_string())?;
    for name in functions::NAMES {
        symlink(&program, folder.path().join(name))?;
    }
    let path = folder.path().to_owned();
    Ok((folder, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_with_and_without_a_cold_start() {
        let cold = report("REPORT Duration: 1.23 ms Init Duration: 14.05 ms").unwrap();
        assert_eq!(
            (cold.duration, cold.init),
            (Duration::from_micros(1230), Some(Duration::from_micros(14050)))
        );
        let warm = report("REPORT Duration: 0.07 ms").unwrap();
        assert_eq!((warm.duration, warm.init), (Duration::from_micros(70), None));
        assert!(report("started").is_none());
    }
}
