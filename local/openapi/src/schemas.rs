//! JSON Schemas of the wire types, as the description's components.

use api::problem::{Problem, ProblemCode};
use order::Language;
use schemars::{
    JsonSchema, Schema, SchemaGenerator,
    generate::{Contract, SchemaSettings},
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value, json};

/// Where requests' and answers' types meet.
pub(crate) struct Schemas {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
    problems: Map<String, Value>,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let generator = |contract: Contract| {
            let mut settings = SchemaSettings::draft2020_12();
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.contract = contract;
            settings.into_generator()
        };
        Self {
            asked: generator(Contract::Deserialize),
            answered: generator(Contract::Serialize),
            problems: Map::new(),
        }
    }

    /// A reference to what is asked.
    pub(crate) fn asked<T: JsonSchema>(&mut self) -> Value {
        self.asked.subschema_for::<T>().to_value()
    }

    /// A reference to what is answered.
    pub(crate) fn answered<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().to_value()
    }

    /// Notes problems that are answered, to be shown as examples.
    pub(crate) fn told(&mut self, codes: &[ProblemCode]) {
        for code in codes {
            let told = |language| Problem::of(*code, language, "aBcDeFgHIJKLMNO=");
            let (korean, english) = (told(Language::Korean), told(Language::English));
            let summary = format!("{} / {}", korean.detail, english.detail);
            self.problems.insert(code.slug().to_owned(), json!({ "summary": summary, "value": korean }));
        }
    }

    /// The problems that are answered, by their codes.
    pub(crate) fn examples(&self) -> Map<String, Value> {
        self.problems.clone()
    }

    /// All types that were referred to, by name.
    pub(crate) fn components(mut self) -> Map<String, Value> {
        let mut answered = self.answered.take_definitions(false);
        for schema in answered.values_mut() {
            if let Ok(schema) = schema.try_into() {
                NeverNull.transform(schema);
            }
        }
        let mut components = self.asked.take_definitions(false);
        for schema in answered.values_mut().chain(components.values_mut()) {
            one_line(schema);
        }
        for (name, schema) in answered {
            let twin = components.insert(name.clone(), schema.clone());
            assert!(
                twin.is_none_or(|twin| twin == schema),
                "{name} is one type when asked and another when answered"
            );
        }
        components
    }
}

/// Doc comments are wrapped where the source is; a description is one line.
fn one_line(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            members.values_mut().for_each(one_line);
        }
        Value::Array(values) => values.iter_mut().for_each(one_line),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What an answer may leave out it leaves out: it is never null there.
struct NeverNull;

impl Transform for NeverNull {
    fn transform(&mut self, schema: &mut Schema) {
        let required = schema.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| {
            required.as_array().is_some_and(|names| names.iter().any(|required| required == name))
        };
        if let Some(Value::Object(members)) = schema.get_mut("properties") {
            for (_, member) in members.iter_mut().filter(|(name, _)| !is_required(name)) {
                without_null(member);
            }
        }
        transform_subschemas(self, schema);
    }
}

fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else { return };
    choices.retain(|choice| choice["type"] != "null");
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
}
