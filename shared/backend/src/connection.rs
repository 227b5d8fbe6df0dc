//! One connection pool and one TLS stack for everything a function calls: PortOne, DynamoDB and
//! Secrets Manager. Roots are compiled in; the provider is ring.

use std::{sync::Arc, time::Duration};

use reqwest::Url;

/// How long a call to an AWS backend may take, all its attempts together.
pub const AWS_CALL_MAX: Duration = Duration::from_millis(4_000);
/// How long one attempt of it may take.
pub(crate) const AWS_ATTEMPT_MAX: Duration = Duration::from_millis(1_500);
const CONNECT_MAX: Duration = Duration::from_millis(3_000);
/// Idle connections are dropped before the backends' load balancers do it silently.
const IDLE_MAX: Duration = Duration::from_secs(45);

/// The shared HTTP client; cloning it shares the pool.
#[derive(Clone, Debug)]
pub struct Connection(reqwest::Client);

impl Connection {
    /// Builds the client. Opens nothing yet.
    pub fn new() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports rustls's default TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            // A payment backend follows nobody: a redirect would carry the secret along.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_MAX)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .build()
            .expect("a client built from constants");
        Self(client)
    }

    /// The HTTP client itself.
    pub fn http(&self) -> &reqwest::Client {
        &self.0
    }
}

/// Where a service is: at `given`, else at its host in this region.
pub fn endpoint(service: &str, region: &str, given: Option<&Url>) -> Url {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    let regional = || format!("https://{service}.{region}.amazonaws.com{end}/").parse();
    given.cloned().unwrap_or_else(|| regional().expect("a region's name can be in a host's"))
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

/// The body of an answer; nothing if it is longer than `bytes_max`, of which no more is read or held than that.
pub async fn whole_body(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_its_region_is_unless_it_is_told_where() {
        assert_eq!(
            endpoint("dynamodb", "ap-northeast-2", None).as_str(),
            "https://dynamodb.ap-northeast-2.amazonaws.com/"
        );
        assert_eq!(endpoint("s3", "cn-north-1", None).as_str(), "https://s3.cn-north-1.amazonaws.com.cn/");
        let given = Url::parse("http://127.0.0.1:8000").unwrap();
        assert_eq!(endpoint("dynamodb", "ap-northeast-2", Some(&given)), given);
    }
}
