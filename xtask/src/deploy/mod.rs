//! `cargo xtask deploy`: the whole stack with `sam`, or the code of one function with `cargo lambda`.
//!
//! The first time it asks for every parameter in the template's own words; `sam` remembers the answers in
//! `samconfig.toml`, and later deployments ask nothing but whether the changes are wanted. `--yes` asks nothing
//! at all. Afterwards the doctor looks at what was deployed.

mod parameters;
mod release;
mod saved;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    io::{self, BufRead},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::{
    build, doctor, process,
    repository::{Architecture, functions, root},
    test::template,
    tools,
};
use parameters::{Parameter, line};
use release::RELEASE;
use saved::Saved;

const USAGE: &str = "cargo xtask deploy [FUNCTION] [--stack NAME] [--region R] [--profile P] [--arch x86_64|arm64] \
                     [--set NAME=VALUE]… [--guided] [--yes]";
const ARCHITECTURE: &str = "Architecture";

#[derive(Debug, Default)]
struct Options {
    function: Option<String>,
    stack: Option<String>,
    region: Option<String>,
    profile: Option<String>,
    set: BTreeMap<String, String>,
    guided: bool,
    yes: bool,
}

pub fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let options = Options::parse(&mut arguments)?;
    // cargo-lambda first: it looks for zig in the Python that is first on the path, which is its own there.
    let path = path(&tools::cargo_lambda()?, &tools::python_tools()?)?;
    Deployment {
        path,
        samconfig: root().join("samconfig.toml"),
        prepare: &|architecture, functions| {
            // The artifacts are built first: that finds out whether this machine can build for the
            // architecture, and `sam build` would otherwise add a Rust target without asking.
            build::build(architecture, functions)?;
            template::check()
        },
        doctor: &doctor::program,
        input: &mut io::stdin().lock(),
    }
    .run(options)
}

impl Options {
    fn parse(arguments: &mut lexopt::Parser) -> anyhow::Result<Self> {
        use lexopt::prelude::{Long, Value, ValueExt as _};

        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Long("stack") => options.stack = Some(arguments.value()?.string()?),
                Long("region") => options.region = Some(arguments.value()?.string()?),
                Long("profile") => options.profile = Some(arguments.value()?.string()?),
                Long("arch") => {
                    let architecture = Architecture::parse(&arguments.value()?.string()?)?;
                    options.set.insert(ARCHITECTURE.to_owned(), architecture.name().to_owned());
                }
                Long("set") => {
                    let pair = arguments.value()?.string()?;
                    let (name, value) =
                        pair.split_once('=').with_context(|| format!("--set {pair}: NAME=VALUE"))?;
                    options.set.insert(name.to_owned(), value.to_owned());
                }
                Long("guided") => options.guided = true,
                Long("yes") => options.yes = true,
                Value(value) if options.function.is_none() => options.function = Some(value.string()?),
                other => return Err(other.unexpected()).context(USAGE),
            }
        }
        if options.guided && options.yes {
            bail!("--guided asks and --yes does not: one of them\nusage: {USAGE}");
        }
        Ok(options)
    }
}

/// What a deployment is carried out with.
struct Deployment<'a> {
    /// Where `sam` and `cargo-lambda` are looked for.
    path: OsString,
    samconfig: PathBuf,
    /// Builds these functions and checks the template.
    prepare: &'a dyn Fn(Architecture, &[String]) -> anyhow::Result<()>,
    doctor: &'a dyn Fn() -> anyhow::Result<Command>,
    input: &'a mut dyn BufRead,
}

/// Where to, for every tool alike.
struct Target {
    stack: String,
    region: String,
    profile: Option<String>,
}

impl Target {
    fn region_and_profile(&self) -> Vec<&str> {
        let profile = self.profile.iter().flat_map(|profile| ["--profile", profile]);
        ["--region", &self.region].into_iter().chain(profile).collect()
    }
}

