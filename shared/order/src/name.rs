//! The order name as every PG accepts it.

/// Bytes of UTF-8 that the strictest PG takes (NICE).
pub const NAME_BYTES_MAX: usize = 40;

/// The order name for a basket: its first product, and how many kinds more (`신발 외 2건`).
///
/// At most [`NAME_BYTES_MAX`] bytes, cut at a character. Letters and digits of the Basic
/// Multilingual Plane, spaces and `_.,/:` stay; everything else becomes a space, which covers the
/// characters PGs forbid (NICE: `% & | $ - + = [ ]`; brackets are discouraged) and the emoji that an
/// EUC-KR PG cannot spell. Never empty.
pub fn order_name(first_product: &str, kinds: usize) -> String {
    let suffix = if kinds > 1 { format!(" 외 {}건", kinds - 1) } else { String::new() };
    let mut name = cut(&spell(first_product), NAME_BYTES_MAX - suffix.len()).trim_end().to_owned();
    if name.is_empty() {
        name.push_str("주문");
    }
    name + &suffix
}

fn spell(text: &str) -> String {
    let allowed = |c: char| (c.is_alphanumeric() && u32::from(c) <= 0xFFFF) || "_.,/:".contains(c);
    let spaced: String = text.chars().map(|c| if allowed(c) { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_first_product_and_how_many_kinds_more() {
        assert_eq!(order_name("신발", 1), "신발");
        assert_eq!(order_name("신발", 3), "신발 외 2건");
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_and_keeps_its_count() {
        let name = order_name(&"가".repeat(100), 50);
        assert!(name.len() <= NAME_BYTES_MAX && name.ends_with(" 외 49건"), "{name}");
        assert_eq!(order_name(&"가".repeat(100), 1), "가".repeat(13));
    }

    #[test]
    fn characters_that_a_pg_refuses_do_not_reach_it() {
        assert_eq!(order_name("A&B|C$D-E+F=G[H]%I", 1), "A B C D E F G H I");
        assert_eq!(order_name("커피 ☕🎉 원두(200g)\n", 1), "커피 원두 200g");
        assert_eq!(order_name("🎉🎉", 1), "주문");
    }
}
