//! The fuzz targets: every input of the kept corpus, then new ones for a few seconds each.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};

use crate::{process, repository::root, tools};

/// Seconds for each target; ten targets make less than a minute. `FUZZ_SECONDS` says otherwise.
const SECONDS: u32 = 5;

/// Builds the program and runs each target that has a corpus.
pub fn run() -> anyhow::Result<()> {
    tools::cpp_compiler()?;
    let folder = root().join("fuzz");
    process::run(cargo(&folder).args(["fmt", "--check"]))?;
    process::run(cargo(&folder).args(["build", "--locked"]))?;
    let program = program()?;
    let seconds = match env::var("FUZZ_SECONDS") {
        Ok(text) => text.parse().context("FUZZ_SECONDS is a number")?,
        Err(_) => SECONDS,
    };
    let mut runs = 0;
    for corpus in corpora(&folder)? {
        runs += target(&program, &folder, &corpus, seconds)?;
    }
    eprintln!("    {runs} executions");
    Ok(())
}

/// In `fuzz`, whose own configuration has the flags.
fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        {
            cargo.env_remove(name);
        }
    }
    cargo.current_dir(folder);
    cargo
}

/// Where cargo put it: below a folder named after this machine's target.
fn program() -> anyhow::Result<PathBuf> {
    let rustc = process::output(Command::new("rustc").args(["--version", "--verbose"]))?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(root().join("target/fuzz").join(host).join("debug/fuzz"))
}

/// The folders of the corpus, one for each target.
fn corpora(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.join("corpus")).context("fuzz/corpus")?;
    let mut corpora = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    corpora.sort();
    if corpora.is_empty() {
        bail!("fuzz/corpus has no target");
    }
    Ok(corpora)
}

/// Runs one target and answers how often.
fn target(program: &Path, folder: &Path, corpus: &Path, seconds: u32) -> anyhow::Result<u64> {
    let name = corpus.file_name().and_then(|name| name.to_str()).context("a target's name is text")?;
    let files = fs::read_dir(corpus)?.count();
    // What is found goes to the first folder; the kept corpus is only read.
    let found = root().join("target/fuzz/corpus").join(name);
    fs::create_dir_all(&found)?;
    let mut fuzz = Command::new(program);
    fuzz.env("FUZZ_TARGET", name)
        .arg(&found)
        .arg(corpus)
        .arg(format!("-dict={}", folder.join("words.dict").display()))
        .arg(format!("-artifact_prefix={}/crash-{name}-", root().join("target/fuzz").display()))
        .arg(format!("-max_total_time={seconds}"))
        .args(["-max_len=4096", "-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    let output = fuzz.output().with_context(|| format!("{} cannot be started", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last: Vec<_> = said.lines().rev().take(40).collect();
        eprintln!("{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        bail!("{name} found an input that breaks a rule: fuzz/README.md says what to do with it");
    }
    let stat = |what: &str| said.lines().find_map(|line| line.strip_prefix(what)?.trim().parse::<u64>().ok());
    let runs = stat("stat::number_of_executed_units:").context("it says how often it ran")?;
    let covered = said.lines().rev().find_map(|line| line.split(" cov: ").nth(1)?.split(' ').next());
    let covered =
        covered.with_context(|| format!("{name} counts no coverage: is it built with the flags?"))?;
    eprintln!("    {name:18} {runs:>9} executions  {covered:>6} edges  corpus of {files}");
    Ok(runs)
}
