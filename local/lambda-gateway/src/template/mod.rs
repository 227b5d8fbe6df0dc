//! The part of a SAM template that a machine without AWS can serve: functions, HTTP API routes, CORS,
//! schedules, the DynamoDB table, the pipe from its stream, buckets. The template stays the only definition of all of them; this module reads it
//! and refuses to know how a function is run or a request is answered.

mod api;
pub mod document;
mod pattern;
mod pipe;
mod policy;
mod resources;
mod role;
mod schedule;
mod scope;
mod table;

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Map, Value};

pub use api::{Authorizer, Cors, Jwt, Route};
pub use pattern::Pattern;
use pipe::Ends;
pub use pipe::{Field, Pipe, PipeArns};
pub use policy::Statement;
use resources::{Resource, Resources};
pub use role::Role;
pub use schedule::{Schedule, When};
use scope::{Scope, text};
pub use table::Table;

/// The region that the local system says it is in.
pub const REGION: &str = "ap-northeast-2";
/// The account that the local system says it belongs to; AWS's documentation uses this number.
pub const ACCOUNT_ID: &str = "123456789012";

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The file asked for.
        path: String,
        /// Why it cannot be read.
        source: std::io::Error,
    },
    /// The text is not one YAML document.
    #[error("the template is not YAML: {0}")]
    Syntax(String),
    /// An override names a parameter that the template does not declare.
    #[error("the template has no parameter {0}")]
    UnknownParameter(String),
    /// A part that the local system needs is missing or of another shape.
    #[error("{0}")]
    Unusable(String),
}

/// One Lambda function of the template.
#[derive(Debug, Clone)]
pub struct Function {
    /// The resource's name in the template, such as `CreateOrder`.
    pub logical_id: String,
    /// The binary's name, `Metadata.BuildProperties.Binary`, such as `create-order`; the function is
    /// known by it everywhere here.
    pub name: String,
    /// `Timeout`; Lambda's default is 3 s.
    pub timeout: Duration,
    /// `MemorySize` in MB; Lambda's default is 128.
    pub memory_mb: u32,
    /// `Architectures`, resolved; Lambda's default is `x86_64`.
    pub architecture: String,
    /// The declared environment variables. `None` is a value that only the cloud knows.
    pub environment: BTreeMap<String, Option<String>>,
    /// What its role allows.
    pub policies: Vec<Statement>,
}

