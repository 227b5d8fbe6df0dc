//! What operators look at: an order's journal and ledger, and findings.

use std::collections::BTreeMap;

use order::{Entry, Order};
use serde::Serialize;

use crate::{
    order::{CancellationView, OrderFacts},
    scalar::{Amount, Currency, Day, Moment, OrderId, Sum},
    word::{
        Actor, CancellationOrigin, FindingKind, Generation, Imbalance, LedgerStatus, OrderStatus, PayMethod,
        PaymentStatus, Rejection,
    },
};

/// Most bytes of a finding's id or a page's beginning: what DynamoDB takes as a sort key.
pub const FINDING_BYTES_MAX: usize = 1024;

/// 주문과 그에게 일어난 모든 일 / An order and all that happened to it
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderJournal<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub facts: OrderFacts<'a>,
    /// 몇 번째 쓰기까지인지 / How often it was written
    pub version: u64,
    /// 주문할 때 고른 결제 수단 / How the buyer chose to pay
    pub pay_method: PayMethod,
    /// 돈이 들어온, 또는 들어올 세대 / The generation its money came through, or would
    pub paid_through: Generation,
    /// 주문 금액 가운데 면세 금액 / The share of the order that carries no VAT
    pub tax_free_amount: Amount,
    /// 들어온 돈, 없으면 null / The money that arrived, if any
    pub received: Option<ReceivedMoney>,
    /// 아직 취소할 수 있는 금액 / What can still be cancelled
    pub balance: Amount,
    /// 이 주문에 대해 사람이 볼 일 / What a person has to look at about it
    pub findings: Vec<FindingView<'a>>,
    /// 취소 장부 / The ledger of cancellations
    pub cancellations: Vec<LedgerRow<'a>>,
    /// 구매자의 이의 제기, 오래된 것부터 / The buyer's disputes, oldest first
    pub disputes: Vec<DisputeView<'a>>,
    /// 받지 않은 결제의 까닭 / Why payments were not accepted
    pub rejections: Vec<Rejection>,
    /// 장부가 맞지 않는 곳, 맞으면 빈 목록 / What does not balance; empty for sound books
    pub imbalances: Vec<Imbalance>,
    /// 버전마다 한 줄, 오래된 것부터 / One entry for each version, oldest first
    pub journal: Vec<JournalEntry<'a>>,
}

/// 들어온 돈 / Money that arrived
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReceivedMoney {
    /// 들어온 금액 / How much arrived
    pub amount: Amount,
    /// 그중 돌아간 금액 / How much of it went back
    pub returned: Amount,
    /// 통화 / Its currency
    pub currency: Currency,
}

/// 이의 제기 한 건 / One dispute
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DisputeView<'a> {
    /// PG사의 번호 / The PG's ID of it
    pub pg_dispute_id: Option<&'a str>,
    /// 진행 중인지 / Whether it is open
    pub open: bool,
    /// 제기된 때 / When it was opened
    pub opened_at: Moment,
    /// 끝난 때 / When it was resolved
    pub resolved_at: Option<Moment>,
}

impl<'a> DisputeView<'a> {
    fn of(dispute: &'a order::Dispute) -> Self {
        Self {
            pg_dispute_id: dispute.pg_id.as_deref(),
            open: dispute.open,
            opened_at: Moment(dispute.opened_at),
            resolved_at: dispute.resolved_at.map(Moment),
        }
    }
}

/// 취소 장부 한 줄 / One row of the ledger
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LedgerRow<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub cancellation: CancellationView,
    /// 주문 안의 번호, 1부터 / Its number in the order, from 1
    pub number: u32,
    /// 부른 쪽 / Who asked for it
    pub origin: CancellationOrigin,
    /// 그중 면세 금액 / The share that carries no VAT
    pub tax_free_amount: Amount,
    /// 그 전에 취소할 수 있던 금액 / What could be cancelled before it
    pub balance_before: Amount,
    /// 운영자가 적은 사유 / The operator's reason
    pub reason: Option<&'a str>,
    /// 실패한 까닭 / Why it failed
    pub failure: Option<&'a str>,
    /// PG사가 한 말, 개인정보 없이 / The PG's own words, without personal data
    pub failure_message: Option<&'a str>,
    /// 포트원의 취소 번호 / PortOne's id
    pub portone_id: Option<&'a str>,
    /// 시작한 때 / When it was begun
    pub at: Moment,
}

