//! The table's stream: its records in order, from any place in it, as a pipe hands them on. dynoxide keeps
//! all of them, in one shard.

use anyhow::{Context as _, bail};
use dynoxide::Database;
use lambda_gateway::{ACCOUNT_ID, REGION};
use serde_json::{Value, json};

use crate::dynamodb::TABLE_NAME;

/// The stream of the local table.
#[derive(Clone)]
pub(super) struct Stream {
    database: Database,
    arn: String,
    shard: String,
}

/// The place of a record, which DynamoDB's numbers order as texts.
pub(super) fn sequence_number(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

/// Where reading begins.
pub(super) enum From {
    Beginning,
    After(String),
    At(String),
}

impl Stream {
    /// The stream, and its newest record's number.
    pub(super) fn open(database: &Database) -> anyhow::Result<(Self, Option<String>)> {
        let request = serde_json::from_value(json!({ "TableName": TABLE_NAME }))?;
        let table = serde_json::to_value(database.describe_table(request)?)?;
        let Some(arn) = table["Table"]["LatestStreamArn"].as_str() else {
            bail!("the template has a pipe, and its table no StreamSpecification");
        };
        let mut stream = Self { database: database.clone(), arn: arn.to_owned(), shard: String::new() };
        let shard = stream.shard_description()?;
        stream.shard = shard["ShardId"].as_str().context("a stream has a shard")?.to_owned();
        Ok((stream, ending(&shard)))
    }

    fn shard_description(&self) -> anyhow::Result<Value> {
        let request = serde_json::from_value(json!({ "StreamArn": self.arn }))?;
        let described = serde_json::to_value(self.database.describe_stream(request)?)?;
        Ok(described["StreamDescription"]["Shards"][0].clone())
    }

    /// The number of the newest record; `None` if there is none.
    pub(super) async fn newest(&self) -> anyhow::Result<Option<String>> {
        let stream = self.clone();
        tokio::task::spawn_blocking(move || Ok(ending(&stream.shard_description()?))).await?
    }

    /// At most `limit` records, in order.
    pub(super) async fn read(&self, from: From, limit: usize) -> anyhow::Result<Vec<Value>> {
        let stream = self.clone();
        tokio::task::spawn_blocking(move || stream.read_now(from, limit)).await?
    }

    fn read_now(&self, from: From, limit: usize) -> anyhow::Result<Vec<Value>> {
        let (kind, number) = match from {
            From::Beginning => ("TRIM_HORIZON", None),
            From::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number)),
            From::At(number) => ("AT_SEQUENCE_NUMBER", Some(number)),
        };
        let request = json!({
            "StreamArn": self.arn, "ShardId": self.shard, "ShardIteratorType": kind, "SequenceNumber": number,
        });
        let iterator = self.database.get_shard_iterator(serde_json::from_value(request)?)?;
        let request = json!({ "ShardIterator": iterator.shard_iterator, "Limit": limit });
        let found = self.database.get_records(serde_json::from_value(request)?)?;
        let mut records = Vec::new();
        for record in found.records {
            let mut record = serde_json::to_value(record)?;
            // What dynoxide says otherwise than the cloud.
            record["awsRegion"] = Value::from(REGION);
            record["eventSourceARN"] = Value::from(self.cloud_arn());
            records.push(record);
        }
        Ok(records)
    }

    /// The stream's name as the cloud would write it.
    pub(super) fn cloud_arn(&self) -> String {
        let label = self.arn.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{TABLE_NAME}/stream/{label}")
    }

    /// The shard's name.
    pub(super) fn shard(&self) -> &str {
        &self.shard
    }
}

fn ending(shard: &Value) -> Option<String> {
    shard["SequenceNumberRange"]["EndingSequenceNumber"].as_str().map(str::to_owned)
}
