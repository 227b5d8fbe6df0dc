//! Money back. [`Payment::cancel`] checks in one fixed order and reports the first thing that is wrong;
//! the order is inferred from PortOne's error list, not stated by it.

use serde::{Deserialize, Serialize};

use super::{
    Amount, Method, News, NewsKind, Payment, Refusal, Status, Transaction, attempt::Trigger,
    method::RefundStatus,
};
use crate::clock::Timestamp;

/// Who asked for a cancellation; `Trigger` of the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelTrigger {
    /// Somebody pressed a button in PortOne's console.
    Console,
    /// The shop's server.
    #[default]
    Api,
    /// PortOne's staff.
    PortoneAdmin,
    /// The card company took it back.
    Chargeback,
}

/// Where a cancellation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CancellationStatus {
    /// The PG decides later; the amount is reserved meanwhile.
    Requested,
    /// Returned.
    Succeeded,
    /// Not returned.
    Failed,
}

/// One return of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// `cancellationId`.
    pub id: String,
    /// Where it stands.
    pub status: CancellationStatus,
    /// The sum.
    pub total: i64,
    /// Of that, tax-free.
    pub tax_free: i64,
    /// Of that, VAT.
    pub vat: i64,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub trigger: CancelTrigger,
    /// Asked.
    pub requested_at: Timestamp,
    /// Returned.
    pub cancelled_at: Option<Timestamp>,
    /// The PG's number.
    pub pg_cancellation_id: Option<String>,
}

/// How the PG takes a cancellation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelMode {
    /// Done at once: SUCCEEDED.
    #[default]
    Sync,
    /// Later: REQUESTED, until somebody approves or fails it.
    Async,
    /// HTTP 200 with a FAILED cancellation.
    FailInBand,
    /// HTTP 502 PG_PROVIDER, no cancellation.
    RefuseByPg,
    /// Done, but the answer never comes: the connection stays open for a minute.
    EffectThenHang,
    /// Done, but the connection breaks before the answer.
    EffectThenDrop,
}

/// Into which account a virtual account's money goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAccount {
    /// PortOne's `Bank`.
    pub bank: String,
    /// Number.
    pub number: String,
    /// Holder.
    pub holder_name: String,
}

/// What is to be cancelled.
#[derive(Clone, Debug, Default)]
pub struct CancelRequest {
    /// Required.
    pub reason: String,
    /// All that is left when missing.
    pub amount: Option<i64>,
    /// Missing means all taxable, except when the amount is missing too.
    pub tax_free: Option<i64>,
    /// An eleventh of the taxable part when missing.
    pub vat: Option<i64>,
    /// The balance the caller believes in.
    pub current_balance: Option<i64>,
    /// Needed by virtual accounts.
    pub refund_account: Option<RefundAccount>,
    /// Who asks.
    pub trigger: CancelTrigger,
}

/// What the world adds to a cancellation.
#[derive(Clone, Debug)]
pub struct CancelContext {
    /// How the PG takes it.
    pub mode: CancelMode,
    /// At most this many cancellations.
    pub cap: Option<u32>,
    /// For the new cancellation.
    pub cancellation_id: String,
    /// For the new cancellation.
    pub pg_cancellation_id: String,
    /// Now.
    pub wall: Timestamp,
}

impl Transaction {
    /// What can still be cancelled: the total less what went back or is on its way back.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.amount.total.saturating_sub(self.reserved(|cancellation| cancellation.total))
    }

    fn reserved(&self, part: impl Fn(&Cancellation) -> i64) -> i64 {
        let counted = self.cancellations.iter().filter(|it| it.status != CancellationStatus::Failed);
        counted.map(part).fold(0, i64::saturating_add)
    }

    /// What went back for sure: the sum, and of that tax-free.
    #[must_use]
    pub fn cancelled(&self) -> (i64, i64) {
        let done = self.cancellations.iter().filter(|it| it.status == CancellationStatus::Succeeded);
        done.fold((0, 0), |(total, tax_free), it| {
            (total.saturating_add(it.total), tax_free.saturating_add(it.tax_free))
        })
    }

    fn apply_cancellation(&mut self, id: &str, trigger: Option<Trigger>, wall: Timestamp) -> News {
        let (cancelled, _) = self.cancelled();
        let all = cancelled >= self.amount.total;
        self.status = if all { Status::Cancelled } else { Status::PartialCancelled };
        self.cancelled_at = Some(wall);
        self.status_changed_at = wall;
        self.updated_at = wall;
        let returned = self.cancellations.iter().find(|it| it.id == id).map_or(0, |it| it.total);
        News {
            kind: if all { NewsKind::Cancelled } else { NewsKind::PartialCancelled },
            transaction_id: self.id.clone(),
            status: self.status,
            cancellation_id: Some(id.to_owned()),
            trigger,
            moved: returned.saturating_neg(),
        }
    }

    fn cancel_news(&self, kind: NewsKind, id: &str, trigger: Option<Trigger>) -> News {
        News {
            kind,
            transaction_id: self.id.clone(),
            status: self.status,
            cancellation_id: Some(id.to_owned()),
            trigger,
            moved: 0,
        }
    }

    fn set_refund(&mut self, status: RefundStatus) {
        if let Some(method) = &mut self.method {
            method.set_refund(status);
        }
    }
}

