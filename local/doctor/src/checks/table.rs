//! The table, held against the template of this checkout, and the catalogue in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{
    AttributeValue, IndexStatus, KeySchemaElement, PointInTimeRecoveryStatus, Projection, TableDescription,
};
use lambda_gateway::Template;
use local_stack::catalogue;
use serde_json::{Map, Value, json};

use super::or_ok;
use crate::{
    cloud,
    report::{Finding, Look},
    system::System,
};

const REDEPLOY: &str = "`cargo xtask deploy` makes the table what this checkout's template says";
/// Of a catalogue that is larger than this, the rest is not read.
const PRODUCTS_MAX: usize = 2_000;

pub(super) async fn table(system: &System) -> Vec<Finding> {
    let name = system.variable("TABLE_NAME");
    let look = Look::at("table", format!("the table {name}, beside template.yaml"));
    let wanted = match Template::read(&system.template, &BTreeMap::new()) {
        Ok(template) => template.table().map(|table| table.create_request(name)).unwrap_or_default(),
        Err(error) => return vec![look.not_checked(format!("template.yaml: {error}"), "mend the template")],
    };
    let described = match system.dynamodb.describe_table().table_name(name).send().await {
        Ok(described) => described.table.unwrap_or_else(|| TableDescription::builder().build()),
        Err(error) => return vec![cloud::missing_or_unread(&look, &error, REDEPLOY)],
    };
    let mut faults = differences(&look, &wanted, &described);
    if system.cloud.is_some() {
        if described.deletion_protection_enabled() != Some(true) {
            faults.push(look.fail("anybody may delete it: deletion protection is off", REDEPLOY));
        }
        let backups = system.dynamodb.describe_continuous_backups().table_name(name).send().await;
        match backups {
            Err(error) => faults.push(cloud::missing_or_unread(&look, &error, REDEPLOY)),
            Ok(backups) => {
                let status = backups
                    .continuous_backups_description()
                    .and_then(|backups| backups.point_in_time_recovery_description())
                    .and_then(|recovery| recovery.point_in_time_recovery_status());
                if status != Some(&PointInTimeRecoveryStatus::Enabled) {
                    let says = "no moment of it can be brought back: point-in-time recovery is off";
                    faults.push(look.fail(says, REDEPLOY));
                }
            }
        }
    }
    or_ok(&look, faults, "keys, indexes and stream are the template's")
}

fn differences(look: &Look, wanted: &Value, table: &TableDescription) -> Vec<Finding> {
    let mut faults = Vec::new();
    if wanted_keys(&wanted["KeySchema"]) != keys(table.key_schema()) {
        faults.push(look.fail(
            "its keys are others than the template's",
            "it is another table: a key cannot be changed, only another table made",
        ));
    }
    for index in wanted["GlobalSecondaryIndexes"].as_array().into_iter().flatten() {
        let name = index["IndexName"].as_str().unwrap_or_default();
        let found = table.global_secondary_indexes().iter().find(|found| found.index_name() == Some(name));
        let Some(found) = found else {
            faults.push(look.fail(format!("the index {name} is missing"), REDEPLOY));
            continue;
        };
        let same_projection =
            found.projection().map(projected) == Some(wanted_projection(&index["Projection"]));
        if wanted_keys(&index["KeySchema"]) != keys(found.key_schema()) || !same_projection {
            let says = format!("the index {name} is another than the template's");
            faults.push(
                look.fail(
                    says,
                    "give the index another name in the template, deploy, and delete the old one",
                ),
            );
        } else if found.index_status().is_some_and(|status| *status != IndexStatus::Active) {
            faults
                .push(look.warn(format!("the index {name} is still being built"), "wait until it is active"));
        }
    }
    let wanted_view = wanted["StreamSpecification"]["StreamViewType"].as_str();
    let view = table
        .stream_specification()
        .filter(|stream| stream.stream_enabled())
        .and_then(|stream| stream.stream_view_type())
        .map(|view| view.as_str());
    if wanted_view.is_some() && view != wanted_view {
        faults
            .push(look.fail("its stream is off or has other images: no event is told to anybody", REDEPLOY));
    }
    faults
}

