//! One execution environment: a process of a function, and the mailbox between the invoker and the
//! process's polls of the Runtime API. It holds one invocation at a time, as Lambda's do. It refuses to
//! know which environments there are beside it; that is [`crate::pool`]'s.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};

use crate::invocation::InvokeError;

/// An event on its way to a process.
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) payload: Bytes,
    pub(crate) timeout: Duration,
    /// Told when the process has taken the event; from then on the deadline runs.
    pub(crate) taken: oneshot::Sender<()>,
    /// Told how it ended. Dropped without a word if the process ended before it took the event.
    pub(crate) ended: oneshot::Sender<Result<Bytes, InvokeError>>,
}

/// What `/next` hands to the process.
pub(crate) struct Delivery {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) payload: Bytes,
    pub(crate) deadline_ms: u128,
}

struct Running {
    request_id: String,
    ended: oneshot::Sender<Result<Bytes, InvokeError>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The process runs and has not asked for work yet.
    Starting,
    /// The process waits in `/next`.
    Idle,
    /// The process has an event.
    Running,
    /// The process has answered and not asked again yet.
    Finishing,
    /// The process broke its poll off: it is ending, or is already gone.
    Lost,
}

struct State {
    phase: Phase,
    queued: Option<Job>,
    running: Option<Running>,
    init: Option<Duration>,
    init_error: Option<String>,
}

/// A process with its mailbox. The supervisor in [`crate::pool`] owns the child itself.
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) pid: u32,
    spawned: Instant,
    state: Mutex<State>,
    offered: Notify,
    doomed: watch::Sender<bool>,
    exited: watch::Sender<bool>,
}

impl Environment {
    pub(crate) fn new(id: String, pid: u32, spawned: Instant) -> Self {
        Self {
            id,
            pid,
            spawned,
            state: Mutex::new(State {
                phase: Phase::Starting,
                queued: None,
                running: None,
                init: None,
                init_error: None,
            }),
            offered: Notify::new(),
            doomed: watch::Sender::new(false),
            exited: watch::Sender::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the environment can take an event now (`ready`), or at its next poll (`!ready`).
    pub(crate) fn is_free(&self, ready: bool) -> bool {
        let state = self.state();
        let wanted = if ready { Phase::Idle } else { Phase::Finishing };
        state.phase == wanted && state.queued.is_none() && !self.is_doomed()
    }

    /// Whether its process is to be killed, or is killed already.
    pub(crate) fn is_doomed(&self) -> bool {
        *self.doomed.borrow()
    }

    /// Whether the process has not asked for work yet.
    pub(crate) fn is_starting(&self) -> bool {
        self.state().phase == Phase::Starting
    }

    /// Puts an event into the mailbox. The caller has seen [`Self::is_free`], or has just started it,
    /// under the pool's lock, so the mailbox is empty.
    pub(crate) fn offer(&self, job: Job) {
        let mut state = self.state();
        debug_assert!(state.queued.is_none(), "one event at a time");
        state.queued = Some(job);
        drop(state);
        self.offered.notify_one();
    }

    /// `/invocation/next`: waits for an event. Dropping the future (the process broke the poll off)
    /// makes the environment lost until it polls again.
    pub(crate) async fn next(&self) -> Delivery {
        let mut poll = Poll { environment: self, delivered: false };
        loop {
            if let Some(delivery) = self.take() {
                poll.delivered = true;
                return delivery;
            }
            self.offered.notified().await;
        }
    }

    fn take(&self) -> Option<Delivery> {
        let mut state = self.state();
        state.init.get_or_insert(self.spawned.elapsed());
        if let Some(unanswered) = state.running.take() {
            let _ = unanswered.ended.send(Err(InvokeError::Handler {
                error_type: "Runtime.NoResponse".to_owned(),
                message: "the runtime asked for the next event without answering this one".to_owned(),
            }));
        }
        state.phase = Phase::Idle;
        if self.is_doomed() {
            // It waits for its end, not for work: an answer would only make it say something on the way.
            return None;
        }
        let job = state.queued.take()?;
        state.phase = Phase::Running;
        state.running = Some(Running { request_id: job.request_id.clone(), ended: job.ended });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let _ = job.taken.send(());
        Some(Delivery {
            request_id: job.request_id,
            trace_id: job.trace_id,
            payload: job.payload,
            deadline_ms: (now + job.timeout).as_millis(),
        })
    }

    /// The process's answer to `request_id`. False if that is not what it was given.
    pub(crate) fn answer(&self, request_id: &str, outcome: Result<Bytes, InvokeError>) -> bool {
        let mut state = self.state();
        if state.running.as_ref().is_none_or(|running| running.request_id != request_id) {
            return false;
        }
        if let Some(running) = state.running.take() {
            let _ = running.ended.send(outcome);
        }
        state.phase = Phase::Finishing;
        true
    }

    /// `/init/error`: kept as the reason for the process's end, which follows.
    pub(crate) fn fail_init(&self, reason: String) {
        self.state().init_error = Some(reason);
        self.doom();
    }

    /// The error that the process reported at init, if it did.
    pub(crate) fn init_error(&self) -> Option<String> {
        self.state().init_error.clone()
    }

    /// Process start to the first poll; `None` before it.
    pub(crate) fn init(&self) -> Option<Duration> {
        self.state().init
    }

    /// Asks the supervisor to SIGKILL the process. Repeating it does nothing.
    pub(crate) fn doom(&self) {
        self.doomed.send_replace(true);
    }

    /// Resolves when the process is to be killed.
    pub(crate) async fn doomed(&self) {
        let mut doomed = self.doomed.subscribe();
        let _ = doomed.wait_for(|doomed| *doomed).await;
    }

    /// The process has ended: whatever it held fails with `reason`. An event it never took is given
    /// back (by dropping its sender), unless the process never came up at all.
    pub(crate) fn end(&self, function: &str, reason: &str) {
        let (running, queued) = {
            let mut state = self.state();
            let queued = state.queued.take();
            // Lost is kept apart from Starting so that an event can be given to another process.
            let queued = if state.init.is_none() { queued } else { None };
            state.phase = Phase::Lost;
            (state.running.take(), queued)
        };
        if let Some(running) = running {
            let error = InvokeError::Crashed { request_id: running.request_id, reason: reason.to_owned() };
            let _ = running.ended.send(Err(error));
        }
        if let Some(job) = queued {
            let error = InvokeError::Init { function: function.to_owned(), reason: reason.to_owned() };
            let _ = job.ended.send(Err(error));
        }
        self.exited.send_replace(true);
    }

    /// Resolves when the process is gone.
    pub(crate) async fn exited(&self) {
        let mut exited = self.exited.subscribe();
        let _ = exited.wait_for(|exited| *exited).await;
    }
}

/// Marks the environment lost when a poll ends without an event.
struct Poll<'a> {
    environment: &'a Environment,
    delivered: bool,
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        if !self.delivered {
            let mut state = self.environment.state();
            if state.phase == Phase::Idle {
                state.phase = Phase::Lost;
            }
        }
    }
}
