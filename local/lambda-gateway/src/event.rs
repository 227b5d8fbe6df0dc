//! An HTTP request as API Gateway's HTTP API hands it to a function: payload format 2.0 ("Working with
//! AWS Lambda proxy integrations for HTTP APIs"). Where AWS's guide is silent, this follows what AWS's own
//! Lambda test tool and published captures of live APIs show, and says so.

use std::{collections::BTreeMap, net::IpAddr};

use axum::http::{HeaderMap, Method, Uri, Version, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::format_description};

use crate::ACCOUNT_ID;

/// Headers about one connection, which API Gateway ends.
const HOP_BY_HOP: [header::HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A request that has found its route.
pub(crate) struct Incoming<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) version: Version,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) peer: IpAddr,
    /// `POST /orders`, or `$default`.
    pub(crate) route_key: &'a str,
    /// Path parameters as they stand in the path, still percent-encoded.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) request_id: &'a str,
    pub(crate) trace_id: &'a str,
    /// `requestContext.authorizer`, on a route that has one.
    pub(crate) authorizer: Option<Value>,
    pub(crate) at: OffsetDateTime,
}

/// The event for the function.
pub(crate) fn build(request: &Incoming<'_>) -> Value {
    let host = text(request.headers, &header::HOST);
    let domain = host.split(':').next().unwrap_or_default();
    // HTTP APIs hand the path over decoded, unlike REST APIs and function URLs (published captures of
    // live APIs; also how AWS's Lambda test tool builds it). The query string stays as it was sent.
    let path = decoded(request.uri.path());
    let raw_query = request.uri.query().unwrap_or_default();
    let clock = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");

    let mut event = json!({
        "version": "2.0",
        "routeKey": request.route_key,
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers(request),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.split('.').next().unwrap_or_default(),
            "http": {
                "method": request.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", request.version),
                "sourceIp": request.peer.to_string(),
                "userAgent": text(request.headers, &header::USER_AGENT),
            },
            "requestId": request.request_id,
            "routeKey": request.route_key,
            "stage": "$default",
            "time": request.at.format(clock).unwrap_or_default(),
            "timeEpoch": i64::try_from(request.at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
        },
        "isBase64Encoded": false,
    });
    if let Some(authorizer) = &request.authorizer {
        event["requestContext"]["authorizer"] = authorizer.clone();
    }
    let cookies = cookies(request.headers);
    if !cookies.is_empty() {
        event["cookies"] = Value::from(cookies);
    }
    if !raw_query.is_empty() {
        event["queryStringParameters"] = query(raw_query);
    }
    if !request.parameters.is_empty() {
        let decoded = request.parameters.iter().map(|(name, value)| (name.clone(), decoded(value).into()));
        event["pathParameters"] = Value::Object(decoded.collect());
    }
    if !request.body.is_empty() {
        let (body, is_base64) = body(request.headers, request.body);
        event["body"] = Value::from(body);
        event["isBase64Encoded"] = Value::from(is_base64);
    }
    event
}

