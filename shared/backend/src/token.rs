//! The order token: what lets a buyer's page see its order, and nobody else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use order::OrderId;
use ring::hmac;

/// The token of order `id`: HMAC-SHA256 of its id. The same for one key, so a repeated request
/// answers the same, and nothing has to be stored.
pub fn issue(key: &[u8], id: OrderId) -> String {
    URL_SAFE_NO_PAD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), id.as_str().as_bytes()))
}

/// Whether `token` is order `id`'s, compared in constant time.
pub fn is_valid(key: &[u8], id: OrderId, token: &str) -> bool {
    let Ok(tag) = URL_SAFE_NO_PAD.decode(token) else { return false };
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), id.as_str().as_bytes(), &tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use order::Timestamp;

    #[test]
    fn a_token_opens_its_own_order_and_no_other() {
        let id = |n| OrderId::mint(Timestamp::from_millis(n), [3; 10]);
        let token = issue(&[7; 32], id(1));
        assert!(is_valid(&[7; 32], id(1), &token));
        assert!(!is_valid(&[7; 32], id(2), &token));
        assert!(!is_valid(&[8; 32], id(1), &token));
        for forged in ["", "x", "토큰", &token[..10]] {
            assert!(!is_valid(&[7; 32], id(1), forged), "{forged}");
        }
    }
}
