//! The part of a SAM template that a machine without AWS can serve: functions, HTTP API routes, CORS,
//! schedules, the DynamoDB table, the pipe from its stream, buckets. The template stays the only definition of all of them; this module reads it
//! and refuses to know how a function is run or a request is answered.

mod document;
mod pattern;
mod pipe;
mod schedule;
mod scope;
mod table;

use std::{collections::BTreeMap, path::Path, time::Duration};

use serde_json::{Map, Value};

pub use pattern::Pattern;
use pipe::Ends;
pub use pipe::{Field, Pipe};
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
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The binary's name of the function behind it.
    pub function: String,
    /// The method in upper case, or `ANY`.
    pub method: String,
    /// The path with `{parameter}` and `{proxy+}` segments.
    pub path: String,
    /// The authorizer's name, such as `AWS_IAM`; absent on an open route.
    pub authorizer: Option<String>,
}

/// The API's CORS configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins that may read answers; compared as whole strings.
    pub allow_origins: Vec<String>,
    /// Methods told to a preflight.
    pub allow_methods: Vec<String>,
    /// Request headers told to a preflight.
    pub allow_headers: Vec<String>,
    /// Answer headers that a page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep a preflight, in seconds.
    pub max_age_s: Option<u64>,
    /// Whether credentials are allowed.
    pub allow_credentials: bool,
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
        let resources = document["Resources"]
            .as_object()
            .ok_or_else(|| TemplateError::Unusable("the template has no Resources".to_owned()))?;

        let mut functions = Vec::new();
        let mut routes = Vec::new();
        let mut schedules = Vec::new();
        let mut cors = None;
        let mut table = None;
        let mut buckets = Vec::new();
        let mut pipes = Vec::new();
        let present = |resource: &Value| match resource["Condition"].as_str() {
            Some(condition) => scope.condition(condition).unwrap_or(true),
            None => true,
        };
        let default_authorizer = resources
            .values()
            .filter(|resource| resource["Type"] == "AWS::Serverless::HttpApi" && present(resource))
            .find_map(|api| api["Properties"]["Auth"].get("DefaultAuthorizer"));
        for (logical_id, resource) in resources.iter().filter(|(_, resource)| present(resource)) {
            match resource["Type"].as_str() {
                Some("AWS::Serverless::Function") => {
                    let function = function(logical_id, resource, &globals["Function"], &scope)?;
                    let events = &resource["Properties"]["Events"];
                    routes.extend(routes_of(&function.name, events, default_authorizer, &scope)?);
                    schedules.extend(schedules_of(&function.name, events, &scope)?);
                    functions.push(function);
                }
                Some("AWS::Serverless::HttpApi") => {
                    let configuration = [&resource["Properties"], &globals["HttpApi"]]
                        .into_iter()
                        .find_map(|owner| owner.get("CorsConfiguration"));
                    cors = configuration.map(|block| cors_of(block, &scope)).transpose()?;
                }
                Some("AWS::DynamoDB::Table") if table.is_none() => {
                    table = Some(Table::new(logical_id, &resource["Properties"], &scope)?);
                }
                Some("AWS::S3::Bucket") => {
                    buckets.extend(scope.local_name(logical_id).map(str::to_owned));
                }
                Some("AWS::Pipes::Pipe") => pipes.push((logical_id, &resource["Properties"])),
                _ => {}
            }
        }
        let types = resources.iter().filter(|(_, resource)| present(resource));
        let types = types.filter_map(|(name, resource)| Some((name.as_str(), resource["Type"].as_str()?)));
        let ends = Ends { functions: &functions, types: types.collect() };
        let pipe = match pipes.as_slice() {
            [] => None,
            [(logical_id, properties)] => Some(Pipe::new(logical_id, properties, &ends, &scope)?),
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
    })
}

fn routes_of(
    function: &str,
    events: &Value,
    default_authorizer: Option<&Value>,
    scope: &Scope,
) -> Result<Vec<Route>, TemplateError> {
    let http = events.as_object().into_iter().flatten().filter(|(_, event)| event["Type"] == "HttpApi");
    http.map(|(name, event)| {
        let properties = &event["Properties"];
        let member = |member: &str| {
            properties.get(member).and_then(|value| scope.resolve(value)).as_ref().and_then(text)
        };
        let (Some(method), Some(path)) = (member("Method"), member("Path")) else {
            return Err(TemplateError::Unusable(format!(
                "{function}: the event {name} needs a Method and a Path"
            )));
        };
        Ok(Route {
            function: function.to_owned(),
            method: method.to_uppercase(),
            path,
            authorizer: authorizer_of(&properties["Auth"]["Authorizer"], default_authorizer, scope),
        })
    })
    .collect()
}

