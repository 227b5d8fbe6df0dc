//! The only place that asks what time it is, and for chance.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

/// When the answer of this invocation has to be on its way.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline of an invocation that starts now.
    pub fn start() -> Self {
        Self(Instant::now() + INVOCATION_MAX)
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
