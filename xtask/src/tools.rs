//! What a step needs and a machine may lack, fetched from the registries and the distribution: Python tools
//! into an environment under `target/tools`, cargo's tools beside them, packages by apt. Cargo's versions are
//! pinned here, Python's in `xtask/requirements` and beside the tests that need them: whole, with hashes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{process, repository::root};

/// For the template's checks.
const PYTHON_TOOLS: &str = include_str!("../requirements/python.txt");
/// In an environment of its own: it wants other versions of what the tools above want.
const CHECKOV: &str = include_str!("../requirements/checkov.txt");
/// For a build for Lambda's processor on another one.
const CARGO_LAMBDA: &str = include_str!("../requirements/cargo-lambda.txt");
/// For the dependencies' checks.
const CARGO_DENY: &str = "0.20.2";
/// A second reader of the same advisories, which knows what is binary, unsound or yanked by its own rules.
const CARGO_AUDIT: &str = "0.22.2";

/// Everything fetched lives here.
pub fn folder() -> PathBuf {
    root().join("target/tools")
}

/// The folder of `sam` and `cfn-lint`.
pub fn python_tools() -> anyhow::Result<PathBuf> {
    python_environment("python", PYTHON_TOOLS)
}

/// The folder of `checkov`.
pub fn checkov() -> anyhow::Result<PathBuf> {
    python_environment("checkov", CHECKOV)
}

/// The folder of `cargo-lambda` and zig.
pub fn cargo_lambda() -> anyhow::Result<PathBuf> {
    python_environment("cargo-lambda", CARGO_LAMBDA)
}

/// A Python environment called `name` with exactly what `requirements` lists, made or renewed if need be:
/// every package of it by version and hash, or pip refuses. Answers its folder of programs.
pub fn python_environment(name: &str, requirements: &str) -> anyhow::Result<PathBuf> {
    let folder = folder().join(name);
    let bin = folder.join("bin");
    let installed = folder.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return Ok(bin);
    }
    make_environment(&folder)?;
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements)?;
    let mut pip = Command::new(bin.join("python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
    ]);
    // The list is whole: pip has nothing to choose.
    pip.arg("--requirement").arg(&list);
    process::run(&mut pip)?;
    process::run(Command::new(bin.join("python")).args([
        "-m",
        "pip",
        "--disable-pip-version-check",
        "check",
    ]))?;
    // Written last: an installation that broke off is done again.
    fs::write(&installed, requirements)?;
    Ok(bin)
}

fn make_environment(folder: &Path) -> anyhow::Result<()> {
    require("python3", "Python 3")?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let venv = || {
        let mut python = Command::new("python3");
        python.args(["-m", "venv"]).arg(folder);
        python
    };
    if process::succeeds(&mut venv()) {
        return Ok(());
    }
    // Debian ships the module apart from Python.
    apt(&["python3-venv"])?;
    process::run(&mut venv())
}

/// The program `cargo-deny`.
pub fn cargo_deny() -> anyhow::Result<PathBuf> {
    cargo_tool("cargo-deny", CARGO_DENY)
}

/// The program `cargo-audit`.
pub fn cargo_audit() -> anyhow::Result<PathBuf> {
    cargo_tool("cargo-audit", CARGO_AUDIT)
}

/// A program of cargo's, built from its registry if it is not there.
fn cargo_tool(name: &str, wanted: &str) -> anyhow::Result<PathBuf> {
    let program = folder().join("bin").join(name);
    let version = process::output(Command::new(&program).arg("--version")).unwrap_or_default();
    if version.split_whitespace().last() != Some(wanted) {
        let mut cargo = Command::new("cargo");
        // Unoptimised: it runs for a second, and is built for minutes otherwise.
        cargo.args(["install", "--locked", "--debug", "--force", name, "--version", wanted]);
        cargo.arg("--root").arg(folder()).arg("--target-dir").arg(folder().join("build"));
        process::run(&mut cargo)?;
    }
    Ok(program)
}

/// A compiler of C++: the fuzzer's engine is built from source.
pub fn cpp_compiler() -> anyhow::Result<()> {
    if process::is_installed("c++") { Ok(()) } else { apt(&["g++"]) }
}

