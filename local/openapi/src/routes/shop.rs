//! What the shop's page calls.

use api::{
    checkout::{CheckoutRequest, CreatedOrder},
    order::OrderView,
    problem::ProblemCode,
    product::ProductList,
    verify::{Verified, VerifyRequest},
};
use serde_json::{Value, json};

use super::ORDER;
use crate::{
    route::{AnswerHeader, Caller, Group, Route},
    schemas::Schemas,
};

pub(super) fn list_products(schemas: &mut Schemas) -> Route<'_> {
    let shoes =
        json!({ "productId": "shoes", "name": "신발", "price": 1000, "currency": "KRW", "available": true });
    Route::new(schemas, ("GET", "/products"), "listProducts", Group::Shop, Caller::Anybody)
        .says("지금 파는 상품 / What the shop sells now", "")
        .answer::<ProductList<'static>>(200, "상품 / Products", Some(json!({ "products": [shoes] })))
}

pub(super) fn create_order(schemas: &mut Schemas) -> Route<'_> {
    let wanted = json!({
        "items": [{ "productId": "shoes", "quantity": 2 }],
        "customer": { "name": "홍길동", "email": "a@example.com", "phone": "01012345678" },
        "payMethod": "CARD",
        "redirectUrl": "https://shop.example/return",
    });
    let v1 = json!({
        "items": [{ "productId": "shoes", "quantity": 1 }],
        "customer": { "name": "홍길동" },
        "sdk": "v1",
    });
    let made = json!({
        "orderId": ORDER, "orderToken": "bXktdG9rZW4", "status": "PENDING", "orderName": "신발",
        "amount": { "total": 2000, "currency": "KRW" },
        "items": [line()],
        "createdAt": "2026-11-23T06:00:00Z", "expiresAt": "2026-11-23T06:30:00Z",
        "payment": {
            "storeId": "store-1", "channelKey": "channel-key-1", "paymentId": ORDER, "orderName": "신발",
            "totalAmount": 2000, "currency": "KRW", "payMethod": "CARD",
            "customer": { "fullName": "홍길동", "email": "a@example.com", "phoneNumber": "01012345678" },
            "customData": { "orderId": ORDER }, "redirectUrl": "https://shop.example/return",
        },
    });
    Route::new(schemas, ("POST", "/orders"), "createOrder", Group::Shop, Caller::Anybody)
        .says(
            "주문 만들기 / Make an order",
            "값은 상품표에서만 옵니다. 결제 한 번에 Idempotency-Key 하나를 정해 다시 보낼 때도 같은 것을 보내면 주문은 하나만 생깁니다. 답의 payment를 결제창에 그대로 넘깁니다.\n\n\
             Prices come from the catalogue alone. One Idempotency-Key for each checkout, the same on every retry, makes one order. Pass payment to the window as it is.",
        )
        .keyed(false)
        .body::<CheckoutRequest>(&[("v2", wanted), ("v1", v1)])
        .answer::<CreatedOrder<'static>>(201, "만들어진 주문, 또는 그 키로 이미 만든 주문 / The order, or the one that its key made before", Some(made))
        .header(AnswerHeader::IdempotentReplayed)
}

pub(super) fn verify_payment(schemas: &mut Schemas) -> Route<'_> {
    let examples = [
        ("v2", json!({ "paymentId": ORDER })),
        ("v1", json!({ "imp_uid": "imp_123456789012", "merchant_uid": ORDER })),
    ];
    Route::new(schemas, ("POST", "/payments/verify"), "verifyPayment", Group::Shop, Caller::AnybodyOrHolder)
        .says(
            "결제 확인 / Ask whether it is paid",
            "포트원을 보고 주문의 지금 상태를 답합니다. 결제창이 닫힌 뒤, 그리고 언제든 다시 불러도 됩니다. 주문 토큰이 없으면 orderId, status, amount만 답합니다.\n\n\
             Looks at PortOne and answers where the order stands. Call it after the window, and again whenever you like. Without the order's token the answer is orderId, status and amount.",
        )
        .body::<VerifyRequest>(&examples)
        .answer::<Verified<'static>>(200, "주문, 상태가 무엇이든 / The order, whatever its status", Some(view()))
        .problem(ProblemCode::OrderNotFound)
        .problem(ProblemCode::PaymentMismatch)
        .problem(ProblemCode::PaymentGatewayUnavailable)
}

pub(super) fn get_order(schemas: &mut Schemas) -> Route<'_> {
    Route::new(schemas, ("GET", "/orders/{orderId}"), "getOrder", Group::Shop, Caller::Holder)
        .says(
            "주문 보기 / See an order",
            "토큰이 틀리거나 없는 것과 없는 주문은 같은 404입니다. / A wrong token, none, and an unknown order are the same 404.",
        )
        .of_an_order()
        .answer::<OrderView<'static>>(200, "주문 / The order", Some(view()))
}

/// A line of the examples' order.
pub(super) fn line() -> Value {
    json!({ "productId": "shoes", "name": "신발", "quantity": 2, "unitPrice": 1000, "amount": 2000 })
}

/// The order of the examples, paid.
pub(super) fn view() -> Value {
    json!({
        "orderId": ORDER, "status": "PAID", "orderName": "신발",
        "amount": { "total": 2000, "currency": "KRW", "paid": 2000, "cancelled": 0 },
        "items": [line()],
        "createdAt": "2026-11-23T06:00:00Z", "updatedAt": "2026-11-23T06:01:00Z",
        "expiresAt": "2026-11-23T06:30:00Z", "paidAt": "2026-11-23T06:01:00Z",
    })
}
