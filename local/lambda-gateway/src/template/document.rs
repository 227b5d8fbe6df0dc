//! From YAML text to the JSON that CloudFormation itself works on: every short tag becomes its long
//! form (`!Ref X` is `{"Ref": "X"}`, `!GetAtt A.B` is `{"Fn::GetAtt": ["A", "B"]}`), so that nothing
//! after this module knows YAML. It refuses to know what the functions mean.

use saphyr::{LoadableYamlNode as _, Scalar, Tag, Yaml};
use serde_json::{Map, Value};

use super::TemplateError;

/// Parses one YAML (or JSON) document.
pub fn parse(text: &str) -> Result<Value, TemplateError> {
    let documents = Yaml::load_from_str(text).map_err(|error| TemplateError::Syntax(error.to_string()))?;
    match documents.as_slice() {
        [document] => to_json(document),
        _ => Err(TemplateError::Syntax(format!("expected one document, found {}", documents.len()))),
    }
}

fn to_json(node: &Yaml<'_>) -> Result<Value, TemplateError> {
    Ok(match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => Value::from(*value),
        Yaml::Value(Scalar::Integer(value)) => Value::from(*value),
        Yaml::Value(Scalar::FloatingPoint(value)) => Value::from(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => Value::from(value.as_ref()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (key, value) in members {
                object.insert(key_text(key)?, to_json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, value) => long_form(tag, to_json(value)?)?,
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => {
            return Err(TemplateError::Syntax("a value that YAML cannot represent".to_owned()));
        }
    })
}

fn key_text(key: &Yaml<'_>) -> Result<String, TemplateError> {
    match to_json(key)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(TemplateError::Syntax(format!("{other} is not a key"))),
    }
}

fn long_form(tag: &Tag, value: Value) -> Result<Value, TemplateError> {
    if tag.handle != "!" {
        return Err(TemplateError::Syntax(format!("unknown tag {tag}")));
    }
    let (name, value) = match tag.suffix.as_str() {
        "Ref" => ("Ref".to_owned(), value),
        "Condition" => ("Condition".to_owned(), value),
        // The short form writes `Resource.Attribute`, and only the first dot separates.
        "GetAtt" => match value.as_str().and_then(|text| text.split_once('.')) {
            Some((resource, attribute)) => ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute])),
            None => ("Fn::GetAtt".to_owned(), value),
        },
        other => (format!("Fn::{other}"), value),
    };
    Ok(Value::Object(Map::from_iter([(name, value)])))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn short_tags_become_their_long_forms() {
        let text = r#"
A: !Ref Table
B: !GetAtt Table.StreamArn
C: !Sub "arn:${AWS::Region}"
D: !Join [",", !Ref Origins]
E: !If [Live, 1, !Ref "AWS::NoValue"]
"#;
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "A": {"Ref": "Table"},
                "B": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "C": {"Fn::Sub": "arn:${AWS::Region}"},
                "D": {"Fn::Join": [",", {"Ref": "Origins"}]},
                "E": {"Fn::If": ["Live", 1, {"Ref": "AWS::NoValue"}]},
            })
        );
    }

    #[test]
    fn an_anchored_node_is_the_same_node_wherever_its_alias_stands() {
        let parsed = parse("A: &secret !Sub \"x${Y}\"\nB: *secret\n").unwrap();
        assert_eq!(parsed["A"], parsed["B"]);
    }

    #[test]
    fn text_that_is_no_yaml_is_a_syntax_error() {
        assert!(matches!(parse("A: [1"), Err(TemplateError::Syntax(_))));
        assert!(matches!(parse(""), Err(TemplateError::Syntax(_))));
    }
}
