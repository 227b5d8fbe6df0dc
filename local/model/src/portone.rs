//! PortOne's side: what it has of the order's payment, and how it works off the calls that move money.
//!
//! Written from its documents, not from our code. It is meaner than its documents where they are silent: V1's
//! check of the balance and its effect are two steps, so that two calls at once can both take effect.

use std::hash::{Hash, Hasher};

use order::{
    CancellationOutcome, Channel, Currency, Generation, Observation, ObservedCancellation, PaidBy,
    PaymentStatus, Timestamp, VirtualAccount, observation::ObservedCancellationStatus as Listed,
};

use crate::{
    scenario::{News, Oddity, TOTAL},
    state::minute,
};

/// How long PortOne remembers an idempotency key, in minutes.
const KEY_MINUTES: i64 = 3 * 60;

/// One attempt to pay; V1 has a record for each of them, V2 shows one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    pub status: PaymentStatus,
    pub total: u64,
    /// PortOne's count of what happened when this last changed.
    pub changed: u8,
    /// When its money came, in minutes.
    pub paid: Option<i64>,
    /// Whether a deposit can still come into its virtual account.
    pub account: bool,
    pub by_deposit: bool,
    pub oddity: Option<Oddity>,
    pub returns: Vec<Return>,
}

/// Money on its way back, or back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    pub id: u8,
    pub amount: u64,
    pub listed: Listed,
    pub by_api: bool,
}

impl Hash for Return {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { id, amount, listed, by_api } = self;
        (id, amount, *listed as u8, by_api).hash(hasher);
    }
}

impl Attempt {
    fn sum(&self, listed: &[Listed]) -> u64 {
        self.returns.iter().filter(|one| listed.contains(&one.listed)).map(|one| one.amount).sum()
    }

    /// What went back for good.
    pub fn returned(&self) -> u64 {
        self.sum(&[Listed::Succeeded])
    }

    /// What went back, and was asked for by us.
    pub fn returned_by_api(&self) -> u64 {
        let by_api = |one: &&Return| one.by_api && one.listed == Listed::Succeeded;
        self.returns.iter().filter(by_api).map(|one| one.amount).sum()
    }

    fn cancellable(&self) -> u64 {
        self.total.saturating_sub(self.sum(&[Listed::Succeeded, Listed::Requested]))
    }

    fn holds_money(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid | PaymentStatus::PartialCancelled)
    }
}

/// A call that changes something at PortOne, from when it is sent until its answer is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The process that waits for it, while it does.
    pub by: Option<usize>,
    pub asks: Asks,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asks {
    /// To give money of an attempt back: the row's number is the key.
    Cancel { attempt: usize, number: u32, amount: u64, balance: u64 },
    /// To close an attempt's virtual account.
    Close { attempt: Option<usize> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Sent,
    /// V1 looked at the balance and goes on.
    Checked,
    Cancelled(CancellationOutcome),
    Closed {
        refused: bool,
    },
}

/// Everything PortOne has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portone {
    pub generation: Generation,
    /// The state of a payment whose account was closed.
    pub closed_as: PaymentStatus,
    pub attempts: Vec<Attempt>,
    /// Counts what happened, and so names it.
    pub count: u8,
    /// Idempotency keys: the answer they got, and when.
    pub keys: Vec<(u32, CancellationOutcome, i64)>,
    pub calls: Vec<Call>,
    /// A call for a cancellation came while another one for the same was at work, through V1.
    pub asked_twice_at_once: bool,
}

impl Portone {
    pub fn new(generation: Generation, closed_as: PaymentStatus) -> Self {
        Self {
            generation,
            closed_as,
            attempts: Vec::new(),
            count: 0,
            keys: Vec::new(),
            calls: Vec::new(),
            asked_twice_at_once: false,
        }
    }

    /// The attempt that V2 shows, or that V1's list of the order's attempts comes down to.
    pub fn decisive(&self) -> Option<usize> {
        let with_money = self.attempts.iter().position(|one| one.paid.is_some());
        let waits = |one: &Attempt| one.account || one.status == PaymentStatus::PayPending;
        let waiting = self.attempts.iter().rposition(waits).filter(|_| self.generation == Generation::V1);
        with_money.or(waiting).or(self.attempts.len().checked_sub(1))
    }

