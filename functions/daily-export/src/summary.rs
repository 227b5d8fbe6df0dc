//! What the statement and the audit come to, for machines. Amounts are integers in minor units.

use api::scalar::Moment;
use order::{
    Timestamp,
    books::Sums,
    day::Day,
    statement::{PostingKind, Total},
};
use ring::digest;
use serde_json::{Value, json};

use crate::Walk;

/// Where the statement of a day is kept.
#[derive(Debug)]
pub struct Names {
    /// The sheet.
    pub csv: String,
    /// Its summary.
    pub json: String,
}

impl Names {
    /// `statements/2026/11/2026-11-23.csv` and `.json`.
    pub fn of(day: Day) -> Self {
        let stem = format!("statements/{}", by_month(day));
        Self { csv: format!("{stem}.csv"), json: format!("{stem}.json") }
    }
}

/// Where the audit made at `now` is kept: an audit is of its moment, not of the statement's day.
pub fn audit_name(now: Timestamp) -> String {
    format!("audits/{}.json", by_month(Day::of(now)))
}

fn by_month(day: Day) -> String {
    let day = day.to_string();
    format!("{}/{}/{day}", &day[..4], &day[5..7])
}

/// The day's totals, and a checksum of the sheet they are of.
pub fn statement(walk: &Walk, is_final: bool, name: &str, sheet: &[u8]) -> Value {
    let totals = walk.statement.totals().into_iter().map(|(currency, kinds)| {
        let total = |kind| kinds.get(&kind).copied().unwrap_or_default();
        let mut net = Total::default();
        for part in kinds.values() {
            net.count += part.count;
            net.split += part.split;
        }
        json!({
            "currency": currency.code(),
            "payments": amounts(total(PostingKind::Payment)),
            "cancellations": amounts(total(PostingKind::Cancellation)),
            "returns": amounts(total(PostingKind::Return)),
            "net": amounts(net),
        })
    });
    let hash = digest::digest(&digest::SHA256, sheet);
    json!({
        "day": walk.statement.day().to_string(),
        "timeZone": "Asia/Seoul",
        "final": is_final,
        "rows": walk.statement.rows().len(),
        "unreadableOrders": walk.unreadable,
        "totals": totals.collect::<Vec<_>>(),
        "csv": { "key": name, "bytes": sheet.len(), "sha256": hex::encode(hash) },
    })
}

/// Whether the books balance, order by order and in sum.
pub fn audit(walk: &Walk, now: Timestamp) -> Value {
    let currencies = walk.books.sums.iter().map(|(currency, sums)| {
        let Sums { ordered, received, returned, rejected, rejected_returned, posted } = *sums;
        json!({
            "currency": currency.code(),
            "ordered": number(ordered),
            "received": number(received),
            "returned": number(returned),
            "rejected": number(rejected),
            "rejectedReturned": number(rejected_returned),
            "owed": number(sums.owed()),
            "posted": number(posted),
            "balances": sums.balance(),
        })
    });
    let sound = walk.unreadable == 0 && walk.unbalanced == 0 && walk.books.balance();
    json!({
        "at": Moment(now).text(),
        "balances": sound,
        "orders": walk.books.orders,
        "unreadableOrders": walk.unreadable,
        "unbalancedOrders": walk.unbalanced,
        "currencies": currencies.collect::<Vec<_>>(),
        "findings": walk.findings.iter().map(|finding| finding.subject.as_str()).collect::<Vec<_>>(),
    })
}

/// A summary as a file.
pub fn file(summary: &Value) -> Vec<u8> {
    format!("{summary:#}\n").into_bytes()
}

fn amounts(total: Total) -> Value {
    let split = total.split;
    json!({
        "count": total.count,
        "amount": number(split.amount()),
        "supply": number(split.supply),
        "vat": number(split.vat),
        "taxFree": number(split.tax_free),
    })
}

/// A number, or its digits as text where JSON's readers would lose some.
fn number(sum: i128) -> Value {
    i64::try_from(sum).map_or_else(|_| sum.to_string().into(), Value::from)
}
