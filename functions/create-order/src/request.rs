//! The request: read whole, every fault of it reported at once.

use backend::http::FieldFault;
use order::{
    Currency, Customer, Generation, PayMethod, Personal, ProductId,
    product::{PricingFault, QUANTITY_MAX},
};
use serde_json::{Map, Value};
use url::Url;

/// Most lines of a basket.
const LINES_MAX: usize = 50;
const NAME_CHARS_MAX: usize = 60;
const EMAIL_BYTES_MAX: usize = 254;
const REDIRECT_URL_BYTES_MAX: usize = 2048;

/// What a request asks for, as far as it could be read.
pub struct Wanted {
    /// Lines whose product and quantity could be read.
    pub basket: Vec<BasketLine>,
    /// Everything else, if none of it is at fault.
    pub checked: Option<Checked>,
}

/// One line of the basket.
pub struct BasketLine {
    /// Its place in `items`.
    pub index: usize,
    pub product: ProductId,
    pub quantity: u32,
}

/// What does not depend on the catalogue.
pub struct Checked {
    pub customer: Customer,
    pub generation: Generation,
    pub pay_method: PayMethod,
    pub redirect_url: Option<String>,
}

struct Faults(Vec<FieldFault>);

impl Faults {
    fn add(
        &mut self,
        pointer: impl Into<String>,
        code: &'static str,
        korean: impl Into<String>,
        english: impl Into<String>,
    ) {
        self.0.push(FieldFault { pointer: pointer.into(), code, detail: (korean.into(), english.into()) });
    }
}

impl Wanted {
    /// Reads `body`. The faults are in the order of the fields.
    pub fn read(body: &Value, allowed_origins: &[String]) -> (Self, Vec<FieldFault>) {
        let mut faults = Faults(Vec::new());
        let Some(body) = body.as_object() else {
            faults.add(
                "",
                "invalid-type",
                "요청 본문은 JSON 객체여야 합니다.",
                "The body must be a JSON object.",
            );
            return (Self { basket: Vec::new(), checked: None }, faults.0);
        };
        let basket = basket(body, &mut faults);
        let customer = customer(body, &mut faults);
        let generation = generation(body, &mut faults);
        let pay_method = pay_method(body, generation, &mut faults);
        let redirect_url = redirect_url(body, allowed_origins, &mut faults);
        let checked = match (customer, generation, pay_method) {
            (Some(customer), Some(generation), Some(pay_method)) => {
                Some(Checked { customer, generation, pay_method, redirect_url })
            }
            _ => None,
        };
        (Self { basket, checked }, faults.0)
    }
}

/// A member that is there and not null.
fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).filter(|value| !value.is_null())
}

fn basket(body: &Map<String, Value>, faults: &mut Faults) -> Vec<BasketLine> {
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
            let product = ProductId::parse(id);
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

fn customer(body: &Map<String, Value>, faults: &mut Faults) -> Option<Customer> {
    let before = faults.0.len();
    let customer = match member(body, "customer") {
        None => {
            faults.add(
                "/customer/name",
                "required",
                "주문자 이름이 필요합니다.",
                "customer.name is required.",
            );
            return None;
        }
        Some(Value::Object(customer)) => customer,
        Some(_) => {
            faults.add(
                "/customer",
                "invalid-type",
                "customer는 객체여야 합니다.",
                "customer must be an object.",
            );
            return None;
        }
    };
    let name = match member(customer, "name") {
        None => {
            faults.add(
                "/customer/name",
                "required",
                "주문자 이름이 필요합니다.",
                "customer.name is required.",
            );
            None
        }
        Some(Value::String(name)) => {
            let name = name.trim();
            let fits =
                (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.contains(char::is_control);
            if name.is_empty() {
                faults.add(
                    "/customer/name",
                    "required",
                    "주문자 이름이 필요합니다.",
                    "customer.name is required.",
                );
            } else if !fits {
                let korean = format!("이름은 {NAME_CHARS_MAX}자까지 쓸 수 있습니다.");
                faults.add(
                    "/customer/name",
                    "invalid-name",
                    korean,
                    format!("name has at most {NAME_CHARS_MAX} characters."),
                );
            }
            Some(name.to_owned())
        }
        Some(_) => {
            faults.add(
                "/customer/name",
                "invalid-type",
                "이름은 문자열이어야 합니다.",
                "name must be a string.",
            );
            None
        }
    };
    let email = optional_text(customer, "email", faults).inspect(|email| {
        if !is_email(email) {
            faults.add(
                "/customer/email",
                "invalid-email",
                "이메일 주소를 확인해 주세요.",
                "Check the e-mail address.",
            );
        }
    });
    let phone = optional_text(customer, "phone", faults).map(|phone| {
        digits(&phone).unwrap_or_else(|| {
            faults.add(
                "/customer/phone",
                "invalid-phone",
                "전화번호를 확인해 주세요.",
                "Check the phone number.",
            );
            phone
        })
    });
    let customer = Customer {
        name: Personal::new(name?),
        email: email.map(Personal::new),
        phone: phone.map(Personal::new),
    };
    (faults.0.len() == before).then_some(customer)
}

/// A text that may be missing; blank is missing.
fn optional_text(object: &Map<String, Value>, name: &'static str, faults: &mut Faults) -> Option<String> {
    match member(object, name)? {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => {
            let pointer = format!("/customer/{name}");
            faults.add(
                pointer,
                "invalid-type",
                format!("{name}은(는) 문자열이어야 합니다."),
                format!("{name} must be a string."),
            );
            None
        }
    }
}

/// One `@`, something before it, a domain with a dot after it; whether it exists only mail can tell.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let plain = |part: &str| {
        !part.contains(|c: char| c.is_whitespace() || c.is_control() || "@<>()[],;:\\\"".contains(c))
    };
    let labels =
        domain.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    text.len() <= EMAIL_BYTES_MAX
        && (1..=64).contains(&local.len())
        && plain(local)
        && plain(domain)
        && labels
        && domain.contains('.')
}

