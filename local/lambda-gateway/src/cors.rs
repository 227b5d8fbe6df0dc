//! Cross-origin rules of the API, from the template's allow-list alone. Functions do not take part: the
//! gateway answers preflights and replaces whatever a function says about it.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};

use crate::{answer, template::Cors};

/// The answer to a preflight. An origin that is not on the list gets the same 204 without permission, and
/// its browser refuses the request.
pub(crate) fn preflight(cors: &Cors, request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if allow(cors, request, response.headers_mut()) {
        let headers = response.headers_mut();
        put_list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods);
        put_list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers);
        if let Some(seconds) = cors.max_age_s {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
        }
    }
    response
}

/// Puts the permission to read an answer onto it, if the asking origin is on the list.
pub(crate) fn decorate(cors: &Cors, request: &HeaderMap, headers: &mut HeaderMap) {
    answer::forget_cors(headers);
    if allow(cors, request, headers) {
        put_list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers);
    }
}

fn allow(cors: &Cors, request: &HeaderMap, headers: &mut HeaderMap) -> bool {
    let Some(origin) = request.get(header::ORIGIN) else { return false };
    if !cors.allow_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()) {
        return false;
    }
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    if cors.allow_credentials {
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    true
}

fn put_list(headers: &mut HeaderMap, name: header::HeaderName, items: &[String]) {
    if let Ok(value) = HeaderValue::from_str(&items.join(","))
        && !items.is_empty()
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        Cors {
            allow_origins: vec!["https://shop.example".to_owned()],
            allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
            allow_headers: vec!["content-type".to_owned()],
            expose_headers: vec!["retry-after".to_owned()],
            max_age_s: Some(600),
            allow_credentials: false,
        }
    }

    fn from(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_str(origin).unwrap())])
    }

    #[test]
    fn a_preflight_permits_an_origin_of_the_list_only() {
        let response = preflight(&cors(), &from("https://shop.example"));
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["access-control-allow-origin"], "https://shop.example");
        assert_eq!(response.headers()["access-control-allow-methods"], "GET,POST");
        assert_eq!(response.headers()["access-control-max-age"], "600");

        for stranger in ["https://evil.example", "https://shop.example.evil", "null"] {
            let response = preflight(&cors(), &from(stranger));
            assert_eq!((response.status().as_u16(), response.headers().len()), (204, 0), "{stranger}");
        }
    }

    #[test]
    fn what_a_function_says_about_cors_is_replaced() {
        let mut headers =
            HeaderMap::from_iter([(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"))]);
        decorate(&cors(), &from("https://evil.example"), &mut headers);
        assert!(headers.is_empty());
        decorate(&cors(), &from("https://shop.example"), &mut headers);
        assert_eq!(headers["access-control-allow-origin"], "https://shop.example");
        assert_eq!(headers["access-control-expose-headers"], "retry-after");
    }
}
