//! The catalogue's file: what is taken makes an item, and the same again when it is written out.

#[path = "../../local/stack/src/catalogue.rs"]
#[allow(dead_code, reason = "its own crate uses the rest")]
mod parser;

use serde_json::{Value, json};

/// The text of a file.
pub fn file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match parser::parse(text) {
        Err(faults) => assert!(!faults.0.is_empty() && !faults.to_string().is_empty()),
        Ok(products) => {
            let mut again: Vec<Value> = Vec::new();
            for product in &products {
                assert!(product.price <= i64::MAX.unsigned_abs());
                assert!(product.tax_free_amount.is_none_or(|share| share <= product.price));
                assert!(!product.load_request("t").to_string().is_empty());
                let mut entry = json!({
                    "productId": product.id.as_str(), "name": product.name, "price": product.price,
                    "currency": product.currency.code(), "active": product.active,
                });
                let optional = [("taxFreeAmount", product.tax_free_amount), ("stock", product.stock)];
                for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
                    entry[name] = json!(value);
                }
                again.push(entry);
            }
            assert_eq!(parser::parse(&Value::from(again).to_string()), Ok(products));
        }
    }
}
