//! `IMP.request_pay(params, callback)`: what the parameters must be, and the window they open.

use serde_json::{Map, Number, Value, json};
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

use super::{amount, words};
use crate::{
    clock::Timestamp,
    config::Channel,
    payment::{
        Amount, Checkout, Customer, Method, PayMethod, Platform, Presentation, Refusal, Transaction, Version,
    },
    world::World,
};

/// Longer order numbers are refused (V1 payment request parameters).
const MERCHANT_UID_MAX_CHARS: usize = 40;

/// Why no window opened. The callback is told, with `imp_uid` null, and nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowRefused {
    /// `error_code` of the callback; V1 does not state its codes.
    pub code: String,
    /// `error_msg` of the callback.
    pub message: String,
    /// As given, when it was text.
    pub merchant_uid: Option<String>,
}

impl WindowRefused {
    /// What the callback is called with.
    #[must_use]
    pub fn callback(&self) -> Value {
        json!({
            "success": false,
            "imp_uid": null,
            "merchant_uid": self.merchant_uid,
            "error_code": self.code,
            "error_msg": self.message,
        })
    }
}

/// Where the page runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    pub mobile: bool,
    pub origin: Option<String>,
    pub user_agent: Option<String>,
}

/// A window that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    pub imp_uid: String,
    pub presentation: Presentation,
}

/// Checks the parameters and opens their window: a `ready` attempt with an `imp_uid` of its own.
pub(crate) fn open(world: &mut World, params: &Value, browser: Browser) -> Result<Opened, WindowRefused> {
    let params = Params(params.as_object().cloned().unwrap_or_default());
    let merchant_uid = params.text("merchant_uid");
    opened(world, &params, browser).map_err(|(code, message)| WindowRefused {
        code: code.to_owned(),
        message,
        merchant_uid,
    })
}

impl World {
    /// A new `imp_uid`: `imp_` and digits, or `imps_` and digits for a charge by REST.
    pub(crate) fn imp_uid(&mut self, by_rest: bool) -> String {
        format!("{}_{}", if by_rest { "imps" } else { "imp" }, self.book.chance.digits(12))
    }
}

type Reason = (&'static str, String);

fn bad(message: &str) -> Reason {
    ("BAD_REQUEST", message.to_owned())
}

fn opened(world: &mut World, params: &Params, browser: Browser) -> Result<Opened, Reason> {
    let merchant_uid = params.merchant_uid()?;
    let currency = params.text("currency").unwrap_or_else(|| "KRW".to_owned());
    let amount = params.amount(&currency)?;
    let asked = params.text("pay_method").unwrap_or_else(|| "card".to_owned());
    let (pay_method, wallet) =
        words::pay_method(&asked).ok_or_else(|| bad("지원하지 않는 pay_method입니다."))?;
    let channel = channel(world, params)?;
    let redirect_url = params.url("m_redirect_url")?;
    let confirm_url = params.url("confirm_url")?;
    check_prepared(world, &merchant_uid, amount.total, &currency)?;

    let wall = Timestamp::wall();
    let imp_uid = world.imp_uid(false);
    let customer = Customer {
        id: params.text("customer_uid"),
        name: params.text("buyer_name"),
        email: params.text("buyer_email"),
        phone_number: params.text("buyer_tel"),
        zipcode: params.text("buyer_postcode"),
    };
    let method = wallet.map(|name| {
        Method::for_request(PayMethod::EasyPay, Some(&name), &customer, wall, 0, &mut world.book.chance)
    });
    let redirects = browser.mobile && redirect_url.is_some();
    let presentation = match (redirects, params.0.get("popup")) {
        (true, _) => Presentation::Redirection,
        (false, Some(Value::Bool(true))) => Presentation::Popup,
        (false, _) => Presentation::Iframe,
    };
    let ready = Transaction::ready(imp_uid.clone(), channel, pay_method, amount, wall);
    let transaction = Transaction {
        method,
        currency,
        order_name: params.text("name").unwrap_or_default(),
        customer,
        custom_data: params.custom_data(),
        platform: if browser.mobile { Platform::Mobile } else { Platform::Pc },
        checkout: Checkout {
            presentation: Some(presentation),
            page_origin: browser.origin,
            redirect_url,
            redirects,
            confirm_url,
            notice_urls: params.notice_urls(),
            account_valid_hours: params.account_hours(wall)?,
            locale: params.text("language"),
            asked_as: Some(asked),
            buyer_address: params.text("buyer_addr"),
            user_agent: browser.user_agent,
        },
        ..ready
    };
    let store_id = world.config.store_id.clone();
    world.open_attempt(&merchant_uid, &store_id, Version::V1, transaction).map_err(refused)?;
    Ok(Opened { imp_uid, presentation })
}

fn refused(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::AlreadyPaid => {
            ("F400", "이미 승인완료된 merchant_uid로 결제를 다시 시도할 수 없습니다.".to_owned())
        }
        Refusal::AttemptCountReached => ("F400", "결제 시도 횟수를 초과했습니다.".to_owned()),
        Refusal::Invalid(message) => ("BAD_REQUEST", message),
        other => ("UNKNOWN_ERROR", format!("{other:?}")),
    }
}

/// The channel of `channelKey`; without one the one whose merchant number `pg` names, else the console's
/// default, which is the first.
fn channel(world: &World, params: &Params) -> Result<Channel, Reason> {
    let found = match (params.text("channelKey"), params.text("pg")) {
        (Some(key), _) => world.channel(&key),
        (None, pg) => {
            let named = pg.as_deref().and_then(|pg| pg.split_once('.')).and_then(|(_, number)| {
                world.config.channels.iter().find(|channel| channel.pg_merchant_id == number)
            });
            named.or(world.config.channels.first())
        }
    };
    found.cloned().ok_or_else(|| bad("등록된 PG 설정 정보가 없습니다."))
}

