//! Everything that looks random, drawn from one seed so that a run can be replayed.
//!
//! Identifiers come from a counted sequence; a retry's jitter depends only on the seed, the delivery's
//! number and the execution, so that two runs with one seed wait the same whatever else happened between.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};

/// The seed and how far its sequence was used. Kept with the payments, so that identifiers stay
/// unique across a restart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    /// A sequence from `seed`, or from one that differs every time.
    #[must_use]
    pub fn new(seed: Option<u64>) -> Self {
        Self { seed: seed.unwrap_or_else(rand::random), drawn: 0 }
    }

    fn draw(&mut self) -> StdRng {
        self.drawn = self.drawn.wrapping_add(1);
        StdRng::seed_from_u64(self.seed.rotate_left(17) ^ self.drawn)
    }

    /// A UUID of version 4, lower case with hyphens.
    pub fn uuid(&mut self) -> String {
        let bits = (self.draw().random::<u128>() & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// That many decimal digits, the first not zero.
    pub fn digits(&mut self, count: usize) -> String {
        let mut rng = self.draw();
        (0..count).map(|place| char::from(b'0' + rng.random_range(u8::from(place == 0)..=9))).collect()
    }

    /// A factor of U(0,1) as a numerator over 2³², for one execution of one delivery.
    #[must_use]
    pub fn jitter(&self, delivery: u64, execution: u32) -> u32 {
        let place = delivery.wrapping_mul(64).wrapping_add(u64::from(execution));
        StdRng::seed_from_u64(self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_history() {
        let (mut a, mut b) = (Chance::new(Some(7)), Chance::new(Some(7)));
        assert_eq!((a.uuid(), a.digits(11), a.jitter(3, 2)), (b.uuid(), b.digits(11), b.jitter(3, 2)));
        assert_ne!(a.uuid(), Chance::new(Some(8)).uuid());
    }

    #[test]
    fn a_uuid_says_version_four() {
        let id = Chance::new(Some(1)).uuid();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'));
    }
}
