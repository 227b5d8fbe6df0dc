//! Where things are in this repository, and how its two workspaces are built.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use saphyr::{LoadableYamlNode as _, Yaml};

/// The repository's root.
pub fn root() -> PathBuf {
    // Cargo sets the variable for what it runs; the constant serves a binary that is started by itself.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest = PathBuf::from(manifest);
    manifest.parent().map_or(manifest.clone(), Path::to_owned)
}

/// One of the two workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workspace {
    /// The functions and what they share.
    Functions,
    /// What runs beside them on a developer's machine; its features must never reach a function.
    Local,
}

impl Workspace {
    /// `cargo <command>` in this workspace, from the root, with the lock file as it is.
    pub fn cargo(self, command: &str) -> Command {
        let mut cargo = self.cargo_unlocked(command);
        cargo.arg("--locked");
        cargo
    }

    /// As [`Workspace::cargo`], with a lock file that follows the manifests.
    pub fn cargo_unlocked(self, command: &str) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // What cargo told us about our own package is not for the packages that it builds now: build
        // scripts that watch these variables would run again at every change between `cargo xtask` and
        // cargo by hand.
        for (name, _) in env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
            {
                cargo.env_remove(name);
            }
        }
        cargo.current_dir(root()).arg(command).args(["--manifest-path", self.manifest()]);
        if self == Self::Local && command != "fmt" {
            cargo.args(["--target-dir", "target/local"]);
        }
        cargo
    }

    /// Its manifest, from the root.
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Functions => "Cargo.toml",
            Self::Local => "local/Cargo.toml",
        }
    }
}

/// Selects the local system: everything of its workspace but the stories about the functions, the doctor with
/// its many AWS clients, and this program. Always the same selection, since cargo unites features over it: another one would compile the
/// AWS SDK once more.
pub const LOCAL_SYSTEM: [&str; 9] = [
    "--workspace",
    "--exclude",
    "bench",
    "--exclude",
    "doctor",
    "--exclude",
    "end-to-end",
    "--exclude",
    "xtask",
];

/// The functions' names: the packages under `functions/`, each with a binary of its own name.
pub fn functions() -> anyhow::Result<Vec<String>> {
    let folder = root().join("functions");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("{} has no package", folder.display());
    }
    Ok(names)
}

/// A processor that Lambda runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Intel and AMD.
    X86_64,
    /// Graviton.
    Arm64,
}

impl Architecture {
    /// As AWS writes it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        match text {
            "x86_64" => Ok(Self::X86_64),
            "arm64" => Ok(Self::Arm64),
            other => bail!("an architecture is x86_64 or arm64, not {other}"),
        }
    }

    /// As AWS writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// Rust's target.
    pub fn target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// This machine's.
    pub fn host() -> anyhow::Result<Self> {
        match env::consts::ARCH {
            "x86_64" => Ok(Self::X86_64),
            "aarch64" => Ok(Self::Arm64),
            other => bail!("Lambda runs on no {other}; name another architecture with --arch"),
        }
    }

    /// The default of the template's parameter `Architecture`.
    pub fn of_template() -> anyhow::Result<Self> {
        let path = root().join("template.yaml");
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Self::of_template_text(&text)
    }

    fn of_template_text(text: &str) -> anyhow::Result<Self> {
        let documents = Yaml::load_from_str(text).context("template.yaml")?;
        let default = documents
            .first()
            .and_then(|document| document.as_mapping_get("Parameters"))
            .and_then(|parameters| parameters.as_mapping_get("Architecture"))
            .and_then(|parameter| parameter.as_mapping_get("Default"))
            .and_then(Yaml::as_str);
        Self::parse(default.context("template.yaml has no parameter Architecture with a default")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_architecture_is_the_default_of_the_templates_parameter() {
        let text =
            "Parameters:\n  Other: {Default: x86_64}\n  Architecture:\n    Default: arm64\nX: !Ref Y\n";
        assert_eq!(Architecture::of_template_text(text).unwrap(), Architecture::Arm64);
        assert!(Architecture::of_template_text("Parameters: {}").is_err());
        assert!(Architecture::of_template_text("Parameters: {Architecture: {Default: mips}}").is_err());
    }

    #[test]
    fn every_function_of_this_repository_is_found() {
        assert!(functions().unwrap().contains(&"create-order".to_owned()));
    }
}
