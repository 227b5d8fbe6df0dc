//! What a caller waits for besides the backend: its bytes have to reach the wire and come back, and it has to be
//! woken. A caller that does nothing else is measured, since no function can wait for less.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use lambda_gateway::REGION;
use local_stack::Backend;
use serde_json::json;

use crate::system::System;

/// Calls that are measured, after some that are not.
const CALLS: usize = 200;
const WARM: usize = 20;

/// How much longer than the wire a bare caller sees a call, in the middle of many.
pub async fn beside_the_wire(system: &System) -> anyhow::Result<Duration> {
    let url = system.shop.stack.wire(Backend::DynamoDb).url().to_owned();
    let table = system.shop.stack.table_name().to_owned();
    let mark = system.shop.stack.mark();
    let seen = tokio::task::spawn_blocking(move || call_again_and_again(&url, &table)).await??;
    let calls = system.shop.stack.calls_since(mark);
    ensure!(calls.len() == seen.len(), "{} calls of {} went over the wire", calls.len(), seen.len());
    let spans = calls.iter().filter_map(|call| Some(call.ended?.saturating_sub(call.started)));
    let mut beside: Vec<_> =
        seen.into_iter().zip(spans).map(|(seen, span)| seen.saturating_sub(span)).collect();
    beside.drain(..WARM);
    beside.sort_unstable();
    beside.get(beside.len() / 2).copied().context("no call has ended")
}

/// As `get-order` asks for an order, over one connection. The wire looks at whose the key is, and nobody at the
/// signature.
fn call_again_and_again(url: &str, table: &str) -> anyhow::Result<Vec<Duration>> {
    let host = url.strip_prefix("http://").with_context(|| format!("{url} is no http:// URL"))?;
    let key = json!({ "PK": { "S": "ORDER#none" }, "SK": { "S": "ORDER" } });
    let body = json!({ "TableName": table, "Key": key }).to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nX-Amz-Date: 20260101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=get-order/20260101/{REGION}/dynamodb/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    (0..WARM + CALLS)
        .map(|_| {
            let begun = Instant::now();
            stream.write_all(request.as_bytes())?;
            read_answer(&mut answers)?;
            Ok(begun.elapsed())
        })
        .collect()
}

fn read_answer(answers: &mut BufReader<TcpStream>) -> anyhow::Result<()> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        ensure!(answers.read_line(&mut head)? > 0, "the connection ended: {head}");
    }
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    let length = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.context("an answer has its length")?.1.trim().parse()?;
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    Ok(())
}
