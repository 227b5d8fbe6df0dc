//! Bodies exactly as V1 sends them, and what they mean to the domain.
//!
//! V1's oddities end here: an envelope whose `code` may say no under HTTP 200, Unix seconds where 0 is
//! "not yet", a partial cancellation that is no status of its own, amounts as JSON numbers.

use order::{
    CancellationOutcome, Channel, Currency, Failure, Generation, Observation, ObservedCancellation, PaidBy,
    PaymentStatus, Timestamp, VirtualAccount, observation::ObservedCancellationStatus,
};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, value::RawValue};

use crate::portone::lenient::{self, Needed, Unusable};

/// What every answer is wrapped in.
#[derive(Deserialize)]
pub struct Envelope<T> {
    pub code: i64,
    pub response: Option<T>,
}

/// The envelope's words, which are left where nothing else of it is.
#[derive(Deserialize)]
pub struct Words {
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: Option<String>,
}

/// `POST /users/getToken`.
#[derive(Serialize)]
pub struct GetToken<'a> {
    pub imp_key: &'a str,
    pub imp_secret: &'a str,
}

#[derive(Deserialize)]
pub struct Token {
    pub access_token: String,
    /// Unix seconds, by the clock that says `now`.
    pub expired_at: i64,
    pub now: i64,
}

/// `POST` and `PUT /payments/prepare`.
#[derive(Serialize)]
pub struct Prepare<'a> {
    pub merchant_uid: &'a str,
    pub amount: Box<RawValue>,
    pub currency: &'a str,
}

/// `POST /payments/cancel`. `amount` is never left out and never 0: V1 takes either for everything.
#[derive(Serialize)]
pub struct Cancel<'a> {
    pub imp_uid: &'a str,
    pub amount: Box<RawValue>,
    pub tax_free: Box<RawValue>,
    pub checksum: Box<RawValue>,
    pub reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain_promotion: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_holder: Option<&'a str>,
    /// The PG's own code of the bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_bank: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_tel: Option<&'a str>,
}

/// `GET /payments/findAll/{merchant_uid}`.
#[derive(Deserialize)]
pub struct Payments {
    #[serde(default, deserialize_with = "lenient::list")]
    pub list: Vec<Value>,
}

/// `GET /payments/status/all`. One payment that cannot be read must not hide the others.
#[derive(Deserialize)]
pub struct Page {
    /// The next page's number; 0 for none.
    #[serde(default)]
    pub next: u32,
    #[serde(default, deserialize_with = "lenient::list")]
    pub list: Vec<Value>,
}

#[derive(Deserialize)]
pub struct Payment {
    imp_uid: String,
    merchant_uid: String,
    status: String,
    amount: Number,
    cancel_amount: Option<Number>,
    #[serde(default, deserialize_with = "lenient::text")]
    currency: Option<String>,
    sandbox: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    pay_method: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_provider: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    cancel_history: Vec<Value>,
    #[serde(default, deserialize_with = "lenient::text")]
    fail_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    vbank_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    vbank_num: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    vbank_holder: Option<String>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    vbank_date: Option<i64>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    vbank_issued_at: Option<i64>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    started_at: Option<i64>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    paid_at: Option<i64>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    failed_at: Option<i64>,
    #[serde(default, deserialize_with = "lenient::seconds")]
    cancelled_at: Option<i64>,
}

/// What a payment must have to be decided about.
const NEEDED: [Needed; 4] = [
    ("imp_uid", Value::is_string),
    ("merchant_uid", Value::is_string),
    ("status", Value::is_string),
    ("amount", Value::is_number),
];

#[derive(Deserialize)]
struct Cancelled {
    amount: Number,
    #[serde(default, deserialize_with = "lenient::seconds")]
    cancelled_at: Option<i64>,
    cancellation_id: Option<Value>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_tid: Option<String>,
}

/// V1 counts in the major unit: 14.2 is 14 dollars and 20 cents (V1 guide, `amount`). Without a currency that is one, an
/// amount has no decimals.
fn minor(number: &Number, currency: Option<Currency>) -> Option<u64> {
    currency.unwrap_or(Currency::KRW).minor_units(&number.to_string())
}

/// An amount as V1 wants it: a JSON number of the major unit.
pub fn major(minor: u64, currency: Currency) -> Box<RawValue> {
    RawValue::from_string(currency.major_units(minor)).expect("a decimal number is JSON")
}

/// Unix seconds, where 0 stands for "not yet".
fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)))
}

impl Payment {
    /// Reads a payment of an answer or of a list.
    pub fn read(item: Value) -> Result<Observation, Unusable> {
        if let Some(unusable) = lenient::unusable_field(&item, &NEEDED) {
            return Err(unusable);
        }
        serde_json::from_value::<Self>(item).map_err(|_| Unusable("cancel_amount"))?.into_observation()
    }

