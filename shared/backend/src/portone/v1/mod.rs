//! PortOne V1 (Iamport): `api.iamport.kr`. No V1 word leaves this module.

mod client;
mod token;
mod wire;

use super::is_segment;

pub use client::{V1Client, read_payment};

/// Longer than any ID that V1 is known to create: its older reference gives 32 characters.
const IMP_UID_BYTES_MAX: usize = 64;

/// Whether `text` can be looked up as an `imp_uid`: it is safe in a path (RFC 3986, "unreserved"), and not too long. Its
/// form decides nothing else. V1
/// creates `imp_…` for payment windows and `imps_…` for charges by REST, and may create others.
pub fn is_imp_uid(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.len() <= IMP_UID_BYTES_MAX && is_segment(text) && text.bytes().all(unreserved)
}
