//! What a template's functions evaluate to on this machine. A value that only the cloud knows (the
//! physical id of a resource, an attribute, an import) is *absent*: [`Scope::resolve`] answers `None`
//! and the caller decides, instead of inventing a name that works nowhere else.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ACCOUNT_ID, REGION, TemplateError};

/// Parameters, conditions and mappings of one template, with the caller's overrides applied.
#[derive(Clone)]
pub(super) struct Scope {
    parameters: BTreeMap<String, Value>,
    conditions: Map<String, Value>,
    mappings: Value,
    /// The physical ids of what the local system has under a name of its own.
    local_names: BTreeMap<String, String>,
    /// The types of the resources, by name.
    types: BTreeMap<String, String>,
    /// `AutoPublishAlias` of the functions that have one, by name.
    aliases: BTreeMap<String, Value>,
    /// Whether `Arn` is known of what the local system has; see [`Scope::with_arns`].
    knows_arns: bool,
}

impl Scope {
    /// Reads `Parameters`, `Conditions` and `Mappings`. An override of a parameter that the template
    /// does not have is an error: a renamed parameter must not be missed silently.
    pub(super) fn new(document: &Value, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let declared = document["Parameters"].as_object().cloned().unwrap_or_default();
        if let Some(unknown) = overrides.keys().find(|name| !declared.contains_key(*name)) {
            return Err(TemplateError::UnknownParameter(unknown.clone()));
        }
        let mut parameters = BTreeMap::new();
        for (name, declaration) in &declared {
            let given = overrides.get(name).map(|value| Value::from(value.as_str()));
            if let Some(value) = given.or_else(|| declaration.get("Default").cloned()) {
                let kind = declaration["Type"].as_str().unwrap_or("String");
                parameters.insert(name.clone(), typed(kind, &value));
            }
        }
        let mut scope = Self {
            parameters,
            conditions: document["Conditions"].as_object().cloned().unwrap_or_default(),
            mappings: document["Mappings"].clone(),
            local_names: BTreeMap::new(),
            types: BTreeMap::new(),
            aliases: BTreeMap::new(),
            knows_arns: false,
        };
        for (logical_id, resource) in document["Resources"].as_object().into_iter().flatten() {
            let named = |property: &str| {
                let name = resource["Properties"].get(property).and_then(|name| scope.resolve(name));
                name.as_ref().and_then(text).unwrap_or_else(|| hyphenated(logical_id))
            };
            let kind = resource["Type"].as_str();
            let name = match kind {
                Some("AWS::S3::Bucket") => named("BucketName"),
                Some("AWS::Events::EventBus") => named("Name"),
                _ => continue,
            };
            scope.local_names.insert(logical_id.clone(), name);
        }
        let types = document["Resources"].as_object().into_iter().flatten();
        let types = types.filter_map(|(name, resource)| Some((name.clone(), resource["Type"].as_str()?)));
        scope.types = types.map(|(name, kind)| (name, kind.to_owned())).collect();
        for (name, resource) in document["Resources"].as_object().into_iter().flatten() {
            let owners = [&resource["Properties"], &document["Globals"]["Function"]];
            let alias = owners.into_iter().find_map(|owner| owner.get("AutoPublishAlias"));
            if let Some(alias) = alias.and_then(|alias| scope.resolve(alias)) {
                scope.aliases.insert(name.clone(), alias);
            }
        }
        Ok(scope)
    }

    /// The same scope in which tables, buckets, queues, buses and functions have the ARNs that a role is checked with here. They
    /// are no name to reach anything by, so that nobody else is told them.
    pub(super) fn with_arns(&self) -> Self {
        Self { knows_arns: true, ..self.clone() }
    }

