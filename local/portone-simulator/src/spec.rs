//! A payment as a test wants it: in any state, real or not.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    clock::Timestamp,
    config::ChannelKind,
    payment::{
        Amount, CancelMode, Checkout, Customer, PayMethod, Payment, Platform, Refusal, Status, Transaction,
        Version,
        attempt::{Captured, Failure, News},
        cancel::{CancelContext, CancelRequest, RefundAccount},
    },
    raw::RawTexts,
    simulator::Simulator,
    world::{Publication, World},
};

/// What to create. Everything has a default; in JSON, members are `camelCase` and unknown ones are refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PaymentSpec {
    /// Default PAID.
    pub status: Status,
    /// Default 1000.
    pub total_amount: i64,
    /// Default 0.
    pub tax_free_amount: i64,
    /// Default an eleventh of the taxable part.
    pub vat_amount: Option<i64>,
    /// Default 0.
    pub discount: i64,
    /// Default KRW.
    pub currency: String,
    /// Default CARD, or VIRTUAL_ACCOUNT where the status needs it.
    pub pay_method: Option<PayMethod>,
    /// Default the first channel of `channel_type`.
    pub channel_key: Option<String>,
    /// Default LIVE.
    pub channel_type: ChannelKind,
    /// Default the credential's store.
    pub store_id: Option<String>,
    /// Default V2.
    pub version: Version,
    /// Default `신발`.
    pub order_name: String,
    /// Default nothing known.
    pub customer: Customer,
    /// JSON text, or anything else.
    pub custom_data: Option<String>,
    /// `imp_uid` in V1. Default made up.
    pub transaction_id: Option<String>,
    /// Charged by V1's REST API, without a window: `imps_` and twelve digits as `imp_uid`, channel `api`.
    /// Default false.
    pub by_rest: bool,
    /// The least sum that the promotion behind `discount` discounts. Default none.
    pub promotion_minimum: Option<i64>,
    /// Of a PARTIAL_CANCELLED payment; default half.
    pub cancelled_amount: Option<i64>,
    /// Opened; RFC 3339; default now.
    pub requested_at: Option<String>,
    /// Status changed; RFC 3339; default now.
    pub changed_at: Option<String>,
    /// How its cancellations end.
    pub cancel_mode: Option<CancelMode>,
    /// Whether its webhooks are sent. Default false.
    pub webhooks: bool,
    /// Instead of the console's URL.
    pub notice_urls: Vec<String>,
    /// Merged into the payment as its own generation writes it (RFC 7396): another `status`, a member less, a member more.
    pub patch: Value,
}

impl Default for PaymentSpec {
    fn default() -> Self {
        Self {
            status: Status::Paid,
            total_amount: 1000,
            tax_free_amount: 0,
            vat_amount: None,
            discount: 0,
            currency: "KRW".to_owned(),
            pay_method: None,
            channel_key: None,
            channel_type: ChannelKind::Live,
            store_id: None,
            version: Version::V2,
            order_name: "신발".to_owned(),
            customer: Customer::default(),
            custom_data: None,
            transaction_id: None,
            by_rest: false,
            promotion_minimum: None,
            cancelled_amount: None,
            requested_at: None,
            changed_at: None,
            cancel_mode: None,
            webhooks: false,
            notice_urls: Vec::new(),
            patch: Value::Null,
        }
    }
}

