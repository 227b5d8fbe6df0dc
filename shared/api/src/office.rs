//! What operators look at: an order's journal and ledger, and findings.

use std::collections::BTreeMap;

use order::{Entry, Order};
use serde::Serialize;

use crate::{
    order::{CancellationView, OrderFacts},
    scalar::{Amount, Moment},
    word::{
        Actor, CancellationOrigin, FindingKind, Imbalance, LedgerStatus, OrderStatus, PaymentStatus,
        Rejection,
    },
};

/// Most bytes of a finding's id or a page's beginning: what DynamoDB takes as a sort key.
pub const FINDING_BYTES_MAX: usize = 1024;

/// 주문과 그에게 일어난 모든 일 / An order and all that happened to it
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderJournal<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub facts: OrderFacts<'a>,
    /// 취소 장부 / The ledger of cancellations
    pub cancellations: Vec<LedgerRow<'a>>,
    /// 받지 않은 결제의 까닭 / Why payments were not accepted
    pub rejections: Vec<Rejection>,
    /// 장부가 맞지 않는 곳, 맞으면 빈 목록 / What does not balance; empty for sound books
    pub imbalances: Vec<Imbalance>,
    /// 버전마다 한 줄, 오래된 것부터 / One entry for each version, oldest first
    pub journal: Vec<JournalEntry<'a>>,
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

impl<'a> OrderJournal<'a> {
    /// Everything that happened to an order.
    pub fn of(order: &'a Order) -> Self {
        Self {
            facts: OrderFacts::of(order),
            cancellations: order.cancellations.iter().map(|row| LedgerRow::of(order, row)).collect(),
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
