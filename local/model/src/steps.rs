//! The steps our processes take, each between two things that others can see.
//!
//! Mirrors the flows that are around the decisions, in their order of steps: `Sync::payment`, `apply`
//! (`shared/backend/src/flow/sync.rs`), `ask_portone` (`ask.rs`), `settle` and `compare_page` (`reconcile.rs`),
//! `cancel` (`cancel.rs`), and the question of `functions/confirm-payment`. The decisions are the shipped ones.

use order::{
    Anomaly, CancellationOutcome, CancellationStatus, Cancelling, Decision, Generation, LatePayment,
    Observation, Order, Overdue, PaymentMode, PaymentStatus, RequestMark, Terms, WantedCancellation,
    cancel::cancel, confirm::may_approve, decide, next_look, overdue, record_outcome,
};

use crate::{
    portone::{Asks, Stage},
    process::{Errand, Phase, Purpose, Step, Then, Told, Write},
    scenario::{Role, TOTAL, Want},
    state::{Held, STORE, Seen, State, look, minute, order_id},
    table::Advanced,
};

/// Turns of an operator's request; the flows' `TURNS_MAX`.
const TURNS_MAX: u8 = 8;
/// Turns of the schedule's look.
const LOOKS_MAX: u8 = 3;
/// The flow's `CLOSE_HOURS`.
const CLOSE_HOURS: u32 = 24;

fn terms(late_payment: LatePayment) -> Terms {
    Terms { store_id: STORE.to_owned(), mode: PaymentMode::Live, late_payment }
}

fn wanted(want: Want) -> WantedCancellation {
    let body = want.amount.map_or(0, |amount| u8::try_from(amount).unwrap_or(u8::MAX));
    WantedCancellation::of(RequestMark { key: [want.key; 32], body: [body; 32] }, want.amount, String::new())
}

fn number_of(transaction_id: &str) -> Option<usize> {
    transaction_id.strip_prefix('t')?.parse().ok()
}

impl State {
    /// The steps that a process can take now.
    pub fn steps(&self, index: usize, late_answers: bool, clocks: &[i64]) -> Vec<Step> {
        let process = &self.processes[index];
        match &process.phase {
            Phase::Done => Vec::new(),
            Phase::Idle => match process.role {
                Role::Schedule if self.table.order.look_at.is_none_or(|at| at > minute(self.now)) => {
                    Vec::new()
                }
                // V1's news names an attempt. A page can also come without one.
                Role::Look => {
                    let v1 = |at: &usize| self.portone.generation(*at) == Generation::V1;
                    let named = (0..self.portone.attempts.len()).filter(v1).map(Some);
                    let claims = named.chain([None]);
                    claims
                        .flat_map(|claim| clocks.iter().map(move |wrong| Step::Start(claim, *wrong)))
                        .collect()
                }
                _ => clocks.iter().map(|wrong| Step::Start(None, *wrong)).collect(),
            },
            Phase::Reading { errand, order, seen } => {
                let mut steps = vec![Step::Crash];
                if order.is_none() {
                    steps.push(Step::ReadOrder);
                }
                // Which V1 record is asked for depends on the order, unless the news names one. Where V2 knows
                // nothing of V1's payments, asking it as well changes nothing.
                let v1 = !self.portone.is_mixed() && self.portone.generation(0) == Generation::V1;
                match seen {
                    None if order.is_some() || !v1 || errand.attempt.is_some() => {
                        steps.push(Step::ReadPayment);
                    }
                    Some(Told::ByV2(_)) if order.is_some() => steps.push(Step::ReadV1),
                    _ => {}
                }
                steps
            }
            Phase::Writing(write) => {
                let mut steps = vec![Step::Crash, Step::Write];
                let takes_effect = write.before.version == self.table.order.version;
                if takes_effect && write.mark.is_none() && self.lost_answers > 0 {
                    steps.push(Step::WriteUnanswered);
                }
                steps
            }
            Phase::Calling { .. } => {
                let call = self.portone.calls.iter().find(|call| call.by == Some(index));
                let answered =
                    call.is_some_and(|call| matches!(call.stage, Stage::Cancelled(_) | Stage::Closed { .. }));
                let mut steps = vec![Step::Crash];
                if answered {
                    steps.push(Step::Answer);
                } else if late_answers {
                    steps.push(Step::GiveUp);
                }
                steps
            }
            Phase::Recording { .. } => vec![Step::Crash, Step::Write],
            Phase::Planning { .. } => vec![Step::Crash, Step::Plan],
        }
    }

