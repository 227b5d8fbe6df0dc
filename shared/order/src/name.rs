//! Names as every PG accepts them: of an order, of its buyer.
//!
//! Domestic PGs take EUC-KR, which in practice is CP949 (Windows-949, the `euc-kr` of the WHATWG Encoding
//! Standard): all 11,172 syllables of Hangul, 4,620 Hanja, kana, Greek, Cyrillic, Latin without most accents.

mod hanja;

use std::ops::RangeInclusive;

use crate::text;

/// Bytes of UTF-8 that the strictest PG takes (NICE, Smartro, KG Inicis). In CP949 they are not more.
pub const NAME_BYTES_MAX: usize = 40;

/// The order name for a basket: its first product, and how many kinds more (`신발 외 2건`).
///
/// Composed (NFC), at most [`NAME_BYTES_MAX`] bytes, cut at a character. Letters and digits that CP949 spells,
/// spaces and `_.,/:` stay; another letter falls back to its base letter (`é` to `e`) where CP949 spells that;
/// everything else becomes a space, which covers the characters PGs forbid (NICE: `% & | $ - + = [ ]`; brackets
/// are discouraged), emoji and the Hanja of other countries. Never empty.
pub fn order_name(first_product: &str, kinds: usize) -> String {
    let suffix = if kinds > 1 { format!(" 외 {}건", kinds - 1) } else { String::new() };
    let name = spell(first_product, |c| "_.,/:".contains(c));
    let mut name = cut(&name, NAME_BYTES_MAX - suffix.len()).trim_end().to_owned();
    if name.is_empty() {
        name.push_str("주문");
    }
    name + &suffix
}

/// The buyer's name for a PG: as [`order_name`] spells a product's, but with every sign of ASCII, and not cut.
pub fn buyer_name(entered: &str) -> String {
    let name = spell(entered, |c| c.is_ascii_graphic());
    if name.is_empty() { "구매자".to_owned() } else { name }
}

