//! The order id: a ULID, which is V2's `paymentId` and V1's `merchant_uid` too.

use std::{fmt, str::FromStr};

use crate::Timestamp;

/// A ULID: 26 characters of Crockford's base 32, upper case, sorting by creation time.
///
/// 26 letters and digits satisfy every PG's rule for payment ids (6–40 characters, alphanumeric).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId([u8; 26]);

/// Not a ULID in its canonical spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order id is a ULID: 26 characters of 0-9 and A-Z without I, L, O and U")]
pub struct NotAnOrderId;

impl OrderId {
    /// A new id, made at `now` from 80 bits of `entropy`.
    ///
    /// The same entropy gives the same [`OrderId::tail`], whatever the time.
    pub fn mint(now: Timestamp, entropy: [u8; 10]) -> Self {
        let mut random = [0; 16];
        random[6..].copy_from_slice(&entropy);
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let mut text = [0; 26];
        ulid::Ulid::from_parts(millis, u128::from_be_bytes(random)).array_to_str(&mut text);
        Self(text)
    }

    /// All 26 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an order id is made of ASCII")
    }

    /// The last 16 characters: the random part, without the time.
    pub fn tail(&self) -> &str {
        &self.as_str()[10..]
    }
}

impl FromStr for OrderId {
    type Err = NotAnOrderId;

    fn from_str(text: &str) -> Result<Self, NotAnOrderId> {
        let bytes: [u8; 26] = text.as_bytes().try_into().map_err(|_| NotAnOrderId)?;
        let crockford = |b: &u8| matches!(b, b'0'..=b'9' | b'A'..=b'Z') && !b"ILOU".contains(b);
        // The first character carries only three bits: 8 and above do not fit 128 bits.
        if bytes[0] > b'7' || !bytes.iter().all(crockford) {
            return Err(NotAnOrderId);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_id_reads_back_and_sorts_by_time() {
        let early = OrderId::mint(Timestamp::from_millis(1_700_000_000_000), [0xff; 10]);
        let late = OrderId::mint(Timestamp::from_millis(1_700_000_000_001), [0; 10]);
        assert_eq!(early.as_str().parse(), Ok(early));
        assert!(early < late);
    }

    #[test]
    fn the_tail_depends_on_the_entropy_alone() {
        let a = OrderId::mint(Timestamp::from_millis(1), [7; 10]);
        let b = OrderId::mint(Timestamp::from_millis(1_800_000_000_000), [7; 10]);
        assert_eq!(a.tail(), b.tail());
        assert_eq!(a.tail().len(), 16);
        assert_ne!(a, b);
    }

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let good = "01JDABCDEFGHJKMNPQRSTVWXYZ";
        assert!(good.parse::<OrderId>().is_ok());
        for wrong in [
            "",
            "01jdabcdefghjkmnpqrstvwxyz",
            "81JDABCDEFGHJKMNPQRSTVWXYZ",
            "../../../orders/01JDABCDEF",
            "01JDABCDEFGHJKMNPQRSTVWXYU",
        ] {
            assert_eq!(wrong.parse::<OrderId>(), Err(NotAnOrderId), "{wrong}");
        }
    }
}
