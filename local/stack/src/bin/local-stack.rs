//! `cargo xtask dev` ends in this program: the system for a person, until Ctrl-C or SIGTERM.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, bail};
use lambda_gateway::{LogLine, LogSink, Stream};
use local_stack::{Backend, Operators, PaymentMode, Products, Stack, StackOptions, probe};
use tokio::signal::unix::{Signal, SignalKind, signal};

const USAGE: &str = "\
local-stack --functions DIR [--port N] [--data DIR] [--fresh] [--root DIR] [--mode LIVE|TEST]
            [--products FILE] [--clock-speed N] [--jwt]";

fn main() -> ExitCode {
    let outcome = options().and_then(|options| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(run(options))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> anyhow::Result<StackOptions> {
    use lexopt::prelude::{Long, ValueExt as _};

    let mut options = StackOptions::new("");
    options.base_port = Some(3000);
    options.run_schedules = true;
    options.data = Some(PathBuf::from(".local"));
    let mut functions = None;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("functions") => functions = Some(PathBuf::from(arguments.value()?)),
            Long("port") => options.base_port = Some(arguments.value()?.parse()?),
            Long("data") => options.data = Some(arguments.value()?.into()),
            Long("fresh") => options.fresh = true,
            Long("jwt") => options.operators = Operators::Tokens,
            Long("root") => options.root = arguments.value()?.into(),
            Long("products") => options.products = Products::File(arguments.value()?.into()),
            Long("clock-speed") => options.clock_speed = arguments.value()?.parse()?,
            Long("mode") => {
                options.payment_mode = match arguments.value()?.string()?.as_str() {
                    "LIVE" => PaymentMode::Live,
                    "TEST" => PaymentMode::Test,
                    other => bail!("--mode is LIVE or TEST, not {other}"),
                }
            }
            Long("help") => bail!("usage: {USAGE}"),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    options.functions = functions.context(USAGE)?;
    Ok(options)
}

async fn run(mut options: StackOptions) -> anyhow::Result<()> {
    let log = HeldLog::default();
    options.log = log.sink();
    // Taken before anything is started, so that a signal during the start also ends in order.
    let mut signals = Signals::new()?;
    let stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        () = signals.any() => return Ok(()),
    };
    let probed = tokio::select! {
        probed = probe::probe(&stack) => probed,
        () = signals.any() => {
            stack.shutdown().await;
            return Ok(());
        }
    };
    if let Err(error) = probed {
        stack.shutdown().await;
        log.release(true);
        return Err(error);
    }
    log.release(false);

    eprintln!("shop             {}/", stack.url());
    eprintln!("examples         {}/checkout/examples/", stack.url());
    eprintln!("API              {}", stack.url());
    eprintln!("API's page       {}/docs/api/", stack.url());
    eprintln!("events           {}/console/", stack.url());
    eprintln!("operators        {}/operator/", stack.url());
    eprintln!("PortOne console  {}/console", stack.simulator().url());
    eprintln!("DynamoDB         {} (table {})", stack.dynamodb_url(), stack.table_name());
    for bucket in stack.objects().buckets() {
        eprintln!("S3               {}/{bucket}", stack.wire(Backend::S3).url());
    }
    eprintln!("Ctrl-C stops all of it.");
    println!("ready {}/", stack.url());

    signals.any().await;
    stack.shutdown().await;
    Ok(())
}

/// The functions' output, held back while the probes run: what they do to the functions is nobody's
/// business unless one of them fails.
#[derive(Clone, Default)]
struct HeldLog(Arc<Mutex<Option<Vec<LogLine>>>>);

impl HeldLog {
    fn sink(&self) -> LogSink {
        *self.held() = Some(Vec::new());
        let this = self.clone();
        LogSink::new(move |line| match &mut *this.held() {
            Some(held) => held.push(line),
            None => print(&line),
        })
    }

    /// Prints everything from now on, and with `all` what was held back too.
    fn release(&self, all: bool) {
        let held = self.held().take().unwrap_or_default();
        if all {
            held.iter().for_each(print);
        }
    }

    fn held(&self) -> MutexGuard<'_, Option<Vec<LogLine>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As a person wants to read it: the function's name first. Reports of every invocation are left out.
fn print(line: &LogLine) {
    if line.stream != Stream::Platform || !line.text.starts_with("REPORT ") {
        eprintln!("[{}] {}", line.function, line.text);
    }
}

struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