    fn arn(&self, logical_id: &str) -> Option<String> {
        match self.types.get(logical_id).map(String::as_str) {
            Some("AWS::DynamoDB::Table") => Some(table_arn(logical_id)),
            Some("AWS::S3::Bucket") => Some(format!("arn:aws:s3:::{}", self.local_name(logical_id)?)),
            Some("AWS::Events::EventBus") => {
                let name = self.local_name(logical_id)?;
                Some(format!("arn:aws:events:{REGION}:{ACCOUNT_ID}:event-bus/{name}"))
            }
            Some("AWS::SQS::Queue") => Some(format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{logical_id}")),
            Some("AWS::Serverless::Function") => Some(function_arn(logical_id, None)),
            _ => None,
        }
    }

    /// The ARN of a function's alias, by SAM's `!Ref Function.Alias`.
    fn alias_arn(&self, name: &str) -> Option<String> {
        let function = name.strip_suffix(".Alias")?;
        let kind = self.types.get(function).map(String::as_str);
        let alias = self.aliases.get(function)?;
        (kind == Some("AWS::Serverless::Function")).then(|| function_arn(function, Some(alias)))
    }

    /// What `Fn::If` leads to, as often as it stands there; `None` for `AWS::NoValue` and for a condition that
    /// only the cloud knows.
    pub(super) fn chosen<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        if let Some(branches) = value.get("Fn::If") {
            let [condition, yes, no] = branches.as_array()?.as_slice() else { return None };
            return self.chosen(if self.condition(condition.as_str()?)? { yes } else { no });
        }
        (value.get("Ref").is_none_or(|target| target != "AWS::NoValue")).then_some(value)
    }

    /// The local name of a resource that has one: a bucket, an event bus.
    pub(super) fn local_name(&self, logical_id: &str) -> Option<&str> {
        self.local_names.get(logical_id).map(String::as_str)
    }

    /// Which attribute of which resource a value stands for; an alias's reference is its function's Arn.
    pub(super) fn attribute(&self, value: &Value) -> Option<(String, String)> {
        let (name, argument) = single(value.as_object()?)?;
        match name {
            "Fn::GetAtt" => {
                let [resource, attribute] = pair(argument)?;
                Some((resource.as_str()?.to_owned(), attribute.as_str()?.to_owned()))
            }
            "Ref" => {
                let function = argument.as_str()?.strip_suffix(".Alias")?;
                Some((function.to_owned(), "Arn".to_owned()))
            }
            "Fn::If" => {
                let [condition, yes, no] = argument.as_array()?.as_slice() else { return None };
                self.attribute(if self.condition(condition.as_str()?)? { yes } else { no })
            }
            _ => None,
        }
    }

