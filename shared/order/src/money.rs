//! Money: an integer number of the currency's minor unit, always beside its currency.

use std::{fmt, str::FromStr};

/// An ISO 4217 alphabetic code such as `KRW`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The South Korean won; its minor unit is the won itself.
    pub const KRW: Self = Self(*b"KRW");

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is made of three ASCII letters")
    }

    /// How many decimal digits its minor unit has: 0 for KRW, 2 for USD. Source: ISO 4217, "minor unit".
    pub fn minor_digits(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// The minor units in a decimal number of the major unit, such as `14.2` USD = 1420. `None` if it is negative, has
    /// more digits than the currency, or is larger than [`AMOUNT_MAX`].
    pub fn minor_units(&self, major: &str) -> Option<u64> {
        let (whole, fraction) = major.split_once('.').unwrap_or((major, ""));
        let digits = usize::try_from(self.minor_digits()).ok()?;
        let (kept, dropped) = fraction.split_at(fraction.len().min(digits));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !is_number(whole)
            || !is_number(kept)
            || !dropped.bytes().all(|byte| byte == b'0')
        {
            return None;
        }
        let minor = format!("{whole}{kept:0<digits$}").parse().ok()?;
        (minor <= AMOUNT_MAX).then_some(minor)
    }

    /// The decimal number of the major unit for these minor units, such as `14.20` for 1420 USD.
    pub fn major_units(&self, minor: u64) -> String {
        let digits = self.minor_digits();
        match (10_u64.checked_pow(digits), usize::try_from(digits)) {
            (Some(unit), Ok(digits)) if digits > 0 => {
                format!("{}.{:0digits$}", minor / unit, minor % unit)
            }
            _ => minor.to_string(),
        }
    }
}

/// Not three upper-case ASCII letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is an ISO 4217 code of three upper-case letters")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(NotACurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The largest amount this backend handles: what PortOne's `int64` members can carry.
pub const AMOUNT_MAX: u64 = i64::MAX as u64;

/// An amount in the currency's minor unit (won for KRW, cents for USD). Never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// Minor units.
    pub amount: u64,
    /// What they are units of.
    pub currency: Currency,
}

impl Money {
    /// `amount` minor units of `currency`.
    pub const fn new(amount: u64, currency: Currency) -> Self {
        Self { amount, currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_of_the_major_unit_is_a_whole_number_of_minor_units() {
        let usd: Currency = "USD".parse().unwrap();
        let minor = |text| usd.minor_units(text);
        assert_eq!(
            (minor("14.2"), minor("14"), minor("0.07"), minor("14.200")),
            (Some(1420), Some(1400), Some(7), Some(1420))
        );
        for wrong in ["", ".5", "-1", "1.005", "1e3", "1,000", "99999999999999999999"] {
            assert_eq!(minor(wrong), None, "{wrong}");
        }
        assert_eq!(
            (Currency::KRW.minor_units("1000.0"), Currency::KRW.minor_units("10.5")),
            (Some(1000), None)
        );
        for minor in [0, 7, 1420, 1_000_000] {
            assert_eq!(usd.minor_units(&usd.major_units(minor)), Some(minor));
        }
        assert_eq!(
            (usd.major_units(1407), Currency::KRW.major_units(1407)),
            ("14.07".to_owned(), "1407".to_owned())
        );
    }

    #[test]
    fn a_currency_is_three_upper_case_letters_and_nothing_else() {
        assert_eq!("KRW".parse(), Ok(Currency::KRW));
        for wrong in ["", "krw", "KR", "KRWW", "K1W", "원화", "KR "] {
            assert_eq!(wrong.parse::<Currency>(), Err(NotACurrency), "{wrong}");
        }
    }
}
