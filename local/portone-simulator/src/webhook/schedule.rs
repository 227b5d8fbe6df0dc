//! When a webhook is sent again: base waits of 1, 4, 16, 64 and 256 minutes, each multiplied by a
//! random factor between 0 and 1 (PortOne's "full jitter").

/// Milliseconds between execution `n - 1` and execution `n`, where the first execution is 1 and comes
/// at once; `jitter` is the factor's numerator over 2³².
#[must_use]
pub fn wait_millis(execution: u32, jitter: u32) -> i64 {
    let Some(power) = execution.checked_sub(2) else { return 0 };
    let base = 4_i64.checked_pow(power).and_then(|minutes| minutes.checked_mul(60_000)).unwrap_or(i64::MAX);
    let scaled = (i128::from(base) * i128::from(jitter)) >> 32;
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_waits_are_powers_of_four_minutes() {
        let nearly_one = u32::MAX;
        let minutes: Vec<i64> = (1..=6).map(|n| (wait_millis(n, nearly_one) + 1) / 60_000).collect();
        assert_eq!(minutes, [0, 1, 4, 16, 64, 256]);
    }

    #[test]
    fn full_jitter_may_shorten_a_wait_to_nothing() {
        assert!((1..=6).all(|n| wait_millis(n, 0) == 0));
        assert_eq!(wait_millis(3, 1 << 31), 2 * 60_000);
    }
}
