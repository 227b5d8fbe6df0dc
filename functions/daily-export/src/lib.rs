//! The statement of a Korean day, as CSV for finance, and an audit of the whole table with it.
//!
//! Both come of one walk over every order. The statement of a day that is over is the same bytes whenever
//! it is made; the audit is how the books stand now.

use std::time::Duration;

use backend::{
    backends::StartError,
    config,
    connection::{Connection, aws::Aws},
    store::{DaySums, DayTotals, Finding, Moved, Store, StoreError},
};
use order::{
    FindingKind, Order, Timestamp,
    audit::imbalances,
    books::Books,
    day::{Day, NotADay},
    statement::{PostingKind, Statement},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bucket::{Bucket, PutError};

pub mod bucket;
pub mod sheet;
pub mod summary;

/// The walk over the table may take this long: well below the 15 minutes a function has.
const WALK_MAX: Duration = Duration::from_secs(12 * 60);
/// A write may land this long after the moment it is dated by; the statement is final after it.
const LANDING_MINUTES: u32 = 5;
/// Findings of one run. When more is broken than that, nobody needs the rest to see it.
const FINDINGS_MAX: usize = 1000;

/// What the function is called with.
#[derive(Debug, Default, Deserialize)]
pub struct Invocation {
    /// The day, such as `2026-11-23`; yesterday in Korea if nothing.
    pub day: Option<String>,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The day that was asked for is none.
    #[error(transparent)]
    Day(#[from] NotADay),
    /// It is still to come.
    #[error("{0} has not begun in Korea")]
    Future(Day),
    /// The table.
    #[error("the table")]
    Store(#[from] StoreError),
    /// The walk was not over in time.
    #[error("the table was not read within {} minutes", WALK_MAX.as_secs() / 60)]
    TooLong,
    /// The bucket.
    #[error("the bucket")]
    Put(#[from] PutError),
}

/// What the function needs.
#[derive(Debug)]
pub struct App {
    store: Store,
    bucket: Bucket,
}

/// What one walk over the table came to.
#[derive(Debug)]
pub struct Walk {
    /// What moved on the day.
    pub statement: Statement,
    /// The sums of everything.
    pub books: Books,
    /// How many orders cannot be read.
    pub unreadable: u64,
    /// How many orders do not balance.
    pub unbalanced: u64,
    /// What a person has to look at, the first thousand of it.
    pub findings: Vec<Finding>,
}

impl Walk {
    /// Before the first order.
    pub fn new(day: Day) -> Self {
        let statement = Statement::new(day);
        Self { statement, books: Books::default(), unreadable: 0, unbalanced: 0, findings: Vec::new() }
    }

    /// Takes one order in, or that it cannot be read. An order that does not balance is on the statement
    /// all the same: its money moved.
    pub fn take(&mut self, found: Result<Order, StoreError>, now: Timestamp) -> Result<(), StoreError> {
        match found {
            Ok(order) => {
                self.statement.add(&order);
                self.books.add(&order);
                let faults = imbalances(&order);
                if !faults.is_empty() {
                    self.unbalanced += 1;
                    self.find(order.id.as_str(), "imbalances", &format!("{faults:?}"), order.updated_at);
                }
                Ok(())
            }
            Err(StoreError::Broken { key, attribute }) => {
                self.unreadable += 1;
                self.find(key.trim_start_matches("ORDER#"), "unreadable", attribute, now);
                Ok(())
            }
            Err(error @ (StoreError::Unavailable { .. } | StoreError::Rejected { .. })) => Err(error),
        }
    }

    fn find(&mut self, subject: &str, fact: &str, value: &str, changed_at: Timestamp) {
        tracing::error!(event = "audit.broken", subject, fact, value);
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                kind: FindingKind::BrokenOrder,
                subject: subject.to_owned(),
                facts: vec![(fact.to_owned(), value.to_owned())],
                changed_at,
            });
        }
    }
}

impl App {
    /// Wires the function from its environment.
    pub fn start() -> Result<Self, StartError> {
        let aws = Aws::new(&Connection::new(), config::aws()?);
        let store = Store::new(&aws, config::table_name()?);
        let bucket = Bucket::new(&aws, config::export_bucket()?);
        Ok(Self { store, bucket })
    }

    /// Makes the statement of a day and the audit, and answers both summaries.
    ///
    /// Nothing is written before everything was read, and what is written takes the place of what another
    /// run wrote: safe to repeat, to run twice at once and to be stopped anywhere.
    pub async fn export(&self, call: &Invocation, now: Timestamp) -> Result<Value, ExportError> {
        let day = day_of(call, now)?;
        let walk = tokio::time::timeout(WALK_MAX, self.walk(day, now));
        let walk = walk.await.map_err(|_| ExportError::TooLong)??;
        for finding in &walk.findings {
            self.store.record_finding(finding, now).await?;
        }

        let names = summary::Names::of(day);
        let sheet = sheet::csv(&walk.statement);
        let is_final = now >= day.closes_at().plus_minutes(LANDING_MINUTES);
        let statement = summary::statement(&walk, is_final, &names.csv, &sheet);
        let audit = summary::audit(&walk, now);
        self.bucket.put(&names.csv, "text/csv; charset=utf-8", sheet).await?;
        self.bucket.put(&names.json, "application/json", summary::file(&statement)).await?;
        self.bucket.put(&summary::audit_name(now), "application/json", summary::file(&audit)).await?;
        self.store.keep_day(&totals(&walk, is_final, now)).await?;
        tracing::info!(
            event = "export.made",
            day = %day,
            rows = walk.statement.rows().len(),
            orders = walk.books.orders,
            unreadable = walk.unreadable,
            unbalanced = walk.unbalanced,
        );
        Ok(json!({ "statement": statement, "audit": audit }))
    }

    async fn walk(&self, day: Day, now: Timestamp) -> Result<Walk, StoreError> {
        let mut walk = Walk::new(day);
        let mut scan = self.store.scan_orders();
        while let Some(orders) = scan.next().await? {
            orders.into_iter().try_for_each(|found| walk.take(found, now))?;
        }
        Ok(walk)
    }
}

/// What the day came to, for who looks at many days.
fn totals(walk: &Walk, is_final: bool, now: Timestamp) -> DayTotals {
    let sums = walk.statement.totals().into_iter().map(|(currency, kinds)| {
        let moved = |kind| {
            let total = kinds.get(&kind).copied().unwrap_or_default();
            Moved { count: total.count, amount: total.split.amount() }
        };
        let sums = DaySums {
            payments: moved(PostingKind::Payment),
            cancellations: moved(PostingKind::Cancellation),
            returns: moved(PostingKind::Return),
        };
        (currency, sums)
    });
    DayTotals {
        day: walk.statement.day(),
        counted_at: now,
        is_final,
        unreadable: walk.unreadable,
        sums: sums.collect(),
    }
}

/// The day that is asked for, or yesterday.
fn day_of(call: &Invocation, now: Timestamp) -> Result<Day, ExportError> {
    let today = Day::of(now);
    let day = call.day.as_deref().map_or_else(|| Ok(today.before()), str::parse)?;
    if day > today { Err(ExportError::Future(day)) } else { Ok(day) }
}

#[cfg(test)]
mod tests;
