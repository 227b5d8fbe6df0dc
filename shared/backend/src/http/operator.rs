//! Who an operator is: whom API Gateway's authorizer let through.

use lambda_http::{Request, RequestExt, request::RequestContext};
use order::Actor;

use super::{Problem, ProblemCode};

/// The operator who calls, by the name the authorizer gave: an IAM ARN, or a JWT's subject.
///
/// # Errors
/// 403 if no authorizer was asked. The route has one; a template that forgot it opens nothing.
pub fn operator(request: &Request) -> Result<Actor, Problem> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return Err(Problem::new(ProblemCode::NotAnOperator));
    };
    let authorizer = context.authorizer.as_ref();
    let iam = authorizer.and_then(|authorizer| authorizer.iam.as_ref()?.user_arn.clone());
    let jwt = authorizer.and_then(|authorizer| authorizer.jwt.as_ref()?.claims.get("sub").cloned());
    let name = iam.or(jwt).filter(|name| !name.is_empty());
    name.map(Actor::Operator).ok_or_else(|| Problem::new(ProblemCode::NotAnOperator))
}
