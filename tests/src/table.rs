//! What is stored, past the functions and past the wire. Items are shown as plain JSON, numbers as numbers.

use local_stack::Stack;
use serde_json::{Map, Value, json};

/// DynamoDB's JSON of one attribute as plain JSON. Sets and binaries stay as they are.
fn plain(attribute: &Value) -> Value {
    let Some((kind, value)) = attribute.as_object().and_then(|members| members.iter().next()) else {
        return attribute.clone();
    };
    match (kind.as_str(), value) {
        ("N", Value::String(number)) => serde_json::from_str(number).unwrap_or_else(|_| value.clone()),
        ("M", Value::Object(members)) => plain_item(members),
        ("L", Value::Array(values)) => values.iter().map(plain).collect(),
        _ => value.clone(),
    }
}

fn plain_item(item: &Map<String, Value>) -> Value {
    item.iter().map(|(name, attribute)| (name.clone(), plain(attribute))).collect()
}

/// Every item of the table whose partition key begins so.
pub fn items(stack: &Stack, prefix: &str) -> Vec<Value> {
    let items = scan(stack).into_iter();
    items
        .filter_map(|item| Some(plain_item(item.as_object()?)))
        .filter(|item| item["PK"].as_str().is_some_and(|key| key.starts_with(prefix)))
        .collect()
}

/// An order's item as DynamoDB's JSON; panics if there is none.
pub fn raw_order(stack: &Stack, order_id: &str) -> Value {
    let request = json!({ "TableName": stack.table_name(), "Key": order_key(order_id) });
    stack.table().call("GetItem", request).expect("the table can be read")["Item"].clone()
}

/// The whole table, a page after the other, as DynamoDB's JSON.
fn scan(stack: &Stack) -> Vec<Value> {
    let mut request = json!({ "TableName": stack.table_name() });
    let mut items = Vec::new();
    loop {
        let page = stack.table().call("Scan", request.clone()).expect("the table can be scanned");
        items.extend(page["Items"].as_array().cloned().unwrap_or_default());
        match &page["LastEvaluatedKey"] {
            Value::Object(last) if !last.is_empty() => request["ExclusiveStartKey"] = json!(last),
            _ => return items,
        }
    }
}

/// Writes an item as DynamoDB's JSON, in place of what was there.
pub fn put(stack: &Stack, item: &Value) {
    let request = json!({ "TableName": stack.table_name(), "Item": item });
    stack.table().call("PutItem", request).expect("the item can be written");
}

/// Sets one attribute of a product.
pub fn set_product(stack: &Stack, product_id: &str, attribute: &str, value: &Value) {
    set(stack, &format!("PRODUCT#{product_id}"), "PRODUCT", attribute, value);
}

/// Sets one attribute of an order, which keeps its version: as if it had always been so.
pub fn set_order(stack: &Stack, order_id: &str, attribute: &str, value: &Value) {
    // An order is keyed by the random part of its id.
    set(stack, &format!("ORDER#{}", &order_id[10..]), "ORDER", attribute, value);
}

/// Sets one member of a map in an order, which keeps its version.
pub fn set_inside(stack: &Stack, order_id: &str, map: &str, member: &str, value: &Value) {
    let request = json!({
        "TableName": stack.table_name(),
        "Key": order_key(order_id),
        "ConditionExpression": "attribute_exists(#map)",
        "UpdateExpression": "SET #map.#member = :value",
        "ExpressionAttributeNames": { "#map": map, "#member": member },
        "ExpressionAttributeValues": { ":value": value },
    });
    stack.table().call("UpdateItem", request).expect("the order has this map");
}

/// Takes one attribute off a product.
pub fn unset_product(stack: &Stack, product_id: &str, attribute: &str) {
    let request = json!({
        "TableName": stack.table_name(),
        "Key": { "PK": { "S": format!("PRODUCT#{product_id}") }, "SK": { "S": "PRODUCT" } },
        "UpdateExpression": "REMOVE #attribute",
        "ExpressionAttributeNames": { "#attribute": attribute },
    });
    stack.table().call("UpdateItem", request).expect("the product can be changed");
}

/// Deletes a product.
pub fn delete_product(stack: &Stack, product_id: &str) {
    let request = json!({
        "TableName": stack.table_name(),
        "Key": { "PK": { "S": format!("PRODUCT#{product_id}") }, "SK": { "S": "PRODUCT" } },
    });
    stack.table().call("DeleteItem", request).expect("the product can be deleted");
}

fn order_key(order_id: &str) -> Value {
    json!({ "PK": { "S": format!("ORDER#{}", &order_id[10..]) }, "SK": { "S": "ORDER" } })
}

fn set(stack: &Stack, partition: &str, sort: &str, attribute: &str, value: &Value) {
    let request = json!({
        "TableName": stack.table_name(),
        "Key": { "PK": { "S": partition }, "SK": { "S": sort } },
        "ConditionExpression": "attribute_exists(PK)",
        "UpdateExpression": "SET #attribute = :value",
        "ExpressionAttributeNames": { "#attribute": attribute },
        "ExpressionAttributeValues": { ":value": value },
    });
    stack.table().call("UpdateItem", request).expect("the item is there and can be changed");
}

/// As if PortOne had been asked for the order's first cancellation so many minutes earlier.
pub fn age_cancellation(stack: &Stack, order_id: &str, minutes: u32) {
    age_row(stack, order_id, 0, minutes);
}

/// The same of every cancellation of the order.
pub fn age_cancellations(stack: &Stack, order_id: &str, minutes: u32) {
    let orders = items(stack, &format!("ORDER#{}", &order_id[10..]));
    let rows = orders.first().and_then(|order| order["cancellations"].as_array()).map_or(0, Vec::len);
    (0..rows).for_each(|row| age_row(stack, order_id, row, minutes));
}

/// As if PortOne had last been asked for them so many minutes earlier, where that was more than once.
pub fn age_asking(stack: &Stack, order: &Value, minutes: u32) {
    let order_id = order["id"].as_str().expect("an order has an id");
    for (row, cancellation) in order["cancellations"].as_array().into_iter().flatten().enumerate() {
        age_row(stack, order_id, row, minutes);
        if cancellation["askedAgainAt"].is_number() {
            age(stack, order_id, row, "askedAgainAt", minutes);
        }
    }
}

fn age_row(stack: &Stack, order_id: &str, row: usize, minutes: u32) {
    age(stack, order_id, row, "at", minutes);
}

fn age(stack: &Stack, order_id: &str, row: usize, member: &str, minutes: u32) {
    let earlier = (i64::from(minutes) * 60_000).to_string();
    let request = json!({
        "TableName": stack.table_name(),
        "Key": order_key(order_id),
        "UpdateExpression": format!("SET cancellations[{row}].#at = cancellations[{row}].#at - :earlier"),
        "ExpressionAttributeNames": { "#at": member },
        "ExpressionAttributeValues": { ":earlier": { "N": earlier } },
    });
    stack.table().call("UpdateItem", request).expect("the order has this cancellation");
}
