//! This repository's own template, as its parameters change it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use lambda_gateway::{
    Template,
    template::{Authorizer, Jwt},
};

fn template(parameters: &[(&str, &str)]) -> Template {
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));
    let overrides = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Template::read(file, &overrides.collect()).expect("the template is sound")
}

/// The routes by who is asked about the caller.
fn routes(parameters: &[(&str, &str)]) -> BTreeMap<Option<Authorizer>, BTreeSet<String>> {
    let mut routes: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for route in template(parameters).routes() {
        let key = format!("{} {}", route.method, route.path);
        routes.entry(route.authorizer.clone()).or_default().insert(key);
    }
    routes
}

#[test]
fn operators_sign_with_iam_keys_or_by_parameter_bring_a_token_and_no_other_route_changes() {
    let mut signed = routes(&[]);
    let mut by_token = routes(&[("JwtIssuer", "https://issuer.example"), ("JwtAudience", "console")]);
    let operators = signed.remove(&Some(Authorizer::Iam)).expect("operators have routes");
    let token = Jwt {
        issuer: "https://issuer.example".to_owned(),
        audience: vec!["console".to_owned()],
        scopes: Vec::new(),
    };
    assert_eq!(by_token.remove(&Some(Authorizer::Jwt(token))), Some(operators.clone()));
    assert_eq!(by_token, signed);
    assert_eq!(signed.keys().collect::<Vec<_>>(), [&None], "there is no third way in");
    for money in ["POST /orders/{orderId}/cancel", "POST /orders/{orderId}/sync"] {
        assert!(operators.contains(money), "{money}");
    }
}

#[test]
fn the_console_joins_the_origins_that_may_read_answers_if_it_has_one() {
    let origins = |console: &str| {
        let parameters =
            [("AllowedOrigins", "https://a.example,https://b.example"), ("ConsoleOrigin", console)];
        template(&parameters).cors().expect("the API has CORS").allow_origins.clone()
    };
    assert_eq!(origins(""), ["https://a.example", "https://b.example"]);
    assert_eq!(
        origins("https://desk.example"),
        ["https://a.example", "https://b.example", "https://desk.example"]
    );
}
