//! What operators call.

use api::{
    cancel::{CancelRequest, CancelledOrder},
    office::{Days, FINDING_BYTES_MAX, FindingsPage, FoundOrders, OrderJournal, SettledFinding},
    order::OrderView,
    problem::ProblemCode,
};
use serde_json::json;

use super::{
    ORDER,
    shop::{line, view},
};
use crate::{
    route::{Caller, Group, Route},
    schemas::Schemas,
};

pub(super) fn cancel_order(schemas: &mut Schemas) -> Route<'_> {
    let examples = [
        ("whole", json!({ "reason": "고객 변심" })),
        ("part", json!({ "reason": "한 켤레 반품", "amount": 1000 })),
        (
            "deposit",
            json!({
                "reason": "고객 변심",
                "refundAccount": { "bank": "SHINHAN", "number": "110123456789", "holderName": "홍길동" },
            }),
        ),
    ];
    let mut cancelled = view();
    let row = json!({ "id": format!("{ORDER}-cancel-1"), "status": "SUCCEEDED", "amount": 1000 });
    cancelled["status"] = json!("PARTIAL_CANCELLED");
    cancelled["amount"]["cancelled"] = json!(1000);
    cancelled["cancellations"] = json!([row]);
    cancelled["cancellation"] = row;
    let mut asked = cancelled.clone();
    asked["status"] = json!("PAID");
    asked["amount"]["cancelled"] = json!(0);
    asked["cancellation"]["status"] = json!("REQUESTED");
    asked["cancellations"][0]["status"] = json!("REQUESTED");
    let by = Caller::Operator;
    [
        ProblemCode::OrderNotCancellable,
        ProblemCode::PaymentUndecided,
        ProblemCode::CancellationInProgress,
        ProblemCode::CancelAmountExceedsBalance,
        ProblemCode::CancelTaxFreeExceedsBalance,
        ProblemCode::CancelDeadlinePassed,
        ProblemCode::PartialCancelNotSupported,
        ProblemCode::CancelNotSupported,
        ProblemCode::PaymentGatewayUnavailable,
    ]
    .into_iter()
    .fold(
        Route::new(schemas, ("POST", "/orders/{orderId}/cancel"), "cancelOrder", Group::Operators, by),
        Route::problem,
    )
    .says(
        "돈 돌려주기, 또는 미결제 주문 닫기 / Give money back, or close an unpaid order",
        "amount가 없으면 남은 전부를 돌려줍니다. 같은 키와 같은 본문을 다시 보내면 그 취소가 어떻게 되었는지 답하고 두 번 돌려주지 않습니다. 확실히 실패한 취소는 새 키로 다시 합니다.\n\n\
         Without amount all that is left goes back. The same key and body again answers how that cancellation stands and gives nothing back twice; a definite FAILED needs a new key.",
    )
    .of_an_order()
    .keyed(true)
    .body::<CancelRequest>(&examples)
    .answer::<CancelledOrder<'static>>(200, "결정됨: SUCCEEDED 또는 FAILED / Decided: SUCCEEDED or FAILED", Some(cancelled))
    .answer::<CancelledOrder<'static>>(202, "아직 모름: REQUESTED 또는 UNKNOWN / Not known yet: REQUESTED or UNKNOWN", Some(asked))
}

pub(super) fn find_orders(schemas: &mut Schemas) -> Route<'_> {
    let found = json!({
        "orderId": ORDER, "status": "PAID", "orderName": "신발", "total": 2000, "currency": "KRW",
        "createdAt": "2026-11-23T06:00:00Z", "paidAt": "2026-11-23T06:01:00Z",
    });
    Route::new(schemas, ("GET", "/orders"), "findOrders", Group::Operators, Caller::Operator)
        .says(
            "번호로 주문 찾기 / Find orders by a number",
            "주문 번호, PG사의 번호, 포트원의 시도 번호, V1의 imp_uid. / An order's id, the PG's, PortOne's id of the attempt, V1's imp_uid.",
        )
        .parameter(json!({
            "name": "query", "in": "query", "required": true,
            "schema": { "type": "string", "minLength": 1, "maxLength": 128 },
            "description": "번호 / The number", "example": ORDER,
        }))
        .answer::<FoundOrders<'static>>(
            200,
            "찾은 것, 없으면 빈 목록 / What was found; empty lists for nothing",
            Some(json!({ "orders": [found], "unknownPayments": [], "more": false })),
        )
        .problem(ProblemCode::ValidationFailed)
        .problem(ProblemCode::PaymentGatewayUnavailable)
}

