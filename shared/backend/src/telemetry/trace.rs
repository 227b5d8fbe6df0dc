//! One trace id from the buyer's page over PortOne's webhook to the event on the bus: W3C Trace Context.
//!
//! A call goes on with its caller's trace, if it brings a well-formed one, else it begins one. The order keeps
//! the trace it was made in, and whoever works on the order later works in that one, so that every line about
//! an order has the same trace id, whoever asked.

use std::{cell::Cell, fmt};

use crate::clock;
use order::{Order, OrderId};

tokio::task_local! {
    static WORK: Work;
}

/// A position in a trace: whose it is, which piece of work, and its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    id: [u8; 16],
    span: [u8; 8],
    flags: u8,
}

/// The flag "sampled": everything is logged.
const SAMPLED: u8 = 1;

impl Trace {
    /// Reads a `traceparent`. Nothing if it is not well-formed: the specification has it ignored then.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let [version] = bytes(parts.next()?)?;
        let (id, span, [flags]) = (bytes(parts.next()?)?, bytes(parts.next()?)?, bytes(parts.next()?)?);
        // A later version may have more behind what is known of it.
        let is_known = version != 0xff && (version > 0 || parts.next().is_none());
        (is_known && id != [0; 16] && span != [0; 8]).then_some(Self { id, span, flags: flags & SAMPLED })
    }

    /// A piece of work caused by `caller`, or by nobody we know.
    fn under(caller: Option<Self>) -> Self {
        let (id, flags) = caller.map_or_else(|| (chance(), SAMPLED), |caller| (caller.id, caller.flags));
        Self { id, span: chance(), flags }
    }

    /// The trace an order was made in; none if it was made before traces were kept.
    pub fn of(order: &Order) -> Option<Self> {
        let kept = order.trace?;
        let (id, rest) = kept.split_first_chunk()?;
        let (span, flags) = rest.split_first_chunk()?;
        Some(Self { id: *id, span: *span, flags: *flags.first()? })
    }

    fn to_bytes(self) -> [u8; 25] {
        let mut bytes = [self.flags; 25];
        bytes[..16].copy_from_slice(&self.id);
        bytes[16..24].copy_from_slice(&self.span);
        bytes
    }

    /// The id that all of a trace has in common.
    pub fn id(self) -> String {
        hex::encode(self.id)
    }
}

/// The `traceparent` of what this work causes.
impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{}", self.id(), hex::encode(self.span), hex::encode([self.flags]))
    }
}

/// A piece of work: a call, or the look at one order in a run.
#[derive(Clone, Debug)]
pub(super) struct Work {
    request_id: String,
    trace: Cell<Option<Trace>>,
    order: Cell<Option<OrderId>>,
}

impl Work {
    /// The work at hand; outside of any, as at init, one that nothing is known of.
    pub(super) fn here() -> Self {
        let none = || Self { request_id: String::new(), trace: Cell::new(None), order: Cell::new(None) };
        WORK.try_with(Self::clone).unwrap_or_else(|_| none())
    }

    /// What is said of it beside everything it does.
    pub(super) fn properties(&self, mut say: impl FnMut(&'static str, Option<String>)) {
        let request_id = Some(self.request_id.clone()).filter(|id| !id.is_empty());
        say("request_id", request_id);
        say("trace_id", self.trace.get().map(Trace::id));
        say("order_id", self.order.get().map(|id| id.to_string()));
    }
}

/// Does `work` as one call caused by `caller`: every line says which call it is, in which trace and, as soon as
/// that is known, about which order.
pub async fn call<T>(request_id: &str, caller: Option<Trace>, work: impl Future<Output = T>) -> T {
    let trace = Trace::under(caller);
    let of =
        Work { request_id: request_id.to_owned(), trace: Cell::new(Some(trace)), order: Cell::new(None) };
    WORK.scope(of, work).await
}

/// Does `work` apart from what is done beside it: the look at one order of many.
pub async fn apart<T>(work: impl Future<Output = T>) -> T {
    let beside = Work::here();
    call(&beside.request_id, beside.trace.get(), work).await
}

/// The work at hand is about the order of this id, whether there is one or not.
pub fn about_id(id: OrderId) {
    let _ = WORK.try_with(|work| work.order.set(Some(id)));
}

/// The work at hand is about this order, and goes on in its trace.
pub fn about(order: &Order) {
    about_id(order.id);
    let _ = WORK.try_with(|work| {
        if let (Some(here), Some(its)) = (work.trace.get(), Trace::of(order))
            && here.id != its.id
        {
            work.trace.set(Some(Trace { span: here.span, ..its }));
        }
    });
}

/// The trace of the work at hand.
pub fn current() -> Option<Trace> {
    WORK.try_with(|work| work.trace.get()).ok().flatten()
}

/// What an order keeps of the work at hand, which makes it.
pub fn to_keep() -> Option<[u8; 25]> {
    current().map(Trace::to_bytes)
}

/// Bytes that nobody can guess, and that are not all zero but once in longer than anybody looks.
fn chance<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for part in bytes.chunks_mut(10) {
        part.copy_from_slice(&clock::entropy()[..part.len()]);
    }
    bytes
}

/// Lower-case hexadecimal, as the specification asks.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    (!text.bytes().any(|digit| digit.is_ascii_uppercase())).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_and_written_alike() {
        assert_eq!(Trace::parse(HEADER).unwrap().to_string(), HEADER);
        assert_eq!(Trace::parse(HEADER).unwrap().id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let unsampled = HEADER.replace("-01", "-00");
        assert_eq!(Trace::parse(&unsampled).unwrap().to_string(), unsampled);
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0é",
        ] {
            assert_eq!(Trace::parse(wrong), None, "{wrong}");
        }
        let two = format!("{HEADER},{HEADER}");
        assert_eq!(Trace::parse(&two), None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = HEADER.replacen("00", "cc", 1) + "-what-comes";
        assert_eq!(Trace::parse(&later), Trace::parse(HEADER));
    }

    #[tokio::test]
    async fn a_call_goes_on_with_its_callers_trace_as_work_of_its_own() {
        let caller = Trace::parse(HEADER);
        let here = call("r", caller, async { current() }).await.unwrap();
        assert_eq!((Some(here.id), Some(here.flags)), (caller.map(|c| c.id), caller.map(|c| c.flags)));
        assert_ne!(Some(here.span), caller.map(|caller| caller.span));
        let (one, other) =
            (call("r", None, async { current() }).await, call("r", None, async { current() }).await);
        assert_ne!(one.unwrap().id, other.unwrap().id, "each its own where nobody brought one");
    }
}
