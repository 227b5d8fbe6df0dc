//! Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, one `v1` entry per secret.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The value of `webhook-signature`: one `v1,…` entry for each secret, parted by a space. A secret that
/// is not base64 adds none.
#[must_use]
pub fn header(secrets: &[String], id: &str, timestamp: i64, body: &[u8]) -> String {
    let entries: Vec<String> =
        secrets.iter().filter_map(|secret| entry(secret, id, timestamp, body)).collect();
    entries.join(" ")
}

/// Whether `secret` can sign: base64 with or without the `whsec_` prefix, not empty.
#[must_use]
pub fn is_usable(secret: &str) -> bool {
    key(secret).is_some()
}

fn key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    (!key.is_empty()).then_some(key)
}

fn entry(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)?).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_pzQGE83cSIRKM4/WH5QY+g==";

    #[test]
    fn the_known_vectors_come_out() {
        let body = br#"{"type":"Transaction.Paid","timestamp":"2024-04-25T10:00:00.000Z","data":{"paymentId":"example-payment-id","storeId":"store-ae356798-3d20-4969-b739-14c6b0e1a667","transactionId":"55451513-9763-4a7a-bb43-78a4c65be843"}}"#;
        assert_eq!(
            header(&[SECRET.to_owned()], "evt-0001", 1_714_039_200, body),
            "v1,G7SIpWgBKGmMWDESJOoYehDmDTcsnHqOjmye25fL8Ek="
        );
        assert_eq!(
            header(&[SECRET.to_owned()], "dummy-webhook-id", 1_700_000_000, br#"{"test":"test payload"}"#),
            "v1,x9F4zp5ZADOWUiDoPKsK0/eBoHr9Nr6QnunRw+F/MHI="
        );
    }

    #[test]
    fn two_secrets_give_two_entries() {
        let secrets = [SECRET.to_owned(), "c2Vjb25kIHNlY3JldA==".to_owned()];
        let header = header(&secrets, "a", 1, b"{}");
        assert_eq!(header.split(' ').filter(|entry| entry.starts_with("v1,")).count(), 2);
    }

    #[test]
    fn an_empty_or_malformed_secret_cannot_sign() {
        assert!(!is_usable("whsec_") && !is_usable("") && !is_usable("whsec_not base64"));
        assert!(is_usable("pzQGE83cSIRKM4/WH5QY+g=="));
    }
}
