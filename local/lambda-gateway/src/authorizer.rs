//! Who calls an operator's route: AWS's Signature Version 4 in its header form, checked as API Gateway's
//! IAM authorizer does, against the one pair of keys that this machine knows. It refuses to know policies:
//! whoever has the keys may call every route.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{self, SignableBody, SignableRequest, SigningSettings},
    sign::v4,
};
use axum::http::{HeaderMap, Method, Uri, header};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use time::{PrimitiveDateTime, format_description::FormatItem, macros::format_description};

use crate::{ACCOUNT_ID, REGION};

/// The service's name in a signature for an HTTP API.
const SERVICE: &str = "execute-api";
/// How far a signature's time may be from ours.
const SKEW_MAX: Duration = Duration::from_secs(5 * 60);
const AMZ_DATE: &str = "x-amz-date";
const DATE_TIME: &[FormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// The keys of an operator.
#[derive(Clone)]
pub struct OperatorKeys {
    /// The access key id, which travels with every request.
    pub access_key: String,
    /// The secret access key, which never does.
    pub secret_key: String,
}

impl Default for OperatorKeys {
    fn default() -> Self {
        Self { access_key: "local".to_owned(), secret_key: "local".to_owned() }
    }
}

impl OperatorKeys {
    /// The headers that make a request an operator's: `x-amz-date` and `authorization`. `headers` are
    /// signed with it and have to be sent as they are; `url` is the whole address.
    pub fn sign(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        at: SystemTime,
    ) -> Result<Vec<(String, String)>, http_request::SigningError> {
        let request = SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))?;
        let (instructions, _) = self.signed(request, SigningSettings::default(), at)?.into_parts();
        let (headers, _) = instructions.into_parts();
        Ok(headers.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }

    /// Whether a request is signed with these keys, for this region, within five minutes of `now`.
    pub(crate) fn have_signed(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> bool {
        self.expected_signature(method, uri, headers, body, now)
            .is_some_and(|(expected, given)| expected.as_bytes().ct_eq(given.as_bytes()).into())
    }

    /// The signature that the request should have, and the one that it has. `None` if it cannot be right.
    fn expected_signature<'a>(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &'a HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Option<(String, &'a str)> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let given = Authorization::parse(text(header::AUTHORIZATION.as_str())?)?;
        let date = text(AMZ_DATE)?;
        let at = SystemTime::from(PrimitiveDateTime::parse(date, DATE_TIME).ok()?.assume_utc());
        let distance = now.duration_since(at).unwrap_or_else(|ahead| ahead.duration());
        let credential = format!("{}/{}/{REGION}/{SERVICE}/aws4_request", self.access_key, date.get(..8)?);
        if distance > SKEW_MAX || given.credential != credential {
            return None;
        }

        let mut signed = Vec::new();
        // The signer writes the date itself, from the time that it is given.
        for name in given.signed_headers.split(';').filter(|name| *name != AMZ_DATE) {
            for value in headers.get_all(name) {
                signed.push((name, value.to_str().ok()?));
            }
        }
        let url = format!("http://{}{}", text(header::HOST.as_str())?, uri.path_and_query()?);
        let request =
            SignableRequest::new(method.as_str(), url, signed.into_iter(), SignableBody::Bytes(body)).ok()?;
        let mut settings = SigningSettings::default();
        // What the caller signed is signed, also what AWS's own clients would leave out.
        settings.excluded_headers = None;
        let (instructions, signature) = self.signed(request, settings, at).ok()?.into_parts();
        // The signer covers the host and the date in any case, and no header that is not there: a request
        // that leaves one of those out, or names an absent one, has another list than ours.
        let (_, own) = instructions.headers().find(|(name, _)| *name == "authorization")?;
        let own = Authorization::parse(own)?;
        (own.signed_headers == given.signed_headers).then_some((signature, given.signature))
    }

    fn signed(
        &self,
        request: SignableRequest<'_>,
        settings: SigningSettings,
        at: SystemTime,
    ) -> Result<aws_sigv4::SigningOutput<http_request::SigningInstructions>, http_request::SigningError> {
        let identity = Credentials::new(&*self.access_key, &*self.secret_key, None, None, "operator").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SERVICE)
            .time(at)
            .settings(settings)
            .build()
            .expect("every parameter is given");
        http_request::sign(request, &parameters.into())
    }

    /// What a function is told about the caller: `requestContext.authorizer` of an IAM user.
    pub(crate) fn context(&self) -> Value {
        let id = format!("AIDA{}", self.access_key.to_uppercase());
        json!({
            "iam": {
                "accessKey": self.access_key,
                "accountId": ACCOUNT_ID,
                "callerId": id,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": format!("arn:aws:iam::{ACCOUNT_ID}:user/{}", self.access_key),
                "userId": id,
            }
        })
    }
}