fn headers(request: &Incoming<'_>) -> Map<String, Value> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in request.headers {
        // Cookies travel in `cookies` alone.
        if HOP_BY_HOP.contains(name) || name == header::COOKIE {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined.insert("content-length", request.body.len().to_string());
    if !request.body.is_empty() {
        joined.entry("content-type").or_insert_with(|| "text/plain; charset=utf-8".to_owned());
    }
    let peer = request.peer.to_string();
    joined
        .entry("x-forwarded-for")
        .and_modify(|chain| {
            chain.push_str(", ");
            chain.push_str(&peer);
        })
        .or_insert(peer);
    let port = text(request.headers, &header::HOST)
        .rsplit_once(':')
        .map_or("80".to_owned(), |(_, port)| port.to_owned());
    joined.insert("x-forwarded-port", port);
    joined.insert("x-forwarded-proto", "http".to_owned());
    joined.insert("x-amzn-trace-id", request.trace_id.to_owned());
    joined.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> String {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
    lines.flat_map(|line| line.split("; ").map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Values of one name are combined with commas, decoded.
fn query(raw: &str) -> Value {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|all| {
                all.push(',');
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    json!(parameters)
}

fn decoded(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// Text stays text; everything else, and text that is compressed or no UTF-8, is base64. Form bodies are
/// base64 too: to an HTTP API only `text/*`, JSON, JavaScript and XML are text.
fn body(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    let media_type = text(headers, &header::CONTENT_TYPE);
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = media_type.is_empty()
        || media_type.starts_with("text/")
        || matches!(media_type.as_str(), "application/json" | "application/javascript" | "application/xml")
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml");
    match str::from_utf8(body) {
        Ok(body) if is_text && !headers.contains_key(header::CONTENT_ENCODING) => (body.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use time::macros::datetime;

    use super::*;

    fn event(request: Request<&[u8]>, route_key: &str, parameters: &[(&str, &str)]) -> Value {
        build(&Incoming {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            body: request.body(),
            peer: "192.0.2.1".parse().unwrap(),
            route_key,
            parameters: parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            request_id: "JKJaXmPLvHcESHA=",
            trace_id: "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
            authorizer: None,
            at: datetime!(2020-03-12 19:03:58.390 UTC),
        })
    }

    /// The members and their form are those of the sample in AWS's guide, "Working with AWS Lambda proxy
    /// integrations for HTTP APIs", payload format 2.0.
    #[test]
    fn an_event_has_the_form_of_the_documented_sample() {
        let request = Request::post("/my/p%C3%A4th?parameter1=value1&parameter1=value2&parameter2=a%20b")
            .header("Host", "id.execute-api.us-east-1.amazonaws.com")
            .header("Header1", "value1")
            .header("Header2", "value1")
            .header("Header2", "value2")
            .header("User-Agent", "agent")
            .header("Content-Type", "application/json")
            .header("Cookie", "cookie1=a; cookie2=b")
            .header("Connection", "keep-alive")
            .body(&br#"{"name":"\ud64d\uae38\ub3d9"}"#[..])
            .unwrap();
        assert_eq!(
            event(request, "POST /my/{segment}", &[("segment", "p%C3%A4th")]),
            json!({
                "version": "2.0",
                "routeKey": "POST /my/{segment}",
                "rawPath": "/my/päth",
                "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=a%20b",
                "cookies": ["cookie1=a", "cookie2=b"],
                "headers": {
                    "content-length": "29",
                    "content-type": "application/json",
                    "header1": "value1",
                    "header2": "value1,value2",
                    "host": "id.execute-api.us-east-1.amazonaws.com",
                    "user-agent": "agent",
                    "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
                    "x-forwarded-for": "192.0.2.1",
                    "x-forwarded-port": "80",
                    "x-forwarded-proto": "http",
                },
                "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "a b"},
                "requestContext": {
                    "accountId": "123456789012",
                    "apiId": "local",
                    "domainName": "id.execute-api.us-east-1.amazonaws.com",
                    "domainPrefix": "id",
                    "http": {
                        "method": "POST",
                        "path": "/my/päth",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "192.0.2.1",
                        "userAgent": "agent",
                    },
                    "requestId": "JKJaXmPLvHcESHA=",
                    "routeKey": "POST /my/{segment}",
                    "stage": "$default",
                    "time": "12/Mar/2020:19:03:58 +0000",
                    "timeEpoch": 1_584_039_838_390_i64,
                },
                "pathParameters": {"segment": "päth"},
                "body": r#"{"name":"\ud64d\uae38\ub3d9"}"#,
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn a_request_without_query_body_cookies_and_parameters_has_none_of_these_members() {
        let event = event(Request::get("/products").body(&b""[..]).unwrap(), "GET /products", &[]);
        for member in ["queryStringParameters", "body", "cookies", "pathParameters"] {
            assert!(event.get(member).is_none(), "{member}");
        }
        assert_eq!(event["rawQueryString"], "");
        assert_eq!(event["headers"]["content-length"], "0");
    }

    #[test]
    fn text_stays_text_and_everything_else_is_base64() {
        let sent = |content_type: &str, encoding: Option<&str>, body: &'static [u8]| {
            let mut request = Request::post("/");
            if !content_type.is_empty() {
                request = request.header("content-type", content_type);
            }
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            let event = event(request.body(body).unwrap(), "POST /", &[]);
            (event["body"].as_str().unwrap().to_owned(), event["isBase64Encoded"] == true)
        };
        assert_eq!(sent("application/json; charset=utf-8", None, "홍".as_bytes()), ("홍".to_owned(), false));
        assert_eq!(sent("text/plain", None, b"x"), ("x".to_owned(), false));
        assert_eq!(sent("", None, b"x"), ("x".to_owned(), false));
        assert_eq!(sent("application/json", None, b"\xff"), ("/w==".to_owned(), true));
        assert_eq!(sent("application/json", Some("gzip"), b"x"), ("eA==".to_owned(), true));
        assert_eq!(sent("application/x-www-form-urlencoded", None, b"a=b"), ("YT1i".to_owned(), true));
        assert_eq!(sent("application/octet-stream", None, b"x"), ("eA==".to_owned(), true));
    }
}