fn spell(text: &str, is_sign: impl Fn(char) -> bool) -> String {
    let stays = |c| is_sign(c) || is_spelt_letter(c);
    let mut spelt = String::with_capacity(text.len());
    for c in text::entered(text).chars() {
        if stays(c) {
            spelt.push(c);
            continue;
        }
        let mut base = text::without_marks(c).peekable();
        // A mark alone belongs to the letter before it, which stays together with what follows.
        if base.peek().is_some() {
            spelt.extend(base.map(|c| if stays(c) { c } else { ' ' }));
        }
    }
    spelt.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether CP949 spells this letter or digit, as NFC has it.
fn is_spelt_letter(c: char) -> bool {
    match c {
        '\u{4E00}'..='\u{9FFF}' => hanja::is_spelt(c as usize - 0x4E00),
        c => c.is_ascii_alphanumeric() || LETTERS.iter().any(|letters| letters.contains(&c)),
    }
}

/// The letters and digits of CP949 but for ASCII and Hanja. A test compares them with encoding_rs.
const LETTERS: [RangeInclusive<char>; 48] = [
    '\u{AA}'..='\u{AA}',
    '\u{B2}'..='\u{B3}',
    '\u{B9}'..='\u{BA}',
    '\u{BC}'..='\u{BE}',
    '\u{C6}'..='\u{C6}',
    '\u{D0}'..='\u{D0}',
    '\u{D8}'..='\u{D8}',
    '\u{DE}'..='\u{DF}',
    '\u{E6}'..='\u{E6}',
    '\u{F0}'..='\u{F0}',
    '\u{F8}'..='\u{F8}',
    '\u{FE}'..='\u{FE}',
    '\u{111}'..='\u{111}',
    '\u{126}'..='\u{127}',
    '\u{131}'..='\u{133}',
    '\u{138}'..='\u{138}',
    '\u{13F}'..='\u{142}',
    '\u{149}'..='\u{14B}',
    '\u{152}'..='\u{153}',
    '\u{166}'..='\u{167}',
    '\u{2C7}'..='\u{2C7}',
    '\u{2D0}'..='\u{2D0}',
    '\u{391}'..='\u{3A1}',
    '\u{3A3}'..='\u{3A9}',
    '\u{3B1}'..='\u{3C1}',
    '\u{3C3}'..='\u{3C9}',
    '\u{401}'..='\u{401}',
    '\u{410}'..='\u{44F}',
    '\u{451}'..='\u{451}',
    '\u{2074}'..='\u{2074}',
    '\u{207F}'..='\u{207F}',
    '\u{2081}'..='\u{2084}',
    '\u{2113}'..='\u{2113}',
    '\u{2153}'..='\u{2154}',
    '\u{215B}'..='\u{215E}',
    '\u{2160}'..='\u{2169}',
    '\u{2170}'..='\u{2179}',
    '\u{2460}'..='\u{246E}',
    '\u{2474}'..='\u{2482}',
    '\u{24D0}'..='\u{24E9}',
    '\u{3041}'..='\u{3093}',
    '\u{30A1}'..='\u{30F6}',
    '\u{3131}'..='\u{3163}',
    '\u{3165}'..='\u{318E}',
    '\u{AC00}'..='\u{D7A3}',
    '\u{FF10}'..='\u{FF19}',
    '\u{FF21}'..='\u{FF3A}',
    '\u{FF41}'..='\u{FF5A}',
];

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::EUC_KR;
    use proptest::prelude::*;

    fn bytes_in_cp949(text: &str) -> Option<usize> {
        let (bytes, _, has_unmappable) = EUC_KR.encode(text);
        (!has_unmappable).then_some(bytes.len())
    }

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

    #[test]
    fn a_decomposed_name_is_composed_before_it_is_cut() {
        let decomposed: String =
            "제주 햇녹차 선물세트 대용량 우전".chars().flat_map(text::without_marks).collect();
        assert!(decomposed.len() > 80, "in pieces");
        assert_eq!(order_name(&decomposed, 1), order_name("제주 햇녹차 선물세트 대용량 우전", 1));
        assert_eq!(order_name(&decomposed, 1), "제주 햇녹차 선물세트 대용량");
    }

    #[test]
    fn a_letter_that_a_pg_cannot_spell_falls_back_to_its_base_letter() {
        assert_eq!(order_name("Café Crème 원두", 1), "Cafe Creme 원두");
        assert_eq!(order_name("Cafe\u{301} q\u{303}ua Łódź Smørrebrød", 1), "Cafe qua Łodz Smørrebrød");
        assert_eq!(order_name("뷁믜햏 똠양꿍", 1), "뷁믜햏 똠양꿍");
        assert_eq!(order_name("凉拌 这个 东西", 1), "凉拌 西");
        assert_eq!(order_name("这东", 1), "주문");
    }

    #[test]
    fn the_letters_that_stay_are_those_of_cp949() {
        for c in '\u{80}'..='\u{FFFF}' {
            let text = c.to_string();
            let has_form = text::entered(&text) == text;
            let expected = has_form && c.is_alphanumeric() && bytes_in_cp949(&text).is_some();
            if has_form {
                assert_eq!(is_spelt_letter(c), expected, "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn a_buyers_name_keeps_its_signs_and_has_nothing_that_a_pg_cannot_spell() {
        assert_eq!(buyer_name("홍길동"), "홍길동");
        assert_eq!(buyer_name("Renée O'Brien-Kim, J."), "Renee O'Brien-Kim, J.");
        assert_eq!(buyer_name("홍길동 🎉"), "홍길동");
        assert_eq!(buyer_name("🎉"), "구매자");
    }

    proptest! {
        #[test]
        fn every_pg_can_spell_an_order_name_and_a_buyers_name(
            product in "(.|[가-힣é凉🎉\u{1100}-\u{11FF}\u{300}-\u{36F}]){0,60}",
            kinds in 0_usize..60,
        ) {
            let name = order_name(&product, kinds);
            prop_assert!(!name.is_empty() && name.len() <= NAME_BYTES_MAX, "{}", name);
            prop_assert!(bytes_in_cp949(&name).is_some_and(|bytes| bytes <= NAME_BYTES_MAX), "{}", name);
            let buyer = buyer_name(&product);
            prop_assert!(bytes_in_cp949(&buyer).is_some(), "{}", buyer);
            for name in [name, buyer] {
                prop_assert_eq!(text::entered(&name), name);
            }
        }
    }
}
