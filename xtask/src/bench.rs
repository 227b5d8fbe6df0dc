//! `cargo xtask bench`: builds the release binaries and the floor, and measures them. What is measured, and how,
//! is the package `bench`'s.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::{
    build, process,
    repository::{Architecture, Workspace, functions, root},
    tools,
};

const USAGE: &str = "cargo xtask bench [--exact] [--write] [--invocations N] [--only OPERATION]";

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    use lexopt::prelude::{Long, ValueExt as _};

    let mut words = Vec::new();
    let mut page = true;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("exact") => {
                page = false;
                words.push("--exact".to_owned());
            }
            Long("write") => words.push("--write".to_owned()),
            Long("invocations") => {
                let number: u32 = arguments.value()?.parse()?;
                words.extend(["--invocations".to_owned(), number.to_string()]);
            }
            Long("only") => {
                page = false;
                words.extend(["--only".to_owned(), arguments.value()?.string()?]);
            }
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    if page {
        words.extend(["--report".to_owned(), root().join("docs/PERFORMANCE.md").display().to_string()]);
    }
    build::build(Architecture::host()?, &functions()?)?;
    measure(&words)?;
    Ok(ExitCode::SUCCESS)
}

/// Holds what is the same on every machine to `bench/exact.json`. The release binaries are there already.
pub fn exact() -> anyhow::Result<()> {
    measure(&["--exact".to_owned()])
}

/// Optimised when times are measured, so that the gateway and the backends take little of them.
fn measure(words: &[String]) -> anyhow::Result<()> {
    tools::callgrind()?;
    process::run(Workspace::Functions.cargo("build").args(["--release", "--package", "floor"]))?;
    let mut bench = Workspace::Local.cargo("run");
    if !words.iter().any(|word| word == "--exact") {
        bench.arg("--release");
    }
    bench.args(["--package", "bench", "--", "--functions"]).arg(root().join("target/lambda"));
    bench.arg("--floor").arg(root().join("target/release/floor")).args(words);
    process::run(&mut bench)
}
