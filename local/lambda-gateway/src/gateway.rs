//! The gateway as its user holds it: started from a template and binaries, asked for invocations and
//! environments, and shut down without leaving a process behind.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, serve::ListenerExt as _};
use bytes::Bytes;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::{
    REGION,
    authorizer::OperatorKeys,
    http_api::{self, HttpApi, Routes},
    invocation::{Counters, Invocation, InvokeError},
    log::{LogLine, LogSink, Stream},
    pool::{Launch, Pool},
    runtime_api,
    scheduler::{self, ScheduleError},
    template::{Function, Schedule, Template, TemplateError},
    token::Tokens,
};

/// How long open connections may linger at shutdown.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

/// What a gateway is started from.
pub struct GatewayConfig {
    /// Where the HTTP API is served; bind it to 127.0.0.1.
    pub listener: TcpListener,
    /// Where the Runtime API is served to the function processes; bind it to 127.0.0.1.
    pub runtime_listener: TcpListener,
    /// The functions, routes and CORS.
    pub template: Template,
    /// The executable of every function of the template, by function name.
    pub binaries: BTreeMap<String, PathBuf>,
    /// Values for environment variables that the template declares. A function gets those of its own
    /// block only, so that a variable missing from the template is missing here as well.
    pub environment: BTreeMap<String, String>,
    /// Variables that every function gets, declared or not, such as the endpoints of local backends. They win
    /// over what Lambda itself sets: region, credentials.
    pub platform_environment: BTreeMap<String, String>,
    /// Whether the template's schedules run by themselves; by hand they always do.
    pub run_schedules: bool,
    /// Most environments of one function at once; above it invocations are throttled.
    pub max_environments: usize,
    /// Who may call the routes whose authorizer is `AWS_IAM`.
    pub operator: OperatorKeys,
    /// Asked before a service of AWS does something for a schedule: by its role, the action, the resource. An error
    /// says what is not granted.
    pub permit: Permit,
    /// Serves what no route matches, such as a shop's static files. Its 404 and 405 are API Gateway's 404.
    pub fallback: Router,
    /// Takes the functions' output.
    pub log: LogSink,
}

/// Whether a role grants an action on a resource; an error says that it does not.
pub type Permit = Arc<dyn Fn(&str, &str, &str) -> Result<(), String> + Send + Sync>;

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A function of the template has no executable.
    #[error("{function}: no executable at {path}")]
    NoBinary {
        /// The function's name.
        function: String,
        /// Where it was looked for, or `nowhere`.
        path: String,
    },
    /// The template's routes cannot be served together.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A listener is unusable.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A running gateway. Dropping it kills the functions as [`Gateway::shutdown`] does, without waiting.
pub struct Gateway {
    url: String,
    pools: Arc<BTreeMap<String, Arc<Pool>>>,
    template: Template,
    stop: watch::Sender<bool>,
    servers: Mutex<Vec<JoinHandle<()>>>,
    schedules: Mutex<JoinSet<()>>,
    runs: Runs,
}

impl Gateway {
    /// Serves the API. No function is started before its first invocation.
    pub async fn start(config: GatewayConfig) -> Result<Self, StartError> {
        let url = format!("http://{}", config.listener.local_addr()?);
        let runtime_url = format!("http://{}", config.runtime_listener.local_addr()?);
        let mut pools = BTreeMap::new();
        for function in config.template.functions() {
            let binary = config.binaries.get(&function.name);
            let Some(binary) = binary.filter(|path| path.is_file()) else {
                return Err(StartError::NoBinary {
                    function: function.name.clone(),
                    path: binary.map_or("nowhere".to_owned(), |path| path.display().to_string()),
                });
            };
            let launch = Launch {
                function: function.name.clone(),
                binary: binary.clone(),
                timeout: function.timeout,
                variables: variables(function, &config),
                runtime_api: runtime_url.clone(),
                max_environments: config.max_environments,
            };
            pools.insert(function.name.clone(), Pool::new(launch, config.log.clone()));
        }
        let pools = Arc::new(pools);
        let api = HttpApi {
            routes: Routes::new(config.template.routes())?,
            cors: config.template.cors().cloned(),
            operator: config.operator,
            tokens: Tokens::new(),
            pools: pools.clone(),
            fallback: config.fallback,
        }
        .router();
        let (stop, _) = watch::channel(false);
        let servers = vec![
            serve(config.runtime_listener, runtime_api::router(pools.clone()), stop.subscribe()),
            serve(config.listener, api, stop.subscribe()),
        ];
        let mut schedules = JoinSet::new();
        let runs = Runs { pools: pools.clone(), permit: config.permit, log: config.log };
        if config.run_schedules {
            for schedule in config.template.schedules().iter().filter(|schedule| schedule.enabled) {
                schedules.spawn(run_by_itself(schedule.clone(), runs.clone()));
            }
        }
        Ok(Self {
            url,
            pools,
            template: config.template,
            stop,
            servers: Mutex::new(servers),
            schedules: Mutex::new(schedules),
            runs,
        })
    }