impl Payment {
    /// Checks a cancellation and carries it out. The news are empty for an in-band failure.
    ///
    /// # Errors
    /// In this order: fully cancelled, not paid, balance differs, amount over balance, parts over amount,
    /// tax-free over its balance, taxable over its balance, then what the PG refuses. Nothing changed then.
    pub fn cancel(
        &mut self,
        request: &CancelRequest,
        context: CancelContext,
    ) -> Result<(Cancellation, Option<News>), Refusal> {
        let decisive = self.decisive().id.clone();
        let tx = self.transaction_mut(&decisive)?;
        let split = tx.check_cancel(request)?;
        tx.check_pg(request, &context)?;

        let wall = context.wall;
        let (status, done) = match context.mode {
            CancelMode::Sync | CancelMode::EffectThenHang | CancelMode::EffectThenDrop => {
                (CancellationStatus::Succeeded, Some(wall))
            }
            CancelMode::Async => (CancellationStatus::Requested, None),
            CancelMode::FailInBand | CancelMode::RefuseByPg => (CancellationStatus::Failed, None),
        };
        let cancellation = Cancellation {
            id: context.cancellation_id,
            status,
            total: split.total,
            tax_free: split.tax_free,
            vat: split.vat,
            reason: request.reason.clone(),
            trigger: request.trigger,
            requested_at: wall,
            cancelled_at: done,
            pg_cancellation_id: done.map(|_| context.pg_cancellation_id),
        };
        tx.cancellations.push(cancellation.clone());
        tx.updated_at = wall;
        let news = match status {
            CancellationStatus::Succeeded => {
                tx.set_refund(RefundStatus::Completed);
                Some(tx.apply_cancellation(&cancellation.id, None, wall))
            }
            CancellationStatus::Requested => {
                tx.set_refund(RefundStatus::Pending);
                Some(tx.cancel_news(NewsKind::CancelPending, &cancellation.id, None))
            }
            CancellationStatus::Failed => {
                tx.set_refund(RefundStatus::Failed);
                None
            }
        };
        Ok((cancellation, news))
    }

    /// Ends a pending cancellation: `approved` returns the money, else it stays with the shop. Without
    /// an id the oldest pending one is meant.
    ///
    /// # Errors
    /// [`Refusal::CancellationNotFound`], [`Refusal::CancellationNotPending`].
    pub fn end_cancellation(
        &mut self,
        id: Option<&str>,
        approved: bool,
        pg_cancellation_id: String,
        wall: Timestamp,
    ) -> Result<News, Refusal> {
        let decisive = self.decisive().id.clone();
        let tx = self.transaction_mut(&decisive)?;
        let pending = CancellationStatus::Requested;
        let found = match id {
            Some(id) => tx.cancellations.iter_mut().find(|it| it.id == id),
            None => tx.cancellations.iter_mut().find(|it| it.status == pending),
        };
        let cancellation = found.ok_or(Refusal::CancellationNotFound)?;
        if cancellation.status != pending {
            return Err(Refusal::CancellationNotPending);
        }
        let id = cancellation.id.clone();
        if approved {
            cancellation.status = CancellationStatus::Succeeded;
            cancellation.cancelled_at = Some(wall);
            cancellation.pg_cancellation_id = Some(pg_cancellation_id);
            tx.set_refund(RefundStatus::Completed);
            return Ok(tx.apply_cancellation(&id, Some(Trigger::AsyncCancelApproved), wall));
        }
        cancellation.status = CancellationStatus::Failed;
        tx.updated_at = wall;
        tx.set_refund(RefundStatus::Failed);
        Ok(tx.cancel_news(NewsKind::CancelFailed, &id, Some(Trigger::AsyncCancelFailed)))
    }
}

