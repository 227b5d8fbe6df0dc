//! The resources of a template that are there: those whose condition does not rule them out.

use serde_json::Value;

use super::{TemplateError, scope::Scope};

/// They, in the template's order.
pub(super) struct Resources<'a>(Vec<Resource<'a>>);

/// One of them.
#[derive(Clone, Copy)]
pub(super) struct Resource<'a> {
    /// Its name in the template.
    pub(super) name: &'a str,
    /// Its type, such as `AWS::DynamoDB::Table`.
    pub(super) kind: &'a str,
    /// Its `Properties`; `null` if it has none.
    pub(super) properties: &'a Value,
    /// All of it.
    pub(super) whole: &'a Value,
}

impl<'a> Resources<'a> {
    pub(super) fn new(document: &'a Value, scope: &Scope) -> Result<Self, TemplateError> {
        let all = document["Resources"]
            .as_object()
            .ok_or_else(|| TemplateError::Unusable("the template has no Resources".to_owned()))?;
        let present = |resource: &Value| match resource["Condition"].as_str() {
            Some(condition) => scope.condition(condition).unwrap_or(true),
            None => true,
        };
        let present = all.iter().filter(|(_, resource)| present(resource));
        let named = present.map(|(name, whole)| Resource {
            name,
            kind: whole["Type"].as_str().unwrap_or_default(),
            properties: &whole["Properties"],
            whole,
        });
        Ok(Self(named.collect()))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Resource<'a>> {
        self.0.iter().copied()
    }

    /// Those of one type.
    pub(super) fn of(&self, kind: &str) -> impl Iterator<Item = Resource<'a>> {
        self.all().filter(move |resource| resource.kind == kind)
    }
}
