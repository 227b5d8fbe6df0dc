//! Bodies exactly as V1 sends them, and what they mean to the domain.
//!
//! V1's oddities end here: an envelope whose `code` may say no under HTTP 200, Unix seconds where 0 is
//! "not yet", a partial cancellation that is no status of its own, amounts as JSON numbers.

use order::{
    CancellationOutcome, Channel, Failure, Generation, Observation, ObservedCancellation, PaidBy,
    PaymentStatus, Timestamp, VirtualAccount, money::AMOUNT_MAX, observation::ObservedCancellationStatus,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

/// What every answer is wrapped in.
#[derive(Deserialize)]
pub struct Envelope<T> {
    pub code: i64,
    pub response: Option<T>,
}

/// The envelope's words, which are left where nothing else of it is.
#[derive(Deserialize)]
pub struct Words {
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
    pub amount: u64,
    pub currency: &'a str,
}

/// `POST /payments/cancel`. `amount` is never left out and never 0: V1 takes either for everything.
#[derive(Serialize)]
pub struct Cancel<'a> {
    pub imp_uid: &'a str,
    pub amount: u64,
    pub tax_free: u64,
    pub checksum: u64,
    pub reason: &'a str,
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
    pub list: Vec<Payment>,
}

/// `GET /payments/status/all`. One payment that cannot be read must not hide the others.
#[derive(Deserialize)]
pub struct Page {
    /// The next page's number; 0 for none.
    #[serde(default)]
    pub next: u32,
    pub list: Vec<Value>,
}

#[derive(Deserialize)]
pub struct Payment {
    imp_uid: String,
    merchant_uid: String,
    status: String,
    amount: Number,
    cancel_amount: Option<Number>,
    currency: Option<String>,
    sandbox: Option<bool>,
    pay_method: Option<String>,
    pg_provider: Option<String>,
    #[serde(default, deserialize_with = "list_or_null")]
    cancel_history: Vec<Cancelled>,
    fail_reason: Option<String>,
    vbank_name: Option<String>,
    vbank_num: Option<String>,
    vbank_holder: Option<String>,
    vbank_date: Option<i64>,
    vbank_issued_at: Option<i64>,
    started_at: Option<i64>,
    paid_at: Option<i64>,
    failed_at: Option<i64>,
    cancelled_at: Option<i64>,
}

#[derive(Deserialize)]
struct Cancelled {
    amount: Number,
    cancelled_at: Option<i64>,
    cancellation_id: Option<Value>,
    pg_tid: Option<String>,
}

fn list_or_null<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Cancelled>, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A payment that says something impossible: an amount that is negative or no whole number.
#[derive(Debug, thiserror::Error)]
#[error("PortOne's payment has an amount that is no amount")]
pub struct ImpossiblePayment;

/// V1 amounts are JSON numbers; `1000` and `1000.0` are both a thousand won.
fn amount(number: &Number) -> Result<u64, ImpossiblePayment> {
    let text = number.to_string();
    let amount = text.strip_suffix(".0").unwrap_or(&text).parse().ok();
    amount.filter(|amount| *amount <= AMOUNT_MAX).ok_or(ImpossiblePayment)
}

/// Unix seconds, where 0 stands for "not yet".
fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.filter(|seconds| *seconds > 0).map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)))
}

impl Payment {
    pub fn into_observation(self) -> Result<Observation, ImpossiblePayment> {
        let total = amount(&self.amount)?;
        let cancelled = self.cancel_amount.as_ref().map_or(Ok(0), amount)?;
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
        let last_cancelled = self.cancel_history.iter().filter_map(|c| moment(c.cancelled_at)).max();
        let changed_at = [
            moment(self.started_at),
            moment(self.vbank_issued_at),
            paid_at,
            moment(self.failed_at),
            moment(self.cancelled_at),
            last_cancelled,
        ];
        let cancellations =
            self.cancel_history.into_iter().map(Cancelled::into_observed).collect::<Result<_, _>>()?;
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
            currency: self.currency.as_deref().unwrap_or("KRW").parse().ok(),
            store_id: None,
            channel: match self.sandbox {
                Some(false) => Channel::Live,
                Some(true) => Channel::Test,
                None => Channel::Unrecognized,
            },
            cancelled,
            cancellations,
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

    /// What the cancellation came to that was just asked for, of `asked` out of a balance of `before`: the
    /// newest of this amount, if this much went back. If less did, the PG has not decided yet.
    pub fn outcome_of(self, asked: u64, before: u64) -> CancellationOutcome {
        let Ok(seen) = self.into_observation() else { return CancellationOutcome::Unknown };
        let gone_before = seen.total.saturating_sub(before);
        if seen.returned() < gone_before.saturating_add(asked) {
            return CancellationOutcome::Requested { portone_id: None };
        }
        let mut ours = seen.cancellations.into_iter().filter(|c| c.amount == asked).collect::<Vec<_>>();
        ours.sort_by_key(|c| c.requested_at);
        CancellationOutcome::Succeeded { portone_id: ours.pop().map(|c| c.id) }
    }
}

impl Cancelled {
    fn into_observed(self) -> Result<ObservedCancellation, ImpossiblePayment> {
        let id = match self.cancellation_id {
            Some(Value::String(id)) => Some(id),
            Some(Value::Number(id)) => Some(id.to_string()),
            _ => None,
        };
        Ok(ObservedCancellation {
            // Older payments list cancellations without an id of their own.
            id: id.unwrap_or_else(|| {
                format!("{}-{}", self.pg_tid.unwrap_or_default(), self.cancelled_at.unwrap_or_default())
            }),
            status: ObservedCancellationStatus::Succeeded,
            amount: amount(&self.amount)?,
            tax_free: 0,
            by_api: true,
            requested_at: moment(self.cancelled_at),
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
        serde_json::from_value::<Payment>(body).unwrap().into_observation().unwrap()
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
            assert!(serde_json::from_value::<Payment>(body).unwrap().into_observation().is_err(), "{wrong}");
        }
    }
}
