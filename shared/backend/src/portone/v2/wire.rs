//! Bodies exactly as PortOne V2 sends them, and what they mean to the domain.
//!
//! Required here is only what a decision needs; unknown members and values are tolerated, since
//! PortOne adds both without notice (its backward-compatibility page).

use order::{
    Channel, Failure, Generation, Observation, ObservedCancellation, PaidBy, PaymentStatus, Timestamp,
    VirtualAccount, observation::ObservedCancellationStatus,
};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    status: String,
    id: String,
    #[serde(default)]
    transaction_id: String,
    store_id: Option<String>,
    version: Option<String>,
    amount: Amount,
    currency: String,
    channel: Option<WireChannel>,
    method: Option<Method>,
    #[serde(default)]
    cancellations: Vec<Cancellation>,
    failure: Option<WireFailure>,
    status_changed_at: Option<String>,
    updated_at: Option<String>,
    paid_at: Option<String>,
}

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
    #[serde(rename = "type")]
    kind: Option<String>,
    pg_provider: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    #[serde(rename = "type")]
    kind: Option<String>,
    provider: Option<String>,
    bank: Option<String>,
    account_number: Option<String>,
    remittee_name: Option<String>,
    expired_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFailure {
    reason: Option<String>,
    pg_code: Option<String>,
    pg_message: Option<String>,
}

/// A cancellation, in a payment's list or as the answer of the cancel API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    pub status: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    total_amount: i64,
    #[serde(default)]
    tax_free_amount: i64,
    trigger: Option<String>,
    requested_at: Option<String>,
}

impl Cancellation {
    /// PortOne's id of it, if it said one.
    pub fn id(self) -> Option<String> {
        Some(self.id).filter(|id| !id.is_empty())
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
    pub pg_code: Option<String>,
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
    pub refund_account: Option<RefundTo<'a>>,
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
    pub payment_token: &'a str,
    pub currency: &'a str,
    pub total_amount: u64,
    pub tax_free_amount: u64,
    pub is_test: bool,
}

/// A page of `GET /payments`. One payment that cannot be read must not hide the others.
#[derive(Deserialize)]
pub struct Payments {
    pub items: Vec<serde_json::Value>,
}

/// Body of `GET /payments`, as text.
pub fn list_request(from: Timestamp, until: Timestamp, number: u32, size: u32) -> String {
    serde_json::json!({
        "page": { "number": number, "size": size },
        "filter": {
            "timestampType": "STATUS_CHANGED_AT", "from": rfc3339(from), "until": rfc3339(until),
            "sortBy": "STATUS_CHANGED_AT", "sortOrder": "ASC",
        },
    })
    .to_string()
}

/// Body of `GET /payments` that looks for a text in one field, as text. How several searches of one request
/// combine is not stated, so there is one.
pub fn search_request(
    (field, value): (&str, &str),
    (from, until): (Timestamp, Timestamp),
    size: u32,
) -> String {
    serde_json::json!({
        "page": { "number": 0, "size": size },
        "filter": {
            "from": rfc3339(from), "until": rfc3339(until), "sortBy": "STATUS_CHANGED_AT", "sortOrder": "DESC",
            "textSearch": [{ "field": field, "value": value }],
        },
    })
    .to_string()
}

/// A payment that says something impossible, such as a negative amount.
#[derive(Debug, thiserror::Error)]
#[error("PortOne's payment has a negative amount")]
pub struct ImpossiblePayment;

impl Payment {
    pub fn into_observation(self) -> Result<Observation, ImpossiblePayment> {
        let amount = |minor: i64| u64::try_from(minor).map_err(|_| ImpossiblePayment);
        let cancellation = |c: Cancellation| {
            Ok(ObservedCancellation {
                status: match c.status.as_str() {
                    "SUCCEEDED" => ObservedCancellationStatus::Succeeded,
                    "REQUESTED" => ObservedCancellationStatus::Requested,
                    "FAILED" => ObservedCancellationStatus::Failed,
                    _ => ObservedCancellationStatus::Unrecognized,
                },
                amount: amount(c.total_amount)?,
                tax_free: amount(c.tax_free_amount)?,
                by_api: c.trigger.is_none_or(|trigger| trigger == "API"),
                requested_at: c.requested_at.as_deref().and_then(moment),
                id: c.id,
            })
        };
        let changed_at = [&self.status_changed_at, &self.updated_at];
        let cancellations =
            self.cancellations.into_iter().map(cancellation).collect::<Result<Vec<_>, _>>()?;
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
            virtual_account: self.method.and_then(|method| method.into_virtual_account(&self.transaction_id)),
            transaction_id: self.transaction_id,
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
        serde_json::from_str::<Payment>(json).unwrap().into_observation().unwrap()
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

    #[test]
    fn both_spellings_of_pay_pending_are_one_state() {
        for wire in ["PAY_PENDING", "PENDING"] {
            assert_eq!(status(wire), PaymentStatus::PayPending);
        }
    }

    #[test]
    fn a_negative_amount_is_not_money() {
        let json = r#"{"status":"PAID","id":"p","amount":{"total":-1},"currency":"KRW"}"#;
        assert!(serde_json::from_str::<Payment>(json).unwrap().into_observation().is_err());
    }
}
