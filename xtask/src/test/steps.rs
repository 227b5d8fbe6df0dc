//! The steps of the suite, as one table, and what each of them runs.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use super::{Passed, Step, audit, fuzz, template};
use crate::{
    bench, build, process,
    repository::{Architecture, LOCAL_SYSTEM, Workspace, functions, root},
    tools,
};

pub(super) const STEPS: &[Step] = &[
    Step { name: "format", proves: "rustfmt has nothing to change", needs: &[], run: format },
    Step { name: "clippy", proves: "no warning in any target of either workspace", needs: &[], run: clippy },
    Step {
        name: "docs",
        proves: "the documentation builds and no link in it is broken",
        needs: &[],
        run: docs,
    },
    Step {
        name: "unit",
        proves: "the domain, the backend and the functions by themselves",
        needs: &[],
        run: unit,
    },
    Step {
        name: "functions",
        proves: "every function builds as it is run locally",
        needs: &[],
        run: build_functions,
    },
    Step {
        name: "model",
        proves: "the decisions in every order of a few processes' steps; without any guard that is noticed",
        needs: &[],
        run: model,
    },
    Step { name: "local", proves: "gateway, wires, stack, simulator and xtask", needs: &[], run: local },
    Step { name: "system", proves: "the programs of the local system build", needs: &[], run: build_system },
    Step {
        name: "end-to-end",
        proves: "stories through real function processes",
        needs: &["functions"],
        run: end_to_end,
    },
    Step {
        name: "doctor",
        proves: "faults of a local and of a deployed system are seen, with their cure",
        needs: &["functions"],
        run: doctor,
    },
    Step {
        name: "assurance",
        proves: "crashes, faults, races, load and seeded histories end right",
        needs: &["functions"],
        run: assurance,
    },
    Step {
        name: "another-table",
        proves: "stories about stock, keys, crashes and events hold with another DynamoDB",
        needs: &["functions"],
        run: another_table,
    },
    Step {
        name: "clients",
        proves: "PortOne's own server SDKs accept the simulator",
        needs: &["system"],
        run: clients,
    },
    Step {
        name: "browser",
        proves: "checkout.js, its size, types and examples, and the demo shop in Chromium, against the whole system",
        needs: &["functions", "system"],
        run: browser,
    },
    Step {
        name: "api",
        proves: "Schemathesis finds no 5xx and no answer that docs/openapi.json does not describe",
        needs: &["functions", "system"],
        run: api,
    },
    Step {
        name: "roles",
        proves: "every function, the pipe and the schedules may do what they did in the stories, and nothing else",
        needs: &["system", "end-to-end"],
        run: roles,
    },
    Step {
        name: "fuzz",
        proves: "no bytes from outside break a rule: the kept corpus, then new ones",
        needs: &[],
        run: fuzz,
    },
    Step {
        name: "template",
        proves: "sam validate --lint, cfn-lint and checkov",
        needs: &[],
        run: check_template,
    },
    Step {
        name: "dependencies",
        proves: "licences, sources, bans and advisories of every lock file",
        needs: &[],
        run: dependencies,
    },
    Step {
        name: "release",
        proves: "the release binaries are small and start on Lambda",
        needs: &[],
        run: release,
    },
    Step {
        name: "cargo-lambda",
        proves: "cargo lambda build, watch and invoke work as README names them",
        needs: &["functions", "release"],
        run: cargo_lambda,
    },
    Step {
        name: "bench",
        proves: "calls, rounds, units, sizes and instructions are what bench/exact.json says",
        needs: &["release"],
        run: exact_costs,
    },
];

/// `--dynamodb`: where the stories' tables are, instead of in the embedded database.
pub(super) static DYNAMODB: OnceLock<String> = OnceLock::new();

/// Another DynamoDB has started by then.
const START_MAX: Duration = Duration::from_secs(30);

const BOTH: [Workspace; 2] = [Workspace::Functions, Workspace::Local];

fn format() -> anyhow::Result<Passed> {
    for workspace in BOTH {
        process::run(workspace.cargo_unlocked("fmt").args(["--all", "--check"]))?;
    }
    Ok(Passed::Whole)
}

