//! `cargo xtask deploy`: builds, checks and deploys, with `sam` for the stack and `cargo lambda` for the code
//! of one function. Asks before it changes anything, as `sam deploy --guided` does.

use std::{
    env,
    ffi::OsString,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    build, process,
    repository::{Architecture, functions, root},
    test::template,
    tools,
};

const USAGE: &str = "cargo xtask deploy [FUNCTION] [--arch x86_64|arm64]";

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    use lexopt::prelude::{Long, Value, ValueExt as _};

    let (mut function, mut architecture) = (None, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("arch") => architecture = Some(Architecture::parse(&arguments.value()?.string()?)?),
            Value(value) if function.is_none() => function = Some(value.string()?),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let architecture = architecture.map_or_else(Architecture::of_template, Ok)?;
    match function {
        Some(function) => one(&function, architecture)?,
        None => stack(architecture)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The artifacts are built first: that finds out whether this machine can build for the architecture, and
/// `sam build` would otherwise add a Rust target without asking.
fn stack(architecture: Architecture) -> anyhow::Result<()> {
    build::build(architecture, &functions()?)?;
    template::check()?;
    // cargo-lambda first: it looks for zig in the Python that is first on the path, which is its own there.
    let path = path(&cargo_lambda()?, &tools::python_tools()?)?;
    let parameter = format!("ParameterKey=Architecture,ParameterValue={}", architecture.name());
    let sam = |arguments: &[&str]| {
        let mut sam = Command::new("sam");
        sam.current_dir(root()).env("PATH", &path).env("SAM_CLI_TELEMETRY", "0").args(arguments);
        sam
    };
    process::run(&mut sam(&["build", "--parameter-overrides", &parameter]))?;
    process::run(&mut sam(&[
        "deploy",
        "--guided",
        "--capabilities",
        "CAPABILITY_IAM",
        "--parameter-overrides",
        &parameter,
    ]))
}

fn one(function: &str, architecture: Architecture) -> anyhow::Result<()> {
    if !functions()?.iter().any(|known| known == function) {
        bail!("there is no function {function}; there are {}", functions()?.join(", "));
    }
    build::build(architecture, &[function.to_owned()])?;
    let path = path(&cargo_lambda()?, &tools::folder().join("bin"))?;
    let mut deploy = Command::new("cargo");
    deploy.current_dir(root()).env("PATH", path).args([
        "lambda",
        "deploy",
        "--lambda-dir",
        "target/lambda",
        function,
    ]);
    process::run(&mut deploy)
}

fn cargo_lambda() -> anyhow::Result<std::path::PathBuf> {
    tools::python_environment("cargo-lambda", "cargo-lambda==1.9.2\nziglang==0.17.1\n")
}

fn path(first: &Path, second: &Path) -> anyhow::Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned(), second.to_owned()].into_iter().chain(env::split_paths(&rest));
    Ok(env::join_paths(folders)?)
}
