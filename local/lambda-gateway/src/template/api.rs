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
    /// Who is asked about the caller; absent on an open route.
    pub authorizer: Option<Authorizer>,
}

/// Who is asked about a route's caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authorizer {
    /// `AWS_IAM`: the caller's signature.
    Iam,
    /// `JWT`: an issuer's token.
    Jwt(Jwt),
    /// One that this machine cannot ask: the route stays closed.
    Other(String),
}

/// What a JWT authorizer and its route want of a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Jwt {
    /// `iss`, and where the keys are found.
    pub issuer: String,
    /// One of these is in `aud`, or is `client_id`.
    pub audience: Vec<String>,
    /// The route's `AuthorizationScopes`: one of them is the token's, if there are any.
    pub scopes: Vec<String>,
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
                authorizer: authorizer(resources, properties, scope).map_err(|why| unusable(&why))?,
            })
        })
        .collect()
}

/// One that cannot be resolved here still closes the route.
fn authorizer(resources: &Resources<'_>, route: &Value, scope: &Scope) -> Result<Option<Authorizer>, String> {
    let Some(kind) = route.get("AuthorizationType") else { return Ok(None) };
    let kind = scope.resolve(kind).as_ref().and_then(text).unwrap_or_else(|| "unknown".to_owned());
    Ok(match kind.as_str() {
        "NONE" => None,
        "AWS_IAM" => Some(Authorizer::Iam),
        "JWT" => Some(Authorizer::Jwt(jwt(resources, route, scope)?)),
        _ => Some(Authorizer::Other(kind)),
    })
}

/// The authorizer that a route names. What it leaves open here would be open to a stranger's token there.
fn jwt(resources: &Resources<'_>, route: &Value, scope: &Scope) -> Result<Jwt, String> {
    let named = route.get("AuthorizerId").and_then(|id| scope.chosen(id)?["Ref"].as_str());
    let named = named.ok_or("AuthorizationType JWT needs an AuthorizerId, !Ref Authorizer")?;
    let mut authorizers = resources.of("AWS::ApiGatewayV2::Authorizer");
    let found = authorizers.find(|authorizer| authorizer.name == named);
    let properties = found.ok_or_else(|| format!("there is no authorizer {named}"))?.properties;
    let whole = scope.resolve(properties).unwrap_or_default();
    if whole["AuthorizerType"] != "JWT" {
        return Err(format!("the authorizer {named} is not of type JWT"));
    }
    let source: Vec<_> = whole["IdentitySource"].as_array().into_iter().flatten().filter_map(text).collect();
    if source != ["$request.header.Authorization"] {
        return Err(format!("the authorizer {named} has to read $request.header.Authorization"));
    }
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(text).filter(|item| !item.is_empty()).collect()
    };
    let issuer = text(&whole["JwtConfiguration"]["Issuer"]).filter(|issuer| !issuer.is_empty());
    let audience = list(&whole["JwtConfiguration"]["Audience"]);
    match issuer {
        Some(issuer) if !audience.is_empty() => Ok(Jwt {
            issuer,
            audience,
            scopes: list(
                &route.get("AuthorizationScopes").and_then(|it| scope.resolve(it)).unwrap_or_default(),
            ),
        }),
        _ => Err(format!("the authorizer {named} needs an Issuer and an Audience")),
    }
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
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Condition: HasJwt
    Properties:
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: { Issuer: !Ref Issuer, Audience: [console] }
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
      AuthorizerId: !If [HasJwt, !Ref Authorizer, !Ref AWS::NoValue]
      AuthorizationScopes: [orders]
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
        let route = |method: &str, path: &str, authorizer: Option<Authorizer>| Route {
            function: "f".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            authorizer,
        };
        let open = route("GET", "/a/{id}", None);
        let rest = route("ANY", "$default", Some(Authorizer::Other("unknown".to_owned())));
        let by = |kind: Authorizer| vec![open.clone(), route("POST", "/b", Some(kind)), rest.clone()];
        assert_eq!(routes(TEMPLATE, "").unwrap(), by(Authorizer::Iam));
        let jwt = Jwt {
            issuer: "https://issuer.example".to_owned(),
            audience: vec!["console".to_owned()],
            scopes: vec!["orders".to_owned()],
        };
        assert_eq!(routes(TEMPLATE, "https://issuer.example").unwrap(), by(Authorizer::Jwt(jwt)));
    }

    #[test]
    fn an_authorizer_that_would_take_anybodys_token_is_refused_by_name() {
        for (from, to, reason) in [
            ("!Ref Authorizer, ", "!Ref Other, ", "there is no authorizer Other"),
            ("!Ref Authorizer, ", "!Ref AWS::NoValue, ", "needs an AuthorizerId"),
            ("Audience: [console]", "Audience: [\"\"]", "needs an Issuer and an Audience"),
            ("Issuer: !Ref Issuer, ", "", "needs an Issuer and an Audience"),
            ("AuthorizerType: JWT", "AuthorizerType: REQUEST", "is not of type JWT"),
            ("header.Authorization", "querystring.token", "has to read $request.header.Authorization"),
        ] {
            let text = TEMPLATE.replace(from, to);
            assert_ne!(text, TEMPLATE, "{from}");
            let error = routes(&text, "https://issuer.example").unwrap_err().to_string();
            assert!(error.starts_with("route Operators: ") && error.contains(reason), "{error}");
        }
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