    /// A parameter's value: a string, or an array of strings for list types.
    pub(super) fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get(name)
    }

    /// `value` with every function evaluated. `None` where a part is only known in the cloud; a member
    /// of an object that is only known there is left out, and so is one that is `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Object(members) => match single(members) {
                Some((name, argument)) if name == "Ref" || name.starts_with("Fn::") => {
                    self.call(name, argument)
                }
                _ => Some(Value::Object(
                    members
                        .iter()
                        .filter_map(|(name, member)| Some((name.clone(), self.resolve(member)?)))
                        .collect(),
                )),
            },
            Value::Array(items) => items
                .iter()
                .filter(|item| item.get("Ref").is_none_or(|target| target != "AWS::NoValue"))
                .map(|item| self.resolve(item))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(value.clone()),
        }
    }

    fn call(&self, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "Ref" => self.reference(argument.as_str()?),
            "Fn::Sub" => match argument {
                Value::Array(parts) => self.substitute(parts.first()?.as_str()?, parts.get(1)?.as_object()),
                text => self.substitute(text.as_str()?, None),
            },
            "Fn::Join" => {
                let [separator, items] = pair(argument)?;
                let items = self.resolve(items)?;
                let items: Option<Vec<String>> = items.as_array()?.iter().map(text).collect();
                Some(Value::from(items?.join(separator.as_str()?)))
            }
            "Fn::Split" => {
                let [separator, whole] = pair(argument)?;
                let whole = text(&self.resolve(whole)?)?;
                Some(Value::from(whole.split(separator.as_str()?).collect::<Vec<_>>()))
            }
            "Fn::Select" => {
                let [index, items] = pair(argument)?;
                let index = text(&self.resolve(index)?)?.parse::<usize>().ok()?;
                self.resolve(items)?.get(index).cloned()
            }
            "Fn::If" => {
                let [condition, yes, no] = argument.as_array()?.as_slice() else { return None };
                self.resolve(if self.condition(condition.as_str()?)? { yes } else { no })
            }
            "Fn::FindInMap" => {
                let [map, first, second] = argument.as_array()?.as_slice() else { return None };
                let [map, first, second] =
                    [text(&self.resolve(map)?)?, text(&self.resolve(first)?)?, text(&self.resolve(second)?)?];
                self.mappings.get(map)?.get(first)?.get(second).cloned()
            }
            "Fn::GetAtt" if self.knows_arns => {
                let [resource, attribute] = pair(argument)?;
                let resource = resource.as_str()?;
                match attribute.as_str()? {
                    "Arn" => self.arn(resource).map(Value::from),
                    // Which of a table's streams it is nobody can ask for.
                    "StreamArn"
                        if self.types.get(resource).is_some_and(|kind| kind == "AWS::DynamoDB::Table") =>
                    {
                        Some(Value::from(format!("{}/stream/newest", table_arn(resource))))
                    }
                    _ => None,
                }
            }
            // GetAtt, ImportValue, GetAZs …: known in the cloud only.
            _ => None,
        }
    }

    fn reference(&self, name: &str) -> Option<Value> {
        let pseudo = match name {
            "AWS::Region" => REGION,
            "AWS::AccountId" => ACCOUNT_ID,
            "AWS::Partition" => "aws",
            "AWS::StackName" => "local",
            "AWS::URLSuffix" => "amazonaws.com",
            _ => {
                let local = || self.local_name(name).map(Value::from);
                let arn =
                    || self.arn(name.strip_suffix(".Arn").filter(|_| self.knows_arns)?).map(Value::from);
                let alias = || self.alias_arn(name).filter(|_| self.knows_arns).map(Value::from);
                return self.parameters.get(name).cloned().or_else(local).or_else(arn).or_else(alias);
            }
        };
        Some(Value::from(pseudo))
    }

    fn substitute(&self, template: &str, local: Option<&Map<String, Value>>) -> Option<Value> {
        let mut out = String::new();
        let mut rest = template;
        while let Some(start) = rest.find("${") {
            let end = start + rest[start..].find('}')?;
            out.push_str(&rest[..start]);
            let name = &rest[start + 2..end];
            match name.strip_prefix('!') {
                Some(literal) => out.push_str(&format!("${{{literal}}}")),
                None => {
                    let value = match local.and_then(|local| local.get(name)) {
                        Some(value) => self.resolve(value)?,
                        None => self.reference(name)?,
                    };
                    out.push_str(&text(&value)?);
                }
            }
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Some(Value::from(out))
    }

    /// Whether a named condition holds; `None` if that is only known in the cloud.
    pub(super) fn condition(&self, name: &str) -> Option<bool> {
        self.test(self.conditions.get(name)?)
    }

    fn test(&self, expression: &Value) -> Option<bool> {
        let (name, argument) = single(expression.as_object()?)?;
        match name {
            "Condition" => self.condition(argument.as_str()?),
            "Fn::Equals" => {
                let [left, right] = pair(argument)?;
                Some(text(&self.resolve(left)?)? == text(&self.resolve(right)?)?)
            }
            "Fn::Not" => Some(!self.test(argument.get(0)?)?),
            "Fn::And" => argument.as_array()?.iter().try_fold(true, |all, part| Some(all & self.test(part)?)),
            "Fn::Or" => argument.as_array()?.iter().try_fold(false, |any, part| Some(any | self.test(part)?)),
            _ => None,
        }
    }
}

/// The ARN of a table of the template.
pub(super) fn table_arn(logical_id: &str) -> String {
    format!("arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{logical_id}")
}

/// The ARN of a function of the template, or of its alias.
pub(super) fn function_arn(logical_id: &str, alias: Option<&Value>) -> String {
    let alias = alias.and_then(text).map(|alias| format!(":{alias}")).unwrap_or_default();
    format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{logical_id}{alias}")
}

/// `ExportBucket` as `export-bucket`: a bucket's name has no capitals.
fn hyphenated(logical_id: &str) -> String {
    let mut name = String::new();
    for letter in logical_id.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// CloudFormation hands every scalar parameter around as text; list types are split at commas.
fn typed(kind: &str, value: &Value) -> Value {
    let whole = text(value).unwrap_or_default();
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        Value::from(whole.split(',').map(str::trim).collect::<Vec<_>>())
    } else {
        Value::from(whole)
    }
}

/// A scalar as CloudFormation writes it into text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn single(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, value)), None) => Some((name, value)),
        _ => None,
    }
}

