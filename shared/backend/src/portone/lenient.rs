//! Reading PortOne's JSON without letting a text that decides nothing make a payment unreadable.
//!
//! PortOne passes on what shops, buyers and PGs entered. Such a text can contain half of a surrogate pair (`\ud83d`
//! alone), which RFC 8259 permits in JSON and Rust's strings do not, or have another type than the schema states. Only
//! the fields that a decision depends on have to be right.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

/// A record that cannot be used, by the field that a decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field {0} cannot be used")]
pub struct Unusable(pub &'static str);

/// A body as JSON. Halves of surrogate pairs become U+FFFD, as do bytes that are not UTF-8.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    // serde's message could quote a value: it is dropped on purpose.
    serde_json::from_slice(body).ok().or_else(|| serde_json::from_slice(repaired(body).as_bytes()).ok())
}

/// The text with each half of a surrogate pair replaced.
fn repaired(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest: &str = &text;
    let mut result = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                result.push_str("\\ufffd");
                rest = &escape[6..];
                continue;
            }
            // An escaped backslash must not be taken for the beginning of the next escape.
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(index, _)| index),
        };
        let (kept, after) = escape.split_at(length);
        result.push_str(kept);
        rest = after;
    }
    result.push_str(rest);
    result
}

/// The code unit of an escape `\uXXXX` at the beginning of a text.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// A text that no decision depends on: `None` if it is missing, null or of another type.
pub fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    input.deserialize_any(Lenient(PhantomData::<IgnoredAny>)).map(|found| match found {
        Found::Text(text) => Some(text),
        Found::Record(_) | Found::Nothing => None,
    })
}

/// An object whose own fields are read leniently: `None` if it is missing, null or of another type.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(input: D) -> Result<Option<T>, D::Error> {
    input.deserialize_any(Lenient(PhantomData::<T>)).map(|found| match found {
        Found::Record(record) => Some(record),
        Found::Text(_) | Found::Nothing => None,
    })
}

/// A number that no decision depends on, such as a time: `None` if it is missing, null or of another type.
pub fn seconds<'de, D: Deserializer<'de>>(input: D) -> Result<Option<i64>, D::Error> {
    Ok(Value::deserialize(input)?.as_i64())
}

/// A list whose items are read one by one later; empty if it is missing, null or no list.
pub fn list<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Value>, D::Error> {
    Ok(match Value::deserialize(input)? {
        Value::Array(items) => items,
        _ => Vec::new(),
    })
}

struct Lenient<T>(PhantomData<T>);

enum Found<T> {
    Text(String),
    Record(T),
    Nothing,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Lenient<T> {
    type Value = Found<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Found::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Found::Record)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Found::Nothing)
    }
}

/// A field that a decision depends on: its path, such as `amount.total`, and whether a value fits it.
pub type Needed = (&'static str, fn(&Value) -> bool);

/// The first of these fields that is missing or has another type than it must have.
pub fn unusable_field(record: &Value, names: &[Needed]) -> Option<Unusable> {
    let at = |path: &str| path.split('.').try_fold(record, |found, name| found.get(name));
    names.iter().find(|(path, fits)| !at(path).is_some_and(fits)).map(|(path, _)| Unusable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_surrogate_pair_does_not_hide_the_rest() {
        for (text, expected) in [
            (r#"{"a":"이벤트\ud83d"}"#, "이벤트\u{fffd}"),
            (r#"{"a":"\ude00x"}"#, "\u{fffd}x"),
            (r#"{"a":"\ud83d\ude00"}"#, "😀"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}😀"),
            (r#"{"a":"\\ud83d"}"#, "\\ud83d"),
            (r#"{"a":"\u0000\n\""}"#, "\0\n\""),
        ] {
            assert_eq!(parse::<Value>(text.as_bytes()).unwrap()["a"], expected, "{text}");
        }
        assert_eq!(parse::<Value>(b"{\"a\":\"\xff\"}").unwrap()["a"], "\u{fffd}");
        assert!(parse::<Value>(b"<html>").is_none());
        assert!(parse::<Value>(br#"{"a":"\ud8"#).is_none());
    }
}
