//! Faults of a system in the cloud, as AWS would tell them.

use serde_json::{Value, json};

use crate::{
    account::{Account, Answers, refusal},
    program,
};

/// The report about a stack of this account.
async fn look(account: &Account) -> Value {
    let variables = [
        ("AWS_ENDPOINT_URL", account.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "operator"),
        ("AWS_SECRET_ACCESS_KEY", "operator"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    let ended = program::run(&["--stack", "shop", "--region", "ap-northeast-2", "--json"], &variables).await;
    let report: Value = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ended.stderr)));
    assert_eq!(ended.status.success(), report["fail"] == 0);
    report
}

fn faults(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] != "ok");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings
        .map(|f| {
            format!(
                "{} {}: {} | {}",
                text(&f["verdict"]),
                text(&f["check"]),
                text(&f["says"]),
                text(&f["cure"])
            )
        })
        .collect()
}

/// Of an account changed so, this and nothing else is told, with this in its cure.
async fn assert_told(change: impl FnOnce(&mut Answers), fault: &str, cure: &str) {
    let account = Account::with(change).await;
    let found = faults(&look(&account).await);
    assert!(!found.is_empty() && found.iter().all(|line| line.starts_with(fault)), "{fault}: {found:#?}");
    assert!(
        found.iter().any(|line| line.split(" | ").nth(1).is_some_and(|text| text.contains(cure))),
        "{found:#?}"
    );
}

fn set(operation: &'static str, pointer: &'static str, value: Value) -> impl FnOnce(&mut Answers) {
    move |answers| {
        let answer = answers.get_mut(operation).unwrap_or_else(|| panic!("no {operation}"));
        *answer.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in {operation}")) = value;
    }
}

fn instead(operation: &'static str, value: Value) -> impl FnOnce(&mut Answers) {
    move |answers| {
        answers.insert(operation.to_owned(), value);
    }
}

#[tokio::test]
async fn of_a_sound_stack_everything_is_ok_and_every_item_of_the_checklist_was_looked_at() {
    let account = Account::with(|_| {}).await;
    let report = look(&account).await;
    assert_eq!(faults(&report), Vec::<String>::new());
    let mut looked_at: Vec<_> =
        report["findings"].as_array().unwrap().iter().map(|f| f["number"].as_u64().unwrap()).collect();
    assert!(looked_at.is_sorted());
    looked_at.dedup();
    let people = report["forPeople"].as_array().unwrap().len();
    let all = doctor::checklist::CHECKLIST.len();
    assert_eq!(looked_at, (1..=u64::try_from(all - people).unwrap()).collect::<Vec<_>>());
    assert_eq!(report["leftOut"], json!([]));
}

#[tokio::test]
async fn aws_is_only_ever_asked_to_describe() {
    let account = Account::with(|_| {}).await;
    look(&account).await;
    let asked = account.asked();
    assert!(asked.len() > 20);
    for operation in asked {
        let reads = ["Describe", "List", "Get", "Query", "GET ", "OPTIONS "]
            .iter()
            .any(|verb| operation.starts_with(verb));
        assert!(reads || operation == "POST /webhooks/portone", "{operation}");
    }
}

#[tokio::test]
async fn a_stack_that_is_broken_or_half_filled_in_is_told() {
    let status = |status: &str| set("DescribeStacks", "/Stacks/0/StackStatus", json!(status));
    assert_told(
        status("UPDATE_ROLLBACK_COMPLETE"),
        "fail stack: its last deployment did not go through",
        "events",
    )
    .await;
    assert_told(status("UPDATE_IN_PROGRESS"), "warn stack: it is being changed", "wait").await;
    let parameters = json!([{"ParameterKey": "AllowedOrigins", "ParameterValue": "https://shop.example"},
        {"ParameterKey": "PortoneStoreId", "ParameterValue": "store-0000-0000"}]);
    let placeholders = set("DescribeStacks", "/Stacks/0/Parameters", parameters);
    assert_told(placeholders, "fail stack: placeholders: AllowedOrigins, PortoneStoreId", "own values").await;
}

#[tokio::test]
async fn without_a_stack_or_the_right_to_see_it_the_error_says_so() {
    let account = Account::with(instead("DescribeStacks", refusal("ValidationError"))).await;
    let variables = [
        ("AWS_ENDPOINT_URL", account.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ];
    let ended = program::run(&["--stack", "shop", "--region", "ap-northeast-2"], &variables).await;
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("the stack shop in ap-northeast-2 cannot be read: ValidationError"), "{said}");
}

