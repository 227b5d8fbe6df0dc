//! Who calls an operator's route with a token: what API Gateway's JWT authorizer checks, in its order ("Control
//! access to HTTP APIs with JWT authorizers"): RSA's signature by the issuer's published keys, then `iss`,
//! `aud` or `client_id`, `exp`, `nbf`, `iat`, and the route's scopes. It refuses to know what a person may do: whoever
//! has a token of the issuer's for this audience is let through.
//!
//! Of the refusals only the form and two descriptions are published by AWS; the other descriptions are this
//! module's words.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents,
};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::Mutex;

use crate::{answer, template::Jwt};

/// How long API Gateway keeps an issuer's keys.
const KEYS_KEPT: Duration = Duration::from_secs(2 * 60 * 60);
/// How long API Gateway waits for an issuer's answer.
const ISSUER_LIMIT: Duration = Duration::from_millis(1500);

/// What stands in a token.
type Claims = Map<String, Value>;

/// Why somebody is not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No token came.
    Absent,
    /// One came, and this is wrong with it.
    Invalid(&'static str),
    /// It is sound, and has none of these scopes.
    Scope(String),
}

impl Refusal {
    /// API Gateway's answer.
    pub(crate) fn answer(&self) -> Response<Body> {
        let (status, message, challenge) = match self {
            Self::Absent => (StatusCode::UNAUTHORIZED, "Unauthorized", "Bearer".to_owned()),
            Self::Invalid(why) => (
                StatusCode::UNAUTHORIZED,
                "Unauthorized",
                format!("Bearer scope=\"\" error=\"invalid_token\" error_description=\"{why}\""),
            ),
            Self::Scope(scopes) => (
                StatusCode::FORBIDDEN,
                "Forbidden",
                format!(
                    "Bearer scope=\"{scopes}\" error=\"insufficient_scope\" error_description=\"the token has none of them\""
                ),
            ),
        };
        let mut response = answer::message(status, message);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Reads tokens, and remembers the keys of those who issue them.
pub(crate) struct Tokens {
    http: reqwest::Client,
    keys: Mutex<BTreeMap<String, (Instant, Value)>>,
}

impl Tokens {
    pub(crate) fn new() -> Self {
        // Only a TLS backend that cannot be set up fails here, and that is the same on every machine.
        let http = reqwest::Client::builder().no_proxy().timeout(ISSUER_LIMIT).build();
        Self { http: http.expect("a client needs nothing of this machine"), keys: Mutex::default() }
    }

    /// What a function is told about the bearer, `requestContext.authorizer`, or why there is none.
    pub(crate) async fn context(
        &self,
        wanted: &Jwt,
        headers: &HeaderMap,
        now: OffsetDateTime,
    ) -> Result<Value, Refusal> {
        let given = headers.get(header::AUTHORIZATION).ok_or(Refusal::Absent)?;
        let given = given.to_str().map_err(|_| Refusal::Invalid("the token is no text"))?.trim();
        let token = match given.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) => return Err(Refusal::Invalid("the authorization is no bearer's")),
            None => given,
        };
        let keys = self.keys_of(&wanted.issuer).await?;
        let claims = signed_claims(token, &keys)?;
        check(&claims, wanted, now.unix_timestamp())?;
        let told: BTreeMap<_, _> = claims.iter().map(|(name, value)| (name, flat(value))).collect();
        let scopes = if wanted.scopes.is_empty() { Value::Null } else { json!(wanted.scopes) };
        Ok(json!({ "jwt": { "claims": told, "scopes": scopes } }))
    }

    /// Asked of the issuer by one caller at a time. Keys that could not be had are asked for again.
    async fn keys_of(&self, issuer: &str) -> Result<Value, Refusal> {
        let mut known = self.keys.lock().await;
        if let Some((since, keys)) = known.get(issuer)
            && since.elapsed() < KEYS_KEPT
        {
            return Ok(keys.clone());
        }
        let fetched = self.fetch_keys(issuer).await;
        let keys = fetched.map_err(|_| Refusal::Invalid("the issuer's keys cannot be read"))?;
        known.insert(issuer.to_owned(), (Instant::now(), keys.clone()));
        Ok(keys)
    }

    async fn fetch_keys(&self, issuer: &str) -> Result<Value, reqwest::Error> {
        let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let discovered: Value = self.read(&discovery).await?;
        self.read(discovered["jwks_uri"].as_str().unwrap_or_default()).await
    }

    async fn read(&self, url: &str) -> Result<Value, reqwest::Error> {
        self.http.get(url).send().await?.error_for_status()?.json().await
    }
}

/// The claims of a token that one of these keys has signed.
fn signed_claims(token: &str, keys: &Value) -> Result<Claims, Refusal> {
    let [head, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err(Refusal::Invalid("token contains an invalid number of segments"));
    };
    let object = |part: &str| serde_json::from_slice::<Claims>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let unreadable = Refusal::Invalid("the token is unreadable");
    let (Some(head), Some(claims), Ok(signature)) =
        (object(head), object(claims), URL_SAFE_NO_PAD.decode(signature))
    else {
        return Err(unreadable);
    };
    // What the token says of its algorithm chooses among RSA's and never leads out of them.
    let algorithm = match head.get("alg").and_then(Value::as_str) {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("RS384") => &RSA_PKCS1_2048_8192_SHA384,
        Some("RS512") => &RSA_PKCS1_2048_8192_SHA512,
        _ => return Err(Refusal::Invalid("the token's algorithm is not RSA's")),
    };
    let key = head.get("kid").filter(|kid| kid.is_string()).and_then(|kid| {
        let mut published = keys["keys"].as_array()?.iter();
        published.find(|key| key["kty"] == "RSA" && key["kid"] == *kid)
    });
    let key = key.ok_or(Refusal::Invalid("the token's kid is not among the issuer's keys"))?;
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?).ok();
    let (Some(n), Some(e)) = (number("n"), number("e")) else {
        return Err(Refusal::Invalid("the issuer's key is unusable"));
    };
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    RsaPublicKeyComponents { n, e }
        .verify(algorithm, signed.as_bytes(), &signature)
        .map_err(|_| Refusal::Invalid("the token's signature is not its key's"))?;
    Ok(claims)
}

