//! `sdk`, `payMethod` and `redirectUrl`: how it is to be paid.

use api::checkout::REDIRECT_URL_BYTES_MAX;
use backend::http::FieldFault;
use order::{Currency, Generation, PayMethod, text};
use serde_json::{Map, Value};
use url::Url;

use super::{Faults, member};

pub(super) fn generation(body: &Map<String, Value>, faults: &mut Faults) -> Option<Generation> {
    match member(body, "sdk").map(Value::as_str) {
        None | Some(Some("v2")) => Some(Generation::V2),
        Some(Some("v1")) => Some(Generation::V1),
        Some(_) => {
            faults.add("/sdk", "invalid-sdk", "sdk는 v1 또는 v2여야 합니다.", "sdk must be v1 or v2.");
            None
        }
    }
}

pub(super) fn pay_method(
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
///
/// A generation is `usable` if this deployment has its credentials.
pub fn generation_fault(generation: Generation, currency: Currency, usable: bool) -> Option<FieldFault> {
    let fits = generation == Generation::V2 || matches!(currency.code(), "KRW" | "JPY");
    let (code, korean, english) = match (usable, fits) {
        (true, true) => return None,
        (false, _) => {
            ("sdk-not-configured", "이 상점에서 쓰지 않는 sdk입니다.", "This shop does not use this sdk.")
        }
        (true, false) => {
            ("currency-not-supported", "이 통화는 V2로만 결제할 수 있습니다.", "This currency needs sdk v2.")
        }
    };
    Some(FieldFault { pointer: "/sdk".to_owned(), code, detail: (korean.to_owned(), english.to_owned()) })
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

pub(super) fn redirect_url(
    body: &Map<String, Value>,
    allowed_origins: &[String],
    faults: &mut Faults,
) -> Option<String> {
    let text = match member(body, "redirectUrl")? {
        Value::String(text) => text::composed(text),
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
    let url = Url::parse(&text)
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
