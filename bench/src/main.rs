//! `cargo xtask bench`: what each function costs, on this machine, as ratios to a floor measured in the same run.
//!
//! | module | owns |
//! |---|---|
//! | [`operation`] | what is measured: one row of the table each |
//! | [`system`] | the local system with the functions, or the floor, in it |
//! | [`exact`] | calls, rounds, units, sizes, instructions: the same on every machine, held to a file |
//! | [`timing`] | start, latency, CPU, memory: of this machine at this moment |
//! | [`bare`] | what a caller that does nothing else waits for besides a backend |
//! | [`callgrind`] | instructions of a warm invocation |
//! | [`process`] | what Linux says of a process |
//! | [`price`] | money |
//! | [`report`] | the page and its chart |

mod bare;
mod callgrind;
mod exact;
mod operation;
mod price;
mod process;
mod report;
mod system;
mod timing;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use operation::{ALL, Operation};

const USAGE: &str = "\
bench --functions DIR --floor FILE [--exact [--write]] [--invocations N] [--report FILE]

  --exact          only what is the same on every machine, compared with bench/exact.json
  --write          writes bench/exact.json instead of comparing
  --invocations N  of each operation and each delay; 1000
  --report FILE    writes the page, and its chart beside it
  --only NAME      the times of one operation beside the floor's, and nothing else";

/// What was asked for.
struct Wanted {
    functions: PathBuf,
    floor: PathBuf,
    exact_only: bool,
    write: bool,
    invocations: usize,
    report: Option<PathBuf>,
    only: Option<Operation>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<ExitCode> {
    let wanted = wanted()?;
    if let Some(only) = wanted.only {
        let times = timing::measure(&wanted.functions, &wanted.floor, &[only], wanted.invocations).await?;
        println!("{}", report::times(&times));
        return Ok(ExitCode::SUCCESS);
    }
    let found = exact::measure(&wanted.functions).await?;
    if wanted.write {
        exact::write(&found)?;
    }
    let differences = exact::compare(&found)?;
    for difference in &differences {
        eprintln!("{difference}");
    }
    if !differences.is_empty() {
        eprintln!(
            "\n{} figures got worse or changed; if that is meant: cargo xtask bench --write",
            differences.len()
        );
        return Ok(ExitCode::FAILURE);
    }
    if wanted.exact_only {
        println!("{} operations cost what bench/exact.json says", found.operations.len());
        return Ok(ExitCode::SUCCESS);
    }
    let times = timing::measure(&wanted.functions, &wanted.floor, &ALL, wanted.invocations).await?;
    let page = report::page(&found, &times, &price::Prices::read()?);
    println!("{page}");
    if let Some(path) = wanted.report {
        std::fs::write(&path, &page).with_context(|| path.display().to_string())?;
        let chart = path.with_file_name("performance.svg");
        std::fs::write(&chart, report::chart(&times)).with_context(|| chart.display().to_string())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn wanted() -> anyhow::Result<Wanted> {
    use lexopt::prelude::{Long, ValueExt as _};

    let mut arguments = lexopt::Parser::from_env();
    let (mut functions, mut floor) = (None, None);
    let (mut exact_only, mut write, mut invocations, mut report, mut only) = (false, false, 1000, None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("functions") => functions = Some(PathBuf::from(arguments.value()?)),
            Long("floor") => floor = Some(PathBuf::from(arguments.value()?)),
            Long("exact") => exact_only = true,
            Long("write") => write = true,
            Long("invocations") => invocations = arguments.value()?.parse()?,
            Long("report") => report = Some(PathBuf::from(arguments.value()?)),
            Long("only") => {
                let name = arguments.value()?.string()?;
                let known = ALL.into_iter().find(|operation| operation.name() == name);
                only = Some(known.with_context(|| format!("no operation is called {name}"))?);
            }
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    Ok(Wanted {
        functions: functions.context(USAGE)?,
        floor: floor.context(USAGE)?,
        exact_only,
        write,
        invocations,
        report,
        only,
    })
}
