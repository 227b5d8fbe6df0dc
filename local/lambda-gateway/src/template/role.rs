//! The roles of what is no function: of a pipe, of schedules. Only inline policies are understood, and who may take
//! the role has to be the service that does.

use serde_json::Value;

use super::{
    Statement, TemplateError, policy,
    resources::Resources,
    scope::{Scope, text},
};

/// A role, as a service of AWS takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The resource's name in the template.
    pub name: String,
    /// What it allows.
    pub statements: Vec<Statement>,
}

impl Role {
    /// The role that `arn` stands for, which `service` has to be trusted with. `asker` is who names it, for errors.
    pub(super) fn taken(
        asker: &str,
        arn: Option<&Value>,
        service: &str,
        resources: &Resources<'_>,
        scope: &Scope,
    ) -> Result<Self, TemplateError> {
        let unusable = |why: &str| TemplateError::Unusable(format!("{asker}: RoleArn: {why}"));
        let named = arn.and_then(|arn| scope.attribute(arn)).filter(|(_, attribute)| attribute == "Arn");
        let (name, _) = named.ok_or_else(|| unusable("it has to be the Arn of a role"))?;
        let role = resources.of("AWS::IAM::Role").find(|role| role.name == name);
        let properties = role.ok_or_else(|| unusable(&format!("there is no role {name}")))?.properties;
        let trust = scope.resolve(&properties["AssumeRolePolicyDocument"]).unwrap_or_default();
        let trusts = |statement: &Value| {
            statement["Effect"] == "Allow"
                && statement["Action"] == "sts:AssumeRole"
                && text(&statement["Principal"]["Service"]).as_deref() == Some(service)
        };
        if !trust["Statement"].as_array().is_some_and(|statements| statements.iter().any(trusts)) {
            return Err(unusable(&format!("{name} is not for {service}")));
        }
        if properties.get("ManagedPolicyArns").is_some() {
            return Err(unusable(&format!("{name}: ManagedPolicyArns are not known to the local system")));
        }
        let inline = properties["Policies"].as_array().into_iter().flatten();
        let documents = inline.map(|policy| policy["PolicyDocument"].clone()).collect();
        let statements = policy::statements(&format!("role {name}"), &Value::Array(documents), scope)?;
        Ok(Self { name, statements })
    }
}
