//! What went over the wires: every call with its times, and the number of sequential rounds in them.

use std::time::Duration;

use super::{Backend, HalfUnits};

/// One call of a function to a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who was called.
    pub backend: Backend,
    /// `PutItem`, `GetSecretValue`, `GET /payments/{paymentId}` …
    pub operation: String,
    /// When it arrived, from the start of the stack.
    pub started: Duration,
    /// When the answer left; `None` while it is under way, and for good if the caller went away.
    pub ended: Option<Duration>,
    /// The answer's status; `None` if there was none.
    pub status: Option<u16>,
    /// Whether the backend was asked: false for calls that a fault refused.
    pub forwarded: bool,
    /// Whether a fault happened to it.
    pub faulty: bool,
    /// What DynamoDB charged for it, if the wire is metered.
    pub units: Option<HalfUnits>,
}

/// The most calls of which each began only after the one before had ended: what a caller has to wait for
/// one after another, whatever it runs side by side. Calls without an end are left out.
///
/// Side-by-side calls can look sequential when backends answer within microseconds; give the wires a
/// latency of some milliseconds to measure.
pub fn rounds(calls: &[Call]) -> usize {
    let mut spans: Vec<_> = calls.iter().filter_map(|call| Some((call.ended?, call.started))).collect();
    spans.sort_unstable();
    let mut rounds = 0;
    let mut free_from = None;
    for (ended, started) in spans {
        if free_from.is_none_or(|free_from| started >= free_from) {
            rounds += 1;
            free_from = Some(ended);
        }
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(started: u64, ended: u64) -> Call {
        Call {
            backend: Backend::DynamoDb,
            operation: "GetItem".to_owned(),
            started: Duration::from_millis(started),
            ended: (ended > 0).then(|| Duration::from_millis(ended)),
            status: Some(200),
            forwarded: true,
            faulty: false,
            units: None,
        }
    }

    #[test]
    fn rounds_count_what_had_to_wait_for_each_other() {
        assert_eq!(rounds(&[]), 0);
        assert_eq!(rounds(&[call(0, 10), call(1, 12)]), 1, "side by side");
        assert_eq!(rounds(&[call(0, 10), call(1, 60), call(61, 70)]), 2, "two reads, then a write");
        assert_eq!(rounds(&[call(0, 10), call(10, 20), call(20, 30)]), 3, "one after another");
        assert_eq!(rounds(&[call(0, 60), call(1, 10), call(11, 20)]), 2, "a long call beside two short ones");
        assert_eq!(rounds(&[call(5, 0)]), 0, "an answer nobody waited for");
    }
}
