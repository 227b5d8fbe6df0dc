//! The DynamoDB table of a template as requests of DynamoDB's own API. CloudFormation's block and
//! CreateTable agree on nearly every member; what differs is translated here, and what a local table
//! cannot have (backups, encryption, deletion protection) is left out by name.

use serde_json::{Map, Value, json};

use super::{
    TemplateError,
    scope::{Scope, table_arn, text},
};

/// Members that CreateTable takes as CloudFormation writes them.
const SAME: [&str; 5] =
    ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode"];

/// A table's definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The resource's name in the template.
    pub logical_id: String,
    /// The attribute with the expiry time in Unix seconds, if items expire.
    pub ttl_attribute: Option<String>,
    create: Map<String, Value>,
}

impl Table {
    pub(super) fn new(logical_id: &str, properties: &Value, scope: &Scope) -> Result<Self, TemplateError> {
        let resolved = scope.resolve(properties).unwrap_or_default();
        let mut create = Map::new();
        for name in SAME {
            if let Some(value) = resolved.get(name) {
                create.insert(name.to_owned(), value.clone());
            }
        }
        for name in ["AttributeDefinitions", "KeySchema"] {
            if !create.contains_key(name) {
                return Err(TemplateError::Unusable(format!("table {logical_id}: {name} is missing")));
            }
        }
        if let Some(view) = resolved["StreamSpecification"].get("StreamViewType") {
            create.insert(
                "StreamSpecification".to_owned(),
                json!({"StreamEnabled": true, "StreamViewType": view}),
            );
        }
        let expiry = &resolved["TimeToLiveSpecification"];
        let ttl_attribute =
            text(&expiry["AttributeName"]).filter(|_| text(&expiry["Enabled"]).as_deref() != Some("false"));
        Ok(Self { logical_id: logical_id.to_owned(), ttl_attribute, create })
    }

    /// What a role calls it.
    pub fn arn(&self) -> String {
        table_arn(&self.logical_id)
    }

    /// The same table without its stream.
    #[must_use]
    pub fn without_stream(mut self) -> Self {
        self.create.remove("StreamSpecification");
        self
    }

    /// The body of a CreateTable request for a table called `name`.
    pub fn create_request(&self, name: &str) -> Value {
        let mut request = self.create.clone();
        request.insert("TableName".to_owned(), Value::from(name));
        Value::Object(request)
    }

    /// The body of an UpdateTimeToLive request, if items expire.
    pub fn time_to_live_request(&self, name: &str) -> Option<Value> {
        let attribute = self.ttl_attribute.as_ref()?;
        Some(json!({
            "TableName": name,
            "TimeToLiveSpecification": {"Enabled": true, "AttributeName": attribute},
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn table(properties: Value) -> Result<Table, TemplateError> {
        let scope = Scope::new(&json!({}), &BTreeMap::new()).unwrap();
        Table::new("Table", &properties, &scope)
    }

    #[test]
    fn the_block_becomes_a_create_table_request_without_what_a_local_table_cannot_have() {
        let keys = json!([{"AttributeName": "PK", "KeyType": "HASH"}]);
        let attributes = json!([{"AttributeName": "PK", "AttributeType": "S"}]);
        let table = table(json!({
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes,
            "KeySchema": keys,
            "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": true},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true},
            "DeletionProtectionEnabled": true,
            "SSESpecification": {"SSEEnabled": true},
        }))
        .unwrap();
        assert_eq!(
            table.create_request("orders"),
            json!({
                "TableName": "orders",
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": attributes,
                "KeySchema": keys,
                "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            })
        );
        assert_eq!(
            table.time_to_live_request("orders"),
            Some(json!({
                "TableName": "orders",
                "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "expiresAt"},
            }))
        );
    }

    #[test]
    fn a_table_without_keys_is_refused() {
        assert!(matches!(table(json!({"BillingMode": "PAY_PER_REQUEST"})), Err(TemplateError::Unusable(_))));
    }
}
