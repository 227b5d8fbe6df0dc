//! `GET /orders?query=`: the orders that somebody asks about by whatever number they have: the order's id, the
//! PG's id of the payment, PortOne's id of the transaction, V1's `imp_uid`.

use std::{collections::BTreeSet, time::Duration};

use api::office::{FoundOrder, FoundOrders};
use backend::{
    clock::Deadline,
    connection::aws::AWS_CALL_MAX,
    flow::{Sync, SyncError},
    http::{FieldFault, Problem},
    portone::{PortoneError, TextField},
};
use order::{Order, OrderId, Timestamp, text};

/// The longest number that anybody has: PGs' have 80 characters at most.
const QUERY_MAX: usize = 128;
/// Payments of one answer. Whoever finds more has typed too little.
const FOUND_MAX: u32 = 20;
/// PortOne's list reaches back so far by itself.
const RECENT_DAYS: i64 = 90;
/// Shops keep the records of payments for five years.
const KEPT_DAYS: i64 = 5 * 366;
const DAY_MILLIS: i64 = 24 * 3_600_000;
/// A search of PortOne's list may take this long.
const SEARCH_MAX: Duration = Duration::from_secs(10);

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The orders, newest first.
    orders: Vec<Order>,
    /// Payments that PortOne has under this number and that are none of our orders.
    unknown_payments: Vec<String>,
    /// Whether there may be more than one answer holds.
    more: bool,
}

impl Found {
    /// The answer.
    pub fn view(&self) -> FoundOrders<'_> {
        FoundOrders {
            orders: self.orders.iter().map(FoundOrder::from).collect(),
            unknown_payments: self.unknown_payments.clone(),
            more: self.more,
        }
    }
}

/// What somebody asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Query {
    /// An order of this id, or none.
    Order(OrderId),
    /// V1's transaction.
    V1Transaction(String),
    /// A number that only PortOne can know.
    Other(String),
}

impl Query {
    /// Reads what was typed or pasted. An order's id may be typed in small letters.
    pub fn read(text: Option<&str>) -> Result<Self, Problem> {
        let text = text::number(text.unwrap_or_default());
        let text = text.trim();
        let refused = |code, korean: &str, english: &str| {
            let detail = (korean.to_owned(), english.to_owned());
            Err(Problem::fields(vec![FieldFault { pointer: "/query".to_owned(), code, detail }]))
        };
        if text.is_empty() {
            return refused("required", "찾을 번호를 입력해 주세요.", "Say which number to look for.");
        }
        if text.len() > QUERY_MAX || !text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return refused(
                "out-of-range",
                "번호는 ASCII 128자를 넘을 수 없습니다.",
                "A number has at most 128 ASCII characters.",
            );
        }
        let is_digits =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Ok(match (text.to_ascii_uppercase().parse(), text.strip_prefix("imp_")) {
            (Ok(id), _) => Self::Order(id),
            (Err(_), Some(rest)) if is_digits(rest) => Self::V1Transaction(text.to_owned()),
            (Err(_), _) => Self::Other(text.to_owned()),
        })
    }
}

/// Finds the orders. PortOne is asked only where the number is not an order's.
pub async fn find(
    sync: &Sync,
    query: &Query,
    now: Timestamp,
    deadline: Deadline,
) -> Result<Found, SyncError> {
    let payments = match query {
        Query::Order(id) => {
            let order = sync.store.order(*id).await?;
            let orders = order.into_iter().collect();
            return Ok(Found { orders, unknown_payments: Vec::new(), more: false });
        }
        Query::V1Transaction(imp_uid) => {
            let time = deadline.allow(SEARCH_MAX, AWS_CALL_MAX);
            let seen = none_if_unused(sync.portone.v1.payment(imp_uid, time).await)?;
            seen.map(|seen| seen.payment_id).into_iter().collect()
        }
        Query::Other(text) => search(sync, text, now, deadline).await?,
    };
    let ids = payments.iter().filter_map(|id| id.parse().ok()).collect::<Vec<OrderId>>();
    let mut orders = sync.store.orders(&ids).await?;
    orders.sort_by_key(|order| std::cmp::Reverse(order.created_at));
    let ours = orders.iter().map(|order| order.id.as_str()).collect::<BTreeSet<_>>();
    let more = payments.len() >= FOUND_MAX as usize;
    let unknown_payments = payments.iter().filter(|id| !ours.contains(id.as_str())).cloned().collect();
    Ok(Found { orders, unknown_payments, more })
}

