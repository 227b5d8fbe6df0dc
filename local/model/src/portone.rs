//! PortOne's side: what it has of the order's payment, and how it works off the calls that move money.
//!
//! Written from its documents, not from our code. It is meaner than its documents where they are silent: V1's
//! check of the balance and its effect are two steps, so that two calls at once can both take effect; V2 may or
//! may not show V1's payments, under names of its own; and a discount may or may not be in what can go back.

mod calls;

use std::hash::{Hash, Hasher};

use order::{
    CancellationOutcome, Channel, Currency, Generation, Observation, ObservedCancellation, PaidBy,
    PaymentStatus, Timestamp, VirtualAccount, observation::ObservedCancellationStatus as Listed,
};

use crate::{
    scenario::{Discount, News, Oddity, Scenario, TOTAL},
    state::minute,
};

pub use calls::Work;

/// One attempt to pay; V1 has a record for each of them, V2 shows one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub generation: Generation,
    pub status: PaymentStatus,
    pub total: u64,
    /// What others than the buyer bore of it, where that cannot go back.
    pub borne: u64,
    /// Share of it that carries no VAT.
    pub tax_free: u64,
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
    /// Share of it that carries no VAT.
    pub tax_free: u64,
    pub listed: Listed,
    pub by_api: bool,
}

impl Hash for Attempt {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // Which generation it is of and what is special about its amount is the same in every state of a model.
        let Self {
            generation: _,
            borne: _,
            tax_free: _,
            status,
            total,
            changed,
            paid,
            account,
            by_deposit,
            oddity,
            returns,
        } = self;
        (status, total, changed, paid, account, by_deposit, oddity, returns).hash(hasher);
    }
}

impl Hash for Return {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { id, amount, tax_free, listed, by_api } = self;
        (id, amount, tax_free, *listed as u8, by_api).hash(hasher);
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

    /// How much of its total is not the buyer's any more: all of it, once all that can go back did.
    pub fn undone(&self) -> u64 {
        if self.is_undone() { self.total } else { self.returned() }
    }

    fn is_undone(&self) -> bool {
        self.returned() == self.total - self.borne
    }

    /// What went back, and was asked for by us.
    pub fn returned_by_api(&self) -> u64 {
        let by_api = |one: &&Return| one.by_api && one.listed == Listed::Succeeded;
        self.returns.iter().filter(by_api).map(|one| one.amount).sum()
    }

    fn cancellable(&self) -> u64 {
        (self.total - self.borne).saturating_sub(self.sum(&[Listed::Succeeded, Listed::Requested]))
    }

