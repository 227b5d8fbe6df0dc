//! What surrounds every REST call of either generation: the call log, disturbances, authorization, and
//! V2's idempotency keys, which V1 does not have.
//!
//! A call that was begun is finished even when its caller hangs up, as PortOne promises.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;

use crate::{
    calls::{self, Call},
    clock::Timestamp,
    fault::{FaultReply, FaultRule},
    payment::Version,
    raw,
    server::DropConnection,
    simulator::Simulator,
    switches::MalformedKey,
    v1,
    v2::{
        error::ApiError,
        idempotency::{Answer, Claim, key_of},
    },
    world::World,
};

const BODY_MAX_BYTES: usize = 1 << 20;
/// How long an answer that never comes is not coming: longer than the read timeout PortOne advises.
const HANG: Duration = Duration::from_secs(60);

/// On a response: the answer came from the idempotency store.
#[derive(Clone, Copy)]
struct Replayed;

/// On a response: it takes effect but does not arrive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LostReply {
    Hang,
    Drop,
}

/// What the guard needs to know of a request besides the parts it hands on.
struct Seen {
    version: Version,
    number: u64,
    key: Option<String>,
    fingerprint: String,
    open: bool,
}

pub(crate) async fn guard(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    surround(simulator, Version::V2, request, next).await
}

/// The same around V1's routes.
pub(crate) async fn guard_v1(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    surround(simulator, Version::V1, request, next).await
}

async fn surround(simulator: Simulator, version: Version, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_MAX_BYTES).await else {
        return match version {
            Version::V1 => v1::reply::Refused::bad_request("the body is too large").into_response(),
            Version::V2 => ApiError::invalid("the body is too large").into_response(),
        };
    };
    let started = Instant::now();
    let (seen, fault) = simulator.touch(|world| {
        let fault = world.faults.take(version, parts.method.as_str(), parts.uri.path());
        (note_call(world, version, &parts, &body, fault.is_some()), fault)
    });
    let number = seen.number;
    let worker = simulator.clone();
    let work = tokio::spawn(async move { answer(&worker, seen, fault, parts, body, next).await });
    let response = work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    simulator.touch(|world| finish_call(world, number, &response, started));
    response
}

fn note_call(world: &mut World, version: Version, parts: &Parts, body: &Bytes, disturbed: bool) -> Seen {
    let key = header_text(&parts.headers, "idempotency-key");
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let number = world.calls_seen;
    let seen = Seen {
        version,
        number,
        key: key.clone().filter(|_| version == Version::V2 && parts.method != Method::GET),
        fingerprint: format!("{method} {}\n{}", parts.uri, String::from_utf8_lossy(body)),
        open: match version {
            Version::V1 => path == "/users/getToken",
            Version::V2 => matches!(path, "/login/api-secret" | "/token/refresh"),
        },
    };
    world.calls_seen += 1;
    if world.calls.len() == calls::KEPT {
        world.calls.pop_front();
    }
    world.calls.push_back(Call {
        number,
        version,
        at: Timestamp::wall(),
        method: method.to_owned(),
        path: path.to_owned(),
        query: parts.uri.query().map(str::to_owned),
        idempotency_key: key,
        body: if seen.open { Value::Null } else { body_value(parts, body) },
        status: None,
        replayed: false,
        disturbed,
        duration_ms: None,
    });
    seen
}

