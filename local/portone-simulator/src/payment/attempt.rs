//! The state machine of one attempt, and the rule between attempts: the first one captured wins.

use serde::{Deserialize, Serialize};

use super::{Amount, Dispute, Method, PayMethod, Payment, Refusal, Status, Transaction};
use crate::{clock::Timestamp, config::Channel};

/// Something PortOne would tell the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What happened.
    pub kind: NewsKind,
    /// To which attempt.
    pub transaction_id: String,
    /// Where the attempt stands now.
    pub status: Status,
    /// Which cancellation it is about.
    pub cancellation_id: Option<String>,
    /// Why PortOne told it, when it was not the answer to a call or a window.
    pub trigger: Option<Trigger>,
    /// Money that moved: captured is positive, returned is negative, else 0.
    pub moved: i64,
}

/// `PaymentWebhookTrigger` of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// Resent by hand.
    Manual,
    /// Money arrived on the account.
    VirtualAccountDeposit,
    /// A requested cancellation came through.
    AsyncCancelApproved,
    /// A requested cancellation did not.
    AsyncCancelFailed,
    /// A pending payment came through.
    AsyncPayApproved,
    /// A pending payment did not.
    AsyncPayFailed,
    /// The PG decides later.
    AsyncPayPending,
    /// A dispute was raised.
    DisputeCreated,
    /// A dispute was settled.
    DisputeResolved,
}

/// What happened, in the words of the webhook types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NewsKind {
    /// A window was opened.
    Ready,
    /// Captured.
    Paid,
    /// An account was issued.
    VirtualAccountIssued,
    /// Part of the money went back.
    PartialCancelled,
    /// All of it went back.
    Cancelled,
    /// It will go back later.
    CancelPending,
    /// It will not go back after all; PortOne names no type for this.
    CancelFailed,
    /// Declined, closed or expired.
    Failed,
    /// The PG decides later.
    PayPending,
    /// A dispute was raised.
    DisputeCreated,
    /// A dispute was settled.
    DisputeResolved,
}

/// Why an attempt failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// `code` of the browser's result.
    pub code: String,
    /// In words.
    pub reason: String,
    /// The PG's code, when it was the PG.
    pub pg_code: Option<String>,
    /// The PG's words.
    pub pg_message: Option<String>,
}

impl Failure {
    /// The PG said no.
    #[must_use]
    pub fn pg(code: &str, message: &str) -> Self {
        Self {
            code: "PGProviderError".to_owned(),
            reason: message.to_owned(),
            pg_code: Some(code.to_owned()),
            pg_message: Some(message.to_owned()),
        }
    }

    /// Another window was faster.
    #[must_use]
    pub fn already_paid() -> Self {
        Self {
            code: "PaymentAlreadyPaid".to_owned(),
            reason: "이미 결제된 결제 건입니다.".to_owned(),
            ..Self::default()
        }
    }
}

/// What a PG captured, where it is not what was asked for.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// Another sum.
    pub total: Option<i64>,
    /// Over another channel.
    pub channel: Option<Channel>,
}

/// Details PortOne learns from the PG on approval.
#[derive(Clone, Debug)]
pub struct PgDetails {
    /// The PG's number.
    pub pg_tx_id: String,
    /// What was paid with.
    pub method: Method,
}

impl Transaction {
    fn enter(&mut self, status: Status, wall: Timestamp) {
        self.status = status;
        self.status_changed_at = wall;
        self.updated_at = wall;
    }

    fn news(&self, kind: NewsKind) -> News {
        News {
            kind,
            transaction_id: self.id.clone(),
            status: self.status,
            cancellation_id: None,
            trigger: None,
            moved: 0,
        }
    }

    fn out_of_order(&self) -> Refusal {
        Refusal::OutOfOrder { status: self.status }
    }

    /// A virtual account that was issued and is closed again: the bank may still take a deposit.
    fn closed_account(&self) -> bool {
        matches!(self.method, Some(Method::VirtualAccount { .. })) && self.paid_at.is_none()
    }
}

