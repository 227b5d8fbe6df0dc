//! A model checker's view of the shipped decisions: every interleaving of a few processes with a PortOne that
//! does what PortOne does, a network that loses and repeats, and processes that die anywhere.
//!
//! The decisions are the crate `order` as it ships. What is around them, the flows and the table's conditional
//! writes, is mirrored here step by step, and says where from.

#![allow(missing_docs, reason = "a program's insides")]

pub mod acts;
pub mod check;
mod guards;
mod heal;
pub mod mutants;
pub mod pair;
mod portone;
mod process;
mod promises;
pub mod scenario;
mod state;
mod steps;
mod system;
mod table;
#[cfg(test)]
mod tests;
