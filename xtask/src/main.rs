//! The commands of this repository: `cargo xtask <command>`.
//!
//! Small on purpose: it starts tools and checks what they leave, and depends on nothing of the system
//! itself, so that it builds in seconds.

mod bench;
mod build;
mod deploy;
mod dev;
mod doctor;
mod elf;
mod examples;
mod openapi;
mod process;
mod products;
mod repository;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

const USAGE: &str = "\
cargo xtask <command>

  dev [--port N] [--data DIR] [--fresh] [--jwt]  the whole system on this machine
  test [NAME…] [--dynamodb URL] [--list]      every test and every gate, or the steps named; with the
                                              stories' tables in another DynamoDB
  build [--arch x86_64|arm64]                 release artifacts in target/lambda/
  bench [--exact] [--write] [--invocations N] the performance table, written to docs/PERFORMANCE.md; or the
        [--only OPERATION]                    times of one operation
  openapi                                     docs/openapi.json, from the wire types
  products load FILE [--table NAME] [--endpoint-url URL]
                                              validates a catalogue and writes it to the table
  deploy [FUNCTION] [--stack NAME] [--region R] [--profile P] [--arch x86_64|arm64]
         [--set NAME=VALUE]… [--guided] [--yes]
                                              builds, checks and deploys the stack, or one function
  doctor [--stack NAME [--region R] [--profile P] | --url URL] [--json]
                                              what is wrong with a deployed or a local system";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    use lexopt::prelude::Value;

    if std::env::args().any(|argument| matches!(argument.as_str(), "--help" | "-h")) {
        println!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut arguments = lexopt::Parser::from_env();
    let Some(Value(command)) = arguments.next()? else { bail!("which command?\n\n{USAGE}") };
    match command.to_string_lossy().as_ref() {
        "dev" => dev::run(arguments),
        "test" => test::run(arguments),
        "build" => build::run(arguments),
        "bench" => bench::run(arguments),
        "openapi" => openapi::run(arguments),
        "products" => products::run(arguments),
        "deploy" => deploy::run(arguments),
        "doctor" => doctor::run(arguments),
        "help" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(anyhow::anyhow!("there is no command {other}")).context(USAGE),
    }
}
