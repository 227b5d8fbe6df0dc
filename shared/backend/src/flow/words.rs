//! What a PG says of a refusal, as far as it may be kept: operators want to read it, and PGs put accounts and names
//! into their sentences.

use order::{Cancellation, Order};

/// Characters of a sentence that are kept; a page in place of a sentence is cut.
const LENGTH_MAX: usize = 200;
/// So many digits in a row, also with hyphens between, are somebody's number and no code.
const DIGITS_MIN: usize = 6;
/// What stands where something was taken out.
const GAP: &str = "***";

/// The words without the order's people, without long numbers and addresses, and not longer than a sentence.
/// Nothing if nothing is left.
pub(super) fn kept(words: &str, order: &Order, row: &Cancellation) -> Option<String> {
    let customer = &order.customer;
    let account = row.refund_account.as_ref();
    let people = [
        Some(&customer.name),
        customer.email.as_ref(),
        customer.phone.as_ref(),
        account.map(|account| &account.holder),
        account.map(|account| &account.number),
        account.and_then(|account| account.holder_phone.as_ref()),
    ];
    let mut words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for person in people.into_iter().flatten().map(|person| person.expose().as_str()) {
        if !person.is_empty() {
            words = words.replace(person, GAP);
        }
    }
    let plain: Vec<_> = words.split(' ').map(without_numbers).collect();
    let plain: String = plain.join(" ").chars().take(LENGTH_MAX).collect();
    (!plain.is_empty() && plain != GAP).then_some(plain)
}

/// A word whose long numbers are taken out; an e-mail address goes whole.
fn without_numbers(word: &str) -> String {
    if word.contains('@') {
        return GAP.to_owned();
    }
    let (mut kept, mut number) = (String::new(), String::new());
    let end = |number: &mut String, kept: &mut String| {
        let digits = number.chars().filter(char::is_ascii_digit).count();
        kept.push_str(if digits < DIGITS_MIN { number } else { GAP });
        number.clear();
    };
    for sign in word.chars() {
        if sign.is_ascii_digit() || (sign == '-' && !number.is_empty()) {
            number.push(sign);
        } else {
            end(&mut number, &mut kept);
            kept.push(sign);
        }
    }
    end(&mut number, &mut kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn long_numbers_and_addresses_are_taken_out_and_codes_stay() {
        for (said, kept) in [
            ("1234-5678-9012-3456", "***"),
            ("계좌(110123456789)로", "계좌(***)로"),
            ("010-1234-5678님", "***님"),
            ("kim@shop.kr", "***"),
            ("[E4021]", "[E4021]"),
            ("2026-11", "***"),
            ("500원", "500원"),
            ("취소-불가", "취소-불가"),
        ] {
            assert_eq!(without_numbers(said), kept);
        }
    }
}
