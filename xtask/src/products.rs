//! `cargo xtask products load`: hands over to the program that validates and writes a catalogue. It is a
//! program of its own because it needs the AWS SDK, which this one does not.

use std::{ffi::OsString, os::unix::process::CommandExt as _, process::Command, process::ExitCode};

use anyhow::{Context as _, bail};

use crate::{
    process,
    repository::{LOCAL_SYSTEM, Workspace, root},
};

const USAGE: &str = "cargo xtask products load FILE [--table NAME] [--endpoint-url URL]";

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut words: Vec<OsString> = arguments.raw_args()?.collect();
    if words.first().is_none_or(|word| word != "load") {
        bail!("usage: {USAGE}");
    }
    words.remove(0);
    process::run(Workspace::Local.cargo_unlocked("build").args(LOCAL_SYSTEM).args(["--bins", "--quiet"]))?;
    let mut load = Command::new(root().join("target/local/debug/catalogue-load"));
    Err(load.args(words).exec()).context("catalogue-load cannot be started")
}
