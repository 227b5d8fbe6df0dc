//! The `Idempotency-Key` header (IETF draft-ietf-httpapi-idempotency-key-header).

use lambda_http::http::HeaderMap;

use super::{Problem, ProblemCode};

/// The key of a request, without quotes: `"abc"` and `abc` are the same key. Nothing if there is no
/// header; a problem if it is not 1–255 printable ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(header) = headers.get("idempotency-key") else { return Ok(None) };
    // What is no ASCII at all is no key either; taking it for "no key" would leave the request unprotected.
    let Ok(header) = header.to_str() else { return Err(Problem::new(ProblemCode::InvalidIdempotencyKey)) };
    let text = header.trim();
    let key = match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => unescape(quoted),
        None => Some(text.to_owned()),
    };
    let fits =
        |key: &String| (1..=255).contains(&key.len()) && key.bytes().all(|b| (b' '..=b'~').contains(&b));
    match key.filter(fits) {
        Some(key) => Ok(Some(key)),
        None => Err(Problem::new(ProblemCode::InvalidIdempotencyKey)),
    }
}

/// A structured-field string's `\"` and `\\` (RFC 8941, section 3.3.3).
fn unescape(quoted: &str) -> Option<String> {
    let mut text = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            '"' => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::http::{HeaderName, HeaderValue};

    fn key(header: &str) -> Option<String> {
        let value = HeaderValue::from_bytes(header.as_bytes()).unwrap();
        idempotency_key(&[(HeaderName::from_static("idempotency-key"), value)].into_iter().collect())
            .ok()
            .flatten()
    }

    #[test]
    fn quoted_and_bare_are_the_same_key() {
        assert_eq!(key("abc-1").as_deref(), Some("abc-1"));
        assert_eq!(key("\"abc-1\""), key(" abc-1 "));
        assert_eq!(key(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(idempotency_key(&HeaderMap::new()).ok(), Some(None));
    }

    #[test]
    fn a_key_is_1_to_255_printable_ascii_characters() {
        assert!(key(&"k".repeat(255)).is_some());
        for wrong in ["", "\"\"", "   ", &"k".repeat(256), "키", "\"a\"b\"", "\"a\\n\""] {
            assert!(key(wrong).is_none(), "{wrong}");
        }
    }
}
