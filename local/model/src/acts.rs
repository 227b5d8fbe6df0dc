//! What the mirrored steps do that others can see, in their order, for one situation that nothing disturbs. The
//! functions' real calls are held against this (`tests/assurance/mirror.rs`): who changes the order of steps in
//! one of the two has to change it in the other.
//!
//! It is told by the steps themselves while they are taken. There is no list beside them.

use order::{Generation, LatePayment, Order, PaymentStatus};

pub use crate::{
    portone::Work,
    scenario::{News, Role, TOTAL, Want},
};
use crate::{
    portone::{Asks, Stage},
    process::{Phase, Process, Step},
    scenario::{PLAIN, Scenario},
    state::State,
    table::Table,
};

/// No process takes so many steps.
const STEPS_MAX: usize = 200;

/// A call of a process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// The order is read.
    ReadOrder,
    /// PortOne is asked for the payment, in one call or several.
    ReadPayment,
    /// A conditional write of the order.
    Write(Written),
    /// The next look is planned, and nothing else.
    Plan,
    /// PortOne is asked for money, by the number of the row.
    AskForMoney,
    /// PortOne is asked to close an account.
    CloseAccount,
}

/// What a write says of the order, as far as amounts and times do not matter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The status.
    pub status: String,
    /// Whether it names money that came.
    pub received: bool,
    /// How much of it went back: nothing, a part, or all.
    pub returned: &'static str,
    /// Whether the order has its pieces.
    pub holds_stock: bool,
    /// Whether stock is moved with it.
    pub moves_stock: bool,
    /// Whether somebody looks again.
    pub looks_again: bool,
    /// Each cancellation's number, whose it is, and how far it is.
    pub rows: Vec<(u32, String, String)>,
}

impl Written {
    /// The word for so much of it.
    pub fn share(returned: u64, of: u64) -> &'static str {
        match returned {
            0 => "nothing",
            part if part < of => "a part",
            _ => "all",
        }
    }

    fn of(before: &Order, next: &Order) -> Self {
        let received = next.received.map_or(0, |money| money.amount);
        let mut rows: Vec<_> = next
            .cancellations
            .iter()
            .map(|row| (row.number, row.origin.word().to_owned(), row.status.word().to_owned()))
            .collect();
        rows.sort();
        Self {
            status: next.status.word().to_owned(),
            received: next.received.is_some(),
            returned: Self::share(next.returned, received),
            holds_stock: next.holds_stock,
            moves_stock: before.holds_stock != next.holds_stock,
            looks_again: next.look_at.is_some(),
            rows,
        }
    }
}

/// An order, and all that happened to it so far.
pub struct Situation {
    state: State,
    scenario: Scenario,
}

impl Situation {
    /// A new order of a generation.
    pub fn new(generation: Generation, late: LatePayment) -> Self {
        let closed = PaymentStatus::Failed;
        let scenario = Scenario { generation, late, lost_answers: 0, closed, ..PLAIN };
        Self { state: State::begin(&scenario), scenario }
    }

    /// Something happens at PortOne. Whether PortOne lets it.
    pub fn happen(&mut self, news: News) -> bool {
        let allowed = self.state.portone.allows(news);
        if allowed {
            self.state.portone.happen(news, self.state.now);
        }
        allowed
    }

    /// So many minutes pass.
    pub fn wait(&mut self, minutes: i64) {
        self.state.now += minutes;
    }

    /// Another buyer takes the piece that the order gave back. Whether there is one.
    pub fn sell(&mut self) -> bool {
        let table: &mut Table = &mut self.state.table;
        let pieces = crate::scenario::PIECES;
        let left = table.stock >= pieces;
        if left {
            table.stock -= pieces;
            table.sold += pieces;
        }
        left
    }

    /// Whether the schedule would look now. If it looks at all, it is let become so.
    pub fn becomes_due(&mut self) -> bool {
        let due = self.state.table.order.look_at.map(|at| at.minutes_since(crate::state::minute(0)));
        self.state.now = self.state.now.max(due.unwrap_or(self.state.now));
        due.is_some()
    }

    /// Whether an intent to give money back has no outcome.
    pub fn has_intent(&self) -> bool {
        self.state.table.order.open_cancellation().is_some_and(|row| row.amount > 0)
    }

    /// Whether the buyer of this generation's page knows an attempt.
    pub fn newest_attempt(&self) -> Option<usize> {
        self.state.portone.attempts.len().checked_sub(1)
    }

    /// What a process does in it, from its start to its end. PortOne works off its calls that way. It dies
    /// before the call that asks for money reaches PortOne, if `dies`.
    pub fn acts(&mut self, role: Role, claim: Option<usize>, how: Work, dies: bool) -> Vec<Act> {
        let late = self.scenario.late;
        let state = &mut self.state;
        state.processes.push(Process::idle(role));
        let index = state.processes.len() - 1;
        let mut acts = Vec::new();
        if matches!(role, Role::Confirm(_)) {
            acts.push(Act::ReadOrder);
        }
        state.step(index, Step::Start(claim, 0), late);
        for _ in 0..STEPS_MAX {
            let phase = &state.processes[index].phase;
            if matches!(phase, Phase::Done) {
                break;
            }
            let calls = matches!(phase, Phase::Calling { .. });
            let waits = |call: &crate::portone::Call| matches!(call.stage, Stage::Sent | Stage::Checked);
            if let Some(call) = state.portone.calls.iter().position(waits) {
                if dies && calls && matches!(state.portone.calls[call].asks, Asks::Cancel { .. }) {
                    state.portone.calls.remove(call);
                    state.step(index, Step::Crash, late);
                    break;
                }
                state.portone.work(call, how, state.now);
                continue;
            }
            let step = state.steps(index, false, &[0]).into_iter().find(|step| *step != Step::Crash);
            let Some(step) = step else { break };
            let before = state.table.order.clone();
            let sent = match &state.processes[index].phase {
                Phase::Writing(write) => Some(Written::of(&write.before, &write.next)),
                _ => None,
            };
            state.step(index, step, late);
            match step {
                Step::ReadOrder => acts.push(Act::ReadOrder),
                Step::ReadPayment | Step::ReadV1 => acts.push(Act::ReadPayment),
                Step::Plan => acts.push(Act::Plan),
                Step::Write => {
                    let recorded = state.table.order.version != before.version;
                    let recorded = recorded.then(|| Written::of(&before, &state.table.order));
                    acts.extend(sent.or(recorded).map(Act::Write));
                }
                _ => {}
            }
            if matches!(state.processes[index].phase, Phase::Calling { .. })
                && let Some(call) = state.portone.calls.iter().find(|call| call.by == Some(index))
                && matches!(call.stage, Stage::Sent)
            {
                acts.push(match call.asks {
                    Asks::Cancel { .. } => Act::AskForMoney,
                    Asks::Close { .. } => Act::CloseAccount,
                });
            }
        }
        state.processes.clear();
        acts
    }
}

/// The same with reads that may come in either order in one order, and each once: nothing orders them.
pub fn settled_order(acts: Vec<Act>) -> Vec<Act> {
    let is_read = |act: &Act| matches!(act, Act::ReadOrder | Act::ReadPayment);
    let mut rest = acts.as_slice();
    let mut settled = Vec::new();
    while let Some(first) = rest.first() {
        let reads = rest.iter().take_while(|act| is_read(act)).count();
        if reads == 0 {
            settled.push(first.clone());
            rest = &rest[1..];
            continue;
        }
        let mut group = rest[..reads].to_vec();
        group.sort();
        group.dedup();
        settled.extend(group);
        rest = &rest[reads..];
    }
    settled
}