fn pair(argument: &Value) -> Option<[&Value; 2]> {
    match argument.as_array()?.as_slice() {
        [first, second] => Some([first, second]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let document = json!({
            "Parameters": {
                "Origins": {"Type": "CommaDelimitedList", "Default": "https://a.example, https://b.example"},
                "Ttl": {"Type": "Number", "Default": 30},
                "Mode": {"Type": "String", "Default": "LIVE"},
                "Store": {"Type": "String"},
            },
            "Conditions": {
                "Live": {"Fn::Equals": [{"Ref": "Mode"}, "LIVE"]},
                "Test": {"Fn::Not": [{"Condition": "Live"}]},
                "Both": {"Fn::And": [{"Condition": "Live"}, {"Condition": "Test"}]},
                "Either": {"Fn::Or": [{"Condition": "Live"}, {"Condition": "Test"}]},
            },
            "Mappings": {"Sizes": {"LIVE": {"Memory": 256}}},
        });
        Scope::new(&document, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn functions_over_parameters_are_evaluated() {
        let scope = scope();
        for (expression, expected) in [
            (json!({"Ref": "Ttl"}), json!("30")),
            (json!({"Ref": "Origins"}), json!(["https://a.example", "https://b.example"])),
            (json!({"Fn::Join": [",", {"Ref": "Origins"}]}), json!("https://a.example,https://b.example")),
            (json!({"Fn::Sub": "${Mode}-${AWS::Region}-${!Kept}"}), json!("LIVE-ap-northeast-2-${Kept}")),
            (json!({"Fn::Sub": ["${X}!", {"X": {"Ref": "Mode"}}]}), json!("LIVE!")),
            (json!({"Fn::Select": [1, {"Fn::Split": ["-", "a-b-c"]}]}), json!("b")),
            (json!({"Fn::If": ["Live", "yes", "no"]}), json!("yes")),
            (json!({"Fn::If": ["Both", "yes", "no"]}), json!("no")),
            (json!({"Fn::If": ["Either", "yes", "no"]}), json!("yes")),
            (json!({"Fn::FindInMap": ["Sizes", {"Ref": "Mode"}, "Memory"]}), json!(256)),
        ] {
            assert_eq!(scope.resolve(&expression), Some(expected), "{expression}");
        }
    }

    #[test]
    fn what_only_the_cloud_knows_is_absent_and_never_invented() {
        let scope = scope();
        for expression in [
            json!({"Ref": "Table"}),
            json!({"Ref": "Store"}),
            json!({"Fn::GetAtt": ["Table", "Arn"]}),
            json!({"Fn::Sub": "${Table.Arn}/index"}),
            json!({"Fn::ImportValue": "x"}),
        ] {
            assert_eq!(scope.resolve(&expression), None, "{expression}");
        }
        assert_eq!(
            scope.resolve(
                &json!({"TABLE": {"Ref": "Table"}, "TTL": {"Ref": "Ttl"}, "X": {"Ref": "AWS::NoValue"}})
            ),
            Some(json!({"TTL": "30"}))
        );
        assert_eq!(scope.resolve(&json!(["a", {"Ref": "AWS::NoValue"}])), Some(json!(["a"])));
    }

    #[test]
    fn buckets_and_buses_have_a_local_name() {
        let document = json!({"Resources": {
            "ExportBucket": {"Type": "AWS::S3::Bucket"},
            "Named": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${AWS::StackName}-x"}}},
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders"}},
        }});
        let scope = Scope::new(&document, &BTreeMap::new()).unwrap();
        for (expression, expected) in [
            (json!({"Ref": "ExportBucket"}), "export-bucket"),
            (json!({"Ref": "Named"}), "local-x"),
            (json!({"Fn::Sub": "${Bus}/x"}), "orders/x"),
        ] {
            assert_eq!(scope.resolve(&expression), Some(Value::from(expected)), "{expression}");
        }
    }

    #[test]
    fn an_override_of_an_unknown_parameter_is_refused() {
        let overrides = BTreeMap::from([("Moed".to_owned(), "TEST".to_owned())]);
        assert!(matches!(
            Scope::new(&json!({"Parameters": {"Mode": {"Type": "String"}}}), &overrides),
            Err(TemplateError::UnknownParameter(name)) if name == "Moed"
        ));
    }
}
