//! What a call needs, as the service authorization reference has it: pairs of an action and a resource.

use lambda_gateway::{ACCOUNT_ID, REGION, template::Table};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::wire::Request;

type Demand = (String, String);

/// DynamoDB. A batch needs its own action on every table, a transaction those of its items, and a query of an index
/// the index alone.
pub(super) fn of_table(request: &Request, table: &Table, called: &str) -> Vec<Demand> {
    let body = request.json();
    let arn = |name: &Value| match name.as_str() {
        Some(name) if name == called => table.arn(),
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        other => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{}", other.unwrap_or("*")),
    };
    let action = |name: &str| format!("dynamodb:{name}");
    match request.operation.as_str() {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(name, _)| (action(&request.operation), arn(&Value::from(name.as_str())))).collect()
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let members = items.filter_map(Value::as_object).flatten();
            let action = |kind: &str| format!("dynamodb:{kind}Item");
            members.map(|(kind, item)| (action(kind), arn(&item["TableName"]))).collect()
        }
        operation => {
            let table = arn(&body["TableName"]);
            let resource = match body["IndexName"].as_str() {
                Some(index) => format!("{table}/index/{index}"),
                None => table,
            };
            vec![(action(operation), resource)]
        }
    }
}

/// Secrets Manager, which puts six characters of its own behind a secret's name.
pub(super) fn of_secret(request: &Request) -> Vec<Demand> {
    let body = request.json();
    let id = body["SecretId"].as_str().unwrap_or("*");
    let arn = match id.starts_with("arn:") {
        true => id.to_owned(),
        false => format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT_ID}:secret:{id}-LoCaL1"),
    };
    vec![(format!("secretsmanager:{}", request.operation), arn)]
}

/// S3. Looking whether an object is there needs what reading it needs.
pub(super) fn of_object(request: &Request) -> Vec<Demand> {
    let action = match request.operation.as_str() {
        "HeadObject" => "s3:GetObject".to_owned(),
        operation => format!("s3:{operation}"),
    };
    let path = request.path.split('?').next().unwrap_or_default().trim_start_matches('/');
    vec![(action, format!("arn:aws:s3:::{}", percent_decode_str(path).decode_utf8_lossy()))]
}
