//! Deployments carried out with programs that write down how they were called.

use std::{cell::RefCell, os::unix::fs::PermissionsExt as _};

use tempfile::TempDir;

use super::*;

/// What the template of this repository does not say by itself.
const WANTED: [&str; 6] = [
    "--set",
    "AllowedOrigins=https://shop.kr,https://www.shop.kr",
    "--set",
    "PortoneStoreId=store-4ff4af41",
    "--set",
    "PortoneChannelKey=channel-key-893597d6",
];

/// A folder of programs, what was called in it, and how a deployment ended.
struct Told {
    calls: Vec<String>,
    ended: anyhow::Result<ExitCode>,
}

struct Stage {
    folder: TempDir,
    samconfig: Option<String>,
    answers: String,
    resources: String,
    doctor: i32,
}

impl Stage {
    fn new() -> Self {
        let resources = r#"[{"LogicalResourceId": "Webhook", "PhysicalResourceId": "shop-Webhook-1A"},
            {"LogicalResourceId": "WebhookAliaslive", "PhysicalResourceId": "arn:…:shop-Webhook-1A:live"},
            {"LogicalResourceId": "GetOrder", "PhysicalResourceId": "shop-GetOrder-2B"},
            {"LogicalResourceId": "CreateOrder", "PhysicalResourceId": "-"}]"#;
        Self {
            folder: tempfile::tempdir().unwrap(),
            samconfig: None,
            answers: String::new(),
            resources: resources.to_owned(),
            doctor: 0,
        }
    }

    fn deployed_before(mut self) -> Self {
        self.samconfig = Some(
            "version = 0.1\n[default.deploy.parameters]\nstack_name = \"shop\"\n\
             [default.deploy.parameters.parameter_overrides]\nArchitecture = \"x86_64\"\n\
             AllowedOrigins = \"https://shop.kr\"\nPortoneStoreId = \"store-4ff4af41\"\n\
             PortoneChannelKey = \"channel-key-893597d6\"\n\
             [default.global.parameters]\nregion = \"ap-northeast-2\"\nprofile = \"shop\"\n"
                .to_owned(),
        );
        self
    }

    fn run(&self, arguments: &[&str]) -> Told {
        let folder = self.folder.path();
        let log = folder.join("log");
        for program in ["sam", "cargo-lambda", "doctor"] {
            let lists = if program == "sam" { "[ \"$1\" = list ] && cat resources.json" } else { ":" };
            let code = if program == "doctor" { self.doctor } else { 0 };
            let text = format!(
                "#!/bin/sh\n{{ printf {program}; for a in \"$@\"; do printf ' %s' \"$a\"; done; echo; }} >> '{}'\n\
                 cd '{}'\n{lists}\nexit {code}\n",
                log.display(),
                folder.display(),
            );
            let path = folder.join(program);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(folder.join("resources.json"), &self.resources).unwrap();
        let samconfig = folder.join("samconfig.toml");
        if let Some(text) = &self.samconfig {
            fs::write(&samconfig, text).unwrap();
        }
        let prepared = RefCell::new(Vec::new());
        let prepare = |architecture: Architecture, functions: &[String]| {
            // Written where the programs write, so that the order is seen.
            let which = if functions.len() == 1 { functions[0].as_str() } else { "all" };
            prepared.borrow_mut().push(which.to_owned());
            let before = fs::read_to_string(&log).unwrap_or_default();
            Ok(fs::write(&log, format!("{before}build {which} for {}\n", architecture.name()))?)
        };
        let ended = Options::parse(&mut lexopt::Parser::from_args(arguments)).and_then(|options| {
            Deployment {
                path: path(folder, folder).unwrap(),
                samconfig,
                prepare: &prepare,
                doctor: &|| Ok(Command::new(folder.join("doctor"))),
                input: &mut self.answers.as_bytes(),
            }
            .run(options)
        });
        let calls = fs::read_to_string(&log).unwrap_or_default().lines().map(str::to_owned).collect();
        Told { calls, ended }
    }
}

