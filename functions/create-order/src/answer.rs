//! The answer: the order, and what the browser SDK takes as it is.

use api::{
    checkout::{CreatedOrder, Shop, Total, WindowRequest},
    order::OrderItem,
    scalar::{Amount, Currency, Moment, OrderId},
    word,
};
use backend::{http, token};
use lambda_http::{Body, Response, http::HeaderValue, http::StatusCode};
use order::{Order, OrderStatus, PayMethod, name::buyer_name};

use crate::request::v1_pay_method;

/// Whether the order was made now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    New,
    /// The order as it was answered the first time, whatever became of it since.
    Replayed,
}

/// 201 with the order; the same for a replay, but for the header that says so.
pub fn respond(order: &Order, shop: &Shop, token_key: &[u8], answer: Answer) -> Response<Body> {
    let buyer_name = name_for_pg(order);
    let body = CreatedOrder {
        order_id: OrderId(order.id),
        order_token: token::issue(token_key, order.id),
        status: word::OrderStatus(OrderStatus::Pending),
        order_name: &order.name,
        amount: Total { total: Amount(order.total.amount), currency: Currency(order.total.currency) },
        items: order.lines.iter().map(OrderItem::of).collect(),
        created_at: Moment(order.created_at),
        expires_at: Moment(order.expires_at),
        payment: window_request(order, shop, &buyer_name),
    };
    let mut response = http::json(StatusCode::CREATED, &body);
    if answer == Answer::Replayed {
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    response
}

fn window_request<'a>(order: &'a Order, shop: &'a Shop, buyer_name: &'a str) -> WindowRequest<'a> {
    let mut window = WindowRequest::of(order, shop, v1_pay_method(order.pay_method).unwrap_or("card"));
    match &mut window {
        WindowRequest::V2(window) => window.customer.full_name = buyer_name,
        WindowRequest::V1(window) => window.buyer_name = buyer_name,
    }
    window
}

/// The buyer's name as the PG can spell it. PGs of other countries spell every name; domestic ones do not have
/// these methods.
fn name_for_pg(order: &Order) -> String {
    let name = order.customer.name.expose();
    match order.pay_method {
        PayMethod::Paypal | PayMethod::Alipay | PayMethod::AlipayPlus | PayMethod::ConvenienceStore => {
            name.clone()
        }
        PayMethod::Card
        | PayMethod::VirtualAccount
        | PayMethod::Transfer
        | PayMethod::Mobile
        | PayMethod::GiftCertificate
        | PayMethod::EasyPay => buyer_name(name),
    }
}
