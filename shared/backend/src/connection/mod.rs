//! The HTTP client and the TLS stack of a function. PortOne is called through it directly; the AWS SDKs call AWS
//! through it ([`aws`]). One pool of connections, one set of compiled-in root certificates, one crypto provider
//! (ring).
//!
//! No proxy is used, no cookie is kept and no redirect is followed.

pub mod aws;

use std::{error::Error, sync::Arc, time::Duration};

use http::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use reqwest::{Client, Method, Request, RequestBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use bytes::Bytes;

const CONNECT_MAX: Duration = Duration::from_millis(3_000);
/// Idle connections are closed before the load balancers of AWS and PortOne drop them without notice.
const IDLE_MAX: Duration = Duration::from_secs(45);

/// The shared HTTP client. A clone shares the pool.
#[derive(Clone, Debug)]
pub struct Connection(Client);

/// Why there is no complete response. It contains nothing of the request or of the response.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The response did not arrive in time.
    #[error("no answer in time")]
    Late,
    /// The connection was not made, or it broke.
    #[error("the connection broke")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
    /// The response is longer than its limit.
    #[error("the answer is too long")]
    TooLong,
}

impl Connection {
    /// Builds the client. Opens no connection.
    pub fn new() -> Self {
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    fn trusting(roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports rustls's default TLS versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            // A redirect would carry the API secret to another host.
            .redirect(redirect::Policy::none())
            // A request that moves money is sent once. Reads are repeated by their callers.
            .retry(retry::never())
            .connect_timeout(CONNECT_MAX)
            .pool_idle_timeout(IDLE_MAX)
            .tcp_nodelay(true)
            .build()
            .expect("a client built from constants");
        Self(client)
    }

    /// A request to `url`, to be completed and given to [`Connection::send`].
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }

    /// Sends a request and waits until `until` for the whole response. Reads no more than `bytes_max` bytes of its
    /// body.
    ///
    /// A request is sent once. The only exception is an idle connection that was closed before any byte of the
    /// request was written: then a new connection is used. A redirect is returned as the response.
    pub async fn send(
        &self,
        request: RequestBuilder,
        until: Instant,
        bytes_max: usize,
    ) -> Result<Response<Bytes>, Unanswered> {
        let request = request.build().map_err(broken)?;
        timeout_at(until, self.exchange(request, bytes_max)).await.unwrap_or(Err(Unanswered::Late))
    }

    async fn exchange(&self, request: Request, bytes_max: usize) -> Result<Response<Bytes>, Unanswered> {
        let response = self.0.execute(request).await.map_err(broken)?;
        let (head, body) = Response::<reqwest::Body>::from(response).into_parts();
        let body = Limited::new(body, bytes_max).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Unanswered::TooLong,
            false => Unanswered::Broken(error),
        })?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

/// The URL is left out: it may contain an ID that was sent in a query.
fn broken(error: reqwest::Error) -> Unanswered {
    Unanswered::Broken(error.without_url().into())
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write as _},
        net::TcpListener,
        thread::JoinHandle,
    };

    use rustls::{ServerConfig, ServerConnection, pki_types::PrivatePkcs8KeyDer};

    use super::*;

    /// A host on this machine with a certificate for `localhost` that signs itself. It answers one request with
    /// `answer`, and tells what it was asked, which is nothing if it is not trusted.
    fn tls_host(answer: &'static str) -> (Url, RootCertStore, JoinHandle<String>) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port()).parse().unwrap();
        let asked = std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
            let asked = request_of(&mut stream);
            // A caller that had enough of a long answer is gone.
            let _ = stream.write_all(answer.as_bytes());
            asked
        });
        (url, roots, asked)
    }

    /// A request without a body, as far as it comes.
    fn request_of(stream: &mut impl Read) -> String {
        let (mut asked, mut byte) = (Vec::new(), [0]);
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
            asked.extend(byte);
        }
        String::from_utf8(asked).unwrap()
    }

    async fn asked(connection: &Connection, url: &Url) -> Result<Response<Bytes>, Unanswered> {
        let request = connection.request(Method::GET, url.clone()).header("authorization", "a test's");
        connection.send(request, Instant::now() + Duration::from_secs(10), 10).await
    }

    #[tokio::test]
    async fn a_host_whose_certificate_a_root_signed_is_asked_over_tls() {
        let (url, roots, host) = tls_host("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789");
        let answer = asked(&Connection::trusting(roots), &url).await.unwrap();
        assert_eq!(answer.into_body(), "0123456789");
        let request = host.join().unwrap();
        assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("host: localhost:{}\r\n", url.port().unwrap())), "{request}");
    }

    #[tokio::test]
    async fn a_host_whose_certificate_no_root_signed_is_told_nothing() {
        let (url, _, host) = tls_host("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        let refused = asked(&Connection::new(), &url).await;
        assert!(matches!(refused, Err(Unanswered::Broken(_))), "{refused:?}");
        assert_eq!(host.join().unwrap(), "");
    }

    #[tokio::test]
    async fn an_answer_that_is_longer_than_expected_is_not_held() {
        for long in [
            "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n",
        ] {
            let (url, roots, host) = tls_host(long);
            let answer = asked(&Connection::trusting(roots), &url).await;
            assert!(matches!(answer, Err(Unanswered::TooLong)), "{answer:?}");
            host.join().unwrap();
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_nobody_is_followed() {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        let location = format!("location: http://{}/", elsewhere.local_addr().unwrap());
        let answer = format!("HTTP/1.1 307 Temporary Redirect\r\n{location}\r\ncontent-length: 0\r\n\r\n");
        let (url, roots, host) = tls_host(answer.leak());
        assert_eq!(asked(&Connection::trusting(roots), &url).await.unwrap().status(), 307);
        host.join().unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        assert!(elsewhere.accept().is_err(), "somebody came");
    }

    /// Money may have moved by it.
    #[tokio::test]
    async fn a_request_that_went_out_is_not_sent_again_when_its_kept_connection_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let host = std::thread::spawn(move || {
            let (mut tcp, _) = listener.accept().unwrap();
            request_of(&mut tcp);
            tcp.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            assert_ne!(request_of(&mut tcp), "", "the second request comes over the same connection");
            listener
        });
        let connection = Connection::new();
        assert_eq!(asked(&connection, &url).await.unwrap().status(), 200);
        let second = asked(&connection, &url).await;
        assert!(matches!(second, Err(Unanswered::Broken(_))), "{second:?}");
        let listener = host.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "it was sent once more");
    }

    #[tokio::test]
    async fn a_host_that_says_nothing_is_not_waited_for() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap()).parse().unwrap();
        let connection = Connection::new();
        let until = Instant::now() + Duration::from_millis(20);
        let answer = connection.send(connection.request(Method::GET, url), until, 10).await;
        assert!(matches!(answer, Err(Unanswered::Late)), "{answer:?}");
    }
}