    /// What can go back without VAT. What a PG thinks about is reserved.
    fn tax_free_left(&self) -> u64 {
        let alive = self.returns.iter().filter(|one| one.listed != Listed::Failed);
        self.tax_free.saturating_sub(alive.map(|one| one.tax_free).sum())
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
    /// To give money of an attempt back: the row's number is V2's key. All that is left if no amount is named,
    /// and then nothing is said of the balance.
    Cancel {
        through: Generation,
        attempt: usize,
        number: u32,
        amount: Option<u64>,
        tax_free: u64,
        balance: u64,
    },
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
    /// The generation of each attempt; the last one's of all that follow.
    pub windows: &'static [Generation],
    /// Whether V2 shows V1's newest attempt, where it has no payment of its own.
    pub v1_shown: bool,
    pub discount: Discount,
    /// Share of each payment that carries no VAT.
    pub tax_free: u64,
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
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            windows: match (scenario.windows, scenario.generation) {
                ([], Generation::V1) => &[Generation::V1],
                ([], Generation::V2) => &[Generation::V2],
                (windows, _) => windows,
            },
            v1_shown: scenario.v1_shown,
            discount: scenario.discount,
            tax_free: scenario.tax_free,
            closed_as: scenario.closed,
            attempts: Vec::new(),
            count: 0,
            keys: Vec::new(),
            calls: Vec::new(),
            asked_twice_at_once: false,
        }
    }

    /// The generation that this attempt is made through.
    pub fn generation(&self, attempt: usize) -> Generation {
        let last = self.windows.last().copied().unwrap_or(Generation::V2);
        self.windows.get(attempt).copied().unwrap_or(last)
    }

    /// Whether an order may be paid through both.
    pub fn is_mixed(&self) -> bool {
        self.windows.windows(2).any(|two| two[0] != two[1]) || self.v1_shown
    }

    fn of(&self, generation: Generation) -> impl DoubleEndedIterator<Item = (usize, &Attempt)> {
        let attempts = self.attempts.iter().enumerate();
        attempts.filter(move |(_, one)| one.generation == generation)
    }

    /// The attempt that V2 has the payment's state by.
    pub fn decisive_of_v2(&self) -> Option<usize> {
        let with_money = self.of(Generation::V2).find(|(_, one)| one.paid.is_some());
        with_money.or(self.of(Generation::V2).next_back()).map(|(index, _)| index)
    }

    /// The attempt that V2 shows.
    pub fn shown_by_v2(&self) -> Option<usize> {
        let v1 = || self.of(Generation::V1).next_back().filter(|_| self.v1_shown);
        self.decisive_of_v2().or_else(|| v1().map(|(index, _)| index))
    }

    /// The attempt that V1's list of the order's attempts comes down to: the newest of the best.
    pub fn decisive_of_v1(&self) -> Option<usize> {
        let rank = |one: &Attempt| match one.status {
            PaymentStatus::Paid | PaymentStatus::PartialCancelled => 0,
            PaymentStatus::Cancelled => 1,
            PaymentStatus::VirtualAccountIssued | PaymentStatus::PayPending => 2,
            _ => 3,
        };
        self.of(Generation::V1).rev().min_by_key(|(_, one)| rank(one)).map(|(index, _)| index)
    }

    /// What a read of this attempt through its own generation says.
    pub fn observe(&self, index: usize) -> Option<Observation> {
        let attempt = self.attempts.get(index)?;
        let v1 = attempt.generation == Generation::V1;
        let shows = |one: &&Return| !v1 || one.listed == Listed::Succeeded;
        let list = |one: &Return| ObservedCancellation {
            chargeback: false,
            id: format!("r{}", one.id),
            status: one.listed,
            amount: one.amount,
            tax_free: if v1 { 0 } else { one.tax_free },
            // V1 does not say who asked.
            by_api: v1 || one.by_api,
            requested_at: None,
        };
        Some(Observation {
            generation: attempt.generation,
            payment_id: crate::state::order_id().to_string(),
            transaction_id: format!("t{index}"),
            status: attempt.status,
            changed_at: Timestamp::from_millis(minute(0).as_millis() + i64::from(attempt.changed)),
            total: attempt.total,
            tax_free_left: (!v1).then(|| attempt.tax_free_left()),
            discounted: !v1 && self.discount != Discount::None,
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
            disputes: Vec::new(),
            deposit_refund: None,
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

    /// What a read through V2 says of this attempt: of V1's, more than V1 does, and in other words.
    pub fn observe_through_v2(&self, index: usize) -> Option<Observation> {
        let own = self.observe(index)?;
        if own.generation == Generation::V2 {
            return Some(own);
        }
        let attempt = &self.attempts[index];
        let list = |one: &Return| ObservedCancellation {
            chargeback: false,
            id: format!("s{}", one.id),
            status: one.listed,
            amount: one.amount,
            tax_free: one.tax_free,
            by_api: one.by_api,
            requested_at: None,
        };
        Some(Observation {
            tax_free_left: Some(attempt.tax_free_left()),
            store_id: Some(crate::state::STORE.to_owned()),
            cancellations: attempt.returns.iter().map(list).collect(),
            ..own
        })
    }

    /// Whether PortOne lets this happen now.
    pub fn allows(&self, news: News) -> bool {
        let v2 = |index| self.generation(index) == Generation::V2;
        let had = |one: &Attempt| one.paid.is_some() || one.status == PaymentStatus::Cancelled;
        let taken = self.of(Generation::V2).any(|(_, one)| had(one));
        let open = |index: usize| match self.attempts.get(index) {
            None => index == self.attempts.len(),
            // A failed attempt can be approved late; a closed account takes no deposit.
            Some(one) => one.paid.is_none() && (one.account || !one.by_deposit),
        };
        match news {
            News::Attempt(index, status) => {
                let first = self.attempts.get(index).is_none_or(|one| one.status == PaymentStatus::Ready);
                open(index) && first && !(v2(index) && taken) && status != PaymentStatus::Ready
            }
            News::Paid(index, _) | News::Odd(index, _) => open(index) && !(v2(index) && taken),
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
                    generation: portone.generation(index),
                    status: PaymentStatus::Ready,
                    total: TOTAL,
                    borne: u64::from(portone.discount == Discount::Gone),
                    tax_free: portone.tax_free,
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
                    let tax_free = self.attempts[index].tax_free_left().min(amount);
                    self.give_back(index, (amount, tax_free), listed, false);
                }
            }
        }
    }

    fn give_back(
        &mut self,
        index: usize,
        (amount, tax_free): (u64, u64),
        listed: Listed,
        by_api: bool,
    ) -> u8 {
        let one = &mut self.attempts[index];
        let id = u8::try_from(one.returns.len()).unwrap_or(u8::MAX) + 1;
        one.returns.push(Return { id, amount, tax_free, listed, by_api });
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
            _ if one.is_undone() => PaymentStatus::Cancelled,
            0 => PaymentStatus::Paid,
            _ => PaymentStatus::PartialCancelled,
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
}
