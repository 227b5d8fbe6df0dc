//! Event patterns, as far as pipes filter a table's stream with them ("Comparison operators for use in
//! event patterns" of EventBridge's guide). An operator that is not here is refused by name: a filter that
//! lets everything through would look like one that works.

use std::collections::BTreeMap;

use serde_json::Value;

/// A pattern; an event matches it if every member of it does.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(BTreeMap<String, Node>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Members(BTreeMap<String, Node>),
    /// One of these.
    Values(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Is(Value),
    Prefix(String),
    Suffix(String),
    AnythingBut(Vec<Value>),
    Exists(bool),
}

impl Pattern {
    /// Reads a pattern's text. The error says what of it cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let pattern: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match node("the pattern", &pattern)? {
            Node::Members(members) => Ok(Self(members)),
            Node::Values(_) => Err("the pattern is no object".to_owned()),
        }
    }

    /// Whether an event is one of these.
    pub fn matches(&self, event: &Value) -> bool {
        members_match(&self.0, Some(event))
    }
}

fn node(name: &str, value: &Value) -> Result<Node, String> {
    match value {
        Value::Object(members) => {
            if let Some(operator) = members.keys().find(|name| name.starts_with('$')) {
                return Err(format!("{operator} is not understood here"));
            }
            let members = members.iter().map(|(name, value)| Ok((name.clone(), node(name, value)?)));
            Ok(Node::Members(members.collect::<Result<_, String>>()?))
        }
        Value::Array(tests) => Ok(Node::Values(tests.iter().map(test).collect::<Result<_, _>>()?)),
        _ => Err(format!("{name}: a value stands in a list, such as [{value}]")),
    }
}

fn test(value: &Value) -> Result<Test, String> {
    let Value::Object(members) = value else { return Ok(Test::Is(value.clone())) };
    let mut members = members.iter();
    let (Some((operator, argument)), None) = (members.next(), members.next()) else {
        return Err(format!("{value} is not one operator"));
    };
    let text = || argument.as_str().map(str::to_owned);
    let test = match operator.as_str() {
        "prefix" => text().map(Test::Prefix),
        "suffix" => text().map(Test::Suffix),
        "exists" => argument.as_bool().map(Test::Exists),
        "anything-but" => match argument {
            Value::Array(values) => Some(Test::AnythingBut(values.clone())),
            Value::String(_) | Value::Number(_) => Some(Test::AnythingBut(vec![argument.clone()])),
            _ => None,
        },
        _ => None,
    };
    test.ok_or_else(|| format!("{value} is not understood here: prefix, suffix, exists and anything-but are"))
}

fn members_match(members: &BTreeMap<String, Node>, event: Option<&Value>) -> bool {
    members.iter().all(|(name, node)| {
        let member = event.and_then(|event| event.get(name));
        match node {
            Node::Members(members) => members_match(members, member),
            Node::Values(tests) => tests.iter().any(|test| test.holds(member)),
        }
    })
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        if let Self::Exists(wanted) = self {
            return value.is_some_and(|value| !value.is_object()) == *wanted;
        }
        match value {
            // A list matches if one of its elements does.
            Some(Value::Array(values)) => values.iter().any(|value| self.holds(Some(value))),
            Some(value) => match self {
                Self::Is(wanted) => value == wanted,
                Self::Prefix(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
                Self::Suffix(suffix) => value.as_str().is_some_and(|text| text.ends_with(suffix)),
                Self::AnythingBut(values) => !value.is_object() && !values.contains(value),
                Self::Exists(_) => false,
            },
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(pattern: &Value, event: &Value) -> bool {
        Pattern::parse(&pattern.to_string()).unwrap().matches(event)
    }

    #[test]
    fn an_event_matches_if_every_member_of_the_pattern_does() {
        let record = json!({"eventName": "MODIFY", "dynamodb": {"Keys": {"PK": {"S": "ORDER#1"}}}});
        let keys = |test: Value| json!({"dynamodb": {"Keys": {"PK": {"S": [test]}}}});
        for (pattern, expected) in [
            (keys(json!({"prefix": "ORDER#"})), true),
            (keys(json!({"prefix": "PRODUCT#"})), false),
            (keys(json!({"suffix": "#1"})), true),
            (keys(json!({"suffix": "#2"})), false),
            (keys(json!("ORDER#1")), true),
            (keys(json!("ORDER#2")), false),
            (keys(json!({"anything-but": "ORDER#1"})), false),
            (keys(json!({"anything-but": ["ORDER#2"]})), true),
            (keys(json!({"exists": true})), true),
            (keys(json!({"exists": false})), false),
            (json!({"eventName": ["INSERT", "MODIFY"]}), true),
            (json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"PK": {"S": [{"prefix": "O"}]}}}}), false),
            (json!({"dynamodb": {"OldImage": {"status": {"S": [{"exists": false}]}}}}), true),
            (json!({"dynamodb": {"OldImage": {"status": {"S": ["PAID"]}}}}), false),
            (json!({}), true),
        ] {
            assert_eq!(matches(&pattern, &record), expected, "{pattern}");
        }
        assert!(matches(&json!({"a": [2]}), &json!({"a": [1, 2]})));
        assert!(!matches(&json!({"a": [3]}), &json!({"a": [1, 2]})));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (pattern, reason) in [
            (r#"{"a": [{"numeric": [">", 1]}]}"#, "numeric"),
            (r#"{"$or": [{"a": [1]}]}"#, "$or"),
            (r#"{"a": "b"}"#, "stands in a list"),
            (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "not one operator"),
            ("[1]", "no object"),
            ("{", "EOF"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
    }
}
