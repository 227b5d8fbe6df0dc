//! The table. One method per access pattern; a write is its condition, and nothing is overwritten
//! without one.
//!
//! | item | `PK` | `SK` |
//! |---|---|---|
//! | order | `ORDER#<last 16 characters of the order id>` | `ORDER` |
//! | product | `PRODUCT#<productId>` | `PRODUCT` |
//! | finding | `FINDINGS` | `<kind>#<order id, payment id or imp_uid>` |
//! | parked delivery | `PARKED` | `V1#<imp_uid>` |
//! | watermark | `RECONCILE` | `V1`, `V2` |
//! | what a day came to | `DAYS` | `<day>` |
//! | order with an unknown outcome | `UNKNOWN` | `<order id>` |
//!
//! An order is keyed by the random part of its id. For a request with an `Idempotency-Key` that part
//! is a hash of the key, so the order itself is the record of the key: one conditional write makes
//! both, a repeated request runs into the item it made, and there is no second item to lose in a crash.

mod days;
mod findings;
mod item;
mod orders;
mod parked;
mod products;
mod scan;
mod stock;
mod stream;
mod unknown;
mod waiting;
mod watermark;

pub use days::{DAYS_MAX, DaySums, DayTotals, Moved};
pub use findings::{Finding, Found, KeptFinding};
pub use orders::{AdvanceError, Created, KeyedOrder, RequestFingerprint};
pub use parked::{PARKED_PAGE, ParkedDelivery};
pub use products::Catalogue;
pub use scan::OrderScan;
pub use stream::{OrderChange, StreamRecord};
pub use waiting::SHARDS;

use std::error::Error;

use crate::dynamodb::{CallError, DynamoDb, GetItem, Item, Write, Written};

/// Why the table gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not answer, throttled or failed, after some attempts.
    #[error("the table cannot be reached now: {operation}")]
    Unavailable {
        /// The DynamoDB operation.
        operation: &'static str,
        /// What it says, if anything.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An item is not what this build writes.
    #[error("item {key} is broken at {attribute}")]
    Broken {
        /// Its partition key.
        key: String,
        /// The attribute that is missing or of another type.
        attribute: &'static str,
    },
}

impl StoreError {
    fn unavailable(operation: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { operation, source: source.into() }
    }
}

impl From<CallError> for StoreError {
    fn from(CallError { operation, source }: CallError) -> Self {
        Self::unavailable(operation, source)
    }
}

/// The orders, products, findings and parked deliveries of one table.
#[derive(Clone, Debug)]
pub struct Store {
    dynamodb: DynamoDb,
    table: String,
}

impl Store {
    /// The table named `table`.
    pub fn new(dynamodb: DynamoDb, table: String) -> Self {
        Self { dynamodb, table }
    }

    /// The item with this key, read consistently.
    async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = GetItem { table_name: &self.table, key, consistent_read: true };
        Ok(self.dynamodb.read(&request).await?.item)
    }

    /// Writes. Whether the condition held.
    async fn held(&self, write: &impl Write) -> Result<bool, StoreError> {
        Ok(matches!(self.dynamodb.write(write).await?, Written::Done))
    }
}