impl World {
    /// Creates the payment, or replaces what was there under this id.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for an impossible amount, time or channel, with nothing changed; what the
    /// cancel engine refuses, with the id left without a payment.
    pub(crate) fn put(&mut self, id: &str, spec: &PaymentSpec) -> Result<(), Refusal> {
        let requested_at = moment(spec.requested_at.as_deref())?;
        let changed_at = match &spec.changed_at {
            Some(at) => moment(Some(at))?,
            None => requested_at,
        };
        let transaction = self.spec_transaction(spec, requested_at)?;
        let tx_id = transaction.id.clone();
        let payment = Payment {
            id: id.to_owned(),
            merchant_id: self.config.merchant_id.clone(),
            store_id: spec.store_id.clone().unwrap_or_else(|| self.config.store_id.clone()),
            version: spec.version,
            created_at: requested_at,
            transactions: vec![transaction],
            cancel_mode: spec.cancel_mode,
            cancel_mode_left: None,
            patch: spec.patch.clone(),
            raw_texts: RawTexts::new(),
        };
        if let Some(replaced) = self.book.payments.remove(id) {
            for tx in &replaced.transactions {
                self.book.attempts.remove(&tx.id);
            }
        }
        self.book.attempts.insert(tx_id.clone(), id.to_owned());
        self.book.payments.insert(id.to_owned(), payment.clone());
        let driven = self.drive(payment, &tx_id, spec, changed_at);
        if driven.is_err() {
            self.forget(id)?;
        }
        driven
    }

    /// Takes the opened payment to the wanted status along the ways a real one takes.
    fn drive(
        &mut self,
        mut payment: Payment,
        tx_id: &str,
        spec: &PaymentSpec,
        changed_at: Timestamp,
    ) -> Result<(), Refusal> {
        let id = payment.id.clone();
        let pg = self.pg_details(tx_id, None)?;
        let mut happened: Vec<News> = Vec::new();
        match spec.status {
            Status::Ready => {}
            Status::PayPending => happened.push(payment.pend(tx_id, pg, changed_at)?),
            Status::VirtualAccountIssued => happened.push(payment.issue(tx_id, pg, changed_at)?),
            Status::Failed => {
                let failure = Failure::pg("REJECT_CARD_COMPANY", "카드사에서 승인을 거절했습니다.");
                happened.push(payment.fail(tx_id, failure, changed_at)?);
            }
            Status::Paid | Status::PartialCancelled | Status::Cancelled => {
                happened.push(payment.approve(tx_id, Captured::default(), pg, changed_at)?);
            }
        }
        if matches!(spec.status, Status::PartialCancelled | Status::Cancelled) {
            let part = spec.cancelled_amount.unwrap_or(spec.total_amount / 2);
            let request = CancelRequest {
                reason: "취소".to_owned(),
                amount: (spec.status == Status::PartialCancelled).then_some(part),
                refund_account: Some(RefundAccount {
                    bank: "SHINHAN".to_owned(),
                    number: "110000000000".to_owned(),
                    holder_name: "환불 계좌".to_owned(),
                }),
                ..CancelRequest::default()
            };
            let context = CancelContext {
                mode: CancelMode::Sync,
                cap: None,
                rules: self.cancel_rules(),
                cancellation_id: self.book.chance.uuid(),
                pg_cancellation_id: self.book.chance.digits(12),
                wall: changed_at,
            };
            happened.extend(payment.cancel(&request, context)?.1);
        }
        self.book.payments.insert(id.clone(), payment);
        self.plan_expiry(tx_id);
        for news in happened {
            self.publish(&id, &news, Publication { silent: !spec.webhooks, from_window: false });
        }
        Ok(())
    }

    /// Charges by V1's REST API: one more attempt of this `merchant_uid`, approved at once, or declined when the
    /// spec says FAILED. Returns its `imp_uid`.
    fn charge(&mut self, merchant_uid: &str, spec: &PaymentSpec) -> Result<String, Refusal> {
        if !matches!(spec.status, Status::Paid | Status::Failed) {
            return Err(Refusal::Invalid("a charge by REST ends PAID or FAILED".to_owned()));
        }
        let wall = Timestamp::wall();
        let spec = PaymentSpec { version: Version::V1, by_rest: true, ..spec.clone() };
        let store_id = spec.store_id.clone().unwrap_or_else(|| self.config.store_id.clone());
        let transaction = self.spec_transaction(&spec, wall)?;
        let id = transaction.id.clone();
        self.open_attempt(merchant_uid, &store_id, Version::V1, transaction)?;
        let pg = self.pg_details(&id, None)?;
        let payment = self.payment_mut(merchant_uid)?;
        let news = if spec.status == Status::Failed {
            payment.fail(&id, Failure::pg("F400", "카드 정보가 올바르지 않습니다."), wall)?
        } else {
            payment.approve(&id, Captured::default(), pg, wall)?
        };
        self.publish(merchant_uid, &news, Publication { silent: !spec.webhooks, from_window: false });
        Ok(id)
    }

