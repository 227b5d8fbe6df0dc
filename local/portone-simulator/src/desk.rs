//! What somebody at PortOne's console, a PG or a bank may do to a payment, in one place for the REST API,
//! the control API and the console page.

use serde::Deserialize;

use crate::{
    clock::Timestamp,
    payment::{
        CancelMode, CancelRequest, Cancellation, Failure, Method, News, RefundStatus, Refusal, RetainOption,
        Status,
        attempt::Captured,
        cancel::{CancelContext, CancelRules, CancelTrigger, RefundAccount},
    },
    timekeeper,
    world::{Deed, Publication, World},
};

/// One act on a payment. In JSON, `{"action": "approve", …}`; acts on the decisive attempt unless
/// `transactionId` names another.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Act {
    /// The PG captures, also late on a failed attempt.
    Approve {
        /// Another sum than was asked for.
        amount: Option<i64>,
        /// Over a channel of the other kind.
        #[serde(default)]
        other_channel: bool,
    },
    /// The PG declines.
    Decline {
        /// Its code.
        pg_code: Option<String>,
        /// Its words.
        pg_message: Option<String>,
    },
    /// The PG decides later.
    Pend {},
    /// A virtual account is issued.
    Issue {},
    /// Money arrives on the virtual account, also after it was closed.
    Deposit {
        /// Another sum than was asked for.
        amount: Option<i64>,
    },
    /// The virtual account is closed.
    CloseAccount {},
    /// The virtual account's deadline passes.
    ExpireAccount {},
    /// Money goes back.
    Cancel {
        /// All that is left when missing.
        amount: Option<i64>,
        /// Of that, tax-free.
        tax_free_amount: Option<i64>,
        /// Why.
        reason: Option<String>,
        /// Who asks; the console when missing.
        trigger: Option<CancelTrigger>,
    },
    /// A pending cancellation comes through.
    ApproveCancellation {
        /// The oldest pending one when missing.
        cancellation_id: Option<String>,
    },
    /// A pending cancellation does not come through.
    FailCancellation {
        /// The oldest pending one when missing.
        cancellation_id: Option<String>,
    },
    /// The card holder disputes.
    Dispute {
        /// Why.
        reason: Option<String>,
    },
    /// The oldest open dispute is settled.
    ResolveDispute {},
    /// The card company takes money back: a cancellation with trigger CHARGEBACK, whatever the cancel mode is
    /// (`CancellationTrigger` of the V2 schema).
    Chargeback {
        /// All that is left when missing.
        amount: Option<i64>,
        /// Why.
        reason: Option<String>,
    },
    /// Money of a discounted payment goes back from the console.
    CancelWithOption {
        /// All that is left when missing.
        amount: Option<i64>,
        /// What becomes of the discount.
        promotion_discount_retain_option: RetainOption,
    },
    /// The bank reports on money that goes back into the buyer's account. No webhook.
    SetRefundStatus {
        /// `method.refundStatus`.
        status: RefundStatus,
    },
}

impl World {
    /// Carries out an act and tells it by webhook.
    pub(crate) fn act(&mut self, payment_id: &str, attempt: Option<&str>, act: &Act) -> Result<(), Refusal> {
        let payment = self.payment(payment_id)?;
        let id = attempt.map_or_else(|| payment.decisive().id.clone(), str::to_owned);
        if self.payment_of(&id)? != payment_id {
            return Err(Refusal::TransactionNotFound);
        }
        let (wall, rules) = (Timestamp::wall(), self.cancel_rules());
        let news = match act {
            Act::Approve { amount, other_channel } => {
                let captured = self.captured(&id, *amount, *other_channel)?;
                let pg = self.pg_details(&id, None)?;
                self.payment_mut(payment_id)?.approve(&id, captured, pg, wall)?
            }
            Act::Decline { pg_code, pg_message } => {
                let code = pg_code.as_deref().unwrap_or("REJECT_CARD_COMPANY");
                let message = pg_message.as_deref().unwrap_or("카드사에서 승인을 거절했습니다.");
                self.payment_mut(payment_id)?.fail(&id, Failure::pg(code, message), wall)?
            }
            Act::Pend {} => {
                let pg = self.pg_details(&id, None)?;
                self.payment_mut(payment_id)?.pend(&id, pg, wall)?
            }
            Act::Issue {} => {
                let pg = self.pg_details(&id, None)?;
                self.payment_mut(payment_id)?.issue(&id, pg, wall)?
            }
            Act::Deposit { amount } => self.payment_mut(payment_id)?.deposit(&id, *amount, wall)?,
            Act::CloseAccount {} => return self.close_account(payment_id, &id, "가상계좌가 말소되었습니다."),
            Act::ExpireAccount {} => return self.close_account(payment_id, &id, "입금 기한이 지났습니다."),
            Act::Cancel { amount, tax_free_amount, reason, trigger } => {
                let request = self.console_cancel(*amount, *tax_free_amount, reason.as_deref(), *trigger);
                return self.cancel(payment_id, &request, false).map(drop);
            }
            Act::ApproveCancellation { cancellation_id } => {
                let pg_id = self.book.chance.digits(12);
                let payment = self.payment_mut(payment_id)?;
                payment.end_cancellation(cancellation_id.as_deref(), true, pg_id, rules, wall)?
            }
            Act::FailCancellation { cancellation_id } => {
                let payment = self.payment_mut(payment_id)?;
                payment.end_cancellation(cancellation_id.as_deref(), false, String::new(), rules, wall)?
            }
            Act::Dispute { reason } => {
                let reason = reason.as_deref().unwrap_or("카드 소유자가 이의를 제기했습니다.");
                let pg_id = format!("dispute{}", self.book.chance.digits(10));
                self.payment_mut(payment_id)?.dispute(&id, reason, pg_id, wall)?
            }
            Act::ResolveDispute {} => self.payment_mut(payment_id)?.resolve_dispute(&id, wall)?,
            Act::Chargeback { amount, reason } => {
                let reason = reason.as_deref().unwrap_or("카드사가 매출을 취소했습니다.");
                let by = Some(CancelTrigger::Chargeback);
                let request = self.console_cancel(*amount, None, Some(reason), by);
                return self.cancel(payment_id, &request, false).map(drop);
            }
            Act::CancelWithOption { amount, promotion_discount_retain_option } => {
                let retain = Some(*promotion_discount_retain_option);
                let request = self.console_cancel(*amount, None, None, None);
                return self.cancel(payment_id, &CancelRequest { retain, ..request }, false).map(drop);
            }
            Act::SetRefundStatus { status } => {
                return self.payment_mut(payment_id)?.set_refund_status(&id, *status, wall);
            }
        };
        self.tell(payment_id, &news);
        Ok(())
    }

