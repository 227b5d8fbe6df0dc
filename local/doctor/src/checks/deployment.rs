//! The stack, its functions, its schedules, and the account's limit.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use aws_sdk_scheduler::types::ScheduleState;

use super::{api::is_placeholder, or_ok};
use crate::{
    cloud::{self, Cloud, READ_ONLY},
    report::{Finding, Look},
};

const REDEPLOY: &str = "`cargo xtask deploy` brings all of it to one state";
/// Fewer functions at once than this do not serve a shop: each request of a browser is one.
const CONCURRENCY_MIN: i32 = 100;

pub(super) fn stack(cloud: &Cloud) -> Finding {
    let look = Look::at("stack", format!("the stack {} and its parameters", cloud.stack));
    let status = cloud.status.as_str();
    if status.ends_with("_IN_PROGRESS") {
        return look.warn(format!("it is being changed ({status})"), "wait until it is done, and look again");
    }
    if !matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE") {
        let cure = "`sam logs`, or the stack's events in CloudFormation's console, name the resource that did not come about";
        return look.fail(format!("its last deployment did not go through ({status})"), cure);
    }
    let value = |name: &str| cloud.parameters.get(name).map_or("", String::as_str);
    let origins = value("AllowedOrigins").split(',').map(str::trim).filter(|origin| is_placeholder(origin));
    let mut placeholders: Vec<&str> = origins.map(|_| "AllowedOrigins").collect();
    for name in ["PortoneStoreId", "PortoneChannelKey", "PortoneV1ChannelKey"] {
        let digits =
            value(name).trim_start_matches("store-").trim_start_matches("channel-key-").replace('-', "");
        // A key of one and the same character is what somebody types to get past the pattern.
        if !digits.is_empty() && digits.bytes().all(|byte| Some(byte) == digits.bytes().next()) {
            placeholders.push(name);
        }
    }
    if placeholders.is_empty() {
        return look.ok(format!("{status}; {} resources", cloud.resources.len()));
    }
    look.fail(format!("placeholders: {}", placeholders.join(", ")), "deploy with the shop's own values")
}

pub(super) async fn functions(cloud: &Cloud) -> Vec<Finding> {
    let look = Look::at("functions", format!("{} functions of the stack", cloud.functions.len()));
    let mut faults = Vec::new();
    if cloud.functions.is_empty() {
        faults.push(look.fail("there are none", REDEPLOY));
    }
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (logical, function) in &cloud.functions {
        let look = Look::at("functions", format!("the function {logical}"));
        let function = match function {
            Ok(function) => function,
            Err(why) => {
                faults.push(look.not_checked(why, READ_ONLY));
                continue;
            }
        };
        if !matches!(function.state(), None | Some(State::Active)) {
            let why = function.state_reason().unwrap_or("AWS gives no reason");
            faults.push(look.fail(format!("it is not active: {why}"), REDEPLOY));
        }
        if let Some(LastUpdateStatus::Failed) = function.last_update_status() {
            let why = function.last_update_status_reason().unwrap_or("AWS gives no reason");
            faults.push(look.fail(format!("its last update failed: {why}"), REDEPLOY));
        }
        for (name, value) in cloud::variables(function) {
            values.entry(name).or_default().insert(value);
        }
    }
    // All of them are told the same by the template: one that differs was changed by hand.
    for (name, values) in values.iter().filter(|(_, values)| values.len() > 1) {
        faults.push(look.fail(
            format!("the functions disagree about {name}: {} values", values.len()),
            "somebody changed one function by hand; `cargo xtask deploy` makes them agree",
        ));
    }
    for alias in cloud.of_kind("AWS::Lambda::Alias") {
        faults.extend(traffic(cloud, &alias.physical).await);
    }
    or_ok(&look, faults, "all active; traffic reaches the code that was deployed last")
}