fn wanted_keys(schema: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let keys = schema.as_array().into_iter().flatten();
    keys.map(|key| (text(&key["AttributeName"]), text(&key["KeyType"]))).collect()
}

fn keys(schema: &[KeySchemaElement]) -> Vec<(String, String)> {
    schema.iter().map(|key| (key.attribute_name().to_owned(), key.key_type().as_str().to_owned())).collect()
}

fn wanted_projection(projection: &Value) -> (String, BTreeSet<String>) {
    let kind = projection["ProjectionType"].as_str().unwrap_or("ALL").to_owned();
    let names = projection["NonKeyAttributes"].as_array().into_iter().flatten();
    (kind, names.filter_map(|name| Some(name.as_str()?.to_owned())).collect())
}

fn projected(projection: &Projection) -> (String, BTreeSet<String>) {
    let kind = projection.projection_type().map_or("ALL", |kind| kind.as_str()).to_owned();
    (kind, projection.non_key_attributes().iter().cloned().collect())
}

pub(super) async fn catalogue(system: &System) -> Vec<Finding> {
    let name = system.variable("TABLE_NAME");
    let look = Look::at("catalogue", format!("the index catalogue of {name}"));
    let load = format!("cargo xtask products load FILE --table {name}");
    let mut pages = system
        .dynamodb
        .query()
        .table_name(name)
        .index_name("catalogue")
        .key_condition_expression("SK = :product")
        .expression_attribute_values(":product", AttributeValue::S("PRODUCT".to_owned()))
        .into_paginator()
        .items()
        .send();
    let (mut read, mut for_sale, mut faults) = (0_usize, 0_usize, Vec::new());
    while let Some(item) = pages.next().await {
        let item = match item {
            Ok(item) => item,
            Err(error) => return vec![cloud::missing_or_unread(&look, &error, REDEPLOY)],
        };
        let product = as_file_entry(&item);
        let id = product["productId"].as_str().unwrap_or_default().to_owned();
        match catalogue::parse(json!([product]).to_string()) {
            Ok(products) => for_sale += products.iter().filter(|product| product.active).count(),
            Err(found) => {
                let why = found
                    .0
                    .iter()
                    .map(|fault| format!("{}: {}", fault.pointer.trim_start_matches("/0/"), fault.detail));
                let says = format!(
                    "the product {id:?} is broken and left out: {}",
                    why.collect::<Vec<_>>().join("; ")
                );
                faults.push(look.warn(says, format!("mend it in the file, and {load}")));
            }
        }
        read += 1;
        if read == PRODUCTS_MAX {
            break;
        }
    }
    if for_sale == 0 {
        faults.push(look.warn("nothing is for sale", load));
    }
    or_ok(&look, faults, format!("{for_sale} of {read} products are for sale"))
}

/// An item as the catalogue's file would have it, so that one validation serves both.
fn as_file_entry(item: &HashMap<String, AttributeValue>) -> Value {
    let mut entry = Map::new();
    let key = item.get("PK").and_then(|key| key.as_s().ok()).map_or("", String::as_str);
    entry.insert("productId".to_owned(), json!(key.strip_prefix("PRODUCT#").unwrap_or_default()));
    for name in ["name", "price", "currency", "active", "taxFreeAmount", "stock"] {
        let value = match item.get(name) {
            None => continue,
            Some(AttributeValue::S(text)) => json!(text),
            Some(AttributeValue::Bool(flag)) => json!(flag),
            Some(AttributeValue::N(number)) => {
                number.parse::<u64>().map_or(json!(number), |number| json!(number))
            }
            Some(_) => Value::Null,
        };
        entry.insert(name.to_owned(), value);
    }
    Value::Object(entry)
}