#[tokio::test]
async fn a_table_that_is_not_as_the_template_says_is_told() {
    let index = |index: Value| set("DescribeTable", "/Table/GlobalSecondaryIndexes", index);
    assert_told(index(json!([])), "fail table: the index ", "xtask deploy").await;
    let other =
        set("DescribeTable", "/Table/GlobalSecondaryIndexes/0/KeySchema/0/AttributeName", json!("PK"));
    assert_told(other, "fail table: the index catalogue is another than the template's", "another name")
        .await;
    let building = set("DescribeTable", "/Table/GlobalSecondaryIndexes/1/IndexStatus", json!("CREATING"));
    assert_told(building, "warn table: the index open is still being built", "wait").await;
    let keys = set("DescribeTable", "/Table/KeySchema/0/AttributeName", json!("id"));
    assert_told(keys, "fail table: its keys are others than the template's", "another table").await;
    let unprotected = set("DescribeTable", "/Table/DeletionProtectionEnabled", json!(false));
    assert_told(unprotected, "fail table: anybody may delete it", "xtask deploy").await;
    let recovery = "/ContinuousBackupsDescription/PointInTimeRecoveryDescription/PointInTimeRecoveryStatus";
    let off = set("DescribeContinuousBackups", recovery, json!("DISABLED"));
    assert_told(off, "fail table: no moment of it can be brought back", "xtask deploy").await;
}

