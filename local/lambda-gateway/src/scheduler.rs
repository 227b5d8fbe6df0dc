//! Runs the template's schedules. What a schedule invokes is told to it; time comes from the runtime's
//! clock, so that a test turns it.

use std::{future::Future, time::Duration};

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::{invocation::InvokeError, template::When};

/// Why a schedule does not run by hand.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// The template has no such schedule.
    #[error("there is no schedule {0}")]
    Unknown(String),
    /// The function has several.
    #[error("{function} has several schedules, say one: {schedules}")]
    Ambiguous {
        /// The function.
        function: String,
        /// Its schedules, as they have to be named.
        schedules: String,
    },
    /// Its role does not grant what it takes to run it.
    #[error("{0}")]
    NotGranted(String),
    /// The function failed.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

/// Calls `act` whenever the schedule is due, for ever; `start` is the time now. As Scheduler does, it does
/// not wait for the run before, so `act` has to return at once.
pub(crate) async fn run<F, T>(when: When, start: OffsetDateTime, mut act: F)
where
    F: FnMut(OffsetDateTime) -> T,
    T: Future<Output = ()>,
{
    let began = Instant::now();
    let mut due = Duration::ZERO;
    loop {
        due += when.wait(start + due);
        tokio::time::sleep_until(began + due).await;
        act(start + due).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use time::macros::{datetime, offset, time};

    use super::*;

    async fn runs_within(when: When, limit: Duration) -> Vec<OffsetDateTime> {
        let runs = Arc::new(Mutex::new(Vec::new()));
        let record = |at| {
            runs.lock().unwrap().push(at);
            std::future::ready(())
        };
        let _ = tokio::time::timeout(limit, run(when, datetime!(2026-11-23 03:00 UTC), record)).await;
        runs.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_runs_one_interval_after_the_start_and_then_at_every_one() {
        let runs = runs_within(When::Every(Duration::from_secs(300)), Duration::from_secs(899)).await;
        assert_eq!(runs, [datetime!(2026-11-23 03:05 UTC), datetime!(2026-11-23 03:10 UTC)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_of_day_runs_once_a_day() {
        let runs = runs_within(When::Daily(time!(1:00), offset!(+9)), Duration::from_secs(2 * 86_400)).await;
        assert_eq!(runs, [datetime!(2026-11-23 16:00 UTC), datetime!(2026-11-24 16:00 UTC)]);
    }
}
