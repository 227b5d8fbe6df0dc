//! Reading a request: its JSON body, its headers.

use lambda_http::Request;
use serde_json::Value;

use super::{Problem, ProblemCode};

/// No request of ours needs more.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// The JSON body of a request.
///
/// # Errors
/// 415 for another content type, 413 over [`BODY_BYTES_MAX`], 400 for what is not JSON.
pub fn json_body(request: &Request) -> Result<Value, Problem> {
    let content_type = header(request, "content-type").unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" {
        return Err(Problem::new(ProblemCode::UnsupportedMediaType));
    }
    let body: &[u8] = request.body().as_ref();
    if body.len() > BODY_BYTES_MAX {
        return Err(Problem::new(ProblemCode::BodyTooLarge));
    }
    serde_json::from_slice(body).map_err(|_| Problem::new(ProblemCode::MalformedJson))
}

/// A header's value, if it is there and text.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The token in `Authorization: Bearer …`.
pub fn bearer_token(request: &Request) -> Option<&str> {
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
