//! Deliveries: whether PortOne sent them (V2 signs, V1 does not), and what they hint at.

mod check;
mod event;
mod signature;

pub use check::check_signature;
pub use event::{Hint, V1Hint, read, read_confirm, read_v1};
pub use signature::{SignatureFault, SignatureHeaders, SigningKey, verify};
