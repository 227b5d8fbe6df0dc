//! `cargo xtask openapi`: writes `docs/openapi.json` from the wire types.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::{
    process,
    repository::{Workspace, root},
};

const USAGE: &str = "cargo xtask openapi";

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected()).context(USAGE);
    }
    let mut generator = Workspace::Local.cargo("run");
    generator.args(["--quiet", "--package", "openapi", "--"]).arg(root().join("docs/openapi.json"));
    process::run(&mut generator)?;
    Ok(ExitCode::SUCCESS)
}
