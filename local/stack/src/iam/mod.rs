//! The roles of a template, asked at every call to a backend as AWS asks them: the template's `Policies` decide, so
//! that every story runs under the roles that are deployed. Who calls is the key id of the request's signature,
//! which the gateway makes the function's name; the signature itself is not checked.
//!
//! | module | owns |
//! |---|---|
//! | `demand` | what a call needs: actions and resources |
//! | [`record`] | what was asked for, kept for [`record::faults`] |
//!
//! The pipe and the schedules work under their roles in the same way; what they ask for, they ask by name
//! ([`Roles::permit`]), since no request of theirs passes a wire.
//!
//! Deliberately absent: conditions, denials by statement, policies of resources.

mod demand;
pub mod record;

use std::{collections::BTreeMap, path::Path};

use http::{HeaderMap, header};
use lambda_gateway::{
    ACCOUNT_ID, Template,
    template::{Statement, Table},
};

use crate::{
    dynamodb::TABLE_NAME,
    wire::{Backend, Request},
};
use record::{Record, Use};

/// The roles of a template: the functions' by the function's name, those of services by their own.
pub struct Roles {
    statements: BTreeMap<String, Vec<Statement>>,
    table: Table,
    called: String,
    record: Option<Record>,
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Nobody known has signed it.
    Stranger,
    /// The function's role does not say that it may.
    NotGranted {
        /// Who asks, as AWS names a role's session.
        user: String,
        /// Such as `dynamodb:PutItem`.
        action: String,
        /// The resource's ARN.
        resource: String,
    },
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stranger => f.write_str("the template has no such role"),
            Self::NotGranted { user, action, resource } => {
                write!(f, "{user} is not authorized to perform: {action} on resource: {resource}")
            }
        }
    }
}

impl Roles {
    /// The template's, whose table is called by [`crate::dynamodb::TABLE_NAME`]. What is asked for is appended
    /// to `record`.
    pub fn new(template: &Template, table: Table, record: Option<&Path>) -> anyhow::Result<Self> {
        let functions = template.functions().iter();
        let of_functions = functions.map(|function| (function.name.clone(), function.policies.clone()));
        let of_services = template.service_roles().into_iter();
        let of_services = of_services.map(|role| (role.name.clone(), role.statements.clone()));
        let statements = of_functions.chain(of_services);
        let record = record.map(Record::open).transpose()?;
        Ok(Self { statements: statements.collect(), table, called: TABLE_NAME.to_owned(), record })
    }

    /// The same where the table has another name, as it has in another DynamoDB.
    pub fn of_a_table_called(self, name: &str) -> Self {
        Self { called: name.to_owned(), ..self }
    }

    /// Whether the function that sends this request may.
    ///
    /// # Errors
    /// The first thing it may not, or that it is no function of the template.
    pub fn allow(&self, backend: Backend, request: &Request) -> Result<(), Denial> {
        let demands = match backend {
            Backend::DynamoDb => demand::of_table(request, &self.table, &self.called),
            Backend::SecretsManager => demand::of_secret(request),
            Backend::S3 => demand::of_object(request),
            Backend::Portone | Backend::PortoneV1 => return Ok(()),
        };
        let function = key_id(&request.headers).ok_or(Denial::Stranger)?;
        demands.into_iter().try_for_each(|(action, resource)| self.permit(function, &action, &resource))
    }

    /// Whether `who`, a function or the role of a service, may do this.
    ///
    /// # Errors
    /// It may not, or the template has nobody of this name.
    pub fn permit(&self, who: &str, action: &str, resource: &str) -> Result<(), Denial> {
        let statements = self.statements.get(who).ok_or(Denial::Stranger)?;
        let grant = statements
            .iter()
            .filter(|statement| statement.actions.iter().any(|pattern| fits(pattern, action)))
            .flat_map(|statement| &statement.resources)
            .find(|pattern| fits(pattern, resource));
        if let Some(record) = &self.record {
            record.add(Use {
                function: who.to_owned(),
                action: action.to_owned(),
                resource: grant.map_or(resource, String::as_str).to_owned(),
                granted: grant.is_some(),
            });
        }
        if grant.is_some() {
            return Ok(());
        }
        Err(Denial::NotGranted {
            user: format!("arn:aws:sts::{ACCOUNT_ID}:assumed-role/local-{who}/{who}"),
            action: action.to_owned(),
            resource: resource.to_owned(),
        })
    }
}

/// The access key id of a request signed by Signature Version 4.
fn key_id(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}

/// Whether a text fits a pattern of IAM's: `*` is any number of characters, `?` is one.
fn fits(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let mut characters = text.chars();
    match first {
        '*' => fits(rest, text) || (characters.next().is_some() && fits(pattern, characters.as_str())),
        '?' => characters.next().is_some() && fits(rest, characters.as_str()),
        _ => characters.next() == Some(first) && fits(rest, characters.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};
    use serde_json::{Value, json};

    use super::*;

    const TEMPLATE: &str = r#"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }]
  ExportBucket: { Type: AWS::S3::Bucket }
  Writer:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: writer } }
    Properties:
      Policies:
        - Statement:
            - { Effect: Allow, Action: [dynamodb:PutItem, dynamodb:BatchGetItem], Resource: !GetAtt Table.Arn }
            - { Effect: Allow, Action: dynamodb:Query, Resource: !Sub "${Table.Arn}/index/open" }
            - { Effect: Allow, Action: s3:PutObject, Resource: !Sub "${ExportBucket.Arn}/a/*" }
            - Effect: Allow
              Action: secretsmanager:GetSecretValue
              Resource: !Sub "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:shop-??????"
