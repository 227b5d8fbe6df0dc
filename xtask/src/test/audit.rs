//! Every dependency of every lock file: licences, sources, bans, and what is known against it.
//!
//! Licences, sources and bans are decided by files of this repository. Advisories come from databases on the
//! network; without one they are left out, and that is said where nobody can miss it. `ADVISORY_DB` names a copy of
//! Rust's on this machine: a clone, which may be as old as it is.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;

use super::Passed;
use crate::{process, repository::root, tools};

/// Manifests of the Rust workspaces, each with its lock file beside it.
const WORKSPACES: [&str; 3] = ["Cargo.toml", "local/Cargo.toml", "fuzz/Cargo.toml"];
/// Folders with an npm lock file.
const NODE: [&str; 2] = ["tests/browser", "tests/clients/node"];

/// The folder of a clone of Rust's database.
const COPY: &str = "ADVISORY_DB";
/// Where it is cloned from otherwise; the address that cargo-deny knows by itself.
const DATABASE: &str = "https://github.com/RustSec/advisory-db";

/// Everything that can be checked here.
pub fn run() -> anyhow::Result<Passed> {
    let deny = tools::cargo_deny()?;
    for manifest in WORKSPACES {
        process::run(deny_of(&deny, manifest).args(["--locked", "check", "bans", "licenses", "sources"]))?;
    }
    let rust = rust_advisories(&deny)?;
    let node = node_advisories()?;
    Ok(match (rust, node) {
        (true, true) => Passed::Whole,
        (true, false) => Passed::Without("NPM'S ADVISORIES: its registry does not answer for them here"),
        (false, true) => Passed::Without("RUST'S ADVISORIES: their database cannot be fetched here"),
        (false, false) => Passed::Without("ADVISORIES, neither Rust's nor npm's: no database can be reached"),
    })
}

fn deny_of(deny: &Path, manifest: &str) -> Command {
    let mut command = Command::new(deny);
    command.current_dir(root()).args(["--config", "deny.toml", "--manifest-path", manifest]);
    command
}

/// By cargo-deny, which looks at what is compiled, and by cargo-audit, which looks at the lock file; whether
/// they could.
fn rust_advisories(deny: &Path) -> anyhow::Result<bool> {
    let copy = env::var_os(COPY).map(PathBuf::from);
    if let Some(copy) = &copy {
        ensure!(copy.join("crates").is_dir(), "{COPY}: {} is no clone of {DATABASE}", copy.display());
    }
    let mut fetch = deny_of(deny, WORKSPACES[0]);
    fetch.args(["fetch", "db"]).envs(copy.iter().flat_map(|copy| in_its_place(copy)));
    if let Err(error) = process::output(&mut fetch) {
        if copy.is_some() {
            return Err(error);
        }
        eprintln!("{error:#}");
        left_out("RUST", "github.com");
        return Ok(false);
    }
    for manifest in WORKSPACES {
        // It reads what every crate says of itself, and is told to ask nobody for anything.
        process::run(Command::new("cargo").current_dir(root()).args([
            "fetch",
            "--locked",
            "--manifest-path",
            manifest,
        ]))?;
        process::run(deny_of(deny, manifest).args(["--locked", "--offline", "check", "advisories"]))?;
    }
    // Built only where there is something for it to read.
    let audit = tools::cargo_audit()?;
    for manifest in WORKSPACES {
        let lock = Path::new(manifest).with_file_name("Cargo.lock");
        let mut command = Command::new(&audit);
        command.current_dir(root()).args(["audit", "--deny", "yanked"]);
        if let Some(copy) = &copy {
            command.args(["--no-fetch", "--stale", "--db"]).arg(copy);
        }
        // What is ignored, with its reason, is in .cargo/audit.toml.
        process::run(command.arg("--file").arg(lock))?;
    }
    Ok(true)
}

/// Has git, and so cargo-deny, read `copy` where it would read the database's own address.
fn in_its_place(copy: &Path) -> [(&'static str, String); 3] {
    [
        ("GIT_CONFIG_COUNT", "1".to_owned()),
        ("GIT_CONFIG_KEY_0", format!("url.file://{}.insteadOf", copy.display())),
        ("GIT_CONFIG_VALUE_0", DATABASE.to_owned()),
    ]
}

/// By `npm audit`, from the lock files; whether the registry answers for advisories.
fn node_advisories() -> anyhow::Result<bool> {
    for folder in NODE {
        let mut npm = Command::new("npm");
        npm.current_dir(root().join(folder)).args(["audit", "--package-lock-only", "--json"]);
        let answer = npm.output()?;
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        match vulnerabilities(&answer) {
            Some(0) => eprintln!("    {folder}: npm knows of no vulnerability"),
            Some(number) => {
                anyhow::bail!("{folder}: {number} vulnerabilities, see `npm audit` there\n{answer}")
            }
            None => {
                eprintln!("{answer}");
                left_out("NPM", "npm's registry");
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How many vulnerabilities an answer of `npm audit --json` counts; nothing if it is no such answer.
fn vulnerabilities(answer: &str) -> Option<u64> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    answer["metadata"]["vulnerabilities"]["total"].as_u64()
}

fn left_out(whose: &str, host: &str) {
    let lines = [
        format!("{whose} ADVISORIES WERE NOT CHECKED: their database cannot be reached here."),
        format!("Run `cargo xtask test dependencies` where {host} is reached."),
    ];
    let stars = "*".repeat(88);
    eprintln!("\n    {stars}\n    ** {:<82} **\n    ** {:<82} **\n    {stars}\n", lines[0], lines[1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_npm_is_counted_and_anything_else_is_no_answer() {
        let answer = |total: u32| format!(r#"{{"metadata":{{"vulnerabilities":{{"total":{total}}}}}}}"#);
        assert_eq!(vulnerabilities(&answer(0)), Some(0));
        assert_eq!(vulnerabilities(&answer(3)), Some(3));
        assert_eq!(vulnerabilities(r#"{"error":{"code":"ENOAUDIT"}}"#), None);
        assert_eq!(vulnerabilities(""), None);
    }
}
