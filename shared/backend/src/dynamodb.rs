//! DynamoDB's wire: the operations that the table is used by, as AWS's API reference names and spells them.
//!
//! Not its SDK: a call through that took a quarter of an invocation's instructions, and its client most of a
//! start. What an attribute is on the wire is `serde_dynamo`'s, the signature and when a request is sent again
//! are [`crate::signed`]'s.

use std::collections::HashMap;

use http::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
pub use serde_dynamo::AttributeValue;
use url::Url;

use crate::{
    config::AwsEnvironment,
    connection::{AWS_ATTEMPT_MAX, AWS_CALL_MAX, Connection, endpoint},
    signed::{Answer, Bounds, Service, SignedClient, SignedError},
    sigv4::Signable,
};

/// An item, or part of one, by attribute name; an expression's values, by placeholder.
pub type Item = HashMap<String, AttributeValue>;

/// An expression's names, by placeholder.
pub type Names = HashMap<String, String>;

const BOUNDS: Bounds = Bounds { attempt: AWS_ATTEMPT_MAX, whole: AWS_CALL_MAX };

/// An operation that reads. Repeating it changes nothing.
pub trait Read: Serialize {
    /// DynamoDB's name of it.
    const OPERATION: &'static str;
    /// What of its answer is used.
    type Answer: DeserializeOwned;
}

/// An operation that writes one item.
pub trait Write: Serialize {
    /// DynamoDB's name of it.
    const OPERATION: &'static str;
}

/// What came of a write.
#[derive(Debug)]
pub enum Written {
    /// It was done.
    Done,
    /// Its condition did not hold. The item that is there, if there is one and it was asked for.
    Refused(Option<Item>),
}

/// DynamoDB did not answer, or not with anything that can be used, after some attempts.
#[derive(Debug, thiserror::Error)]
#[error("{operation} failed")]
pub struct CallError {
    /// The operation.
    pub operation: &'static str,
    /// Why. Nothing of an item is in it.
    #[source]
    pub source: SignedError,
}

/// What comes along when a condition does not hold.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum ReturnValues {
    /// The item that is there.
    #[serde(rename = "ALL_OLD")]
    AllOld,
}

/// One item by its key.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetItem<'a> {
    /// The table.
    pub table_name: &'a str,
    /// The item's key.
    pub key: Item,
    /// Whether everything that was written before is seen.
    pub consistent_read: bool,
}

/// The answer to [`GetItem`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Got {
    /// The item, if there is one.
    pub item: Option<Item>,
}

impl Read for GetItem<'_> {
    const OPERATION: &'static str = "GetItem";
    type Answer = Got;
}

/// Items of one partition of the table or of an index, in the order of their sort keys.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Query<'a> {
    /// The table.
    pub table_name: &'a str,
    /// The index, if not the table itself is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_name: Option<&'a str>,
    /// Which partition, and which part of it.
    pub key_condition_expression: &'a str,
    /// Its values.
    pub expression_attribute_values: Item,
    /// The most that is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_start_key: Option<Item>,
}

/// Every item, a part of the table at a time.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Scan<'a> {
    /// The table.
    pub table_name: &'a str,
    /// Whether everything that was written before is seen.
    pub consistent_read: bool,
    /// Which part of how many.
    pub segment: u16,
    /// How many parts there are.
    pub total_segments: u16,
    /// The most that is looked at.
    pub limit: u16,
    /// What is left out of what was looked at.
    pub filter_expression: &'a str,
    /// Its values.
    pub expression_attribute_values: Item,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_start_key: Option<Item>,
}

/// The answer to [`Query`] and [`Scan`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Page {
    /// The items.
    pub items: Vec<Item>,
    /// Where it ended, if there may be more.
    pub last_evaluated_key: Option<Item>,
}

impl Read for Query<'_> {
    const OPERATION: &'static str = "Query";
    type Answer = Page;
}

impl Read for Scan<'_> {
    const OPERATION: &'static str = "Scan";
    type Answer = Page;
}

/// Items by their keys, 100 at most.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGetItem {
    /// By table.
    pub request_items: HashMap<String, Keys>,
}

/// The keys of one table that are asked for, each once.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Keys {
    /// The keys.
    pub keys: Vec<Item>,
    /// Whether everything that was written before is seen.
    pub consistent_read: bool,
}