/// The number as PGs take it, 9–15 digits with an optional `+`, whatever separated them.
fn digits(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
    let number = bare.strip_prefix('+').unwrap_or(&bare);
    ((9..=15).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())).then_some(bare)
}

fn generation(body: &Map<String, Value>, faults: &mut Faults) -> Option<Generation> {
    match member(body, "sdk").map(Value::as_str) {
        None | Some(Some("v2")) => Some(Generation::V2),
        Some(Some("v1")) => Some(Generation::V1),
        Some(_) => {
            faults.add("/sdk", "invalid-sdk", "sdk는 v1 또는 v2여야 합니다.", "sdk must be v1 or v2.");
            None
        }
    }
}

fn pay_method(
    body: &Map<String, Value>,
    generation: Option<Generation>,
    faults: &mut Faults,
) -> Option<PayMethod> {
    let method = match member(body, "payMethod") {
        None => Some(PayMethod::Card),
        Some(Value::String(method)) => PayMethod::from_word(method),
        Some(_) => None,
    };
    let method =
        method.filter(|method| generation != Some(Generation::V1) || v1_pay_method(*method).is_some());
    if method.is_none() {
        faults.add(
            "/payMethod",
            "invalid-pay-method",
            "지원하지 않는 결제 수단입니다.",
            "This payMethod is not supported.",
        );
    }
    method
}

/// V1 counts in the currency's major unit (`14.2` dollars), which is no integer here. Where the major unit
/// is the minor unit the two agree; other currencies are V2's.
pub fn generation_fault(generation: Generation, currency: Currency) -> Option<FieldFault> {
    let fits = generation == Generation::V2 || matches!(currency.code(), "KRW" | "JPY");
    let detail =
        ("이 통화는 V2로만 결제할 수 있습니다.".to_owned(), "This currency needs sdk v2.".to_owned());
    (!fits).then(|| FieldFault { pointer: "/sdk".to_owned(), code: "currency-not-supported", detail })
}

/// V1's `pay_method`, where it has one. Easy pay is a channel there, not a method.
pub fn v1_pay_method(method: PayMethod) -> Option<&'static str> {
    match method {
        PayMethod::Card | PayMethod::EasyPay => Some("card"),
        PayMethod::VirtualAccount => Some("vbank"),
        PayMethod::Transfer => Some("trans"),
        PayMethod::Mobile => Some("phone"),
        PayMethod::GiftCertificate
        | PayMethod::Paypal
        | PayMethod::Alipay
        | PayMethod::ConvenienceStore
        | PayMethod::AlipayPlus => None,
    }
}

