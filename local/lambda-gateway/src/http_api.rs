//! The HTTP front: finds the route, builds the event, has the function invoked and turns its answer into a
//! response, with API Gateway's own answers for everything else. What runs behind a route is not its
//! business, nor is anything about payments.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Method, Response, StatusCode, request::Parts},
};
use serde_json::Value;
use time::OffsetDateTime;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::{
    answer,
    authorizer::OperatorKeys,
    cors,
    event::{self, Incoming},
    invocation::InvokeError,
    pool::Pool,
    template::{Authorizer, Cors, Route, TemplateError},
    token::Tokens,
};

/// API Gateway's limit for a request's body, 10 MB.
const BODY_MAX: usize = 10 * 1024 * 1024;
/// API Gateway's limit for an integration of an HTTP API, 30 s.
const INTEGRATION_LIMIT: Duration = Duration::from_secs(30);

/// Everything a request needs.
pub(crate) struct HttpApi {
    pub(crate) routes: Routes,
    pub(crate) cors: Option<Cors>,
    pub(crate) operator: OperatorKeys,
    pub(crate) tokens: Tokens,
    pub(crate) pools: Arc<BTreeMap<String, Arc<Pool>>>,
    pub(crate) fallback: Router,
}

impl HttpApi {
    /// One handler for every method and path.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(serve).with_state(Arc::new(self))
    }

    async fn dispatch(&self, peer: SocketAddr, request: Request) -> Response<Body> {
        let Some(found) = self.routes.find(request.method(), request.uri().path()) else {
            return self.unmatched(request).await;
        };
        let request_id = gateway_id();
        let trace_id = trace_id();
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
            return answer::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let authorizer = match &found.route.authorizer {
            None => None,
            Some(authorizer) => match self.caller(authorizer, &parts, &body).await {
                Ok(caller) => Some(caller),
                Err(refusal) => return identified(*refusal, &request_id),
            },
        };
        let event = event::build(&Incoming {
            method: &parts.method,
            uri: &parts.uri,
            version: parts.version,
            headers: &parts.headers,
            body: &body,
            peer: peer.ip(),
            route_key: &found.key,
            parameters: found.parameters,
            request_id: &request_id,
            trace_id: &trace_id,
            authorizer,
            at: OffsetDateTime::now_utc(),
        });
        let response = self.integrate(&found.route.function, event.to_string().into(), trace_id).await;
        identified(response, &request_id)
    }

    /// `requestContext.authorizer`, or the answer to somebody who may not call this route.
    async fn caller(
        &self,
        authorizer: &Authorizer,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Value, Box<Response<Body>>> {
        let forbidden = || Box::new(answer::message(StatusCode::FORBIDDEN, "Forbidden"));
        match authorizer {
            Authorizer::Iam => self
                .operator
                .have_signed(&parts.method, &parts.uri, &parts.headers, body, SystemTime::now())
                .then(|| self.operator.context())
                .ok_or_else(forbidden),
            Authorizer::Jwt(wanted) => self
                .tokens
                .context(wanted, &parts.headers, OffsetDateTime::now_utc())
                .await
                .map_err(|refusal| Box::new(refusal.answer())),
            // What this machine cannot ask: closed, not open.
            Authorizer::Other(_) => Err(forbidden()),
        }
    }

    /// Runs the function on a task of its own: a caller that goes away does not end an invocation.
    async fn integrate(&self, function: &str, event: Bytes, trace_id: String) -> Response<Body> {
        let Some(pool) = self.pools.get(function).cloned() else {
            return answer::failed(&InvokeError::UnknownFunction(function.to_owned()));
        };
        let invocation = tokio::spawn(async move { pool.invoke(event, trace_id).await });
        match tokio::time::timeout(INTEGRATION_LIMIT, invocation).await {
            Ok(Ok(Ok(invocation))) => answer::respond(&invocation.answer),
            Ok(Ok(Err(error))) => answer::failed(&error),
            Ok(Err(_)) => answer::failed(&InvokeError::ShuttingDown),
            Err(_) => answer::message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// A page or file of the fallback, or API Gateway's 404. A known path with another method is a 404
    /// too: HTTP APIs have no 405.
    async fn unmatched(&self, request: Request) -> Response<Body> {
        match self.fallback.clone().oneshot(request).await {
            Ok(response)
                if !matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) =>
            {
                response
            }
            _ => answer::message(StatusCode::NOT_FOUND, "Not Found"),
        }
    }
}

fn identified(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

async fn serve(
    State(api): State<Arc<HttpApi>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let Some(cors) = &api.cors else { return api.dispatch(peer, request).await };
    if request.method() == Method::OPTIONS {
        return cors::preflight(cors, request.headers());
    }
    let asked = request.headers().clone();
    let mut response = api.dispatch(peer, request).await;
    cors::decorate(cors, &asked, response.headers_mut());
    response
}

/// An id of the form API Gateway gives HTTP API requests: 15 characters and `=`.
fn gateway_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("{}=", &id[..15])
}

/// A trace id of X-Ray's form.
pub(crate) fn trace_id() -> String {
    let id = Uuid::new_v4().simple().to_string();
    format!("Root=1-{:08x}-{}", OffsetDateTime::now_utc().unix_timestamp(), &id[..24])
}

struct Found<'a> {
    route: &'a Route,
    key: String,
    parameters: Vec<(String, String)>,
}