    fn into_observation(self) -> Result<Observation, Unusable> {
        let currency = self.currency.as_deref().unwrap_or("KRW").parse().ok();
        let total = minor(&self.amount, currency).ok_or(Unusable("amount"))?;
        let cancelled = self.cancel_amount.as_ref().map_or(Some(0), |number| minor(number, currency));
        let cancelled = cancelled.ok_or(Unusable("cancel_amount"))?;
        let paid_at = moment(self.paid_at);
        let status = match self.status.as_str() {
            "ready" if self.vbank_num.as_deref().is_some_and(|number| !number.is_empty()) => {
                PaymentStatus::VirtualAccountIssued
            }
            "ready" => PaymentStatus::Ready,
            "failed" => PaymentStatus::Failed,
            // Which of the two a partly cancelled payment has is not stated: the amounts decide.
            "paid" | "cancelled" if cancelled > 0 && cancelled < total => PaymentStatus::PartialCancelled,
            "paid" if cancelled > 0 => PaymentStatus::Cancelled,
            "paid" => PaymentStatus::Paid,
            "cancelled" => PaymentStatus::Cancelled,
            _ => PaymentStatus::Unrecognized,
        };
        let cancellations: Vec<_> = self
            .cancel_history
            .into_iter()
            .map(|item| Cancelled::observed(item, currency).ok_or(Unusable("cancel_history")))
            .collect::<Result<_, _>>()?;
        let last_cancelled = cancellations.iter().filter_map(|c| c.requested_at).max();
        let changed_at = [
            moment(self.started_at),
            moment(self.vbank_issued_at),
            paid_at,
            moment(self.failed_at),
            moment(self.cancelled_at),
            last_cancelled,
        ];
        let virtual_account =
            self.vbank_num.filter(|number| !number.is_empty()).map(|number| VirtualAccount {
                bank: self.vbank_name,
                number,
                holder: self.vbank_holder,
                expires_at: moment(self.vbank_date),
                transaction_id: self.imp_uid.clone(),
            });
        let pay_method = self.pay_method.as_deref();
        let failure =
            (status == PaymentStatus::Failed).then_some(Failure { code: None, message: self.fail_reason });
        Ok(Observation {
            generation: Generation::V1,
            payment_id: self.merchant_uid,
            transaction_id: self.imp_uid,
            status,
            changed_at: changed_at.into_iter().flatten().max().unwrap_or(Timestamp::from_millis(0)),
            total,
            tax_free_left: None,
            discounted: false,
            currency,
            store_id: None,
            channel: match self.sandbox {
                Some(false) => Channel::Live,
                Some(true) => Channel::Test,
                None => Channel::Unrecognized,
            },
            cancelled,
            cancellations,
            disputes: Vec::new(),
            deposit_refund: None,
            paid_at,
            virtual_account: virtual_account.filter(|_| pay_method.is_none_or(|how| how == "vbank")),
            failure,
            paid_by: match pay_method {
                Some("card") => PaidBy::Card,
                Some("trans") => PaidBy::Transfer,
                Some("vbank") => PaidBy::VirtualAccount,
                Some("phone") => PaidBy::Mobile,
                Some("naverpay") => PaidBy::NaverPay,
                Some("kakaopay") => PaidBy::KakaoPay,
                Some("paypal") => PaidBy::Paypal,
                Some("booknlife" | "smartculture" | "culturegift" | "happymoney" | "cultureland") => {
                    PaidBy::GiftCertificate
                }
                _ => PaidBy::Other,
            },
            pg: self.pg_provider,
        })
    }
}

/// What the cancellation came to that was just requested, of `asked` out of a balance of `before`: the newest of this
/// amount, if this much went back. If less did, the PG has not decided yet.
pub fn outcome_of(payment: Value, asked: u64, before: u64) -> CancellationOutcome {
    let Ok(seen) = Payment::read(payment) else { return CancellationOutcome::Unknown };
    let gone_before = seen.total.saturating_sub(before);
    if seen.returned() < gone_before.saturating_add(asked) {
        return CancellationOutcome::Requested { portone_id: None };
    }
    let mut ours = seen.cancellations.into_iter().filter(|c| c.amount == asked).collect::<Vec<_>>();
    ours.sort_by_key(|c| c.requested_at);
    CancellationOutcome::Succeeded { portone_id: ours.pop().map(|c| c.id) }
}

