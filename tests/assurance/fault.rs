//! The fault matrix: each call of each operation meets each fault, once, and whoever asked is answered honestly
//! and in time. Then the network is whole, and everything ends as if nothing had been.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use end_to_end::shop::ANSWER_MAX;
use local_stack::{
    Backend,
    wire::{Fault, Rule},
};
use serde_json::json;

use crate::{
    lanes::{progress, side_by_side},
    model::{self, Story},
    operation::{self, Answered, Operation},
    points::{self, Point},
    quiet::come_to_rest,
};

/// The fault that stands for DynamoDB's `ValidationException`.
const REJECTED: &str = "rejected";

/// What one call can meet that passes quickly.
fn faults(backend: Backend) -> Vec<(&'static str, Fault)> {
    let slow = Fault::SlowBody { bytes: 64, pause: Duration::from_millis(1) };
    let mut faults = vec![
        ("throttled", Fault::Throttle),
        ("500", Fault::ServerError),
        ("reset before", Fault::ResetBefore),
        ("reset after", Fault::ResetAfter),
        ("half a body", Fault::HalfBody),
        ("slow body", slow),
        ("200 as a page", Fault::html(200)),
        ("502 as a page", Fault::html(502)),
    ];
    match backend {
        Backend::DynamoDb => {
            let refusal =
                json!({ "__type": "com.amazon.coral.validate#ValidationException", "message": "no" });
            faults.push(("conflict", Fault::TransactionConflict));
            faults.push((REJECTED, Fault::json(400, &refusal)));
        }
        Backend::Portone | Backend::PortoneV1 => {
            faults.push((
                "401",
                Fault::json(401, &json!({ "type": "UNAUTHORIZED", "code": -1, "message": "no" })),
            ));
        }
        Backend::SecretsManager | Backend::S3 => {}
    }
    faults
}

/// An answer that promises nothing it does not know: done, refused for a reason, or to be tried again.
fn is_honest(operation: Operation, point: &Point, fault: &str, answered: &Answered) -> bool {
    // A function without its secret does not start; a schedule's run that fails is run again. What DynamoDB rejects as
    // invalid does not succeed by repetition (AWS: "Error handling with DynamoDB", "OK to retry? No").
    let may_fail = operation.is_scheduled() || point.backend == Backend::SecretsManager || fault == REJECTED;
    matches!(answered.status, 200..=202 | 409 | 503) || (may_fail && answered.status == 500)
}

/// What an operation's part of the matrix came to.
struct Row {
    met: usize,
    faults: Vec<String>,
}

/// Of a run over 32 shards one is enough.
fn chosen(operation: Operation, points: Vec<Point>) -> Vec<Point> {
    let mut kinds = BTreeSet::new();
    let first = |point: &Point| kinds.insert((point.backend, point.operation.clone()));
    if operation.is_scheduled() { points.into_iter().filter(first).collect() } else { points }
}

async fn row(operation: Operation, part: Vec<(Point, &'static str, Fault)>) -> Row {
    let begun = Instant::now();
    let shop = operation::open().await;
    let mut row = Row { met: 0, faults: Vec::new() };
    let mut left = Vec::new();
    for (point, name, fault) in part {
        let place = format!("{operation:?} {point:?} {name}");
        let case = operation.prepare(&shop).await;
        let _ = shop.stack.gateway().kill(operation.function()).await;
        let rule = Rule::on(&point.operation).after(point.after).times(1);
        let injected = shop.stack.wire(point.backend).inject(rule, fault);
        let sent = Instant::now();
        let answered = operation.run(&shop, &case).await;
        shop.stack.wire(point.backend).remove(&injected);
        row.met += injected.hits();
        if injected.hits() != 1
            || !is_honest(operation, &point, name, &answered)
            || sent.elapsed() > ANSWER_MAX
        {
            row.faults.push(format!("{place}: met {} times, answered {answered:?}", injected.hits()));
        }
        left.push((place, case));
    }
    let whole: Vec<Story> = left.iter().flat_map(|(_, case)| case.stories.clone()).collect();
    let rested = match come_to_rest(&shop).await {
        Ok(()) => model::agrees(&shop, &whole).await,
        moving => moving,
    };
    row.faults.extend(rested.err().map(|fault| format!("{operation:?}: {fault}")));
    let mut stories = Vec::new();
    for (place, case) in &left {
        let again = operation.run(&shop, case).await;
        if again.status >= 500 {
            row.faults.push(format!("{place}: once more {again:?}"));
        } else {
            stories.extend(operation.stories(case, &again));
        }
    }
    let ended = match come_to_rest(&shop).await {
        Ok(()) => model::agrees(&shop, &stories).await,
        moving => moving,
    };
    let ended = match ended {
        Ok(()) => model::events_agree(&shop).await,
        wrong => wrong,
    };
    row.faults.extend(ended.err().map(|fault| format!("{operation:?} in the end: {fault}")));
    progress(&format!("fault: {operation:?}: {} met in {:.1?}", row.met, begun.elapsed()));
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_call_meets_the_answer_is_honest_and_the_order_ends_right() {
    let begun = Instant::now();
    let found = side_by_side(operation::chosen().map(points::of)).await;
    let mut parts = Vec::new();
    for (operation, points) in found {
        let with_faults =
            |point: Point| faults(point.backend).into_iter().map(move |(n, f)| (point.clone(), n, f));
        let all: Vec<_> = chosen(operation, points).into_iter().flat_map(with_faults).collect();
        parts.extend(all.chunks(2 * points::AT_ONCE).map(|part| row(operation, part.to_vec())));
    }
    let rows = side_by_side(parts).await;
    let met: usize = rows.iter().map(|row| row.met).sum();
    println!("fault: {met} calls met something in {:.0?}", begun.elapsed());
    let faults: Vec<_> = rows.into_iter().flat_map(|row| row.faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
