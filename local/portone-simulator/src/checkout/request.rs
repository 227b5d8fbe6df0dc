//! `PortOne.requestPayment(request)`: what it must hold, and the window it opens.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    clock::Timestamp,
    config::Channel,
    payment::{
        Amount, Checkout, Customer, Method, PayMethod, Payment, Platform, Presentation, Refusal, Transaction,
        Version,
    },
    raw::RawTexts,
    world::{Publication, World},
};

/// An error before any window opened: the SDK throws it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckoutError {
    /// `PaymentAlreadyPaid`, `AmountNotEqualToPredefined`, …
    pub code: String,
    /// In words.
    pub message: String,
}

impl CheckoutError {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// A window that was opened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened {
    pub tx_id: String,
    pub presentation: Presentation,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WindowRequest {
    store_id: String,
    payment_id: String,
    order_name: String,
    total_amount: i64,
    currency: String,
    pay_method: PayMethod,
    channel_key: Option<String>,
    channel_group_id: Option<String>,
    #[serde(default)]
    tax_free_amount: i64,
    vat_amount: Option<i64>,
    #[serde(default)]
    customer: RequestCustomer,
    #[serde(default)]
    window_type: WindowType,
    redirect_url: Option<String>,
    #[serde(default)]
    force_redirect: bool,
    #[serde(default)]
    notice_urls: Vec<String>,
    confirm_url: Option<String>,
    custom_data: Option<Value>,
    #[serde(default)]
    products: Vec<Value>,
    locale: Option<String>,
    virtual_account: Option<VirtualAccountOptions>,
    easy_pay: Option<EasyPayOptions>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestCustomer {
    customer_id: Option<String>,
    full_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    phone_number: Option<String>,
    zipcode: Option<String>,
}

impl From<RequestCustomer> for Customer {
    fn from(given: RequestCustomer) -> Self {
        let joined = match (given.last_name, given.first_name) {
            (Some(last), Some(first)) => Some(format!("{last} {first}")),
            (last, first) => last.or(first),
        };
        Self {
            id: given.customer_id,
            name: given.full_name.or(joined),
            email: given.email,
            phone_number: given.phone_number,
            zipcode: given.zipcode,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct WindowType {
    pc: Option<WindowKind>,
    mobile: Option<WindowKind>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WindowKind {
    Iframe,
    Popup,
    Redirection,
    Ui,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VirtualAccountOptions {
    account_expiry: Option<AccountExpiry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountExpiry {
    valid_hours: Option<u32>,
    due_date: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EasyPayOptions {
    easy_pay_provider: Option<String>,
}

/// Checks a request and opens its window: a READY attempt, and the news of it.
///
/// # Errors
/// The SDK's error codes; nothing changed then.
pub(crate) fn open(
    world: &mut World,
    request: &Value,
    mobile: bool,
    page_origin: Option<String>,
) -> Result<Opened, CheckoutError> {
    let request: WindowRequest = serde_json::from_value(request.clone())
        .map_err(|error| CheckoutError::new("RequestParseFailed", error.to_string()))?;
    let channel = check(world, &request)?;
    check_registration(world, &request)?;

    let wall = Timestamp::wall();
    let presentation = presentation(&request, mobile);
    let redirects = request.redirect_url.is_some()
        && (presentation == Presentation::Redirection || request.force_redirect);
    let amount = Amount::new(request.total_amount, request.tax_free_amount, request.vat_amount)
        .ok_or_else(|| CheckoutError::new("BadRequest", "taxFreeAmount and vatAmount exceed totalAmount"))?;
    let customer: Customer = request.customer.into();
    let tx_id = world.book.chance.uuid();
    // The wallet is chosen by the shop, so it is known before anything is paid.
    let wallet = request.easy_pay.and_then(|options| options.easy_pay_provider);
    let wallet = wallet.as_deref().map(|name| name.trim_start_matches("EASY_PAY_PROVIDER_"));
    let method = wallet.filter(|_| request.pay_method == PayMethod::EasyPay).map(|name| {
        Method::for_request(PayMethod::EasyPay, Some(name), &customer, wall, 0, &mut world.book.chance)
    });
    let valid_hours = request.virtual_account.and_then(|options| account_hours(options, wall));
    let ready = Transaction::ready(tx_id.clone(), channel, request.pay_method, amount, wall);
    let transaction = Transaction {
        method,
        currency: request.currency.trim_start_matches("CURRENCY_").to_owned(),
        order_name: request.order_name,
        customer,
        custom_data: request.custom_data.map(json_text),
        products: request.products,
        platform: if mobile { Platform::Mobile } else { Platform::Pc },
        checkout: Checkout {
            presentation: Some(presentation),
            page_origin,
            redirect_url: request.redirect_url,
            redirects,
            confirm_url: request.confirm_url,
            notice_urls: request.notice_urls,
            account_valid_hours: valid_hours,
            locale: request.locale,
            ..Checkout::default()
        },
        ..ready
    };
    world.open_attempt(&request.payment_id, &request.store_id, Version::V2, transaction).map_err(refused)?;
    Ok(Opened { tx_id, presentation })
}

impl World {
    /// Adds an attempt to its payment, which is made when it is the first, and tells it. A payment stays
    /// with the generation that opened it.
    pub(crate) fn open_attempt(
        &mut self,
        id: &str,
        store_id: &str,
        version: Version,
        tx: Transaction,
    ) -> Result<(), Refusal> {
        let cap = self.switches.attempt_cap;
        let tx_id = tx.id.clone();
        let new = Payment {
            id: id.to_owned(),
            merchant_id: self.config.merchant_id.clone(),
            store_id: store_id.to_owned(),
            version,
            created_at: tx.requested_at,
            transactions: Vec::new(),
            cancel_mode: None,
            cancel_mode_left: None,
            patch: Value::Null,
            raw_texts: RawTexts::new(),
        };
        let news = match self.book.payments.get_mut(id) {
            Some(payment) if payment.version != version => {
                return Err(Refusal::Invalid(
                    "a window of the other generation was opened before".to_owned(),
                ));
            }
            // Whether two stores of one company may use the same id is not stated: not here.
            Some(payment) if payment.store_id != store_id => {
                return Err(Refusal::Invalid("the id belongs to a payment of another store".to_owned()));
            }
            Some(payment) => payment.open(tx, cap)?,
            None => {
                let mut payment = new;
                let news = payment.open(tx, cap)?;
                self.book.payments.insert(id.to_owned(), payment);
                news
            }
        };
        self.book.attempts.insert(tx_id, id.to_owned());
        self.publish(id, &news, Publication::default());
        Ok(())
    }
}

/// The shop passes an object; PortOne keeps and returns its text.
fn json_text(data: Value) -> String {
    data.as_str().map_or_else(|| data.to_string(), str::to_owned)
}

fn check(world: &World, request: &WindowRequest) -> Result<Channel, CheckoutError> {
    let bad = |message: &str| Err(CheckoutError::new("BadRequest", message));
    if !world.knows_store(&request.store_id) {
        return Err(CheckoutError::new("StoreNotFound", "상점 정보를 찾을 수 없습니다."));
    }
    let channel = match (&request.channel_key, &request.channel_group_id) {
        (Some(key), _) => world.channel(key),
        (None, Some(_)) => world.config.channels.first(),
        (None, None) => return bad("channelKey or channelGroupId is required"),
    };
    let channel =
        channel.ok_or_else(|| CheckoutError::new("ChannelNotFound", "채널 정보를 찾을 수 없습니다."))?;
    if request.payment_id.is_empty() || request.order_name.is_empty() {
        return bad("paymentId and orderName must not be empty");
    }
    if request.total_amount <= 0 {
        return bad("totalAmount must be a positive integer");
    }
    for url in request.redirect_url.iter().chain(&request.confirm_url) {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return bad("redirectUrl and confirmUrl must start with http:// or https://");
        }
    }
    Ok(channel.clone())
}

fn check_registration(world: &World, request: &WindowRequest) -> Result<(), CheckoutError> {
    let registered = world.registration(&request.payment_id, &request.store_id);
    let Some(registered) = registered else { return Ok(()) };
    let currency = request.currency.trim_start_matches("CURRENCY_");
    let same = registered.total.is_none_or(|total| total == request.total_amount)
        && registered.tax_free.is_none_or(|tax_free| tax_free == request.tax_free_amount)
        && registered.currency.as_ref().is_none_or(|it| it.trim_start_matches("CURRENCY_") == currency);
    if same {
        return Ok(());
    }
    Err(CheckoutError::new("AmountNotEqualToPredefined", "사전 등록된 금액과 결제 요청 금액이 다릅니다."))
}

fn presentation(request: &WindowRequest, mobile: bool) -> Presentation {
    let default = if mobile { WindowKind::Redirection } else { WindowKind::Iframe };
    let wanted = if mobile { request.window_type.mobile } else { request.window_type.pc };
    match wanted.unwrap_or(default) {
        WindowKind::Popup => Presentation::Popup,
        WindowKind::Redirection if request.redirect_url.is_some() => Presentation::Redirection,
        WindowKind::Iframe | WindowKind::Redirection | WindowKind::Ui => Presentation::Iframe,
    }
}

fn account_hours(options: VirtualAccountOptions, wall: Timestamp) -> Option<u32> {
    let expiry = options.account_expiry?;
    let until = || {
        let text = expiry.due_date.as_deref()?;
        let at = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T23:59:59+09:00")))?;
        u32::try_from(at.millis().saturating_sub(wall.millis()).div_euclid(3_600_000)).ok()
    };
    expiry.valid_hours.or_else(until)
}

fn refused(refusal: Refusal) -> CheckoutError {
    match refusal {
        Refusal::AlreadyPaid => CheckoutError::new("PaymentAlreadyPaid", "이미 결제된 결제 건입니다."),
        Refusal::AttemptCountReached => {
            CheckoutError::new("InvalidEntityState", "결제 시도 횟수를 초과했습니다.")
        }
        other => CheckoutError::new("UnknownError", format!("{other:?}")),
    }
}
