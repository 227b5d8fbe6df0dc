//! What the business does, one file per verb that two or more functions share.

mod advance;
mod approve;
mod ask;
mod cancel;
mod exceptions;
mod reconcile;
mod sync;
mod words;

pub use cancel::Cancelled;
pub use reconcile::Reconciled;
pub use sync::{Claim, Sync, SyncError, Synced, UnknownPayment};