/// What was sent, for the log.
fn body_value(parts: &Parts, body: &Bytes) -> Value {
    if v1::input::is_form(header_text(&parts.headers, "content-type").as_deref()) {
        return Value::Object(v1::input::form(&String::from_utf8_lossy(body)));
    }
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

fn finish_call(world: &mut World, number: u64, response: &Response, started: Instant) {
    let Some(call) = world.calls.iter_mut().rev().find(|call| call.number == number) else { return };
    let dropped = response.extensions().get::<DropConnection>().is_some();
    call.status = (!dropped).then(|| response.status().as_u16());
    call.replayed = response.extensions().get::<Replayed>().is_some();
    call.duration_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
}

async fn answer(
    simulator: &Simulator,
    seen: Seen,
    fault: Option<FaultRule>,
    parts: Parts,
    body: Bytes,
    next: Next,
) -> Response {
    let Some(rule) = fault else {
        return protected(simulator, seen, 0, parts, body, next).await;
    };
    let delay = Duration::from_millis(rule.delay_ms);
    let keeps_truth = matches!(rule.reply, None | Some(FaultReply::HalfBody | FaultReply::SlowBytes { .. }));
    if !rule.effect && !keeps_truth {
        tokio::time::sleep(delay).await;
        return disturb(rule.reply, StatusCode::OK.into_response()).await;
    }
    let before = if rule.effect { 0 } else { rule.delay_ms };
    let response = protected(simulator, seen, before, parts, body, next).await;
    if rule.effect {
        tokio::time::sleep(delay).await;
    }
    disturb(rule.reply, response).await
}

/// Authorization, then idempotency, then the call itself.
async fn protected(
    simulator: &Simulator,
    seen: Seen,
    delay_ms: u64,
    parts: Parts,
    body: Bytes,
    next: Next,
) -> Response {
    match seen.version {
        Version::V1 if !seen.open && !v1::authorized(simulator, &parts.headers) => {
            return v1::reply::Refused::token().into_response();
        }
        Version::V2 if !seen.open && !authorized(simulator, &parts.headers) => {
            return ApiError::unauthorized().into_response();
        }
        Version::V1 | Version::V2 => {}
    }
    let key = match claim(simulator, &seen) {
        Ok(key) => key,
        Err(answered) => return *answered,
    };
    tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let lost = response.extensions().get::<LostReply>().copied();
    let (mut head, body) = response.into_parts();
    // The handlers' bodies are complete in memory, so reading one cannot fail.
    let mut body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Some(raw) = raw::written(&body) {
        head.headers.remove(header::CONTENT_LENGTH);
        body = raw;
    }
    if let Some(key) = key {
        let answer = Answer { status: head.status.as_u16(), body: body.clone() };
        simulator.touch(|world| world.keys.finish(&key, answer));
    }
    match lost {
        None => Response::from_parts(head, Body::from(body)),
        Some(LostReply::Drop) => DropConnection.into_response(),
        Some(LostReply::Hang) => {
            tokio::time::sleep(HANG).await;
            DropConnection.into_response()
        }
    }
}

fn authorized(simulator: &Simulator, headers: &HeaderMap) -> bool {
    let Some(header) = header_text(headers, "authorization") else { return false };
    let Some((scheme, credential)) = header.split_once(' ') else { return false };
    let credential = credential.trim();
    let now = simulator.clock().now();
    simulator.read(|world| match scheme.to_ascii_lowercase().as_str() {
        "portone" => world.api_secrets.iter().any(|secret| secret == credential),
        "bearer" => world.sessions.accepts(credential, now),
        _ => false,
    })
}

/// The key to store the answer under, or the answer that the key already has.
fn claim(simulator: &Simulator, seen: &Seen) -> Result<Option<String>, Box<Response>> {
    let Some(header) = &seen.key else { return Ok(None) };
    let now = simulator.clock().now();
    simulator.touch(|world| {
        let key = match (key_of(header), world.switches.malformed_key) {
            (Some(key), _) => key,
            (None, MalformedKey::Accept) => header.as_str(),
            (None, MalformedKey::Ignore) => return Ok(None),
            (None, MalformedKey::Reject) => {
                let message = "Idempotency-Key must be a quoted string of 16 to 256 ASCII characters";
                return Err(Box::new(ApiError::invalid(message).into_response()));
            }
        };
        let (reuse, lifetime) = (world.switches.reused_key, world.switches.key_lifetime_minutes);
        match world.keys.claim(key, &seen.fingerprint, reuse, now, lifetime) {
            Claim::Execute => Ok(Some(key.to_owned())),
            Claim::Outstanding => Err(Box::new(ApiError::outstanding().into_response())),
            Claim::Reused => Err(Box::new(
                ApiError::invalid("Idempotency-Key was used for another request").into_response(),
            )),
            Claim::Replay(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
                let content_type = [(header::CONTENT_TYPE, "application/json")];
                let mut response = (status, content_type, answer.body).into_response();
                response.extensions_mut().insert(Replayed);
                Err(Box::new(response))
            }
        }
    })
}

async fn disturb(reply: Option<FaultReply>, truth: Response) -> Response {
    match reply {
        None => truth,
        Some(FaultReply::Drop) => DropConnection.into_response(),
        Some(FaultReply::Hang { hang_ms }) => {
            tokio::time::sleep(Duration::from_millis(hang_ms)).await;
            DropConnection.into_response()
        }
        Some(FaultReply::Status { status, content_type, body, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let content_type = content_type.unwrap_or_else(|| "application/json".to_owned());
            let mut response = (status, body).into_response();
            let headers = [(header::CONTENT_TYPE, Some(content_type)), (header::RETRY_AFTER, retry_after)];
            for (name, value) in headers {
                if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Some(FaultReply::HalfBody) => half_body(truth).await,
        Some(FaultReply::SlowBytes { interval_ms }) => slow_bytes(truth, interval_ms).await,
    }
}

async fn half_body(truth: Response) -> Response {
    let (mut head, body) = truth.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let half = body.slice(..body.len() / 2);
    let broken = Err(std::io::Error::other("cut by rule"));
    Response::from_parts(head, Body::from_stream(stream::iter([Ok(half), broken])))
}

async fn slow_bytes(truth: Response, interval_ms: u64) -> Response {
    let (head, body) = truth.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let interval = Duration::from_millis(interval_ms);
    let bytes = stream::iter(0..body.len()).then(move |place| {
        let byte = body.slice(place..=place);
        async move {
            tokio::time::sleep(interval).await;
            Ok::<_, std::io::Error>(byte)
        }
    });
    Response::from_parts(head, Body::from_stream(bytes))
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().unwrap_or("\u{fffd}").to_owned())
}