/// 주문의 쓰기 한 번 / One write of an order
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JournalEntry<'a> {
    /// 이 쓰기가 만든 버전 / The version it made
    pub version: u64,
    /// 때 / When
    pub at: Moment,
    /// 움직인 쪽 / Who made it
    pub by: Actor,
    /// 운영자의 이름 / The operator's name
    pub who: Option<&'a str>,
    /// 그 뒤의 상태 / Where the order stood after it
    pub status: OrderStatus,
    /// 포트원이 한 말 / What PortOne said
    pub seen: Option<SeenPayment<'a>>,
    /// 움직인 취소 / The cancellations that moved
    pub cancellations: Vec<MovedCancellation>,
}

/// 포트원이 한 말 / What PortOne said
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SeenPayment<'a> {
    /// 결제 상태 / The payment's status
    pub status: PaymentStatus,
    /// 시도 번호 / The attempt it was about
    pub transaction_id: &'a str,
}

/// 움직인 취소 / A cancellation that moved
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MovedCancellation {
    /// 주문 안의 번호 / Its number in the order
    pub number: u32,
    /// 그 뒤의 상태 / Where it stood after it
    pub status: LedgerStatus,
}

/// 발견 사항 한 쪽 / One page of findings
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingsPage<'a> {
    /// 발견 사항, 한 번에 50개까지 / Findings, 50 at a time
    pub findings: Vec<FindingView<'a>>,
    /// 다음 쪽을 부를 때 after에 넣을 값 / What to give as after for the next page
    pub next: Option<String>,
}

/// 저절로 풀리지 않아 사람이 볼 일 / What could not be settled by itself
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FindingView<'a> {
    /// 번호 / Its id
    pub id: String,
    /// 종류 / What was found
    pub kind: FindingKind,
    /// 무엇에 대한 것인지 / What it is about
    pub subject: &'a str,
    /// 일어난 일 / What happened
    pub reason: &'a str,
    /// 다음에 할 일 / What to do next
    pub next_step: &'a str,
    /// 알려진 것 / What is known
    pub facts: BTreeMap<&'a str, &'a str>,
    /// 처음 본 때 / When it was found first
    pub first_seen_at: Moment,
}

/// 사람이 해결한 것 / What a person settled
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettledFinding<'a> {
    /// 번호 / Its id
    pub settled: &'a str,
}

/// 번호로 찾은 것 / What a number found
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FoundOrders<'a> {
    /// 주문, 새것부터 / The orders, newest first
    pub orders: Vec<FoundOrder<'a>>,
    /// 포트원에는 있으나 우리 주문이 아닌 결제 / Payments that PortOne has under this number and that are none of our orders
    pub unknown_payments: Vec<String>,
    /// 더 있을 수 있는지 / Whether there may be more than one answer holds
    pub more: bool,
}

/// 목록의 주문 한 줄 / An order as a line of a list
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FoundOrder<'a> {
    /// 주문 번호 / The order's id
    pub order_id: OrderId,
    /// 상태 / Status
    pub status: OrderStatus,
    /// 주문명 / Its name at the PG
    pub order_name: &'a str,
    /// 결제할 금액 / What is to be paid
    pub total: Amount,
    /// 통화 / Currency
    pub currency: Currency,
    /// 만든 때 / When it was made
    pub created_at: Moment,
    /// 결제된 때 / When it was paid
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Moment>,
}

/// 날마다의 합계 / What the days came to
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Days {
    /// 물은 첫날 / The first day that was asked for
    pub from: Day,
    /// 물은 마지막 날 / The last
    pub to: Day,
    /// 어느 곳의 날인지 / Whose days they are
    pub time_zone: &'static str,
    /// 정산표가 있는 날, 오래된 것부터 / Days that were counted, oldest first; a day without a statement is missing
    pub days: Vec<DayView>,
}