fn clippy() -> anyhow::Result<Passed> {
    for workspace in BOTH {
        let mut clippy = workspace.cargo("clippy");
        process::run(clippy.args(["--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    }
    Ok(Passed::Whole)
}

fn docs() -> anyhow::Result<Passed> {
    for workspace in BOTH {
        let mut doc = workspace.cargo("doc");
        process::run(doc.args(["--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(Passed::Whole)
}

fn unit() -> anyhow::Result<Passed> {
    process::run(Workspace::Functions.cargo("test").arg("--workspace"))?;
    Ok(Passed::Whole)
}

fn build_functions() -> anyhow::Result<Passed> {
    process::run(Workspace::Functions.cargo("build").arg("--bins"))?;
    Ok(Passed::Whole)
}

fn model() -> anyhow::Result<Passed> {
    process::run(Workspace::Local.cargo("run").args(["--package", "model"]))?;
    process::run(Workspace::Local.cargo("run").args(["--package", "model", "--", "--mutants"]))?;
    Ok(Passed::Whole)
}

fn local() -> anyhow::Result<Passed> {
    process::run(Workspace::Local.cargo("test").args(["--package", "xtask"]))?;
    process::run(Workspace::Local.cargo("test").args(LOCAL_SYSTEM))?;
    Ok(Passed::Whole)
}

fn build_system() -> anyhow::Result<Passed> {
    process::run(Workspace::Local.cargo("build").args(LOCAL_SYSTEM).arg("--bins"))?;
    Ok(Passed::Whole)
}

fn end_to_end() -> anyhow::Result<Passed> {
    let record = roles_record();
    if record.is_file() {
        std::fs::remove_file(&record).with_context(|| record.display().to_string())?;
    }
    let mut stories = Workspace::Local.cargo("test");
    stories.args(["--package", "end-to-end", "--lib", "--test", "e2e"]).env("ROLES_RECORD", record);
    process::run(elsewhere(&mut stories))?;
    Ok(Passed::Whole)
}

/// With its tables in another DynamoDB, if one was given.
fn elsewhere(stories: &mut Command) -> &mut Command {
    match DYNAMODB.get() {
        Some(url) => stories.env("DYNAMODB_URL", url),
        None => stories,
    }
}

/// Where the stories write down what the functions asked of their roles. Begun anew by `end-to-end`.
fn roles_record() -> PathBuf {
    root().join("target/roles.jsonl")
}

/// Builds one function, since each takes as long as in `release`: what is checked is that cargo-lambda finds the
/// package and puts it where `cargo lambda deploy` and the template look.
fn cargo_lambda() -> anyhow::Result<Passed> {
    let folder = tools::cargo_lambda()?;
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let bootstrap = root().join("target/lambda/get-order/bootstrap");
    let before = std::fs::metadata(&bootstrap).and_then(|found| found.modified()).ok();
    let mut build = Command::new(folder.join("cargo-lambda"));
    build.current_dir(root()).env("PATH", &path);
    process::run(build.args(["lambda", "build", "--release", "--locked", "--bin", "get-order"]))?;
    let after = std::fs::metadata(&bootstrap).and_then(|found| found.modified());
    if Some(after.with_context(|| bootstrap.display().to_string())?) == before {
        bail!("cargo lambda build did not write {}", bootstrap.display());
    }
    let mut deploy = Command::new(folder.join("cargo-lambda"));
    deploy.current_dir(root()).env("PATH", &path);
    deploy.args(["lambda", "deploy", "--dry", "--binary-name", "get-order", "get-order"]);
    process::run(&mut deploy)?;
    let mut test = Workspace::Local.cargo("test");
    test.args(["--package", "end-to-end", "--test", "cargo-lambda"]).env("CARGO_LAMBDA", folder);
    process::run(&mut test)?;
    Ok(Passed::Whole)
}

fn roles() -> anyhow::Result<Passed> {
    let mut check = Command::new(programs().join("check-roles"));
    process::run(check.current_dir(root()).arg("template.yaml").arg(roles_record()))?;
    Ok(Passed::Whole)
}

fn doctor() -> anyhow::Result<Passed> {
    process::run(Workspace::Local.cargo("test").args(["--package", "doctor"]))?;
    Ok(Passed::Whole)
}

/// One after the other, since each keeps the machine busy by itself.
fn assurance() -> anyhow::Result<Passed> {
    tools::other_clocks()?;
    let mut test = Workspace::Local.cargo("test");
    test.args(["--package", "end-to-end", "--test", "assurance", "--", "--test-threads=1", "--nocapture"]);
    process::run(elsewhere(&mut test))?;
    Ok(Passed::Whole)
}

/// Stories that ask of a table what a table can get wrong: conditions, transactions, indexes, old items, its stream.
const OF_THE_TABLE: [&str; 6] = [
    "stock::",
    "idempotency::",
    "mismatch_crash::a_payment",
    "told::",
    "rush::",
    "reconcile_damage::orders_with",
];
/// moto needs 15 ms for what the embedded database does in one, and does one thing at a time.
const OF_A_SLOW_TABLE: [(&str, &str); 2] = [("RUSH_BUYERS", "200"), ("RECONCILE_ORDERS", "60")];

fn another_table() -> anyhow::Result<Passed> {
    let folder = folder("tests/another-dynamodb")?;
    let requirements = std::fs::read_to_string(folder.join("requirements.txt"))
        .context("tests/another-dynamodb/requirements.txt")?;
    let python = tools::python_environment("another-dynamodb", &requirements)?.join("python");
    let server = AnotherTable::start(Command::new(python).arg(folder.join("serve.py")))?;
    let mut test = Workspace::Local.cargo("test");
    test.args(["--package", "end-to-end", "--test", "e2e", "--"]).args(OF_THE_TABLE);
    process::run(test.env("DYNAMODB_URL", &server.url).envs(OF_A_SLOW_TABLE))?;
    Ok(Passed::Whole)
}

/// A server that ends with this.
struct AnotherTable {
    child: std::process::Child,
    url: String,
}

impl AnotherTable {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        // Free now, and nobody else's until the server takes it a moment later.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = command.arg(port.to_string()).spawn().context("the other DynamoDB does not start")?;
        let server = Self { child, url: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > START_MAX {
                bail!("the other DynamoDB does not answer");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }
}

impl Drop for AnotherTable {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn programs() -> PathBuf {
    root().join("target/local/debug")
}

fn folder(name: &str) -> anyhow::Result<PathBuf> {
    let folder = root().join(name);
    if !folder.is_dir() {
        bail!("{name} is missing");
    }
    Ok(folder)
}

fn npm_test(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder)
        .args(["test"])
        .env("LOCAL_STACK", programs().join("local-stack"))
        .env("PORTONE_SIMULATOR", programs().join("portone-simulator"))
        .env("FUNCTIONS_DIR", root().join("target/debug"))
        .env("ROLES_RECORD", roles_record());
    npm
}

fn clients() -> anyhow::Result<Passed> {
    let node = folder("tests/clients/node")?;
    tools::node_packages(&node)?;
    process::run(&mut npm_test(&node))?;

    let python = folder("tests/clients/python")?;
    let requirements = std::fs::read_to_string(python.join("requirements.txt"))
        .context("tests/clients/python/requirements.txt")?;
    let bin = tools::python_environment("clients", &requirements)?;
    let mut unittest = Command::new(bin.join("python"));
    unittest
        .current_dir(&python)
        .args(["-m", "unittest", "discover", "--verbose"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PORTONE_SIMULATOR", programs().join("portone-simulator"));
    process::run(&mut unittest)?;
    Ok(Passed::Whole)
}

fn browser() -> anyhow::Result<Passed> {
    let folder = folder("tests/browser")?;
    tools::browser()?;
    tools::node_packages(&folder)?;
    process::run(&mut npm_test(&folder))?;
    Ok(Passed::Whole)
}

fn api() -> anyhow::Result<Passed> {
    let folder = folder("tests/api")?;
    let requirements =
        std::fs::read_to_string(folder.join("requirements.txt")).context("tests/api/requirements.txt")?;
    let bin = tools::python_environment("api", &requirements)?;
    let mut run = Command::new(bin.join("python"));
    run.arg(folder.join("run.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("LOCAL_STACK", programs().join("local-stack"))
        .env("FUNCTIONS_DIR", root().join("target/debug"));
    process::run(&mut run)?;
    Ok(Passed::Whole)
}

fn check_template() -> anyhow::Result<Passed> {
    template::check()?;
    Ok(Passed::Whole)
}

fn fuzz() -> anyhow::Result<Passed> {
    fuzz::run()?;
    Ok(Passed::Whole)
}

fn dependencies() -> anyhow::Result<Passed> {
    audit::run()
}

/// For this machine's architecture: the gates are the same for all.
fn release() -> anyhow::Result<Passed> {
    build::build(Architecture::host()?, &functions()?)?;
    Ok(Passed::Whole)
}

fn exact_costs() -> anyhow::Result<Passed> {
    process::run(Workspace::Local.cargo("test").args(["--package", "bench"]))?;
    bench::exact()?;
    Ok(Passed::Whole)
}