fn redirect_url(
    body: &Map<String, Value>,
    allowed_origins: &[String],
    faults: &mut Faults,
) -> Option<String> {
    let text = match member(body, "redirectUrl")? {
        Value::String(text) => text,
        _ => {
            faults.add(
                "/redirectUrl",
                "invalid-type",
                "redirectUrl은 문자열이어야 합니다.",
                "redirectUrl must be a string.",
            );
            return None;
        }
    };
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && text.len() <= REDIRECT_URL_BYTES_MAX);
    let Some(url) = url else {
        faults.add(
            "/redirectUrl",
            "invalid-url",
            "redirectUrl은 http(s) 주소여야 합니다.",
            "redirectUrl must be an http(s) URL.",
        );
        return None;
    };
    let no_credentials = url.username().is_empty() && url.password().is_none();
    if !no_credentials || !allowed_origins.contains(&url.origin().ascii_serialization()) {
        faults.add(
            "/redirectUrl",
            "origin-not-allowed",
            "허용되지 않은 출처의 주소입니다.",
            "The origin of redirectUrl is not allowed.",
        );
        return None;
    }
    // As parsed: what a browser makes of it is what was checked.
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(body: Value) -> Vec<(String, &'static str)> {
        let (_, faults) = Wanted::read(&body, &["https://shop.example".to_owned()]);
        faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    fn with(member: &str, value: Value) -> Value {
        let mut body =
            json!({ "items": [{ "productId": "shoes", "quantity": 1 }], "customer": { "name": "홍길동" } });
        body[member] = value;
        body
    }

    #[test]
    fn every_fault_of_a_request_is_reported_at_once() {
        let body = json!({
            "items": [{ "productId": 1, "quantity": 0 }, "shoes", { "quantity": "2" }],
            "customer": { "name": " ", "email": "nobody", "phone": "12" },
            "payMethod": "GOLD", "sdk": "v9", "redirectUrl": "https://evil.example/",
        });
        let expected = [
            ("/items/0/productId", "invalid-type"),
            ("/items/0/quantity", "out-of-range"),
            ("/items/1", "invalid-type"),
            ("/items/2/productId", "required"),
            ("/items/2/quantity", "invalid-type"),
            ("/customer/name", "required"),
            ("/customer/email", "invalid-email"),
            ("/customer/phone", "invalid-phone"),
            ("/sdk", "invalid-sdk"),
            ("/payMethod", "invalid-pay-method"),
            ("/redirectUrl", "origin-not-allowed"),
        ];
        assert_eq!(faults(body), expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn a_body_that_is_no_object_has_nothing_to_read() {
        for body in [json!([]), json!("x"), json!(null), json!(7)] {
            assert_eq!(faults(body), [(String::new(), "invalid-type")]);
        }
    }

    #[test]
    fn v1_takes_currencies_without_a_fraction_only() {
        let fits = |generation, code: &str| generation_fault(generation, code.parse().unwrap()).is_none();
        assert!(fits(Generation::V1, "KRW") && fits(Generation::V1, "JPY") && fits(Generation::V2, "USD"));
        assert!(!fits(Generation::V1, "USD"));
    }

    #[test]
    fn quantities_are_integers_from_1_to_999() {
        for wrong in [json!(0), json!(-1), json!(1000), json!(1.5), json!(u64::MAX), json!(1e300)] {
            let body = with("items", json!([{ "productId": "shoes", "quantity": wrong }]));
            assert_eq!(faults(body), [("/items/0/quantity".to_owned(), "out-of-range")]);
        }
        assert!(faults(with("items", json!([{ "productId": "shoes", "quantity": 999 }]))).is_empty());
    }

    #[test]
    fn a_basket_has_1_to_50_lines() {
        let lines =
            |n: usize| with("items", Value::Array(vec![json!({ "productId": "shoes", "quantity": 1 }); n]));
        assert_eq!(faults(lines(0)), [("/items".to_owned(), "required")]);
        assert!(faults(lines(50)).is_empty());
        assert_eq!(faults(lines(51)), [("/items".to_owned(), "too-many")]);
    }

    #[test]
    fn email_and_phone_are_checked_when_given_and_blank_is_not_given() {
        for email in ["a@example.com", "a.b+c@sub.example.co.kr", "", " "] {
            assert!(faults(with("customer", json!({ "name": "홍", "email": email }))).is_empty(), "{email}");
        }
        for email in
            ["a", "@example.com", "a@", "a@b", "a@b..c", "a b@c.kr", "a@b@c.kr", "a@-b.kr", "<a@b.kr>"]
        {
            assert_eq!(faults(with("customer", json!({ "name": "홍", "email": email }))).len(), 1, "{email}");
        }
        for phone in ["01012345678", "010-1234-5678", "+82 10 1234 5678", "(02) 123-4567"] {
            assert!(faults(with("customer", json!({ "name": "홍", "phone": phone }))).is_empty(), "{phone}");
        }
        for phone in ["1234", "전화", "0101234567890123", "010-abcd-5678"] {
            assert_eq!(faults(with("customer", json!({ "name": "홍", "phone": phone }))).len(), 1, "{phone}");
        }
    }

    #[test]
    fn a_redirect_goes_to_an_allowed_origin_and_nowhere_else() {
        assert!(faults(with("redirectUrl", json!("https://shop.example/return?a=1#b"))).is_empty());
        for url in [
            "http://shop.example/",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://user:pass@shop.example/",
            "https://shop.example:444/",
            "https:\\\\evil.example/",
            "//evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/return",
            "",
        ] {
            assert_eq!(faults(with("redirectUrl", json!(url))).len(), 1, "{url}");
        }
    }
}
