//! Another DynamoDB, by its URL. Its callers are tests that look at the table between two steps, so a call waits
//! where it is made; HTTP/1.0, whose answers end with their connection, is enough for that.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, bail};
use lambda_gateway::REGION;
use serde_json::Value;

/// Longer than any implementation on one machine takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// The API that an operation is of: streams have one of their own.
fn api(operation: &str) -> &'static str {
    match operation {
        "DescribeStream" | "GetShardIterator" | "GetRecords" => "DynamoDBStreams_20120810",
        _ => "DynamoDB_20120810",
    }
}

/// One call, in DynamoDB's JSON. Emulators look at whose it is and where, and check no signature.
pub(super) fn call(url: &str, operation: &str, request: &Value) -> anyhow::Result<Value> {
    let host = url.strip_prefix("http://").with_context(|| format!("{url} is no http:// URL"))?;
    let body = request.to_string();
    let head = format!(
        "POST / HTTP/1.0\r\nHost: {host}\r\nX-Amz-Target: {}.{operation}\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nX-Amz-Date: 20260101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/{REGION}/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n\r\n",
        api(operation),
        body.len()
    );
    let mut stream = TcpStream::connect(host).with_context(|| format!("no DynamoDB at {url}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8(answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{operation}: {status} {body}");
    }
    Ok(serde_json::from_str(body)?)
}
