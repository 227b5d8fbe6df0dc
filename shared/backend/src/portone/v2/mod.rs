//! PortOne V2: `api.portone.io`.

mod bank;
mod client;
mod wire;

pub use bank::is_bank;
pub use client::{TextField, V2Client, read_payment};
