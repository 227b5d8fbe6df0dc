//! `cargo xtask doctor`: looks at a deployed or a local system with calls that change nothing, says what is
//! wrong with it and how to mend it. One request costs something: the unsigned webhook that has to be refused
//! is counted as one refused signature.
//!
//! | module | owns |
//! |---|---|
//! | [`checklist`] | every item, as one table; `docs/GOING-LIVE.md` follows it |
//! | [`report`] | findings, as text and as JSON |
//! | [`system`] | which system, and where its parts are |
//! | `cloud` | a stack and what it is made of |
//! | `portone` | what PortOne is asked |
//! | `secret` | the secret, member by member |
//! | `checks` | the looks, in the checklist's order |

pub mod checklist;
mod checks;
mod cloud;
mod portone;
pub mod report;
mod secret;
pub mod system;

pub use report::{Finding, Report, Verdict};
pub use system::Place;

/// Looks at everything. An error means that there is no system to look at; its text says what to do.
pub async fn examine(place: &Place) -> anyhow::Result<Report> {
    let system = system::System::find(place).await?;
    Ok(checks::all(&system).await)
}
