//! What a V1 caller sends: the same fields as a query, a form or JSON, numbers as numbers or as text.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Number, Value};

use super::reply::Refused;

/// The fields of one request.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a body: a form where its type says so, else JSON; nothing counts as no fields.
    pub fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, Refused> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if is_form(content_type) {
            return Ok(Self(form(&String::from_utf8_lossy(body))));
        }
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let read = serde_json::from_slice(body).map(Self);
        read.map_err(|error| Refused::bad_request(&format!("요청 본문이 올바르지 않습니다. {error}")))
    }

    /// Reads a query.
    pub fn of_query(query: Option<&str>) -> Self {
        Self(form(query.unwrap_or_default()))
    }

    /// Text; a number counts as its digits, empty text as missing.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Text that must be there.
    pub fn required(&self, name: &str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| Refused::bad_request(&format!("{name} 파라미터가 필요합니다.")))
    }

    /// A number; `null` and empty text count as missing.
    pub fn number(&self, name: &str) -> Result<Option<Number>, Refused> {
        let wrong = || Refused::bad_request(&format!("{name} 파라미터는 숫자여야 합니다."));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.clone())),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.trim().parse().map(Some).map_err(|_| wrong()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(wrong()),
        }
    }

    /// A whole number.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Refused> {
        let wrong = || Refused::bad_request(&format!("{name} 파라미터는 정수여야 합니다."));
        self.number(name)?.map(|number| number.as_i64().ok_or_else(wrong)).transpose()
    }

    /// `true`, in any spelling; anything else is `false`.
    pub fn flag(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.to_ascii_lowercase().as_str(), "true" | "1"),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => false,
        }
    }
}

/// Every value of a query's `name[]`, `name[0]` or `name`, in order.
pub(super) fn list(query: Option<&str>, name: &str) -> Vec<String> {
    let named = |key: &str| {
        let rest = key.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || (rest.starts_with('[') && rest.ends_with(']')))
    };
    pairs(query.unwrap_or_default())
        .into_iter()
        .filter(|(key, _)| named(key))
        .map(|(_, value)| value)
        .collect()
}

/// Whether a media type is a form's.
pub(crate) fn is_form(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|it| it.trim_start().starts_with("application/x-www-form-urlencoded"))
}

/// The members of a form, all of them text.
pub(crate) fn form(text: &str) -> Map<String, Value> {
    pairs(text).into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let mut url = reqwest::Url::parse("http://form.invalid/").expect("a constant URL parses");
    url.set_query(Some(text));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_and_json_say_the_same() {
        let mut headers = HeaderMap::new();
        let json =
            Fields::of_body(&headers, br#"{"amount": 300, "enable_webhook": true, "reason": "r"}"#).unwrap();
        headers.insert(
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded; charset=utf-8".parse().unwrap(),
        );
        let form = Fields::of_body(&headers, b"amount=300&enable_webhook=true&reason=r").unwrap();
        for fields in [json, form] {
            assert_eq!(fields.integer("amount").unwrap(), Some(300));
            assert!(fields.flag("enable_webhook") && !fields.flag("other"));
            assert_eq!((fields.text("reason"), fields.text("none")), (Some("r".to_owned()), None));
        }
    }

    #[test]
    fn a_list_may_be_written_with_brackets_an_index_or_neither() {
        let query = Some("imp_uid[]=a&imp_uid%5B%5D=b&imp_uid[2]=c&imp_uid=d&imp_uids=e");
        assert_eq!(list(query, "imp_uid"), ["a", "b", "c", "d"]);
    }
}
