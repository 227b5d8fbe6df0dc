//! Bodies exactly as PortOne V2 sends them, and what they mean to the domain.
//!
//! Required here is only what a decision needs; unknown members and values are tolerated, since
//! PortOne adds both without notice (its backward-compatibility page).

use order::{
    Channel, DepositRefund, Dispute, Failure, Generation, Observation, ObservedCancellation, PaidBy,
    PaymentStatus, Timestamp, VirtualAccount, observation::ObservedCancellationStatus,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::portone::lenient::{self, Needed, Unusable};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    status: String,
    id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    transaction_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    store_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    version: Option<String>,
    amount: Amount,
    currency: String,
    #[serde(default, deserialize_with = "lenient::object")]
    channel: Option<WireChannel>,
    #[serde(default, deserialize_with = "lenient::object")]
    method: Option<Method>,
    #[serde(default, deserialize_with = "lenient::list")]
    cancellations: Vec<Value>,
    #[serde(default, deserialize_with = "lenient::list")]
    disputes: Vec<Value>,
    #[serde(default, deserialize_with = "lenient::object")]
    failure: Option<WireFailure>,
    #[serde(default, deserialize_with = "lenient::text")]
    status_changed_at: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    updated_at: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    paid_at: Option<String>,
}

/// What a payment must have to be decided about.
const NEEDED: [Needed; 4] = [
    ("status", Value::is_string),
    ("id", Value::is_string),
    ("amount.total", Value::is_i64),
    ("currency", Value::is_string),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    total: i64,
    #[serde(default)]
    tax_free: i64,
    #[serde(default)]
    discount: i64,
    #[serde(default)]
    cancelled: i64,
    #[serde(default)]
    cancelled_tax_free: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireChannel {
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    #[serde(rename = "type", default, deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    provider: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    bank: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    account_number: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    remittee_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    expired_at: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    refund_status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFailure {
    #[serde(default, deserialize_with = "lenient::text")]
    reason: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_message: Option<String>,
}

/// A dispute in a payment's list (schema: `PaymentDispute`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDispute {
    #[serde(default, deserialize_with = "lenient::text")]
    status: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pg_dispute_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    resolved_at: Option<String>,
}

impl From<WireDispute> for Dispute {
    fn from(dispute: WireDispute) -> Self {
        Self {
            pg_id: dispute.pg_dispute_id,
            opened_at: dispute.created_at.as_deref().and_then(moment).unwrap_or(Timestamp::from_millis(0)),
            open: dispute.status.as_deref() != Some("RESOLVED"),
            resolved_at: dispute.resolved_at.as_deref().and_then(moment),
        }
    }
}

/// A cancellation, in a payment's list or as the answer of the cancel API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    pub status: String,
    #[serde(default, deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(default)]
    total_amount: i64,
    #[serde(default)]
    tax_free_amount: i64,
    #[serde(default, deserialize_with = "lenient::text")]
    trigger: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    requested_at: Option<String>,
}

impl Cancellation {
    /// PortOne's id of it, if it said one.
    pub fn id(self) -> Option<String> {
        self.id.filter(|id| !id.is_empty())
    }

    /// A cancellation of a payment's list. A failed one moved no money, so that nothing about it has to be right.
    fn observed(item: Value) -> Result<Option<ObservedCancellation>, Unusable> {
        const UNUSABLE: Unusable = Unusable("cancellations");
        let failed = item.get("status").and_then(Value::as_str) == Some("FAILED");
        let amount = |minor: i64| u64::try_from(minor).map_err(|_| UNUSABLE);
        let read = || {
            let read: Self = serde_json::from_value(item).map_err(|_| UNUSABLE)?;
            let status = match read.status.as_str() {
                "SUCCEEDED" => ObservedCancellationStatus::Succeeded,
                "REQUESTED" => ObservedCancellationStatus::Requested,
                "FAILED" => ObservedCancellationStatus::Failed,
                _ => ObservedCancellationStatus::Unrecognized,
            };
            Ok(ObservedCancellation {
                status,
                amount: amount(read.total_amount)?,
                tax_free: amount(read.tax_free_amount)?,
                by_api: read.trigger.as_deref().is_none_or(|trigger| trigger == "API"),
                chargeback: read.trigger.as_deref() == Some("CHARGEBACK"),
                requested_at: read.requested_at.as_deref().and_then(moment),
                id: read.id.unwrap_or_default(),
            })
        };
        match read() {
            Ok(observed) => Ok(Some(observed)),
            Err(_) if failed => Ok(None),
            Err(unusable) => Err(unusable),
        }
    }
}

