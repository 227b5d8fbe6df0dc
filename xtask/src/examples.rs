//! The examples of `checkout/` that need a bundler, built to where the local system serves them.

use std::process::Command;

use crate::{process, repository::root, tools};

/// Builds them with the tools of the browser tests.
pub fn build() -> anyhow::Result<()> {
    let folder = root().join("tests/browser");
    tools::node_packages(&folder)?;
    process::run(Command::new("npm").current_dir(folder).args(["run", "--silent", "examples"]))
}
