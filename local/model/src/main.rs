//! `model [--deep] [NAME…]`: goes through the models and prints how many states each has. `model --mutants`: takes
//! the guards of the shipped code away, one at a time in a copy, and prints whether the models notice.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use lexopt::prelude::{Long, Value, ValueExt as _};
use model::{
    check::{Counts, check},
    mutants,
    scenario::{DEEP, QUICK, Scenario},
};

const USAGE: &str = "model [--deep] [--threads N] [--exactly NAME] [NAME…] | model --mutants";

fn main() -> anyhow::Result<ExitCode> {
    let (mut deep, mut threads, mut names, mut exactly) = (false, 1, Vec::new(), None);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("deep") => deep = true,
            Long("mutants") => return without_guards(),
            Long("exactly") => exactly = Some(arguments.value()?.string()?),
            Long("threads") => threads = arguments.value()?.parse()?,
            Value(name) => names.push(name.string()?),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let all = QUICK.iter().chain(DEEP.iter().filter(|_| deep));
    let wanted = |one: &&Scenario| match &exactly {
        Some(name) => one.name == name,
        None => names.is_empty() || names.iter().any(|name| one.name.contains(name.as_str())),
    };
    let mut total = Counts::default();
    let mut failed = 0;
    for scenario in all.filter(wanted) {
        match check(scenario, threads) {
            Ok(counts) => {
                total.states += counts.states;
                total.steps += counts.steps;
            }
            Err(error) => {
                eprintln!("{error:#}");
                failed += 1;
            }
        }
    }
    println!("{:45} {:>9} states {:>10} steps", "all", total.states, total.steps);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn without_guards() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (all, missed) = mutants::run(&root)?;
    println!("{} of {all} guards: their absence is noticed", all - missed);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
