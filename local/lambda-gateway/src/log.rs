//! Where the output of function processes goes: line by line, with the function's name, to one sink.
//! Nothing is kept here and nothing is parsed.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Which pipe a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The process's standard output, where functions write their JSON log.
    Stdout,
    /// The process's standard error.
    Stderr,
    /// The gateway's own word about an environment: started, ended, killed, and a report per invocation.
    Platform,
}

/// One line of output of one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The function's name.
    pub function: String,
    /// The environment's process id.
    pub pid: u32,
    /// Where the line came from.
    pub stream: Stream,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// Takes every line of every function, in the order of each pipe. Called from many tasks at once and
/// expected to return at once.
#[derive(Clone)]
pub struct LogSink(Arc<dyn Fn(LogLine) + Send + Sync>);

impl LogSink {
    /// A sink that calls `take` with every line.
    pub fn new(take: impl Fn(LogLine) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Drops every line.
    pub fn discard() -> Self {
        Self::new(drop)
    }

    /// A sink that keeps every line, and the lines it has kept.
    pub fn capture() -> (Self, CapturedLog) {
        let captured = CapturedLog::default();
        let lines = captured.lines.clone();
        let sink = Self::new(move |line| lines.lock().unwrap_or_else(PoisonError::into_inner).push(line));
        (sink, captured)
    }

    /// Takes a line.
    pub fn write(&self, line: LogLine) {
        (self.0)(line);
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}

/// The lines that a capturing sink has kept so far.
#[derive(Debug, Clone, Default)]
pub struct CapturedLog {
    lines: Arc<Mutex<Vec<LogLine>>>,
}

impl CapturedLog {
    /// A copy of all lines so far, oldest first.
    pub fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text of all lines of one function, without the platform's.
    pub fn of(&self, function: &str) -> Vec<String> {
        let lines = self.lines().into_iter();
        lines
            .filter(|line| line.function == function && line.stream != Stream::Platform)
            .map(|line| line.text)
            .collect()
    }
}
