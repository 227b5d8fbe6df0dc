//! What each day came to, one small item a day, as the daily statement counted it: who looks at a month must
//! not walk over every order.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use order::{Currency, Timestamp, day::Day};

use super::{Store, StoreError, held, item};

/// The days of one answer at most: a quarter. Their items are far below the size at which DynamoDB would
/// end a page.
pub const DAYS_MAX: u16 = 92;

/// How often money moved, and how much of it, in minor units; negative where it went back.
///
/// Sums are 128 bits wide, as the statement's are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// How often.
    pub count: u64,
    /// How much.
    pub amount: i128,
}

/// What moved in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DaySums {
    /// What came.
    pub payments: Moved,
    /// What went back to the buyers of orders that had it rightly.
    pub cancellations: Moved,
    /// What went back because it was not its order's.
    pub returns: Moved,
}

/// What a day came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayTotals {
    /// The day.
    pub day: Day,
    /// When it was counted. Older counts never replace newer ones.
    pub counted_at: Timestamp,
    /// Whether the day's books were closed by then.
    pub is_final: bool,
    /// Orders that could not be read, and so are in no sum.
    pub unreadable: u64,
    /// The sums, by currency.
    pub sums: BTreeMap<Currency, DaySums>,
}

impl Store {
    /// Access pattern 19: keeps what a day came to, unless a newer count of it is kept. Repeating it changes
    /// nothing.
    pub async fn keep_day(&self, totals: &DayTotals) -> Result<(), StoreError> {
        let sums = totals.sums.iter().map(|(currency, sums)| (currency.code().to_owned(), to_sums(sums)));
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::day_key(totals.day)))
            .condition_expression("attribute_not_exists(PK) OR countedAt < :countedAt")
            .update_expression(
                "SET countedAt = :countedAt, isFinal = :isFinal, unreadable = :unreadable, sums = :sums",
            )
            .expression_attribute_values(":countedAt", item::number(totals.counted_at.as_millis()))
            .expression_attribute_values(":isFinal", AttributeValue::Bool(totals.is_final))
            .expression_attribute_values(":unreadable", item::number(totals.unreadable))
            .expression_attribute_values(":sums", AttributeValue::M(sums.collect()))
            .send()
            .await;
        held(sent).map(|_| ())
    }

    /// Access pattern 20: what the days from `from` to `to` came to, oldest first, at most [`DAYS_MAX`] of
    /// them. A day that was not counted is left out, and so is one whose item is broken.
    pub async fn days(&self, from: Day, to: Day) -> Result<Vec<DayTotals>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .limit(i32::from(DAYS_MAX))
            .key_condition_expression("PK = :days AND SK BETWEEN :from AND :to")
            .expression_attribute_values(":days", item::text(item::DAYS))
            .expression_attribute_values(":from", item::text(from.to_string()))
            .expression_attribute_values(":to", item::text(to.to_string()))
            .send()
            .await
            .map_err(StoreError::of("Query"))?;
        Ok(answer.items().iter().filter_map(as_day).collect())
    }
}

fn to_sums(sums: &DaySums) -> AttributeValue {
    let moved = |Moved { count, amount }: Moved| {
        AttributeValue::M(
            [("count", item::number(count)), ("amount", item::number(amount))]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        )
    };
    let DaySums { payments, cancellations, returns } = *sums;
    let members = [("payments", payments), ("cancellations", cancellations), ("returns", returns)];
    AttributeValue::M(members.map(|(name, value)| (name.to_owned(), moved(value))).into())
}

fn as_day(found: &item::Item) -> Option<DayTotals> {
    let sums = found.get("sums")?.as_m().ok()?.iter();
    let sums = sums.map(|(code, sums)| Some((code.parse().ok()?, as_sums(sums)?)));
    Some(DayTotals {
        day: found.get("SK")?.as_s().ok()?.parse().ok()?,
        counted_at: Timestamp::from_millis(as_number(found, "countedAt")?),
        is_final: *found.get("isFinal")?.as_bool().ok()?,
        unreadable: as_number(found, "unreadable")?,
        sums: sums.collect::<Option<_>>()?,
    })
}

fn as_sums(value: &AttributeValue) -> Option<DaySums> {
    let sums = value.as_m().ok()?;
    let moved = |name: &str| {
        let moved = sums.get(name)?.as_m().ok()?;
        Some(Moved { count: as_number(moved, "count")?, amount: as_number(moved, "amount")? })
    };
    Some(DaySums {
        payments: moved("payments")?,
        cancellations: moved("cancellations")?,
        returns: moved("returns")?,
    })
}

fn as_number<T: std::str::FromStr>(item: &HashMap<String, AttributeValue>, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}
