//! The filter of `GET /payments`. Times are PortOne's stamps; the window defaults to the last 90 days.

use serde::Deserialize;

use crate::{
    clock::Timestamp,
    config::ChannelKind,
    payment::{Payment, Platform, Status, Transaction, Version},
};

pub(super) const WINDOW_MILLIS: i64 = 90 * 24 * 3_600_000;

/// `PaymentFilterInput`, without the members no payment of this simulator can differ in.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Filter {
    merchant_id: Option<String>,
    pub store_id: Option<String>,
    timestamp_type: Option<TimestampType>,
    from: Option<Moment>,
    until: Option<Moment>,
    status: Option<Vec<FilterStatus>>,
    methods: Option<Vec<String>>,
    pg_provider: Option<Vec<String>>,
    is_test: Option<bool>,
    is_scheduled: Option<bool>,
    is_escrow: Option<bool>,
    sort_by: Option<SortBy>,
    sort_order: Option<SortOrder>,
    version: Option<Version>,
    platform_type: Option<PlatformType>,
    currency: Option<String>,
    text_search: Option<Vec<TextSearch>>,
}

/// A moment in RFC 3339.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Moment(pub Timestamp);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Timestamp::parse(&text).map(Self).ok_or_else(|| format!("not an RFC 3339 date-time: {text}"))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TimestampType {
    CreatedAt,
    StatusChangedAt,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SortBy {
    RequestedAt,
    StatusChangedAt,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum SortOrder {
    Desc,
    Asc,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PlatformType {
    SdkMobile,
    SdkPc,
    Api,
}

/// The filter's own spelling: what a payment calls PAY_PENDING is PENDING here.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FilterStatus {
    Ready,
    Pending,
    VirtualAccountIssued,
    Paid,
    Failed,
    PartialCancelled,
    Cancelled,
}

impl FilterStatus {
    fn names(self, status: Status) -> bool {
        match self {
            Self::Ready => status == Status::Ready,
            Self::Pending => status == Status::PayPending,
            Self::VirtualAccountIssued => status == Status::VirtualAccountIssued,
            Self::Paid => status == Status::Paid,
            Self::Failed => status == Status::Failed,
            Self::PartialCancelled => status == Status::PartialCancelled,
            Self::Cancelled => status == Status::Cancelled,
        }
    }
}

#[derive(Debug, Deserialize)]
struct TextSearch {
    field: String,
    value: String,
}

impl Filter {
    /// Whether the payment passes; `now` is where an open window ends. Its store is the caller's matter.
    ///
    /// A `loose` filter lets V1's payments pass what is not about time, version, status or currency: "some fields
    /// may not apply to V1 payments" (`GetPaymentsBody.filter` of the V2 schema).
    pub fn passes(&self, payment: &Payment, now: Timestamp, loose: bool) -> bool {
        let tx = payment.decisive();
        let until = self.until.map_or(now, |moment| moment.0);
        let from = self.from.map_or(until.plus_millis(-WINDOW_MILLIS), |moment| moment.0);
        let at = match self.timestamp_type.unwrap_or(TimestampType::StatusChangedAt) {
            TimestampType::CreatedAt => payment.created_at,
            TimestampType::StatusChangedAt => tx.status_changed_at,
        };
        (from..=until).contains(&at)
            && is(self.merchant_id.as_ref(), &payment.merchant_id)
            && is(self.currency.as_ref(), &tx.currency)
            && is(self.version.as_ref(), &payment.version)
            && self.status.as_ref().is_none_or(|wanted| wanted.iter().any(|it| it.names(tx.status)))
            && ((loose && payment.version == Version::V1) || self.passes_rest(payment, tx))
    }

    fn passes_rest(&self, payment: &Payment, tx: &Transaction) -> bool {
        is(self.is_test.as_ref(), &(tx.channel.kind == ChannelKind::Test))
            && is(self.is_scheduled.as_ref(), &false)
            && is(self.is_escrow.as_ref(), &false)
            && is(self.platform_type.as_ref(), &platform_type(tx.platform))
            && among(self.pg_provider.as_ref(), Some(tx.channel.pg_provider.as_str()))
            && among(self.methods.as_ref(), tx.method.as_ref().map(crate::payment::Method::kind))
            && self.text_search.iter().flatten().all(|search| found(search, payment, tx))
    }

    /// Newest request first unless asked otherwise.
    pub fn sort(&self, payments: &mut [&Payment]) {
        let key = |payment: &&Payment| {
            let tx = payment.decisive();
            match self.sort_by.unwrap_or(SortBy::RequestedAt) {
                SortBy::RequestedAt => (tx.requested_at, payment.id.clone()),
                SortBy::StatusChangedAt => (tx.status_changed_at, payment.id.clone()),
            }
        };
        payments.sort_by_cached_key(key);
        if self.sort_order != Some(SortOrder::Asc) {
            payments.reverse();
        }
    }
}

fn is<T: PartialEq>(wanted: Option<&T>, given: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == given)
}

fn among(wanted: Option<&Vec<String>>, given: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| given.is_some_and(|given| wanted.iter().any(|it| it == given)))
}

fn platform_type(platform: Platform) -> PlatformType {
    match platform {
        Platform::Pc => PlatformType::SdkPc,
        Platform::Mobile => PlatformType::SdkMobile,
        Platform::Api => PlatformType::Api,
    }
}

fn found(search: &TextSearch, payment: &Payment, tx: &Transaction) -> bool {
    let fields = [
        ("PAYMENT_ID", Some(payment.id.as_str())),
        ("TX_ID", Some(tx.id.as_str())),
        ("ORDER_NAME", Some(tx.order_name.as_str())),
        ("PG_TX_ID", tx.pg_tx_id.as_deref()),
        ("PG_MERCHANT_ID", Some(tx.channel.pg_merchant_id.as_str())),
        ("FAIL_REASON", tx.failure.as_ref().map(|failure| failure.reason.as_str())),
        ("CUSTOMER_NAME", tx.customer.name.as_deref()),
        ("CUSTOMER_EMAIL", tx.customer.email.as_deref()),
        ("CUSTOMER_PHONE_NUMBER", tx.customer.phone_number.as_deref()),
    ];
    let looked_at = |name: &str| search.field == "ALL" || search.field == name;
    fields.iter().any(|(name, text)| looked_at(name) && text.is_some_and(|text| text.contains(&search.value)))
}
