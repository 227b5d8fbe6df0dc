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

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput},
};

/// Why the table gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not answer, throttled or failed, after its own retries.
    #[error("the table cannot be reached now: {operation}")]
    Unavailable {
        /// The DynamoDB operation.
        operation: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
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
    fn unavailable<E: std::error::Error + Send + Sync + 'static>(
        operation: &'static str,
    ) -> impl Fn(E) -> Self {
        move |error| Self::Unavailable { operation, source: Box::new(error) }
    }
}

/// The orders, products, findings and parked deliveries of one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Store {
    /// The table named `table`.
    pub fn new(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }
}

/// Whether an update's condition held; an error is any other failure.
fn held(sent: Result<UpdateItemOutput, SdkError<UpdateItemError>>) -> Result<bool, StoreError> {
    match sent {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::unavailable("UpdateItem")(error)),
        },
    }
}
