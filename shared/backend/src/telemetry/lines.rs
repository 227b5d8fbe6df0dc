//! Events as lines of JSON on stdout, and as metrics.
//!
//! A `tracing` subscriber without spans: what a span would say of its events is the [`Work`] at hand. One that
//! keeps spans makes room for those of 4,096 threads when a process starts.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use api::scalar::Moment;
use order::Timestamp;
use serde::{Serializer as _, ser::SerializeMap as _};
use tracing::{Event, Metadata, Subscriber, span};
use tracing_serde::SerdeMapVisitor;
use tracing_subscriber::filter::Targets;

use super::{metrics::Metrics, trace::Work};
use crate::clock;

/// What becomes of an event.
pub(super) struct Lines {
    /// Which are lines.
    pub(super) logged: Targets,
    /// Which may be metrics.
    pub(super) counted: Targets,
    pub(super) metrics: Option<Metrics>,
}

impl Subscriber for Lines {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.is_event()
            && [&self.logged, &self.counted].iter().any(|them| them.would_enable(of.target(), of.level()))
    }

    fn event(&self, event: &Event<'_>) {
        let (of, work) = (event.metadata(), Work::here());
        if self.logged.would_enable(of.target(), of.level()) {
            // A line that cannot be written is not worth a call.
            let _ = line(event, &work, clock::now()).map(|line| io::stdout().write_all(&line));
        }
        if let Some(metrics) =
            self.metrics.as_ref().filter(|_| self.counted.would_enable(of.target(), of.level()))
        {
            metrics.count(event, &work);
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// One line: when, how bad, the event's own fields, where in the code, and the work that it is of.
fn line(event: &Event<'_>, work: &Work, now: Timestamp) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(512);
    let mut json = serde_json::Serializer::new(&mut line);
    let mut members = json.serialize_map(None)?;
    members.serialize_entry("timestamp", &Moment(now).text())?;
    members.serialize_entry("level", event.metadata().level().as_str())?;
    let mut fields = SerdeMapVisitor::new(members);
    event.record(&mut fields);
    let mut members = fields.take_serializer()?;
    members.serialize_entry("target", event.metadata().target())?;
    let mut of = BTreeMap::new();
    work.properties(|name, value| of.extend(value.map(|value| (name, value))));
    if !of.is_empty() {
        members.serialize_entry("span", &of)?;
    }
    members.end()?;
    line.push(b'\n');
    Ok(line)
}
