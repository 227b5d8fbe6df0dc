//! The network heals: nothing crashes and nothing gets lost any more, the PG decides, and only the schedule
//! looks, whenever the order says that it is due. Where that ends is compared with what PortOne has.

use order::{
    CancellationOrigin, CancellationStatus, FindingKind, Generation, OrderStatus, PaymentStatus, finding,
    observation::ObservedCancellationStatus as Listed,
};

use crate::{
    portone::{Stage, Work},
    process::{Phase, Process, Step},
    scenario::{Role, Scenario},
    state::{State, minute},
};

/// No process takes so many steps.
const STEPS_MAX: usize = 200;
/// So many looks have to be enough; from the orders' dates it follows that they are far apart.
const ROUNDS_MAX: usize = 60;
/// After so many days a person is told of what is on its way back.
const TOLD_DAYS: u32 = 4;

impl State {
    /// Lets the schedule go on until it has nothing to do, and says what is not right then.
    pub fn heal(&self, scenario: &Scenario) -> Result<(), &'static str> {
        self.healed(scenario).map(drop)
    }

    /// As [`State::heal`]: where it ends.
    pub fn healed(&self, scenario: &Scenario) -> Result<Self, &'static str> {
        let mut state = self.clone();
        state.processes.clear();
        state.refusals = 0;
        for _ in 0..ROUNDS_MAX {
            state.the_pg_decides();
            let order = &state.table.order;
            let due = order.look_at.map(|at| at.minutes_since(minute(0)));
            // V1's paid orders are looked at for months. The first of these looks is enough.
            let revisit = order.v1_money().is_some() && state.unsettled().is_none();
            let before = state.table.order.version;
            if let Some(due) = due {
                state.now = state.now.max(due);
                state.alone(Role::Schedule, None, scenario);
            }
            for attempt in 0..state.portone.attempts.len() {
                if state.differs(attempt, scenario.late) {
                    let v1 = state.portone.generation(attempt) == Generation::V1;
                    let named = v1.then_some(attempt);
                    state.alone(Role::Look, named, scenario);
                }
            }
            // A PG that did not revoke an account is an exception, which the schedule reads again.
            let takes_none = !state.table.order.is_open() && state.table.order.received.is_none();
            if let Some(attempt) = state.open_account().filter(|_| takes_none) {
                let v1 = state.portone.generation(attempt) == Generation::V1;
                state.alone(Role::Look, v1.then_some(attempt), scenario);
            }
            let stands = before == state.table.order.version;
            if stands && (due.is_none() || revisit || state.waits_for_a_person()) {
                return state.end(scenario);
            }
        }
        Err("the schedule comes to an end")
    }

    fn the_pg_decides(&mut self) {
        for (attempt, index) in self.portone.undecided() {
            self.portone.decide_later(attempt, index, true);
        }
        for attempt in &mut self.portone.attempts {
            if attempt.status == PaymentStatus::PayPending {
                self.portone.count += 1;
                (attempt.status, attempt.changed) = (PaymentStatus::Failed, self.portone.count);
            }
        }
    }

    /// Runs one process to its end.
    fn alone(&mut self, role: Role, attempt: Option<usize>, scenario: &Scenario) {
        self.processes.push(Process::idle(role));
        let index = self.processes.len() - 1;
        self.step(index, Step::Start(attempt, 0), scenario.late);
        for turn in 0.. {
            if matches!(self.processes[index].phase, Phase::Done) {
                break;
            }
            if turn == STEPS_MAX {
                self.table.fault = self.table.fault.or(Some("a process ends"));
                break;
            }
            let sent = |call: &crate::portone::Call| matches!(call.stage, Stage::Sent | Stage::Checked);
            if let Some(call) = self.portone.calls.iter().position(sent) {
                self.portone.work(call, Work::Do, self.now);
                continue;
            }
            let step = self.steps(index, false, &[0]).into_iter().find(|step| *step != Step::Crash);
            self.step(index, step.unwrap_or(Step::Crash), scenario.late);
        }
        self.processes.clear();
    }

    /// A deposit that must go back has nowhere to go before an operator says where. And V1 tells nobody of a
    /// cancellation that its PG took and refuses later.
    fn waits_for_a_person(&self) -> bool {
        let order = &self.table.order;
        let deposit = self.portone.attempts.iter().any(|one| one.by_deposit && one.paid.is_some());
        let raised = finding::standing(order, minute(self.now)).contains(&FindingKind::ReturnRefused);
        (order.status == OrderStatus::Rejected && deposit && order.balance() > 0 && raised)
            || self.is_left_to_a_person()
    }

    /// A cancellation that V1's PG took first and then refused, and which a person is told of in time.
    pub fn is_left_to_a_person(&self) -> bool {
        let order = &self.table.order;
        let v1 = self.portone.attempts.iter().filter(|one| one.generation == Generation::V1);
        let refused = v1.flat_map(|one| &one.returns).any(|one| one.by_api && one.listed == Listed::Failed);
        let waits = order.cancellations.iter().any(|row| row.status == CancellationStatus::Requested);
        let later = minute(self.now).plus_minutes(TOLD_DAYS * 24 * 60);
        refused && waits && finding::standing(order, later).contains(&FindingKind::Undecided)
    }

    /// An attempt whose account waits for a deposit, as far as PortOne shows it. V2 shows the newest attempt only: an
    /// account that an older window issued cannot be seen, and a deposit into it is a late payment. V1 shows each one.
    fn open_account(&self) -> Option<usize> {
        let newest = self.portone.attempts.iter().rposition(|one| one.generation == Generation::V2);
        let mut attempts = self.portone.attempts.iter().enumerate();
        attempts
            .find(|(index, one)| {
                let shown = one.generation == Generation::V1 || newest == Some(*index);
                shown && one.status == PaymentStatus::VirtualAccountIssued
            })
            .map(|(index, _)| index)
    }

    /// What is not settled about the order, by what PortOne has. Written without a look at the decision.
    pub fn unsettled(&self) -> Option<&'static str> {
        let order = &self.table.order;
        let undecided =
            |status| matches!(status, CancellationStatus::Intended | CancellationStatus::Requested);
        let person = self.is_left_to_a_person();
        if !person && order.cancellations.iter().any(|row| undecided(row.status)) {
            return Some("every unknown outcome is known in the end");
        }
        // No quiescent state has money owed and neither a request under way nor an exception.
        let raised = finding::standing(order, minute(self.now)).contains(&FindingKind::ReturnRefused);
        if order.status == OrderStatus::Rejected && order.balance() > 0 && !raised {
            return Some("money that is owed is an exception, or on its way");
        }
        let closed = !order.is_open() && order.received.is_none();
        if closed && self.open_account().is_some() {
            return Some("a closed order has no open account");
        }
        let mut paid = self.portone.attempts.iter().enumerate().filter(|(_, one)| one.paid.is_some());
        let Some(received) = order.received else {
            let closed = matches!(order.status, OrderStatus::Expired | OrderStatus::Cancelled);
            return match paid.next() {
                Some(_) => Some("no payment is lost"),
                None => (!closed || order.holds_stock).then_some("an order without money closes"),
            };
        };
        let by = order.sighting.as_ref().map_or("", |by| &by.transaction_id);
        let Some((_, ours)) = paid.find(|(index, _)| format!("t{index}") == by) else {
            return Some("an order's money is a payment's");
        };
        let others = self.portone.attempts.iter().filter(|one| one.paid.is_some()).count() > 1;
        let back = ours.undone();
        let shows = match order.status {
            OrderStatus::Paid => back == 0,
            OrderStatus::PartialCancelled => 0 < back && back < ours.total,
            OrderStatus::Cancelled => back == ours.total,
            OrderStatus::Rejected => back == ours.total || self.waits_for_a_person(),
            _ => false,
        };
        let rows = order.cancellations.iter().filter(|row| row.status == CancellationStatus::Succeeded);
        let rows: u64 = rows.map(|row| row.amount).sum();
        let rows_of = |ours: bool| {
            let rows = order.cancellations.iter();
            let rows = rows.filter(move |row| (row.origin != CancellationOrigin::Outside) == ours);
            rows.filter(|row| row.status == CancellationStatus::Succeeded).map(|row| row.amount).sum::<u64>()
        };
        // V1 does not say who asked for a return. What others bore is nobody's return, and counts as one.
        let borne = back - ours.returned();
        let mistaken = ours.generation == Generation::V2 && rows_of(true) != ours.returned_by_api() + borne;
        let faults = [
            (mistaken, "whose return it was is known"),
            (received.amount != ours.total, "an order's money is a payment's"),
            (order.returned != back, "what went back at PortOne went back here"),
            (rows != back, "the ledger has every return"),
            (!shows, "an order ends in the state that PortOne has"),
            (
                others && !self.table.found_paid_twice && !self.others_went_back(by),
                "a second payment is found",
            ),
        ];
        faults.into_iter().find_map(|(broken, rule)| broken.then_some(rule))
    }

    fn others_went_back(&self, ours: &str) -> bool {
        let others = self.portone.attempts.iter().enumerate().filter(|(at, _)| format!("t{at}") != ours);
        others.map(|(_, one)| one).all(|one| one.paid.is_none() || one.returned() == one.total)
    }

    fn end(mut self, scenario: &Scenario) -> Result<Self, &'static str> {
        if let Some(rule) = self.unsettled() {
            return Err(rule);
        }
        let order = &self.table.order;
        let fulfils = order.received.is_some() && order.status != OrderStatus::Rejected;
        if self.table.told_paid != u8::from(fulfils) {
            return Err("the shop is told once of what it has to send");
        }
        if let Some(rule) = self.broken(scenario) {
            return Err(rule);
        }
        // Whoever looks now changes nothing.
        let version = order.version;
        self.alone(Role::Look, None, scenario);
        if self.table.order.version != version || !self.portone.calls.is_empty() {
            return Err("a settled order stays as it is");
        }
        Ok(self)
    }
}
