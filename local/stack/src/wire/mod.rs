//! The wires between the functions and their backends: a reverse proxy in front of each one that counts
//! calls, adds latency, and makes go wrong what goes wrong in the cloud. Functions and backends know
//! nothing of it. It never changes what it forwards, except that a metered wire asks DynamoDB what a call
//! costs.

mod calls;
mod fault;
mod gate;
mod operation;
mod proxy;
mod reply;
mod units;

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{net::TcpListener, task::JoinHandle};

pub use calls::{Call, rounds};
pub use fault::{Chooser, Fault, Hook, Injected, Rule};
pub use gate::Gate;
pub use operation::Request;
pub use units::HalfUnits;

use crate::iam::Roles;
use fault::Active;
use gate::GateState;

/// Who stands behind a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// The table.
    DynamoDb,
    /// The secret.
    SecretsManager,
    /// The buckets.
    S3,
    /// PortOne's V2 REST API.
    Portone,
    /// PortOne's V1 REST API.
    PortoneV1,
}

/// A proxy in front of one backend. Clones are the same wire.
#[derive(Clone)]
pub struct Wire {
    shared: Arc<Shared>,
    url: String,
    server: Arc<Server>,
}

pub(crate) struct Shared {
    backend: Backend,
    upstream: String,
    client: Client<HttpConnector, Full<Bytes>>,
    epoch: Instant,
    latency_us: AtomicU64,
    metered: AtomicBool,
    next_id: AtomicU64,
    rules: Mutex<Vec<Active>>,
    chooser: Mutex<Option<Chooser>>,
    calls: Mutex<Vec<Call>>,
    roles: Option<Arc<Roles>>,
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Wire {
    /// Serves `listener` with what `upstream` (a base URL without a slash at its end) answers to those whose
    /// `roles` allow it; without roles, to everybody. Times of calls are counted from `epoch`, so that wires
    /// with one epoch can be compared.
    pub fn start(
        backend: Backend,
        listener: TcpListener,
        upstream: String,
        epoch: Instant,
        roles: Option<Arc<Roles>>,
    ) -> io::Result<Self> {
        let url = format!("http://{}", listener.local_addr()?);
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let shared = Arc::new(Shared {
            backend,
            upstream,
            client,
            epoch,
            latency_us: AtomicU64::new(0),
            metered: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            rules: Mutex::default(),
            chooser: Mutex::default(),
            calls: Mutex::default(),
            roles,
        });
        let server = Arc::new(Server(tokio::spawn(proxy::serve(listener, shared.clone()))));
        Ok(Self { shared, url, server })
    }

    /// Where functions reach the backend through this wire.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes `fault` happen to the calls of `rule`, from now on. Earlier rules come first.
    pub fn inject(&self, rule: Rule, fault: Fault) -> Injected {
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let (active, hits) = Active::new(id, rule, fault);
        lock(&self.shared.rules).push(active);
        Injected { id, hits }
    }

    /// Asks `chooser` about every call that no rule takes, from now on. It is asked for one call after the
    /// other, so that a history can be told from a seed.
    pub fn choose(&self, chooser: Chooser) {
        *lock(&self.shared.chooser) = Some(chooser);
    }

    /// Holds calls of `rule` before the backend sees them. A caller that is killed while it is held never
    /// reaches the backend.
    pub fn hold_before(&self, rule: Rule) -> Gate {
        let state = Arc::new(GateState::new());
        self.inject(rule, Fault::HoldBefore(state.clone()));
        Gate(state)
    }

    /// Holds calls of `rule` after their effect, before the caller learns of it.
    pub fn hold_after(&self, rule: Rule) -> Gate {
        let state = Arc::new(GateState::new());
        self.inject(rule, Fault::HoldAfter(state.clone()));
        Gate(state)
    }

    /// Takes a fault off the wire. Calls that it is happening to are not touched; repeating it does nothing.
    pub fn remove(&self, injected: &Injected) {
        lock(&self.shared.rules).retain(|active| active.id != injected.id);
    }

    /// Takes every fault off the wire; the latency stays.
    pub fn heal(&self) {
        lock(&self.shared.rules).clear();
        *lock(&self.shared.chooser) = None;
    }

    /// Every call reaches the backend this much later.
    pub fn set_latency(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.shared.latency_us.store(micros, Ordering::Relaxed);
    }

    /// From now on DynamoDB is asked what each call costs; see [`Call::units`].
    pub fn meter(&self) {
        self.shared.metered.store(true, Ordering::Relaxed);
    }

    /// Every call so far, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// How many calls of an operation there were.
    pub fn count(&self, operation: &str) -> usize {
        lock(&self.shared.calls).iter().filter(|call| call.operation == operation).count()
    }

    /// Stops serving: new connections are refused. What is under way is cut off with the runtime.
    pub(crate) fn stop(&self) {
        self.server.0.abort();
    }
}

/// Marks where a measurement begins: calls before it are left out of what [`crate::Stack::calls_since`] answers.
#[derive(Debug, Clone, Copy)]
pub struct Mark(pub(crate) Duration);

impl Mark {
    /// The mark on the clock of [`Call::started`].
    pub fn at(self) -> Duration {
        self.0
    }

    /// The calls that arrived after the mark, over all wires, in the order of arrival.
    pub(crate) fn since<'a>(self, wires: impl Iterator<Item = &'a Wire>) -> Vec<Call> {
        let mut calls: Vec<_> = wires.flat_map(Wire::calls).filter(|call| call.started >= self.0).collect();
        calls.sort_by_key(|call| call.started);
        calls
    }
}