impl Payment {
    /// Adds an attempt whose window was just opened.
    ///
    /// # Errors
    /// [`Refusal::AlreadyPaid`] once any attempt was captured, cancelled since or not;
    /// [`Refusal::AttemptCountReached`] at `cap` attempts.
    pub fn open(&mut self, transaction: Transaction, cap: Option<u32>) -> Result<News, Refusal> {
        if self.captured() {
            return Err(Refusal::AlreadyPaid);
        }
        if cap.is_some_and(|cap| self.transactions.len() >= cap as usize) {
            return Err(Refusal::AttemptCountReached);
        }
        let news = transaction.news(NewsKind::Ready);
        self.transactions.push(transaction);
        Ok(news)
    }

    /// Captures an attempt that is READY, PAY_PENDING, or FAILED and approved late by its PG.
    ///
    /// When another attempt was captured before, this one fails instead and the news say so.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] in any other status; [`Refusal::Invalid`] for an impossible sum.
    pub fn approve(
        &mut self,
        id: &str,
        captured: Captured,
        pg: PgDetails,
        wall: Timestamp,
    ) -> Result<News, Refusal> {
        if let Some(lost) = self.lost_to_another(id, wall)? {
            return Ok(lost);
        }
        let tx = self.transaction_mut(id)?;
        let trigger = match tx.status {
            Status::Ready | Status::Failed => None,
            Status::PayPending => Some(Trigger::AsyncPayApproved),
            Status::VirtualAccountIssued | Status::Paid | Status::PartialCancelled | Status::Cancelled => {
                return Err(tx.out_of_order());
            }
        };
        tx.amount = captured_amount(&tx.amount, captured.total)?;
        if let Some(channel) = captured.channel {
            tx.channel = channel;
        }
        tx.method = Some(pg.method);
        tx.pg_tx_id = Some(pg.pg_tx_id);
        Ok(settle(tx, trigger, wall))
    }

    /// Money arrives on the virtual account, also after it was closed.
    ///
    /// # Errors
    /// [`Refusal::NotWaitingForDeposit`] when there never was an account or it was used.
    pub fn deposit(&mut self, id: &str, total: Option<i64>, wall: Timestamp) -> Result<News, Refusal> {
        if let Some(lost) = self.lost_to_another(id, wall)? {
            return Ok(lost);
        }
        let tx = self.transaction_mut(id)?;
        if !tx.closed_account() {
            return Err(Refusal::NotWaitingForDeposit);
        }
        tx.amount = captured_amount(&tx.amount, total)?;
        tx.cancelled_at = None;
        Ok(settle(tx, Some(Trigger::VirtualAccountDeposit), wall))
    }

    /// The PG will decide later.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] unless READY.
    pub fn pend(&mut self, id: &str, pg: PgDetails, wall: Timestamp) -> Result<News, Refusal> {
        if let Some(lost) = self.lost_to_another(id, wall)? {
            return Ok(lost);
        }
        let tx = self.transaction_mut(id)?;
        if tx.status != Status::Ready {
            return Err(tx.out_of_order());
        }
        tx.pg_tx_id = Some(pg.pg_tx_id);
        tx.method = Some(pg.method);
        tx.enter(Status::PayPending, wall);
        Ok(News { trigger: Some(Trigger::AsyncPayPending), ..tx.news(NewsKind::PayPending) })
    }

    /// The buyer gets an account to deposit into.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] unless READY; [`Refusal::Invalid`] when another method was asked for.
    pub fn issue(&mut self, id: &str, pg: PgDetails, wall: Timestamp) -> Result<News, Refusal> {
        if let Some(lost) = self.lost_to_another(id, wall)? {
            return Ok(lost);
        }
        let tx = self.transaction_mut(id)?;
        if tx.status != Status::Ready {
            return Err(tx.out_of_order());
        }
        if tx.pay_method != PayMethod::VirtualAccount {
            return Err(Refusal::Invalid("the attempt does not ask for a virtual account".to_owned()));
        }
        tx.pg_tx_id = Some(pg.pg_tx_id);
        tx.method = Some(pg.method);
        tx.enter(Status::VirtualAccountIssued, wall);
        Ok(tx.news(NewsKind::VirtualAccountIssued))
    }