    /// Forgets a payment; what was sent about it stays listed.
    pub(crate) fn forget(&mut self, id: &str) -> Result<(), Refusal> {
        let payment = self.book.payments.remove(id).ok_or(Refusal::PaymentNotFound)?;
        for tx in &payment.transactions {
            self.book.attempts.remove(&tx.id);
        }
        self.book.registrations.remove(id);
        self.book.prepared.remove(id);
        Ok(())
    }

    fn spec_transaction(&mut self, spec: &PaymentSpec, wall: Timestamp) -> Result<Transaction, Refusal> {
        let invalid = |message: &str| Refusal::Invalid(message.to_owned());
        let first = self.config.channels.first().ok_or_else(|| invalid("the simulator has no channel"))?;
        let channel = match &spec.channel_key {
            Some(key) => self.channel(key).cloned().ok_or_else(|| invalid("channelKey is unknown"))?,
            None => self.channel_of_kind(first, spec.channel_type),
        };
        let amount = Amount::new(spec.total_amount, spec.tax_free_amount, spec.vat_amount);
        let mut amount = amount.ok_or_else(|| invalid("the amounts do not add up"))?;
        amount.discount = spec.discount;
        let asked = match spec.status {
            Status::VirtualAccountIssued => PayMethod::VirtualAccount,
            Status::Ready
            | Status::PayPending
            | Status::Paid
            | Status::PartialCancelled
            | Status::Cancelled
            | Status::Failed => PayMethod::Card,
        };
        let id = spec.transaction_id.clone().unwrap_or_else(|| match spec.version {
            Version::V1 => self.imp_uid(spec.by_rest),
            Version::V2 => self.book.chance.uuid(),
        });
        let ready = Transaction::ready(id, channel, spec.pay_method.unwrap_or(asked), amount, wall);
        Ok(Transaction {
            currency: spec.currency.clone(),
            order_name: spec.order_name.clone(),
            customer: spec.customer.clone(),
            custom_data: spec.custom_data.clone(),
            promotion_minimum: spec.promotion_minimum,
            platform: if spec.by_rest { Platform::Api } else { ready.platform },
            checkout: Checkout { notice_urls: spec.notice_urls.clone(), ..Checkout::default() },
            ..ready
        })
    }
}

impl Simulator {
    /// Creates many payments at once, as [`put_payment`](Self::put_payment) does each.
    ///
    /// # Errors
    /// Those of the first that cannot be created; the ones before it are there.
    pub fn put_payments<I>(&self, payments: I) -> Result<(), Refusal>
    where
        I: IntoIterator<Item = (String, PaymentSpec)>,
    {
        self.change(|world| payments.into_iter().try_for_each(|(id, spec)| world.put(&id, &spec)))
    }

    /// Charges by V1's REST API (`onetime`, `again`, `schedule`), which gives the attempt an `imp_uid` of the form
    /// `imps_` and twelve digits (case 04) and opens no window. The spec's `version` and `by_rest` do not matter; its
    /// status is PAID or FAILED. Returns the `imp_uid`.
    ///
    /// # Errors
    /// [`Refusal::AlreadyPaid`] when this `merchant_uid` was paid before; [`Refusal::Invalid`].
    pub fn charge_by_rest(&self, merchant_uid: &str, spec: &PaymentSpec) -> Result<String, Refusal> {
        self.change(|world| world.charge(merchant_uid, spec))
    }
}

fn moment(text: Option<&str>) -> Result<Timestamp, Refusal> {
    match text {
        None => Ok(Timestamp::wall()),
        Some(text) => Timestamp::parse(text)
            .ok_or_else(|| Refusal::Invalid(format!("not an RFC 3339 date-time: {text}"))),
    }
}
