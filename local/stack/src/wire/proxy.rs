//! The proxy itself: accepts connections, reads a call, lets its fault happen, forwards it once, and sends
//! the answer. Written on hyper rather than a web framework because a fault may have to end the connection
//! without an answer, by a reset.

use std::{
    future::{Future, pending, poll_fn},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Response;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::{
    Backend, Call, Shared,
    fault::Fault,
    lock, operation,
    operation::Request,
    reply::{Body, Reply},
    units,
};

/// No call to a backend is this large; DynamoDB's own limit is 16 MB.
const BODY_MAX: usize = 20 * 1024 * 1024;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, io::Error>> + Send>>;

pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, shared.clone()));
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service =
        service_fn(|request| -> Answer { Box::pin(answer(shared.clone(), request, reset.clone())) });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    if reset.load(Ordering::SeqCst) {
        // Closing with a lingering time of zero sends RST instead of an orderly end.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}

/// The entry of one call in the record, kept up to date while it runs. Dropped without an end when the
/// caller goes away.
struct Entry {
    shared: Arc<Shared>,
    index: usize,
}

impl Entry {
    fn new(shared: &Arc<Shared>, operation: &str, faulty: bool) -> Self {
        let mut calls = lock(&shared.calls);
        calls.push(Call {
            backend: shared.backend,
            operation: operation.to_owned(),
            started: shared.epoch.elapsed(),
            ended: None,
            status: None,
            forwarded: false,
            faulty,
            units: None,
        });
        Self { shared: shared.clone(), index: calls.len() - 1 }
    }

    fn update(&self, change: impl FnOnce(&mut Call)) {
        if let Some(call) = lock(&self.shared.calls).get_mut(self.index) {
            change(call);
        }
    }

    fn end(&self, status: Option<u16>) {
        let now = self.shared.epoch.elapsed();
        self.update(|call| {
            call.ended = Some(now);
            call.status = status;
        });
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<Response<Body>, io::Error> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = Request {
        operation: operation::name(shared.backend, &parts.method, &path, &parts.headers),
        method: parts.method,
        path,
        headers: parts.headers,
        body,
    };
    if let Some(Err(denial)) = shared.roles.as_ref().map(|roles| roles.allow(shared.backend, &request)) {
        let reply = Reply::denied(shared.backend, &denial);
        Entry::new(&shared, &request.operation, false).end(Some(reply.status));
        return Ok(reply.whole());
    }
    let fault = lock(&shared.rules)
        .iter_mut()
        .find_map(|active| active.takes(&request).then(|| active.fault.clone()))
        .or_else(|| lock(&shared.chooser).as_ref().and_then(|chooser| chooser(&request)));
    let entry = Entry::new(&shared, &request.operation, fault.is_some());

    let latency = Duration::from_micros(shared.latency_us.load(Ordering::Relaxed));
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some(fault) = &fault {
        if let Some(refusal) = Reply::refusal(shared.backend, fault, &request) {
            entry.end(Some(refusal.status));
            return Ok(refusal.whole());
        }
        before(fault, &request, &reset).await.inspect_err(|_| entry.end(None))?;
    }

    entry.update(|call| call.forwarded = true);
    // On a task of its own: once a call has left, it takes effect, whatever becomes of the caller.
    let metered = shared.backend == Backend::DynamoDb && shared.metered.load(Ordering::Relaxed);
    let mut sent = request.clone();
    if metered {
        sent.body = units::asked(&sent.body);
    }
    let forwarded = tokio::spawn(forward(shared.clone(), sent));
    let reply = forwarded.await.map_err(io::Error::other).flatten().inspect_err(|_| entry.end(None))?;

    if metered {
        entry.update(|call| call.units = units::told(&reply.body));
    }
    let status = reply.status;
    let response = match &fault {
        Some(fault) => after(fault, reply, request, &reset).await,
        None => Ok(reply.whole()),
    };
    entry.end(response.as_ref().ok().map(|_| status));
    response
}

/// What happens before the backend sees the call. An error ends the connection without an answer.
async fn before(fault: &Fault, request: &Request, reset: &AtomicBool) -> Result<(), io::Error> {
    match fault {
        Fault::ResetBefore => Err(ended(reset)),
        Fault::DelayBefore(delay) => {
            tokio::time::sleep(*delay).await;
            Ok(())
        }
        Fault::Hang => pending().await,
        Fault::CallBefore(hook) => {
            hook(request.clone()).await;
            Ok(())
        }
        Fault::HoldBefore(gate) => {
            gate.pass().await;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What happens between the effect and the answer.
async fn after(
    fault: &Fault,
    reply: Reply,
    request: Request,
    reset: &AtomicBool,
) -> Result<Response<Body>, io::Error> {
    match fault {
        Fault::ResetAfter => return Err(ended(reset)),
        Fault::DelayAfter(delay) => tokio::time::sleep(*delay).await,
        Fault::HalfBody => return Ok(reply.half()),
        Fault::SlowBody { bytes, pause } => return Ok(reply.slow(*bytes, *pause)),
        Fault::CallAfter(hook) => hook(request).await,
        Fault::HoldAfter(gate) => gate.pass().await,
        _ => {}
    }
    Ok(reply.whole())
}

fn ended(reset: &AtomicBool) -> io::Error {
    reset.store(true, Ordering::SeqCst);
    io::Error::new(io::ErrorKind::ConnectionReset, "a fault of the wire")
}

async fn forward(shared: Arc<Shared>, request: Request) -> Result<Reply, io::Error> {
    // Method, path and headers as they came: an HTTP client that parses addresses as browsers do would
    // resolve the dots of `/payments/..`, and hide what the function asked for.
    let mut forwarded = hyper::Request::new(Full::new(request.body));
    *forwarded.method_mut() = request.method;
    *forwarded.uri_mut() =
        format!("{}{}", shared.upstream, request.path).parse().map_err(io::Error::other)?;
    *forwarded.headers_mut() = request.headers;
    for name in [http::header::CONNECTION, http::header::CONTENT_LENGTH, http::header::TRANSFER_ENCODING] {
        forwarded.headers_mut().remove(name);
    }
    let response = shared.client.request(forwarded).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
}
