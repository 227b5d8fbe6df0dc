//! Integer money in the currency's ISO minor unit, with Korea's split into supply, VAT and tax-free.

use serde::{Deserialize, Serialize};

/// What an attempt asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Everything the shop asked for.
    pub total: i64,
    /// Of that, free of VAT.
    pub tax_free: i64,
    /// Of that, VAT.
    pub vat: i64,
    /// Taken off by card company, promotion or coupon; `total - discount` is what the buyer pays.
    pub discount: i64,
}

impl Amount {
    /// An amount whose VAT is an eleventh of the taxable part unless given.
    ///
    /// `None` when a part is negative, the parts exceed the total, or the total is out of range.
    #[must_use]
    pub fn new(total: i64, tax_free: i64, vat: Option<i64>) -> Option<Self> {
        let taxable = total.checked_sub(tax_free)?;
        let vat = match vat {
            Some(vat) => vat,
            None => vat_within(taxable)?,
        };
        let sound = total >= 0 && tax_free >= 0 && vat >= 0 && taxable >= 0 && vat <= taxable;
        sound.then_some(Self { total, tax_free, vat, discount: 0 })
    }

    /// Taxable money without its VAT.
    #[must_use]
    pub fn supply(&self) -> i64 {
        self.total.saturating_sub(self.tax_free).saturating_sub(self.vat)
    }

    /// What the buyer pays.
    #[must_use]
    pub fn payable(&self) -> i64 {
        self.total.saturating_sub(self.discount)
    }

    /// The same split scaled to another total, as a PG that captures the wrong sum would report it.
    #[must_use]
    pub fn captured_as(&self, total: i64) -> Option<Self> {
        Self::new(total, self.tax_free.min(total), None)
    }
}

/// The VAT inside a taxable amount: an eleventh, halves rounded up. Which way PortOne rounds is not
/// stated. `None` on overflow.
#[must_use]
pub fn vat_within(taxable: i64) -> Option<i64> {
    Some(taxable.checked_mul(2)?.checked_add(11)?.div_euclid(22))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vat_is_an_eleventh_of_the_taxable_part() {
        let amount = Amount::new(1000, 0, None).unwrap();
        assert_eq!((amount.vat, amount.supply()), (91, 909));
        let mixed = Amount::new(1000, 450, None).unwrap();
        assert_eq!((mixed.vat, mixed.supply(), mixed.tax_free), (50, 500, 450));
    }

    #[test]
    fn parts_never_exceed_the_total_and_nothing_overflows() {
        assert_eq!(Amount::new(1000, 1001, None), None);
        assert_eq!(Amount::new(1000, 900, Some(101)), None);
        assert_eq!(Amount::new(-1, 0, None), None);
        assert_eq!(Amount::new(i64::MAX, 0, None), None);
    }
}
