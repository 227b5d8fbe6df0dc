//! The environments of one function: which there are, which gets the next event, when one more is
//! started and how each one ends. Lambda's rules: one event at a time in each environment, a new one only
//! when all are busy, none above the limit, a crash fails what it held and the next event starts afresh.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::oneshot,
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    environment::{Environment, Job},
    invocation::{Counters, Invocation, InvokeError, Tally},
    log::{LogLine, LogSink, Stream},
};

/// Lambda gives a process 10 s to ask for its first event.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How long the end of a process waits for its last output; a grandchild may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What every environment of a function is started with.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    pub(crate) function: String,
    pub(crate) binary: PathBuf,
    pub(crate) timeout: Duration,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) runtime_api: String,
    pub(crate) max_environments: usize,
}

/// The environments of one function.
pub(crate) struct Pool {
    launch: Launch,
    log: LogSink,
    tally: Tally,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    /// Every process that has not ended; those that are being killed keep their place to poll at.
    environments: Vec<Arc<Environment>>,
    closed: bool,
}

impl Members {
    fn living(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.environments.iter().filter(|environment| !environment.is_doomed())
    }

    /// Marks all for killing. Under the lock, so that no event is placed in one of them afterwards.
    fn doom(&self) -> Vec<Arc<Environment>> {
        self.environments.iter().inspect(|environment| environment.doom()).cloned().collect()
    }
}