/// The route table. A full match wins over a parameter and a parameter over `{proxy+}`, as in API Gateway.
pub(crate) struct Routes {
    paths: matchit::Router<Vec<Route>>,
    default: Option<Route>,
}

impl Routes {
    pub(crate) fn new(routes: &[Route]) -> Result<Self, TemplateError> {
        let mut by_path: BTreeMap<&str, Vec<Route>> = BTreeMap::new();
        for route in routes {
            by_path.entry(&route.path).or_default().push(route.clone());
        }
        let default = by_path.remove("$default").and_then(|mut routes| routes.pop());
        let mut paths = matchit::Router::new();
        for (path, routes) in by_path {
            let pattern = match path.split_once("+}") {
                Some((greedy, rest)) => match greedy.rsplit_once('{') {
                    Some((before, name)) => format!("{before}{{*{name}}}{rest}"),
                    None => path.to_owned(),
                },
                None => path.to_owned(),
            };
            paths
                .insert(pattern, routes)
                .map_err(|error| TemplateError::Unusable(format!("route {path}: {error}")))?;
        }
        Ok(Self { paths, default })
    }

    fn find(&self, method: &Method, path: &str) -> Option<Found<'_>> {
        if let Ok(matched) = self.paths.at(path) {
            let of = |wanted: &str| matched.value.iter().find(|route| route.method == wanted);
            if let Some(route) = of(method.as_str()).or_else(|| of("ANY")) {
                let parameters = matched.params.iter();
                return Some(Found {
                    route,
                    key: format!("{} {}", route.method, route.path),
                    parameters: parameters.map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
                });
            }
        }
        let route = self.default.as_ref()?;
        Some(Found { route, key: "$default".to_owned(), parameters: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_match_wins_over_a_parameter_and_a_parameter_over_the_rest() {
        let route = |method: &str, path: &str| Route {
            function: path.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            authorizer: None,
        };
        let routes = Routes::new(&[
            route("GET", "/orders/{orderId}"),
            route("POST", "/orders/{orderId}"),
            route("GET", "/orders/latest"),
            route("ANY", "/{proxy+}"),
        ])
        .unwrap();
        let key = |method: Method, path: &str| routes.find(&method, path).map(|found| found.key);
        assert_eq!(key(Method::GET, "/orders/latest").unwrap(), "GET /orders/latest");
        assert_eq!(key(Method::GET, "/orders/1").unwrap(), "GET /orders/{orderId}");
        assert_eq!(key(Method::POST, "/orders/1").unwrap(), "POST /orders/{orderId}");
        assert_eq!(key(Method::GET, "/a/b/c").unwrap(), "ANY /{proxy+}");
        let found = routes.find(&Method::GET, "/orders/a%20b").unwrap();
        assert_eq!(found.parameters, [("orderId".to_owned(), "a%20b".to_owned())]);
        assert!(Routes::new(&[]).unwrap().find(&Method::GET, "/").is_none());
    }
}
