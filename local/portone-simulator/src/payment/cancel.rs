//! Money back. [`Payment::cancel`] checks in one fixed order and reports the first thing that is wrong;
//! the order is inferred from PortOne's error list, not stated by it.

use serde::{Deserialize, Serialize};

use super::{
    Amount, CancellableBalance, Method, News, NewsKind, Payment, RefundStatus, Refusal, RetainOption, Status,
    Transaction, attempt::Trigger,
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
    /// What becomes of the discount when only a part goes back.
    pub retain: Option<RetainOption>,
    /// Who asks.
    pub trigger: CancelTrigger,
}

/// How money back is counted and reported.
#[derive(Clone, Copy, Debug)]
pub struct CancelRules {
    /// How a discount enters the balance.
    pub balance: CancellableBalance,
    /// What a virtual account's refund is right after money went back.
    pub refund: RefundStatus,
}

impl Default for CancelRules {
    fn default() -> Self {
        Self { balance: CancellableBalance::Total, refund: RefundStatus::Completed }
    }
}

/// What the world adds to a cancellation.
#[derive(Clone, Debug)]
pub struct CancelContext {
    /// How the PG takes it.
    pub mode: CancelMode,
    /// At most this many cancellations.
    pub cap: Option<u32>,
    /// How they are counted.
    pub rules: CancelRules,
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
    pub fn balance(&self, counted: CancellableBalance) -> i64 {
        self.cancellable(counted).saturating_sub(self.reserved(|cancellation| cancellation.total)).max(0)
    }

    fn cancellable(&self, counted: CancellableBalance) -> i64 {
        match counted {
            CancellableBalance::Total => self.amount.total,
            CancellableBalance::Paid => self.amount.payable(),
        }
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

    fn apply_cancellation(
        &mut self,
        id: &str,
        trigger: Option<Trigger>,
        rules: CancelRules,
        wall: Timestamp,
    ) -> News {
        self.set_refund(rules.refund);
        let (cancelled, _) = self.cancelled();
        let all = cancelled >= self.cancellable(rules.balance);
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
        let split = tx.check_cancel(request, context.rules.balance)?;
        // A card company takes its money back whatever was agreed on with the shop.
        let chargeback = request.trigger == CancelTrigger::Chargeback;
        let fixed = if chargeback { tx.retain_option } else { tx.check_promotion(request, split.total)? };
        if !chargeback {
            tx.check_pg(request, &context)?;
        }

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
                tx.retain_option = fixed;
                Some(tx.apply_cancellation(&cancellation.id, None, context.rules, wall))
            }
            CancellationStatus::Requested => {
                tx.retain_option = fixed;
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
        rules: CancelRules,
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
            return Ok(tx.apply_cancellation(&id, Some(Trigger::AsyncCancelApproved), rules, wall));
        }
        cancellation.status = CancellationStatus::Failed;
        tx.updated_at = wall;
        tx.set_refund(RefundStatus::Failed);
        Ok(tx.cancel_news(NewsKind::CancelFailed, &id, Some(Trigger::AsyncCancelFailed)))
    }
}

impl Payment {
    /// What the bank says of the money that went back into the buyer's account; PortOne sends no webhook of its
    /// own for it, and the payment's status stays (`PaymentMethodVirtualAccount.refundStatus`: "the state of the
    /// refund when the payment is being refunded").
    ///
    /// # Errors
    /// [`Refusal::Invalid`] unless it was a virtual account; [`Refusal::NotPaid`] unless money goes back.
    pub fn set_refund_status(
        &mut self,
        id: &str,
        status: RefundStatus,
        wall: Timestamp,
    ) -> Result<(), Refusal> {
        let tx = self.transaction_mut(id)?;
        if !matches!(tx.method, Some(Method::VirtualAccount { .. })) {
            return Err(Refusal::Invalid("the attempt is not one of a virtual account".to_owned()));
        }
        if tx.cancellations.is_empty() {
            return Err(Refusal::NotPaid);
        }
        tx.set_refund(status);
        tx.updated_at = wall;
        Ok(())
    }
}

impl Transaction {
    fn check_cancel(&self, request: &CancelRequest, counted: CancellableBalance) -> Result<Amount, Refusal> {
        match self.status {
            Status::Cancelled => return Err(Refusal::AlreadyCancelled),
            Status::Paid | Status::PartialCancelled => {}
            Status::Ready | Status::PayPending | Status::VirtualAccountIssued | Status::Failed => {
                return Err(Refusal::NotPaid);
            }
        }
        let balance = self.balance(counted);
        if request.current_balance.is_some_and(|believed| believed != balance) {
            return Err(Refusal::BalanceDiffers { balance });
        }
        let total = request.amount.unwrap_or(balance);
        // A balance of nothing, all of it reserved by pending cancellations, cannot be cancelled either.
        if total > balance || total == 0 {
            return Err(Refusal::AmountExceedsBalance);
        }
        let tax_free_left = self.amount.tax_free.saturating_sub(self.reserved(|it| it.tax_free));
        let tax_free_left = tax_free_left.min(balance);
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
mod tests;
