//! What the business does, one file per verb that two or more functions share.

mod ask;
mod sync;

pub use sync::{Claim, Sync, SyncError, Synced, UnknownPayment};
