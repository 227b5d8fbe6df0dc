//! Whatever fails, no payment is lost, doubled, or shown in a state that PortOne does not have, and every order
//! ends right once the network is healed: proven on the functions' real processes. `docs/ASSURANCE.md` has the
//! counts, and what is not proven.

#![allow(clippy::unwrap_used, reason = "a proof that cannot go on has failed")]

mod chart;
mod crash;
mod fault;
mod history;
mod lanes;
mod load;
mod mirror;
mod model;
mod operation;
mod points;
mod quiet;
mod races;
mod weather;
