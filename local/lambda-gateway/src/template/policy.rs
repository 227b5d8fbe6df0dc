//! What a role may do: the statements of its `Policies`, with the names that resources have on this
//! machine. Only what allows actions on resources is understood; anything else is refused by name, since a role
//! that is half understood proves nothing.

use serde_json::Value;

use super::{
    TemplateError,
    scope::{Scope, text},
};

/// One statement of a role. Each of its actions is allowed on each of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Such as `dynamodb:GetItem`.
    pub actions: Vec<String>,
    /// ARNs, in which `*` and `?` stand for anything.
    pub resources: Vec<String>,
}

/// The statements of `Policies`, without those that a condition rules out.
pub(super) fn statements(
    whose: &str,
    policies: &Value,
    scope: &Scope,
) -> Result<Vec<Statement>, TemplateError> {
    let unusable = |why: String| TemplateError::Unusable(format!("{whose}: Policies: {why}"));
    let scope = scope.with_arns();
    let mut statements = Vec::new();
    for policy in list(policies) {
        let Some(inside) = policy.get("Statement") else {
            return Err(unusable(format!("{policy} is no list of statements")));
        };
        for statement in list(inside).into_iter().filter_map(|statement| scope.chosen(statement)) {
            for (name, _) in statement.as_object().into_iter().flatten() {
                if !["Action", "Effect", "Resource", "Sid"].contains(&name.as_str()) {
                    return Err(unusable(format!("{name} is not known to the local system")));
                }
            }
            if statement["Effect"] != "Allow" {
                return Err(unusable("Effect has to be Allow".to_owned()));
            }
            let texts = |name: &str| {
                let value = statement.get(name).and_then(|value| scope.resolve(value));
                let texts: Option<Vec<_>> = list(&value.unwrap_or_default()).into_iter().map(text).collect();
                texts.filter(|texts| !texts.is_empty()).ok_or_else(|| {
                    unusable(format!("{name} of {statement} is missing or known in the cloud only"))
                })
            };
            statements.push(Statement { actions: texts("Action")?, resources: texts("Resource")? });
        }
    }
    Ok(statements)
}

/// A list, or one value in place of a list of it.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().collect(),
        one => vec![one],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn read(policies: Value) -> Result<Vec<Statement>, TemplateError> {
        let document = json!({
            "Parameters": {"Key": {"Type": "String", "Default": ""}},
            "Conditions": {"HasKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Key"}, ""]}]}},
            "Resources": {
                "Table": {"Type": "AWS::DynamoDB::Table"},
                "ExportBucket": {"Type": "AWS::S3::Bucket"},
            },
        });
        statements("function F", &policies, &Scope::new(&document, &BTreeMap::new()).unwrap())
    }

    #[test]
    fn statements_name_the_resources_as_they_are_named_here() {
        let read = read(json!([{"Statement": [
            {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": {"Fn::Sub": "${Table.Arn}/index/open"}},
            {"Fn::If": ["HasKey", {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Ref": "Key"}}, {"Ref": "AWS::NoValue"}]},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": [{"Fn::Sub": "${ExportBucket.Arn}/a/*"}, {"Fn::GetAtt": ["Table", "Arn"]}],
            },
        ]}]));
        let statement = |actions: &[&str], resources: &[&str]| Statement {
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            resources: resources.iter().map(|resource| (*resource).to_owned()).collect(),
        };
        let table = "arn:aws:dynamodb:ap-northeast-2:123456789012:table/Table";
        assert_eq!(
            read.unwrap(),
            [
                statement(&["dynamodb:Query"], &[&format!("{table}/index/open")]),
                statement(&["s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::export-bucket/a/*", table]),
            ]
        );
    }

    #[test]
    fn what_is_not_understood_of_a_role_is_refused_by_name() {
        let allow = |name: &str, value: Value| {
            let mut statement = json!({"Effect": "Allow", "Action": "a:B", "Resource": "*"});
            statement[name] = value;
            json!([{"Statement": statement}])
        };
        for (policies, reason) in [
            (json!("AmazonDynamoDBFullAccess"), "no list of statements"),
            (json!([{"DynamoDBCrudPolicy": {"TableName": "t"}}]), "no list of statements"),
            (allow("Condition", json!({})), "Condition is not known"),
            (allow("NotAction", json!("a:C")), "NotAction is not known"),
            (allow("Effect", json!("Deny")), "Effect has to be Allow"),
            (allow("Resource", json!({"Fn::GetAtt": ["Queue", "Arn"]})), "known in the cloud only"),
            (allow("Action", json!([])), "Action of"),
        ] {
            let error = read(policies).unwrap_err().to_string();
            assert!(error.starts_with("function F: Policies: ") && error.contains(reason), "{error}");
        }
        assert_eq!(read(Value::Null).unwrap(), []);
    }
}
