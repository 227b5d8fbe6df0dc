//! PortOne V1 (Iamport): `api.iamport.kr`. No V1 word leaves this module.

mod client;
mod token;
mod wire;

pub use client::{V1Client, read_payment};

/// Whether `text` can be an `imp_uid`: `imp_` and letters or digits, 32 characters at most (V1 API
/// reference, field sizes). Anything else would only cost a call.
pub fn is_imp_uid(text: &str) -> bool {
    let rest = text.strip_prefix("imp_").unwrap_or_default();
    text.len() <= 32 && !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}
