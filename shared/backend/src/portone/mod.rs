//! PortOne V2: its wire, and a client that asks it three things — what a payment is now, to register
//! an amount beforehand, and to give money back.

mod client;
mod wire;

pub use client::{PortoneClient, PortoneError};