/// A template, resolved as far as this machine can.
#[derive(Debug, Clone)]
pub struct Template {
    functions: Vec<Function>,
    routes: Vec<Route>,
    schedules: Vec<Schedule>,
    cors: Option<Cors>,
    table: Option<Table>,
    pipe: Option<Pipe>,
    buckets: Vec<String>,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads and resolves a template file. `overrides` are parameter values by name, as
    /// `--parameter-overrides` takes them; each must name a parameter of the template.
    pub fn read(path: &Path, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.display().to_string(), source })?;
        Self::parse(&text, overrides)
    }

    /// As [`Template::read`], from text.
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let document = document::parse(text)?;
        let scope = Scope::new(&document, overrides)?;
        let globals = &document["Globals"];
        let resources = Resources::new(&document, &scope)?;

        let mut functions = Vec::new();
        let mut schedules = Vec::new();
        let mut cors = None;
        let mut table = None;
        let mut buckets = Vec::new();
        let mut pipes = Vec::new();
        for resource in resources.all() {
            let Resource { name: logical_id, kind, properties, whole } = resource;
            match kind {
                "AWS::Serverless::Function" => {
                    let function = function(logical_id, whole, &globals["Function"], &scope)?;
                    schedules.extend(schedules_of(&function.name, resource, globals, &resources, &scope)?);
                    functions.push(function);
                }
                "AWS::ApiGatewayV2::Api" => {
                    let configuration = properties.get("CorsConfiguration");
                    cors = configuration.map(|block| api::cors(block, &scope)).transpose()?;
                }
                "AWS::DynamoDB::Table" if table.is_none() => {
                    table = Some(Table::new(logical_id, properties, &scope)?);
                }
                "AWS::S3::Bucket" => buckets.extend(scope.local_name(logical_id).map(str::to_owned)),
                "AWS::Pipes::Pipe" => pipes.push((logical_id, properties)),
                _ => {}
            }
        }
        let routes = api::routes(&resources, &functions, &scope)?;
        let types = resources.all().map(|resource| (resource.name, resource.kind));
        let ends = Ends { functions: &functions, types: types.collect() };
        let pipe = match pipes.as_slice() {
            [] => None,
            [(logical_id, properties)] => {
                let asker = format!("pipe {logical_id}");
                let arn = properties.get("RoleArn");
                let role = Role::taken(&asker, arn, "pipes.amazonaws.com", &resources, &scope)?;
                Some(Pipe::new(logical_id, properties, role, &ends, &scope)?)
            }
            [_, (logical_id, _), ..] => {
                return Err(TemplateError::Unusable(format!("pipe {logical_id}: only one pipe runs here")));
            }
        };
        let parameters = document["Parameters"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter_map(|name| Some((name.clone(), scope.parameter(name)?.clone())))
            .collect();
        Ok(Self { functions, routes, schedules, cors, table, pipe, buckets, parameters })
    }

    /// The functions, in the template's order.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// The function whose binary is `name`.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// The HTTP API's routes.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The roles of the pipe and the schedules, each once.
    pub fn service_roles(&self) -> Vec<&Role> {
        let pipe = self.pipe.iter().map(|pipe| &pipe.role);
        let mut roles: Vec<_> = pipe.chain(self.schedules.iter().filter_map(|it| it.role.as_ref())).collect();
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        roles.dedup();
        roles
    }

    /// The functions' schedules, disabled ones too.
    pub fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    /// The HTTP API's CORS configuration; without one the gateway answers no preflight.
    pub fn cors(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// The first DynamoDB table.
    pub fn table(&self) -> Option<&Table> {
        self.table.as_ref()
    }

    /// The pipe from the table's stream to the event bus.
    pub fn pipe(&self) -> Option<&Pipe> {
        self.pipe.as_ref()
    }

    /// The local names of the buckets.
    pub fn buckets(&self) -> &[String] {
        &self.buckets
    }

    /// A parameter's value as text (lists joined with commas); `None` without default or override.
    pub fn parameter(&self, name: &str) -> Option<String> {
        match self.parameters.get(name)? {
            Value::Array(items) => Some(items.iter().filter_map(text).collect::<Vec<_>>().join(",")),
            value => text(value),
        }
    }
}

fn function(
    logical_id: &str,
    resource: &Value,
    globals: &Value,
    scope: &Scope,
) -> Result<Function, TemplateError> {
    let properties = &resource["Properties"];
    let unusable =
        |what: &str| TemplateError::Unusable(format!("function {logical_id}: {what} is missing or unusable"));
    let property = |name: &str| {
        [properties, globals].into_iter().find_map(|owner| owner.get(name)).and_then(|v| scope.resolve(v))
    };
    let number = |name: &str, default: u64| match property(name) {
        Some(value) => text(&value).and_then(|text| text.parse::<u64>().ok()).ok_or_else(|| unusable(name)),
        None => Ok(default),
    };

    let mut environment = BTreeMap::new();
    for variables in [globals, properties].map(|owner| &owner["Environment"]["Variables"]) {
        for (name, value) in variables.as_object().into_iter().flatten() {
            environment.insert(name.clone(), scope.resolve(value).as_ref().and_then(text));
        }
    }
    Ok(Function {
        logical_id: logical_id.to_owned(),
        name: resource["Metadata"]["BuildProperties"]["Binary"]
            .as_str()
            .ok_or_else(|| unusable("Metadata.BuildProperties.Binary"))?
            .to_owned(),
        timeout: Duration::from_secs(number("Timeout", 3)?),
        memory_mb: u32::try_from(number("MemorySize", 128)?).map_err(|_| unusable("MemorySize"))?,
        architecture: property("Architectures")
            .and_then(|list| text(list.get(0)?))
            .unwrap_or_else(|| "x86_64".to_owned()),
        environment,
        policies: policy::statements(&format!("function {logical_id}"), &properties["Policies"], scope)?,
    })
}