impl Deployment<'_> {
    fn run(mut self, options: Options) -> anyhow::Result<ExitCode> {
        let saved = Saved::read(&self.samconfig)?;
        match &options.function {
            Some(function) => {
                let target = self.target(&options, &saved, false)?;
                self.one(function, &options, &saved, &target)?;
                Ok(ExitCode::SUCCESS)
            }
            None => self.stack(&options, &saved),
        }
    }

    fn stack(&mut self, options: &Options, saved: &Saved) -> anyhow::Result<ExitCode> {
        let first = saved.stack.is_none();
        let asks = options.guided || (first && !options.yes);
        let target = self.target(options, saved, asks)?;
        let text = fs::read_to_string(root().join("template.yaml")).context("template.yaml")?;
        let input = &mut *self.input;
        let ask = |parameter: &Parameter, offered: Option<&str>| {
            let wanted = asks || (offered.is_none() && !options.yes);
            wanted.then(|| parameter.ask(offered, input, &mut io::stderr()))
        };
        // Nobody is asked for it, and none is remembered: it is of the other values.
        let of_its_own = !options.set.contains_key(RELEASE);
        let mut wanted = parameters::read(&text)?;
        wanted.retain(|parameter| parameter.name != RELEASE || !of_its_own);
        let mut values = parameters::settle(&wanted, &options.set, &saved.parameters, ask)?;
        if of_its_own {
            values.insert(RELEASE.to_owned(), release::release(&text, &values)?);
        }
        let architecture = Architecture::parse(values.get(ARCHITECTURE).context("no Architecture")?)?;
        let overrides: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value:?}")).collect();

        (self.prepare)(architecture, &functions()?)?;
        let only = format!("{ARCHITECTURE}={:?}", architecture.name());
        process::run(&mut self.sam(&["build", "--parameter-overrides", &only]))?;
        let confirm = if options.yes { "--no-confirm-changeset" } else { "--confirm-changeset" };
        let mut deploy = self.sam(&["deploy", "--stack-name", &target.stack]);
        deploy
            .args(target.region_and_profile())
            .args(["--capabilities", "CAPABILITY_IAM", "--resolve-s3"])
            .args([confirm, "--no-fail-on-empty-changeset", "--save-params", "--parameter-overrides"])
            .args(overrides);
        process::run(&mut deploy)?;
        self.look(&target)
    }

    /// The doctor's word is the deployment's: what does not work is not deployed yet.
    fn look(&self, target: &Target) -> anyhow::Result<ExitCode> {
        eprintln!("\nthe stack {} is deployed; cargo xtask doctor looks at it", target.stack);
        let mut doctor = (self.doctor)()?;
        doctor.args(["--stack", &target.stack]).args(target.region_and_profile());
        let sound = doctor.status().context("doctor cannot be started")?.success();
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Only the code of one function. What traffic reaches is an alias where the stack has one: it is moved to
    /// the new version at once, without the slow shift and its alarms that a whole deployment has.
    fn one(&self, function: &str, options: &Options, saved: &Saved, target: &Target) -> anyhow::Result<()> {
        let known = functions()?;
        if !known.iter().any(|name| name == function) {
            bail!("there is no function {function}; there are {}", known.join(", "));
        }
        let text = fs::read_to_string(root().join("template.yaml")).context("template.yaml")?;
        let logical = logical_id(&text, function)?;
        let architecture = match options.set.get(ARCHITECTURE).or(saved.parameters.get(ARCHITECTURE)) {
            Some(name) => Architecture::parse(name)?,
            None => Architecture::of_template()?,
        };
        (self.prepare)(architecture, &[function.to_owned()])?;

        let mut list = self.sam(&["list", "resources", "--stack-name", &target.stack, "--output", "json"]);
        let resources = process::output(list.args(target.region_and_profile()))?;
        let deployed = Deployed::find(&resources, &logical).with_context(|| {
            format!("the stack {} has no {logical} yet: `cargo xtask deploy`", target.stack)
        })?;
        let mut deploy = Command::new("cargo-lambda");
        deploy.current_dir(root()).env("PATH", &self.path).args(["lambda", "deploy"]);
        deploy.args(target.region_and_profile()).args([
            "--lambda-dir",
            "target/lambda",
            "--binary-name",
            function,
        ]);
        if let Some(alias) = &deployed.alias {
            deploy.args(["--alias", alias]);
        }
        process::run(deploy.arg(&deployed.name))?;
        match deployed.alias {
            Some(alias) => eprintln!(
                "\n{function}: a new version is published and {alias} points to it, so all traffic reaches it now, \
                 without a gradual shift. The stack does not know of it: deploy the whole with `cargo xtask deploy` soon."
            ),
            None => eprintln!("\n{function}: traffic reaches the new code now."),
        }
        Ok(())
    }

    fn target(&mut self, options: &Options, saved: &Saved, asks: bool) -> anyhow::Result<Target> {
        let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| env::var(name).ok());
        let stack = options.stack.as_ref().or(saved.stack.as_ref());
        let region = options.region.as_ref().or(saved.region.as_ref()).or(region.as_ref());
        Ok(Target {
            stack: self.settled("--stack", "스택 이름 / Name of the stack", stack, "portone", asks)?,
            region: self.settled("--region", "AWS 리전 / AWS region", region, "ap-northeast-2", asks)?,
            profile: options.profile.clone().or_else(|| saved.profile.clone()),
        })
    }

    fn settled(
        &mut self,
        option: &str,
        about: &str,
        known: Option<&String>,
        usual: &str,
        asks: bool,
    ) -> anyhow::Result<String> {
        if !asks {
            return known.cloned().with_context(|| format!("{option} is wanted: {about}"));
        }
        let offered = known.map_or(usual, String::as_str);
        eprint!("\n{about}\n  [{offered}] > ");
        let typed = line(self.input)?;
        Ok(if typed.is_empty() { offered.to_owned() } else { typed })
    }

    fn sam(&self, arguments: &[&str]) -> Command {
        let mut sam = Command::new("sam");
        sam.current_dir(root()).env("PATH", &self.path).env("SAM_CLI_TELEMETRY", "0").args(arguments);
        sam
    }
}