impl Transaction {
    fn check_cancel(&self, request: &CancelRequest) -> Result<Amount, Refusal> {
        match self.status {
            Status::Cancelled => return Err(Refusal::AlreadyCancelled),
            Status::Paid | Status::PartialCancelled => {}
            Status::Ready | Status::PayPending | Status::VirtualAccountIssued | Status::Failed => {
                return Err(Refusal::NotPaid);
            }
        }
        let balance = self.balance();
        if request.current_balance.is_some_and(|believed| believed != balance) {
            return Err(Refusal::BalanceDiffers { balance });
        }
        let total = request.amount.unwrap_or(balance);
        // A balance of nothing, all of it reserved by pending cancellations, cannot be cancelled either.
        if total > balance || total == 0 {
            return Err(Refusal::AmountExceedsBalance);
        }
        let tax_free_left = self.amount.tax_free.saturating_sub(self.reserved(|it| it.tax_free));
        let tax_free = match (request.tax_free, request.amount) {
            (Some(tax_free), _) => tax_free,
            (None, Some(_)) => 0,
            (None, None) => tax_free_left,
        };
        let split = Amount::new(total, tax_free, request.vat).ok_or(Refusal::PartsExceedAmount)?;
        if split.tax_free > tax_free_left {
            return Err(Refusal::TaxFreeExceedsBalance);
        }
        if split.total.saturating_sub(split.tax_free) > balance.saturating_sub(tax_free_left) {
            return Err(Refusal::TaxableExceedsBalance);
        }
        Ok(split)
    }