    fn tell(&mut self, payment_id: &str, news: &News) {
        self.plan_expiry(&news.transaction_id);
        self.publish(payment_id, news, Publication::default());
    }

    fn close_account(&mut self, payment_id: &str, id: &str, why: &str) -> Result<(), Refusal> {
        timekeeper::close_account(self, payment_id, id, why)
    }

    /// What a PG captures: `amount` instead of what was asked, or over a channel of the other kind.
    pub(crate) fn captured(
        &self,
        id: &str,
        amount: Option<i64>,
        other_channel: bool,
    ) -> Result<Captured, Refusal> {
        let (_, tx) = self.transaction(id)?;
        let other = self.channel_of_kind(&tx.channel, tx.channel.kind.other());
        Ok(Captured { total: amount, channel: other_channel.then_some(other) })
    }

    fn console_cancel(
        &self,
        amount: Option<i64>,
        tax_free: Option<i64>,
        reason: Option<&str>,
        trigger: Option<CancelTrigger>,
    ) -> CancelRequest {
        CancelRequest {
            reason: reason.unwrap_or("콘솔에서 취소").to_owned(),
            amount,
            tax_free,
            // The console asks its user for the account; here it is always the same one.
            refund_account: Some(RefundAccount {
                bank: "SHINHAN".to_owned(),
                number: "110000000000".to_owned(),
                holder_name: "환불 계좌".to_owned(),
            }),
            trigger: trigger.unwrap_or(CancelTrigger::Console),
            ..CancelRequest::default()
        }
    }

    /// Cancels as the payment's mode or the switch wants it, and says which mode that was.
    pub(crate) fn cancel(
        &mut self,
        payment_id: &str,
        request: &CancelRequest,
        silent: bool,
    ) -> Result<(Cancellation, CancelMode), Refusal> {
        let (own, left) = {
            let payment = self.payment(payment_id)?;
            (payment.cancel_mode, payment.cancel_mode_left)
        };
        let chargeback = request.trigger == CancelTrigger::Chargeback;
        let mode = match own.filter(|_| left != Some(0)).unwrap_or(self.switches.cancel_mode) {
            _ if chargeback => CancelMode::Sync,
            mode => mode,
        };
        let context = CancelContext {
            mode,
            cap: self.switches.cancel_cap,
            rules: self.cancel_rules(),
            cancellation_id: self.book.chance.uuid(),
            pg_cancellation_id: self.book.chance.digits(12),
            wall: Timestamp::wall(),
        };
        let payment = self.payment_mut(payment_id)?;
        let cancelled = payment.cancel(request, context);
        let took_place =
            cancelled.is_ok() || (mode == CancelMode::RefuseByPg && is_pg(cancelled.as_ref().err()));
        if took_place
            && !chargeback
            && let Some(left) = &mut payment.cancel_mode_left
        {
            *left = left.saturating_sub(1);
        }
        let (cancellation, news) = cancelled?;
        if let Some(news) = news {
            self.publish(payment_id, &news, Publication { silent, from_window: false });
        }
        Ok((cancellation, mode))
    }

    /// How the switches want money back to be counted.
    pub(crate) fn cancel_rules(&self) -> CancelRules {
        CancelRules {
            balance: self.switches.cancellable_balance,
            refund: self.switches.refund_status_after_cancel,
        }
    }

    /// Puts the deadline of an open virtual account on the agenda.
    pub(crate) fn plan_expiry(&mut self, id: &str) {
        let Ok((_, tx)) = self.transaction(id) else { return };
        let (Status::VirtualAccountIssued, Some(Method::VirtualAccount { issued_at, expires_at, .. })) =
            (tx.status, &tx.method)
        else {
            return;
        };
        let left = expires_at.millis().saturating_sub(issued_at.millis());
        let due = self.clock.now().plus_millis(left);
        let planned = self.book.agenda.iter().any(|(_, deed)| *deed == Deed::Expire(id.to_owned()));
        if !planned {
            self.book.agenda.insert((due, Deed::Expire(id.to_owned())));
        }
    }
}

fn is_pg(refusal: Option<&Refusal>) -> bool {
    matches!(refusal, Some(Refusal::Pg { .. }))
}