    /// Declined, closed by the buyer, or given up by the PG.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] unless READY or PAY_PENDING.
    pub fn fail(&mut self, id: &str, failure: Failure, wall: Timestamp) -> Result<News, Refusal> {
        let tx = self.transaction_mut(id)?;
        let trigger = match tx.status {
            Status::Ready => None,
            Status::PayPending => Some(Trigger::AsyncPayFailed),
            Status::VirtualAccountIssued
            | Status::Paid
            | Status::PartialCancelled
            | Status::Cancelled
            | Status::Failed => return Err(tx.out_of_order()),
        };
        tx.failure = Some(failure);
        tx.failed_at = Some(wall);
        tx.enter(Status::Failed, wall);
        Ok(News { trigger, ..tx.news(NewsKind::Failed) })
    }

    /// Closes or expires the open virtual account; `into` is FAILED or CANCELLED, since which of them
    /// PortOne V2 shows is not stated.
    ///
    /// # Errors
    /// [`Refusal::NotWaitingForDeposit`] without an open account.
    pub fn close_account(
        &mut self,
        id: &str,
        into: Status,
        why: &str,
        wall: Timestamp,
    ) -> Result<News, Refusal> {
        let tx = self.transaction_mut(id)?;
        if tx.status != Status::VirtualAccountIssued {
            return Err(Refusal::NotWaitingForDeposit);
        }
        tx.enter(into, wall);
        if into == Status::Cancelled {
            tx.cancelled_at = Some(wall);
            return Ok(tx.news(NewsKind::Cancelled));
        }
        tx.failure = Some(Failure::pg("VIRTUAL_ACCOUNT_CLOSED", why));
        tx.failed_at = Some(wall);
        Ok(tx.news(NewsKind::Failed))
    }

    /// The card holder disputes the payment; the status stays. Only a PAID payment lists its disputes
    /// (`PaidPayment.disputes` of the V2 schema; no other status has the member).
    ///
    /// # Errors
    /// [`Refusal::NotPaid`] unless PAID.
    pub fn dispute(
        &mut self,
        id: &str,
        reason: &str,
        pg_dispute_id: String,
        wall: Timestamp,
    ) -> Result<News, Refusal> {
        let tx = self.transaction_mut(id)?;
        if tx.status != Status::Paid {
            return Err(Refusal::NotPaid);
        }
        tx.disputes.push(Dispute {
            pg_dispute_id: Some(pg_dispute_id),
            reason: reason.to_owned(),
            created_at: wall,
            resolved_at: None,
        });
        tx.updated_at = wall;
        Ok(News { trigger: Some(Trigger::DisputeCreated), ..tx.news(NewsKind::DisputeCreated) })
    }

    /// Settles the oldest open dispute.
    ///
    /// # Errors
    /// [`Refusal::OutOfOrder`] without an open dispute.
    pub fn resolve_dispute(&mut self, id: &str, wall: Timestamp) -> Result<News, Refusal> {
        let tx = self.transaction_mut(id)?;
        let status = tx.status;
        let open = tx.disputes.iter_mut().find(|dispute| dispute.resolved_at.is_none());
        open.ok_or(Refusal::OutOfOrder { status })?.resolved_at = Some(wall);
        tx.updated_at = wall;
        Ok(News { trigger: Some(Trigger::DisputeResolved), ..tx.news(NewsKind::DisputeResolved) })
    }

