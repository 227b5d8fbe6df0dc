//! AWS's Signature Version 4, as "Create a signed AWS API request" of its IAM guide has it, for requests that
//! have no query and whose path is of characters that a URL has as they are.
//!
//! Not `aws-sigv4`, though the test holds this to it signature for signature: that makes the day's key for every
//! request and brings a second SHA-256 along, which together took a fifth of an invocation's instructions.

use std::sync::Mutex;

use http::Method;
use order::Timestamp;
use ring::{digest, hmac};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use url::Url;

use crate::config::AwsEnvironment;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What a signature is of.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// The method.
    pub method: &'a Method,
    /// Where it goes.
    pub url: &'a Url,
    /// Lower-case names, each once, and values without spaces around them.
    pub headers: &'a [(&'static str, &'a str)],
    /// All of it.
    pub body: &'a [u8],
}

/// Signs for one service in one region.
#[derive(Debug)]
pub struct Signer {
    access_key_id: String,
    /// The secret as it goes into the key of a day.
    secret: SecretString,
    session_token: Option<SecretString>,
    region: String,
    service: &'static str,
    /// Whether the body's hash is a header too, as S3 wants it.
    says_hash: bool,
    /// The day that was signed for last, and its key.
    key: Mutex<Option<(String, hmac::Key)>>,
}

impl Signer {
    /// With Lambda's credentials, which it sets as variables of the environment.
    pub fn new(aws: &AwsEnvironment, service: &'static str, says_hash: bool) -> Self {
        Self {
            access_key_id: aws.access_key_id.clone(),
            secret: format!("AWS4{}", aws.secret_access_key).into(),
            session_token: aws.session_token.clone().map(SecretString::from),
            region: aws.region.clone(),
            service,
            says_hash,
            key: Mutex::new(None),
        }
    }

    /// The headers that are to be added to a request that is sent at `at`.
    pub fn sign(&self, request: Signable<'_>, at: Timestamp) -> Vec<(&'static str, String)> {
        let (day, moment) = day_and_moment(at);
        let hash = sha256(request.body);
        let mut added = vec![("x-amz-date", moment.clone())];
        added.extend(self.says_hash.then(|| ("x-amz-content-sha256", hash.clone())));
        let token = self.session_token.as_ref().map(|token| token.expose_secret().to_owned());
        added.extend(token.map(|token| ("x-amz-security-token", token)));

        let host = host(request.url);
        let mut headers = request.headers.to_vec();
        headers.push(("host", &host));
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
        headers.sort_unstable();
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let mut canonical = format!("{}\n{}\n\n", request.method, request.url.path());
        for (name, value) in headers {
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", &names, "\n", &hash]);

        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{moment}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let signature = hex::encode(hmac::sign(&self.key_of(day), to_sign.as_bytes()));
        let credential = format!("{}/{scope}", self.access_key_id);
        let authorization =
            format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}");
        added.push(("authorization", authorization));
        added
    }

    /// The key of a day, which is that of nearly every request.
    fn key_of(&self, day: String) -> hmac::Key {
        let mut known = self.key.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match &*known {
            Some((of, key)) if *of == day => key.clone(),
            _ => {
                let sign = |key: &[u8], part: &str| hmac::sign(&key_from(key), part.as_bytes());
                let of_day = sign(self.secret.expose_secret().as_bytes(), &day);
                let of_region = sign(of_day.as_ref(), &self.region);
                let of_service = sign(of_region.as_ref(), self.service);
                let key = key_from(sign(of_service.as_ref(), "aws4_request").as_ref());
                *known = Some((day, key.clone()));
                key
            }
        }
    }
}

fn key_from(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

/// What the HTTP client says in the header `host`: the port too, if it is not its scheme's.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Such as `20261129` and `20261129T064726Z`.
fn day_and_moment(at: Timestamp) -> (String, String) {
    let at = OffsetDateTime::from_unix_timestamp(at.as_millis() / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let day = format!("{:04}{:02}{:02}", at.year(), u8::from(at.month()), at.day());
    let moment = format!("{day}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second());
    (day, moment)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use aws_credential_types::Credentials;
    use aws_sigv4::{
        http_request::{
            PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
            UriPathNormalizationMode, sign,
        },
        sign::v4,
    };
    use proptest::prelude::*;

    use super::*;

    /// What AWS's own crate would add.
    fn by_aws(
        aws: &AwsEnvironment,
        service: &str,
        request: Signable<'_>,
        at: Timestamp,
    ) -> Vec<(String, String)> {
        let identity = Credentials::new(
            &aws.access_key_id,
            &aws.secret_access_key,
            aws.session_token.clone(),
            None,
            "a test",
        )
        .into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&aws.region)
            .name(service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millis().unsigned_abs()))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let signable = SignableRequest::new(
            request.method.as_str(),
            request.url.as_str(),
            request.headers.iter().copied(),
            SignableBody::Bytes(request.body),
        );
        let (instructions, _) = sign(signable.unwrap(), &parameters).unwrap().into_parts();
        let headers = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut headers = headers.collect::<Vec<_>>();
        headers.sort();
        headers
    }

    fn environment(region: &str, secret: &str, token: Option<String>) -> AwsEnvironment {
        AwsEnvironment {
            region: region.to_owned(),
            access_key_id: "an-id".to_owned(),
            secret_access_key: secret.to_owned(),
            session_token: token,
            dynamodb_endpoint: None,
            secrets_manager_endpoint: None,
            s3_endpoint: None,
        }
    }

    proptest! {
        #[test]
        fn a_signature_is_that_of_awss_own_crate(
            service in prop::sample::select(vec!["dynamodb", "secretsmanager", "s3"]),
            region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
            secret in "[A-Za-z0-9/+]{1,80}",
            token in proptest::option::of("[A-Za-z0-9/+=]{1,300}"),
            port in proptest::option::of(1024_u16..),
            key in "[A-Za-z0-9_.-]{1,20}/[A-Za-z0-9_.-]{1,40}",
            value in "[!-~]{1,60}",
            body in proptest::collection::vec(any::<u8>(), 0..300),
            first in 0_i64..4_102_444_800_000,
            later in 0_i64..172_800_000,
        ) {
            let aws = environment(&region, &secret, token);
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let path = if service == "s3" { key } else { String::new() };
            let url: Url = format!("https://{service}.{region}.amazonaws.com{port}/{path}").parse().unwrap();
            let headers = [("x-amz-target", value.as_str()), ("content-type", "text/csv")];
            let request = Signable { method: &Method::POST, url: &url, headers: &headers, body: &body };
            let signer = Signer::new(&aws, service, service == "s3");
            // The second is of the same day or of another: a kept key is used, or made anew.
            for at in [first, first + later] {
                let at = Timestamp::from_millis(at);
                let mut ours: Vec<_> =
                    signer.sign(request, at).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                ours.sort();
                prop_assert_eq!(ours, by_aws(&aws, service, request, at));
            }
        }
    }

    #[test]
    fn a_signer_does_not_print_its_secret() {
        let signer = Signer::new(
            &environment("ap-northeast-2", "a-key", Some("a-session".to_owned())),
            "dynamodb",
            false,
        );
        let url = Url::parse("https://dynamodb.ap-northeast-2.amazonaws.com/").unwrap();
        signer.sign(
            Signable { method: &Method::POST, url: &url, headers: &[], body: b"" },
            Timestamp::from_millis(0),
        );
        let printed = format!("{signer:?}");
        assert!(!printed.contains("a-key") && !printed.contains("a-session"), "{printed}");
    }
}
