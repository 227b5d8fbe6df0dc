//! Reconcile, by schedule: what nobody reported is found by looking. The event says nothing; answered is a
//! summary of what was done.

use std::time::Duration;

use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Reconciled, Sync},
    store::StoreError,
};
use serde_json::{Value, json};

/// Well inside the function's 5 minutes; what was not reached is due in the next run.
const RUN_MAX: Duration = Duration::from_secs(270);

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (sync, _) = backends::sync(&Connection::new()).await?;
        Ok(Self { sync })
    }

    /// One run. An error means that the table could not be reached; the next run goes on.
    pub async fn run(&self) -> Result<Value, StoreError> {
        let done = self.sync.reconcile(clock::now(), Deadline::within(RUN_MAX)).await?;
        let Reconciled { findings_open, oldest_unknown_minutes, .. } = done;
        let complete = done.complete;
        tracing::info!(event = "reconcile.done", findings_open, oldest_unknown_minutes, complete, ?done);
        Ok(json!({
            "lookedAt": done.looked_at,
            "moved": done.moved,
            "unparked": done.unparked,
            "compared": done.compared,
            "found": done.found,
            "settled": done.settled,
            "failed": done.failed,
            "complete": done.complete,
        }))
    }
}
