//! What the stories of `e2e/` are told with: a shop of one's own for each story, in memory, with the
//! functions as real processes behind a real gateway, and PortOne, the table and the secret beside it.
//!
//! | module | owns |
//! |---|---|
//! | [`shop`] | the running system as a browser, PortOne and an operator meet it |
//! | [`answer`] | an HTTP answer, and what it must be |
//! | [`operator`] | what an operator of the shop does |
//! | [`delivery`] | a webhook delivery made by hand: its body, its time, its signatures |
//! | [`schedule`] | the schedule that looks, and time that passes |
//! | [`v1`] | PortOne V1's window, page and webhook |
//! | [`metrics`] | what the functions say to CloudWatch |
//! | [`table`] | what is stored, as plain JSON |
//! | [`functions`] | where the functions' executables are, and running one by itself |

pub mod answer;
pub mod delivery;
pub mod functions;
pub mod metrics;
pub mod operator;
pub mod schedule;
pub mod shop;
pub mod table;
pub mod v1;

use std::{future::Future, time::Duration};

pub use answer::Answer;
pub use delivery::Delivery;
pub use shop::{Placed, Shop};

/// Longer than anything here takes, so that only a story that hangs reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a fact, and panics naming it if it does not come about within a minute.
pub async fn in_time<T>(what: &str, fact: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, fact).await {
        Ok(value) => value,
        Err(_) => panic!("waited {} s in vain: {what}", PATIENCE.as_secs()),
    }
}

/// A number that makes a run longer, shorter or another one: the variable's, or `otherwise`.
pub fn setting(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