/// The answer of the cancel API.
#[derive(Deserialize)]
pub struct Cancelled {
    pub cancellation: Cancellation,
}

/// The answer of the API that closes a virtual account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedAccount {
    #[expect(dead_code, reason = "that it is there is what counts")]
    closed_at: String,
}

/// An error body. `type` is the only member PortOne promises.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub pg_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub pg_message: Option<String>,
}

/// Body of `pre-register`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreRegister<'a> {
    pub store_id: &'a str,
    pub total_amount: u64,
    pub tax_free_amount: u64,
    pub currency: &'a str,
}

/// Body of `cancel`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancel<'a> {
    /// Left out: all that is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// Left out: nothing of it, the whole `amount` is taxable.
    pub tax_free_amount: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_cancellable_amount: Option<u64>,
    pub reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion_discount_retain_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refund_account: Option<RefundTo<'a>>,
    pub store_id: &'a str,
}

/// Where the money of a virtual account goes back to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefundTo<'a> {
    pub bank: &'a str,
    pub number: &'a str,
    pub holder_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder_phone_number: Option<&'a str>,
}

/// Body of `confirm`. Everything but the token is an assertion that PortOne checks.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirm<'a> {
    pub store_id: &'a str,
    pub payment_token: &'a str,
    pub currency: &'a str,
    pub total_amount: u64,
    pub tax_free_amount: u64,
    pub is_test: bool,
}

/// A page of `GET /payments`. One payment that cannot be read must not hide the others.
#[derive(Deserialize)]
pub struct Payments {
    pub items: Vec<Value>,
}

/// Body of `GET /payments`, as text: payments of this store and of this kind of channel only. A deployment next to this
/// one answers for the others (schema: `PaymentFilterInput.storeId`, `.isTest`).
pub fn list_request(
    (store_id, is_test): (&str, bool),
    from: Timestamp,
    until: Timestamp,
    number: u32,
    size: u32,
) -> String {
    serde_json::json!({
        "page": { "number": number, "size": size },
        "filter": {
            "storeId": store_id, "isTest": is_test,
            "timestampType": "STATUS_CHANGED_AT", "from": rfc3339(from), "until": rfc3339(until),
            "sortBy": "STATUS_CHANGED_AT", "sortOrder": "ASC",
        },
    })
    .to_string()
}

/// Body of `GET /payments` that looks for a text in one field, as text. How several searches of one request
/// combine is not stated, so there is one.
pub fn search_request(
    store_id: &str,
    (field, value): (&str, &str),
    (from, until): (Timestamp, Timestamp),
    size: u32,
) -> String {
    serde_json::json!({
        "page": { "number": 0, "size": size },
        "filter": {
            "storeId": store_id,
            "from": rfc3339(from), "until": rfc3339(until), "sortBy": "STATUS_CHANGED_AT", "sortOrder": "DESC",
            "textSearch": [{ "field": field, "value": value }],
        },
    })
    .to_string()
}

impl Payment {
    /// Reads a body. `None` if it is no JSON, or no record of a payment: whatever answered was not PortOne.
    pub fn read(body: &[u8]) -> Option<Result<Observation, Unusable>> {
        // The common case first: it needs no copy of the record.
        if let Ok(payment) = serde_json::from_slice::<Self>(body) {
            return Some(payment.into_observation());
        }
        let record = lenient::parse::<Value>(body)?;
        record.get("id").is_some_and(Value::is_string).then(|| Self::read_item(record))
    }

    /// Reads one item of a list.
    pub fn read_item(item: Value) -> Result<Observation, Unusable> {
        if let Some(unusable) = lenient::unusable_field(&item, &NEEDED) {
            return Err(unusable);
        }
        serde_json::from_value::<Self>(item).map_err(|_| Unusable("amount"))?.into_observation()
    }

