//! The description against what it describes: the types, the template, its own examples.

#![allow(clippy::unwrap_used, reason = "a description of another shape has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use lambda_gateway::Template;
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every operation: its method and path, and itself.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
        })
        .collect()
}

#[test]
fn what_is_checked_in_is_what_the_types_say() {
    let path = root().join("docs/openapi.json");
    let checked_in: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(checked_in == openapi::document(), "docs/openapi.json is stale: run `cargo xtask openapi`");
}

#[test]
fn the_templates_routes_are_the_descriptions_routes() {
    let template = Template::read(&root().join("template.yaml"), &BTreeMap::new()).unwrap();
    let deployed: BTreeSet<_> = template
        .routes()
        .iter()
        .map(|route| (format!("{} {}", route.method, route.path), route.authorizer.is_some()))
        .collect();
    let document = openapi::document();
    let described: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(route, operation)| {
            let choices = operation["security"].as_array().unwrap();
            (route, choices.iter().any(|choice| choice.get("operatorIam").is_some()))
        })
        .collect();
    assert_eq!(described, deployed, "routes, and whether only operators may call them");
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_described_in_vain() {
    let document = openapi::document();
    let mut used = BTreeSet::new();
    collect_references(&document, &mut used);
    for reference in &used {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    for kind in ["schemas", "parameters", "headers", "responses", "examples"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is never used");
        }
    }
}

fn collect_references(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                used.insert(reference.clone());
            }
            members.values().for_each(|value| collect_references(value, used));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, used)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = openapi::document();
    let mut checked = 0;
    for (route, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap().values();
        for content in
            answers.chain([&operation["requestBody"]]).filter_map(|part| part["content"].as_object())
        {
            for media in content.values() {
                let named = media["examples"].as_object().into_iter().flatten().map(|(_, example)| {
                    let example = example["$ref"].as_str().map_or(example, |reference| {
                        document.pointer(reference.trim_start_matches('#')).unwrap()
                    });
                    &example["value"]
                });
                for example in named.chain(media.get("example")) {
                    let schema = json!({
                        "$ref": "#/wanted", "wanted": media["schema"], "components": document["components"],
                    });
                    let validator =
                        jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
                    let faults: Vec<_> =
                        validator.iter_errors(example).map(|fault| fault.to_string()).collect();
                    assert!(faults.is_empty(), "{route}: {example}: {faults:?}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 50, "{checked} examples");
}