    /// What a read of this attempt says.
    pub fn observe(&self, index: usize) -> Option<Observation> {
        let attempt = self.attempts.get(index)?;
        let v1 = self.generation == Generation::V1;
        let shows = |one: &&Return| !v1 || one.listed == Listed::Succeeded;
        let list = |one: &Return| ObservedCancellation {
            id: format!("r{}", one.id),
            status: one.listed,
            amount: one.amount,
            tax_free: 0,
            // V1 does not say who asked.
            by_api: v1 || one.by_api,
            requested_at: None,
        };
        Some(Observation {
            generation: self.generation,
            payment_id: crate::state::order_id().to_string(),
            transaction_id: format!("t{index}"),
            status: attempt.status,
            changed_at: Timestamp::from_millis(minute(0).as_millis() + i64::from(attempt.changed)),
            total: attempt.total,
            tax_free_left: (!v1).then_some(0),
            discounted: false,
            currency: if attempt.oddity == Some(Oddity::Currency) {
                "USD".parse().ok()
            } else {
                Some(Currency::KRW)
            },
            store_id: (!v1).then(|| {
                let other = attempt.oddity == Some(Oddity::Store);
                if other { "store-b" } else { crate::state::STORE }.to_owned()
            }),
            channel: if attempt.oddity == Some(Oddity::Channel) { Channel::Test } else { Channel::Live },
            cancelled: attempt.returned(),
            cancellations: attempt.returns.iter().filter(shows).map(list).collect(),
            paid_at: attempt.paid.map(minute),
            virtual_account: (attempt.status == PaymentStatus::VirtualAccountIssued).then(|| {
                VirtualAccount {
                    bank: None,
                    number: format!("a{index}"),
                    holder: None,
                    expires_at: None,
                    transaction_id: format!("t{index}"),
                }
            }),
            failure: None,
            paid_by: if attempt.by_deposit { PaidBy::VirtualAccount } else { PaidBy::Card },
            pg: None,
        })
    }

    /// Whether PortOne lets this happen now.
    pub fn allows(&self, news: News) -> bool {
        let v2 = self.generation == Generation::V2;
        let taken = self.attempts.iter().any(|one| one.paid.is_some())
            || self.attempts.iter().any(|one| one.status == PaymentStatus::Cancelled);
        let open = |index: usize| match self.attempts.get(index) {
            None => index == self.attempts.len(),
            // A failed attempt can be approved late; a closed account takes no deposit.
            Some(one) => one.paid.is_none() && (one.account || !one.by_deposit),
        };
        match news {
            News::Attempt(index, status) => {
                let first = self.attempts.get(index).is_none_or(|one| one.status == PaymentStatus::Ready);
                open(index) && first && !(v2 && taken) && status != PaymentStatus::Ready
            }
            News::Paid(index, _) | News::Odd(index, _) => open(index) && !(v2 && taken),
            News::Console(amount) | News::ConsoleLater(amount) => self.money().is_some_and(|index| {
                let one = &self.attempts[index];
                one.holds_money() && one.cancellable() >= amount
            }),
        }
    }

    fn money(&self) -> Option<usize> {
        self.attempts.iter().position(|one| one.paid.is_some())
    }

    /// Lets it happen at this minute.
    pub fn happen(&mut self, news: News, now: i64) {
        self.count += 1;
        let count = self.count;
        let attempt = |portone: &mut Self, index: usize| {
            if portone.attempts.len() == index {
                portone.attempts.push(Attempt {
                    status: PaymentStatus::Ready,
                    total: TOTAL,
                    changed: count,
                    paid: None,
                    account: false,
                    by_deposit: false,
                    oddity: None,
                    returns: Vec::new(),
                });
            }
            index
        };
        match news {
            News::Attempt(index, status) => {
                let index = attempt(self, index);
                let one = &mut self.attempts[index];
                one.status = status;
                one.account = status == PaymentStatus::VirtualAccountIssued;
                one.by_deposit = one.account;
                one.changed = count;
            }
            News::Paid(index, _) | News::Odd(index, _) => {
                let (total, oddity) = match news {
                    News::Paid(_, total) => (total, None),
                    News::Odd(_, oddity) => (TOTAL, Some(oddity)),
                    _ => (TOTAL, None),
                };
                let index = attempt(self, index);
                let one = &mut self.attempts[index];
                one.oddity = oddity;
                (one.status, one.total, one.paid) = (PaymentStatus::Paid, total, Some(now));
                (one.account, one.changed) = (false, count);
            }
            News::Console(amount) | News::ConsoleLater(amount) => {
                let later = matches!(news, News::ConsoleLater(_));
                let listed = if later { Listed::Requested } else { Listed::Succeeded };
                if let Some(index) = self.money() {
                    self.give_back(index, amount, listed, false);
                }
            }
        }
    }

    fn give_back(&mut self, index: usize, amount: u64, listed: Listed, by_api: bool) -> u8 {
        let one = &mut self.attempts[index];
        let id = u8::try_from(one.returns.len()).unwrap_or(u8::MAX) + 1;
        one.returns.push(Return { id, amount, listed, by_api });
        self.follow(index);
        id
    }

    /// The status of a payment follows from what went back of it.
    fn follow(&mut self, index: usize) {
        self.count += 1;
        let count = self.count;
        let one = &mut self.attempts[index];
        one.changed = count;
        one.status = match one.returned() {
            0 => PaymentStatus::Paid,
            part if part < one.total => PaymentStatus::PartialCancelled,
            _ => PaymentStatus::Cancelled,
        };
    }

