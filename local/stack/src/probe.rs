//! Whether the system answers: a real request through every route, and one to the shop and to PortOne. The
//! requests are refused ones (no signature, no order, no body), so that they change nothing.

use std::time::SystemTime;

use anyhow::{Context as _, bail};
use lambda_gateway::{
    OperatorKeys,
    template::{Authorizer, Route},
};
use reqwest::Client;

use crate::stack::Stack;

/// Resolves when every route has answered with a status below 500. An error says which did not, and why
/// its function could not be run.
pub async fn probe(stack: &Stack) -> anyhow::Result<()> {
    let client = Client::builder().no_proxy().build()?;
    let template = stack.gateway().template();
    let token = stack.issuer().map(|issuer| issuer.token("probe")).transpose()?.unwrap_or_default();
    for route in template.routes() {
        answers(&client, stack.url(), route, &token).await?;
    }
    for url in [format!("{}/config.js", stack.url()), stack.simulator().url().to_owned()] {
        client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    }
    Ok(())
}

async fn answers(client: &Client, base: &str, route: &Route, token: &str) -> anyhow::Result<()> {
    let path: Vec<_> =
        route.path.split('/').map(|segment| if segment.starts_with('{') { "0" } else { segment }).collect();
    let method = route.method.parse().unwrap_or(reqwest::Method::GET);
    let name = format!("{} {}", route.method, route.path);
    let url = format!("{base}{}", path.join("/"));
    let mut request = client.request(method, &url).header("content-type", "application/json");
    match &route.authorizer {
        Some(Authorizer::Iam) => {
            let keys = OperatorKeys::default();
            for (name, value) in keys.sign(&route.method, &url, &[], &[], SystemTime::now())? {
                request = request.header(name, value);
            }
        }
        Some(Authorizer::Jwt(_)) => request = request.bearer_auth(token),
        // The latter is closed to everybody here.
        None | Some(Authorizer::Other(_)) => {}
    }
    let response = request.send().await.with_context(|| format!("{name} does not answer"))?;
    let status = response.status();
    if status.is_server_error() {
        bail!("{name} ({}) answers {status}: {}", route.function, response.text().await.unwrap_or_default());
    }
    Ok(())
}
