//! V1 writes money as a JSON number in the currency's major unit: `1000` for KRW, `14.2` for USD (V1
//! PayPal and Eximbay guides). Inside it is an integer in the minor unit, as everywhere else.

use serde_json::{Number, Value};

/// ISO 4217 codes without a minor unit, of those a V1 PG takes.
const WHOLE: [&str; 5] = ["KRW", "JPY", "VND", "CLP", "ISK"];

fn decimals(currency: &str) -> usize {
    if WHOLE.contains(&currency) { 0 } else { 2 }
}

/// The minor units that a V1 number means; `None` when it is negative, out of range or finer than the
/// currency.
pub(super) fn read(number: &Number, currency: &str) -> Option<i64> {
    let text = number.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = decimals(currency);
    // A sign, an exponent or a finer fraction does not parse.
    if fraction.len() > digits || !whole.bytes().chain(fraction.bytes()).all(|it| it.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{fraction:0<digits$}").parse().ok()
}

/// Minor units as a V1 number.
pub(super) fn write(minor: i64, currency: &str) -> Value {
    let digits = decimals(currency);
    let unit = 10_i64.pow(u32::try_from(digits).unwrap_or(0));
    if minor % unit == 0 {
        return Value::from(minor / unit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:0digits$}", (minor / unit).abs(), (minor % unit).abs());
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_v1_amount_is_in_the_major_unit() {
        let table =
            [("1000", "KRW", 1000), ("1000.0", "KRW", 1000), ("14.2", "USD", 1420), ("20", "USD", 2000)];
        for (text, currency, minor) in table {
            assert_eq!(read(&number(text), currency), Some(minor), "{text} {currency}");
            assert_eq!(read(&number(&write(minor, currency).to_string()), currency), Some(minor));
        }
        assert_eq!(write(1420, "USD").to_string(), "14.2");
        assert_eq!(write(5, "USD").to_string(), "0.05");
    }

    #[test]
    fn what_no_currency_can_pay_is_no_amount() {
        for (text, currency) in [("10.5", "KRW"), ("0.001", "USD"), ("-1", "KRW"), ("1e300", "KRW")] {
            assert_eq!(read(&number(text), currency), None, "{text} {currency}");
        }
    }
}
