//! The catalogue as a page sees it.

use serde::Serialize;

use crate::scalar::{Amount, Currency};

/// 지금 파는 상품 / What the shop sells now
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProductList<'a> {
    /// 상품 / Products
    pub products: Vec<ProductView<'a>>,
}

/// 상품 하나 / One product
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProductView<'a> {
    /// 상품 번호 / Its id
    pub product_id: &'a str,
    /// 이름 / Its name
    pub name: &'a str,
    /// 한 개 값 / Price of one piece
    pub price: Amount,
    /// 통화 / Currency
    pub currency: Currency,
    /// 남아 있는지 / Whether any is left
    pub available: bool,
}

impl<'a> ProductView<'a> {
    /// A product of the catalogue.
    pub fn of(product: &'a order::Product) -> Self {
        Self {
            product_id: product.id.as_str(),
            name: &product.name,
            price: Amount(product.price.amount),
            currency: Currency(product.price.currency),
            available: product.stock != Some(0),
        }
    }
}