/// The answer to [`BatchGetItem`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGot {
    /// What there is, by table, in no order.
    pub responses: HashMap<String, Vec<Item>>,
    /// What DynamoDB did not get to: to be asked for again.
    #[serde(default)]
    pub unprocessed_keys: HashMap<String, Keys>,
}

impl Read for BatchGetItem {
    const OPERATION: &'static str = "BatchGetItem";
    type Answer = BatchGot;
}

/// An item in the place of the one that has its key.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutItem<'a> {
    /// The table.
    pub table_name: &'a str,
    /// The item.
    pub item: Item,
    /// What has to hold for the item that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition_expression: Option<&'a str>,
    /// What comes along if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_values_on_condition_check_failure: Option<ReturnValues>,
}

/// Some attributes of an item, which is made if it is not there.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateItem<'a> {
    /// The table.
    pub table_name: &'a str,
    /// The item's key.
    pub key: Item,
    /// What becomes of the attributes.
    pub update_expression: &'a str,
    /// What has to hold for the item that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition_expression: Option<&'a str>,
    /// Names in both.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub expression_attribute_names: Names,
    /// Values in both.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub expression_attribute_values: Item,
    /// What comes along if the condition does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_values_on_condition_check_failure: Option<ReturnValues>,
}

/// No item any more.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteItem<'a> {
    /// The table.
    pub table_name: &'a str,
    /// The item's key.
    pub key: Item,
    /// What has to hold for the item that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition_expression: Option<&'a str>,
    /// Values in it.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    pub expression_attribute_values: Item,
}

impl Write for PutItem<'_> {
    const OPERATION: &'static str = "PutItem";
}

impl Write for UpdateItem<'_> {
    const OPERATION: &'static str = "UpdateItem";
}

impl Write for DeleteItem<'_> {
    const OPERATION: &'static str = "DeleteItem";
}

/// One write of several that are all done or none.
#[derive(Clone, Debug, Serialize)]
pub enum TransactWriteItem<'a> {
    /// An item.
    Put(PutItem<'a>),
    /// Attributes of an item.
    Update(UpdateItem<'a>),
}

/// Several writes that are all done or none, 100 at most, each of another item.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TransactWriteItems<'a> {
    /// The writes.
    pub transact_items: Vec<TransactWriteItem<'a>>,
    /// Chance, by which DynamoDB knows a transaction that is sent again from another one for ten minutes.
    pub client_request_token: String,
}

/// Why one write of a transaction kept it from being done, if it did.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancellationReason {
    code: Option<String>,
    /// The item that is there, if there is one and it was asked for.
    pub item: Option<Item>,
}

impl CancellationReason {
    /// Whether its condition did not hold.
    pub fn is_condition(&self) -> bool {
        self.code.as_deref() == Some("ConditionalCheckFailed")
    }
}

/// The refusal of a transaction.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cancelled {
    #[serde(default)]
    cancellation_reasons: Vec<CancellationReason>,
}

/// What came of a transaction.
#[derive(Debug)]
pub enum Transacted {
    /// All of it was done.
    Done,
    /// Nothing of it. One reason for each write, in their order.
    Cancelled(Vec<CancellationReason>),
}

/// DynamoDB in one region, as this function calls it.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: SignedClient,
    url: Url,
}

impl DynamoDb {
    /// Nothing is connected yet.
    pub fn new(connection: &Connection, aws: &AwsEnvironment) -> Self {
        Self {
            client: SignedClient::new(connection, aws, Service::DynamoDb),
            url: endpoint("dynamodb", &aws.region, aws.dynamodb_endpoint.as_ref()),
        }
    }

    /// Reads.
    pub async fn read<R: Read>(&self, request: &R) -> Result<R::Answer, CallError> {
        match self.answer(R::OPERATION, request).await? {
            Answer::Ok(body) => parsed(R::OPERATION, &body),
            Answer::Refused(refusal) => Err(CallError { operation: R::OPERATION, source: refusal.into() }),
        }
    }

    /// Writes, unless the condition does not hold.
    ///
    /// A request whose answer got lost is sent again: who has to know whether a refusal is its own write's doing
    /// marks what it writes.
    pub async fn write<W: Write>(&self, request: &W) -> Result<Written, CallError> {
        match self.answer(W::OPERATION, request).await? {
            Answer::Ok(_) => Ok(Written::Done),
            Answer::Refused(refusal) if refusal.code == "ConditionalCheckFailedException" => {
                Ok(Written::Refused(parsed::<Got>(W::OPERATION, &refusal.body)?.item))
            }
            Answer::Refused(refusal) => Err(CallError { operation: W::OPERATION, source: refusal.into() }),
        }
    }

