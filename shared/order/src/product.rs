//! Products of the catalogue, and what a basket of them costs.

use std::collections::BTreeMap;

use crate::{Currency, Money, OrderLine, money::AMOUNT_MAX};

/// The id of a product: 1–128 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductId(String);

impl ProductId {
    /// `text` as a product id, or nothing if it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=128).contains(&text.len()) && !text.contains(char::is_control);
        fits.then(|| Self(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A product as the catalogue has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Its name, as the buyer sees it.
    pub name: String,
    /// Price of one piece.
    pub price: Money,
    /// Share of the price that carries no VAT; at most the price.
    pub tax_free: u64,
    /// Whether it is for sale.
    pub active: bool,
    /// Pieces left; `None` is unlimited.
    pub stock: Option<u64>,
}

/// Most pieces of one product in one order.
pub const QUANTITY_MAX: u32 = 999;

/// What a basket costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Priced {
    /// One line per product, in the order of their first mention.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines; above 0.
    pub total: Money,
    /// The share of `total` that carries no VAT.
    pub tax_free: u64,
}

/// Why a basket cannot be ordered. `product` says which line it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PricingFault {
    /// The catalogue has no such product.
    Unknown(ProductId),
    /// The product is not for sale.
    Inactive(ProductId),
    /// Fewer pieces are left than are wanted.
    SoldOut(ProductId),
    /// The pieces of one product, all its lines together, are more than [`QUANTITY_MAX`].
    TooMany(ProductId),
    /// This product's currency is not the first product's: one order has one currency.
    OtherCurrency(ProductId),
    /// The total cannot be counted.
    TooMuch,
    /// Nothing to pay: a total of 0 is not an order.
    NothingToPay,
}

/// Prices a basket by the catalogue alone. Lines of one product are merged.
///
/// All faults are reported, not the first.
pub fn price(
    basket: &[(ProductId, u32)],
    catalogue: &BTreeMap<ProductId, Product>,
) -> Result<Priced, Vec<PricingFault>> {
    let mut merged: Vec<(&ProductId, u64)> = Vec::new();
    for (id, quantity) in basket {
        match merged.iter_mut().find(|(known, _)| *known == id) {
            Some((_, sum)) => *sum += u64::from(*quantity),
            None => merged.push((id, u64::from(*quantity))),
        }
    }

    let mut faults = Vec::new();
    let mut lines = Vec::new();
    let mut currency: Option<Currency> = None;
    for (id, quantity) in merged {
        let quantity = u32::try_from(quantity).ok().filter(|q| *q <= QUANTITY_MAX);
        if quantity.is_none() {
            faults.push(PricingFault::TooMany(id.clone()));
        }
        let Some(product) = catalogue.get(id) else {
            faults.push(PricingFault::Unknown(id.clone()));
            continue;
        };
        if !product.active {
            faults.push(PricingFault::Inactive(id.clone()));
            continue;
        }
        if *currency.get_or_insert(product.price.currency) != product.price.currency {
            faults.push(PricingFault::OtherCurrency(id.clone()));
        }
        if let (Some(quantity), Some(left)) = (quantity, product.stock)
            && u64::from(quantity) > left
        {
            faults.push(PricingFault::SoldOut(id.clone()));
        }
        if let Some(quantity) = quantity {
            lines.push(OrderLine {
                product_id: product.id.clone(),
                name: product.name.clone(),
                quantity,
                unit_price: product.price.amount,
                unit_tax_free: product.tax_free,
                stocked: product.stock.is_some(),
            });
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }

    let sum = |of: fn(&OrderLine) -> u64| {
        lines
            .iter()
            .try_fold(0_u64, |sum, line| sum.checked_add(of(line).checked_mul(u64::from(line.quantity))?))
    };
    let total = sum(|line| line.unit_price).filter(|total| *total <= AMOUNT_MAX);
    let (Some(total), Some(tax_free), Some(currency)) = (total, sum(|line| line.unit_tax_free), currency)
    else {
        return Err(vec![if lines.is_empty() { PricingFault::NothingToPay } else { PricingFault::TooMuch }]);
    };
    if total == 0 {
        return Err(vec![PricingFault::NothingToPay]);
    }
    Ok(Priced { lines, total: Money::new(total, currency), tax_free })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ProductId {
        ProductId::parse(text).unwrap()
    }

    fn product(name: &str, price: u64, currency: &str) -> (ProductId, Product) {
        let price = Money::new(price, currency.parse().unwrap());
        (
            id(name),
            Product { id: id(name), name: name.to_owned(), price, tax_free: 0, active: true, stock: None },
        )
    }

    fn catalogue() -> BTreeMap<ProductId, Product> {
        let mut shop: BTreeMap<_, _> = [
            product("shoes", 1000, "KRW"),
            product("socks", 300, "KRW"),
            product("gift", 0, "KRW"),
            product("dollar", 100, "USD"),
            product("moon", AMOUNT_MAX, "KRW"),
            product("old", 10, "KRW"),
        ]
        .into();
        shop.get_mut(&id("old")).unwrap().active = false;
        shop.get_mut(&id("socks")).unwrap().tax_free = 100;
        shop
    }

    #[test]
    fn lines_of_one_product_are_merged_and_summed() {
        let basket = [(id("shoes"), 1), (id("socks"), 2), (id("shoes"), 2)];
        let priced = price(&basket, &catalogue()).unwrap();
        assert_eq!(priced.total, Money::new(3600, Currency::KRW));
        assert_eq!(priced.tax_free, 200);
        let quantities: Vec<_> =
            priced.lines.iter().map(|line| (line.product_id.as_str(), line.quantity)).collect();
        assert_eq!(quantities, [("shoes", 3), ("socks", 2)]);
    }

    #[test]
    fn every_fault_of_a_basket_is_reported_at_once() {
        let basket =
            [(id("shoes"), 999), (id("shoes"), 1), (id("ghost"), 1), (id("old"), 1), (id("dollar"), 1)];
        assert_eq!(
            price(&basket, &catalogue()),
            Err(vec![
                PricingFault::TooMany(id("shoes")),
                PricingFault::Unknown(id("ghost")),
                PricingFault::Inactive(id("old")),
                PricingFault::OtherCurrency(id("dollar")),
            ])
        );
    }

    #[test]
    fn a_total_that_cannot_be_counted_is_refused_not_wrapped() {
        assert_eq!(price(&[(id("moon"), 1)], &catalogue()).unwrap().total.amount, AMOUNT_MAX);
        for basket in
            [vec![(id("moon"), 2)], vec![(id("moon"), 999)], vec![(id("moon"), 1), (id("shoes"), 1)]]
        {
            assert_eq!(price(&basket, &catalogue()), Err(vec![PricingFault::TooMuch]));
        }
    }

    #[test]
    fn a_total_of_nothing_is_no_order() {
        assert_eq!(price(&[(id("gift"), 3)], &catalogue()), Err(vec![PricingFault::NothingToPay]));
        assert_eq!(price(&[], &catalogue()), Err(vec![PricingFault::NothingToPay]));
        assert!(price(&[(id("gift"), 1), (id("shoes"), 1)], &catalogue()).is_ok());
    }

    #[test]
    fn a_product_id_is_short_and_printable() {
        assert!(ProductId::parse("A-1_b.2").is_some() && ProductId::parse("신발").is_some());
        for wrong in ["", "a\nb", &"x".repeat(129)] {
            assert!(ProductId::parse(wrong).is_none(), "{wrong}");
        }
    }
}
