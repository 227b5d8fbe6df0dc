//! The HTTP API of a template as its resources spell it out: routes (`AWS::ApiGatewayV2::Route`) with the
//! function behind each, and CORS. A route that the cloud could not serve is refused by name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Function, TemplateError,
    resources::Resources,
    scope::{Scope, text},
};

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The binary's name of the function behind it.
    pub function: String,
    /// The method in upper case, or `ANY`.
    pub method: String,
    /// The path with `{parameter}` and `{proxy+}` segments.
    pub path: String,
    /// Who is asked about the caller, such as `AWS_IAM`; absent on an open route.
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

/// Every route, with its function. API Gateway calls a function only if a permission says so.
pub(super) fn routes(
    resources: &Resources<'_>,
    functions: &[Function],
    scope: &Scope,
) -> Result<Vec<Route>, TemplateError> {
    let permitted: BTreeSet<String> = resources
        .of("AWS::Lambda::Permission")
        .filter(|permission| permission.properties["Principal"] == "apigateway.amazonaws.com")
        .filter_map(|permission| Some(scope.attribute(&permission.properties["FunctionName"])?.0))
        .collect();
    let routes = resources.of("AWS::ApiGatewayV2::Route");
    routes
        .map(|route| {
            let (name, properties) = (route.name, route.properties);
            let unusable = |why: &str| TemplateError::Unusable(format!("route {name}: {why}"));
            let key = properties.get("RouteKey").and_then(|key| scope.resolve(key)).as_ref().and_then(text);
            let key = key.ok_or_else(|| unusable("RouteKey is missing"))?;
            let (method, path) = match key.split_once(' ') {
                Some((method, path)) => (method.to_uppercase(), path.to_owned()),
                None if key == "$default" => ("ANY".to_owned(), key),
                None => return Err(unusable("RouteKey is a method and a path")),
            };
            let integration = properties["Target"]["Fn::Sub"]
                .as_str()
                .and_then(|target| target.strip_prefix("integrations/${")?.strip_suffix('}'))
                .and_then(|name| resources.of("AWS::ApiGatewayV2::Integration").find(|it| it.name == name))
                .ok_or_else(|| unusable("Target has to be !Sub \"integrations/${Integration}\""))?
                .properties;
            if integration["IntegrationType"] != "AWS_PROXY"
                || text(&integration["PayloadFormatVersion"]).as_deref() != Some("2.0")
            {
                return Err(unusable("its integration has to be AWS_PROXY with payload format 2.0"));
            }
            let behind = scope.attribute(&integration["IntegrationUri"]).map(|(resource, _)| resource);
            let function = functions.iter().find(|function| Some(&function.logical_id) == behind.as_ref());
            let function = function.ok_or_else(|| unusable("no function is behind its integration"))?;
            if !permitted.contains(&function.logical_id) {
                return Err(unusable("no AWS::Lambda::Permission lets API Gateway call its function"));
            }
            Ok(Route {
                function: function.name.clone(),
                method,
                path,
                authorizer: authorizer(properties.get("AuthorizationType"), scope),
            })
        })
        .collect()
}

/// One that cannot be resolved here still closes the route.
fn authorizer(kind: Option<&Value>, scope: &Scope) -> Option<String> {
    let kind = scope.resolve(kind?).as_ref().and_then(text).unwrap_or_else(|| "unknown".to_owned());
    (kind != "NONE").then_some(kind)
}

/// The API's `CorsConfiguration`.
pub(super) fn cors(block: &Value, scope: &Scope) -> Result<Cors, TemplateError> {
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::Template;

    const TEMPLATE: &str = r#"
Parameters:
  Issuer: { Type: String, Default: "" }
Conditions:
  HasJwt: !Not [!Equals [!Ref Issuer, ""]]
Resources:
  Api: { Type: AWS::ApiGatewayV2::Api }
  F: { Type: AWS::Serverless::Function, Metadata: { BuildProperties: { Binary: f } } }
  FIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { IntegrationType: AWS_PROXY, IntegrationUri: !Ref F.Alias, PayloadFormatVersion: "2.0" }
  FPermission:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref F.Alias, Principal: apigateway.amazonaws.com }
  Open:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: "get /a/{id}", Target: !Sub "integrations/${FIntegration}", AuthorizationType: NONE }
  Operators:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      RouteKey: POST /b
      Target: !Sub "integrations/${FIntegration}"
      AuthorizationType: !If [HasJwt, JWT, AWS_IAM]
  Rest:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: $default, Target: !Sub "integrations/${FIntegration}", AuthorizationType: !If [Unknown, A, B] }
"#;

    fn routes(text: &str, issuer: &str) -> Result<Vec<Route>, TemplateError> {
        let overrides = BTreeMap::from([("Issuer".to_owned(), issuer.to_owned())]);
        Template::parse(text, &overrides).map(|template| template.routes().to_vec())
    }

    #[test]
    fn routes_carry_their_function_method_path_and_authorizer() {
        let route = |method: &str, path: &str, authorizer: Option<&str>| Route {
            function: "f".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            authorizer: authorizer.map(str::to_owned),
        };
        let open = route("GET", "/a/{id}", None);
        let rest = route("ANY", "$default", Some("unknown"));
        let by = |kind: &str| vec![open.clone(), route("POST", "/b", Some(kind)), rest.clone()];
        assert_eq!(routes(TEMPLATE, "").unwrap(), by("AWS_IAM"));
        assert_eq!(routes(TEMPLATE, "https://issuer.example").unwrap(), by("JWT"));
    }

    #[test]
    fn a_route_that_the_cloud_could_not_serve_is_refused_by_name() {
        for (from, to, reason) in [
            ("get /a/{id}", "/a/{id}", "RouteKey is a method and a path"),
            (
                "integrations/${FIntegration}\", AuthorizationType: NONE",
                "integrations/${F}\"",
                "Target has to be",
            ),
            ("\"2.0\"", "\"1.0\"", "payload format 2.0"),
            ("IntegrationUri: !Ref F.Alias", "IntegrationUri: !Ref G.Alias", "no function is behind"),
            (
                "Principal: apigateway.amazonaws.com",
                "Principal: s3.amazonaws.com",
                "no AWS::Lambda::Permission",
            ),
        ] {
            let text = TEMPLATE.replace(from, to);
            assert_ne!(text, TEMPLATE, "{from}");
            let error = routes(&text, "").unwrap_err().to_string();
            assert!(error.starts_with("route Open: ") && error.contains(reason), "{error}");
        }
    }
}
