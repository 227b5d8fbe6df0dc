//! A point at which calls are held until a test lets them go: to have two stale writers stand before the
//! same write, or to SIGKILL a function at exactly one place.

use std::sync::Arc;

use tokio::sync::watch;

/// The part that held calls see.
pub struct GateState {
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl GateState {
    pub(super) fn new() -> Self {
        Self { arrived: watch::Sender::new(0), open: watch::Sender::new(false) }
    }

    /// Waits at the gate.
    pub(super) async fn pass(&self) {
        self.arrived.send_modify(|arrived| *arrived += 1);
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        // Lets the runtime look at the sockets once more: if the caller was killed while it was held, its
        // connection is closed by now, and the call ends here with it instead of going on.
        tokio::task::yield_now().await;
    }
}

/// Holds calls. Dropping it opens it, so that a failing test leaves nobody waiting.
pub struct Gate(pub(super) Arc<GateState>);

impl Gate {
    /// Resolves when `calls` calls stand at the gate, or have stood there. A test that waits here in vain
    /// hangs: bound the whole test, not this.
    pub async fn arrived(&self, calls: usize) {
        let _ = self.0.arrived.subscribe().wait_for(|arrived| *arrived >= calls).await;
    }

    /// Lets everyone through, now and later.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