pub(super) fn days(schemas: &mut Schemas) -> Route<'_> {
    let day = |name: &str, description: &str| {
        json!({
            "name": name, "in": "query", "required": false, "schema": { "type": "string", "pattern": "^([0-9]{4}-[0-9]{2}-[0-9]{2})?$" },
            "description": description, "example": "2026-11-22",
        })
    };
    let moved = |count: u64, amount: i64| json!({ "count": count, "amount": amount });
    let totals = json!({
        "currency": "KRW", "payments": moved(2, 4000), "cancellations": moved(1, -1000), "returns": moved(0, 0), "net": 3000,
    });
    let counted = json!({
        "day": "2026-11-22", "countedAt": "2026-11-22T16:10:00Z", "final": true, "unreadableOrders": 0, "totals": [totals],
    });
    Route::new(schemas, ("GET", "/days"), "days", Group::Operators, Caller::Operator)
        .says(
            "날마다의 합계 / What each day came to",
            "일별 정산표가 센 그대로입니다. 92일까지. / As the daily statement counted it; at most 92 days.",
        )
        .parameter(day("from", "첫날, 없으면 31일 / The first day; 31 days without it"))
        .parameter(day("to", "마지막 날, 없으면 어제 / The last day; yesterday without it"))
        .answer::<Days>(
            200,
            "합계 / Totals",
            Some(json!({ "from": "2026-11-22", "to": "2026-11-22", "timeZone": "Asia/Seoul", "days": [counted] })),
        )
        .problem(ProblemCode::ValidationFailed)
}

pub(super) fn order_journal(schemas: &mut Schemas) -> Route<'_> {
    let mut journal = view();
    journal["items"] = json!([line()]);
    journal["cancellations"] = json!([]);
    journal["rejections"] = json!([]);
    journal["imbalances"] = json!([]);
    journal["journal"] = json!([
        { "version": 1, "at": "2026-11-23T06:00:00Z", "by": "BUYER", "who": null, "status": "PENDING", "seen": null, "cancellations": [] },
        { "version": 2, "at": "2026-11-23T06:01:00Z", "by": "PORTONE", "who": null, "status": "PAID",
          "seen": { "status": "PAID", "transactionId": "tx-1" }, "cancellations": [] },
    ]);
    journal["version"] = json!(2);
    journal["payMethod"] = json!("CARD");
    journal["paidThrough"] = json!("V2");
    journal["taxFreeAmount"] = json!(0);
    journal["received"] = json!({ "amount": 2000, "returned": 0, "currency": "KRW" });
    journal["balance"] = json!(2000);
    journal["disputes"] = json!([]);
    journal["findings"] = json!([]);
    let by = Caller::Operator;
    Route::new(schemas, ("GET", "/orders/{orderId}/journal"), "orderJournal", Group::Operators, by)
        .says("주문의 이력과 장부 / An order's journal and ledger", "")
        .of_an_order()
        .answer::<OrderJournal<'static>>(
            200,
            "주문, 장부, 이력 / The order, its ledger, its journal",
            Some(journal),
        )
}

pub(super) fn sync_order(schemas: &mut Schemas) -> Route<'_> {
    let by = Caller::Operator;
    Route::new(schemas, ("POST", "/orders/{orderId}/sync"), "syncOrder", Group::Operators, by)
        .says(
            "포트원에 지금 묻기 / Ask PortOne now",
            "웹훅이 온 것처럼 다시 봅니다. 몇 번을 불러도 같습니다. / Looks anew, as a webhook would. Repeating it changes nothing.",
        )
        .of_an_order()
        .answer::<OrderView<'static>>(200, "주문 / The order", Some(view()))
        .problem(ProblemCode::PaymentGatewayUnavailable)
}

pub(super) fn list_findings(schemas: &mut Schemas) -> Route<'_> {
    let finding = json!({
        "id": "ORPHAN~order-of-another-shop", "kind": "ORPHAN", "subject": "order-of-another-shop",
        "reason": "주문이 없는 결제가 포트원에 있습니다.", "nextStep": "포트원 콘솔에서 결제를 확인하고 취소하세요.",
        "facts": { "amount": "1000 KRW" }, "firstSeenAt": "2026-11-23T06:00:00Z",
    });
    Route::new(schemas, ("GET", "/findings"), "listFindings", Group::Operators, Caller::Operator)
        .says("사람이 볼 일 / What a person has to look at", "한 번에 50개. 다음 쪽은 after에 next를 넣어 부릅니다. / 50 at a time; give next as after for the next page.")
        .parameter(json!({
            "name": "after", "in": "query", "required": false, "schema": { "type": "string", "maxLength": FINDING_BYTES_MAX },
            "description": "앞 쪽의 next / next of the page before",
        }))
        .answer::<FindingsPage<'static>>(200, "발견 사항 / Findings", Some(json!({ "findings": [finding], "next": null })))
        .problem(ProblemCode::ValidationFailed)
}

pub(super) fn settle_finding(schemas: &mut Schemas) -> Route<'_> {
    let by = Caller::Operator;
    Route::new(schemas, ("DELETE", "/findings/{finding}"), "settleFinding", Group::Operators, by)
        .says(
            "해결한 일 지우기 / Take back a finding that a person settled",
            "대부분은 까닭이 사라지면 저절로 없어집니다. / Most take themselves back once their cause is gone.",
        )
        .parameter(json!({
            "name": "finding", "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 },
            "description": "발견 사항의 id / The finding's id", "example": "ORPHAN~order-of-another-shop",
        }))
        .answer::<SettledFinding<'static>>(200, "지워짐 / Taken back", Some(json!({ "settled": "ORPHAN~order-of-another-shop" })))
        .problem(ProblemCode::FindingNotFound)
}
