//! The answer: the order, and what the browser SDK takes as it is.

use backend::{http, token};
use lambda_http::{Body, Response, http::HeaderValue, http::StatusCode};
use order::{Generation, Order, OrderStatus};
use serde_json::{Value, json};

use crate::request::v1_pay_method;

/// What a payment window needs to know of this shop.
#[derive(Clone, Debug)]
pub struct Shop {
    /// PortOne store id.
    pub store_id: String,
    /// PortOne channel key.
    pub channel_key: String,
    /// The channel key that V1's window opens.
    pub v1_channel_key: String,
}

/// Whether the order was made now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    New,
    /// The order as it was answered the first time, whatever became of it since.
    Replayed,
}

/// 201 with the order; the same for a replay, but for the header that says so.
pub fn respond(order: &Order, shop: &Shop, token_key: &[u8], answer: Answer) -> Response<Body> {
    let body = json!({
        "orderId": order.id.as_str(),
        "orderToken": token::issue(token_key, order.id),
        "status": OrderStatus::Pending.word(),
        "orderName": order.name,
        "amount": { "total": order.total.amount, "currency": order.total.currency.code() },
        "items": order.lines.iter().map(http::order_line).collect::<Vec<_>>(),
        "createdAt": http::rfc3339(order.created_at),
        "expiresAt": http::rfc3339(order.expires_at),
        "payment": match order.generation {
            Generation::V1 => v1_payment_request(order, shop),
            Generation::V2 => payment_request(order, shop),
        },
    });
    let mut response = http::json(StatusCode::CREATED, &body);
    if answer == Answer::Replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// What `PortOne.requestPayment()` takes (browser SDK V2, `PaymentRequest`).
fn payment_request(order: &Order, shop: &Shop) -> Value {
    let mut customer = json!({ "fullName": order.customer.name.expose() });
    if let Some(email) = &order.customer.email {
        customer["email"] = json!(email.expose());
    }
    if let Some(phone) = &order.customer.phone {
        customer["phoneNumber"] = json!(phone.expose());
    }
    let mut request = json!({
        "storeId": shop.store_id,
        "channelKey": shop.channel_key,
        "paymentId": order.id.as_str(),
        "orderName": order.name,
        "totalAmount": order.total.amount,
        "currency": order.total.currency.code(),
        "payMethod": order.pay_method.word(),
        "customer": customer,
        "customData": { "orderId": order.id.as_str() },
    });
    if order.tax_free > 0 {
        request["taxFreeAmount"] = json!(order.tax_free);
    }
    if let Some(url) = &order.redirect_url {
        request["redirectUrl"] = json!(url);
    }
    request
}

/// What `IMP.request_pay()` takes (browser SDK V1, payment request parameters).
fn v1_payment_request(order: &Order, shop: &Shop) -> Value {
    let mut request = json!({
        "channelKey": shop.v1_channel_key,
        "pay_method": v1_pay_method(order.pay_method).unwrap_or("card"),
        "merchant_uid": order.id.as_str(),
        "name": order.name,
        // A number: V1's script refuses text here.
        "amount": order.total.amount,
        "currency": order.total.currency.code(),
        "buyer_name": order.customer.name.expose(),
        "custom_data": { "orderId": order.id.as_str() },
    });
    if let Some(email) = &order.customer.email {
        request["buyer_email"] = json!(email.expose());
    }
    if let Some(phone) = &order.customer.phone {
        request["buyer_tel"] = json!(phone.expose());
    }
    if order.tax_free > 0 {
        request["tax_free"] = json!(order.tax_free);
    }
    if let Some(url) = &order.redirect_url {
        request["m_redirect_url"] = json!(url);
    }
    request
}
