//! The request: read whole, every fault of it reported at once.

mod basket;
mod customer;
mod payment;

use backend::http::FieldFault;
use order::{Customer, Generation, PayMethod};
use serde_json::{Map, Value};

pub use basket::{BasketLine, pricing_faults};
pub use payment::{generation_fault, v1_pay_method};

/// What a request asks for, as far as it could be read.
pub struct Wanted {
    /// Lines whose product and quantity could be read.
    pub basket: Vec<BasketLine>,
    /// Everything else, if none of it is at fault.
    pub checked: Option<Checked>,
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
        let basket = basket::read(body, &mut faults);
        let customer = customer::read(body, &mut faults);
        let generation = payment::generation(body, &mut faults);
        let pay_method = payment::pay_method(body, generation, &mut faults);
        let redirect_url = payment::redirect_url(body, allowed_origins, &mut faults);
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
        let fits =
            |generation, code: &str| generation_fault(generation, code.parse().unwrap(), true).is_none();
        assert!(fits(Generation::V1, "KRW") && fits(Generation::V1, "JPY") && fits(Generation::V2, "USD"));
        assert!(!fits(Generation::V1, "USD"));
    }

    #[test]
    fn a_generation_without_credentials_takes_no_orders() {
        for generation in [Generation::V1, Generation::V2] {
            let fault = generation_fault(generation, "KRW".parse().unwrap(), false).unwrap();
            assert_eq!((fault.pointer.as_str(), fault.code), ("/sdk", "sdk-not-configured"));
        }
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

    fn customer(customer: Value) -> Customer {
        let (wanted, faults) = Wanted::read(&with("customer", customer), &[]);
        assert!(faults.is_empty(), "{faults:?}");
        wanted.checked.unwrap().customer
    }

    #[test]
    fn a_pasted_phone_number_is_the_number_that_its_buyer_sees() {
        for (pasted, number) in [
            ("\u{202A}+82 10-1234-5678\u{202C}", "+821012345678"),
            ("\u{2068}010\u{2013}1234\u{2013}5678\u{2069}", "01012345678"),
            ("０１０－１２３４－５６７８", "01012345678"),
            ("＋８２\u{3000}１０\u{A0}1234\u{2011}5678", "+821012345678"),
            ("\u{FEFF}010\u{200B}1234\u{200E}5678\u{200F}", "01012345678"),
        ] {
            let customer = customer(json!({ "name": "홍길동", "phone": pasted }));
            assert_eq!(customer.phone.unwrap().expose(), number);
        }
        for wrong in ["\u{202A}\u{202C}1234", "010\u{202A}abcd\u{202C}5678"] {
            let body = with("customer", json!({ "name": "홍길동", "phone": wrong }));
            assert_eq!(faults(body), [("/customer/phone".to_owned(), "invalid-phone")]);
        }
    }

    #[test]
    fn what_a_buyer_enters_is_composed_and_without_invisible_characters() {
        let decomposed = "\u{1112}\u{1169}\u{11BC}\u{1100}\u{1175}\u{11AF}\u{1103}\u{1169}\u{11BC}";
        let entered = json!({ "name": format!(" \u{FEFF}{decomposed}\u{200B} "), "email": "hong＠example.com\u{200B}",
            "phone": "\u{200B}" });
        let customer = customer(entered);
        assert_eq!(customer.name.expose(), "홍길동");
        assert_eq!(customer.email.unwrap().expose(), "hong@example.com");
        assert!(customer.phone.is_none());
        // Sixty syllables are sixty characters, in how many pieces they come.
        let long = "\u{1112}\u{1169}\u{11BC}".repeat(60);
        assert!(faults(with("customer", json!({ "name": long }))).is_empty());
        let blank = json!({ "name": "\u{3164}\u{200D}" });
        assert_eq!(faults(with("customer", blank)), [("/customer/name".to_owned(), "required")]);
    }

    #[test]
    fn a_product_and_a_redirect_in_pieces_are_the_composed_ones() {
        let mut body =
            with("redirectUrl", json!("https://shop.example/cafe\u{301}?q=\u{1112}\u{1169}\u{11BC}"));
        body["items"][0]["productId"] = json!("cafe\u{301}");
        let (wanted, faults) = Wanted::read(&body, &["https://shop.example".to_owned()]);
        assert!(faults.is_empty());
        assert_eq!(wanted.basket[0].product.as_str(), "café");
        let composed = "https://shop.example/caf%C3%A9?q=%ED%99%8D";
        assert_eq!(wanted.checked.unwrap().redirect_url.as_deref(), Some(composed));
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