/// The function's name in the template: the resource whose binary it is.
fn logical_id(template: &str, function: &str) -> anyhow::Result<String> {
    let documents = Yaml::load_from_str(template).context("template.yaml")?;
    let resources = documents.first().and_then(|document| document.as_mapping_get("Resources"));
    let resources = resources.and_then(Yaml::as_mapping).context("template.yaml has no resources")?;
    let binary = |resource: &Yaml<'_>| {
        let properties = resource.as_mapping_get("Metadata")?.as_mapping_get("BuildProperties")?;
        Some(properties.as_mapping_get("Binary")?.as_str()?.to_owned())
    };
    let found = resources.iter().find(|(_, resource)| binary(resource).as_deref() == Some(function));
    let name = found.and_then(|(name, _)| name.as_str());
    name.map(str::to_owned).with_context(|| format!("template.yaml builds no {function}"))
}

/// A function as the stack has it.
struct Deployed {
    name: String,
    alias: Option<String>,
}

impl Deployed {
    /// From what `sam list resources` says. SAM calls an alias by its function: `CreateOrderAliaslive`.
    fn find(resources: &str, logical: &str) -> Option<Self> {
        let resources: serde_json::Value = serde_json::from_str(resources).ok()?;
        let member = |resource: &serde_json::Value, name: &str| Some(resource[name].as_str()?.to_owned());
        let (mut name, mut alias) = (None, None);
        for resource in resources.as_array()? {
            let Some(id) = member(resource, "LogicalResourceId") else { continue };
            // What is in the template and not in the stack has a dash.
            let physical = member(resource, "PhysicalResourceId").filter(|name| name != "-");
            if id == logical {
                name = physical;
            } else if let (Some(word), true) =
                (id.strip_prefix(&format!("{logical}Alias")), physical.is_some())
            {
                alias = Some(word.to_owned());
            }
        }
        Some(Self { name: name?, alias })
    }
}

fn path(first: &Path, second: &Path) -> anyhow::Result<OsString> {
    let rest = env::var_os("PATH").unwrap_or_default();
    let folders = [first.to_owned(), second.to_owned()].into_iter().chain(env::split_paths(&rest));
    Ok(env::join_paths(folders)?)
}
