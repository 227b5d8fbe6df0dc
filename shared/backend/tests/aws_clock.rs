//! A clock that is wrong: AWS signs its responses with its own time, and the SDK signs the next attempt by it.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    time::Duration,
};

use backend::{
    config::{AwsCredentials, AwsEnvironment},
    connection::{Connection, aws::Aws},
    secrets::{SecretCache, SecretStore},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

const AHEAD: Duration = Duration::from_secs(3_600);

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(backend::clock::now().as_seconds()).expect("a time")
}

/// A request's `x-amz-date`, once the whole request is read.
fn signed_at(reader: &mut impl BufRead) -> String {
    let (mut signed_at, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name {
            "x-amz-date" => signed_at = value.to_owned(),
            "content-length" => length = value.parse().expect("a length"),
            _ => {}
        }
    }
    reader.read_exact(&mut vec![0; length]).expect("the body");
    signed_at
}

/// Signature Version 4, "Troubleshooting": a request whose time differs by more than five minutes is rejected with
/// `InvalidSignatureException` ("Signature expired"). Each response of AWS has a `Date`.
#[tokio::test]
async fn a_call_signed_by_a_wrong_clock_is_signed_again_by_the_services_clock() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let service = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a caller");
        let mut reader = BufReader::new(stream);
        let mut signed = Vec::new();
        for (status, body) in [
            ("400 Bad Request", r#"{"__type":"InvalidSignatureException","message":"Signature expired"}"#),
            ("200 OK", r#"{"SecretString":"{\"v2ApiSecret\":\"a\"}"}"#),
        ] {
            signed.push(signed_at(&mut reader));
            let date = (now() + AHEAD).format(&Rfc2822).expect("a date");
            let date = date.replace("+0000", "GMT");
            let head = format!("HTTP/1.1 {status}\r\ndate: {date}\r\ncontent-length: {}\r\n\r\n", body.len());
            reader.get_mut().write_all((head + body).as_bytes()).expect("the caller listens");
        }
        signed
    });
    let aws = AwsEnvironment {
        region: "ap-northeast-2".to_owned(),
        credentials: AwsCredentials::Environment {
            access_key_id: "an-id".to_owned(),
            secret_access_key: "a-key".to_owned(),
            session_token: None,
        },
        use_fips: false,
        use_dual_stack: false,
        dynamodb_endpoint: None,
        secrets_manager_endpoint: Some(url.parse().expect("a URL")),
        s3_endpoint: None,
    };
    let store = SecretStore::new(&Aws::new(&Connection::new(), aws), "portone".to_owned());
    SecretCache::load(store).await.expect("the second attempt is accepted");
    let signed = service.join().expect("the service");
    // `20261130T185900Z`: the hour is what differs, or the day around midnight.
    assert_ne!(signed[0][..11], signed[1][..11], "{signed:?}");
}
