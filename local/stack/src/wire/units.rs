//! What DynamoDB charges for a call, asked for on the way: the functions do not ask, since nobody reads it
//! in the cloud.

use bytes::Bytes;
use serde_json::Value;

/// Capacity units of one call, in halves, so that they stay integers: an eventually consistent read of a
/// small item is half a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct HalfUnits(pub u32);

/// The request, with a request to tell what it consumed. A body that is no JSON object stays as it is.
pub(super) fn asked(body: &Bytes) -> Bytes {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(mut request)) => {
            request.insert("ReturnConsumedCapacity".to_owned(), Value::from("INDEXES"));
            Bytes::from(Value::Object(request).to_string())
        }
        _ => body.clone(),
    }
}

/// What an answer says was consumed, over all tables and indexes; `None` if it does not say.
pub(super) fn told(body: &Bytes) -> Option<HalfUnits> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let one = |consumed: &Value| consumed["CapacityUnits"].as_f64();
    let units = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(one).sum::<Option<f64>>()?,
        consumed => one(consumed)?,
    };
    // Units come in halves, so twice of them is a whole number.
    Some(HalfUnits(format!("{:.0}", units * 2.0).parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_in_halves_over_all_tables() {
        let told = |text: &str| told(&Bytes::from(text.to_owned()));
        assert_eq!(told(r#"{"ConsumedCapacity":{"CapacityUnits":0.5}}"#), Some(HalfUnits(1)));
        let two = r#"{"ConsumedCapacity":[{"CapacityUnits":4.0},{"CapacityUnits":1.5}]}"#;
        assert_eq!(told(two), Some(HalfUnits(11)));
        assert_eq!(told("{}"), None);
    }

    #[test]
    fn a_request_is_asked_for_its_units_and_is_otherwise_the_same() {
        let body = asked(&Bytes::from_static(br#"{"TableName":"t"}"#));
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, serde_json::json!({ "TableName": "t", "ReturnConsumedCapacity": "INDEXES" }));
        assert_eq!(asked(&Bytes::from_static(b"x")), "x");
    }
}
