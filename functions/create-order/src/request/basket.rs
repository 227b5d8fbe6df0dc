//! `items`: what is to be bought, and what the catalogue says against it.

use api::checkout::LINES_MAX;
use backend::http::FieldFault;
use order::{
    ProductId,
    product::{PricingFault, QUANTITY_MAX},
    text,
};
use serde_json::{Map, Value};

use super::{Faults, Wanted, member};

/// One line of the basket.
pub struct BasketLine {
    /// Its place in `items`.
    pub index: usize,
    pub product: ProductId,
    pub quantity: u32,
}

pub(super) fn read(body: &Map<String, Value>, faults: &mut Faults) -> Vec<BasketLine> {
    let items = match member(body, "items") {
        None => {
            faults.add("/items", "required", "주문할 상품이 필요합니다.", "items is required.");
            return Vec::new();
        }
        Some(Value::Array(items)) => items,
        Some(_) => {
            faults.add("/items", "invalid-type", "items는 배열이어야 합니다.", "items must be an array.");
            return Vec::new();
        }
    };
    if items.is_empty() {
        faults.add(
            "/items",
            "required",
            "주문할 상품이 하나 이상 필요합니다.",
            "At least one item is required.",
        );
    }
    if items.len() > LINES_MAX {
        let (korean, english) =
            (format!("상품은 {LINES_MAX}줄까지 담을 수 있습니다."), format!("At most {LINES_MAX} items."));
        faults.add("/items", "too-many", korean, english);
        return Vec::new();
    }
    items.iter().enumerate().filter_map(|(index, item)| basket_line(index, item, faults)).collect()
}

fn basket_line(index: usize, item: &Value, faults: &mut Faults) -> Option<BasketLine> {
    let Some(item) = item.as_object() else {
        faults.add(
            format!("/items/{index}"),
            "invalid-type",
            "상품은 객체여야 합니다.",
            "An item must be an object.",
        );
        return None;
    };
    let at = |name: &str| format!("/items/{index}/{name}");
    let product = match member(item, "productId") {
        Some(Value::String(id)) => {
            // As the catalogue has it.
            let product = ProductId::parse(&text::composed(id));
            if product.is_none() {
                unknown_product(at("productId"), faults);
            }
            product
        }
        None => {
            faults.add(at("productId"), "required", "상품 번호가 필요합니다.", "productId is required.");
            None
        }
        Some(_) => {
            faults.add(
                at("productId"),
                "invalid-type",
                "상품 번호는 문자열이어야 합니다.",
                "productId must be a string.",
            );
            None
        }
    };
    let allowed = |quantity: &u32| (1..=QUANTITY_MAX).contains(quantity);
    let quantity = match member(item, "quantity") {
        Some(Value::Number(number)) => {
            let quantity = number.as_u64().and_then(|n| u32::try_from(n).ok()).filter(allowed);
            if quantity.is_none() {
                out_of_range(at("quantity"), faults);
            }
            quantity
        }
        None => {
            faults.add(at("quantity"), "required", "수량이 필요합니다.", "quantity is required.");
            None
        }
        Some(_) => {
            faults.add(
                at("quantity"),
                "invalid-type",
                "수량은 정수여야 합니다.",
                "quantity must be an integer.",
            );
            None
        }
    };
    // A line with a wrong quantity is still looked up, so that its product's fault is told too.
    product.map(|product| BasketLine { index, product, quantity: quantity.unwrap_or(1) })
}

fn unknown_product(pointer: String, faults: &mut Faults) {
    faults.add(pointer, "unknown-product", "판매하지 않는 상품입니다.", "There is no such product.");
}

fn out_of_range(pointer: String, faults: &mut Faults) {
    let korean = format!("수량은 1에서 {QUANTITY_MAX} 사이의 정수여야 합니다.");
    faults.add(
        pointer,
        "out-of-range",
        korean,
        format!("quantity must be an integer from 1 to {QUANTITY_MAX}."),
    );
}

/// What the catalogue says against the basket, at the first line that names the product.
pub fn pricing_faults(wanted: &Wanted, pricing: Vec<PricingFault>) -> Vec<FieldFault> {
    let mut faults = Faults(Vec::new());
    let at = |id: &ProductId, name: &str| {
        let line = wanted.basket.iter().find(|line| line.product == *id);
        format!("/items/{}/{name}", line.map_or(0, |line| line.index))
    };
    for fault in pricing {
        match fault {
            PricingFault::Unknown(id) => unknown_product(at(&id, "productId"), &mut faults),
            PricingFault::Inactive(id) => {
                faults.add(
                    at(&id, "productId"),
                    "inactive-product",
                    "지금은 판매하지 않는 상품입니다.",
                    "This product is not for sale now.",
                );
            }
            PricingFault::SoldOut(id) => {
                faults.add(
                    at(&id, "quantity"),
                    "sold-out",
                    "남은 수량이 부족합니다.",
                    "Fewer pieces are left than are wanted.",
                );
            }
            PricingFault::TooMany(id) => out_of_range(at(&id, "quantity"), &mut faults),
            PricingFault::OtherCurrency(id) => {
                faults.add(
                    at(&id, "productId"),
                    "mixed-currency",
                    "통화가 다른 상품은 함께 주문할 수 없습니다.",
                    "One order has one currency.",
                );
            }
            PricingFault::TooMuch => {
                faults.add(
                    "/items",
                    "amount-too-large",
                    "주문 금액이 너무 큽니다.",
                    "The total is too large.",
                );
            }
            // An unreadable basket has its own fault already.
            PricingFault::NothingToPay if wanted.basket.is_empty() => {}
            PricingFault::NothingToPay => {
                faults.add("/items", "nothing-to-pay", "결제할 금액이 없습니다.", "There is nothing to pay.");
            }
        }
    }
    faults.0
}