    /// Takes a step.
    pub fn step(&mut self, index: usize, step: Step, late: LatePayment) {
        let phase = std::mem::replace(&mut self.processes[index].phase, Phase::Done);
        match (phase, step) {
            (_, Step::Crash) => self.hang_up(index),
            (_, Step::Start(attempt, wrong)) => self.start(index, attempt, wrong),
            (Phase::Reading { errand, seen, .. }, Step::ReadOrder) => {
                self.read(index, errand, Some(self.table.order.clone()), seen, late);
            }
            (Phase::Reading { errand, order, .. }, Step::ReadPayment) => {
                let told = self.payment(errand, order.as_ref());
                let version = self.table.order.version;
                let moved = order.as_ref().is_some_and(|order| order.version != version);
                let overtaken = moved && self.processes[index].role == Role::Look;
                self.read(index, Errand { overtaken, ..errand }, order, Some(told), late);
            }
            (Phase::Reading { errand, order: Some(order), seen: Some(Told::ByV2(seen)) }, Step::ReadV1) => {
                let known = self.v1_payment(&order).map(Seen::new);
                if order.v1_money().is_some() && known.is_some() {
                    self.tell_of_another(&order, seen.as_deref(), errand, late);
                }
                self.read(index, errand, Some(order), Some(Told::All(known.or(seen))), late);
            }
            (Phase::Writing(write), Step::Write | Step::WriteUnanswered) => {
                self.write(index, *write, step == Step::Write);
            }
            (Phase::Calling { errand, order, seen, then }, Step::Answer | Step::GiveUp) => {
                self.answered(index, errand, order, seen, then);
            }
            (Phase::Recording { errand, order, seen, number, outcome, ends }, Step::Write) => {
                self.record(index, errand, order, seen, number, outcome, ends);
            }
            (Phase::Planning { errand, order }, Step::Plan) => {
                self.table.plan_look(&order, next_look(&order, errand.at));
            }
            (phase, _) => self.processes[index].phase = phase,
        }
    }

    fn hang_up(&mut self, index: usize) {
        for call in self.portone.calls.iter_mut().filter(|call| call.by == Some(index)) {
            call.by = None;
        }
        self.portone.forget();
    }

    fn start(&mut self, index: usize, attempt: Option<usize>, wrong: i64) {
        let at = minute(self.now + wrong);
        if let Role::Confirm(total) = self.processes[index].role {
            // One read, then the answer.
            let order = self.table.order.clone();
            if may_approve(&order, total, at).is_ok() {
                let closing = order.cancellations.iter().any(|row| row.is_closing());
                let right = order.is_open() && !closing && total == TOTAL && at <= order.due();
                self.table.fault =
                    self.table.fault.or((!right).then_some("only what can be taken is approved"));
                self.approved.push(total);
            }
            return;
        }
        let errand = Errand { at, turn: 0, closed: false, refused: false, attempt, overtaken: false };
        self.processes[index].phase = Phase::Reading { errand, order: None, seen: None };
    }

    /// `Sync::payment`'s first read of PortOne: the attempt that a V1 claim names, else what V2 knows.
    fn payment(&self, errand: Errand, order: Option<&Held>) -> Told {
        if let Some(attempt) = errand.attempt {
            return Told::All(self.portone.observe(attempt).map(Seen::new));
        }
        if let (false, Generation::V1, Some(order)) =
            (self.portone.is_mixed(), self.portone.generation(0), order)
        {
            return Told::All(self.v1_payment(order).map(Seen::new));
        }
        let shown = self.portone.shown_by_v2().and_then(|index| self.portone.observe_through_v2(index));
        let shown = shown.map(Seen::new);
        if self.portone.is_mixed() { Told::ByV2(shown) } else { Told::All(shown) }
    }

    /// Whom of V1's it asks after V2: the transaction that an order's money came by, else the order's payment.
    fn v1_payment(&self, order: &Order) -> Option<Observation> {
        let attempt = match order.v1_money() {
            Some(transaction) => number_of(transaction),
            None => self.portone.decisive_of_v1(),
        };
        self.portone.observe(attempt?)
    }

    /// `Sync::tell_of_another`.
    fn tell_of_another(
        &mut self,
        order: &Order,
        shown: Option<&Observation>,
        errand: Errand,
        late: LatePayment,
    ) {
        let Some(seen) = shown.filter(|seen| seen.generation == Generation::V2) else { return };
        if let Decision::Alarm(anomaly) = decide(order, seen, &terms(late), look(errand.at)) {
            self.alarm(anomaly);
        }
    }