#[tokio::test]
async fn functions_that_are_not_what_was_deployed_are_told() {
    let state = set("GetFunctionConfiguration", "/State", json!("Failed"));
    assert_told(state, "fail functions: it is not active", "xtask deploy").await;
    let update = set("GetFunctionConfiguration", "/LastUpdateStatus", json!("Failed"));
    assert_told(update, "fail functions: its last update failed", "xtask deploy").await;
    let changed = |answers: &mut Answers, key: &str, pointer: &str, value: Value| {
        let mut configuration = answers["GetFunctionConfiguration"].clone();
        *configuration.pointer_mut(pointer).unwrap() = value;
        answers.insert(key.to_owned(), configuration);
    };
    let stale = |answers: &mut Answers| {
        changed(answers, "GetFunctionConfiguration shop-Webhook live", "/CodeSha256", json!("older"));
    };
    assert_told(stale, "fail functions: version 7 serves, and its code or variables are not", "xtask deploy")
        .await;
    let by_hand = |answers: &mut Answers| {
        for key in ["", " live", " $LATEST"] {
            let key = format!("GetFunctionConfiguration shop-CreateOrder{key}");
            changed(answers, &key, "/Environment/Variables/PAYMENT_MODE", json!("TEST"));
        }
    };
    let account = Account::with(by_hand).await;
    let found = faults(&look(&account).await);
    assert!(
        found
            .iter()
            .any(|line| line.starts_with("fail functions: the functions disagree about PAYMENT_MODE")),
        "{found:#?}"
    );
    let shifting = instead(
        "GetAlias",
        json!({"Name": "live", "FunctionVersion": "7",
        "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}}}),
    );
    assert_told(shifting, "warn functions: traffic is being shifted from version 7 to 8", "wait").await;
}

#[tokio::test]
async fn what_runs_beside_the_functions_is_told_when_it_stands_still() {
    let limit = set("GetAccountSettings", "/AccountLimit/UnreservedConcurrentExecutions", json!(10));
    assert_told(limit, "warn concurrency: 10 of 1000", "Service Quotas").await;
    let off = set("GetSchedule", "/State", json!("DISABLED"));
    assert_told(off, "fail schedules: it is switched off", "Scheduler").await;
    let gone = instead("GetSchedule", refusal("ResourceNotFoundException"));
    assert_told(gone, "fail schedules: it is not there", "xtask deploy").await;
    let stopped = set("DescribePipe", "/CurrentState", json!("STOPPED"));
    assert_told(stopped, "fail pipe: it is STOPPED", "start-pipe").await;
    let waiting = set("GetQueueAttributes", "/Attributes/ApproximateNumberOfMessages", json!("3"));
    assert_told(waiting, "fail dead-letters: 3 wait in it", "EVENTS.md").await;
    let forever = |answers: &mut Answers| {
        let group = answers["DescribeLogGroups"]["logGroups"][0].as_object().unwrap().clone();
        let mut group = Value::Object(group);
        group.as_object_mut().unwrap().remove("retentionInDays");
        answers.get_mut("DescribeLogGroups").unwrap()["logGroups"][0] = group;
    };
    assert_told(forever, "warn logs: it is kept for ever", "LogRetentionDays").await;
    let no_logs = set("DescribeLogGroups", "/logGroups", json!([]));
    assert_told(no_logs, "fail logs: it is not there", "xtask deploy").await;
}

#[tokio::test]
async fn alarms_that_nobody_would_hear_are_told() {
    let without = |kind: &'static str| {
        move |answers: &mut Answers| {
            let resources =
                answers.get_mut("ListStackResources").unwrap()["StackResourceSummaries"].as_array_mut();
            resources.unwrap().retain(|resource| resource["ResourceType"] != kind);
        }
    };
    let account = Account::with(without("AWS::CloudWatch::Alarm")).await;
    let found = faults(&look(&account).await);
    assert!(found[0].starts_with("fail alarms: there are none"), "{found:#?}");
    assert!(found[1].starts_with("fail subscribers: no alarm tells anybody"), "{found:#?}");
    assert_told(without("AWS::Pipes::Pipe"), "fail pipe: there is none", "xtask deploy").await;

    let muted = set("DescribeAlarms", "/MetricAlarms/0/ActionsEnabled", json!(false));
    assert_told(muted, "fail alarms: its actions are switched off", "enable-alarm-actions").await;
    let ringing = set("DescribeAlarms", "/MetricAlarms/0/StateValue", json!("ALARM"));
    assert_told(ringing, "warn alarms: it is ringing", "RUNBOOK.md").await;
    let pending =
        set("ListSubscriptionsByTopic", "/Subscriptions/0/SubscriptionArn", json!("PendingConfirmation"));
    assert_told(pending, "fail subscribers: 1 subscribed and have not confirmed", "link in the mail").await;
    let nobody = set("ListSubscriptionsByTopic", "/Subscriptions", json!([]));
    assert_told(nobody, "fail subscribers: nobody has subscribed", "sns subscribe").await;
}

#[tokio::test]
async fn an_api_or_a_portone_that_answers_otherwise_is_told() {
    let open = set("OPTIONS /orders", "/allowed", json!(["*"]));
    assert_told(open, "fail cors: pages of any origin may call the API", "take *").await;
    let waf = instead("POST /webhooks/portone", json!({"status": 403}));
    assert_told(waf, "fail endpoint: the webhook answers 403", "WAF").await;
    let unsigned = instead("POST /webhooks/portone", json!({"status": 200}));
    assert_told(unsigned, "fail endpoint: the webhook takes what is not signed", "WebhookUrl").await;
    let gone = instead("GET /products", json!({"status": 404}));
    assert_told(gone, "fail endpoint: the API answers 404", "deploy the whole stack").await;
    let unreached = |answers: &mut Answers| {
        let webhook = &mut answers.get_mut("GET /payments").unwrap()["items"][0]["webhooks"][0];
        webhook["status"] = json!("FAILED_UNEXPECTED_ERROR");
        webhook.as_object_mut().unwrap().remove("response");
    };
    assert_told(unreached, "fail webhook: the last one did not arrive", "WAF").await;
    let late = |answers: &mut Answers| {
        answers.get_mut("GET /payments").unwrap()["date"] = json!("Thu, 01 Jan 2026 00:00:00 GMT");
    };
    assert_told(late, "fail clock: the API's clock and PortOne's are ", "NTP").await;
    let down = instead("GET /payments", json!({"status": 503, "type": "SOMETHING"}));
    let account = Account::with(down).await;
    let found = faults(&look(&account).await);
    assert!(
        found.iter().any(|line| line.starts_with("fail portone-v2: PortOne answers 503 (SOMETHING)")),
        "{found:#?}"
    );
}

#[tokio::test]
async fn what_may_not_be_read_is_not_checked_and_no_fault() {
    for (operation, check) in [
        ("GetSecretValue", "secret"),
        ("DescribeTable", "table"),
        ("DescribeContinuousBackups", "table"),
        ("Query", "catalogue"),
        ("GetFunctionConfiguration", "functions"),
        ("GetAlias", "functions"),
        ("GetAccountSettings", "concurrency"),
        ("GetSchedule", "schedules"),
        ("DescribePipe", "pipe"),
        ("GetQueueAttributes", "dead-letters"),
        ("DescribeAlarms", "alarms"),
        ("ListSubscriptionsByTopic", "subscribers"),
        ("DescribeLogGroups", "logs"),
    ] {
        let account = Account::with(instead(operation, refusal("AccessDeniedException"))).await;
        let found = faults(&look(&account).await);
        let told = format!("not checked {check}: AccessDeniedException");
        assert!(
            found.iter().any(|line| line.starts_with(&told) && line.contains("docs/GOING-LIVE.md")),
            "{operation}: {found:#?}"
        );
    }
}
