//! What PortOne calls. Its bodies are PortOne's to define: they are hints where to look, and none is refused for
//! what is in it.

use api::{
    portone::{Confirmed, Received, Stopped},
    problem::ProblemCode,
};
use serde_json::json;

use super::ORDER;
use crate::{
    route::{Caller, Group, Route},
    schemas::Schemas,
};

const BODY: &str = "포트원이 정한 본문, JSON 또는 폼 / PortOne's body, JSON or form";

pub(super) fn webhook(schemas: &mut Schemas) -> Route<'_> {
    let event = json!({
        "type": "Transaction.Paid", "timestamp": "2026-11-23T06:01:00.000Z",
        "data": { "paymentId": ORDER, "storeId": "store-1", "transactionId": "tx-1" },
    });
    let by = Caller::Portone;
    Route::new(schemas, ("POST", "/webhooks/portone"), "portoneWebhook", Group::Portone, by)
        .says(
            "V2 결제 알림 / A delivery of V2",
            "서명이 맞으면 모르는 종류와 모르는 결제도 200입니다. 5xx는 다시 보내면 될 수 있을 때뿐입니다. / 200 for all that is signed, also unknown types and payments; 5xx only where a repetition may finish something.",
        )
        .foreign_body(BODY, event)
        .answer::<Received>(200, "받음 / Taken", Some(json!({ "received": true })))
        .problem(ProblemCode::InvalidSignature)
        .problem(ProblemCode::PaymentGatewayUnavailable)
}

pub(super) fn webhook_v1(schemas: &mut Schemas) -> Route<'_> {
    let event = json!({ "imp_uid": "imp_123456789012", "merchant_uid": ORDER, "status": "paid" });
    let by = Caller::Anybody;
    Route::new(schemas, ("POST", "/webhooks/portone/v1"), "portoneWebhookV1", Group::Portone, by)
        .says(
            "V1 결제 알림 / A delivery of V1",
            "서명이 없어 어디를 볼지 알려 주는 단서일 뿐입니다. / Unsigned, so only a hint where to look.",
        )
        .foreign_body(BODY, event)
        .answer::<Received>(200, "받음 / Taken", Some(json!({ "received": true })))
        .problem(ProblemCode::SourceNotAllowed)
}

pub(super) fn confirm(schemas: &mut Schemas) -> Route<'_> {
    let question = json!({
        "type": "Transaction.Confirm", "timestamp": "2026-11-23T06:01:00.000Z",
        "data": { "paymentId": ORDER, "storeId": "store-1", "transactionId": "tx-1", "totalAmount": 2000 },
    });
    let by = Caller::Portone;
    Route::new(schemas, ("POST", "/webhooks/portone/confirm"), "confirmPayment", Group::Portone, by)
        .says(
            "승인 전 마지막 확인 / The last question before approval",
            "200이면 결제가 진행되고 다른 답은 멈춥니다. / 200 lets the payment go on; anything else stops it.",
        )
        .foreign_body(BODY, question)
        .answer::<Confirmed>(200, "진행 / Go on", Some(json!({})))
        .answer::<Stopped<'static>>(409, "멈춤 / Stop", Some(json!({ "errorMessage": "결제 금액이 주문 금액과 다릅니다." })))
        .problem(ProblemCode::InvalidSignature)
}