fn check_prepared(world: &World, merchant_uid: &str, total: i64, currency: &str) -> Result<(), Reason> {
    let Some(prepared) = world.book.prepared.get(merchant_uid) else { return Ok(()) };
    let same = amount::read(&prepared.amount, currency) == Some(total)
        && prepared.currency.as_deref().is_none_or(|it| it == currency);
    if same {
        Ok(())
    } else {
        Err(bad("사전 등록된 결제금액과 요청한 결제금액이 일치하지 않습니다."))
    }
}

/// What the page passed, types included: V1 refuses an amount that is text.
struct Params(Map<String, Value>);

impl Params {
    fn text(&self, name: &str) -> Option<String> {
        Some(self.0.get(name)?.as_str()?.to_owned()).filter(|text| !text.is_empty())
    }

    fn merchant_uid(&self) -> Result<String, Reason> {
        let text = self.text("merchant_uid");
        let text = text.ok_or_else(|| bad("merchant_uid는 필수이며 문자열이어야 합니다."))?;
        if text.chars().count() > MERCHANT_UID_MAX_CHARS {
            return Err(bad("merchant_uid는 40자를 넘을 수 없습니다."));
        }
        Ok(text)
    }

    fn amount(&self, currency: &str) -> Result<Amount, Reason> {
        let minor = |name: &str| match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(_) => Err(bad(&format!("{name}는 숫자여야 합니다."))),
        };
        let read = |number: Option<&Number>, name: &str| match number {
            None => Ok(None),
            Some(number) => amount::read(number, currency)
                .map(Some)
                .ok_or_else(|| bad(&format!("{name}가 올바른 금액이 아닙니다."))),
        };
        let total =
            read(minor("amount")?, "amount")?.ok_or_else(|| bad("amount는 필수이며 숫자여야 합니다."))?;
        let tax_free = read(minor("tax_free")?, "tax_free")?.unwrap_or(0);
        let vat = read(minor("vat_amount")?, "vat_amount")?;
        let amount = Amount::new(total, tax_free, vat).filter(|amount| amount.total > 0);
        amount.ok_or_else(|| bad("결제금액이 올바르지 않습니다."))
    }

    fn url(&self, name: &str) -> Result<Option<String>, Reason> {
        match self.text(name) {
            Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err(bad(&format!("{name}은 http:// 또는 https://로 시작해야 합니다.")))
            }
            url => Ok(url),
        }
    }

    /// The page passes an object; V1 keeps and returns its text.
    fn custom_data(&self) -> Option<String> {
        let data = self.0.get("custom_data").filter(|data| !data.is_null())?;
        Some(data.as_str().map_or_else(|| data.to_string(), str::to_owned))
    }

    fn notice_urls(&self) -> Vec<String> {
        match self.0.get("notice_url") {
            Some(Value::String(url)) if !url.is_empty() => vec![url.clone()],
            Some(Value::Array(urls)) => urls.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    fn account_hours(&self, wall: Timestamp) -> Result<Option<u32>, Reason> {
        let Some(text) = self.text("vbank_due") else { return Ok(None) };
        let due = due(&text).ok_or_else(|| bad("vbank_due 형식이 올바르지 않습니다."))?;
        let hours = due.millis().saturating_sub(wall.millis()).div_euclid(3_600_000);
        u32::try_from(hours).map(Some).map_err(|_| bad("vbank_due는 미래여야 합니다."))
    }
}

/// `YYYY-MM-DD`, `YYYYMMDD`, `YYYY-MM-DD HH:mm:ss`, `YYYYMMDDHHmmss` (and the older `YYYYMMDDHHmm`) in Korean
/// time; a day alone ends with its last second.
fn due(text: &str) -> Option<Timestamp> {
    let separators = |it: char| matches!(it, '-' | ' ' | ':');
    if !text.chars().all(|it| it.is_ascii_digit() || separators(it)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |from: usize, to: usize| digits.get(from..to)?.parse::<u8>().ok();
    let time = match digits.len() {
        8 => Time::from_hms(23, 59, 59),
        12 => Time::from_hms(part(8, 10)?, part(10, 12)?, 0),
        14 => Time::from_hms(part(8, 10)?, part(10, 12)?, part(12, 14)?),
        _ => return None,
    };
    let month = Month::try_from(part(4, 6)?).ok()?;
    let date = Date::from_calendar_date(digits.get(..4)?.parse().ok()?, month, part(6, 8)?).ok()?;
    let korea = UtcOffset::from_hms(9, 0, 0).ok()?;
    let at = PrimitiveDateTime::new(date, time.ok()?).assume_offset(korea);
    Some(Timestamp::from_millis(at.unix_timestamp().checked_mul(1000)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_deadline_is_the_same_moment_in_korea() {
        let end_of_day = Timestamp::parse("2026-12-31T23:59:59+09:00");
        for text in ["2026-12-31", "20261231", "2026-12-31 23:59:59", "20261231235959"] {
            assert_eq!(due(text), end_of_day, "{text}");
        }
        assert_eq!(due("202612312359"), Timestamp::parse("2026-12-31T23:59:00+09:00"));
        for text in ["2026", "2026-13-01", "tomorrow", "2026-12-31T23:59:59Z"] {
            assert_eq!(due(text), None, "{text}");
        }
    }
}
