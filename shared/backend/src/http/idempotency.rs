//! The `Idempotency-Key` header (IETF draft-ietf-httpapi-idempotency-key-header).

use super::{Problem, ProblemCode};

/// The key of a request, without quotes: `"abc"` and `abc` are the same key. Nothing if there is no
/// header; a problem if it is not 1–255 printable ASCII characters.
pub fn idempotency_key(header: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(header) = header else { return Ok(None) };
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

    fn key(header: &str) -> Option<String> {
        idempotency_key(Some(header)).ok().flatten()
    }

    #[test]
    fn quoted_and_bare_are_the_same_key() {
        assert_eq!(key("abc-1").as_deref(), Some("abc-1"));
        assert_eq!(key("\"abc-1\""), key(" abc-1 "));
        assert_eq!(key(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        assert_eq!(idempotency_key(None).ok(), Some(None));
    }

    #[test]
    fn a_key_is_1_to_255_printable_ascii_characters() {
        assert!(key(&"k".repeat(255)).is_some());
        for wrong in ["", "\"\"", "   ", &"k".repeat(256), "키", "a\u{7f}", "\"a\"b\"", "\"a\\n\""] {
            assert!(key(wrong).is_none(), "{wrong}");
        }
    }
}