/// The payments that PortOne's list has under this text: of the last 90 days, and if there are none, older.
async fn search(
    sync: &Sync,
    text: &str,
    now: Timestamp,
    deadline: Deadline,
) -> Result<BTreeSet<String>, SyncError> {
    let days_ago = |days: i64| Timestamp::from_millis(now.as_millis().saturating_sub(days * DAY_MILLIS));
    let recent = in_span(sync, text, (days_ago(RECENT_DAYS), now), deadline).await?;
    if !recent.is_empty() {
        return Ok(recent);
    }
    match in_span(sync, text, (days_ago(KEPT_DAYS), days_ago(RECENT_DAYS)), deadline).await {
        // How long a span PortOne's list takes is not stated.
        Err(PortoneError::Refused { status: 400, .. }) => Ok(BTreeSet::new()),
        older => Ok(older?),
    }
}

async fn in_span(
    sync: &Sync,
    text: &str,
    span: (Timestamp, Timestamp),
    deadline: Deadline,
) -> Result<BTreeSet<String>, PortoneError> {
    let time = deadline.allow(SEARCH_MAX, AWS_CALL_MAX);
    let by = |field| sync.portone.v2.search(field, text, span, FOUND_MAX, time);
    let (pg, portone) = tokio::join!(by(TextField::PgTransaction), by(TextField::Transaction));
    let found = none_if_unused(pg)?.into_iter().chain(none_if_unused(portone)?);
    Ok(found.collect())
}

/// A generation that this deployment has no credentials of took none of its payments.
fn none_if_unused<T: Default>(answer: Result<T, PortoneError>) -> Result<T, PortoneError> {
    match answer {
        Err(PortoneError::NotConfigured(_)) => Ok(T::default()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use backend::http::ProblemCode;

    #[test]
    fn an_order_id_is_known_however_it_is_typed_and_needs_no_portone() {
        let id = "01JDABCDEFGHJKMNPQRSTVWXYZ";
        let order = || Ok(Query::Order(id.parse().unwrap()));
        let read = |text| Query::read(Some(text)).map_err(|problem| problem.code());
        assert_eq!(read(id), order());
        assert_eq!(read("  01jdabcdefghjkmnpqrstvwxyz\n"), order());
        assert_eq!(read("imp_123456789012"), Ok(Query::V1Transaction("imp_123456789012".to_owned())));
        assert_eq!(read("imp_"), Ok(Query::Other("imp_".to_owned())));
        assert_eq!(read("imp_../x"), Ok(Query::Other("imp_../x".to_owned())));
        assert_eq!(read("StdpayCARD 1"), Ok(Query::Other("StdpayCARD 1".to_owned())));
    }

    #[test]
    fn a_pasted_number_is_the_number_that_its_reader_sees() {
        let id = "01JDABCDEFGHJKMNPQRSTVWXYZ";
        let order = || Ok(Query::Order(id.parse().unwrap()));
        let read = |text: &str| Query::read(Some(text)).map_err(|problem| problem.code());
        assert_eq!(read(&format!("\u{202A}{id}\u{202C}\u{A0}")), order());
        assert_eq!(read("０１ＪＤＡＢＣＤＥＦＧＨＪＫＭＮＰＱＲＳＴＶＷＸＹＺ"), order());
        assert_eq!(read("\u{FEFF}imp_１２３"), Ok(Query::V1Transaction("imp_123".to_owned())));
        assert_eq!(read("Stdpay\u{2013}CARD\u{3000}1"), Ok(Query::Other("Stdpay-CARD 1".to_owned())));
        assert_eq!(read("\u{200B}"), Err(ProblemCode::ValidationFailed));
    }

    #[test]
    fn nothing_too_much_and_what_no_number_has_is_refused() {
        let long = "1".repeat(129);
        for wrong in [None, Some(""), Some("  "), Some(&*long), Some("홍길동"), Some("a\0b")] {
            assert!(Query::read(wrong).is_err(), "{wrong:?}");
        }
        assert!(Query::read(Some(&long[..128])).is_ok());
    }
}
