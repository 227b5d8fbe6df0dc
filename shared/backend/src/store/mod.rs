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

mod client;
mod days;
mod error;
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

pub use error::StoreError;

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput},
};

use crate::connection::aws::Aws;

/// The orders, products, findings and parked deliveries of one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Store {
    /// The table named `table`. Opens no connection.
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: client::client(aws), table }
    }
}

/// Whether an update's condition held. Any other failure is an error.
fn held(sent: Result<UpdateItemOutput, SdkError<UpdateItemError>>) -> Result<bool, StoreError> {
    match sent {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(StoreError::of("UpdateItem")(error)),
        },
    }
}
