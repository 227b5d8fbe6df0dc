//! Days as Korea counts them.

use std::{fmt, str::FromStr};

use time::{Date, Month, OffsetDateTime, Time};

use crate::Timestamp;

/// Korea is nine hours ahead of UTC, and has no summer time.
const AHEAD_SECONDS: i64 = 9 * 3600;
const DAY_SECONDS: i64 = 24 * 3600;
/// How long after midnight a day's books stay open for what happened on it.
const OPEN_AFTER_MIDNIGHT_SECONDS: i64 = 3600;
/// 9998-12-31T15:00:00Z: later moments are taken for this one, so that a day always has four digits of year.
const LAST_SECOND: i64 = 253_370_732_400;

/// A calendar day in Korea.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

/// Not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a day is written like 2026-11-23")]
pub struct NotADay;

impl Day {
    /// The day of a moment.
    pub fn of(at: Timestamp) -> Self {
        let seconds = at.as_seconds().clamp(0, LAST_SECOND) + AHEAD_SECONDS;
        let at = OffsetDateTime::from_unix_timestamp(seconds).expect("a moment between 1970 and 9999");
        Self(at.date())
    }

    /// The day before.
    pub fn before(self) -> Self {
        Self(self.0.previous_day().unwrap_or(Date::MIN))
    }

    /// When its books close: one in the morning of the next day. What happened on it and was written down
    /// before that moment is its own; what was written down later is the later day's, so that a closed day
    /// never changes.
    pub fn closes_at(self) -> Timestamp {
        let began = self.0.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp() - AHEAD_SECONDS;
        Timestamp::from_millis((began + DAY_SECONDS + OPEN_AFTER_MIDNIGHT_SECONDS) * 1000)
    }
}

/// Hours, minutes and seconds of a moment in Korea, as `23:59:59`.
pub fn clock_in_korea(at: Timestamp) -> String {
    let second = (at.as_seconds() + AHEAD_SECONDS).rem_euclid(DAY_SECONDS);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

impl FromStr for Day {
    type Err = NotADay;

    fn from_str(text: &str) -> Result<Self, NotADay> {
        let mut parts = text.split('-');
        let mut digits = |count| {
            let part = parts.next().filter(|part| part.len() == count);
            part.filter(|part| part.bytes().all(|byte| byte.is_ascii_digit())).ok_or(NotADay)
        };
        let (year, month, day) = (digits(4)?, digits(2)?, digits(2)?);
        if parts.next().is_some() {
            return Err(NotADay);
        }
        let month = month.parse::<u8>().ok().and_then(|month| Month::try_from(month).ok()).ok_or(NotADay)?;
        let (year, day) = (year.parse().map_err(|_| NotADay)?, day.parse().map_err(|_| NotADay)?);
        Date::from_calendar_date(year, month, day).map(Self).map_err(|_| NotADay)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::format_description::well_known::Rfc3339;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(OffsetDateTime::parse(text, &Rfc3339).unwrap().unix_timestamp() * 1000)
    }

    #[test]
    fn a_day_begins_and_ends_at_midnight_in_korea() {
        let day = |text| Day::of(at(text)).to_string();
        assert_eq!(day("2026-11-22T14:59:59Z"), "2026-11-22");
        assert_eq!(day("2026-11-22T15:00:00Z"), "2026-11-23");
        assert_eq!(day("2027-02-28T15:00:00Z"), "2027-03-01");
        assert_eq!(clock_in_korea(at("2026-11-22T14:59:59Z")), "23:59:59");
        assert_eq!(clock_in_korea(at("2026-11-22T15:00:00Z")), "00:00:00");
    }

    #[test]
    fn its_books_close_at_one_in_the_morning_after_it() {
        let day: Day = "2026-11-23".parse().unwrap();
        assert_eq!(day.closes_at(), at("2026-11-24T01:00:00+09:00"));
        assert_eq!("2026-03-01".parse().map(Day::before), Ok(Day::of(at("2026-02-28T00:00:00Z"))));
    }

    #[test]
    fn only_a_day_of_the_calendar_in_its_one_spelling_is_a_day() {
        assert_eq!("2028-02-29".parse::<Day>().map(|day| day.to_string()).as_deref(), Ok("2028-02-29"));
        for wrong in
            ["", "2026-11", "2026-11-31", "2026-2-3", "26-02-03", "2026-02-03-04", "2026-02-+3", "어제"]
        {
            assert_eq!(wrong.parse::<Day>(), Err(NotADay), "{wrong}");
        }
    }

    #[test]
    fn no_moment_is_without_a_day() {
        assert_eq!(Day::of(Timestamp::from_millis(i64::MAX)).to_string(), "9999-01-01");
        assert_eq!(Day::of(Timestamp::from_millis(i64::MIN)).to_string(), "1970-01-01");
        assert_eq!(clock_in_korea(Timestamp::from_millis(i64::MIN)).len(), 8);
    }
}
