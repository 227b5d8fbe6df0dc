//! Instructions of a warm invocation, counted by callgrind: a count does not depend on how busy the machine is.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use end_to_end::functions;

use crate::{
    operation::Operation,
    system::{System, folder_of},
};

/// Invocations before counting begins: connections, caches and lazily built tables are there after them.
const WARM: usize = 5;
/// Invocations that are counted.
const COUNTED: usize = 20;

/// Thousands of instructions of one warm invocation, with the Runtime API's part.
pub async fn kilo_instructions(folder: &Path, operation: Operation) -> anyhow::Result<u64> {
    let name = operation.function();
    let release = |name: &str| folder.join(name).join("bootstrap").canonicalize();
    let (programs, path) = folder_of(&release(name)?)?;
    for other in functions::NAMES {
        fs::remove_file(path.join(other))?;
        std::os::unix::fs::symlink(release(other)?, path.join(other))?;
    }
    let counts = programs.path().join("counts");
    let script = format!(
        "#!/bin/sh\nexec valgrind --quiet --tool=callgrind --callgrind-out-file={} {}\n",
        counts.display(),
        release(name)?.display()
    );
    fs::remove_file(path.join(name))?;
    fs::write(path.join(name), script)?;
    fs::set_permissions(path.join(name), fs::Permissions::from_mode(0o755))?;

    let system = System::start(&path).await?;
    let mut prepared = Vec::new();
    for number in 0..WARM + COUNTED {
        prepared.push(operation.prepare(&system.shop, number).await?);
    }
    let (warm, counted) = prepared.split_at(WARM);
    for prepared in warm {
        operation.run(&system.shop, prepared).await?;
    }
    let pid = system.pid(name)?;
    let zero = Command::new("callgrind_control").args(["--zero", &pid.to_string()]).output();
    let zero = zero.context("callgrind_control")?;
    ensure!(zero.status.success(), "callgrind_control: {}", String::from_utf8_lossy(&zero.stderr));
    for prepared in counted {
        operation.run(&system.shop, prepared).await?;
    }
    // Callgrind writes its counts when the process ends, and not when it is killed the hard way.
    ensure!(Command::new("kill").args(["-TERM", &pid.to_string()]).status()?.success(), "kill {pid}");
    let total = tokio::time::timeout(Duration::from_secs(60), total(&counts)).await.context("callgrind")?;
    system.shop.stack.shutdown().await;
    Ok(total / (COUNTED as u64) / 1000)
}

/// The total in callgrind's file, once it is there.
async fn total(counts: &Path) -> u64 {
    loop {
        let text = fs::read_to_string(counts).unwrap_or_default();
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        if let Some(total) = total.and_then(|total| total.split_whitespace().next()?.parse().ok()) {
            return total;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
