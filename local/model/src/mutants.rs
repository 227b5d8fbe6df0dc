//! Guards taken away, one at a time: the model has to notice each.
//!
//! The sources of the crate `order` and of this crate are copied, every guard in the copy gets a switch beside
//! it, and the copy is built once. Then it runs once for each switch. What ships has no switch, and a guard
//! whose text is found no longer is a failure, so that the list stays true.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, bail};

use crate::guards::{MUTANTS, Mutant};

/// What the copy has beside the sources.
const SWITCH: &str = "
//! The one switch that is on.
static ON: std::sync::LazyLock<usize> =
    std::sync::LazyLock::new(|| std::env::var(\"MUTANT\").ok().and_then(|n| n.parse().ok()).unwrap_or(0));
/// Whether it is this one.
pub fn on(number: usize) -> bool { *ON == number }
";

/// Copies, switches, builds and runs. How many there are, and how many were not noticed.
pub fn run(root: &Path) -> anyhow::Result<(usize, usize)> {
    let copy = root.join("target/mutants");
    prepare(root, &copy)?;
    let program = build(&copy)?;
    let mut missed = 0;
    // The copy with every switch off has to be what it is a copy of.
    let (sound, told) = outcome(&program, 0, "late money")?;
    if !sound {
        bail!("the copy is broken by itself:\n{told}");
    }
    for (index, mutant) in MUTANTS.iter().enumerate() {
        let began = Instant::now();
        let (sound, told) = outcome(&program, index + 1, mutant.noticed_by)?;
        let rule = told.lines().find_map(|line| line.split("broken: ").nth(1)).filter(|_| !sound);
        missed += usize::from(rule.is_none());
        println!(
            "{:2} without {:70} {:5.1} s  {}",
            index + 1,
            mutant.without,
            began.elapsed().as_secs_f64(),
            rule.map_or("NOT NOTICED".to_owned(), |rule| format!("noticed: {rule}"))
        );
    }
    Ok((MUTANTS.len(), missed))
}

fn prepare(root: &Path, copy: &Path) -> anyhow::Result<()> {
    for (from, to) in [("shared/order/src", "order/src"), ("local/model/src", "model/src")] {
        let to = copy.join(to);
        if to.exists() {
            fs::remove_dir_all(&to)?;
        }
        copy_folder(&root.join(from), &to)?;
    }
    for (index, mutant) in MUTANTS.iter().enumerate() {
        switch(copy, mutant, index + 1).with_context(|| format!("without {}", mutant.without))?;
    }
    fs::write(copy.join("order/src/mutant.rs"), SWITCH)?;
    let library = copy.join("order/src/lib.rs");
    let text = fs::read_to_string(&library)?;
    fs::write(&library, format!("{text}\npub mod mutant;\n"))?;

    let manifest = fs::read_to_string(root.join("shared/order/Cargo.toml"))?;
    let own = manifest.split("[dev-dependencies]").next().unwrap_or_default();
    fs::write(copy.join("order/Cargo.toml"), own)?;
    fs::copy(root.join("local/model/Cargo.toml"), copy.join("model/Cargo.toml"))?;
    let workspace = fs::read_to_string(root.join("local/Cargo.toml"))?;
    let members = workspace.lines().find(|line| line.starts_with("members")).context("no members")?;
    let workspace = workspace.replace(members, "members = [\"model\", \"order\"]");
    let workspace = workspace.replace("\"../shared/order\"", "\"order\"");
    fs::write(copy.join("Cargo.toml"), workspace)?;
    fs::copy(root.join("local/Cargo.lock"), copy.join("Cargo.lock"))?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn switch(copy: &Path, mutant: &Mutant, number: usize) -> anyhow::Result<()> {
    let (file, of) = match mutant.file.strip_prefix("shared/") {
        Some(file) => (copy.join(file), "crate"),
        None => (copy.join(mutant.file.trim_start_matches("local/")), "order"),
    };
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    // A guard may be over several lines, as the formatter likes.
    if text.matches(mutant.guard).count() != 1 {
        bail!("{} does not have this once any more: {}", mutant.file, mutant.guard);
    }
    let on = format!("{of}::mutant::on({number})");
    fs::write(&file, text.replace(mutant.guard, &mutant.switched.replace("ON", &on)))?;
    Ok(())
}

fn build(copy: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(copy).args(["build", "--quiet", "--offline", "--package", "model", "--target-dir"]);
    command.arg(copy.join("target")).env("RUSTFLAGS", "-Awarnings");
    if !command.status()?.success() {
        bail!("the copy does not build");
    }
    Ok(copy.join("target/debug/model"))
}

/// Whether the copy with this switch on keeps all promises, and what it says.
fn outcome(program: &Path, number: usize, scenario: &str) -> anyhow::Result<(bool, String)> {
    let output =
        Command::new(program).arg("--exactly").arg(scenario).env("MUTANT", number.to_string()).output()?;
    let told = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&told).into_owned()))
}
