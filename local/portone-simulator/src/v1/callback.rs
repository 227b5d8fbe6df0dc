//! What the page hears: the callback's `rsp`, or the query of `m_redirect_url`.
//!
//! Neither says whether money moved; the shop's server has to ask.

use serde_json::{Map, Value, json};

use super::{amount, render};
use crate::{
    checkout::WindowResult,
    payment::{Payment, Status, Transaction, Version},
    switches::V1Callback,
    world::World,
};

/// PGs whose callback has four members and no more (V1 payment response parameters).
const FOUR_MEMBER_PGS: [&str; 6] = ["TOSSPAYMENTS", "SMARTRO_V2", "NICE_V2", "PAYPAL_V2", "KSNET", "WELCOME"];

/// What a finished V1 window hands over.
#[derive(Debug)]
pub(crate) struct Handed {
    /// For the callback.
    pub rsp: Value,
    /// Where the buyer goes instead, when the window replaced the page.
    pub redirect_to: Option<String>,
}

/// What the window of this attempt hands over; `None` when V2 opened it.
pub(crate) fn handed(world: &World, id: &str, result: &WindowResult) -> Option<Handed> {
    let (payment, tx) = world.transaction(id).ok()?;
    if payment.version != Version::V1 {
        return None;
    }
    let full = match world.switches.v1_callback {
        V1Callback::ByPg => !FOUR_MEMBER_PGS.contains(&tx.channel.pg_provider.as_str()),
        V1Callback::Full => true,
        V1Callback::FourMembers => false,
    };
    let rsp = rsp(world, payment, tx, result, full);
    let redirect_to = tx.checkout.redirect_url.as_deref().filter(|_| tx.checkout.redirects);
    Some(Handed { redirect_to: redirect_to.and_then(|url| redirect(url, &rsp)), rsp })
}

fn rsp(world: &World, payment: &Payment, tx: &Transaction, result: &WindowResult, full: bool) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    if full {
        put("success", json!(result.code.is_none()));
    }
    put("imp_uid", json!(tx.id));
    put("merchant_uid", json!(payment.id));
    if let Some(code) = result.pg_code.as_ref().or(result.code.as_ref()) {
        put("error_code", json!(code));
        put("error_msg", json!(result.message));
    }
    if !full {
        return Value::Object(members);
    }
    let shown = render::payment(world, payment, tx);
    for same in [
        "pay_method",
        "status",
        "name",
        "pg_provider",
        "emb_pg_provider",
        "pg_tid",
        "buyer_name",
        "buyer_email",
        "buyer_tel",
        "buyer_addr",
        "buyer_postcode",
        "paid_at",
        "receipt_url",
        "apply_num",
        "card_name",
        "card_number",
        "card_quota",
        "bank_name",
        "vbank_num",
        "vbank_name",
        "vbank_holder",
        "vbank_date",
        "currency",
    ] {
        put(same, shown[same].clone());
    }
    put("pg_type", json!("payment"));
    let moved = matches!(tx.status, Status::Paid | Status::VirtualAccountIssued);
    let paid = if moved { tx.amount.payable() } else { 0 };
    put("paid_amount", amount::write(paid, &tx.currency));
    // Echoed as it was given: an object stays one.
    let data = tx.custom_data.as_deref();
    put(
        "custom_data",
        data.map_or(Value::Null, |text| serde_json::from_str(text).unwrap_or_else(|_| json!(text))),
    );
    Value::Object(members)
}

/// `m_redirect_url` with its members in the query. `imp_success` comes where the callback has `success`.
fn redirect(url: &str, rsp: &Value) -> Option<String> {
    let mut url = reqwest::Url::parse(url).ok()?;
    for (member, name) in [
        ("imp_uid", "imp_uid"),
        ("merchant_uid", "merchant_uid"),
        ("success", "imp_success"),
        ("error_code", "error_code"),
        ("error_msg", "error_msg"),
    ] {
        match &rsp[member] {
            Value::String(text) => url.query_pairs_mut().append_pair(name, text),
            Value::Bool(flag) => url.query_pairs_mut().append_pair(name, &flag.to_string()),
            _ => continue,
        };
    }
    Some(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_keeps_the_shops_own_query_and_omits_what_is_not_there() {
        let rsp = json!({ "imp_uid": "imp_1", "merchant_uid": "m", "success": true, "paid_amount": 1 });
        assert_eq!(
            redirect("http://shop.example/return?lang=ko", &rsp).unwrap(),
            "http://shop.example/return?lang=ko&imp_uid=imp_1&merchant_uid=m&imp_success=true"
        );
        let failed =
            json!({ "imp_uid": "imp_1", "merchant_uid": "m", "error_code": "X", "error_msg": "거절" });
        assert_eq!(
            redirect("http://shop.example/", &failed).unwrap(),
            "http://shop.example/?imp_uid=imp_1&merchant_uid=m&error_code=X&error_msg=%EA%B1%B0%EC%A0%88"
        );
    }
}