fn schedules_of(function: &str, events: &Value, scope: &Scope) -> Result<Vec<Schedule>, TemplateError> {
    let events = events.as_object().into_iter().flatten().filter(|(_, event)| event["Type"] == "ScheduleV2");
    events.map(|(name, event)| Schedule::new(function, name, &event["Properties"], scope)).collect()
}

/// The event's authorizer, or the API's own. One that cannot be resolved here still closes the route.
fn authorizer_of(own: &Value, default: Option<&Value>, scope: &Scope) -> Option<String> {
    let named = Some(own).filter(|own| !own.is_null()).or(default)?;
    let name = scope.resolve(named).as_ref().and_then(text).unwrap_or_else(|| "unknown".to_owned());
    (name != "NONE").then_some(name)
}

fn cors_of(block: &Value, scope: &Scope) -> Result<Cors, TemplateError> {
    let block = scope.resolve(block).unwrap_or_default();
    if block.is_boolean() {
        return Err(TemplateError::Unusable("CorsConfiguration needs an allow-list, not a flag".to_owned()));
    }
    let list = |name: &str| -> Vec<String> {
        block[name].as_array().into_iter().flatten().filter_map(text).collect()
    };
    let cors = Cors {
        allow_origins: list("AllowOrigins"),
        allow_methods: list("AllowMethods"),
        allow_headers: list("AllowHeaders"),
        expose_headers: list("ExposeHeaders"),
        max_age_s: text(&block["MaxAge"]).and_then(|seconds| seconds.parse().ok()),
        allow_credentials: block["AllowCredentials"] == true,
    };
    if cors.allow_origins.iter().any(|origin| origin.contains('*')) {
        return Err(TemplateError::Unusable(
            "CorsConfiguration: an origin with * is not an allow-list".to_owned(),
        ));
    }
    Ok(cors)
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
    Type: AWS::Serverless::HttpApi
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
        Get: { Type: HttpApi, Properties: { Method: get, Path: "/orders/{orderId}" } }
        Cancel:
          Type: HttpApi
          Properties: { Method: POST, Path: "/orders/{orderId}/cancel", Auth: { Authorizer: AWS_IAM } }
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
    fn routes_carry_their_method_path_and_authorizer() {
        let template = template();
        let route = |method: &str, path: &str, authorizer: Option<&str>| Route {
            function: "get-order".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            authorizer: authorizer.map(str::to_owned),
        };
        let mut routes = template.routes().to_vec();
        routes.sort_by(|a, b| a.path.cmp(&b.path));
        assert_eq!(
            routes,
            [
                route("GET", "/orders/{orderId}", None),
                route("POST", "/orders/{orderId}/cancel", Some("AWS_IAM"))
            ]
        );
    }

    #[test]
    fn an_authorizer_that_is_the_apis_default_or_cannot_be_resolved_closes_the_route() {
        let text = r#"
Resources:
  Api: { Type: AWS::Serverless::HttpApi, Properties: { Auth: { DefaultAuthorizer: AWS_IAM } } }
  F:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: f } }
    Properties:
      Events:
        A: { Type: HttpApi, Properties: { Method: GET, Path: /a } }
        B: { Type: HttpApi, Properties: { Method: GET, Path: /b, Auth: { Authorizer: NONE } } }
        C: { Type: HttpApi, Properties: { Method: GET, Path: /c, Auth: { Authorizer: !If [Unknown, Jwt, NONE] } } }
"#;
        let template = Template::parse(text, &BTreeMap::new()).unwrap();
        let authorizers = template.routes().iter().map(|route| (&*route.path, route.authorizer.as_deref()));
        let authorizers: BTreeMap<_, _> = authorizers.collect();
        let expected = [("/a", Some("AWS_IAM")), ("/b", None), ("/c", Some("unknown"))];
        assert_eq!(authorizers, BTreeMap::from(expected));
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
