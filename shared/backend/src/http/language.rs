//! The two languages problems are told in.

pub use order::Language;

/// The language that an `Accept-Language` header prefers (RFC 9110, section 12.5.4).
pub fn preferred(header: &str) -> Language {
    // Weights have at most three digits: compared as thousandths.
    let weight = |parameters: &str| {
        let q = parameters.split(';').find_map(|p| p.trim().strip_prefix("q=")).unwrap_or("1");
        let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
        let digits = format!("{fraction:0<3}");
        whole.trim().parse::<u32>().unwrap_or(0).min(1) * 1000
            + digits.get(..3).and_then(|d| d.parse().ok()).unwrap_or(0)
    };
    let mut best = (0, Language::Korean);
    for range in header.split(',') {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let language = match tag.trim().split('-').next().map(str::to_ascii_lowercase).as_deref() {
            Some("ko" | "*") => Language::Korean,
            Some("en") => Language::English,
            _ => continue,
        };
        if weight(parameters) > best.0 {
            best = (weight(parameters), language);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::{
        Language::{English, Korean},
        preferred,
    };

    #[test]
    fn korean_is_the_default_and_english_must_be_preferred() {
        for (header, language) in [
            ("", Korean),
            ("ko-KR,ko;q=0.9,en;q=0.8", Korean),
            ("en-US,en;q=0.9,ko;q=0.8", English),
            ("ko;q=0.5, en;q=0.75", English),
            ("fr, de", Korean),
            ("fr, en;q=0.1", English),
            ("en;q=0", Korean),
            ("*", Korean),
            ("en;q=4294967295, ko;q=0.9", English),
            ("en;q=x,,;;", Korean),
        ] {
            assert_eq!(preferred(header), language, "{header}");
        }
    }
}
