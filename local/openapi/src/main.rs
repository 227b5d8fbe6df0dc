//! Writes the description to the file it is given.

use std::{env, fs, process::ExitCode};

use anyhow::{Context as _, bail};

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> anyhow::Result<()> {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else { bail!("usage: openapi FILE") };
    let text = serde_json::to_string_pretty(&openapi::document())? + "\n";
    fs::write(&path, text).with_context(|| path.display().to_string())
}
