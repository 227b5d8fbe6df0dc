//! `cargo xtask bench`.

use std::process::ExitCode;

use anyhow::bail;

pub fn run() -> anyhow::Result<ExitCode> {
    bail!("there is no benchmark in this release")
}
