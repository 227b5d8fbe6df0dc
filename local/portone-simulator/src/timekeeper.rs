//! Carries out what is due on the agenda, in order, by the virtual clock.

use crate::{
    clock::Timestamp,
    payment::{Refusal, Status, Version, attempt::Captured},
    simulator::Simulator,
    webhook::{Cause, send},
    world::{Deed, Publication, World},
};

/// A day: how long to sleep when nothing is planned. Any change wakes the loop earlier.
const IDLE_MILLIS: i64 = 24 * 3_600_000;

/// Runs until the simulator stops.
pub(crate) async fn run(simulator: Simulator) {
    let mut changed = simulator.changes();
    let mut stopping = simulator.stopping();
    loop {
        changed.borrow_and_update();
        let now = simulator.clock().now();
        let due = simulator.read(|world| world.book.agenda.first().is_some_and(|(due, _)| *due <= now));
        if due {
            carry_out(&simulator, now);
            continue;
        }
        let next = simulator.read(|world| world.book.agenda.first().map(|(due, _)| *due));
        let next = next.unwrap_or(now.plus_millis(IDLE_MILLIS));
        tokio::select! {
            () = simulator.clock().sleep_until(next) => {}
            _ = changed.changed() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

fn carry_out(simulator: &Simulator, now: Timestamp) {
    let sends = simulator.change(|world| {
        let mut sends = Vec::new();
        while world.book.agenda.first().is_some_and(|(due, _)| *due <= now) {
            let Some((due, deed)) = world.book.agenda.pop_first() else { break };
            match deed {
                Deed::Approve(id) => note(approve(world, &id)),
                Deed::Expire(id) => note(expire(world, &id)),
                send => {
                    // Counted from here, so that nobody finds the simulator idle between plan and wire.
                    world.running += 1;
                    sends.push((due, send));
                }
            }
        }
        sends
    });
    for (due, deed) in sends {
        let simulator = simulator.clone();
        tokio::spawn(async move {
            match deed {
                Deed::Send(number) => send::execute(&simulator, number, Cause::Schedule, due).await,
                Deed::SendCopy(number, _) => send::execute(&simulator, number, Cause::Duplicate, due).await,
                Deed::SendInTurn(numbers) => {
                    for number in numbers {
                        send::execute(&simulator, number, Cause::Schedule, simulator.clock().now()).await;
                    }
                }
                Deed::Approve(_) | Deed::Expire(_) => {}
            }
            simulator.change(|world| world.running = world.running.saturating_sub(1));
        });
    }
}

/// What somebody else already decided is no longer due; that is not an error.
fn note(_: Result<(), Refusal>) {}

fn approve(world: &mut World, id: &str) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    if world.transaction(id)?.1.status != Status::PayPending {
        return Ok(());
    }
    let pg = world.pg_details(id, None)?;
    let news = world.payment_mut(&payment_id)?.approve(id, Captured::default(), pg, Timestamp::wall())?;
    world.publish(&payment_id, &news, Publication::default());
    Ok(())
}

fn expire(world: &mut World, id: &str) -> Result<(), Refusal> {
    let payment_id = world.payment_of(id)?;
    close_account(world, &payment_id, id, "입금 기한이 지났습니다.")
}

/// Closes the open virtual account of an attempt and tells it as the switches say.
pub(crate) fn close_account(world: &mut World, payment_id: &str, id: &str, why: &str) -> Result<(), Refusal> {
    let into = match world.payment(payment_id)?.version {
        // What a V1 account becomes is stated.
        Version::V1 => Status::Failed,
        Version::V2 => world.switches.closed_account_status.into(),
    };
    let news = world.payment_mut(payment_id)?.close_account(id, into, why, Timestamp::wall())?;
    let silent = !world.switches.closed_account_webhook;
    world.publish(payment_id, &news, Publication { silent, ..Publication::default() });
    Ok(())
}
