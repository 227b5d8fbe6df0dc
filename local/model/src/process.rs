//! Our processes: which program each runs, and where in it it is.

use std::{
    hash::{Hash, Hasher},
    mem::discriminant,
};

use order::{CancellationOutcome, Order, Timestamp};

use crate::{
    portone::Stage,
    scenario::Role,
    state::{Held, Seen},
    table::Table,
};

/// A process: which program, and where it is.
#[derive(Clone, Debug)]
pub struct Process {
    /// The program.
    pub role: Role,
    /// Where it is.
    pub phase: Phase,
}

/// What a process reads for, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Errand {
    /// When it looked at its clock.
    pub at: Timestamp,
    /// Turns of its own loop.
    pub turn: u8,
    /// The virtual account was closed just now.
    pub closed: bool,
    /// Its closing was refused once.
    pub refused: bool,
    /// The attempt that V1's claim names.
    pub attempt: Option<usize>,
    /// The order that it read had moved when PortOne was read. Who goes through PortOne's list reads it first.
    pub overtaken: bool,
}

/// Where a process is.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Not started.
    Idle,
    /// The order and the payment are being read, in either order where nothing orders them.
    Reading { errand: Errand, order: Option<Held>, seen: Option<Told> },
    /// A conditional write is on its way.
    Writing(Box<Write>),
    /// PortOne was called; the order is as it was written before.
    Calling { errand: Errand, order: Held, seen: Option<Seen>, then: Then },
    /// PortOne's answer has to be written down.
    Recording {
        errand: Errand,
        order: Held,
        seen: Option<Seen>,
        number: u32,
        outcome: CancellationOutcome,
        ends: bool,
    },
    /// The next look is being planned.
    Planning { errand: Errand, order: Held },
    /// Ended, or dead.
    Done,
}

/// What PortOne said of the payment. `None`: it knows of none.
#[derive(Clone, Debug)]
pub enum Told {
    /// All that is asked for.
    All(Option<Seen>),
    /// What V2 says, and it depends on the order whether V1 is asked as well.
    ByV2(Option<Seen>),
}

/// A write.
#[derive(Clone, Debug)]
pub struct Write {
    pub errand: Errand,
    pub before: Held,
    pub next: Order,
    pub seen: Option<Seen>,
    pub purpose: Purpose,
    /// It was sent before, and its answer was lost.
    pub mark: Option<u32>,
}

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A decision about news, and the cancellation to ask for after it.
    Apply { ask: Option<u32>, returns: bool },
    /// Closing an overdue order.
    Expire,
    /// An operator's intent to close an order with a virtual account.
    Intend,
    /// An operator closes an order without money.
    Close,
    /// An operator's cancellation.
    Ask(u32),
}

/// What follows an answer of PortOne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Then {
    /// Its outcome is written down; after that the process ends, or goes on with its errand.
    Record { number: u32, ends: bool },
    /// The account is closed or not.
    Closed,
    /// The account of an order that takes no deposit is revoked or not.
    Revoked,
}

/// A step of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It begins; in V1 with the attempt that it was told of. Its clock is wrong by so many minutes.
    Start(Option<usize>, i64),
    /// It reads the order.
    ReadOrder,
    /// It reads the payment, through V2 where both may know of it.
    ReadPayment,
    /// It reads the payment through V1, after V2 and the order.
    ReadV1,
    /// Its write arrives and is answered.
    Write,
    /// Its write arrives, and the answer is lost: it is sent again.
    WriteUnanswered,
    /// PortOne's answer arrives.
    Answer,
    /// It waits no longer for PortOne's answer.
    GiveUp,
    /// It plans the next look.
    Plan,
    /// It dies.
    Crash,
}

pub fn print_of_stage(stage: &Stage) -> u64 {
    match stage {
        Stage::Sent => 0,
        Stage::Checked => 1,
        Stage::Closed { refused } => 2 + u64::from(*refused),
        Stage::Cancelled(outcome) => print_of_outcome(outcome),
    }
}

fn print_of_outcome(outcome: &CancellationOutcome) -> u64 {
    let id = |id: &Option<String>| id.as_ref().and_then(|id| id[1..].parse::<u64>().ok()).unwrap_or(0);
    match outcome {
        CancellationOutcome::Succeeded { portone_id } => 100 + id(portone_id),
        CancellationOutcome::Requested { portone_id } => 200 + id(portone_id),
        CancellationOutcome::Failed { .. } => 300,
        CancellationOutcome::Unknown => 400,
    }
}

impl Process {
    /// Not started yet.
    pub fn idle(role: Role) -> Self {
        Self { role, phase: Phase::Idle }
    }

    /// Hashes what counts of it: see [`crate::state`].
    pub fn print(&self, table: &Table, hasher: &mut impl Hasher) {
        (self.role, discriminant(&self.phase)).hash(hasher);
        let held = |order: &Held| (order.print(), order.version == table.order.version);
        let said = |seen: &Option<Seen>| seen.as_ref().map(Seen::print);
        match &self.phase {
            Phase::Idle | Phase::Done => {}
            Phase::Reading { errand, order, seen } => {
                let told = seen.as_ref().map(|told| match told {
                    Told::All(seen) => (true, said(seen)),
                    Told::ByV2(seen) => (false, said(seen)),
                });
                (errand, order.as_ref().map(held), told).hash(hasher);
            }
            // What is to be written follows from the rest.
            Phase::Writing(write) => {
                let Write { errand, before, next: _, seen, purpose, mark } = &**write;
                let own = mark.map(|mark| mark == table.written_by);
                (errand, held(before), said(seen), purpose, own).hash(hasher);
            }
            Phase::Calling { errand, order, seen, then } => {
                (errand, held(order), said(seen), then).hash(hasher)
            }
            Phase::Recording { errand, order, seen, number, outcome, ends } => {
                (errand, held(order), said(seen), number, print_of_outcome(outcome), ends).hash(hasher);
            }
            Phase::Planning { errand, order } => (errand, held(order)).hash(hasher),
        }
    }
}
