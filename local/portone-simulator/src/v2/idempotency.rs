//! The idempotency store: one answer per key for three hours, failures included.
//!
//! A key is an RFC 8941 string, its double quotes part of the header, with 16 to 256 ASCII characters
//! between them (PortOne V2 overview, idempotency). GET ignores it.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{clock::Timestamp, switches::ReusedKey};

/// What is remembered of a key.
#[derive(Clone, Debug)]
struct Entry {
    fingerprint: String,
    until: Timestamp,
    answer: Option<Answer>,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Bytes,
}

/// What to do with a call that brought a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Carry it out; [`Keys::finish`] must follow.
    Execute,
    /// Answer this again.
    Replay(Answer),
    /// The first call is still running.
    Outstanding,
    /// The key came with another request.
    Reused,
}

/// The keys seen.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    entries: BTreeMap<String, Entry>,
}

impl Keys {
    /// Takes the key for a call, or says what the key already stands for.
    pub fn claim(
        &mut self,
        key: &str,
        fingerprint: &str,
        reuse: ReusedKey,
        now: Timestamp,
        lifetime_minutes: u32,
    ) -> Claim {
        self.entries.retain(|_, entry| entry.until > now);
        if let Some(entry) = self.entries.get(key) {
            match (entry.fingerprint == fingerprint, reuse) {
                (false, ReusedKey::Reject) => return Claim::Reused,
                (false, ReusedKey::Execute) if entry.answer.is_some() => {}
                (true, _) | (false, ReusedKey::Replay | ReusedKey::Execute) => {
                    return entry.answer.clone().map_or(Claim::Outstanding, Claim::Replay);
                }
            }
        }
        let until = now.plus_millis(i64::from(lifetime_minutes) * 60_000);
        self.entries
            .insert(key.to_owned(), Entry { fingerprint: fingerprint.to_owned(), until, answer: None });
        Claim::Execute
    }

    /// Stores the answer of the call that claimed the key.
    pub fn finish(&mut self, key: &str, answer: Answer) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.answer = Some(answer);
        }
    }
}

/// The key inside a header, or `None` when the header is not as PortOne wants it.
#[must_use]
pub fn key_of(header: &str) -> Option<&str> {
    let key = header.strip_prefix('"')?.strip_suffix('"')?;
    let plain = key.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\');
    (plain && (16..=256).contains(&key.len())).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_millis(0);

    fn answer() -> Answer {
        Answer { status: 409, body: Bytes::from_static(b"{}") }
    }

    fn claim(keys: &mut Keys, fingerprint: &str, reuse: ReusedKey, at: Timestamp) -> Claim {
        keys.claim("k", fingerprint, reuse, at, 180)
    }

    #[test]
    fn a_key_is_outstanding_until_its_answer_is_there_and_replays_it_for_three_hours() {
        let mut keys = Keys::default();
        assert_eq!(claim(&mut keys, "a", ReusedKey::Reject, T0), Claim::Execute);
        assert_eq!(claim(&mut keys, "a", ReusedKey::Reject, T0), Claim::Outstanding);
        keys.finish("k", answer());
        let nearly = T0.plus_millis(180 * 60_000 - 1);
        assert_eq!(claim(&mut keys, "a", ReusedKey::Reject, nearly), Claim::Replay(answer()));
        assert_eq!(claim(&mut keys, "a", ReusedKey::Reject, nearly.plus_millis(1)), Claim::Execute);
    }

    #[test]
    fn another_request_under_the_same_key_meets_the_switch() {
        let mut keys = Keys::default();
        claim(&mut keys, "a", ReusedKey::Reject, T0);
        assert_eq!(claim(&mut keys, "b", ReusedKey::Execute, T0), Claim::Outstanding);
        keys.finish("k", answer());
        assert_eq!(claim(&mut keys, "b", ReusedKey::Reject, T0), Claim::Reused);
        assert_eq!(claim(&mut keys, "b", ReusedKey::Replay, T0), Claim::Replay(answer()));
        assert_eq!(claim(&mut keys, "b", ReusedKey::Execute, T0), Claim::Execute);
    }

    #[test]
    fn quotes_belong_to_the_header_and_sixteen_characters_are_the_least() {
        assert_eq!(key_of("\"0123456789abcdef\""), Some("0123456789abcdef"));
        let long = format!("\"{}\"", "a".repeat(257));
        for wrong in
            ["0123456789abcdef", "\"0123456789abcde\"", "\"", "", "\"0123456789abcde\u{e9}\"", long.as_str()]
        {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }
}