/// Chromium and a font with Hangul.
pub fn browser() -> anyhow::Result<()> {
    packages(["chromium", "fonts-noto-cjk"])
}

/// What shows a process another time than the machine's.
pub fn other_clocks() -> anyhow::Result<()> {
    packages(["libfaketime"])
}

/// What counts instructions.
pub fn callgrind() -> anyhow::Result<()> {
    packages(["valgrind"])
}

/// Installs those packages of Debian or Ubuntu that are not there.
fn packages<const N: usize>(wanted: [&'static str; N]) -> anyhow::Result<()> {
    let missing: Vec<_> = wanted
        .into_iter()
        .filter(|package| !process::succeeds(Command::new("dpkg").args(["--status", package])))
        .collect();
    if missing.is_empty() { Ok(()) } else { apt(&missing) }
}

/// Node's packages of a folder, as its lock file says.
pub fn node_packages(folder: &Path) -> anyhow::Result<()> {
    require("node", "Node")?;
    require("npm", "npm")?;
    let lock = fs::read_to_string(folder.join("package-lock.json"))
        .with_context(|| format!("{} has no package-lock.json", folder.display()))?;
    let installed = folder.join("node_modules/.installed-lock.json");
    if fs::read_to_string(&installed).is_ok_and(|text| text == lock) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]);
    // Without a network it says so in seconds.
    process::run(npm.args(["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]))?;
    fs::write(&installed, lock)?;
    Ok(())
}

fn require(program: &str, name: &str) -> anyhow::Result<()> {
    if process::is_installed(program) {
        return Ok(());
    }
    bail!("{name} is not installed ({program} is not on the path); see README.md for what a machine needs")
}

/// Installs packages of Debian or Ubuntu, with sudo unless this is root.
fn apt(packages: &[&str]) -> anyhow::Result<()> {
    if !process::is_installed("apt-get") {
        bail!("{} missing, and there is no apt-get to install it with", packages.join(", "));
    }
    let is_root = process::output(Command::new("id").arg("-u"))?.trim() == "0";
    let apt_get = || {
        let mut command = Command::new(if is_root { "apt-get" } else { "sudo" });
        if !is_root {
            command.arg("apt-get");
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    process::run(apt_get().args(["update", "--quiet"]))?;
    process::run(apt_get().args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every list that pip is given, without its ending.
    const LISTS: [&str; 6] = [
        "tests/another-dynamodb/requirements",
        "tests/api/requirements",
        "tests/clients/python/requirements",
        "xtask/requirements/cargo-lambda",
        "xtask/requirements/checkov",
        "xtask/requirements/python",
    ];

    /// `name==version` of a line that begins a package, without extras and markers.
    fn pin(line: &str) -> Option<String> {
        let (name, version) = line.split_once("==")?;
        let name = name.split('[').next().unwrap_or(name);
        Some(format!("{name}=={}", version.split([' ', ';', '\\']).next()?))
    }

    #[test]
    fn every_python_package_is_pinned_with_its_hashes_and_no_list_names_a_registry() {
        for list in LISTS {
            let text = fs::read_to_string(root().join(format!("{list}.txt"))).unwrap();
            let wanted = fs::read_to_string(root().join(format!("{list}.in"))).unwrap();
            let packages: Vec<_> =
                text.lines().filter(|line| line.starts_with(|first: char| first.is_alphanumeric())).collect();
            let pins: Vec<_> = packages.iter().map(|line| pin(line).expect(line)).collect();
            for wanted in wanted.lines() {
                assert!(
                    pins.contains(&pin(wanted).expect(wanted)),
                    "{list}: {wanted} is not in the whole list"
                );
            }
            // A package's lines end where the next one begins; a hash is the first of what follows its name.
            for (index, line) in text.lines().enumerate().filter(|(_, line)| packages.contains(line)) {
                let next = text.lines().nth(index + 1).unwrap_or_default();
                assert!(next.trim_start().starts_with("--hash=sha256:"), "{list}: {line} has no hash");
            }
            assert!(!text.contains("://"), "{list} names where packages come from");
            assert!(text.contains("uv pip compile --universal --generate-hashes"), "{list}");
        }
    }
}
