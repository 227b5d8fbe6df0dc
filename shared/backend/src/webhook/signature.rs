//! Standard Webhooks signatures over the raw bytes (spec/standard-webhooks.md; PortOne V2 webhook
//! guide). The time is an argument.

use base64::{Engine, engine::general_purpose::STANDARD};
use order::Timestamp;
use ring::hmac;

/// How far a delivery's timestamp may be from now, either way; exactly this much is accepted.
const TOLERANCE_SECONDS: i64 = 300;

/// Signatures of one delivery that are looked at; PortOne sends one for each live secret, two at most.
const SIGNATURES_MAX: usize = 16;

/// Whether two tags are equal, in the same time wherever they differ.
#[expect(deprecated, reason = "ring has no other comparison of two slices, and this one is constant-time")]
fn is_equal(ours: &[u8], theirs: &[u8]) -> bool {
    ring::constant_time::verify_slices_are_equal(ours, theirs).is_ok()
}

/// A key that deliveries are signed with. `Debug` shows the algorithm only.
#[derive(Clone, Debug)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// The key in a webhook secret as PortOne's console shows it: base64, `whsec_` before it or not.
    /// Nothing if it is not base64 or empty: an empty key would make every signature forgeable.
    pub fn from_secret(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
        (!key.is_empty()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }
}

/// The three headers of a delivery, as they came.
#[derive(Clone, Copy, Debug)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id`.
    pub id: &'a str,
    /// `webhook-timestamp`: Unix seconds.
    pub timestamp: &'a str,
    /// `webhook-signature`: `v1,<base64>`, several separated by a space.
    pub signatures: &'a str,
}

/// Why a delivery is not believed to be PortOne's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// A header is missing, empty, or the timestamp is no number.
    #[error("webhook-id, webhook-timestamp and webhook-signature are required")]
    Headers,
    /// The timestamp is more than 5 minutes from now.
    #[error("webhook-timestamp is too far from now")]
    Stale,
    /// No signature fits any key.
    #[error("webhook-signature fits no known key")]
    NoMatch,
}

/// Whether `body` was signed with one of `keys` within the tolerance around `now`.
///
/// Any `v1` signature of any key will do; entries of other versions and unreadable ones are passed
/// over. Comparison takes the same time wherever it differs.
pub fn verify(
    headers: SignatureHeaders<'_>,
    body: &[u8],
    keys: &[SigningKey],
    now: Timestamp,
) -> Result<(), SignatureFault> {
    let SignatureHeaders { id, timestamp, signatures } = headers;
    if id.is_empty() || signatures.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SignatureFault::Headers);
    }
    let sent: i64 = timestamp.parse().map_err(|_| SignatureFault::Headers)?;
    if now.as_seconds().abs_diff(sent) > TOLERANCE_SECONDS.unsigned_abs() {
        return Err(SignatureFault::Stale);
    }

    let mut signed = Vec::with_capacity(id.len() + timestamp.len() + body.len() + 2);
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        signed.extend_from_slice(part);
    }
    // Once per key, however many signatures claim to fit: the body may be large and the claims many.
    let tags = signatures.split(' ').filter_map(|entry| STANDARD.decode(entry.strip_prefix("v1,")?).ok());
    let tags: Vec<Vec<u8>> = tags.filter(|tag| tag.len() == 32).take(SIGNATURES_MAX).collect();
    for key in keys.iter().filter(|_| !tags.is_empty()) {
        let ours = hmac::sign(&key.0, &signed);
        if tags.iter().any(|tag| is_equal(ours.as_ref(), tag)) {
            return Ok(());
        }
    }
    Err(SignatureFault::NoMatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published vector: secret, id and body are PortOne's examples and open nothing.
    const SECRET: &str = "whsec_pzQGE83cSIRKM4/WH5QY+g==";
    const BODY: &[u8] = br#"{"test":"test payload"}"#;
    const SIGNATURE: &str = "v1,x9F4zp5ZADOWUiDoPKsK0/eBoHr9Nr6QnunRw+F/MHI=";
    const SENT: i64 = 1_700_000_000;

    fn check(headers: SignatureHeaders<'_>, body: &[u8], seconds: i64) -> Result<(), SignatureFault> {
        let other = SigningKey::from_secret("b3RoZXI=").unwrap();
        let keys = [other, SigningKey::from_secret(SECRET).unwrap()];
        verify(headers, body, &keys, Timestamp::from_millis(seconds * 1000))
    }

    fn headers(signatures: &str) -> SignatureHeaders<'_> {
        SignatureHeaders { id: "dummy-webhook-id", timestamp: "1700000000", signatures }
    }

    #[test]
    fn a_signature_of_any_key_is_accepted() {
        assert_eq!(check(headers(SIGNATURE), BODY, SENT), Ok(()));
    }

    #[test]
    fn one_good_signature_among_others_is_enough() {
        let several = format!("v1a,AAAA v1,!!! v1,AAAA {SIGNATURE}");
        assert_eq!(check(headers(&several), BODY, SENT), Ok(()));
    }

    #[test]
    fn five_minutes_either_way_are_accepted_and_a_second_more_is_not() {
        for (seconds, expected) in [
            (SENT + 300, Ok(())),
            (SENT - 300, Ok(())),
            (SENT + 301, Err(SignatureFault::Stale)),
            (SENT - 301, Err(SignatureFault::Stale)),
        ] {
            assert_eq!(check(headers(SIGNATURE), BODY, seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn another_body_id_or_time_does_not_fit_the_signature() {
        let changed = SignatureHeaders { id: "other", ..headers(SIGNATURE) };
        let later = SignatureHeaders { timestamp: "1700000001", ..headers(SIGNATURE) };
        assert_eq!(
            check(headers(SIGNATURE), b"{\"test\":\"test payloae\"}", SENT),
            Err(SignatureFault::NoMatch)
        );
        assert_eq!(check(changed, BODY, SENT), Err(SignatureFault::NoMatch));
        assert_eq!(check(later, BODY, SENT), Err(SignatureFault::NoMatch));
    }

    #[test]
    fn missing_and_unreadable_headers_are_named_as_such() {
        for wrong in [
            SignatureHeaders { id: "", ..headers(SIGNATURE) },
            SignatureHeaders { timestamp: "", ..headers(SIGNATURE) },
            SignatureHeaders { timestamp: "+1700000000", ..headers(SIGNATURE) },
            SignatureHeaders { timestamp: "99999999999999999999", ..headers(SIGNATURE) },
            headers(""),
        ] {
            assert_eq!(check(wrong, BODY, SENT), Err(SignatureFault::Headers), "{wrong:?}");
        }
    }

    #[test]
    fn an_empty_secret_is_no_key() {
        for wrong in ["", "whsec_", "  ", "whsec_not base64"] {
            assert!(SigningKey::from_secret(wrong).is_none(), "{wrong}");
        }
    }
}
