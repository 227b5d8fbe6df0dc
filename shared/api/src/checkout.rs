//! Making an order: what a page asks for, and the answer with what the payment window takes. What has to do
//! with a person cannot be printed.

use order::{Generation, Order};
use serde::Serialize;

use crate::{
    order::OrderItem,
    scalar::{Amount, Currency, Moment, OrderId},
    word::{OrderStatus, PayMethod},
};

/// Most lines of a basket.
pub const LINES_MAX: usize = 50;
/// Most characters of a buyer's name.
pub const NAME_CHARS_MAX: usize = 60;
/// Most bytes of an e-mail address.
pub const EMAIL_BYTES_MAX: usize = 254;
/// Most bytes of a redirect URL.
pub const REDIRECT_URL_BYTES_MAX: usize = 2048;

/// 주문 요청. 값은 서버의 상품표에서만 옵니다. / A request for an order. Prices come from the catalogue alone.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct CheckoutRequest {
    /// 살 상품, 통화는 하나. 같은 상품의 줄은 합칩니다. / What is to be bought, in one currency; lines of one
    /// product are merged
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LINES_MAX)))]
    pub items: Vec<CheckoutItem>,
    /// 구매자 / Who buys
    pub customer: CheckoutCustomer,
    /// 결제 수단, 없으면 CARD. V1은 CARD, EASY_PAY, VIRTUAL_ACCOUNT, TRANSFER, MOBILE만 / CARD if missing; V1
    /// takes CARD, EASY_PAY, VIRTUAL_ACCOUNT, TRANSFER and MOBILE
    pub pay_method: Option<PayMethod>,
    /// 어느 결제창을 열지, 없으면 v2 / Which payment window; v2 if missing
    pub sdk: Option<Sdk>,
    /// 결제 뒤 돌아올 http(s) 주소, 허용된 출처만 / Where to return to: http(s), of an allowed origin
    #[cfg_attr(feature = "schema", schemars(length(max = REDIRECT_URL_BYTES_MAX)))]
    pub redirect_url: Option<String>,
}

/// 장바구니 한 줄 / One line of the basket
#[derive(Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct CheckoutItem {
    /// 상품 번호 / The product's id
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 128)))]
    pub product_id: String,
    /// 수량 / Pieces
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = order::product::QUANTITY_MAX)))]
    pub quantity: u32,
}

/// 구매자. 답에는 다시 나오지 않습니다(결제창에 넘길 값은 예외). / Who buys. Told again only in what the payment
/// window takes.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "camelCase"))]
pub struct CheckoutCustomer {
    /// 이름 / Full name
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub name: String,
    /// 이메일, 빈 값은 없는 것 / E-mail address; blank is none
    pub email: Option<String>,
    /// 전화번호, 숫자 9~15자리와 구분 기호 / Phone number: 9–15 digits, however separated
    pub phone: Option<String>,
}

/// 결제창의 세대 / The generation of a payment window
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename_all = "lowercase"))]
#[allow(missing_docs, reason = "PortOne's own names")]
pub enum Sdk {
    V1,
    V2,
}

/// 만들어진 주문 / An order that was made
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CreatedOrder<'a> {
    /// 주문 번호 / The order's id
    pub order_id: OrderId,
    /// 주문 토큰: 이 주문을 보는 열쇠이니 주문이 끝날 때까지 간직합니다. / The order's token, which opens it:
    /// keep it until the order is finished
    pub order_token: String,
    /// 늘 PENDING / Always PENDING
    pub status: OrderStatus,
    /// 모든 PG사가 받는 주문명 / A name that every PG takes
    pub order_name: &'a str,
    /// 결제할 금액 / What is to be paid
    pub amount: Total,
    /// 주문한 상품 / What was ordered
    pub items: Vec<OrderItem<'a>>,
    /// 만든 때 / When it was made
    pub created_at: Moment,
    /// 결제를 기다리는 마지막 때 / Until when its payment is waited for
    pub expires_at: Moment,
    /// 결제창에 그대로 넘길 값 / To be passed to the payment window as it is
    pub payment: WindowRequest<'a>,
}