    fn into_observation(self) -> Result<Observation, Unusable> {
        let amount = |minor: i64| u64::try_from(minor).map_err(|_| Unusable("amount"));
        let changed_at = [&self.status_changed_at, &self.updated_at];
        let transaction_id = self.transaction_id.unwrap_or_default();
        let cancellations = self.cancellations.into_iter().map(Cancellation::observed);
        let cancellations: Vec<_> = cancellations.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        let disputes =
            self.disputes.into_iter().filter_map(|item| serde_json::from_value::<WireDispute>(item).ok());
        let deposit_refund = self.method.as_ref().and_then(Method::deposit_refund);
        // A pending cancellation has its share reserved already.
        let alive = cancellations.iter().filter(|c| c.status != ObservedCancellationStatus::Failed);
        let listed = alive.map(|c| c.tax_free).fold(0, u64::saturating_add);
        let pg = self.channel.as_ref().and_then(|channel| channel.pg_provider.as_deref());
        let paid_by = match &self.method {
            // PayPal is a PG of its own, whose payments are easy pay or a card to PortOne.
            _ if pg.is_some_and(|pg| pg.starts_with("PAYPAL")) => PaidBy::Paypal,
            Some(method) => method.paid_by(),
            None => PaidBy::Other,
        };
        let tax_free_gone = amount(self.amount.cancelled_tax_free)?.max(listed);
        Ok(Observation {
            // A V1 payment read through V2 has its `imp_uid` as the transaction (API2, `Payment.version`).
            generation: if self.version.as_deref() == Some("V1") { Generation::V1 } else { Generation::V2 },
            payment_id: self.id,
            virtual_account: self.method.and_then(|method| method.into_virtual_account(&transaction_id)),
            transaction_id,
            status: status(&self.status),
            changed_at: changed_at
                .into_iter()
                .flatten()
                .find_map(|at| moment(at))
                .unwrap_or(Timestamp::from_millis(0)),
            total: amount(self.amount.total)?,
            tax_free_left: Some(amount(self.amount.tax_free)?.saturating_sub(tax_free_gone)),
            discounted: self.amount.discount > 0,
            // Some of PortOne's own samples spell the legacy `CURRENCY_KRW`.
            currency: self.currency.strip_prefix("CURRENCY_").unwrap_or(&self.currency).parse().ok(),
            store_id: self.store_id,
            channel: match self.channel.as_ref().and_then(|channel| channel.kind.as_deref()) {
                Some("LIVE") => Channel::Live,
                Some("TEST") => Channel::Test,
                _ => Channel::Unrecognized,
            },
            cancelled: amount(self.amount.cancelled)?,
            cancellations,
            disputes: disputes.map(Dispute::from).collect(),
            deposit_refund,
            paid_at: self.paid_at.as_deref().and_then(moment),
            paid_by,
            pg: self.channel.and_then(|channel| channel.pg_provider),
            failure: self.failure.map(|failure| Failure {
                code: failure.pg_code,
                message: failure.pg_message.or(failure.reason),
            }),
        })
    }
}

impl Method {
    fn paid_by(&self) -> PaidBy {
        let provider = self.provider.as_deref().unwrap_or_default();
        match self.kind.as_deref().unwrap_or_default() {
            "PaymentMethodCard" => PaidBy::Card,
            "PaymentMethodTransfer" => PaidBy::Transfer,
            "PaymentMethodVirtualAccount" => PaidBy::VirtualAccount,
            "PaymentMethodMobile" => PaidBy::Mobile,
            "PaymentMethodGiftCertificate" => PaidBy::GiftCertificate,
            "PaymentMethodConvenienceStore" => PaidBy::ConvenienceStore,
            "PaymentMethodEasyPay" if provider == "NAVERPAY" => PaidBy::NaverPay,
            "PaymentMethodEasyPay" if provider == "KAKAOPAY" => PaidBy::KakaoPay,
            _ => PaidBy::Other,
        }
    }

    /// A value that this build does not know is no news.
    fn deposit_refund(&self) -> Option<DepositRefund> {
        DepositRefund::from_word(self.refund_status.as_deref()?)
    }

    fn into_virtual_account(self, transaction_id: &str) -> Option<VirtualAccount> {
        Some(VirtualAccount {
            bank: self.bank,
            number: self.account_number?,
            holder: self.remittee_name,
            expires_at: self.expired_at.as_deref().and_then(moment),
            transaction_id: transaction_id.to_owned(),
        })
    }
}

fn status(wire: &str) -> PaymentStatus {
    match wire {
        "READY" => PaymentStatus::Ready,
        // The payment union says PAY_PENDING, the filter enum PENDING: one state, two spellings.
        "PAY_PENDING" | "PENDING" => PaymentStatus::PayPending,
        "VIRTUAL_ACCOUNT_ISSUED" => PaymentStatus::VirtualAccountIssued,
        "PAID" => PaymentStatus::Paid,
        "PARTIAL_CANCELLED" => PaymentStatus::PartialCancelled,
        "CANCELLED" => PaymentStatus::Cancelled,
        "FAILED" => PaymentStatus::Failed,
        _ => PaymentStatus::Unrecognized,
    }
}

