//! The template's gates, which a deployment runs as well.

use std::process::Command;

use crate::{process, repository::root, tools};

/// `sam validate --lint` and `cfn-lint`. Neither needs credentials nor the network.
pub fn check() -> anyhow::Result<()> {
    let bin = tools::python_tools()?;
    let mut sam = Command::new(bin.join("sam"));
    sam.args(["validate", "--lint", "--template", "template.yaml"])
        // It wants a region to choose the rules by.
        .env("AWS_DEFAULT_REGION", "ap-northeast-2")
        .env("SAM_CLI_TELEMETRY", "0");
    process::run(sam.current_dir(root()))?;
    let mut cfn_lint = Command::new(bin.join("cfn-lint"));
    process::run(cfn_lint.current_dir(root()).arg("template.yaml"))
}
