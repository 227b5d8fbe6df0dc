//! `model [--deep] [NAME…]`: goes through the models and prints how many states each has. `model --mutants`: takes
//! the guards of the shipped code away, one at a time in a copy, and prints whether the models notice.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use lexopt::prelude::{Long, Value, ValueExt as _};
use model::{
    check::{Counts, check, check_pair},
    mutants,
    scenario::{DEEP, PAIRS, QUICK},
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
    let wanted = |one: &str| match &exactly {
        Some(name) => one == name,
        None => names.is_empty() || names.iter().any(|name| one.contains(name.as_str())),
    };
    let all = QUICK.iter().chain(DEEP.iter().filter(|_| deep)).filter(|one| wanted(one.name));
    let all = all.map(|scenario| check(scenario, threads));
    let pairs = PAIRS.iter().filter(|one| wanted(one.name)).map(|pair| check_pair(pair, threads));
    let mut total = Counts::default();
    let mut failed = 0;
    for outcome in all.chain(pairs) {
        match outcome {
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
    println!("{:50} {:>9} states {:>10} steps", "all", total.states, total.steps);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn without_guards() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (all, missed) = mutants::run(&root)?;
    println!("{} of {all} guards: their absence is noticed", all - missed);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
