//! The calls that change something at PortOne: how it works them off, and what it refuses.

use order::{CancellationOutcome, Generation, observation::ObservedCancellationStatus as Listed};

use super::{Asks, Call, Portone, Stage};

/// How long PortOne remembers an idempotency key, in minutes.
const KEY_MINUTES: i64 = 3 * 60;
/// No balance is this.
const ANY_BALANCE: u64 = u64::MAX;

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

impl Portone {
    /// A call is sent.
    pub fn send(&mut self, by: usize, asks: Asks) {
        if let Asks::Cancel { through: Generation::V1, number, .. } = asks {
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
            Asks::Cancel { through: Generation::V2, number, .. } => {
                let known = self.keys.iter().find(|(key, _, at)| *key == number && now - at < KEY_MINUTES);
                let outcome = match known {
                    Some((_, outcome, _)) => outcome.clone(),
                    None => match self.refusal(asks) {
                        Some(code) => failed(code),
                        None => self.cancel(asks, how),
                    },
                };
                self.keys.retain(|(key, _, at)| *key != number || now - at < KEY_MINUTES);
                if !self.keys.iter().any(|(key, _, _)| *key == number) {
                    self.keys.push((number, outcome.clone(), now));
                }
                Stage::Cancelled(outcome)
            }
            Asks::Cancel { .. } if stage == Stage::Sent => match self.refusal(asks) {
                Some(code) => Stage::Cancelled(failed(code)),
                None => Stage::Checked,
            },
            // Two that were checked at once both take effect, as far as the money goes.
            Asks::Cancel { .. } => match self.refusal(without_balance(asks)) {
                Some(code) => Stage::Cancelled(failed(code)),
                None => Stage::Cancelled(self.cancel(asks, how)),
            },
        };
        self.calls[call].stage = stage;
        self.forget();
    }

    /// Nobody waits for these any more.
    pub fn forget(&mut self) {
        self.calls.retain(|call| call.by.is_some() || matches!(call.stage, Stage::Sent | Stage::Checked));
    }

    /// The attempt whose money a call is about: V2 knows one payment, V1 each attempt.
    fn asked_of(&self, asks: Asks) -> Option<usize> {
        match asks {
            Asks::Cancel { through: Generation::V2, .. } => self.decisive_of_v2(),
            Asks::Cancel { attempt, .. } => {
                Some(attempt).filter(|attempt| self.generation(*attempt) == Generation::V1)
            }
            Asks::Close { attempt } => attempt,
        }
    }

    fn refusal(&self, asks: Asks) -> Option<&'static str> {
        let Asks::Cancel { amount, tax_free, balance, .. } = asks else { return None };
        let index = self.asked_of(asks);
        let one = index.and_then(|index| self.attempts.get(index));
        let Some(one) = one.filter(|one| one.holds_money()) else { return Some("PAYMENT_NOT_PAID") };
        let left = one.cancellable();
        let tax_free_left = one.tax_free_left();
        let Some(amount) = amount else {
            let faults = [
                (left == 0, "PAYMENT_ALREADY_CANCELLED"),
                (tax_free > tax_free_left, "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"),
            ];
            return faults.into_iter().find_map(|(refused, code)| refused.then_some(code));
        };
        let faults = [
            (balance != left && balance != ANY_BALANCE, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"),
            (amount > left, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"),
            (tax_free > amount, "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT"),
            (tax_free > tax_free_left, "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"),
            (
                amount - tax_free.min(amount) > left - tax_free_left.min(left),
                "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT",
            ),
        ];
        faults.into_iter().find_map(|(refused, code)| refused.then_some(code))
    }

    fn cancel(&mut self, asks: Asks, how: Work) -> CancellationOutcome {
        let (Some(index), Asks::Cancel { through, amount, tax_free, .. }) = (self.asked_of(asks), asks)
        else {
            return failed("PAYMENT_NOT_FOUND");
        };
        let one = &self.attempts[index];
        let back = match amount {
            Some(amount) => (amount, tax_free),
            None => (one.cancellable(), one.tax_free_left()),
        };
        // V1 has no word for a cancellation that its PG thinks about.
        let name = |id: u8, known: bool| known.then(|| format!("r{id}"));
        match how {
            Work::Refuse => failed("PG_PROVIDER"),
            Work::Do => {
                let id = self.give_back(index, back, Listed::Succeeded, true);
                CancellationOutcome::Succeeded { portone_id: name(id, true) }
            }
            Work::Later => {
                let id = self.give_back(index, back, Listed::Requested, true);
                CancellationOutcome::Requested { portone_id: name(id, through == Generation::V2) }
            }
        }
    }

    /// V2 closes the payment's account, whichever attempt it was issued for; V1 the attempt's.
    fn close(&mut self, attempt: Option<usize>, how: Work) -> Stage {
        let index = match attempt {
            Some(index) => Some(index).filter(|index| self.attempts[*index].account),
            None => self.of(Generation::V2).find(|(_, one)| one.account).map(|(index, _)| index),
        };
        let v1 = attempt.is_some();
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

fn failed(code: &str) -> CancellationOutcome {
    CancellationOutcome::Failed { code: code.to_owned(), message: None }
}

fn without_balance(asks: Asks) -> Asks {
    match asks {
        Asks::Cancel { through, attempt, number, amount, tax_free, balance: _ } => {
            Asks::Cancel { through, attempt, number, amount, tax_free, balance: ANY_BALANCE }
        }
        close => close,
    }
}
