//! The calls that an operation makes, counted on a run that nothing disturbs.

use std::collections::BTreeMap;

use end_to_end::setting;
use local_stack::Backend;

use crate::{
    operation::{self, Operation},
    quiet::come_to_rest,
};

/// Points that one shop is used for: with more orders its lists have more pages.
pub const AT_ONCE: usize = 24;

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Who is called.
    pub backend: Backend,
    /// What for.
    pub operation: String,
    /// It is the call of this operation after so many.
    pub after: usize,
}

/// Every call of a process that starts afresh. Of the schedule's queries of 32 shards, which are alike, three,
/// unless `ASSURANCE_ALL` is 1.
pub async fn of(operation: Operation) -> (Operation, Vec<Point>) {
    let shop = operation::open().await;
    let case = operation.prepare(&shop).await;
    // It reads its secret as well, then.
    let _ = shop.stack.gateway().kill(operation.function()).await;
    let mark = shop.stack.mark();
    let answered = operation.run(&shop, &case).await;
    assert!(matches!(answered.status, 200..=202 | 409), "{operation:?}: {answered:?}");
    let mut seen: BTreeMap<(Backend, String), usize> = BTreeMap::new();
    let mut points = Vec::new();
    for call in shop.stack.calls_since(mark) {
        let seen = seen.entry((call.backend, call.operation.clone())).or_default();
        points.push(Point { backend: call.backend, operation: call.operation, after: *seen });
        *seen += 1;
    }
    if setting("ASSURANCE_ALL", 0) == 0 {
        points.retain(|point| point.operation != "Query" || matches!(point.after, 0 | 15 | 31));
    }
    come_to_rest(&shop).await.expect("nothing disturbs it");
    assert!(!points.is_empty(), "{operation:?} calls nobody");
    (operation, points)
}