/// 결제할 금액 / What is to be paid
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Total {
    /// 금액 / Amount
    pub total: Amount,
    /// 통화 / Currency
    pub currency: Currency,
}

/// 결제창에 그대로 넘길 값 / What the payment window takes
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum WindowRequest<'a> {
    /// `PortOne.requestPayment()`
    V2(V2Window<'a>),
    /// `IMP.request_pay()`
    V1(V1Window<'a>),
}

/// What `PortOne.requestPayment()` takes (browser SDK V2, `PaymentRequest`).
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "PortOne's own names, nothing to add")]
pub struct V2Window<'a> {
    pub store_id: &'a str,
    pub channel_key: &'a str,
    pub payment_id: OrderId,
    pub order_name: &'a str,
    pub total_amount: Amount,
    pub currency: Currency,
    pub pay_method: PayMethod,
    pub customer: V2Customer<'a>,
    pub custom_data: CustomData,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_free_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<&'a str>,
}

/// Who pays, in V2's words.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "PortOne's own names, nothing to add")]
pub struct V2Customer<'a> {
    pub full_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<&'a str>,
}

/// What PortOne keeps with the payment for us.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the name says it")]
pub struct CustomData {
    pub order_id: OrderId,
}

/// What `IMP.request_pay()` takes (browser SDK V1, payment request parameters).
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[allow(missing_docs, reason = "PortOne's own names, nothing to add")]
pub struct V1Window<'a> {
    #[serde(rename = "channelKey")]
    pub channel_key: &'a str,
    pub pay_method: &'a str,
    pub merchant_uid: OrderId,
    pub name: &'a str,
    // A number: V1's script refuses text here.
    pub amount: Amount,
    pub currency: Currency,
    pub buyer_name: &'a str,
    pub custom_data: CustomData,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buyer_tel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_free: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub m_redirect_url: Option<&'a str>,
}

/// What a payment window needs to know of the shop.
#[derive(Clone, Debug)]
pub struct Shop {
    /// PortOne store id.
    pub store_id: String,
    /// PortOne channel key.
    pub channel_key: String,
    /// The channel key that V1's window opens.
    pub v1_channel_key: String,
}

impl<'a> WindowRequest<'a> {
    /// What the window of the order's generation takes; `v1_pay_method` is V1's word for its method.
    pub fn of(order: &'a Order, shop: &'a Shop, v1_pay_method: &'a str) -> Self {
        let customer = &order.customer;
        let email = customer.email.as_ref().map(|email| email.expose().as_str());
        let phone = customer.phone.as_ref().map(|phone| phone.expose().as_str());
        let tax_free = Some(order.tax_free).filter(|amount| *amount > 0).map(Amount);
        let redirect_url = order.redirect_url.as_deref();
        let custom_data = CustomData { order_id: OrderId(order.id) };
        match order.generation {
            Generation::V2 => Self::V2(V2Window {
                store_id: &shop.store_id,
                channel_key: &shop.channel_key,
                payment_id: OrderId(order.id),
                order_name: &order.name,
                total_amount: Amount(order.total.amount),
                currency: Currency(order.total.currency),
                pay_method: PayMethod(order.pay_method),
                customer: V2Customer { full_name: customer.name.expose(), email, phone_number: phone },
                custom_data,
                tax_free_amount: tax_free,
                redirect_url,
            }),
            Generation::V1 => Self::V1(V1Window {
                channel_key: &shop.v1_channel_key,
                pay_method: v1_pay_method,
                merchant_uid: OrderId(order.id),
                name: &order.name,
                amount: Amount(order.total.amount),
                currency: Currency(order.total.currency),
                buyer_name: customer.name.expose(),
                custom_data,
                buyer_email: email,
                buyer_tel: phone,
                tax_free,
                m_redirect_url: redirect_url,
            }),
        }
    }
}
