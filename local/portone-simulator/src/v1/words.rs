//! V1's names for what the payment core knows: statuses, methods, PGs.

use crate::{
    payment::{Method, PayMethod, Status, Transaction},
    switches::V1PartialCancel,
};

/// V1 has four statuses. A virtual account that was closed before a deposit is `failed` (release note of
/// 2024-01-25), and what a partly cancelled payment is called is not stated.
pub(super) fn status(tx: &Transaction, partial: V1PartialCancel) -> &'static str {
    match tx.status {
        Status::Ready | Status::PayPending | Status::VirtualAccountIssued => "ready",
        Status::Paid => "paid",
        Status::PartialCancelled => match partial {
            V1PartialCancel::Paid => "paid",
            V1PartialCancel::Cancelled => "cancelled",
        },
        Status::Cancelled if tx.captured() => "cancelled",
        Status::Cancelled | Status::Failed => "failed",
    }
}

/// What a page's `pay_method` asks for, and the wallet where it names one.
pub(super) fn pay_method(name: &str) -> Option<(PayMethod, Option<String>)> {
    let method = match name {
        "card" => PayMethod::Card,
        "trans" => PayMethod::Transfer,
        "vbank" => PayMethod::VirtualAccount,
        "phone" => PayMethod::Mobile,
        "cultureland" | "smartculture" | "happymoney" | "booknlife" | "culturegift" => {
            PayMethod::GiftCertificate
        }
        "paypal" => PayMethod::Paypal,
        "alipay" => PayMethod::Alipay,
        "samsung" | "kakaopay" | "naverpay" | "payco" | "lpay" | "ssgpay" | "tosspay" | "applepay" => {
            let provider = if name == "samsung" { "SAMSUNGPAY".to_owned() } else { name.to_uppercase() };
            return Some((PayMethod::EasyPay, Some(provider)));
        }
        _ => return None,
    };
    Some((method, None))
}

/// The `pay_method` of a payment: what the page asked for, unless another kind was paid with.
pub(super) fn paid_with(tx: &Transaction) -> String {
    if let Some(asked) = &tx.checkout.asked_as {
        return asked.clone();
    }
    if let Some(Method::EasyPay { provider, .. }) = &tx.method {
        return if provider == "SAMSUNGPAY" { "samsung".to_owned() } else { provider.to_lowercase() };
    }
    let name = match tx.pay_method {
        PayMethod::Card | PayMethod::EasyPay | PayMethod::ConvenienceStore => "card",
        PayMethod::Transfer => "trans",
        PayMethod::VirtualAccount => "vbank",
        PayMethod::Mobile => "phone",
        PayMethod::GiftCertificate => "cultureland",
        PayMethod::Paypal => "paypal",
        PayMethod::Alipay | PayMethod::AlipayPlus => "alipay",
    };
    name.to_owned()
}

/// `pg_provider`: V1 writes names of its own in lower case.
pub(super) fn pg_provider(provider: &str) -> String {
    match provider {
        "INICIS" | "INICIS_V2" => "html5_inicis".to_owned(),
        other => other.to_lowercase(),
    }
}

/// A list's status segment: `None` for every status, an error for what is none.
pub(super) fn filter(segment: Option<&str>) -> Result<Option<&'static str>, ()> {
    match segment {
        None | Some("" | "all") => Ok(None),
        Some("ready") => Ok(Some("ready")),
        Some("paid") => Ok(Some("paid")),
        Some("cancelled") => Ok(Some("cancelled")),
        Some("failed") => Ok(Some("failed")),
        Some(_) => Err(()),
    }
}
