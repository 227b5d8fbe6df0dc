//! Deliveries of PortOne V2: whether PortOne sent them, and what they hint at.

mod event;
mod signature;

pub use event::{Hint, read};
pub use signature::{SignatureFault, SignatureHeaders, SigningKey, verify};