    fn alarm(&mut self, anomaly: Anomaly) {
        self.table.found_paid_twice |= anomaly == Anomaly::PaidTwice;
        self.table.found_other |= anomaly != Anomaly::PaidTwice;
    }

    fn read(
        &mut self,
        index: usize,
        errand: Errand,
        order: Option<Held>,
        told: Option<Told>,
        late: LatePayment,
    ) {
        let told = match (&order, told) {
            // V1's orders are asked of V1, unless V2 shows money, and their money always.
            (Some(order), Some(Told::ByV2(seen))) => {
                let money = seen.as_deref().is_some_and(Observation::had_money);
                let by_v1 = order.paid_through() == Generation::V1 && !money;
                let asks_v1 = order.v1_money().is_some() || by_v1;
                Some(if asks_v1 { Told::ByV2(seen) } else { Told::All(seen) })
            }
            (_, told) => told,
        };
        match (order, told) {
            (Some(order), Some(Told::All(Some(seen)))) => self.apply(index, errand, order, seen, late),
            (Some(order), Some(Told::All(None))) => self.settled(index, errand, order, None),
            (order, seen) => self.processes[index].phase = Phase::Reading { errand, order, seen },
        }
    }

    /// `Sync::apply`, one turn.
    fn apply(&mut self, index: usize, errand: Errand, order: Held, seen: Seen, late: LatePayment) {
        let (next, ask, write) = match decide(&order, &seen, &terms(late), look(errand.at)) {
            Decision::Stay => return self.settled(index, errand, order, Some(seen)),
            Decision::Alarm(anomaly) => {
                self.alarm(anomaly);
                return self.settled(index, errand, order, Some(seen));
            }
            Decision::CloseAccount => {
                let attempt = number_of(&seen.transaction_id).filter(|_| seen.generation == Generation::V1);
                self.portone.send(index, Asks::Close { attempt });
                let seen = Some(seen);
                self.processes[index].phase = Phase::Calling { errand, order, seen, then: Then::Revoked };
                return;
            }
            Decision::Write(next) => (next, None, true),
            Decision::GiveBack { order: next, number, write } => (next, Some(number), write),
        };
        let again = |row: &&order::Cancellation| Some(row.number) == ask;
        let known = order.cancellations.iter().find(again);
        self.asked_again |= known.is_some_and(|row| row.status == CancellationStatus::Intended);
        if !write {
            let number = ask.unwrap_or(0);
            return self.ask(index, errand, Held::new(*next), Some(seen), number, false);
        }
        let purpose = Purpose::Apply { ask, returns: late == LatePayment::Return };
        self.send(index, errand, order, *next, Some(seen), purpose);
    }

    fn send(
        &mut self,
        index: usize,
        errand: Errand,
        before: Held,
        next: Order,
        seen: Option<Seen>,
        purpose: Purpose,
    ) {
        let write = Write { errand, before, next, seen, purpose, mark: None };
        self.processes[index].phase = Phase::Writing(Box::new(write));
    }

    fn write(&mut self, index: usize, write: Write, answered: bool) {
        let mark = write.mark.unwrap_or_else(|| self.table.mark());
        let came_to = self.table.advance(&write.before, &write.next, mark);
        if !answered {
            self.lost_answers -= 1;
            let write = Write { mark: Some(mark), ..write };
            self.processes[index].phase = Phase::Writing(Box::new(write));
            return;
        }
        let Write { errand, before, seen, purpose, .. } = write;
        if let (Purpose::Expire | Purpose::Close, Advanced::Stored(_)) = (purpose, &came_to) {
            self.watch_closing(&before, seen.as_deref());
        }
        match (purpose, came_to) {
            (Purpose::Apply { ask: Some(number), .. }, Advanced::Stored(order)) => {
                self.ask(index, errand, order, seen, number, false);
            }
            (Purpose::Apply { ask: None, returns }, Advanced::Stored(order)) => {
                let late = if returns { LatePayment::Return } else { LatePayment::Accept };
                match seen {
                    Some(seen) => self.apply(index, errand, order, seen, late),
                    None => self.settled(index, errand, order, None),
                }
            }
            (Purpose::Apply { returns, .. }, Advanced::Stale(order)) => {
                let late = if returns { LatePayment::Return } else { LatePayment::Accept };
                if let Some(seen) = seen {
                    self.apply(index, errand, order, seen, late);
                }
            }
            (Purpose::Apply { .. }, Advanced::SoldOut) => {
                if let Some(seen) = seen {
                    self.apply(index, errand, before, seen, LatePayment::Return);
                }
            }
            (Purpose::Expire, Advanced::Stored(order)) => self.plan(index, errand, order),
            // Somebody was faster: the next run sees what came of it.
            (Purpose::Expire, _) => {}
            (Purpose::Intend, Advanced::Stored(order)) => self.close(index, errand, order, seen),
            (Purpose::Close, Advanced::Stored(_)) => {}
            (Purpose::Ask(number), Advanced::Stored(order)) => {
                self.ask(index, errand, order, seen, number, true);
            }
            (Purpose::Intend | Purpose::Close | Purpose::Ask(_), _) => self.again(index, errand),
        }
    }

