//! What a function returned as an HTTP response, by the rules of payload format 2.0.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::invocation::InvokeError;

/// Headers that the front itself decides on.
const OWN: [HeaderName; 3] = [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// A response that API Gateway makes itself: `{"message": …}`.
pub(crate) fn message(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({"message": message}).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The response for a function's answer.
///
/// With `statusCode` it is a response description, and a malformed one is 500. Without, the answer is the
/// body of a 200 of `application/json`, whatever it is (AWS's Lambda test tool records that API Gateway does
/// not check that it is JSON). `multiValueHeaders` has no meaning in format 2.0 and is ignored.
pub(crate) fn respond(answer: &[u8]) -> Response<Body> {
    let description: Value = serde_json::from_slice(answer).unwrap_or_default();
    if description.get("statusCode").is_none() {
        let mut response = Response::new(Body::from(answer.to_vec()));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return response;
    }
    described(&description)
        .unwrap_or_else(|| message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
}

fn described(description: &Value) -> Option<Response<Body>> {
    let status = u16::try_from(description["statusCode"].as_u64()?).ok()?;
    let body = match &description["body"] {
        Value::Null => Vec::new(),
        Value::String(text) if description["isBase64Encoded"] == true => STANDARD.decode(text).ok()?,
        Value::String(text) => text.clone().into_bytes(),
        _ => return None,
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational())?;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for (name, value) in description["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        if !OWN.contains(&name) {
            headers.insert(name, header_value(value)?);
        }
    }
    for cookie in description["cookies"].as_array().into_iter().flatten() {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    Some(response)
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    HeaderValue::from_str(&text).ok()
}

/// The response for an invocation that failed. API Gateway tells the caller nothing of the reason: it is
/// 503 where the function could not be run now, and 500 for every error of the function, its own timeout
/// included.
pub(crate) fn failed(error: &InvokeError) -> Response<Body> {
    match error {
        InvokeError::Throttled(_) | InvokeError::ShuttingDown => {
            message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        InvokeError::UnknownFunction(_)
        | InvokeError::Unstartable { .. }
        | InvokeError::Init { .. }
        | InvokeError::Handler { .. }
        | InvokeError::Crashed { .. }
        | InvokeError::TimedOut { .. } => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

/// Removes what a function says about CORS: where the API has a CORS configuration, API Gateway ignores it.
pub(crate) fn forget_cors(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in own {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn response(answer: &str) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let (parts, body) = respond(answer.as_bytes()).into_parts();
        let headers = parts.headers.iter();
        let headers = headers.map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_owned())).collect();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
        (parts.status.as_u16(), headers, body)
    }

    #[tokio::test]
    async fn a_description_becomes_status_headers_cookies_and_body() {
        let answer = r#"{"statusCode":201,"headers":{"Content-Type":"application/json","X-Count":3},
            "multiValueHeaders":{"x-ignored":["1"]},"cookies":["a=1","b=2"],"body":"{}","isBase64Encoded":false}"#;
        let (status, headers, body) = response(answer).await;
        assert_eq!(status, 201);
        let pairs: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("content-type", "application/json"),
                ("x-count", "3"),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2")
            ]
        );
        assert_eq!(body, b"{}");
    }

    #[tokio::test]
    async fn a_base64_body_is_sent_as_its_bytes() {
        let (_, headers, body) = response(r#"{"statusCode":200,"body":"/w==","isBase64Encoded":true}"#).await;
        assert_eq!(body, [0xff]);
        assert_eq!(headers, [("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())]);
    }

    #[tokio::test]
    async fn an_answer_without_status_is_the_body_of_a_200() {
        for answer in [r#"{"hello":"world"}"#, r#""text""#, "[1]", "not json"] {
            let (status, headers, body) = response(answer).await;
            assert_eq!((status, body.as_slice()), (200, answer.as_bytes()));
            assert_eq!(headers, [("content-type".to_owned(), "application/json".to_owned())]);
        }
    }

    #[tokio::test]
    async fn a_malformed_description_is_a_500_that_tells_nothing() {
        for answer in [
            r#"{"statusCode":"200"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":101}"#,
            r#"{"statusCode":200,"body":{"a":1}}"#,
            r#"{"statusCode":200,"body":"%","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":{"a b":"1"}}"#,
        ] {
            let (status, _, body) = response(answer).await;
            assert_eq!(
                (status, body.as_slice()),
                (500, &br#"{"message":"Internal Server Error"}"#[..]),
                "{answer}"
            );
        }
    }
}
