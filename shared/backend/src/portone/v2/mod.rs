//! PortOne V2: `api.portone.io`.

mod client;
mod wire;

pub use client::V2Client;
