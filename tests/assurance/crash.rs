//! The crash matrix: the process is killed at every call that an operation makes, before the call is sent, and
//! after it took effect and before its answer came. Then nobody does anything but the schedule, or whoever
//! asked asks once more.

use std::time::Instant;

use end_to_end::Shop;
use local_stack::wire::{Fault, Rule};

use crate::{
    lanes::{progress, side_by_side},
    model::{self, Story},
    operation::{self, Case, Operation},
    points::{self, Point},
    quiet::come_to_rest,
};

/// What goes on after it died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The schedule alone, and only when all is quiet the same request once more.
    Schedule,
    /// The same request, delivery or run once more, at once.
    Again,
}

/// Dies at the point. What is left of the operation.
async fn die(shop: &Shop, operation: Operation, point: &Point, effect: bool) -> Result<Case, String> {
    let case = operation.prepare(shop).await;
    let function = operation.function();
    let _ = shop.stack.gateway().kill(function).await;
    let killer = shop.stack.killer(function);
    let fault = if effect { Fault::CallAfter(killer) } else { Fault::CallBefore(killer) };
    let rule = Rule::on(&point.operation).after(point.after).times(1);
    let injected = shop.stack.wire(point.backend).inject(rule, fault);
    let answered = operation.run(shop, &case).await;
    shop.stack.wire(point.backend).remove(&injected);
    if injected.hits() == 1 && answered.status >= 500 {
        return Ok(case);
    }
    Err(format!("it did not die there: {answered:?}"))
}

/// Asked once more, it is answered; its orders, each with where it has to end.
async fn again(shop: &Shop, operation: Operation, case: &Case) -> Result<Vec<(Story, &'static str)>, String> {
    let answered = operation.run(shop, case).await;
    if answered.status >= 500 {
        return Err(format!("once more: {answered:?}"));
    }
    let stories = operation.stories(case, &answered);
    Ok(stories.into_iter().zip(operation.done().iter().copied()).collect())
}

/// A part of an operation's row of the matrix.
struct Row {
    operation: Operation,
    deaths: usize,
    faults: Vec<String>,
}

/// Every point of the part, each on orders of its own, and all of them are let come to rest together.
async fn row(operation: Operation, then: Then, part: Vec<(Point, bool)>) -> Row {
    let begun = Instant::now();
    let shop = operation::open().await;
    let mut row = Row { operation, deaths: 0, faults: Vec::new() };
    let mut stories = Vec::new();
    let mut left = Vec::new();
    for (point, effect) in &part {
        let place = format!("{operation:?} {point:?} effect {effect} {then:?}");
        let named = |fault: String| format!("{place}: {fault}");
        match die(&shop, operation, point, *effect).await {
            Ok(case) if then == Then::Schedule => left.push((place, case)),
            Ok(case) => match again(&shop, operation, &case).await {
                Ok(ended) => stories.extend(ended),
                Err(fault) => row.faults.push(named(fault)),
            },
            Err(fault) => row.faults.push(named(fault)),
        }
    }
    row.deaths = part.len() - row.faults.len();
    if then == Then::Schedule {
        let rested = match come_to_rest(&shop).await {
            Ok(()) => model::agrees(&shop, &stories_of(&left)).await,
            moving => moving,
        };
        row.faults.extend(rested.err().map(|fault| format!("{operation:?} by the schedule alone: {fault}")));
        for (place, case) in &left {
            match again(&shop, operation, case).await {
                Ok(ended) => stories.extend(ended),
                Err(fault) => row.faults.push(format!("{place}: {fault}")),
            }
        }
    }
    row.faults
        .extend(end(&shop, &stories).await.err().map(|fault| format!("{operation:?} {then:?}: {fault}")));
    progress(&format!("crash: {operation:?} {then:?}: {} deaths in {:.1?}", row.deaths, begun.elapsed()));
    row
}

fn stories_of(left: &[(String, Case)]) -> Vec<Story> {
    left.iter().flat_map(|(_, case)| case.stories.clone()).collect()
}

async fn end(shop: &Shop, stories: &[(Story, &'static str)]) -> Result<(), String> {
    come_to_rest(shop).await?;
    let whole: Vec<Story> = stories.iter().map(|(story, _)| story.clone()).collect();
    model::agrees(shop, &whole).await?;
    for (story, done) in stories {
        let status = shop.status(&story.placed);
        if status != *done {
            return Err(format!("{status} and not {done} in the end: {}", shop.stored(&story.placed.id)));
        }
    }
    model::events_agree(shop).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_a_process_dies_at_the_order_ends_right() {
    let begun = Instant::now();
    let found = side_by_side(operation::chosen().map(points::of)).await;
    let points: usize = found.iter().map(|(_, points)| 2 * points.len()).sum();
    let mut parts = Vec::new();
    for (operation, points) in &found {
        let both: Vec<_> =
            [false, true].into_iter().flat_map(|it| points.iter().map(move |p| (p.clone(), it))).collect();
        for part in both.chunks(points::AT_ONCE) {
            // The schedule's own run, once more, is the schedule.
            let thens =
                if operation.is_scheduled() { &[Then::Again][..] } else { &[Then::Schedule, Then::Again] };
            parts.extend(thens.iter().map(|then| row(*operation, *then, part.to_vec())));
        }
    }
    let rows = side_by_side(parts).await;
    for (operation, points) in &found {
        let deaths: usize = rows.iter().filter(|row| row.operation == *operation).map(|row| row.deaths).sum();
        println!("crash: {operation:?}: {} points, {deaths} deaths", 2 * points.len());
    }
    let deaths: usize = rows.iter().map(|row| row.deaths).sum();
    println!(
        "crash: {points} points of {} operations, {deaths} deaths in {:.0?}",
        found.len(),
        begun.elapsed()
    );
    let faults: Vec<_> = rows.into_iter().flat_map(|row| row.faults).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
