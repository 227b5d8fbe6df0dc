//! The table's stream: its records in order, from any place in it, as a pipe hands them on. dynoxide keeps
//! all of them, in one shard, and moto does too.

use anyhow::{Context as _, bail};
use lambda_gateway::{ACCOUNT_ID, REGION};
use serde_json::{Value, json};

use crate::dynamodb::{DynamoDb, Place};

/// The stream of the local table.
#[derive(Clone)]
pub(super) struct Stream {
    place: Place,
    table: String,
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
    pub(super) fn open(dynamodb: &DynamoDb) -> anyhow::Result<(Self, Option<String>)> {
        let (place, table) = (dynamodb.place().clone(), dynamodb.table().to_owned());
        let described = place.call("DescribeTable", json!({ "TableName": table }))?;
        let Some(arn) = described["Table"]["LatestStreamArn"].as_str() else {
            bail!("the template has a pipe, and its table no StreamSpecification");
        };
        let mut stream = Self { place, table, arn: arn.to_owned(), shard: String::new() };
        let shard = stream.shard_description()?;
        stream.shard = shard["ShardId"].as_str().context("a stream has a shard")?.to_owned();
        let newest = stream.newest_now()?;
        Ok((stream, newest))
    }

    fn shard_description(&self) -> anyhow::Result<Value> {
        let described = self.place.call("DescribeStream", json!({ "StreamArn": self.arn }))?;
        Ok(described["StreamDescription"]["Shards"][0].clone())
    }

    /// The number of the newest record; `None` if there is none.
    pub(super) async fn newest(&self) -> anyhow::Result<Option<String>> {
        let stream = self.clone();
        tokio::task::spawn_blocking(move || stream.newest_now()).await?
    }

    /// dynoxide says where a shard ends. Others, as the cloud, say it only of one that is closed.
    fn newest_now(&self) -> anyhow::Result<Option<String>> {
        if let Some(ending) =
            self.shard_description()?["SequenceNumberRange"]["EndingSequenceNumber"].as_str()
        {
            return Ok(Some(ending.to_owned()));
        }
        if matches!(self.place, Place::Embedded(_)) {
            return Ok(None);
        }
        let mut newest = None;
        let mut iterator = self.iterator("TRIM_HORIZON", None)?;
        loop {
            let found = self.place.call("GetRecords", json!({ "ShardIterator": iterator }))?;
            let Some(last) = found["Records"].as_array().and_then(|records| records.last()) else {
                return Ok(newest);
            };
            newest = Some(sequence_number(last).to_owned());
            iterator = found["NextShardIterator"].clone();
        }
    }

    fn iterator(&self, kind: &str, number: Option<String>) -> anyhow::Result<Value> {
        let mut request = json!({ "StreamArn": self.arn, "ShardId": self.shard, "ShardIteratorType": kind });
        if let Some(number) = number {
            request["SequenceNumber"] = Value::from(number);
        }
        Ok(self.place.call("GetShardIterator", request)?["ShardIterator"].clone())
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
        let iterator = self.iterator(kind, number)?;
        let mut found =
            self.place.call("GetRecords", json!({ "ShardIterator": iterator, "Limit": limit }))?;
        let mut records = match found["Records"].take() {
            Value::Array(records) => records,
            _ => Vec::new(),
        };
        for record in &mut records {
            // What emulators say otherwise than the cloud.
            record["awsRegion"] = Value::from(REGION);
            record["eventSourceARN"] = Value::from(self.cloud_arn());
        }
        Ok(records)
    }

    /// The stream's name as the cloud would write it.
    pub(super) fn cloud_arn(&self) -> String {
        let label = self.arn.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{}/stream/{label}", self.table)
    }

    /// The shard's name.
    pub(super) fn shard(&self) -> &str {
        &self.shard
    }
}