/// What an alias sends traffic to, beside what was deployed last.
async fn traffic(cloud: &Cloud, arn: &str) -> Vec<Finding> {
    // …:function:<name>:<alias>
    let mut parts = arn.rsplit(':');
    let (Some(alias), Some(name)) = (parts.next(), parts.next()) else { return Vec::new() };
    let look = Look::at("functions", format!("{name}, whose traffic goes to its alias {alias}"));
    let of = |qualifier: &str| {
        cloud.lambda.get_function_configuration().function_name(name).qualifier(qualifier).send()
    };
    let routed = cloud.lambda.get_alias().function_name(name).name(alias).send();
    let (routed, live, latest) = tokio::join!(routed, of(alias), of("$LATEST"));
    let (routed, live, latest) = match (routed, live, latest) {
        (Ok(routed), Ok(live), Ok(latest)) => (routed, live, latest),
        (Err(error), ..) => return vec![cloud::missing_or_unread(&look, &error, REDEPLOY)],
        (_, Err(error), _) | (_, _, Err(error)) => {
            return vec![cloud::missing_or_unread(&look, &error, REDEPLOY)];
        }
    };
    let version = routed.function_version().unwrap_or("?");
    let shift = routed.routing_config().and_then(|config| config.additional_version_weights());
    if let Some(shift) = shift.filter(|shift| !shift.is_empty()) {
        let newer = shift.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return vec![look.warn(
            format!("traffic is being shifted from version {version} to {newer}"),
            "wait for the deployment's end; if none runs, see CodeDeploy's console, and deploy anew",
        )];
    }
    if live.code_sha256() == latest.code_sha256() && cloud::variables(&live) == cloud::variables(&latest) {
        return Vec::new();
    }
    vec![look.fail(
        format!("version {version} serves, and its code or variables are not those deployed last"),
        "a new version was not published or was rolled back; see the alarms, then `cargo xtask deploy`",
    )]
}

pub(super) async fn concurrency(cloud: &Cloud) -> Finding {
    let look = Look::at("concurrency", "the account's limit in this region");
    let settings = match cloud.lambda.get_account_settings().send().await {
        Ok(settings) => settings,
        Err(error) => return cloud::missing_or_unread(&look, &error, READ_ONLY),
    };
    let limit = settings.account_limit();
    let whole = limit.map_or(0, |limit| limit.concurrent_executions());
    let free = limit.and_then(|limit| limit.unreserved_concurrent_executions()).unwrap_or(whole);
    if free < CONCURRENCY_MIN {
        return look.warn(
            format!("{free} of {whole} functions at once are not reserved: new accounts begin with 10"),
            "Service Quotas → AWS Lambda → Concurrent executions: ask for 1,000; it takes a day or two",
        );
    }
    look.ok(format!("{free} of {whole} are not reserved"))
}

pub(super) async fn schedules(cloud: &Cloud) -> Vec<Finding> {
    let schedules = cloud.of_kind("AWS::Scheduler::Schedule");
    let look = Look::at("schedules", format!("{} schedules of the stack", schedules.len()));
    let mut faults = Vec::new();
    if schedules.is_empty() {
        faults.push(look.fail("there are none: what nobody reports is never looked for", REDEPLOY));
    }
    for schedule in schedules {
        let look = Look::at("schedules", format!("the schedule {}", schedule.logical));
        // Of one in a group the id is <group>|<name>.
        let (group, name) = schedule.physical.split_once('|').unzip();
        let name = name.unwrap_or(&schedule.physical);
        let request = cloud.scheduler.get_schedule().name(name).set_group_name(group.map(str::to_owned));
        match request.send().await {
            Err(error) => faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY)),
            Ok(found) if found.state() == Some(&ScheduleState::Enabled) => {}
            Ok(_) => faults
                .push(look.fail("it is switched off", "switch it on in EventBridge Scheduler's console")),
        }
    }
    or_ok(&look, faults, "all are enabled")
}
