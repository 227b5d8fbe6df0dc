//! Whether somebody learns of trouble: alarms, who is told, and the logs to look into.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::StateValue;

use super::or_ok;
use crate::{
    cloud::{self, Cloud},
    report::{Finding, Look},
};

const REDEPLOY: &str = "`cargo xtask deploy` makes it again";
/// As many names as AWS takes in one call.
const NAMES_MAX: usize = 100;

/// The findings, and the topics that the alarms go to.
pub(super) async fn alarms(cloud: &Cloud) -> (Vec<Finding>, BTreeSet<String>) {
    let names: Vec<String> =
        cloud.of_kind("AWS::CloudWatch::Alarm").into_iter().map(|alarm| alarm.physical).collect();
    let look = Look::at("alarms", format!("{} alarms of the stack", names.len()));
    let (mut faults, mut topics) = (Vec::new(), BTreeSet::new());
    if names.is_empty() {
        faults.push(look.fail("there are none", "deploy this checkout's template, which has them"));
    }
    for names in names.chunks(NAMES_MAX) {
        let asked = cloud.cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec()));
        let found = match asked.max_records(100).send().await {
            Ok(found) => found,
            Err(error) => {
                faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY));
                continue;
            }
        };
        let is_found = |name: &&String| {
            found.metric_alarms().iter().any(|alarm| alarm.alarm_name() == Some(name.as_str()))
        };
        for name in names.iter().filter(|name| !is_found(name)) {
            let look = Look::at("alarms", format!("the alarm {name}"));
            faults.push(look.fail("it is not there: somebody deleted it", REDEPLOY));
        }
        for alarm in found.metric_alarms() {
            let look = Look::at("alarms", format!("the alarm {}", alarm.alarm_name().unwrap_or_default()));
            topics.extend(alarm.alarm_actions().iter().filter(|arn| arn.contains(":sns:")).cloned());
            if alarm.actions_enabled() == Some(false) {
                let cure = "switch them on: aws cloudwatch enable-alarm-actions --alarm-names …";
                faults.push(look.fail("its actions are switched off", cure));
            }
            if alarm.state_value() == Some(&StateValue::Alarm) {
                let why = alarm.state_reason().unwrap_or("AWS gives no reason");
                faults.push(
                    look.warn(format!("it is ringing: {why}"), "docs/RUNBOOK.md has an entry for each alarm"),
                );
            }
        }
    }
    (or_ok(&look, faults, "all are there, switched on and quiet"), topics)
}

pub(super) async fn subscribers(cloud: &Cloud, topics: BTreeSet<String>) -> Vec<Finding> {
    let look = Look::at("subscribers", format!("{} topics that the alarms go to", topics.len()));
    let subscribe = "aws sns subscribe --topic-arn … --protocol email --notification-endpoint …, then the link in the mail";
    let mut faults = Vec::new();
    if topics.is_empty() {
        faults
            .push(look.fail("no alarm tells anybody", "deploy with the alarms' topic, and subscribe to it"));
    }
    for topic in topics {
        let look = Look::at("subscribers", format!("the topic {topic}"));
        let mut pages =
            cloud.sns.list_subscriptions_by_topic().topic_arn(&topic).into_paginator().items().send();
        let (mut confirmed, mut pending) = (0_usize, 0_usize);
        loop {
            match pages.next().await {
                None => break,
                Some(Ok(subscription)) => match subscription.subscription_arn() {
                    Some(arn) if arn.starts_with("arn:") => confirmed += 1,
                    _ => pending += 1,
                },
                Some(Err(error)) => {
                    faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY));
                    confirmed = 1;
                    break;
                }
            }
        }
        match (confirmed, pending) {
            (0, 0) => faults.push(look.fail("nobody has subscribed", subscribe)),
            (0, _) => faults.push(look.fail(
                format!("{pending} subscribed and have not confirmed it"),
                "follow the link in the mail from AWS Notifications",
            )),
            (_, 0) => {}
            _ => faults.push(look.warn(
                format!("{pending} of {} have not confirmed it", confirmed + pending),
                "follow the link in the mail from AWS Notifications",
            )),
        }
    }
    or_ok(&look, faults, "somebody has subscribed and confirmed it")
}

pub(super) async fn logs(cloud: &Cloud) -> Vec<Finding> {
    let functions = cloud.of_kind("AWS::Lambda::Function");
    let look = Look::at("logs", format!("the log groups of {} functions", functions.len()));
    let mut faults = Vec::new();
    for function in functions {
        let name = format!("/aws/lambda/{}", function.physical);
        let look = Look::at("logs", format!("the log group {name}"));
        let found = match cloud.logs.describe_log_groups().log_group_name_prefix(&name).send().await {
            Ok(found) => found,
            Err(error) => {
                faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY));
                continue;
            }
        };
        match found.log_groups().iter().find(|group| group.log_group_name() == Some(&name)) {
            None => faults.push(look.fail("it is not there: somebody deleted it", REDEPLOY)),
            Some(group) if group.retention_in_days().is_none() => {
                faults.push(look.warn("it is kept for ever", "deploy with the parameter LogRetentionDays"));
            }
            Some(_) => {}
        }
    }
    or_ok(&look, faults, "each is kept for a set time")
}
