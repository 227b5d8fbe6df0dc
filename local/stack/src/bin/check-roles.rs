//! Compares the template's roles with what the functions asked for in the stories, which they have to match
//! exactly. `cargo xtask test roles` runs it behind them.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use lambda_gateway::Template;
use local_stack::{iam::record, secret::SECRET_ID};

fn main() -> ExitCode {
    match run() {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            faults.iter().for_each(|fault| eprintln!("{fault}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<Vec<String>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "check-roles TEMPLATE RECORD";
    let (template, record) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    // As the system that was recorded has it.
    let overrides = BTreeMap::from([("PortoneSecretId".to_owned(), SECRET_ID.to_owned())]);
    record::faults(&Template::read(&template, &overrides)?, &record)
}