    /// Writes all of it, or nothing.
    pub async fn transact(&self, request: &TransactWriteItems<'_>) -> Result<Transacted, CallError> {
        const OPERATION: &str = "TransactWriteItems";
        match self.answer(OPERATION, request).await? {
            Answer::Ok(_) => Ok(Transacted::Done),
            Answer::Refused(refusal) if refusal.code == "TransactionCanceledException" => {
                let cancelled = parsed::<Cancelled>(OPERATION, &refusal.body)?;
                Ok(Transacted::Cancelled(cancelled.cancellation_reasons))
            }
            Answer::Refused(refusal) => Err(CallError { operation: OPERATION, source: refusal.into() }),
        }
    }

    async fn answer(&self, operation: &'static str, request: &impl Serialize) -> Result<Answer, CallError> {
        let body = serde_json::to_vec(request).expect("strings and numbers are JSON");
        self.send(operation, &body).await.map_err(|source| CallError { operation, source })
    }

    /// What all operations have in common.
    async fn send(&self, operation: &str, body: &[u8]) -> Result<Answer, SignedError> {
        let target = format!("DynamoDB_20120810.{operation}");
        let request = Signable {
            method: &Method::POST,
            url: &self.url,
            headers: &[("content-type", "application/x-amz-json-1.0"), ("x-amz-target", &target)],
            body,
        };
        self.client.exchange(request, BOUNDS).await
    }
}

fn parsed<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T, CallError> {
    // serde's message could quote the value: it is dropped on purpose.
    let unreadable = |_| SignedError::Unanswered("its answer is not DynamoDB's".into());
    serde_json::from_slice(body).map_err(|error| CallError { operation, source: unreadable(error) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> Item {
        [("PK".to_owned(), AttributeValue::S("ORDER#1".to_owned()))].into()
    }

    #[test]
    fn what_a_request_does_not_say_is_not_sent() {
        // DynamoDB refuses names and values that are empty or that no expression uses.
        let get = GetItem { table_name: "shop", key: key(), consistent_read: true };
        assert_eq!(
            serde_json::to_value(get).unwrap(),
            json!({ "TableName": "shop", "Key": { "PK": { "S": "ORDER#1" } }, "ConsistentRead": true })
        );
        let update = UpdateItem {
            table_name: "shop",
            key: key(),
            update_expression: "SET a = b",
            ..UpdateItem::default()
        };
        assert_eq!(
            serde_json::to_value(TransactWriteItem::Update(update)).unwrap(),
            json!({ "Update": {
                "TableName": "shop", "Key": { "PK": { "S": "ORDER#1" } }, "UpdateExpression": "SET a = b",
            } })
        );
        let query = Query { table_name: "shop", key_condition_expression: "PK = :pk", ..Query::default() };
        assert_eq!(
            serde_json::to_value(query).unwrap(),
            json!({ "TableName": "shop", "KeyConditionExpression": "PK = :pk", "ExpressionAttributeValues": {} })
        );
    }

    #[test]
    fn every_write_of_a_cancelled_transaction_has_its_reason() {
        let body = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": [
                { "Code": "None" },
                { "Code": "ConditionalCheckFailed", "Item": { "stock": { "N": "0" } }, "Message": "no" },
                { "Code": "TransactionConflict", "Message": "another one" },
            ],
        });
        let reasons = parsed::<Cancelled>("TransactWriteItems", body.to_string().as_bytes()).unwrap();
        let reasons = reasons.cancellation_reasons;
        assert_eq!(
            reasons.iter().map(CancellationReason::is_condition).collect::<Vec<_>>(),
            [false, true, false]
        );
        let left = reasons[1].item.as_ref().map(|item| item["stock"].clone());
        assert_eq!(left, Some(AttributeValue::N("0".to_owned())));
    }

    #[test]
    fn an_error_quotes_nothing_of_an_item() {
        let body = r#"{ "Item": { "customer": { "홍길동": "x" } } }"#;
        let error = parsed::<Got>("GetItem", body.as_bytes()).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("홍길동"));
    }
}
