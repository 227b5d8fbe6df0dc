//! A body that is said to be base64 and is not. lambda_http panics where it decodes one, which is a 500.

use base64::{Engine, engine::general_purpose::STANDARD};
use lambda_http::{Body, Request, Response, request::LambdaRequest};

use super::{Call, Problem, ProblemCode};
use crate::clock::Deadline;

/// Whether the body cannot be decoded; the request is left without it.
pub(super) fn is_taken_from(request: &mut LambdaRequest) -> bool {
    let LambdaRequest::ApiGatewayV2(request) = request else { return false };
    let is_broken =
        request.is_base64_encoded && request.body.as_ref().is_some_and(|body| STANDARD.decode(body).is_err());
    if is_broken {
        request.body = None;
    }
    is_broken
}

/// 400 for a request that was left without its body.
pub(super) async fn refuse(request: &Request) -> Response<Body> {
    let refused = async { Err(Problem::new(ProblemCode::MalformedJson)) };
    Call::of(request).answer(Deadline::start(), refused).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(body: &str, is_base64: bool) -> LambdaRequest {
        let event = json!({
            "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
            "headers": { "content-type": "application/json", "host": "shop.example" },
            "requestContext": {
                "accountId": "0", "apiId": "a", "requestId": "r", "routeKey": "POST /orders", "stage": "$default",
                "timeEpoch": 0,
                "http": { "method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "sourceIp": "::1" },
            },
            "body": body, "isBase64Encoded": is_base64,
        });
        serde_json::from_value(event).unwrap()
    }

    #[tokio::test]
    async fn a_body_that_is_no_base64_is_refused_and_never_read_as_something_else() {
        for broken in ["%", "e30", "e30==", "e3 0=", "{}", "Zm9v\u{301}"] {
            let mut request = request(broken, true);
            assert!(is_taken_from(&mut request), "{broken}");
            let request = Request::from(request);
            assert!(request.body().is_empty());
            assert_eq!(refuse(&request).await.status(), 400);
        }
        for (sound, is_base64) in [("e30=", true), ("", true), ("%", false), ("{}", false)] {
            assert!(!is_taken_from(&mut request(sound, is_base64)), "{sound}");
        }
    }
}
