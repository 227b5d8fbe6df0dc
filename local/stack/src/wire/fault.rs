//! What a proxy can do to a call, and when it does it. A rule matches by operation, by what the request
//! says and by how often it has matched; the first rule that matches a call decides about it alone.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;

use super::{gate::GateState, operation::Request};

/// Something to run at one point of a call; the call waits for it.
pub type Hook = Arc<dyn Fn(Request) -> BoxFuture<'static, ()> + Send + Sync>;

/// Decides about a call by whatever it likes; `None` lets it pass.
pub type Chooser = Arc<dyn Fn(&Request) -> Option<Fault> + Send + Sync>;

/// What happens to a call.
#[derive(Clone)]
pub enum Fault {
    /// Refused before any effect, in the backend's own words for "too much": DynamoDB's
    /// `ProvisionedThroughputExceededException`, Secrets Manager's `ThrottlingException`, PortOne's 429.
    Throttle,
    /// Refused before any effect because another transaction holds the item (DynamoDB).
    TransactionConflict,
    /// 500 before any effect, in the backend's own form.
    ServerError,
    /// An answer of the rule's own, before any effect.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The content type.
        content_type: &'static str,
        /// The body.
        body: String,
    },
    /// The connection is reset; the backend never sees the call.
    ResetBefore,
    /// The backend's effect stands, and then the connection is reset: the answer is lost.
    ResetAfter,
    /// The call reaches the backend this much later.
    DelayBefore(Duration),
    /// The effect stands at once, the answer comes this much later.
    DelayAfter(Duration),
    /// No effect and no answer, until the caller gives up.
    Hang,
    /// The effect stands; headers and half of the body arrive, and then the connection ends.
    HalfBody,
    /// The effect stands; the body arrives in pieces of this many bytes with this pause before each.
    SlowBody {
        /// Bytes of one piece.
        bytes: usize,
        /// The pause before each piece.
        pause: Duration,
    },
    /// Runs before the backend sees the call.
    CallBefore(Hook),
    /// Runs after the effect, before the caller gets its answer.
    CallAfter(Hook),
    /// Held before the backend sees it; made by [`super::Wire::hold_before`].
    #[doc(hidden)]
    HoldBefore(Arc<GateState>),
    /// Held after the effect; made by [`super::Wire::hold_after`].
    #[doc(hidden)]
    HoldAfter(Arc<GateState>),
}

impl Fault {
    /// A page of HTML as gateways in between send it, with this status.
    pub fn html(status: u16) -> Self {
        let body = format!("<!doctype html><title>{status}</title><h1>{status} Something in between</h1>");
        Self::Answer { status, content_type: "text/html; charset=utf-8", body }
    }

    /// JSON with this status.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::Answer { status, content_type: "application/json", body: body.to_string() }
    }
}

type Predicate = Arc<dyn Fn(&Request) -> bool + Send + Sync>;

/// When a fault happens.
#[derive(Clone)]
pub struct Rule {
    operation: Option<String>,
    predicate: Option<Predicate>,
    skip: usize,
    times: usize,
}

impl Rule {
    /// Calls of one operation: `PutItem`, `GetSecretValue`, `GET /payments/{paymentId}` …
    pub fn on(operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), predicate: None, skip: 0, times: usize::MAX }
    }

    /// Every call.
    pub fn any() -> Self {
        Self { operation: None, predicate: None, skip: 0, times: usize::MAX }
    }

    /// Only calls of which `predicate` holds.
    pub fn when(mut self, predicate: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(predicate));
        self
    }

    /// Lets the first `calls` matching calls pass.
    pub fn after(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }

    /// Only the next `calls` matching calls; without this, every one until the fault is removed.
    pub fn times(mut self, calls: usize) -> Self {
        self.times = calls;
        self
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule")
            .field("operation", &self.operation)
            .field("skip", &self.skip)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}

/// A rule in force on a wire.
pub(super) struct Active {
    pub(super) id: u64,
    pub(super) fault: Fault,
    rule: Rule,
    seen: usize,
    hits: Arc<AtomicUsize>,
}

impl Active {
    pub(super) fn new(id: u64, rule: Rule, fault: Fault) -> (Self, Arc<AtomicUsize>) {
        let hits = Arc::new(AtomicUsize::new(0));
        (Self { id, fault, rule, seen: 0, hits: hits.clone() }, hits)
    }

    /// Whether this call is one of the rule's. Counts it if so.
    pub(super) fn takes(&mut self, request: &Request) -> bool {
        let Rule { operation, predicate, skip, times } = &self.rule;
        if operation.as_ref().is_some_and(|operation| *operation != request.operation)
            || predicate.as_ref().is_some_and(|predicate| !predicate(request))
        {
            return false;
        }
        self.seen += 1;
        let takes = self.seen > *skip && self.seen - *skip <= *times;
        if takes {
            self.hits.fetch_add(1, Ordering::SeqCst);
        }
        takes
    }
}

/// A fault that was put on a wire. It stays until it is removed or used up, also when this is dropped.
#[derive(Debug, Clone)]
pub struct Injected {
    pub(super) id: u64,
    pub(super) hits: Arc<AtomicUsize>,
}

impl Injected {
    /// How many calls it has happened to.
    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    fn request(operation: &str, body: &str) -> Request {
        Request {
            operation: operation.to_owned(),
            method: Method::POST,
            path: "/".to_owned(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    #[test]
    fn a_rule_takes_the_calls_it_names_after_some_and_a_number_of_times() {
        let rule = Rule::on("PutItem").when(|call| call.mentions("ORDER#1")).after(1).times(2);
        let (mut active, hits) = Active::new(1, rule, Fault::Throttle);
        assert!(!active.takes(&request("GetItem", "ORDER#1")));
        assert!(!active.takes(&request("PutItem", "ORDER#2")));
        let taken: Vec<_> = (0..4).map(|_| active.takes(&request("PutItem", "ORDER#1"))).collect();
        assert_eq!(taken, [false, true, true, false]);
        assert_eq!(hits.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_rule_without_bounds_takes_every_call() {
        let (mut active, _) = Active::new(1, Rule::any(), Fault::Throttle);
        assert!((0..100).all(|_| active.takes(&request("Query", ""))));
    }
}
