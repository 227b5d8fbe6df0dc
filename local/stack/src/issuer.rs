//! `/login`: an OpenID provider on this machine, for operators who sign in with tokens. It signs with a key of its own,
//! made at the start, and lets in whoever presses a name: it is there so that the routes and the console can be used
//! with JWT as they are deployed, not to keep anybody out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::map_response,
    response::{Html, IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// Where it is, below the shop.
const PATH: &str = "/login";
/// The console as the provider knows it: `client_id` there, `aud` in its tokens.
pub const AUDIENCE: &str = "console";
/// Who works here.
const PEOPLE: [&str; 2] = ["kim@shop.example", "lee@shop.example"];
/// How long a token is good for, in seconds.
const LIFETIME: i64 = 60 * 60;
/// The page loads nothing and is shown in no frame.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The provider. Clones are the same one.
#[derive(Clone)]
pub struct Issuer(Arc<Provider>);

struct Provider {
    /// The shop's address.
    base: String,
    key: RsaKeyPair,
    key_id: String,
    /// Codes that nobody has turned into a token yet.
    codes: Mutex<BTreeMap<String, Code>>,
}

/// Who came with which request.
struct Code {
    subject: &'static str,
    challenge: String,
    redirect_uri: String,
}

impl Issuer {
    /// With a new key. `base` is the shop's address.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| anyhow!("no RSA key can be made"))?;
        let key_id = Uuid::new_v4().simple().to_string();
        Ok(Self(Arc::new(Provider { base: base.to_owned(), key, key_id, codes: Mutex::default() })))
    }

    /// `iss`, which is also its address.
    pub fn url(&self) -> String {
        format!("{}{PATH}", self.0.base)
    }

    /// The id of its key.
    pub fn key_id(&self) -> &str {
        &self.0.key_id
    }

    /// What stands in a token of this person's that is good for an hour from now.
    pub fn claims(&self, subject: &str) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or_default();
        json!({
            "iss": self.url(), "aud": AUDIENCE, "sub": subject, "email": subject, "token_use": "access",
            "iat": now, "nbf": now, "exp": now + LIFETIME, "groups": ["operators", "support"],
        })
    }

    /// A good token.
    pub fn token(&self, subject: &str) -> anyhow::Result<String> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.0.key_id });
        self.sign(&header, &self.claims(subject))
    }

    /// These words, whatever they say, signed with its key by RS256.
    pub fn sign(&self, header: &Value, claims: &Value) -> anyhow::Result<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.key.public_modulus_len()];
        self.0
            .key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| anyhow!("the key signs nothing"))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Its key as it is published.
    pub fn keys(&self) -> Value {
        let (modulus, exponent) = numbers(self.0.key.public_key().as_ref()).unwrap_or_default();
        let [modulus, exponent] = [modulus, exponent].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({ "keys": [
            { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.0.key_id, "n": modulus, "e": exponent },
        ] })
    }

    /// What it serves.
    pub(crate) fn router(&self) -> Router {
        let pages = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .layer(map_response(with_headers))
            .with_state(self.clone());
        Router::new().nest(PATH, pages)
    }

    fn redirect_uri(&self) -> String {
        format!("{}/operator/", self.0.base)
    }

    /// A code for this person, to be turned into a token once, by whoever made up the challenge.
    fn code(&self, subject: &'static str, asked: &Asked) -> String {
        let code = Uuid::new_v4().simple().to_string();
        let (challenge, redirect_uri) = (asked.code_challenge.clone(), asked.redirect_uri.clone());
        let mut codes = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(code.clone(), Code { subject, challenge, redirect_uri });
        code
    }

    fn redeem(&self, given: &Given) -> Option<&'static str> {
        let code = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner).remove(&given.code)?;
        let challenge = digest::digest(&digest::SHA256, given.code_verifier.as_bytes());
        let is_the_same = URL_SAFE_NO_PAD.encode(challenge) == code.challenge
            && given.redirect_uri == code.redirect_uri
            && given.client_id == AUDIENCE
            && given.grant_type == "authorization_code";
        is_the_same.then_some(code.subject)
    }
}

/// Modulus and exponent of a public key in PKCS #1: two integers in a sequence.
fn numbers(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(0x30, key)?;
    let (modulus, rest) = element(0x02, sequence)?;
    let (exponent, _) = element(0x02, rest)?;
    // A zero before it says that an integer is not negative, and is no part of it.
    Some((modulus.strip_prefix(&[0]).unwrap_or(modulus), exponent.strip_prefix(&[0]).unwrap_or(exponent)))
}

/// The content of the DER element that `bytes` begin with, and what comes after it.
fn element(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [first, length, rest @ ..] = bytes else { return None };
    let (length, rest) = match length {
        0x80.. => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum: usize, digit| (sum << 8) | usize::from(*digit)), rest)
        }
        short => (usize::from(*short), rest),
    };
    (*first == tag).then(|| rest.split_at_checked(length))?
}

async fn configuration(State(issuer): State<Issuer>) -> Json<Value> {
    let url = issuer.url();
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    Json(issuer.keys())
}

/// What a page that sends somebody here asks for.
#[derive(Deserialize)]
struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
}

async fn authorize(State(issuer): State<Issuer>, Query(asked): Query<Asked>) -> Response {
    let known = asked.client_id == AUDIENCE
        && asked.redirect_uri.replace("//localhost:", "//127.0.0.1:") == issuer.redirect_uri()
        && asked.response_type == "code"
        && asked.code_challenge_method == "S256";
    if !known {
        return (StatusCode::BAD_REQUEST, "not the console's request").into_response();
    }
    let names = PEOPLE.map(|person| {
        let code = issuer.code(person, &asked);
        // The one part that comes from outside; the address was compared whole.
        let state = utf8_percent_encode(&asked.state, NON_ALPHANUMERIC);
        format!("<p><a href=\"{}?code={code}&amp;state={state}\">{person}</a></p>", asked.redirect_uri)
    });
    Html(format!(
        "<!doctype html><html lang=\"ko\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>로그인</title><style>body{{font:1.1rem/1.6 sans-serif;max-width:24rem;margin:3rem auto;padding:0 1rem}}\
         a{{display:block;padding:.6rem 1rem;border:1px solid;border-radius:.4rem}}</style>\
         <h1>누구로 로그인할까요?</h1><p>로컬 시스템의 로그인 화면입니다. 비밀번호는 없습니다.<br>\
         <span lang=\"en\">Who signs in? The local system’s own page, without passwords.</span></p>{}</html>",
        names.concat()
    ))
    .into_response()
}

/// What a page brings for a token.
#[derive(Deserialize)]
struct Given {
    grant_type: String,
    code: String,
    client_id: String,
    redirect_uri: String,
    code_verifier: String,
}

async fn token(State(issuer): State<Issuer>, Form(given): Form<Given>) -> Response {
    let Some(subject) = issuer.redeem(&given) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    };
    match issuer.token(subject) {
        Ok(token) => Json(json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFETIME }))
            .into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("content-security-policy"), HeaderValue::from_static(POLICY));
    response
}