    /// What closing an order without money has to have seen before, whatever the decision thinks.
    fn watch_closing(&mut self, before: &Order, seen: Option<&Observation>) {
        let undecided = seen.is_some_and(|seen| {
            seen.holds_money()
                || matches!(seen.status, PaymentStatus::PayPending | PaymentStatus::Unrecognized)
        });
        let account = before.virtual_account.as_ref().and_then(|account| number_of(&account.transaction_id));
        let waits = account.is_some_and(|index| self.portone.attempts[index].account);
        let rule = match (undecided, waits) {
            (true, _) => Some("an order is not closed while its payment is undecided"),
            (_, true) => Some("an order is not closed before its virtual account"),
            _ => None,
        };
        self.table.fault = self.table.fault.or(rule);
    }

    /// What `Sync::payment` came to is what the errand goes on with.
    fn settled(&mut self, index: usize, errand: Errand, order: Held, seen: Option<Seen>) {
        let at = look(errand.at);
        match self.processes[index].role {
            Role::Look if errand.overtaken => {}
            Role::Look => self.came_to_its_end(seen.as_deref()),
            Role::Confirm(_) => {}
            Role::Schedule => match overdue(&order, seen.as_deref(), at, errand.closed) {
                Overdue::No => self.plan(index, errand, order),
                Overdue::Expire(next) => self.send(index, errand, order, *next, seen, Purpose::Expire),
                Overdue::CloseAccount => self.close(index, errand, order, seen),
            },
            Role::Cancel(want) => match cancel(&order, seen.as_deref(), &wanted(want), at, errand.closed) {
                // No operator of the model gives a cancellation up.
                Cancelling::Known(_) | Cancelling::Refused(_) | Cancelling::Abandon { .. } => {}
                Cancelling::CloseAccount { intent: Some(next) } => {
                    self.send(index, errand, order, *next, seen, Purpose::Intend);
                }
                Cancelling::CloseAccount { intent: None } => self.close(index, errand, order, seen),
                Cancelling::Close { order: next, .. } => {
                    self.send(index, errand, order, *next, seen, Purpose::Close);
                }
                Cancelling::Ask { order: next, number } => {
                    self.send(index, errand, order, *next, seen, Purpose::Ask(number));
                }
            },
        }
    }

    fn plan(&mut self, index: usize, errand: Errand, order: Held) {
        if order.look_at.is_some_and(|at| at <= errand.at) {
            self.processes[index].phase = Phase::Planning { errand, order };
        }
    }

    /// Both sides once more.
    fn again(&mut self, index: usize, errand: Errand) {
        let errand = Errand { turn: errand.turn + 1, ..errand };
        self.processes[index].phase = match self.processes[index].role {
            // PortOne still shows the account as open: the next run looks again.
            Role::Schedule if errand.turn == LOOKS_MAX => {
                Phase::Planning { errand, order: self.table.order.clone() }
            }
            _ if errand.turn == TURNS_MAX => Phase::Done,
            _ => Phase::Reading { errand, order: None, seen: None },
        };
    }

    fn close(&mut self, index: usize, errand: Errand, order: Held, seen: Option<Seen>) {
        let Some(answer) = &seen else {
            if self.processes[index].role != Role::Schedule {
                self.again(index, errand);
            }
            return;
        };
        let v1 = answer.generation == Generation::V1;
        let attempt = number_of(&answer.transaction_id).filter(|_| v1);
        self.portone.send(index, Asks::Close { attempt });
        self.processes[index].phase = Phase::Calling { errand, order, seen, then: Then::Closed };
    }

    /// `Sync::ask_portone`, until the call is sent.
    fn ask(
        &mut self,
        index: usize,
        errand: Errand,
        order: Held,
        seen: Option<Seen>,
        number: u32,
        ends: bool,
    ) {
        let sighting = order.sighting.as_ref();
        let attempt = sighting.and_then(|by| number_of(&by.transaction_id)).unwrap_or(0);
        let Some(row) = order.cancellations.iter().find(|row| row.number == number) else { return };
        let through = order.paid_through();
        let asks = Asks::Cancel {
            through,
            attempt,
            number,
            // V1 takes no amount for all there is, and nobody means that.
            amount: Some(row.amount).filter(|_| !row.everything || through == Generation::V1),
            tax_free: row.tax_free,
            balance: row.balance_before,
        };
        self.portone.send(index, asks);
        self.processes[index].phase =
            Phase::Calling { errand, order, seen, then: Then::Record { number, ends } };
    }

