//! The template's alarms against what they stand on: metrics that a story raises, and an entry of the runbook.

use std::{collections::BTreeSet, fs, path::Path};

use lambda_gateway::template::document;
use serde_json::{Map, Value};

/// A file of the repository.
fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).expect(path)
}

fn resources() -> Map<String, Value> {
    let template = document::parse(&text("template.yaml")).expect("the template is YAML");
    template["Resources"].as_object().expect("resources").clone()
}

fn of_type(kind: &str) -> Vec<(String, Value)> {
    resources().into_iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}

fn alarms() -> Vec<(String, Value)> {
    let alarms = of_type("AWS::CloudWatch::Alarm");
    assert!(alarms.len() > 20, "only {} alarms", alarms.len());
    alarms.into_iter().map(|(id, resource)| (id, resource["Properties"].clone())).collect()
}

/// The metrics of ours that the alarms and the dashboard read.
fn read() -> BTreeSet<String> {
    let alarms = alarms().into_iter().filter(|(_, alarm)| alarm["Namespace"] == "PortonePayments");
    let mut names: BTreeSet<_> =
        alarms.map(|(_, alarm)| alarm["MetricName"].as_str().unwrap().to_owned()).collect();
    for (_, dashboard) in of_type("AWS::CloudWatch::Dashboard") {
        let body = dashboard["Properties"]["DashboardBody"]["Fn::Sub"].as_str().expect("a body").to_owned();
        let body: Value = serde_json::from_str(&body).expect("the dashboard is JSON");
        for widget in body["widgets"].as_array().unwrap() {
            let metrics = widget["properties"]["metrics"].as_array().unwrap();
            let ours = metrics.iter().filter(|metric| metric[0] == "PortonePayments");
            names.extend(ours.map(|metric| metric[1].as_str().unwrap().to_owned()));
        }
    }
    names
}

/// The metrics that a story waits for.
fn raised() -> BTreeSet<String> {
    let stories = text("tests/e2e/metrics.rs");
    let calls = stories.split(".told(\"").skip(1);
    let names = calls.map(|call| call.split('"').nth(2).expect("function, metric").to_owned());
    names.collect()
}

#[test]
fn every_metric_of_ours_that_is_read_is_raised_by_a_story_and_every_story_is_read() {
    assert_eq!(read(), raised());
}

#[test]
fn every_alarm_has_an_entry_in_the_runbook_and_every_entry_an_alarm() {
    let runbook = text("docs/RUNBOOK.md");
    let entries: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("### Alarm")).collect();
    let ids: BTreeSet<_> = alarms().into_iter().map(|(id, _)| id).collect();
    let entries: BTreeSet<_> = entries.into_iter().map(|entry| format!("Alarm{entry}")).collect();
    assert_eq!(ids, entries);
}

#[test]
fn every_alarm_says_where_its_entry_is_and_tells_people_when_it_begins_and_ends() {
    for (id, alarm) in alarms() {
        let text = alarm["AlarmDescription"]["Fn::Sub"].as_str().unwrap_or_default().to_owned();
        assert!(text.ends_with(&format!("${{RunbookUrl}}#{}", id.to_lowercase())), "{id}: {text}");
        assert!(text.contains(" / ") && !text.is_ascii(), "{id} speaks Korean and English: {text}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions][0]["Ref"], "AlarmTopic", "{id} {actions}");
        }
        assert!(alarm["TreatMissingData"].is_string(), "{id} says what silence means");
    }
}

/// An alarm that listens under another name hears nothing, for ever.
#[test]
fn every_alarm_of_ours_listens_to_this_stack_alone() {
    for (id, alarm) in alarms().into_iter().filter(|(_, alarm)| alarm["Namespace"] == "PortonePayments") {
        let dimensions = alarm["Dimensions"].as_array().unwrap();
        assert_eq!(dimensions.len(), 1, "{id}");
        assert_eq!(dimensions[0]["Name"], "Stack", "{id}");
        assert_eq!(dimensions[0]["Value"]["Ref"], "AWS::StackName", "{id}");
    }
}

#[test]
fn no_queue_fills_up_unheard() {
    let heard: BTreeSet<_> = alarms()
        .into_iter()
        .filter(|(_, alarm)| alarm["Namespace"] == "AWS/SQS")
        .filter_map(|(_, alarm)| Some(alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0].as_str()?.to_owned()))
        .collect();
    let queues: BTreeSet<_> = of_type("AWS::SQS::Queue").into_iter().map(|(id, _)| id).collect();
    assert_eq!(queues, heard);
}