    /// Two windows, one payment: the second to be approved fails at PortOne.
    fn lost_to_another(&mut self, id: &str, wall: Timestamp) -> Result<Option<News>, Refusal> {
        let other = self.transactions.iter().any(|tx| tx.id != id && tx.captured());
        let tx = self.transaction_mut(id)?;
        if !other {
            return Ok(None);
        }
        if tx.status == Status::Failed {
            return Err(Refusal::AlreadyPaid);
        }
        tx.failure = Some(Failure::already_paid());
        tx.failed_at = Some(wall);
        tx.enter(Status::Failed, wall);
        Ok(Some(tx.news(NewsKind::Failed)))
    }
}

fn captured_amount(asked: &Amount, total: Option<i64>) -> Result<Amount, Refusal> {
    match total {
        None => Ok(*asked),
        Some(total) => asked
            .captured_as(total)
            .ok_or_else(|| Refusal::Invalid("the amount must be an integer of 0 or more".to_owned())),
    }
}

fn settle(tx: &mut Transaction, trigger: Option<Trigger>, wall: Timestamp) -> News {
    tx.paid_at = Some(wall);
    tx.failed_at = None;
    tx.failure = None;
    tx.payment_token = None;
    tx.enter(Status::Paid, wall);
    News { trigger, moved: tx.amount.payable(), ..tx.news(NewsKind::Paid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::sample::{T1, card, opened};

    fn approve(payment: &mut Payment, id: &str) -> Result<News, Refusal> {
        payment.approve(id, Captured::default(), card(), T1)
    }

    #[test]
    fn of_two_open_windows_the_first_approval_wins_and_the_second_fails() {
        let mut payment = opened(&["tx1", "tx2"]);
        assert_eq!(approve(&mut payment, "tx2").unwrap().kind, NewsKind::Paid);
        assert_eq!(approve(&mut payment, "tx1").unwrap().kind, NewsKind::Failed);
        assert_eq!(payment.decisive().id, "tx2");
        assert_eq!(payment.transactions[0].failure.as_ref().unwrap().code, "PaymentAlreadyPaid");
    }

    #[test]
    fn a_failed_attempt_may_be_approved_late() {
        let mut payment = opened(&["tx1"]);
        payment.fail("tx1", Failure::pg("X", "x"), T1).unwrap();
        assert_eq!(approve(&mut payment, "tx1").unwrap().status, Status::Paid);
        assert_eq!(payment.decisive().failure, None);
    }

    #[test]
    fn a_late_approval_of_the_first_attempt_decides_over_a_newer_open_one() {
        let mut payment = opened(&["tx1"]);
        payment.fail("tx1", Failure::pg("X", "x"), T1).unwrap();
        let second =
            Transaction { id: "tx2".to_owned(), status: Status::Ready, ..payment.transactions[0].clone() };
        payment.open(second, None).unwrap();
        assert_eq!(payment.decisive().id, "tx2");
        approve(&mut payment, "tx1").unwrap();
        assert_eq!((payment.decisive().id.as_str(), payment.decisive().status), ("tx1", Status::Paid));
    }

    #[test]
    fn a_captured_payment_takes_no_further_attempt() {
        let mut payment = opened(&["tx1"]);
        approve(&mut payment, "tx1").unwrap();
        let again = payment.transactions[0].clone();
        assert_eq!(payment.open(again, None), Err(Refusal::AlreadyPaid));
    }

    #[test]
    fn the_attempt_cap_counts_attempts() {
        let mut payment = opened(&["tx1", "tx2"]);
        let third = payment.transactions[0].clone();
        assert_eq!(payment.open(third, Some(2)), Err(Refusal::AttemptCountReached));
    }

    #[test]
    fn a_paid_attempt_cannot_be_paid_failed_or_closed_again() {
        let mut payment = opened(&["tx1"]);
        approve(&mut payment, "tx1").unwrap();
        let refused = Err(Refusal::OutOfOrder { status: Status::Paid });
        assert_eq!(approve(&mut payment, "tx1"), refused);
        assert_eq!(payment.fail("tx1", Failure::default(), T1), refused);
        assert_eq!(payment.close_account("tx1", Status::Failed, "", T1), Err(Refusal::NotWaitingForDeposit));
    }
}
