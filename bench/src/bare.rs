//! What a caller waits for besides the backend: its bytes have to reach the wire and come back, and it has to be
//! woken. A caller that does nothing else is measured, since no function can wait for less.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use lambda_gateway::REGION;
use local_stack::{Backend, secret::SECRET_ID};
use serde_json::{Value, json};

use crate::system::System;

/// Calls that are measured, after some that are not.
const CALLS: usize = 200;
const WARM: usize = 20;

/// How much longer than the wire a bare caller sees a call, in the middle of many: as `get-order` asks for an
/// order, over one connection.
pub async fn beside_the_wire(system: &System) -> anyhow::Result<Duration> {
    let key = json!({ "PK": { "S": "ORDER#none" }, "SK": { "S": "ORDER" } });
    let body = json!({ "TableName": system.shop.stack.table_name(), "Key": key });
    let asked = Asked { service: "dynamodb", target: "DynamoDB_20120810.GetItem", body };
    beside(system, Backend::DynamoDb, asked, Connections::One).await
}

/// The same as a function asks for the secret when it starts, over a connection that it has to open.
pub async fn beside_the_secret(system: &System) -> anyhow::Result<Duration> {
    let body = json!({ "SecretId": SECRET_ID });
    let asked = Asked { service: "secretsmanager", target: "secretsmanager.GetSecretValue", body };
    beside(system, Backend::SecretsManager, asked, Connections::OneEach).await
}

/// What is asked again and again.
struct Asked {
    service: &'static str,
    target: &'static str,
    body: Value,
}

/// Over what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    One,
    OneEach,
}

async fn beside(
    system: &System,
    backend: Backend,
    asked: Asked,
    connections: Connections,
) -> anyhow::Result<Duration> {
    let url = system.shop.stack.wire(backend).url().to_owned();
    let mark = system.shop.stack.mark();
    let calling = move || call_again_and_again(&url, &asked, connections);
    let seen = tokio::task::spawn_blocking(calling).await??;
    let calls = system.shop.stack.calls_since(mark);
    ensure!(calls.len() == seen.len(), "{} calls of {} went over the wire", calls.len(), seen.len());
    let spans = calls.iter().filter_map(|call| Some(call.ended?.saturating_sub(call.started)));
    let mut beside: Vec<_> =
        seen.into_iter().zip(spans).map(|(seen, span)| seen.saturating_sub(span)).collect();
    beside.drain(..WARM);
    beside.sort_unstable();
    beside.get(beside.len() / 2).copied().context("no call has ended")
}

/// The wire looks at whose the key is, and nobody at the signature.
fn call_again_and_again(url: &str, asked: &Asked, connections: Connections) -> anyhow::Result<Vec<Duration>> {
    let host = url.strip_prefix("http://").with_context(|| format!("{url} is no http:// URL"))?;
    let Asked { service, target, body } = asked;
    let body = body.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\n\
         Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\nX-Amz-Date: 20260101T000000Z\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=get-order/20260101/{REGION}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0\r\n\r\n{body}",
        body.len()
    );
    let mut answers = connect(host)?;
    let mut seen = Vec::new();
    for _ in 0..WARM + CALLS {
        let begun = Instant::now();
        if connections == Connections::OneEach {
            answers = connect(host)?;
        }
        answers.get_mut().write_all(request.as_bytes())?;
        read_answer(&mut answers)?;
        seen.push(begun.elapsed());
    }
    Ok(seen)
}

fn connect(host: &str) -> anyhow::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
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
