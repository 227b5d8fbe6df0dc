//! Text that people enter, in one form: composed, without invisible characters, digits as ASCII.
//!
//! A Mac writes `é` and Hangul in pieces (NFD), a contact list puts direction marks around a phone number, a
//! Japanese or Korean keyboard has digits of full width. What is counted, cut, compared, stored or sent is
//! brought to one form here first. Each function gives the same again for its own result.

use std::iter;

use icu_normalizer::{
    ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed,
    properties::CanonicalCombiningClassMapBorrowed,
};

/// `text` in Normalization Form C (Unicode Standard Annex #15): for what must not change otherwise, such as
/// an address or an ID.
pub fn composed(text: &str) -> String {
    compose(text.chars())
}

/// What a person entered: composed, without invisible characters, digits of full width as ASCII digits.
pub fn entered(text: &str) -> String {
    visible(text.chars().map(|c| if matches!(c, '０'..='９') { half_width(c) } else { c }))
}

/// An e-mail address that a person entered: as [`entered`], and full-width `＠`, `．` and letters are ASCII.
pub fn address(text: &str) -> String {
    visible(text.chars().map(half_width))
}

/// A number that a person entered, of a phone or of a payment: as [`address`], every kind of dash is `-`, of
/// plus `+` and of space a space. A joiner or a variation selector has no place in a number.
pub fn number(text: &str) -> String {
    let plain = |c| match half_width(c) {
        c if is_dash(c) => '-',
        '\u{207A}' | '\u{FE62}' => '+',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    compose(text.chars().filter(|c| !is_invisible(*c) && !is_joiner(*c) && !is_variation(*c)).map(plain))
}

/// What is left of a letter without its marks: `é` is `e`, and a mark alone is nothing.
pub(crate) fn without_marks(c: char) -> impl Iterator<Item = char> {
    let class = CanonicalCombiningClassMapBorrowed::new();
    DecomposingNormalizerBorrowed::new_nfd()
        .normalize_iter(iter::once(c))
        .filter(move |c| class.get_u8(*c) == 0)
}

fn compose(text: impl Iterator<Item = char>) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize_iter(text).collect()
}

/// Joiners stay between two characters that they can change, as in Persian words and in emoji; variation
/// selectors stay after a character that may have variants.
fn visible(text: impl Iterator<Item = char>) -> String {
    let text = compose(text.filter(|c| !is_invisible(*c)));
    let mut before = None;
    let mut rest = text.chars().peekable();
    let kept = iter::from_fn(move || {
        loop {
            let c = rest.next()?;
            let stays = if is_joiner(c) {
                let after = rest.peek().copied();
                before.is_some_and(can_be_joined)
                    && after.is_some_and(|after| can_be_joined(after) && !is_variation(after))
            } else {
                !is_variation(c)
                    || before.is_some_and(|before: char| !before.is_ascii() && !is_joiner(before))
            };
            if stays {
                before = Some(c);
                return Some(c);
            }
        }
    });
    compose(kept)
}

/// Full-width ASCII (U+FF01 to U+FF5E) and the space of full width, as ASCII.
fn half_width(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{3000}' => ' ',
        c => c,
    }
}

/// Characters without a picture of their own: Unicode's Default_Ignorable_Code_Point and the annotation marks,
/// but for joiners and variation selectors, which change their neighbours. The fillers of Hangul are among
/// them: a name of fillers is empty.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180E}'
            | '\u{200B}'
            | '\u{200E}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E00FF}'
            | '\u{E01F0}'..='\u{E0FFF}'
    )
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_variation(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// ASCII, Hangul, kana and Hanja are not joined.
fn can_be_joined(c: char) -> bool {
    let east_asian = matches!(c, '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}');
    !c.is_ascii() && !c.is_whitespace() && !east_asian && !is_joiner(c)
}

/// Unicode's dashes, minus signs, and the long-vowel mark, which Japanese keyboards have where others have `-`.
fn is_dash(c: char) -> bool {
    matches!(
        c,
        '\u{58A}'
            | '\u{1806}'
            | '\u{2010}'..='\u{2015}'
            | '\u{2043}'
            | '\u{207B}'
            | '\u{208B}'
            | '\u{2212}'
            | '\u{2500}'
            | '\u{2796}'
            | '\u{2E3A}'..='\u{2E3B}'
            | '\u{30FC}'
            | '\u{FE31}'..='\u{FE32}'
            | '\u{FE58}'
            | '\u{FE63}'
            | '\u{FF70}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `홍길동` as a Mac writes it in a file name.
    const DECOMPOSED: &str = "\u{1112}\u{1169}\u{11BC}\u{1100}\u{1175}\u{11AF}\u{1103}\u{1169}\u{11BC}";

    #[test]
    fn text_in_pieces_is_composed() {
        for form in [composed, entered, address, number] {
            assert_eq!(form(DECOMPOSED), "홍길동");
            assert_eq!(form("Cafe\u{301}"), "Café");
        }
    }

    #[test]
    fn an_address_keeps_what_a_person_cannot_have_entered() {
        assert_eq!(composed("a\u{200B}１"), "a\u{200B}１");
    }

    #[test]
    fn invisible_characters_and_digits_of_full_width_are_not_kept() {
        assert_eq!(entered("\u{FEFF}\u{202A}홍\u{200B}길\u{200D}동\u{202C}\u{3164}"), "홍길동");
        assert_eq!(entered("１２개 ＡＢ"), "12개 ＡＢ");
        assert_eq!(entered("\u{3164}\u{115F}\u{200D}\u{FE0F}"), "");
        // A filler between two pieces does not keep them apart.
        assert_eq!(entered("e\u{34F}\u{301}"), "é");
    }

    #[test]
    fn a_joiner_stays_where_it_spells_something() {
        for text in ["می\u{200C}خواهم", "👩\u{200D}🔬", "❤\u{FE0F}\u{200D}🔥", "葛\u{E0100}城"]
        {
            assert_eq!(entered(text), text);
        }
        assert_eq!(entered("a\u{200D}b\u{FE0F}"), "ab");
    }

    #[test]
    fn a_number_is_ascii_whatever_keyboard_or_document_it_comes_from() {
        assert_eq!(number("\u{202A}+82 10-1234-5678\u{202C}"), "+82 10-1234-5678");
        assert_eq!(number("０１０－１２３４－５６７８"), "010-1234-5678");
        assert_eq!(number("＋８２（１０）\u{3000}1234\u{A0}5678"), "+82(10) 1234 5678");
        for dash in "‐‑‒–—―−﹣－ーｰ".chars() {
            assert_eq!(number(&format!("010{dash}1234{dash}5678")), "010-1234-5678", "{dash}");
        }
    }

    #[test]
    fn an_address_of_full_width_is_ascii() {
        assert_eq!(address("\u{FEFF}ｈｏｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ\u{200B}"), "hong@example.com");
    }

    proptest! {
        #[test]
        fn text_in_its_form_stays_as_it_is(text in "(.|[a1１é\u{212A}\u{301}가葛👩\u{200B}-\u{200D}\u{FE0F}\u{3000}]){0,40}") {
            for form in [composed, entered, address, number] {
                let once = form(&text);
                prop_assert_eq!(form(&once), once);
            }
        }
    }
}
