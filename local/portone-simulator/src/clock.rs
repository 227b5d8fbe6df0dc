//! Time: stamps as PortOne writes them, and a clock whose minutes can be made shorter.
//!
//! Stamps (`requestedAt`, `paidAt`, the `webhook-timestamp` header) are always wall time, because
//! whoever receives them compares them with a clock of their own. Only waiting is virtual: retries,
//! key lifetimes, virtual-account deadlines and delayed approvals are due at a moment of [`Clock`].

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::watch;

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `millis` later (earlier when negative); the ends of the range stay where they are.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// RFC 3339 in UTC with three decimals, `2026-01-01T00:00:00.000Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        let at = OffsetDateTime::from_unix_timestamp(self.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            self.0.rem_euclid(1000)
        )
    }

    /// Reads RFC 3339 with `Z` or an offset, with or without fractions.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().map(Self)
    }

    /// Now, by the machine's clock.
    #[must_use]
    pub fn wall() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The clock by which things become due. It never goes back.
#[derive(Debug)]
pub struct Clock {
    hands: Mutex<Hands>,
    turned: watch::Sender<()>,
}

#[derive(Clone, Copy, Debug)]
struct Hands {
    at: Timestamp,
    read: Instant,
    speed: u32,
}

impl Hands {
    fn now(&self) -> Timestamp {
        let real = i64::try_from(self.read.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.at.plus_millis(real.saturating_mul(i64::from(self.speed)))
    }
}

impl Clock {
    /// A clock that starts at wall time and runs `speed` times as fast (0 counts as 1).
    #[must_use]
    pub fn new(speed: u32) -> Self {
        let hands = Hands { at: Timestamp::wall(), read: Instant::now(), speed: speed.max(1) };
        Self { hands: Mutex::new(hands), turned: watch::Sender::new(()) }
    }

    /// The virtual moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// How many virtual seconds pass in a real one.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner).speed
    }

    /// Jumps forward. Whoever sleeps until a moment that has now passed wakes up.
    pub fn advance(&self, by: Duration) {
        self.turn(|hands| hands.at = hands.at.plus_millis(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)));
    }

    /// Changes how many virtual seconds pass in a real one, from now on (0 counts as 1).
    pub fn set_speed(&self, speed: u32) {
        self.turn(|hands| hands.speed = speed.max(1));
    }

    fn turn(&self, change: impl FnOnce(&mut Hands)) {
        {
            let mut hands = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
            *hands = Hands { at: hands.now(), read: Instant::now(), speed: hands.speed };
            change(&mut hands);
        }
        self.turned.send_replace(());
    }

    /// Returns once the virtual moment is reached, however the clock is turned meanwhile.
    pub async fn sleep_until(&self, due: Timestamp) {
        let mut turned = self.turned.subscribe();
        loop {
            let hands = *self.hands.lock().unwrap_or_else(PoisonError::into_inner);
            let left = due.millis().saturating_sub(hands.now().millis());
            if left <= 0 {
                return;
            }
            // Rounded up, so that a fast clock does not spin below one real millisecond.
            let real = u64::try_from(left).unwrap_or(u64::MAX).div_ceil(u64::from(hands.speed));
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(real)) => {}
                // The sender lives in this very clock, so it cannot be gone.
                _ = turned.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_rfc3339_with_three_decimals_and_reads_back_as_itself() {
        let at = Timestamp::from_millis(1_714_039_200_007);
        assert_eq!(at.rfc3339(), "2024-04-25T10:00:00.007Z");
        assert_eq!(Timestamp::parse(&at.rfc3339()), Some(at));
    }

    #[test]
    fn offsets_and_missing_fractions_are_read() {
        assert_eq!(Timestamp::parse("2024-04-25T19:00:00+09:00"), Timestamp::parse("2024-04-25T10:00:00Z"));
        assert_eq!(Timestamp::parse("2024-04-25"), None);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_is_advanced_past_its_moment() {
        let clock = Clock::new(1);
        let due = clock.now().plus_millis(256 * 60_000);
        let sleep = clock.sleep_until(due);
        clock.advance(Duration::from_secs(256 * 60));
        sleep.await;
        assert!(clock.now() >= due);
    }
}
