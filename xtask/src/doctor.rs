//! `cargo xtask doctor`: hands over to the program that looks at a system. It is a program of its own because
//! it needs AWS's clients, which this one does not.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command, process::ExitCode};

use anyhow::Context as _;

use crate::{
    process,
    repository::{Workspace, root},
};

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let words: Vec<OsString> = arguments.raw_args()?.collect();
    Err(program()?.args(words).exec()).context("doctor cannot be started")
}

/// The program, built if need be.
pub fn program() -> anyhow::Result<Command> {
    let mut build = Workspace::Local.cargo_unlocked("build");
    process::run(build.args(["--package", "doctor", "--bins", "--quiet"]))?;
    Ok(Command::new(root().join("target/local/debug/doctor")))
}