    /// The PG decides about a cancellation that it took to think about.
    pub fn decide_later(&mut self, attempt: usize, index: usize, succeeds: bool) {
        let one = &mut self.attempts[attempt].returns[index];
        one.listed = if succeeds { Listed::Succeeded } else { Listed::Failed };
        self.follow(attempt);
    }

    /// Cancellations that the PG has not decided about.
    pub fn undecided(&self) -> Vec<(usize, usize)> {
        let attempts = self.attempts.iter().enumerate();
        let returns =
            attempts.flat_map(|(at, one)| one.returns.iter().enumerate().map(move |(i, r)| (at, i, r)));
        returns.filter(|(_, _, one)| one.listed == Listed::Requested).map(|(at, i, _)| (at, i)).collect()
    }

    /// A call is sent.
    pub fn send(&mut self, by: usize, asks: Asks) {
        if let (Generation::V1, Asks::Cancel { number, .. }) = (self.generation, asks) {
            let same = |call: &Call| {
                matches!(call.asks, Asks::Cancel { number: other, .. } if other == number)
                    && matches!(call.stage, Stage::Sent | Stage::Checked)
            };
            self.asked_twice_at_once |= self.calls.iter().any(same);
        }
        self.calls.push(Call { by: Some(by), asks, stage: Stage::Sent });
    }

    /// PortOne goes one step on with a call.
    pub fn work(&mut self, call: usize, how: Work, now: i64) {
        let Call { asks, stage, .. } = self.calls[call].clone();
        let stage = match asks {
            Asks::Close { attempt } => self.close(attempt, how),
            Asks::Cancel { attempt, number, amount, balance } => match self.generation {
                Generation::V2 => {
                    let known =
                        self.keys.iter().find(|(key, _, at)| *key == number && now - at < KEY_MINUTES);
                    let outcome = match known {
                        Some((_, outcome, _)) => outcome.clone(),
                        None => self.cancel(attempt, amount, Some(balance), how),
                    };
                    self.keys.retain(|(key, _, at)| *key != number || now - at < KEY_MINUTES);
                    if !self.keys.iter().any(|(key, _, _)| *key == number) {
                        self.keys.push((number, outcome.clone(), now));
                    }
                    Stage::Cancelled(outcome)
                }
                Generation::V1 if stage == Stage::Sent => {
                    match self.refusal(attempt, amount, Some(balance)) {
                        Some(code) => Stage::Cancelled(failed(code)),
                        None => Stage::Checked,
                    }
                }
                Generation::V1 => Stage::Cancelled(self.cancel(attempt, amount, None, how)),
            },
        };
        self.calls[call].stage = stage;
        self.forget();
    }

    /// Nobody waits for these any more.
    pub fn forget(&mut self) {
        self.calls.retain(|call| call.by.is_some() || matches!(call.stage, Stage::Sent | Stage::Checked));
    }

    fn refusal(&self, attempt: usize, amount: u64, balance: Option<u64>) -> Option<&'static str> {
        let Some(one) = self.attempts.get(attempt).filter(|one| one.holds_money()) else {
            return Some("PAYMENT_NOT_PAID");
        };
        if balance.is_some_and(|balance| balance != one.cancellable()) {
            return Some("CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN");
        }
        (amount > one.cancellable()).then_some("CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT")
    }

    fn cancel(
        &mut self,
        attempt: usize,
        amount: u64,
        balance: Option<u64>,
        how: Work,
    ) -> CancellationOutcome {
        if let Some(code) = self.refusal(attempt, amount, balance) {
            return failed(code);
        }
        let name = |id: u8| Some(format!("r{id}"));
        match how {
            Work::Refuse => failed("PG_PROVIDER"),
            Work::Do => {
                let id = self.give_back(attempt, amount, Listed::Succeeded, true);
                CancellationOutcome::Succeeded { portone_id: name(id) }
            }
            Work::Later => {
                let id = self.give_back(attempt, amount, Listed::Requested, true);
                CancellationOutcome::Requested { portone_id: name(id) }
            }
        }
    }

    /// V2 closes the payment's account, whichever attempt it was issued for; V1 the attempt's.
    fn close(&mut self, attempt: Option<usize>, how: Work) -> Stage {
        let index = match attempt {
            Some(index) => Some(index).filter(|index| self.attempts[*index].account),
            None => self.attempts.iter().position(|one| one.account),
        };
        let v1 = self.generation == Generation::V1;
        let (Some(index), Work::Do | Work::Later) = (index, how) else {
            // V2 says that there is nothing to close, V1 only that it does not.
            return Stage::Closed { refused: v1 || how == Work::Refuse };
        };
        self.count += 1;
        let one = &mut self.attempts[index];
        (one.account, one.changed) = (false, self.count);
        one.status = self.closed_as;
        Stage::Closed { refused: false }
    }
}

/// How PortOne goes on with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// As asked.
    Do,
    /// It says yes, and the PG decides later.
    Later,
    /// The PG refuses.
    Refuse,
}

fn failed(code: &str) -> CancellationOutcome {
    CancellationOutcome::Failed { code: code.to_owned(), message: None }
}
