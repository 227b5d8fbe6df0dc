//! Deliveries: whatever the body, it names something that can be asked for or nothing; and only what was
//! signed is verified.

use backend::{
    portone::v1::is_imp_uid,
    webhook::{Hint, SignatureFault, SignatureHeaders, SigningKey, read, read_confirm, read_v1, verify},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use order::Timestamp;
use ring::hmac;
use url::Url;

/// A key of nobody's.
const KEY: &[u8] = b"a key of this target";

/// The three readers of bodies.
pub fn body(data: &[u8]) {
    if let Hint::Payment(id) = read(data) {
        let mut url = Url::parse("https://portone.example/payments/").expect("an address");
        url.path_segments_mut().expect("an http address has a path").pop_if_empty().push(&id);
        let segments: Vec<_> = url.path_segments().expect("it still has").collect();
        assert!(
            matches!(segments[..], ["payments", last] if !last.is_empty()),
            "{id:?} is asked for as {url}"
        );
        assert!(id.len() <= 256 && !id.contains(char::is_control), "{id:?}");
    }
    if let Some((id, _)) = read_confirm(data) {
        assert!(!id.is_empty());
    }
    if let Some(hint) = read_v1(data) {
        assert!(is_imp_uid(&hint.imp_uid), "{hint:?}");
        assert_ne!(hint.merchant_uid.as_deref(), Some(""));
    }
}

/// The first three lines are the headers, the rest is the body.
pub fn signature(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut header = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
    let (id, timestamp, signatures) = (header(), header(), header());
    let body = parts.next().unwrap_or_default();
    let keys = [SigningKey::from_secret(&STANDARD.encode(KEY)).expect("a key")];
    let check = |headers: SignatureHeaders<'_>, body: &[u8]| {
        let seconds: i64 = headers.timestamp.parse().unwrap_or(0);
        verify(headers, body, &keys, Timestamp::from_millis(seconds.saturating_mul(1000)))
    };
    let signed = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY), &signed);
    let genuine = format!("v1,{}", STANDARD.encode(tag.as_ref()));

    // What the bytes themselves claim is believed only if it is the signature.
    let claimed = check(SignatureHeaders { id, timestamp, signatures }, body);
    assert!(claimed.is_err() || signatures.contains(&genuine), "forged: {signatures:?}");

    // Signed by us it is believed, among whatever else is claimed, unless its headers are none.
    let headers = SignatureHeaders { id, timestamp, signatures: &genuine };
    let believed = check(headers, body);
    let in_time =
        timestamp.len() < 15 && !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
    if in_time && !id.is_empty() {
        assert_eq!(believed, Ok(()));
    }
    if believed.is_ok() {
        let mut changed = body.to_vec();
        let middle = changed.len() / 2;
        match changed.get_mut(middle) {
            Some(byte) => *byte ^= 1,
            None => changed.push(0),
        }
        assert_eq!(check(headers, &changed), Err(SignatureFault::NoMatch));
        let other_id = format!("{id}x");
        assert_eq!(check(SignatureHeaders { id: &other_id, ..headers }, body), Err(SignatureFault::NoMatch));
    }
}