/// The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn parse(header: &'a str) -> Option<Self> {
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part =
            |name: &str| parts.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        Some(Self {
            credential: part("Credential")?,
            signed_headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const URL: &str = "http://127.0.0.1:3000/orders/01JD/cancel?b=2&a=%20x";
    const BODY: &[u8] = br#"{"reason":"x"}"#;

    fn now() -> SystemTime {
        SystemTime::from(datetime!(2026-11-23 03:00:00 UTC))
    }

    /// A request signed by `keys` for `at`, as it arrives.
    fn signed(keys: &OperatorKeys, at: SystemTime) -> HeaderMap {
        let own = [("content-type", "application/json"), ("idempotency-key", "k")];
        let added = keys.sign("POST", URL, &own, BODY, at).unwrap();
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let all = own.chain(added).chain([("host".to_owned(), "127.0.0.1:3000".to_owned())]);
        all.map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn accepted(headers: &HeaderMap) -> bool {
        let uri: Uri = URL.strip_prefix("http://127.0.0.1:3000").unwrap().parse().unwrap();
        OperatorKeys::default().have_signed(&Method::POST, &uri, headers, BODY, now())
    }

    #[test]
    fn a_request_is_an_operators_within_five_minutes_of_its_signature() {
        let keys = OperatorKeys::default();
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        assert!(accepted(&signed(&keys, now())));
        assert!(accepted(&signed(&keys, now() - minutes(5))));
        assert!(accepted(&signed(&keys, now() + minutes(5))));
        assert!(!accepted(&signed(&keys, now() - minutes(6))));
        assert!(!accepted(&signed(&keys, now() + minutes(6))));
    }

    #[test]
    fn every_signed_part_of_a_request_counts() {
        let keys = OperatorKeys::default();
        let right = signed(&keys, now());
        let uri: Uri = "/orders/01JD/cancel?b=2&a=%20x".parse().unwrap();
        let is_right = |method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]| {
            keys.have_signed(method, uri, headers, body, now())
        };
        assert!(is_right(&Method::POST, &uri, &right, BODY));
        assert!(!is_right(&Method::PUT, &uri, &right, BODY));
        assert!(!is_right(&Method::POST, &"/orders/01JE/cancel?b=2&a=%20x".parse().unwrap(), &right, BODY));
        assert!(!is_right(&Method::POST, &"/orders/01JD/cancel?b=3&a=%20x".parse().unwrap(), &right, BODY));
        assert!(!is_right(&Method::POST, &uri, &right, br#"{"reason":"y"}"#));
        for (name, value) in
            [("idempotency-key", "l"), ("host", "evil.example"), ("x-amz-date", "20261123T030001Z")]
        {
            let mut changed = right.clone();
            changed.insert(name, value.parse().unwrap());
            assert!(!is_right(&Method::POST, &uri, &changed, BODY), "{name}");
        }
    }

    #[test]
    fn keys_and_scopes_of_others_and_what_is_no_signature_are_refused() {
        let with = |access_key: &str, secret_key: &str| OperatorKeys {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
        };
        assert!(!accepted(&signed(&with("local", "guess"), now())));
        assert!(!accepted(&signed(&with("other", "local"), now())));
        assert!(!accepted(&HeaderMap::new()));

        let right = signed(&OperatorKeys::default(), now());
        let authorization = right["authorization"].to_str().unwrap();
        for wrong in [
            "Bearer local".to_owned(),
            "AWS4-HMAC-SHA256".to_owned(),
            authorization.replace("ap-northeast-2", "us-east-1"),
            authorization.replace("execute-api", "lambda"),
            authorization.replace(";host", ""),
            authorization.replace(";x-amz-date", ""),
            authorization.replace("SignedHeaders=", "SignedHeaders=absent;"),
            authorization.replace("Signature=", "Signature=0"),
        ] {
            assert_ne!(wrong, authorization);
            let mut changed = right.clone();
            changed.insert(header::AUTHORIZATION, wrong.parse().unwrap());
            assert!(!accepted(&changed), "{wrong}");
        }
    }
}
