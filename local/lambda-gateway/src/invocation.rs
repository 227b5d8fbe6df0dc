//! One invocation: what it is given, how it can end, and what is counted about it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;

/// An invocation that a function answered.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Lambda's request id.
    pub request_id: String,
    /// What the function answered, as it posted it.
    pub answer: Bytes,
    /// Process start to the first poll for work, if this invocation started the environment.
    pub init: Option<Duration>,
    /// From handing the event over to the answer.
    pub duration: Duration,
}

/// How an invocation fails. Lambda's own names for the cases are in [`InvokeError::error_type`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// The template has no function of this name.
    #[error("there is no function {0}")]
    UnknownFunction(String),
    /// All environments are at work and no more may be started.
    #[error("rate exceeded: every environment of {0} is busy")]
    Throttled(String),
    /// The binary cannot be started at all.
    #[error("{function} cannot be started: {reason}")]
    Unstartable {
        /// The function's name.
        function: String,
        /// The operating system's reason, with the path.
        reason: String,
    },
    /// The process ended, or reported an error, before it asked for work.
    #[error("{function} failed at init: {reason}")]
    Init {
        /// The function's name.
        function: String,
        /// The reported error, or the last line the process wrote to standard error, or its exit status.
        reason: String,
    },
    /// The handler answered with an error.
    #[error("{error_type}: {message}")]
    Handler {
        /// `errorType` of the error's JSON.
        error_type: String,
        /// `errorMessage` of the error's JSON.
        message: String,
    },
    /// The process ended while the invocation was with it.
    #[error("RequestId: {request_id} Error: Runtime exited: {reason}")]
    Crashed {
        /// Lambda's request id.
        request_id: String,
        /// Its exit status, and the last line it wrote to standard error.
        reason: String,
    },
    /// No answer before the deadline; the process was killed.
    #[error("RequestId: {request_id} Error: Task timed out after {timeout_ms} ms")]
    TimedOut {
        /// Lambda's request id.
        request_id: String,
        /// The function's timeout in milliseconds.
        timeout_ms: u128,
    },
    /// The gateway is being shut down.
    #[error("the gateway is shutting down")]
    ShuttingDown,
}

impl InvokeError {
    /// The `errorType` that Lambda gives such a failure.
    pub fn error_type(&self) -> &str {
        match self {
            Self::UnknownFunction(_) => "ResourceNotFoundException",
            Self::Throttled(_) => "TooManyRequestsException",
            Self::Unstartable { .. } => "Runtime.InvalidEntrypoint",
            Self::Init { .. } | Self::Crashed { .. } => "Runtime.ExitError",
            Self::Handler { error_type, .. } => error_type,
            Self::TimedOut { .. } => "Sandbox.Timedout",
            Self::ShuttingDown => "ServiceException",
        }
    }
}

/// What happened to one function since the gateway started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Invocations accepted, whatever became of them.
    pub invocations: u64,
    /// Environments started.
    pub starts: u64,
    /// Invocations whose handler answered with an error.
    pub handler_errors: u64,
    /// Invocations whose process ended under them, at init or later.
    pub crashes: u64,
    /// Invocations that missed their deadline.
    pub timeouts: u64,
    /// Invocations refused because every environment was busy.
    pub throttles: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    invocations: AtomicU64,
    starts: AtomicU64,
    handler_errors: AtomicU64,
    crashes: AtomicU64,
    timeouts: AtomicU64,
    throttles: AtomicU64,
}

impl Tally {
    pub(crate) fn invoked(&self) {
        self.invocations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn started(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, error: &InvokeError) {
        let counter = match error {
            InvokeError::Handler { .. } => &self.handler_errors,
            InvokeError::Init { .. } | InvokeError::Crashed { .. } | InvokeError::Unstartable { .. } => {
                &self.crashes
            }
            InvokeError::TimedOut { .. } => &self.timeouts,
            InvokeError::Throttled(_) => &self.throttles,
            InvokeError::UnknownFunction(_) | InvokeError::ShuttingDown => return,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            invocations: read(&self.invocations),
            starts: read(&self.starts),
            handler_errors: read(&self.handler_errors),
            crashes: read(&self.crashes),
            timeouts: read(&self.timeouts),
            throttles: read(&self.throttles),
        }
    }
}
