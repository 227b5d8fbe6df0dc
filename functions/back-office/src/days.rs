//! `GET /days`: what each Korean day came to, as the daily statement counted it. Nothing is counted here.

use std::iter::successors;

use api::{
    office::{DayView, Days, MovedView, TotalsView},
    scalar,
};
use backend::{
    http::{FieldFault, Problem},
    store::{DAYS_MAX, DaySums, DayTotals, Moved},
};
use order::{Timestamp, day::Day};

/// The days of an answer when none are named: yesterday and the month before it.
const DAYS_SHOWN: usize = 31;

/// The span that was asked for, or the month up to yesterday.
pub fn span(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<(Day, Day), Problem> {
    let fault = |name: &str, code, korean: &str, english: &str| FieldFault {
        pointer: format!("/{name}"),
        code,
        detail: (korean.to_owned(), english.to_owned()),
    };
    let read = |name: &str, text: Option<&str>| match text.filter(|text| !text.is_empty()).map(str::parse) {
        None => Ok(None),
        Some(Ok(day)) => Ok(Some(day)),
        Some(Err(_)) => Err(fault(
            name,
            "invalid-type",
            "날짜는 2026-11-23처럼 적어 주세요.",
            "A day is written like 2026-11-23.",
        )),
    };
    let (from, to) = match (read("from", from), read("to", to)) {
        (Ok(from), Ok(to)) => (from, to),
        (from, to) => {
            return Err(Problem::fields(from.err().into_iter().chain(to.err()).collect()));
        }
    };
    let to: Day = to.unwrap_or_else(|| Day::of(now).before());
    let mut back = successors(Some(to), |day| Some(day.before()));
    let from = from.or_else(|| back.clone().nth(DAYS_SHOWN - 1)).unwrap_or(to);
    if back.by_ref().take(usize::from(DAYS_MAX)).any(|day| day == from) {
        return Ok((from, to));
    }
    Err(Problem::fields(vec![fault(
        "from",
        "out-of-range",
        "마지막 날을 포함해 92일까지 볼 수 있습니다.",
        "At most 92 days, the last one among them.",
    )]))
}

/// The answer.
pub fn shown((from, to): (Day, Day), days: &[DayTotals]) -> Days {
    Days {
        from: scalar::Day(from),
        to: scalar::Day(to),
        time_zone: "Asia/Seoul",
        days: days.iter().map(day).collect(),
    }
}

fn day(totals: &DayTotals) -> DayView {
    let moved = |Moved { count, amount }| MovedView { count, amount: scalar::Sum(amount) };
    let sums = totals.sums.iter().map(|(currency, sums)| {
        let DaySums { payments, cancellations, returns } = *sums;
        TotalsView {
            currency: scalar::Currency(*currency),
            payments: moved(payments),
            cancellations: moved(cancellations),
            returns: moved(returns),
            net: scalar::Sum(payments.amount + cancellations.amount + returns.amount),
        }
    });
    DayView {
        day: scalar::Day(totals.day),
        counted_at: scalar::Moment(totals.counted_at),
        r#final: totals.is_final,
        unreadable_orders: totals.unreadable,
        totals: sums.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 10:00 in Korea.
    const NOW: Timestamp = Timestamp::from_millis(1_795_395_600_000);

    fn days(from: Option<&str>, to: Option<&str>) -> Option<String> {
        span(from, to, NOW).ok().map(|(from, to)| format!("{from} {to}"))
    }

    #[test]
    fn no_days_are_the_month_up_to_yesterday_in_korea() {
        assert_eq!(days(None, None).as_deref(), Some("2026-10-23 2026-11-22"));
        assert_eq!(days(Some(""), Some("2026-03-02")).as_deref(), Some("2026-01-31 2026-03-02"));
    }

    #[test]
    fn a_quarter_is_the_longest_span_and_it_runs_forward() {
        let to = Some("2026-11-23");
        assert_eq!(days(to, to).as_deref(), Some("2026-11-23 2026-11-23"));
        assert_eq!(days(Some("2026-08-24"), to).as_deref(), Some("2026-08-24 2026-11-23"));
        assert_eq!(days(Some("2026-08-23"), to), None);
        assert_eq!(days(Some("2026-11-24"), to), None);
        assert_eq!(days(Some("0000-01-01"), Some("9999-12-31")), None);
        assert_eq!(days(Some("어제"), Some("오늘")), None);
    }
}
