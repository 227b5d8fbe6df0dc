//! JSON logs, one line each, with ids and no people; metrics and traces made of them.
//!
//! Personal data and secrets cannot get here: `order::Personal` and `secrecy` print placeholders.
//! Bodies are never logged, and other people's crates are held to warnings whatever `RUST_LOG` says,
//! since at finer levels HTTP crates may print what they carry.

mod lines;
mod metrics;
pub mod trace;

use std::{error::Error, process::ExitCode};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use crate::{clock, config};
use lines::Lines;
use metrics::Metrics;

/// The crates of this repository that log.
const OURS: [&str; 12] = [
    "backend",
    "back_office",
    "cancel_order",
    "confirm_payment",
    "create_order",
    "daily_export",
    "get_order",
    "list_products",
    "order_events",
    "reconcile",
    "verify_payment",
    "webhook",
];

/// Starts logging and metrics on stdout. `RUST_LOG` is a level or a list of `target=level`, `info` by default, and
/// nothing finer than that is in a release binary; metrics are made whatever it says.
pub fn init() {
    // The first thing that each function does.
    clock::init_begins();
    let directives = config::log_directives().unwrap_or_else(|| "info".to_owned());
    let metrics = Metrics::start(config::stack_name(), config::function_name()).ok();
    let lines = Lines { logged: targets(&directives), counted: targets("info"), metrics };
    tracing::subscriber::set_global_default(lines).expect("logging is started once");
}

fn targets(directives: &str) -> Targets {
    let asked: Targets =
        directives.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let default = asked.default_level().unwrap_or(LevelFilter::INFO);
    let is_ours = |target: &str| OURS.contains(&target.split("::").next().unwrap_or_default());
    let mut held = Targets::new().with_default(default.min(LevelFilter::WARN));
    held.extend(OURS.map(|crate_name| (crate_name, default)));
    held.extend(asked.into_iter().map(|(target, level)| {
        let level = if is_ours(&target) { level } else { level.min(LevelFilter::WARN) };
        (target, level)
    }));
    held
}

/// Reports, in one line, why a function cannot start, and how it should exit.
pub fn cannot_start(error: &(dyn Error + 'static)) -> ExitCode {
    tracing::error!(event = "init.failed", "cannot start: {}", chain(error));
    ExitCode::FAILURE
}

/// An error with its causes, for one log line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn other_peoples_crates_never_log_below_warnings() {
        for directives in ["trace", "hyper=trace", "info,hyper::proto=trace", "debug,lambda_runtime=trace"] {
            let targets = targets(directives);
            for other in ["hyper::proto", "hyper_util", "lambda_runtime"] {
                assert!(!targets.would_enable(other, &Level::INFO), "{directives} {other}");
            }
        }
    }

    #[test]
    fn our_own_crates_log_as_asked() {
        assert!(targets("debug").would_enable("backend::flow", &Level::DEBUG));
        assert!(!targets("warn").would_enable("webhook", &Level::INFO));
        assert!(targets("nonsense=====").would_enable("webhook", &Level::INFO));
    }
}
