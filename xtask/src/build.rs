//! `cargo xtask build`: release artifacts, `target/lambda/<function>/bootstrap` and
//! `target/lambda/<function>.zip`.
//!
//! Each function is built by itself: built together, cargo would unite the features of all of them, and
//! every binary would carry what one of them needs. The zips are the same bytes for the same binary.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread,
};

use anyhow::{Context as _, anyhow, bail};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{
    elf, process,
    repository::{Architecture, Workspace, functions, root},
};

const USAGE: &str = "cargo xtask build [--arch x86_64|arm64]";
/// Unzipped; a larger one starts slower, and has most likely grown a second TLS stack.
const SIZE_MAX: u64 = 7_000_000;

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    use lexopt::prelude::{Long, ValueExt as _};

    let mut architecture = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("arch") => architecture = Some(Architecture::parse(&arguments.value()?.string()?)?),
            other => return Err(other.unexpected()).context(USAGE),
        }
    }
    let architecture = architecture.map_or_else(Architecture::of_template, Ok)?;
    build(architecture, &functions()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Builds, checks and packs the named functions. An error if one is too large, or would not start on
/// Lambda's system.
pub fn build(architecture: Architecture, functions: &[String]) -> anyhow::Result<()> {
    let builder = Builder::find(architecture)?;
    let mut faults = Vec::new();
    // Linking and packing use one core each, so a function is packed while the next one is built.
    thread::scope(|scope| {
        let mut packing = Vec::new();
        for function in functions {
            process::run(&mut builder.command(function))?;
            let binary = builder.binary(function);
            let bytes = fs::read(&binary).with_context(|| binary.display().to_string())?;
            faults.extend(fault(function, &bytes));
            packing.push(scope.spawn(move || pack(function, &bytes)));
        }
        packing.into_iter().try_for_each(|packed| packed.join().map_err(|_| anyhow!("packing panicked"))?)
    })?;
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

fn fault(function: &str, bytes: &[u8]) -> Option<String> {
    let size = bytes.len() as u64;
    if size > SIZE_MAX {
        return Some(format!(
            "{function}: {size} bytes are more than {SIZE_MAX}; look with `cargo tree -e features -p {function}`"
        ));
    }
    let glibc = elf::newest_glibc_minor(bytes)?;
    (glibc > elf::LAMBDA_GLIBC_MINOR).then(|| {
        format!(
            "{function}: needs glibc 2.{glibc}, Lambda has 2.{}; build on an older system, or with cargo-lambda \
             (`pip install cargo-lambda`), which links against an older one",
            elf::LAMBDA_GLIBC_MINOR
        )
    })
}

/// How an architecture is built on this machine.
struct Builder {
    architecture: Architecture,
    kind: Kind,
}

#[derive(PartialEq)]
enum Kind {
    /// This machine's own architecture, by cargo.
    Native,
    /// Another one, by cargo with a cross linker.
    Cross,
    /// Another one, by cargo-lambda, which brings a linker.
    CargoLambda,
}

impl Builder {
    /// Looks at what is installed. Nothing is added here: `cargo lambda build --arm64` would add a Rust
    /// target by itself, so the target is looked for first.
    fn find(architecture: Architecture) -> anyhow::Result<Self> {
        if Architecture::host()? == architecture {
            return Ok(Self { architecture, kind: Kind::Native });
        }
        let target = architecture.target();
        let installed = process::output(Command::new("rustup").args(["target", "list", "--installed"]))
            .with_context(|| format!("whether the target {target} is installed"))?;
        if !installed.lines().any(|line| line == target) {
            bail!(missing_target(architecture, Architecture::host()?));
        }
        if process::succeeds(Command::new("cargo").args(["lambda", "--version"])) {
            return Ok(Self { architecture, kind: Kind::CargoLambda });
        }
        if process::is_installed(linker(architecture)) {
            return Ok(Self { architecture, kind: Kind::Cross });
        }
        bail!(
            "no linker for {}: install cargo-lambda (`pip install cargo-lambda`), or {} (Debian and Ubuntu: \
             `apt-get install gcc-{}`)",
            architecture.name(),
            linker(architecture),
            linker(architecture).trim_end_matches("-gcc"),
        )
    }

    fn command(&self, function: &str) -> Command {
        if self.kind == Kind::CargoLambda {
            let mut cargo = Command::new("cargo");
            let target = self.architecture.target();
            cargo.current_dir(root()).args(["lambda", "build", "--release", "--locked", "--target", target]);
            cargo.args(["--package", function]);
            return cargo;
        }
        let mut cargo = Workspace::Functions.cargo("build");
        cargo.args(["--release", "--package", function]);
        if self.kind == Kind::Cross {
            let target = self.architecture.target();
            let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
            cargo.args(["--target", target]).env(variable, linker(self.architecture));
        }
        cargo
    }

    fn binary(&self, function: &str) -> PathBuf {
        let target = root().join("target");
        match self.kind {
            Kind::Native => target.join("release").join(function),
            Kind::Cross => target.join(self.architecture.target()).join("release").join(function),
            Kind::CargoLambda => target.join("lambda").join(function).join("bootstrap"),
        }
    }
}

fn linker(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64-linux-gnu-gcc",
        Architecture::Arm64 => "aarch64-linux-gnu-gcc",
    }
}

fn missing_target(wanted: Architecture, host: Architecture) -> String {
    format!(
        "the functions are to be built for {wanted}, and Rust's target {target} is not installed here. Either\n  \
         add it:                 rustup target add {target}\n  \
         and a linker for it:    pip install cargo-lambda   (or: apt-get install {package})\n\
         or build for this machine's processor and deploy for it:\n  \
         cargo xtask build --arch {host}    and the parameter Architecture={host} in `cargo xtask deploy --arch {host}`",
        wanted = wanted.name(),
        target = wanted.target(),
        package = format_args!("gcc-{}", linker(wanted).trim_end_matches("-gcc")),
        host = host.name(),
    )
}

/// Writes both artifacts and prints their sizes.
fn pack(function: &str, bytes: &[u8]) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = root().join("target/lambda");
    let bootstrap = folder.join(function).join("bootstrap");
    fs::create_dir_all(folder.join(function))?;
    // A running copy of the old one must not be written into.
    let beside = bootstrap.with_extension("new");
    fs::write(&beside, bytes)?;
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o755))?;
    fs::rename(&beside, &bootstrap)?;
    let archive = folder.join(format!("{function}.zip"));
    write_zip(&archive, bytes)?;
    let zipped = fs::metadata(&archive)?.len();
    println!(
        "target/lambda/{function}/bootstrap  {:>9} bytes   target/lambda/{function}.zip  {zipped:>9} bytes",
        bytes.len()
    );
    Ok(())
}