"#;

    /// What becomes of a call by `caller`: the action that is refused, or nothing.
    fn asked(caller: &str, backend: Backend, operation: &str, path: &str, body: &Value) -> Option<String> {
        let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
        let table = template.table().unwrap().clone();
        let roles = Roles::new(&template, table, None).unwrap();
        let signed = format!("AWS4-HMAC-SHA256 Credential={caller}/20261123/r/s/aws4_request, Signature=0");
        let request = Request {
            operation: operation.to_owned(),
            method: Method::POST,
            path: path.to_owned(),
            headers: HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&signed).unwrap())]),
            body: body.to_string().into(),
        };
        match roles.allow(backend, &request) {
            Ok(()) => None,
            Err(Denial::Stranger) => Some("stranger".to_owned()),
            Err(Denial::NotGranted { action, resource, .. }) => {
                Some(format!("{action} {}", resource.rsplit(':').next().unwrap_or_default()))
            }
        }
    }

    fn table(operation: &str, body: Value) -> Option<String> {
        asked("writer", Backend::DynamoDb, operation, "/", &body)
    }

    #[test]
    fn a_role_allows_what_it_names_on_what_it_names() {
        let orders = |more: Value| {
            let mut body = json!({"TableName": "orders"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        assert_eq!(table("PutItem", orders(json!({}))), None);
        assert_eq!(table("DeleteItem", orders(json!({}))).unwrap(), "dynamodb:DeleteItem table/Table");
        assert_eq!(table("PutItem", json!({"TableName": "x"})).unwrap(), "dynamodb:PutItem table/x");
        // An index is a resource of its own, and the table's grant is none for it.
        assert_eq!(table("Query", orders(json!({"IndexName": "open"}))), None);
        assert_eq!(table("Query", orders(json!({}))).unwrap(), "dynamodb:Query table/Table");
        assert_eq!(
            table("Query", orders(json!({"IndexName": "catalogue"}))).unwrap(),
            "dynamodb:Query table/Table/index/catalogue"
        );
    }

    #[test]
    fn a_batch_needs_every_table_and_a_transaction_the_actions_of_its_items() {
        assert_eq!(table("BatchGetItem", json!({"RequestItems": {"orders": {}}})), None);
        let two = json!({"RequestItems": {"orders": {}, "x": {}}});
        assert_eq!(table("BatchGetItem", two).unwrap(), "dynamodb:BatchGetItem table/x");
        let item = |kind: &str| json!({kind: {"TableName": "orders"}});
        let transaction = |items: Vec<Value>| table("TransactWriteItems", json!({"TransactItems": items}));
        assert_eq!(transaction(vec![item("Put")]), None);
        for (kind, action) in [
            ("Update", "dynamodb:UpdateItem table/Table"),
            ("Delete", "dynamodb:DeleteItem table/Table"),
            ("ConditionCheck", "dynamodb:ConditionCheckItem table/Table"),
        ] {
            assert_eq!(transaction(vec![item("Put"), item(kind)]).unwrap(), action);
        }
        let read = json!({"TransactItems": [{"Get": {"TableName": "orders"}}]});
        assert_eq!(table("TransactGetItems", read).unwrap(), "dynamodb:GetItem table/Table");
    }

    #[test]
    fn secrets_and_objects_are_named_as_aws_names_them() {
        let secret = |id: &str| {
            asked("writer", Backend::SecretsManager, "GetSecretValue", "/", &json!({"SecretId": id}))
        };
        assert_eq!(secret("shop"), None);
        assert_eq!(secret("arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf"), None);
        assert!(secret("shop2").unwrap().starts_with("secretsmanager:GetSecretValue shop2-"));
        let object =
            |operation: &str, path: &str| asked("writer", Backend::S3, operation, path, &Value::Null);
        assert_eq!(object("PutObject", "/export-bucket/a/2026/11.csv?x-id=PutObject"), None);
        assert_eq!(object("PutObject", "/export-bucket/b/1").unwrap(), "s3:PutObject export-bucket/b/1");
        assert_eq!(object("HeadObject", "/export-bucket/a/1").unwrap(), "s3:GetObject export-bucket/a/1");
    }

    #[test]
    fn who_is_no_function_of_the_template_is_a_stranger() {
        let body = json!({"TableName": "orders"});
        assert_eq!(asked("local", Backend::DynamoDb, "PutItem", "/", &body).unwrap(), "stranger");
        assert_eq!(asked("", Backend::DynamoDb, "PutItem", "/", &body).unwrap(), "stranger");
        assert_eq!(asked("nobody", Backend::Portone, "GET /payments/{paymentId}", "/", &body), None);
    }

    #[test]
    fn a_pattern_fits_as_iams_does() {
        for (pattern, text, expected) in [
            ("a:*", "a:b", true),
            ("*", "", true),
            ("a?c*", "abcde", true),
            ("a?c", "ac", false),
            ("s-??????", "s-AbCdEf", true),
            ("s-??????", "s-AbCdEfg", false),
            ("table/T", "table/T/index/open", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
