//! The only place that asks what time it is, and for chance.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use order::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "the one place")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// 80 bits nobody can guess.
pub fn entropy() -> [u8; 10] {
    let mut bytes = [0; 10];
    SystemRandom::new().fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// How long one invocation may take: API Gateway gives up after 30 s and the functions answer within
/// 29 s whatever their backends do.
const INVOCATION_MAX: Duration = Duration::from_millis(28_000);

/// When this process began to start.
static INIT_BEGAN: OnceLock<Instant> = OnceLock::new();
/// How many milliseconds its start took, until an invocation has taken them into account.
static INIT_MILLIS: AtomicU64 = AtomicU64::new(0);

/// Notes that the process begins to start.
pub fn init_begins() {
    INIT_BEGAN.get_or_init(Instant::now);
}

/// Notes that the process is ready for its first invocation.
///
/// API Gateway waits for the first answer from before the start, since the request is what starts the process. A
/// process that Lambda starts ahead of requests answers its first one a little earlier than it has to.
pub fn init_ends() {
    if let Some(began) = INIT_BEGAN.get() {
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        INIT_MILLIS.store(millis, Ordering::Relaxed);
    }
}

/// When the answer of this invocation has to be on its way.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of an invocation that starts now. The first one of a process has what the start has left.
    pub fn start() -> Self {
        let init = Duration::from_millis(INIT_MILLIS.swap(0, Ordering::Relaxed));
        Self(Instant::now() + INVOCATION_MAX.saturating_sub(init))
    }

    /// The deadline of a scheduled run that starts now and may take `max`.
    pub fn within(max: Duration) -> Self {
        Self(Instant::now() + max)
    }

    /// The deadline of one step of a longer run: what an invocation may take, and no longer than the run.
    pub fn step(&self) -> Self {
        Self(self.0.min(Instant::now() + INVOCATION_MAX))
    }

    /// Whether `time` is left.
    pub fn leaves(&self, time: Duration) -> bool {
        self.0.saturating_duration_since(Instant::now()) >= time
    }

    /// The moment itself.
    pub fn at(&self) -> Instant {
        self.0
    }

    /// What a step may take that would like `wanted`, when `reserve` is needed after it.
    pub fn allow(&self, wanted: Duration, reserve: Duration) -> Duration {
        self.0.saturating_duration_since(Instant::now()).saturating_sub(reserve).min(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_invocation_has_what_its_start_has_left_and_the_second_all_of_it() {
        INIT_MILLIS.store(3_000, Ordering::Relaxed);
        let before = Instant::now();
        let (first, second) = (Deadline::start(), Deadline::start());
        let after = Instant::now();
        let left = INVOCATION_MAX - Duration::from_secs(3);
        assert!((before + left..=after + left).contains(&first.at()));
        assert!((before + INVOCATION_MAX..=after + INVOCATION_MAX).contains(&second.at()));
    }
}