fn write_zip(path: &Path, bootstrap: &[u8]) -> anyhow::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        // Zopfli, once through: 2.5 % less to load at each cold start than deflate at its best.
        .compression_level(Some(10))
        // A fixed time: the same binary gives the same zip, and an unchanged function is not deployed again.
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(File::create(path)?);
    archive.start_file("bootstrap", options)?;
    archive.write_all(bootstrap)?;
    archive.finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_binary_gives_the_same_zip() {
        let folder = tempfile::tempdir().unwrap();
        let zip = |name: &str| {
            let path = folder.path().join(name);
            write_zip(&path, b"\x7fELF and so on").unwrap();
            fs::read(path).unwrap()
        };
        assert_eq!(zip("a.zip"), zip("b.zip"));
    }

    #[test]
    fn a_binary_that_is_too_large_or_too_new_for_lambda_is_refused() {
        assert!(fault("f", &vec![0; 7_000_001]).is_some_and(|fault| fault.contains("7000001 bytes")));
        assert!(fault("f", b"GLIBC_2.38").is_some_and(|fault| fault.contains("glibc 2.38")));
        assert!(fault("f", b"GLIBC_2.34").is_none());
    }

    #[test]
    fn a_missing_target_is_told_with_both_ways_out_and_never_added() {
        let message = missing_target(Architecture::Arm64, Architecture::X86_64);
        assert!(message.contains("rustup target add aarch64-unknown-linux-gnu"));
        assert!(message.contains("cargo xtask build --arch x86_64"));
    }
}