    fn answered(&mut self, index: usize, errand: Errand, order: Held, seen: Option<Seen>, then: Then) {
        let call = self.portone.calls.iter().find(|call| call.by == Some(index));
        let stage = call.map_or(Stage::Sent, |call| call.stage.clone());
        self.hang_up(index);
        match (then, stage) {
            (Then::Record { number, ends }, Stage::Cancelled(outcome)) => {
                self.processes[index].phase = Phase::Recording { errand, order, seen, number, outcome, ends };
            }
            (Then::Record { number, ends }, _) => {
                let unknown = CancellationOutcome::Unknown;
                self.record(index, errand, order, seen, number, unknown, ends);
            }
            (Then::Closed, Stage::Closed { refused: false }) => {
                self.again(index, Errand { closed: true, ..errand });
            }
            (Then::Closed, Stage::Closed { refused: true }) => self.not_closed(index, errand, order),
            // Refused or not: an exception tells an operator of the first, and the next sync revokes it again.
            (Then::Revoked, Stage::Closed { .. }) => self.settled(index, errand, order, seen),
            (Then::Closed | Then::Revoked, _) => {}
        }
    }

    fn not_closed(&mut self, index: usize, errand: Errand, order: Held) {
        let given_up = errand.at >= order.due().plus_minutes(CLOSE_HOURS * 60);
        match self.processes[index].role {
            _ if !errand.refused => self.again(index, Errand { refused: true, ..errand }),
            Role::Schedule if given_up => self.again(index, Errand { closed: true, ..errand }),
            Role::Schedule => self.processes[index].phase = Phase::Planning { errand, order },
            _ => {}
        }
    }

    /// `Sync::ask_portone` from the answer on, one turn.
    #[expect(clippy::too_many_arguments, reason = "all that the process knows")]
    fn record(
        &mut self,
        index: usize,
        errand: Errand,
        order: Held,
        seen: Option<Seen>,
        number: u32,
        outcome: CancellationOutcome,
        ends: bool,
    ) {
        let order = match record_outcome(&order, number, &outcome, look(errand.at)) {
            Decision::Write(next) => {
                let mark = self.table.mark();
                match self.table.advance(&order, &next, mark) {
                    Advanced::Stored(order) => order,
                    Advanced::Stale(order) => {
                        self.processes[index].phase =
                            Phase::Recording { errand, order, seen, number, outcome, ends };
                        return;
                    }
                    Advanced::SoldOut => return,
                }
            }
            Decision::Stay | Decision::CloseAccount | Decision::GiveBack { .. } | Decision::Alarm(_) => order,
        };
        if !ends {
            self.settled(index, errand, order, seen);
        }
    }

    fn came_to_its_end(&mut self, seen: Option<&Observation>) {
        let Some((seen, index)) = seen.and_then(|seen| Some((seen, number_of(&seen.transaction_id)?))) else {
            return;
        };
        if self.compared.len() <= index {
            self.compared.resize(index + 1, 0);
        }
        let change = seen.changed_at.as_millis() - minute(0).as_millis();
        self.compared[index] = self.compared[index].max(u8::try_from(change).unwrap_or(u8::MAX));
    }

    /// Whether PortOne's list of what changed would make the schedule look at the order again.
    pub fn differs(&self, attempt: usize, late: LatePayment) -> bool {
        let Some(seen) = self.portone.observe(attempt) else { return false };
        // V2 has one payment, V1 each attempt.
        if seen.generation == Generation::V2 && self.portone.decisive_of_v2() != Some(attempt) {
            return false;
        }
        let one = &self.portone.attempts[attempt];
        // V1 lists a payment by when it was paid: what went back of it in part is no news there.
        let part = seen.generation == Generation::V1 && seen.status == PaymentStatus::PartialCancelled;
        let known = self.compared.get(attempt).copied().unwrap_or(0);
        if known >= one.changed || (part && known > 0) {
            return false;
        }
        seen.payment_id == order_id().to_string()
            && seen.status != PaymentStatus::Unrecognized
            && decide(&self.table.order, &seen, &terms(late), look(minute(self.now))) != Decision::Stay
    }
}
