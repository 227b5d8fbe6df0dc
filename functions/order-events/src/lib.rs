//! What the writes of orders tell the rest of the shop: the enrichment of the pipe between the table's
//! stream and the event bus (docs/EVENTS.md).
//!
//! A pure function of the records: whoever asks again, for whatever reason, gets the same events with the
//! same ids.

use backend::{
    store::{OrderChange, StoreError, StreamRecord},
    telemetry::{self, trace::Trace},
};
use order::{
    Timestamp,
    event::{EVENTS_AT_ONCE_MAX, events},
};
use serde_json::Value;

pub mod message;

/// What a pipe can put on a bus in one go. It does not send an answer that is longer.
pub const EVENTS_MAX: usize = 10;

/// The template's `BatchSize`: no batch of so many records can tell more than goes on the bus in one go.
pub const RECORDS_MAX: usize = EVENTS_MAX / EVENTS_AT_ONCE_MAX;

/// What is told so long after it was written is late.
const LATE_MINUTES: i64 = 2;

/// Why a batch is refused whole: the pipe is not wired as the template does it. It repeats the batch and
/// lays it aside in its dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum BatchFault {
    /// The stream tells one side of a write only.
    #[error("record {0} has not both images: the stream must be NEW_AND_OLD_IMAGES")]
    NoImages(String),
    /// More records came than may come at once, and told more than the pipe would send.
    #[error("{0} events of one batch: the pipe's BatchSize must be at most {RECORDS_MAX}")]
    TooMany(usize),
}

/// The events of a batch of stream records, in their order.
///
/// A record that cannot be read is told of as an event of its own. Failing the batch instead would hold up
/// every order behind it for a day, and would then lose its neighbours with it.
pub fn tell(records: &[StreamRecord]) -> Result<Vec<Value>, BatchFault> {
    let mut told = Vec::new();
    for record in records {
        if !record.has_its_images() {
            return Err(BatchFault::NoImages(record.id().to_owned()));
        }
        match record.order_change() {
            Ok(None) => {}
            Ok(Some(OrderChange { before, after })) => {
                for kind in events(before.as_ref(), &after) {
                    let (version, trace_id) = (after.version, Trace::of(&after).map(Trace::id));
                    tracing::info!(event = "event.told", order_id = %after.id, trace_id, ?kind, version);
                    told.push(message::event(kind, before.as_ref(), &after));
                }
            }
            Err(error) => {
                let attribute = match &error {
                    StoreError::Broken { attribute, .. } => attribute,
                    StoreError::Unavailable { .. } | StoreError::Rejected { .. } => "",
                };
                let error = telemetry::chain(&error);
                tracing::error!(event = "event.undecodable", record = record.id(), error);
                told.push(message::unreadable(record, attribute));
            }
        }
    }
    if told.len() > EVENTS_MAX { Err(BatchFault::TooMany(told.len())) } else { Ok(told) }
}

/// Says so if what is told now was written long ago: the pipe lags, or repeats a batch that fails.
pub fn tell_delay(records: &[StreamRecord], now: Timestamp) {
    let oldest = records.iter().map(StreamRecord::written_at).filter(|at| at.as_millis() > 0).min();
    let minutes = oldest.map_or(0, |oldest| now.minutes_since(oldest));
    if minutes >= LATE_MINUTES {
        tracing::warn!(event = "event.late", minutes);
    }
}

#[cfg(test)]
mod tests;
