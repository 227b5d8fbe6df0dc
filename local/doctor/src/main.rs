//! `cargo xtask doctor` ends in this program.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use doctor::{Place, Verdict};

const USAGE: &str = "cargo xtask doctor [--stack NAME [--region R] [--profile P] | --url URL] [--json]";
/// Where `cargo xtask dev` is unless told otherwise.
const LOCAL: &str = "http://127.0.0.1:3000";

fn main() -> ExitCode {
    let outcome = options().and_then(|(place, as_json)| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let report = runtime.block_on(doctor::examine(&place))?;
        if as_json {
            println!("{:#}", report.json())
        } else {
            println!("{report}")
        }
        Ok(report.count(Verdict::Fail) == 0)
    });
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> anyhow::Result<(Place, bool)> {
    use lexopt::prelude::{Long, ValueExt as _};

    let (mut stack, mut region, mut profile, mut url, mut json) = (None, None, None, None, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("stack") => stack = Some(arguments.value()?.string()?),
            Long("region") => region = Some(arguments.value()?.string()?),
            Long("profile") => profile = Some(arguments.value()?.string()?),
            Long("url") => url = Some(arguments.value()?.string()?),
            Long("json") => json = true,
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let place = match (stack, url) {
        (Some(stack), None) => Place::Cloud { stack, region, profile },
        (None, url) if region.is_none() && profile.is_none() => {
            Place::Here { url: url.unwrap_or_else(|| LOCAL.to_owned()) }
        }
        _ => bail!("a stack or an address, not both; --region and --profile go with a stack\nusage: {USAGE}"),
    };
    Ok((place, json))
}