fn schedules_of(
    function: &str,
    resource: Resource<'_>,
    globals: &Value,
    resources: &Resources<'_>,
    scope: &Scope,
) -> Result<Vec<Schedule>, TemplateError> {
    let alias =
        [resource.properties, &globals["Function"]].into_iter().find_map(|it| it.get("AutoPublishAlias"));
    let target = scope::function_arn(resource.name, alias.and_then(|alias| scope.resolve(alias)).as_ref());
    let events = resource.properties["Events"].as_object().into_iter().flatten();
    events
        .map(|(name, event)| match event["Type"].as_str() {
            Some("ScheduleV2") => {
                let schedule = Schedule::new(function, name, &event["Properties"], scope)?;
                let properties = &event["Properties"];
                let asker = format!("{function}: the schedule {name}");
                let role = match properties.get("RoleArn") {
                    // SAM makes one that fits.
                    None => None,
                    arn => Some(Role::taken(&asker, arn, "scheduler.amazonaws.com", resources, scope)?),
                };
                let letters = properties["DeadLetterConfig"].get("Arn");
                let letters = letters.and_then(|arn| scope.with_arns().resolve(arn)).as_ref().and_then(text);
                Ok(Schedule { target: target.clone(), role, dead_letter_queue: letters, ..schedule })
            }
            // Routes stand beside the API, not here.
            _ => Err(TemplateError::Unusable(format!("{function}: the event {name} has to be a ScheduleV2"))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  AllowedOrigins: { Type: CommaDelimitedList, Default: "https://shop.example" }
  Architecture: { Type: String, Default: arm64 }
Conditions:
  Wide: !Equals [!Ref Architecture, mips]
Globals:
  Function:
    Timeout: 29
    Architectures: [!Ref Architecture]
    Environment:
      Variables: { TABLE_NAME: !Ref Table, ALLOWED_ORIGINS: !Join [",", !Ref AllowedOrigins] }
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      CorsConfiguration:
        AllowOrigins: !Ref AllowedOrigins
        AllowMethods: [GET, POST]
        AllowHeaders: [content-type]
        MaxAge: 600
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{ AttributeName: PK, AttributeType: S }]
      KeySchema: [{ AttributeName: PK, KeyType: HASH }]
  GetOrder:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: get-order } }
    Properties:
      MemorySize: 256
      Environment: { Variables: { EXTRA: "1" } }
      Events:
        Tick: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes) } }
  Never:
    Type: AWS::Serverless::Function
    Condition: Wide
    Properties: {}
"#;

    fn template() -> Template {
        let overrides = BTreeMap::from([(
            "AllowedOrigins".to_owned(),
            "http://127.0.0.1:1,http://localhost:1".to_owned(),
        )]);
        Template::parse(TEMPLATE, &overrides).unwrap()
    }

    #[test]
    fn a_function_has_its_own_settings_over_the_global_ones() {
        let template = template();
        let [function] = template.functions() else { panic!("one function is present") };
        assert_eq!(function.name, "get-order");
        assert_eq!(function.logical_id, "GetOrder");
        assert_eq!(function.timeout, Duration::from_secs(29));
        assert_eq!(function.memory_mb, 256);
        assert_eq!(function.architecture, "arm64");
        assert_eq!(
            function.environment,
            BTreeMap::from([
                ("TABLE_NAME".to_owned(), None),
                ("EXTRA".to_owned(), Some("1".to_owned())),
                ("ALLOWED_ORIGINS".to_owned(), Some("http://127.0.0.1:1,http://localhost:1".to_owned())),
            ])
        );
    }

    #[test]
    fn an_event_that_is_no_schedule_is_refused_by_name() {
        let text = TEMPLATE.replace("Type: ScheduleV2", "Type: HttpApi");
        let error = Template::parse(&text, &BTreeMap::new()).unwrap_err().to_string();
        assert_eq!(error, "get-order: the event Tick has to be a ScheduleV2");
    }

    #[test]
    fn cors_follows_the_parameter_and_a_wildcard_is_refused() {
        let template = template();
        let cors = template.cors().unwrap();
        assert_eq!(cors.allow_origins, ["http://127.0.0.1:1", "http://localhost:1"]);
        assert_eq!(cors.max_age_s, Some(600));
        assert_eq!(template.parameter("AllowedOrigins").unwrap(), "http://127.0.0.1:1,http://localhost:1");

        let wildcard = BTreeMap::from([("AllowedOrigins".to_owned(), "*".to_owned())]);
        assert!(matches!(Template::parse(TEMPLATE, &wildcard), Err(TemplateError::Unusable(_))));
    }
}
