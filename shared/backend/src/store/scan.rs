//! Every order of the table, for who has to see them all.

use std::mem;

use aws_sdk_dynamodb::types::AttributeValue;
use order::Order;
use tokio::task::JoinSet;

use super::{Store, StoreError, item};

/// How many parts of the table are read side by side.
const SEGMENTS: i32 = 8;
/// The items of one page of one segment; DynamoDB ends a page at 1 MB in any case.
const PAGE_ITEMS_MAX: i32 = 500;

/// A walk over every order, page by page. What is written while it is under way may or may not be seen.
#[derive(Debug)]
pub struct OrderScan {
    store: Store,
    /// The segments that are not read to their end: number, and where to go on.
    segments: Vec<(i32, Option<item::Item>)>,
}

impl Store {
    /// Access pattern 16: every order, in no particular order.
    ///
    /// Reads the whole table, consistently, and costs as much: for the schedule, never for a caller who
    /// waits.
    pub fn scan_orders(&self) -> OrderScan {
        OrderScan { store: self.clone(), segments: (0..SEGMENTS).map(|number| (number, None)).collect() }
    }

    async fn scan_page(&self, segment: i32, from: Option<item::Item>) -> Result<Page, StoreError> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .segment(segment)
            .total_segments(SEGMENTS)
            .limit(PAGE_ITEMS_MAX)
            .filter_expression("SK = :order")
            .expression_attribute_values(":order", AttributeValue::S("ORDER".to_owned()))
            .set_exclusive_start_key(from)
            .send()
            .await
            .map_err(StoreError::of("Scan"))?;
        let orders = answer.items().iter().map(|found| item::to_order(found).map(|(order, _)| order));
        Ok(Page { orders: orders.collect(), next: answer.last_evaluated_key })
    }
}

/// A page of one segment.
struct Page {
    orders: Vec<Result<Order, StoreError>>,
    next: Option<item::Item>,
}

impl OrderScan {
    /// The next orders, a page of each segment at most; nothing when all were read. An order that cannot be
    /// read is [`StoreError::Broken`] in its place and does not end the walk; another
    /// error ends it.
    pub async fn next(&mut self) -> Result<Option<Vec<Result<Order, StoreError>>>, StoreError> {
        if self.segments.is_empty() {
            return Ok(None);
        }
        let mut reading = JoinSet::new();
        for (segment, from) in mem::take(&mut self.segments) {
            let store = self.store.clone();
            reading.spawn(async move { (segment, store.scan_page(segment, from).await) });
        }
        let mut orders = Vec::new();
        while let Some(read) = reading.join_next().await {
            let (segment, page) = read.map_err(|error| StoreError::unavailable("Scan", error))?;
            let page = page?;
            orders.extend(page.orders);
            self.segments.extend(page.next.map(|next| (segment, Some(next))));
        }
        Ok(Some(orders))
    }
}
