//! Every dependency of every lock file: licences, sources, bans, and what is known against it.
//!
//! Licences, sources and bans are decided by files of this repository. Advisories come from databases on the
//! network; without one they are left out, and that is said where nobody can miss it.

use std::{path::Path, process::Command};

use super::Passed;
use crate::{process, repository::root, tools};

/// Manifests of the Rust workspaces, each with its lock file beside it.
const WORKSPACES: [&str; 3] = ["Cargo.toml", "local/Cargo.toml", "fuzz/Cargo.toml"];
/// Folders with an npm lock file.
const NODE: [&str; 2] = ["tests/browser", "tests/clients/node"];

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
    if let Err(error) = process::output(deny_of(deny, WORKSPACES[0]).args(["fetch", "db"])) {
        eprintln!("{error:#}");
        left_out("RUST", "github.com");
        return Ok(false);
    }
    for manifest in WORKSPACES {
        process::run(deny_of(deny, manifest).args(["--locked", "check", "--disable-fetch", "advisories"]))?;
    }
    // Built only where there is something for it to read.
    let audit = tools::cargo_audit()?;
    for manifest in WORKSPACES {
        let lock = Path::new(manifest).with_file_name("Cargo.lock");
        let mut command = Command::new(&audit);
        // What is ignored, with its reason, is in .cargo/audit.toml.
        process::run(command.current_dir(root()).args(["audit", "--deny", "yanked", "--file"]).arg(lock))?;
    }
    Ok(true)
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
        format!("Run `cargo xtask test dependencies` on a machine that reaches {host}."),
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