impl Pool {
    pub(crate) fn new(launch: Launch, log: LogSink) -> Arc<Self> {
        Arc::new(Self { launch, log, tally: Tally::default(), members: Mutex::default() })
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The environment that polls under `id`.
    pub(crate) fn environment(&self, id: &str) -> Option<Arc<Environment>> {
        self.members().environments.iter().find(|environment| environment.id == id).cloned()
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        let members = self.members();
        members.living().map(|environment| environment.pid).collect()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// Runs one invocation to its end. An event that a process never took goes to another one: it had
    /// no effect there.
    pub(crate) async fn invoke(
        self: &Arc<Self>,
        payload: Bytes,
        trace_id: String,
    ) -> Result<Invocation, InvokeError> {
        self.tally.invoked();
        let request_id = Uuid::new_v4().to_string();
        loop {
            let (taken, was_taken) = oneshot::channel();
            let (ended, outcome) = oneshot::channel();
            let job = Job {
                request_id: request_id.clone(),
                trace_id: trace_id.clone(),
                payload: payload.clone(),
                timeout: self.launch.timeout,
                taken,
                ended,
            };
            let attempt = match self.place(job) {
                Ok((environment, cold)) => self.follow(&environment, cold, was_taken, outcome).await,
                Err(error) => Some(Err(error)),
            };
            let Some(result) = attempt else { continue };
            let result = result.map_err(|error| self.name(error, &request_id));
            return result
                .map(|invocation| Invocation { request_id, ..invocation })
                .inspect_err(|error| self.tally.failed(error));
        }
    }

    /// Gives the event to a free environment, or to a new one. The lock is held over both steps, so that
    /// two invocations never meet in one mailbox.
    fn place(self: &Arc<Self>, job: Job) -> Result<(Arc<Environment>, bool), InvokeError> {
        let mut members = self.members();
        if members.closed {
            return Err(InvokeError::ShuttingDown);
        }
        // One that is about to ask again is better than a cold start: it asks within microseconds.
        let free = [true, false]
            .into_iter()
            .find_map(|ready| members.environments.iter().find(|member| member.is_free(ready)));
        if let Some(environment) = free.cloned() {
            environment.offer(job);
            return Ok((environment, false));
        }
        if members.living().count() >= self.launch.max_environments {
            return Err(InvokeError::Throttled(self.launch.function.clone()));
        }
        let environment = self.spawn()?;
        environment.offer(job);
        members.environments.push(environment.clone());
        Ok((environment, true))
    }

    /// Waits for the event to be taken and answered. `None`: it was never taken, try another.
    async fn follow(
        &self,
        environment: &Arc<Environment>,
        cold: bool,
        taken: oneshot::Receiver<()>,
        outcome: oneshot::Receiver<Result<Bytes, InvokeError>>,
    ) -> Option<Result<Invocation, InvokeError>> {
        match tokio::time::timeout(INIT_LIMIT, taken).await {
            Ok(Ok(())) => {}
            // The process ended first: its supervisor has said why, or gives the event back.
            Ok(Err(_)) => return outcome.await.ok().map(|ended| ended.and(Err(InvokeError::ShuttingDown))),
            Err(_) => {
                let starting = environment.is_starting();
                environment.doom();
                return starting.then(|| {
                    Err(InvokeError::Init {
                        function: self.launch.function.clone(),
                        reason: format!("no event asked for within {} s", INIT_LIMIT.as_secs()),
                    })
                });
            }
        }
        let began = Instant::now();
        match tokio::time::timeout(self.launch.timeout, outcome).await {
            Ok(Ok(Ok(answer))) => {
                let duration = began.elapsed();
                let init = environment.init().filter(|_| cold);
                self.report(environment, duration, init);
                Some(Ok(Invocation { request_id: String::new(), answer, init, duration }))
            }
            Ok(Ok(Err(error))) => Some(Err(error)),
            Ok(Err(_)) => Some(Err(InvokeError::ShuttingDown)),
            Err(_) => {
                environment.doom();
                Some(Err(InvokeError::TimedOut {
                    request_id: String::new(),
                    timeout_ms: self.launch.timeout.as_millis(),
                }))
            }
        }
    }

    /// Errors made where the request id is not at hand get it here, and are logged once.
    fn name(&self, error: InvokeError, id: &str) -> InvokeError {
        let error = match error {
            InvokeError::TimedOut { timeout_ms, .. } => {
                InvokeError::TimedOut { request_id: id.to_owned(), timeout_ms }
            }
            other => other,
        };
        self.platform(0, error.to_string());
        error
    }

    fn report(&self, environment: &Environment, duration: Duration, init: Option<Duration>) {
        let init = init.map(|init| format!(" Init Duration: {:.2} ms", millis(init))).unwrap_or_default();
        self.platform(environment.pid, format!("REPORT Duration: {:.2} ms{init}", millis(duration)));
    }

    fn platform(&self, pid: u32, text: String) {
        self.log.write(LogLine {
            function: self.launch.function.clone(),
            pid,
            stream: Stream::Platform,
            text,
        });
    }

    /// SIGKILLs every environment and waits until the processes are gone. What they held fails as
    /// crashed; the next invocation starts afresh. Answers how many were killed.
    pub(crate) async fn kill(&self) -> usize {
        let (killed, doomed) = {
            let members = self.members();
            (members.living().count(), members.doom())
        };
        for environment in &doomed {
            environment.exited().await;
        }
        killed
    }

    /// As [`Self::close`], without waiting for the processes to end.
    pub(crate) fn doom(&self) {
        let mut members = self.members();
        members.closed = true;
        members.doom();
    }

    /// As [`Self::kill`], and nothing is started any more.
    pub(crate) async fn close(&self) {
        self.members().closed = true;
        self.kill().await;
    }

    fn spawn(self: &Arc<Self>) -> Result<Arc<Environment>, InvokeError> {
        let id = Uuid::new_v4().simple().to_string();
        let Launch { function, binary, runtime_api, .. } = &self.launch;
        // The child may run before this thread does again.
        let spawned = Instant::now();
        let mut child = Command::new(binary)
            // Nothing of the developer's shell reaches a function: no proxy, no real credentials.
            .env_clear()
            .envs(&self.launch.variables)
            .env("AWS_LAMBDA_RUNTIME_API", format!("{runtime_api}/{function}/{id}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &id)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C in a terminal is for the gateway, which then ends them in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| InvokeError::Unstartable {
                function: function.clone(),
                reason: format!("{}: {error}", binary.display()),
            })?;
        let environment = Arc::new(Environment::new(id, child.id().unwrap_or_default(), spawned));
        self.tally.started();
        let readers = [
            child.stdout.take().map(|pipe| self.read(&environment, Stream::Stdout, pipe)),
            child.stderr.take().map(|pipe| self.read(&environment, Stream::Stderr, pipe)),
        ];
        tokio::spawn(self.clone().supervise(child, environment.clone(), readers));
        Ok(environment)
    }

    /// Passes every line on, and answers the last one that says something.
    fn read(
        &self,
        environment: &Environment,
        stream: Stream,
        pipe: impl AsyncRead + Unpin + Send + 'static,
    ) -> JoinHandle<String> {
        let (log, function, pid) = (self.log.clone(), self.launch.function.clone(), environment.pid);
        tokio::spawn(async move {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            let mut last = String::new();
            while pipe.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if !text.is_empty() {
                    last.clone_from(&text);
                }
                log.write(LogLine { function: function.clone(), pid, stream, text });
                line.clear();
            }
            last
        })
    }

    /// Owns the child: kills it when it is doomed, and tells its environment how it ended.
    async fn supervise(
        self: Arc<Self>,
        mut child: Child,
        environment: Arc<Environment>,
        readers: [Option<JoinHandle<String>>; 2],
    ) {
        let status = tokio::select! {
            status = child.wait() => status,
            () = environment.doomed() => {
                let _ = child.start_kill();
                child.wait().await
            }
        };
        // No event may be given to it from here on.
        self.members().environments.retain(|member| member.id != environment.id);
        let readers = futures::future::join_all(readers.into_iter().flatten());
        let last_lines = tokio::time::timeout(LAST_WORDS, readers).await.unwrap_or_default();
        let last_line = last_lines.into_iter().next_back().and_then(Result::ok);
        let reason = environment.init_error().unwrap_or_else(|| {
            let status = status.map_or_else(|error| error.to_string(), exit_text);
            match last_line.filter(|line| !line.is_empty()) {
                Some(line) => format!("{line} ({status})"),
                None => status,
            }
        });
        environment.end(&self.launch.function, &reason);
    }
}

fn exit_text(status: ExitStatus) -> String {
    status.to_string()
}

/// Milliseconds for a line that people read.
fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