/// 하루 / One day
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DayView {
    /// 날 / The day
    pub day: Day,
    /// 센 때 / When it was counted
    pub counted_at: Moment,
    /// 그때 그날이 마감되어 있었는지 / Whether its books were closed by then
    pub r#final: bool,
    /// 읽지 못해 합계에 없는 주문 수 / Orders that could not be read, and so are in no sum
    pub unreadable_orders: u64,
    /// 통화마다의 합계 / Its sums; a currency in which nothing moved is missing
    pub totals: Vec<TotalsView>,
}

/// 한 통화의 합계 / What moved in one currency
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TotalsView {
    /// 통화 / The currency
    pub currency: Currency,
    /// 들어온 결제 / What came
    pub payments: MovedView,
    /// 취소한 결제 / What went back to the buyers of orders that had it rightly
    pub cancellations: MovedView,
    /// 맞지 않아 돌려준 결제 / What went back because it was not its order's
    pub returns: MovedView,
    /// 남은 금액 / What is left of it
    pub net: Sum,
}

/// 횟수와 금액 / How often, and how much
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MovedView {
    /// 횟수 / How often
    pub count: u64,
    /// 금액 / How much
    pub amount: Sum,
}

impl<'a> From<&'a Order> for FoundOrder<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            order_id: OrderId(order.id),
            status: OrderStatus(order.status),
            order_name: &order.name,
            total: Amount(order.total.amount),
            currency: Currency(order.total.currency),
            created_at: Moment(order.created_at),
            paid_at: order.paid_at.map(Moment),
        }
    }
}

impl<'a> OrderJournal<'a> {
    /// Everything that happened to an order.
    pub fn of(order: &'a Order, findings: Vec<FindingView<'a>>) -> Self {
        Self {
            facts: OrderFacts::of(order),
            version: order.version,
            pay_method: PayMethod(order.pay_method),
            paid_through: Generation(order.paid_through()),
            tax_free_amount: Amount(order.tax_free),
            received: order.received.map(|money| ReceivedMoney {
                amount: Amount(money.amount),
                returned: Amount(order.returned),
                currency: Currency(money.currency),
            }),
            balance: Amount(order.balance()),
            findings,
            cancellations: order.cancellations.iter().map(|row| LedgerRow::of(order, row)).collect(),
            disputes: order.disputes.iter().map(DisputeView::of).collect(),
            rejections: order.rejections.iter().copied().map(Rejection).collect(),
            imbalances: order::audit::imbalances(order).into_iter().map(Imbalance).collect(),
            journal: (1..)
                .zip(&order.journal)
                .map(|(version, entry)| JournalEntry::of(version, entry))
                .collect(),
        }
    }
}

impl<'a> LedgerRow<'a> {
    fn of(order: &Order, row: &'a order::Cancellation) -> Self {
        Self {
            cancellation: CancellationView::of(order, row),
            number: row.number,
            origin: CancellationOrigin(row.origin),
            tax_free_amount: Amount(row.tax_free),
            balance_before: Amount(row.balance_before),
            reason: row.reason.as_deref(),
            failure: row.failure.as_deref(),
            failure_message: row.failure_message.as_deref(),
            portone_id: row.portone_id.as_deref(),
            at: Moment(row.at),
        }
    }
}

impl<'a> JournalEntry<'a> {
    fn of(version: u64, entry: &'a Entry) -> Self {
        let who = match &entry.by {
            order::Actor::Operator(name) => Some(name.as_str()),
            order::Actor::Buyer | order::Actor::Portone | order::Actor::Schedule => None,
        };
        let seen = entry
            .seen
            .as_ref()
            .map(|(status, transaction_id)| SeenPayment { status: PaymentStatus(*status), transaction_id });
        let moved = entry.cancellations.iter();
        Self {
            version,
            at: Moment(entry.at),
            by: (&entry.by).into(),
            who,
            status: OrderStatus(entry.status),
            seen,
            cancellations: moved
                .map(|(number, status)| MovedCancellation { number: *number, status: LedgerStatus(*status) })
                .collect(),
        }
    }
}
