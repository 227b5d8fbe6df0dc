//! `customer`: who buys.

use api::checkout::{EMAIL_BYTES_MAX, NAME_CHARS_MAX};
use order::{Customer, Personal, text};
use serde_json::{Map, Value};

use super::{Faults, member};

pub(super) fn read(body: &Map<String, Value>, faults: &mut Faults) -> Option<Customer> {
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
            let name = text::entered(name);
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
    let email = optional_text(customer, "email", text::address, faults).inspect(|email| {
        if !is_email(email) {
            faults.add(
                "/customer/email",
                "invalid-email",
                "이메일 주소를 확인해 주세요.",
                "Check the e-mail address.",
            );
        }
    });
    let phone = optional_text(customer, "phone", text::number, faults).map(|phone| {
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

/// A text that may be missing, in its form; blank is missing.
fn optional_text(
    object: &Map<String, Value>,
    name: &'static str,
    form: fn(&str) -> String,
    faults: &mut Faults,
) -> Option<String> {
    match member(object, name)? {
        Value::String(text) => Some(form(text).trim().to_owned()).filter(|text| !text.is_empty()),
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