fn rfc3339(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_millis()) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// RFC 3339, with `Z` or an offset, with or without fractions; anything else is no time.
fn moment(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(Timestamp::from_millis(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use order::Currency;

    fn observe(json: &str) -> Observation {
        Payment::read(json.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn a_paid_payment_is_read_whole() {
        let seen = observe(
            r#"{"status":"PAID","id":"p","transactionId":"t","merchantId":"m","storeId":"store-a","version":"V2",
                "channel":{"type":"LIVE","pgProvider":"NEW_PG"},"amount":{"total":1000,"taxFree":250,"paid":900,"cancelled":300,"cancelledTaxFree":50,"discount":100},
                "currency":"KRW","statusChangedAt":"2026-01-01T09:00:05.5+09:00","paidAt":"2026-01-01T00:00:05Z",
                "cancellations":[{"status":"SUCCEEDED","id":"c","totalAmount":300,"trigger":"CONSOLE","requestedAt":"2026-01-01T00:00:05Z"}],
                "somethingNew":{"deep":[1]}}"#,
        );
        assert_eq!(
            (seen.status, seen.total, seen.currency),
            (PaymentStatus::Paid, 1000, Some(Currency::KRW))
        );
        assert_eq!(seen.channel, Channel::Live);
        assert_eq!(seen.changed_at, Timestamp::from_millis(1_767_225_605_500));
        assert_eq!((seen.cancelled, seen.cancellations.len(), seen.cancellations[0].by_api), (300, 1, false));
        assert_eq!((seen.discounted, seen.tax_free_left), (true, Some(200)));
    }

    #[test]
    fn missing_optional_members_and_unknown_values_are_tolerated() {
        let seen = observe(
            r#"{"status":"EXPIRING","id":"p","amount":{"total":1},"currency":"BITCOIN","channel":{"type":"MIRROR"}}"#,
        );
        assert_eq!(seen.status, PaymentStatus::Unrecognized);
        assert_eq!((seen.currency, seen.channel), (None, Channel::Unrecognized));
    }

    /// Public bug reports: a text that was cut by UTF-16 units (`../cases/06`), values of other types, nonsense in a
    /// failed cancellation.
    #[test]
    fn a_text_that_decides_nothing_does_not_make_a_payment_unreadable() {
        let paid = |more: &str| {
            let json = format!(
                r#"{{"status":"PAID","id":"p","transactionId":"t","amount":{{"total":1000}},"currency":"KRW",{more}}}"#
            );
            Payment::read(json.as_bytes()).unwrap().map(|seen| seen.status)
        };
        for more in [
            r#""orderName":"이벤트\ud83d""#,
            r#""failure":{"pgMessage":"잔액 부족\ud83d"}"#,
            r#""failure":"none","method":7,"channel":[],"disputes":{},"statusChangedAt":12"#,
            r#""method":{"type":"PaymentMethodCard","bank":{"code":"88"},"accountNumber":null}"#,
            r#""cancellations":[{"status":"FAILED","totalAmount":"x","requestedAt":false}]"#,
            r#""customer":{"name":"\u0000"}"#,
        ] {
            assert_eq!(paid(more), Ok(PaymentStatus::Paid), "{more}");
        }
        assert_eq!(
            paid(r#""cancellations":[{"status":"SUCCEEDED","totalAmount":"x"}]"#),
            Err(Unusable("cancellations"))
        );
    }

    #[test]
    fn a_payment_that_cannot_be_decided_about_names_the_field() {
        for (json, field) in [
            (r#"{"id":"p","amount":{"total":1},"currency":"KRW"}"#, "status"),
            (r#"{"status":"PAID","id":"p","amount":{"total":"1"},"currency":"KRW"}"#, "amount.total"),
            (r#"{"status":"PAID","id":"p","amount":{"total":1},"currency":410}"#, "currency"),
        ] {
            assert_eq!(Payment::read(json.as_bytes()), Some(Err(Unusable(field))), "{json}");
        }
        for other in ["<html>502</html>", "[]", r#"{"items":[]}"#] {
            assert!(Payment::read(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn both_spellings_of_pay_pending_are_one_state() {
        for wire in ["PAY_PENDING", "PENDING"] {
            assert_eq!(status(wire), PaymentStatus::PayPending);
        }
    }

    #[test]
    fn a_negative_amount_is_not_money() {
        let json = r#"{"status":"PAID","id":"p","amount":{"total":-1},"currency":"KRW"}"#;
        assert_eq!(Payment::read(json.as_bytes()), Some(Err(Unusable("amount"))));
    }
}
