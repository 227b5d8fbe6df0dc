//! PortOne, as far as looking goes: the newest payments of the store, and whether V1's key and secret are
//! taken. Nothing is ever changed there.

use std::time::{Duration, SystemTime};

use reqwest::{Client, RequestBuilder, Url, header};
use serde_json::{Value, json};

/// As many payments as tell how the system has been doing lately.
const NEWEST: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(15);

/// What PortOne said.
#[derive(Debug)]
pub(crate) enum Said {
    /// 200, with the body.
    Yes(Value),
    /// Another status, with the error's type where there is one.
    No { status: u16, kind: String },
    /// Nothing.
    Nothing(String),
}

/// An answer, and how far PortOne's clock was ahead of ours.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) said: Said,
    pub(crate) ahead_s: Option<i64>,
}

/// `GET /payments`: the newest payments of the store, over both generations.
pub(crate) async fn newest_payments(http: &Client, base: &str, secret: &str, store: &str) -> Answer {
    let filter = json!({"storeId": store, "sortBy": "REQUESTED_AT", "sortOrder": "DESC"});
    let body = json!({"page": {"number": 0, "size": NEWEST}, "filter": filter});
    let url = match Url::parse_with_params(&format!("{base}/payments"), [("requestBody", body.to_string())]) {
        Ok(url) => url,
        Err(error) => return Answer { said: Said::Nothing(error.to_string()), ahead_s: None },
    };
    ask(http.get(url).header(header::AUTHORIZATION, format!("PortOne {secret}"))).await
}

/// `POST /users/getToken`, which changes nothing: a token that is still good is given again.
pub(crate) async fn v1_token(http: &Client, base: &str, key: &str, secret: &str) -> Answer {
    ask(http.post(format!("{base}/users/getToken")).json(&json!({"imp_key": key, "imp_secret": secret})))
        .await
}

async fn ask(request: RequestBuilder) -> Answer {
    let response = match request.timeout(PATIENCE).send().await {
        Ok(response) => response,
        Err(error) => return Answer { said: Said::Nothing(unreached(&error)), ahead_s: None },
    };
    let ahead_s = ahead(response.headers(), SystemTime::now());
    let status = response.status().as_u16();
    let body: Option<Value> = response.json().await.ok();
    let said = match (status, body) {
        (200, Some(body)) => Said::Yes(body),
        (status, body) => {
            let kind = body.and_then(|body| Some(body["type"].as_str()?.to_owned()));
            Said::No { status, kind: kind.unwrap_or_else(|| "no type".to_owned()) }
        }
    };
    Answer { said, ahead_s }
}

/// How many seconds the sender's clock is ahead of `now`, by its `Date`.
pub(crate) fn ahead(headers: &header::HeaderMap, now: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    let seconds = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).ok().map(|at| at.as_secs());
    i64::try_from(seconds(date)?).ok()?.checked_sub(i64::try_from(seconds(now)?).ok()?)
}

/// Why nothing came, without the address, which may carry what is nobody's business.
pub(crate) fn unreached(error: &reqwest::Error) -> String {
    let why = match () {
        () if error.is_timeout() => "no answer in time",
        () if error.is_connect() => "no connection",
        () => "the connection broke",
    };
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| why.to_owned(), |cause| format!("{why} ({cause})"))
}