/// Whether these claims are what a route wants, at this second of Unix time.
fn check(claims: &Claims, wanted: &Jwt, now: i64) -> Result<(), Refusal> {
    if claims.get("iss").and_then(Value::as_str) != Some(wanted.issuer.as_str()) {
        return Err(Refusal::Invalid("the token does not have a valid issuer"));
    }
    let is_wanted =
        |value: &Value| value.as_str().is_some_and(|it| wanted.audience.iter().any(|one| one == it));
    // client_id counts only where there is no aud.
    let audience = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().any(is_wanted),
        Some(one) => is_wanted(one),
        None => claims.get("client_id").is_some_and(is_wanted),
    };
    if !audience {
        return Err(Refusal::Invalid("the token does not have a valid audience"));
    }
    // Seconds of Unix time; a fraction is allowed and does not count.
    let second = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            let whole = value.as_i64().or_else(|| value.to_string().split('.').next()?.parse().ok());
            whole.map(Some).ok_or(Refusal::Invalid("a time of the token is no number"))
        }
    };
    if second("exp")?.is_none_or(|exp| exp <= now) {
        return Err(Refusal::Invalid("the token has expired"));
    }
    if second("nbf")?.is_some_and(|nbf| nbf > now) {
        return Err(Refusal::Invalid("the token is not valid yet"));
    }
    if second("iat")?.is_some_and(|iat| iat > now) {
        return Err(Refusal::Invalid("the token was issued in the future"));
    }
    let scopes: Vec<&str> = match claims.get("scope").or_else(|| claims.get("scp")) {
        Some(Value::String(text)) => text.split_whitespace().collect(),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !wanted.scopes.is_empty() && !wanted.scopes.iter().any(|one| scopes.contains(&one.as_str())) {
        return Err(Refusal::Scope(wanted.scopes.join(" ")));
    }
    Ok(())
}

/// A claim as functions get it: text. A list is its members between brackets, as captures of live APIs show.
fn flat(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(members) => format!("[{}]", members.iter().map(flat).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn wanted(scopes: &[&str]) -> Jwt {
        Jwt {
            issuer: "https://issuer.example".to_owned(),
            audience: vec!["console".to_owned(), "desk".to_owned()],
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }

    /// A sound token's claims, with these members replaced; `null` takes one away.
    fn checked(changes: Value, scopes: &[&str]) -> Result<(), Refusal> {
        let mut claims =
            json!({ "iss": "https://issuer.example", "aud": "console", "exp": NOW + 60, "sub": "u" });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        check(claims.as_object().unwrap(), &wanted(scopes), NOW)
    }

    #[test]
    fn a_token_is_for_its_issuer_its_audience_and_its_time() {
        for sound in [
            json!({}),
            json!({ "aud": ["other", "desk"] }),
            json!({ "aud": null, "client_id": "console" }),
            json!({ "nbf": NOW, "iat": NOW }),
            json!({ "exp": 1_800_000_001.5 }),
        ] {
            assert_eq!(checked(sound.clone(), &[]), Ok(()), "{sound}");
        }
        for unsound in [
            json!({ "iss": "https://issuer.example/" }),
            json!({ "iss": null }),
            json!({ "aud": "other" }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "aud": "other", "client_id": "console" }),
            json!({ "exp": NOW }),
            json!({ "exp": null }),
            json!({ "exp": "tomorrow" }),
            json!({ "nbf": NOW + 1 }),
            json!({ "iat": NOW + 1 }),
        ] {
            assert!(matches!(checked(unsound.clone(), &[]), Err(Refusal::Invalid(_))), "{unsound}");
        }
    }

    #[test]
    fn a_route_with_scopes_wants_one_of_them() {
        let wanted = ["orders", "money"];
        assert_eq!(checked(json!({ "scope": "openid money" }), &wanted), Ok(()));
        assert_eq!(checked(json!({ "scp": ["orders"] }), &wanted), Ok(()));
        for without in [json!({}), json!({ "scope": "openid" }), json!({ "scope": "ordersandmore" })] {
            assert_eq!(checked(without, &wanted), Err(Refusal::Scope("orders money".to_owned())));
        }
    }

    #[test]
    fn a_function_gets_every_claim_as_text() {
        let told = |value: Value| flat(&value);
        assert_eq!(told(json!("u")), "u");
        assert_eq!(told(json!(["a", "b"])), "[a b]");
        assert_eq!(told(json!(1_800_000_000)), "1800000000");
        assert_eq!(told(json!(true)), "true");
    }

    #[test]
    fn what_is_refused_is_told_in_the_form_that_aws_publishes() {
        let told = |refusal: Refusal| {
            let answer = refusal.answer();
            (answer.status().as_u16(), answer.headers()["www-authenticate"].to_str().unwrap().to_owned())
        };
        assert_eq!(told(Refusal::Absent), (401, "Bearer".to_owned()));
        let audience = "Bearer scope=\"\" error=\"invalid_token\" error_description=\"the token does not have a valid audience\"";
        assert_eq!(
            told(Refusal::Invalid("the token does not have a valid audience")),
            (401, audience.to_owned())
        );
        assert_eq!(told(Refusal::Scope("orders".to_owned())).0, 403);
    }
}
