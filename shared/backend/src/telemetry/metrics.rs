//! Metrics, which CloudWatch reads off stdout: a line of its embedded metric format for each.
//!
//! Nothing is counted by itself. What happens is told once, as a log event, and the table below says which
//! metric that is; so a metric says nothing that the log does not.

use std::{
    fmt::Debug,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

use metrics_cloudwatch_embedded::{Builder, Collector};
use tracing::{
    Event,
    field::{Field, Visit},
};

use super::trace::Work;

const NAMESPACE: &str = "PortonePayments";

/// What a metric makes of its event.
enum Value {
    /// One for each.
    One,
    /// One for each whose field is this word.
    OneIf(&'static str, &'static str),
    /// The number in this field, if it is there.
    Of(&'static str),
}

/// Every metric, the event that it is, and what it makes of it.
const METRICS: [(&str, &str, Value); 27] = [
    ("PaymentMismatch", "payment.mismatch", Value::One),
    ("PaymentOrphan", "payment.orphan", Value::One),
    ("CancellationRefused", "cancellation.refused", Value::One),
    ("CancellationUnknown", "cancellation.unknown", Value::One),
    ("OldestUnknownOutcome", "reconcile.done", Value::Of("oldest_unknown_minutes")),
    ("FindingsNew", "finding.new", Value::One),
    ("FindingsNew", "reconcile.finding", Value::One),
    ("FindingsOpen", "reconcile.done", Value::Of("findings_open")),
    ("WebhookSignatureRefused", "webhook.signature", Value::One),
    ("WebhookParked", "webhook.parked", Value::One),
    ("OrderBroken", "order.broken", Value::One),
    ("AuditBroken", "audit.broken", Value::One),
    ("ProductBroken", "product.broken", Value::One),
    ("TableRejected", "table.rejected", Value::One),
    ("SecretUnreadable", "secret.unreadable", Value::One),
    ("EventUndecodable", "event.undecodable", Value::One),
    ("EventDelayMinutes", "event.late", Value::Of("minutes")),
    ("OrderUnregistered", "order.unregistered", Value::One),
    ("OrderCreated", "order.created", Value::One),
    ("OrderPaid", "order.advanced", Value::OneIf("to", "Paid")),
    ("PaymentDisputed", "payment.disputed", Value::One),
    ("DepositRefundFailed", "deposit.refund_failed", Value::One),
    ("ReconcileFailed", "reconcile.failed", Value::One),
    ("ReconcilePutOff", "reconcile.put_off", Value::One),
    ("ReconcileIncomplete", "reconcile.done", Value::OneIf("complete", "false")),
    ("ReconcileDone", "reconcile.done", Value::One),
    ("StatementMade", "export.made", Value::One),
];

/// Turns events into metrics.
pub(super) struct Metrics(Mutex<&'static Collector>);

impl Metrics {
    /// To be started once in a process: the library keeps its collector for good.
    ///
    /// The stack is the only dimension: a TEST stack beside the LIVE one must not count as it. Which function
    /// it was is told beside. As a dimension it would make of every metric a dozen, each paid for.
    pub(super) fn start(
        stack: Option<String>,
        function: Option<String>,
    ) -> Result<Self, metrics_cloudwatch_embedded::Error> {
        let mut builder = Builder::new().cloudwatch_namespace(NAMESPACE);
        if let Some(stack) = stack {
            builder = builder.with_dimension("Stack", stack);
        }
        let collector = builder.init()?;
        if let Some(function) = function {
            collector.set_property("function", function);
        }
        Ok(Self(Mutex::new(collector)))
    }

    /// Writes what metrics an event of this work is.
    pub(super) fn count(&self, event: &Event<'_>, work: &Work) {
        let mut name = Text { field: "event", value: None };
        event.record(&mut name);
        let Some(name) = name.value else { return };
        let mut lines = Vec::new();
        let collector = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (metric, _, value) in METRICS.iter().filter(|(_, event, _)| *event == name) {
            let Some(value) = value.of(event) else { continue };
            if lines.is_empty() {
                work.properties(|name, value| match value {
                    Some(value) => drop(collector.set_property(name, value)),
                    None => drop(collector.remove_property(name)),
                });
            }
            // A line that cannot be made is not worth a call.
            let _ = collector.write_single(*metric, None, value, &mut lines);
        }
        if !lines.is_empty() {
            let _ = io::stdout().write_all(&lines);
        }
    }
}

impl Value {
    fn of(&self, event: &Event<'_>) -> Option<u64> {
        let read = |field| {
            let mut text = Text { field, value: None };
            event.record(&mut text);
            text.value
        };
        match self {
            Self::One => Some(1),
            Self::OneIf(field, word) => (read(field)?.as_str() == *word).then_some(1),
            Self::Of(field) => read(field)?.parse().ok(),
        }
    }
}

/// One field of an event, as text.
struct Text {
    field: &'static str,
    value: Option<String>,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.field {
            self.value = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == self.field {
            self.value = Some(format!("{value:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stories see a metric by its name and alarms do, so no event is counted twice as the same one.
    #[test]
    fn no_event_is_one_metric_twice() {
        let mut pairs: Vec<_> = METRICS.iter().map(|(metric, event, _)| (metric, event)).collect();
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), METRICS.len());
    }

    /// A metric whose event nobody tells is never made.
    #[test]
    fn every_event_of_the_table_is_told_somewhere() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut sources = String::new();
        let mut folders = vec![root.join("functions"), root.join("shared/backend/src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    sources.push_str(&std::fs::read_to_string(path).unwrap());
                }
            }
        }
        for (metric, event, _) in &METRICS {
            assert!(sources.contains(&format!("event = \"{event}\"")), "{metric}: nobody tells {event}");
        }
    }
}