    fn check_pg(&self, request: &CancelRequest, context: &CancelContext) -> Result<(), Refusal> {
        let refused = |code: &str, message: &str| {
            Err(Refusal::Pg { code: code.to_owned(), message: message.to_owned() })
        };
        let from_account = matches!(self.method, Some(Method::VirtualAccount { .. }));
        if from_account && request.refund_account.is_none() {
            return refused("REFUND_ACCOUNT_REQUIRED", "환불 계좌 정보가 필요합니다.");
        }
        let partial = request.amount.is_some_and(|amount| amount < self.amount.total);
        if partial && matches!(self.method, Some(Method::GiftCertificate { .. })) {
            return refused("NOT_SUPPORTED_PARTIAL_CANCEL", "상품권 결제는 부분 취소할 수 없습니다.");
        }
        if context.cap.is_some_and(|cap| self.cancellations.len() >= cap as usize) {
            return Err(Refusal::CancelCountReached);
        }
        if context.mode == CancelMode::RefuseByPg {
            return refused("REFUSED", "PG사가 취소를 거절했습니다.");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payment::{
        attempt::Captured,
        sample::{T1, card, opened},
    };

    fn paid() -> Payment {
        let mut payment = opened(&["tx"]);
        payment.approve("tx", Captured::default(), card(), T1).unwrap();
        payment
    }

    fn context(mode: CancelMode) -> CancelContext {
        CancelContext {
            mode,
            cap: None,
            cancellation_id: "c".to_owned(),
            pg_cancellation_id: "pgc".to_owned(),
            wall: T1,
        }
    }

    fn ask(amount: i64, tax_free: i64) -> CancelRequest {
        CancelRequest {
            reason: "r".to_owned(),
            amount: Some(amount),
            tax_free: Some(tax_free),
            ..CancelRequest::default()
        }
    }

    fn cancel(payment: &mut Payment, request: &CancelRequest) -> Result<Status, Refusal> {
        payment.cancel(request, context(CancelMode::Sync))?;
        Ok(payment.decisive().status)
    }

    /// Each request breaks its own rule and every later one; the refusal is the earliest rule's.
    #[test]
    fn the_first_broken_rule_is_the_one_reported() {
        let everything_wrong =
            CancelRequest { current_balance: Some(1), vat: Some(9_999), ..ask(5_000, 4_000) };
        let mut ready = opened(&["tx"]);
        assert_eq!(cancel(&mut ready, &everything_wrong), Err(Refusal::NotPaid));

        let mut gone = paid();
        cancel(&mut gone, &ask(1000, 300)).unwrap();
        assert_eq!(cancel(&mut gone, &everything_wrong), Err(Refusal::AlreadyCancelled));

        let table: [(CancelRequest, Refusal); 7] = [
            (everything_wrong.clone(), Refusal::BalanceDiffers { balance: 1000 }),
            (
                CancelRequest { current_balance: None, ..everything_wrong.clone() },
                Refusal::AmountExceedsBalance,
            ),
            (CancelRequest { vat: Some(900), ..ask(900, 800) }, Refusal::PartsExceedAmount),
            (ask(900, 301), Refusal::TaxFreeExceedsBalance),
            (ask(900, 199), Refusal::TaxableExceedsBalance),
            (CancelRequest { tax_free: None, ..ask(1000, 0) }, Refusal::TaxableExceedsBalance),
            (ask(0, 0), Refusal::AmountExceedsBalance),
        ];
        for (request, refusal) in table {
            let mut payment = paid();
            assert_eq!(cancel(&mut payment, &request), Err(refusal), "{request:?}");
            assert_eq!(payment.decisive().cancellations, [], "a refusal leaves no trace");
        }

        let refused = paid().cancel(&ask(900, 200), context(CancelMode::RefuseByPg));
        assert!(matches!(refused, Err(Refusal::Pg { .. })));
        let capped =
            paid().cancel(&ask(900, 200), CancelContext { cap: Some(0), ..context(CancelMode::Sync) });
        assert_eq!(capped.unwrap_err(), Refusal::CancelCountReached);
    }

    #[test]
    fn without_an_amount_all_that_is_left_goes_back_with_its_own_split() {
        let mut payment = paid();
        cancel(&mut payment, &ask(400, 100)).unwrap();
        let rest = CancelRequest { reason: "r".to_owned(), ..CancelRequest::default() };
        assert_eq!(cancel(&mut payment, &rest), Ok(Status::Cancelled));
        let last = payment.decisive().cancellations.last().unwrap();
        assert_eq!((last.total, last.tax_free, payment.decisive().balance()), (600, 200, 0));
    }

    #[test]
    fn a_pending_cancellation_reserves_its_amount_and_moves_no_status() {
        let mut payment = paid();
        let (_, news) = payment.cancel(&ask(1000, 300), context(CancelMode::Async)).unwrap();
        assert_eq!(news.unwrap().kind, NewsKind::CancelPending);
        assert_eq!((payment.decisive().status, payment.decisive().balance()), (Status::Paid, 0));
        assert_eq!(cancel(&mut payment, &ask(1, 0)), Err(Refusal::AmountExceedsBalance));
    }

    #[test]
    fn a_pending_cancellation_ends_once() {
        for (approved, status, balance) in
            [(true, Status::PartialCancelled, 600), (false, Status::Paid, 1000)]
        {
            let mut payment = paid();
            payment.cancel(&ask(400, 0), context(CancelMode::Async)).unwrap();
            payment.end_cancellation(Some("c"), approved, "pgc".to_owned(), T1).unwrap();
            assert_eq!((payment.decisive().status, payment.decisive().balance()), (status, balance));
            let again = payment.end_cancellation(Some("c"), true, "pgc".to_owned(), T1);
            assert_eq!(again, Err(Refusal::CancellationNotPending));
        }
    }

    #[test]
    fn an_in_band_failure_is_recorded_and_returns_nothing() {
        let mut payment = paid();
        let (cancellation, news) = payment.cancel(&ask(400, 0), context(CancelMode::FailInBand)).unwrap();
        assert_eq!((cancellation.status, news), (CancellationStatus::Failed, None));
        assert_eq!((payment.decisive().status, payment.decisive().balance()), (Status::Paid, 1000));
    }

    #[test]
    fn a_virtual_account_needs_to_know_where_the_money_goes() {
        let mut payment = paid();
        payment.transactions[0].method = Some(Method::VirtualAccount {
            bank: "SHINHAN".to_owned(),
            account_number: "1".to_owned(),
            remittee_name: "x".to_owned(),
            remitter_name: None,
            issued_at: T1,
            expires_at: T1,
            refund: None,
        });
        assert!(matches!(cancel(&mut payment, &ask(100, 0)), Err(Refusal::Pg { .. })));
        let to = RefundAccount { bank: "KB".to_owned(), number: "1".to_owned(), holder_name: "x".to_owned() };
        let request = CancelRequest { refund_account: Some(to), ..ask(100, 0) };
        assert_eq!(cancel(&mut payment, &request), Ok(Status::PartialCancelled));
    }
}
