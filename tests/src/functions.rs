//! The functions' executables: where they are, and running one by itself.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncReadExt as _, process::Command};

/// The functions, by name.
pub const NAMES: [&str; 11] = [
    "create-order",
    "verify-payment",
    "webhook",
    "get-order",
    "list-products",
    "confirm-payment",
    "cancel-order",
    "back-office",
    "reconcile",
    "order-events",
    "daily-export",
];

/// The folder of the executables: `FUNCTIONS_DIR`, or where cargo puts a debug build. Panics if one of
/// them is not there.
pub fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug");
    let folder = env::var_os("FUNCTIONS_DIR").map_or_else(default, PathBuf::from);
    for name in NAMES {
        let found = folder.join(name).is_file() || folder.join(name).join("bootstrap").is_file();
        assert!(found, "no {name} in {}: run `cargo build` first, or set FUNCTIONS_DIR", folder.display());
    }
    folder
}

/// How a process ended and what it said, standard output and standard error together.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` if it did not end by itself in time.
    pub code: Option<i32>,
    /// Its lines.
    pub lines: Vec<String>,
}

/// Runs a function with exactly these variables until it ends, for `limit` at the longest.
pub async fn run(name: &str, variables: &BTreeMap<String, String>, limit: Duration) -> Ended {
    let folder = folder();
    let bootstrap = folder.join(name).join("bootstrap");
    let path = if bootstrap.is_file() { bootstrap } else { folder.join(name) };
    let mut child = Command::new(path)
        .env_clear()
        .envs(variables)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the function can be started");
    let (mut out, mut err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let code = match tokio::time::timeout(limit, child.wait()).await {
        Ok(status) => status.expect("a child can be waited for").code(),
        Err(_) => {
            child.kill().await.expect("an own child can be killed");
            None
        }
    };
    let mut text = String::new();
    out.read_to_string(&mut text).await.expect("its output is UTF-8");
    err.read_to_string(&mut text).await.expect("its output is UTF-8");
    Ended { code, lines: text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect() }
}