impl Told {
    /// What was called, each by its first words.
    fn order(&self) -> Vec<String> {
        self.calls.iter().map(|call| call.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }

    #[track_caller]
    fn call(&self, start: &str) -> &str {
        self.calls.iter().find(|call| call.starts_with(start)).unwrap_or_else(|| panic!("{:#?}", self.calls))
    }

    fn refusal(&self) -> String {
        format!("{:#}", self.ended.as_ref().unwrap_err())
    }
}

#[test]
fn a_stack_is_built_checked_deployed_and_looked_at_in_this_order() {
    let mut arguments = vec!["--yes", "--stack", "shop", "--region", "ap-northeast-2", "--arch", "x86_64"];
    arguments.extend(WANTED);
    let told = Stage::new().run(&arguments);
    assert_eq!(told.ended.as_ref().unwrap(), &ExitCode::SUCCESS);
    assert_eq!(told.order(), ["build all", "sam build", "sam deploy", "doctor --stack"]);
    assert_eq!(told.calls[0], "build all for x86_64");
    assert_eq!(told.calls[1], "sam build --parameter-overrides Architecture=\"x86_64\"");
    let deploy = told.call("sam deploy");
    assert!(deploy.starts_with(
        "sam deploy --stack-name shop --region ap-northeast-2 --capabilities CAPABILITY_IAM --resolve-s3 \
         --no-confirm-changeset --no-fail-on-empty-changeset --save-params --parameter-overrides "
    ));
    for pair in [
        "AllowedOrigins=\"https://shop.kr,https://www.shop.kr\"",
        "Architecture=\"x86_64\"",
        "PaymentMode=\"LIVE\"",
        "PortoneV1ChannelKey=\"\"",
    ] {
        assert!(deploy.contains(pair), "{pair}: {deploy}");
    }
    assert_eq!(told.calls[3], "doctor --stack shop --region ap-northeast-2");
}

#[test]
fn a_second_deployment_asks_only_whether_the_changes_are_wanted() {
    let told = Stage::new().deployed_before().run(&["--set", "PaymentMode=TEST"]);
    assert_eq!(told.order(), ["build all", "sam build", "sam deploy", "doctor --stack"]);
    let deploy = told.call("sam deploy");
    assert!(deploy.contains("--stack-name shop --region ap-northeast-2 --profile shop "), "{deploy}");
    assert!(deploy.contains(" --confirm-changeset "), "{deploy}");
    assert!(deploy.contains("PaymentMode=\"TEST\"") && deploy.contains("AllowedOrigins=\"https://shop.kr\""));
    assert_eq!(told.calls[0], "build all for x86_64");
    assert_eq!(told.calls[3], "doctor --stack shop --region ap-northeast-2 --profile shop");
}

#[test]
fn the_first_deployment_asks_for_every_parameter_in_the_templates_order() {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let mut stage = Stage::new();
    stage.answers = "my-shop\n\n".to_owned();
    for parameter in parameters::read(&text).unwrap() {
        stage.answers.push_str(match parameter.name.as_str() {
            // A placeholder is refused, and the question comes again.
            "AllowedOrigins" => "https://shop.example\nhttps://shop.kr\n",
            "PortoneStoreId" => "store-0000\nstore-4ff4af41\n",
            "PortoneChannelKey" => "channel-key-893597d6\n",
            "Release" => "",
            _ => "\n",
        });
    }
    let told = stage.run(&[]);
    assert!(told.ended.is_ok(), "{}", told.refusal());
    let deploy = told.call("sam deploy");
    assert!(deploy.contains("--stack-name my-shop --region ") && deploy.contains(" --confirm-changeset "));
    assert!(
        deploy.contains("AllowedOrigins=\"https://shop.kr\"")
            && deploy.contains("PortoneStoreId=\"store-4ff4af41\"")
    );
}

/// The value of `Release` in the call of `sam deploy`.
fn release_of(told: &Told) -> String {
    let deploy = told.call("sam deploy");
    let (_, rest) = deploy.split_once("Release=\"").unwrap_or_else(|| panic!("{deploy}"));
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn other_settings_are_a_new_release_without_anybody_thinking_of_it() {
    let mut stage = Stage::new().deployed_before();
    let before = release_of(&stage.run(&["--yes"]));
    // A remembered one does not count.
    let remembered =
        stage.samconfig.take().unwrap().replace("[default.global", "Release = \"1\"\n[default.global");
    stage.samconfig = Some(remembered);
    fs::remove_file(stage.folder.path().join("log")).unwrap();
    assert_eq!(release_of(&stage.run(&["--yes"])), before);
    for (set, is_new) in [
        ("PortoneStoreId=store-5aa5bf52", true),
        ("PortoneChannelKey=channel-key-904608e7", true),
        ("AllowedOrigins=https://shop.kr,https://m.shop.kr", true),
        ("AlarmEmail=ops@shop.kr", false),
    ] {
        fs::remove_file(stage.folder.path().join("log")).unwrap();
        assert_eq!(release_of(&stage.run(&["--yes", "--set", set])) != before, is_new, "{set}");
    }
    fs::remove_file(stage.folder.path().join("log")).unwrap();
    assert_eq!(release_of(&stage.run(&["--yes", "--set", "Release=mine"])), "mine");
}

#[test]
fn without_anybody_to_ask_what_is_missing_or_a_placeholder_stops_it_before_the_build() {
    let told = Stage::new().run(&["--yes", "--stack", "shop", "--region", "ap-northeast-2"]);
    let refusal = told.refusal();
    assert!(refusal.contains("https://shop.example is a placeholder"), "{refusal}");
    assert!(refusal.contains("PortoneStoreId is wanted: --set PortoneStoreId=…"), "{refusal}");
    assert!(told.calls.is_empty(), "{:?}", told.calls);

    let told = Stage::new().run(&["--yes", "--region", "ap-northeast-2"]);
    assert!(told.refusal().contains("--stack is wanted"), "{}", told.refusal());
    let told = Stage::new().run(&[]);
    assert!(told.refusal().contains("nobody answers"), "{}", told.refusal());
    assert!(Stage::new().run(&["--guided", "--yes"]).refusal().contains("usage: cargo xtask deploy"));
}

#[test]
fn what_the_doctor_finds_is_the_deployments_exit_code() {
    let mut stage = Stage::new().deployed_before();
    stage.doctor = 1;
    assert_eq!(stage.run(&["--yes"]).ended.unwrap(), ExitCode::FAILURE);
}

#[test]
fn one_function_is_deployed_under_its_name_in_the_stack_and_its_alias_follows() {
    let told = Stage::new().deployed_before().run(&["webhook"]);
    assert!(told.ended.is_ok(), "{}", told.refusal());
    assert_eq!(
        told.calls,
        [
            "build webhook for x86_64",
            "sam list resources --stack-name shop --output json --region ap-northeast-2 --profile shop",
            "cargo-lambda lambda deploy --region ap-northeast-2 --profile shop --lambda-dir target/lambda \
             --binary-name webhook --alias live shop-Webhook-1A",
        ]
    );
    let told = Stage::new().deployed_before().run(&["get-order", "--region", "us-east-1", "--arch", "arm64"]);
    assert_eq!(told.calls[0], "build get-order for arm64");
    assert!(told.calls[2].ends_with("--binary-name get-order shop-GetOrder-2B"), "{}", told.calls[2]);
    assert!(told.calls[2].contains("--region us-east-1"), "{}", told.calls[2]);
}

#[test]
fn a_function_that_is_not_in_the_stack_is_never_made_beside_it() {
    let told = Stage::new().deployed_before().run(&["create-order"]);
    assert!(told.refusal().contains("the stack shop has no CreateOrder yet"), "{}", told.refusal());
    assert_eq!(told.order(), ["build create-order", "sam list"]);
    assert!(
        Stage::new().deployed_before().run(&["no-such"]).refusal().contains("there is no function no-such")
    );
}

#[test]
fn every_function_of_this_repository_is_found_in_its_template() {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    for function in functions().unwrap() {
        let logical = logical_id(&text, &function).unwrap();
        assert_eq!(logical.to_lowercase(), function.replace('-', ""));
    }
}