    /// The HTTP API's base URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The template this gateway serves.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Invokes a function with an event as it is, and answers what the function returned. The invocation
    /// runs to its end even if the caller stops waiting.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, InvokeError> {
        Ok(answered(&self.invoke_raw(function, Bytes::from(event.to_string())).await?))
    }

    /// As [`Gateway::invoke`], with the bytes of the event and the times of the invocation.
    pub async fn invoke_raw(&self, function: &str, event: Bytes) -> Result<Invocation, InvokeError> {
        let pool = self.pool(function)?.clone();
        let invocation = tokio::spawn(async move { pool.invoke(event, http_api::trace_id()).await });
        invocation.await.unwrap_or(Err(InvokeError::ShuttingDown))
    }

    /// Runs a schedule once, now, with the event that the template gives it, and answers what the function
    /// returned. `name` is the function's if it has one schedule, else `<function>/<event>`.
    pub async fn run_schedule(&self, name: &str) -> Result<Value, ScheduleError> {
        let full = |schedule: &Schedule| format!("{}/{}", schedule.function, schedule.name);
        let schedules = self.template.schedules().iter();
        let found: Vec<_> = schedules.filter(|it| it.function == name || full(it) == name).collect();
        match found.as_slice() {
            [] => Err(ScheduleError::Unknown(name.to_owned())),
            [schedule] => {
                let (runs, schedule) = (self.runs.clone(), (*schedule).clone());
                let run = tokio::spawn(async move { runs.run(&schedule, OffsetDateTime::now_utc()).await });
                run.await.unwrap_or(Err(InvokeError::ShuttingDown.into()))
            }
            several => Err(ScheduleError::Ambiguous {
                function: name.to_owned(),
                schedules: several.iter().map(|it| full(it)).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// SIGKILLs every environment of a function, and resolves when the processes are gone. Invocations
    /// under way fail as crashed; the next one starts a new environment. Answers how many were killed.
    pub async fn kill(&self, function: &str) -> Result<usize, InvokeError> {
        Ok(self.pool(function)?.kill().await)
    }

    /// The process ids of a function's environments now, oldest first.
    pub fn environments(&self, function: &str) -> Result<Vec<u32>, InvokeError> {
        Ok(self.pool(function)?.pids())
    }

    /// What happened to a function so far.
    pub fn counters(&self, function: &str) -> Result<Counters, InvokeError> {
        Ok(self.pool(function)?.counters())
    }

    fn pool(&self, function: &str) -> Result<&Arc<Pool>, InvokeError> {
        self.pools.get(function).ok_or_else(|| InvokeError::UnknownFunction(function.to_owned()))
    }

    /// Kills every function's process and stops serving; resolves when no process is left. Repeating it
    /// does nothing.
    pub async fn shutdown(&self) {
        self.schedules.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        futures::future::join_all(self.pools.values().map(|pool| pool.close())).await;
        self.stop.send_replace(true);
        let servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        for mut server in servers {
            if tokio::time::timeout(SHUTDOWN_LIMIT, &mut server).await.is_err() {
                server.abort();
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.pools.values().for_each(|pool| pool.doom());
        self.stop.send_replace(true);
    }
}

fn serve(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) -> JoinHandle<()> {
    // Without this, the kernel holds small answers back for up to 40 ms.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move {
        let stopped = async move {
            let _ = stop.wait_for(|stop| *stop).await;
        };
        let _ = axum::serve(listener, service).with_graceful_shutdown(stopped).await;
    })
}

/// Invokes a function whenever its schedule is due. What it answers is nobody's; that it failed is in the log.
async fn run_by_itself(schedule: Schedule, runs: Runs) {
    scheduler::run(schedule.when, OffsetDateTime::now_utc(), |at| {
        let (runs, schedule) = (runs.clone(), schedule.clone());
        tokio::spawn(async move { runs.run(&schedule, at).await });
        std::future::ready(())
    })
    .await;
}

/// Runs schedules, as EventBridge Scheduler does: under the schedule's role, and what cannot be handed to the
/// function is a dead letter, of which here only the log tells.
#[derive(Clone)]
struct Runs {
    pools: Arc<BTreeMap<String, Arc<Pool>>>,
    permit: Permit,
    log: LogSink,
}

impl Runs {
    async fn run(&self, schedule: &Schedule, at: OffsetDateTime) -> Result<Value, ScheduleError> {
        let outcome = self.invoke(schedule, at).await;
        if let Err(ScheduleError::NotGranted(_) | ScheduleError::Invoke(InvokeError::Throttled(_))) = &outcome
        {
            let kept = self.send_letter(schedule);
            let (name, function) = (&schedule.name, &schedule.function);
            self.say(
                schedule,
                match kept {
                    Some(Ok(())) => format!("the run {function}/{name} is a dead letter"),
                    Some(Err(why)) => format!("the run {function}/{name} is lost: {why}"),
                    None => format!("the run {function}/{name} is lost: it has no dead-letter queue"),
                },
            );
        }
        outcome
    }

    async fn invoke(&self, schedule: &Schedule, at: OffsetDateTime) -> Result<Value, ScheduleError> {
        self.ask(schedule, "lambda:InvokeFunction", &schedule.target).map_err(|why| {
            self.say(schedule, why.clone());
            ScheduleError::NotGranted(why)
        })?;
        let pool = self.pools.get(&schedule.function);
        let pool = pool.ok_or_else(|| InvokeError::UnknownFunction(schedule.function.clone()))?;
        let event = Bytes::from(schedule.event(at).to_string());
        let invocation = pool.clone().invoke(event, http_api::trace_id()).await?;
        Ok(answered(&invocation))
    }

    /// Whether there is a queue, and the role may send there.
    fn send_letter(&self, schedule: &Schedule) -> Option<Result<(), String>> {
        let queue = schedule.dead_letter_queue.as_deref()?;
        Some(self.ask(schedule, "sqs:SendMessage", queue))
    }

    fn ask(&self, schedule: &Schedule, action: &str, resource: &str) -> Result<(), String> {
        schedule.role.as_ref().map_or(Ok(()), |role| (self.permit)(&role.name, action, resource))
    }

    fn say(&self, schedule: &Schedule, text: String) {
        let (function, stream) = (schedule.function.clone(), Stream::Platform);
        self.log.write(LogLine { function, pid: 0, stream, text });
    }
}

/// What a function returned, as a value; what is no JSON is its text.
fn answered(invocation: &Invocation) -> Value {
    serde_json::from_slice(&invocation.answer)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&invocation.answer).into_owned()))
}

/// A function's environment: what Lambda sets, then what the template declares.
fn variables(function: &Function, config: &GatewayConfig) -> BTreeMap<String, String> {
    let name = &function.name;
    let mut variables: BTreeMap<String, String> = [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        // The role's credentials. The id is the function's name, so that whoever is called can tell who calls.
        ("AWS_ACCESS_KEY_ID", name.clone()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, declared) in &function.environment {
        if let Some(value) = config.environment.get(name).or(declared.as_ref()) {
            variables.insert(name.clone(), value.clone());
        }
    }
    variables.extend(config.platform_environment.clone());
    variables
}
