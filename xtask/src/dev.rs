//! `cargo xtask dev`: builds the functions and the local system, and becomes the latter.

use std::{os::unix::process::CommandExt as _, process::Command, process::ExitCode};

use anyhow::Context as _;

use crate::{
    examples, process,
    repository::{LOCAL_SYSTEM, Workspace, root},
};

const USAGE: &str = "cargo xtask dev [--port N] [--data DIR] [--fresh] [--jwt]";

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    use lexopt::prelude::{Long, ValueExt as _};

    let mut stack = Command::new(root().join("target/local/debug/local-stack"));
    stack.current_dir(root()).arg("--functions").arg(root().join("target/debug"));
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => {
                let port: u16 = arguments.value()?.parse()?;
                stack.arg("--port").arg(port.to_string());
            }
            // Relative to where the command was given, like every path a person types.
            Long("data") => {
                stack.arg("--data").arg(std::path::absolute(arguments.value()?)?);
            }
            Long("fresh") => {
                stack.arg("--fresh");
            }
            // Operators sign in with tokens, as a stack with JwtIssuer has it.
            Long("jwt") => {
                stack.arg("--jwt");
            }
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    build()?;
    // Two pages of the system; without a network it runs all the same.
    if let Err(error) = examples::build() {
        eprintln!("the React and Vue examples are left out: {error:#}");
    }
    // The process itself goes on as the local system, so that signals reach it and nothing else.
    Err(stack.exec()).context("the local system cannot be started")
}

/// Builds what this command runs. The lock files may follow a changed manifest here; tests and release
/// builds take them as they are.
fn build() -> anyhow::Result<()> {
    eprintln!("building the functions");
    process::run(Workspace::Functions.cargo_unlocked("build").arg("--bins"))?;
    eprintln!("building the local system");
    process::run(Workspace::Local.cargo_unlocked("build").args(LOCAL_SYSTEM).arg("--bins"))
}
