//! What an executable asks of the system it runs on. Lambda's `provided.al2023` has glibc 2.34; a binary
//! linked against newer symbols dies there before `main`, and nowhere else.

/// The newest glibc that Lambda's provided.al2023 has, as 2.x.
pub const LAMBDA_GLIBC_MINOR: u32 = 34;

/// The newest `GLIBC_2.x` version that the executable's symbols are bound to; `None` if it binds to none.
pub fn newest_glibc_minor(executable: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    let versions = executable.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    versions
        .filter_map(|(at, _)| {
            let digits = executable[at + MARK.len()..].iter().take_while(|byte| byte.is_ascii_digit());
            String::from_utf8(digits.copied().collect()).ok()?.parse().ok()
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_as_a_number_not_as_text() {
        assert_eq!(newest_glibc_minor(b"\0GLIBC_2.4\0GLIBC_2.34\0GLIBC_2.2.5\0"), Some(34));
        assert_eq!(newest_glibc_minor(b"static"), None);
    }
}