impl Cancelled {
    fn observed(item: Value, currency: Option<Currency>) -> Option<ObservedCancellation> {
        let read: Self = serde_json::from_value(item).ok()?;
        let id = match read.cancellation_id {
            Some(Value::String(id)) => Some(id),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        Some(ObservedCancellation {
            // Older payments list cancellations without an id of their own.
            id: id.unwrap_or_else(|| {
                format!("{}-{}", read.pg_tid.unwrap_or_default(), read.cancelled_at.unwrap_or_default())
            }),
            status: ObservedCancellationStatus::Succeeded,
            amount: minor(&read.amount, currency)?,
            tax_free: 0,
            by_api: true,
            chargeback: false,
            requested_at: moment(read.cancelled_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn payment(change: Value) -> Observation {
        let mut body = json!({
            "imp_uid": "imp_1", "merchant_uid": "01JDABCDEFGHJKMNPQRSTVWXYZ", "status": "paid", "amount": 1000,
            "cancel_amount": 0, "currency": "KRW", "sandbox": false, "pay_method": "card", "cancel_history": [],
            "started_at": 1_700_000_000, "paid_at": 1_700_000_005, "failed_at": 0, "cancelled_at": 0,
            "vbank_num": null, "new_member": { "deep": true },
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Payment::read(body).unwrap()
    }

    #[test]
    fn each_status_becomes_the_domains() {
        let vbank = json!({ "status": "ready", "pay_method": "vbank", "vbank_num": "123", "vbank_date": 1_700_100_000, "paid_at": 0 });
        for (change, status) in [
            (json!({}), PaymentStatus::Paid),
            (json!({ "status": "ready", "paid_at": 0 }), PaymentStatus::Ready),
            (vbank, PaymentStatus::VirtualAccountIssued),
            (json!({ "status": "failed", "failed_at": 1_700_000_006 }), PaymentStatus::Failed),
            (json!({ "status": "cancelled", "cancel_amount": 1000 }), PaymentStatus::Cancelled),
            (json!({ "status": "cancelled", "cancel_amount": 300 }), PaymentStatus::PartialCancelled),
            (json!({ "status": "paid", "cancel_amount": 300 }), PaymentStatus::PartialCancelled),
            (json!({ "status": "paid", "cancel_amount": 1000 }), PaymentStatus::Cancelled),
            (json!({ "status": "pending_review" }), PaymentStatus::Unrecognized),
        ] {
            assert_eq!(payment(change.clone()).status, status, "{change}");
        }
    }

    #[test]
    fn zero_is_not_a_time() {
        let ready = payment(json!({ "status": "ready", "paid_at": 0 }));
        assert_eq!((ready.paid_at, ready.changed_at), (None, Timestamp::from_millis(1_700_000_000_000)));
    }

    #[test]
    fn a_payment_without_a_sandbox_flag_fits_no_mode() {
        assert_eq!(payment(json!({ "sandbox": null })).channel, Channel::Unrecognized);
        assert_eq!(payment(json!({ "sandbox": true })).channel, Channel::Test);
    }

    #[test]
    fn an_amount_is_a_whole_number_and_never_negative() {
        assert_eq!(payment(json!({ "amount": 1000.0 })).total, 1000);
        for wrong in [json!(-1), json!(10.5), json!(1e300), json!(u64::MAX)] {
            let body = json!({ "imp_uid": "i", "merchant_uid": "m", "status": "paid", "amount": wrong });
            assert_eq!(Payment::read(body), Err(Unusable("amount")), "{wrong}");
        }
    }

    /// A public bug report (case 05): PayPal and Eximbay payments have decimals.
    #[test]
    fn an_amount_in_dollars_is_counted_in_cents() {
        let seen = payment(json!({
            "amount": 14.2, "cancel_amount": 4.05, "currency": "USD",
            "cancel_history": [{ "pg_tid": "t", "amount": 4.05, "cancelled_at": 1_700_000_009, "reason": "" }],
        }));
        assert_eq!((seen.total, seen.cancelled, seen.cancellations[0].amount), (1420, 405, 405));
        let usd = "USD".parse().unwrap();
        assert_eq!((major(1420, usd).get(), major(1000, Currency::KRW).get()), ("14.20", "1000"));
    }

    #[test]
    fn a_text_that_decides_nothing_does_not_make_a_payment_unreadable() {
        let seen =
            payment(json!({ "buyer_name": 7, "fail_reason": {}, "vbank_date": "soon", "pg_provider": [] }));
        assert_eq!(seen.status, PaymentStatus::Paid);
        let body = json!({ "imp_uid": "i", "merchant_uid": "m", "status": "paid", "amount": 1, "cancel_history": [{ "amount": "x" }] });
        assert_eq!(Payment::read(body), Err(Unusable("cancel_history")), "money is in it");
    }
}
