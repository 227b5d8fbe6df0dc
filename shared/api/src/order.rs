//! The order as its buyer sees it. Nothing of the customer is in it.

use order::Order;
use serde::Serialize;

use crate::{
    scalar::{Amount, Currency, Moment, OrderId},
    word::{CancellationStatus, DepositRefund, OrderStatus},
};

/// 주문 번호만 아는 사람이 보는 것 / What anybody may see who knows an order's id
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// 주문 번호 / The order's id
    pub order_id: OrderId,
    /// 상태 / Status
    pub status: OrderStatus,
    /// 금액 / Amounts
    pub amount: OrderAmount,
}

/// 주문 토큰을 가진 사람이 보는 것 / What the holder of the order's token sees
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderView<'a> {
    #[allow(missing_docs, reason = "flattened: its members are this type's")]
    #[serde(flatten)]
    pub facts: OrderFacts<'a>,
    /// 취소 내역 / Cancellations
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancellations: Vec<CancellationView>,
}

/// 주문에서 취소를 뺀 모든 것 / All of an order but its cancellations
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderFacts<'a> {
    /// 주문 번호 / The order's id
    pub order_id: OrderId,
    /// 상태 / Status
    pub status: OrderStatus,
    /// 모든 PG사가 받는 주문명 / A name that every PG takes
    pub order_name: &'a str,
    /// 금액 / Amounts
    pub amount: OrderAmount,
    /// 주문한 상품 / What was ordered
    pub items: Vec<OrderItem<'a>>,
    /// 만든 때 / When it was made
    pub created_at: Moment,
    /// 바뀐 때 / When it last changed
    pub updated_at: Moment,
    /// 결제를 기다리는 마지막 때 / Until when its payment is waited for
    pub expires_at: Moment,
    /// 결제된 때 / When it was paid
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Moment>,
    /// 입금할 가상계좌 / The account a deposit is waited for on
    #[serde(skip_serializing_if = "Option::is_none")]
    pub virtual_account: Option<VirtualAccount<'a>>,
    /// 가상계좌 환불금의 이체 상태 / How far the transfer of a refunded deposit has come
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deposit_refund: Option<DepositRefund>,
    /// 마지막 결제 시도가 실패한 까닭, PG사의 말 / Why the last attempt failed, in the PG's words
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<PaymentFailure<'a>>,
}

/// 주문 금액 / An order's amounts
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OrderAmount {
    /// 결제할 금액 / What is to be paid
    pub total: Amount,
    /// 통화 / Currency
    pub currency: Currency,
    /// 결제된 금액 / What was paid
    pub paid: Amount,
    /// 돌려준 금액 / What went back
    pub cancelled: Amount,
}

/// 주문한 상품 한 줄 / One line of an order
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderItem<'a> {
    /// 상품 번호 / The product's id
    pub product_id: &'a str,
    /// 주문할 때의 이름 / Its name at the time
    pub name: &'a str,
    /// 수량 / Pieces
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = order::product::QUANTITY_MAX)))]
    pub quantity: u32,
    /// 한 개 값 / Price of one piece
    pub unit_price: Amount,
    /// 줄의 합 / Price of all of them
    pub amount: Amount,
}

/// 가상계좌 / A virtual account
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VirtualAccount<'a> {
    /// 은행, 포트원의 이름(예: SHINHAN) / The bank in PortOne's word, such as SHINHAN
    pub bank: Option<&'a str>,
    /// 계좌번호 / Its number
    pub account_number: &'a str,
    /// 예금주 / Whose it is
    pub holder: Option<&'a str>,
    /// 입금 기한 / Until when a deposit is taken
    pub expires_at: Option<Moment>,
}

/// 결제 시도의 실패 / Why an attempt to pay failed
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PaymentFailure<'a> {
    /// PG사의 코드 / The PG's code
    pub code: Option<&'a str>,
    /// PG사가 구매자에게 하는 말 / The PG's words for the buyer
    pub message: Option<&'a str>,
}

/// 취소 한 건 / One cancellation
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CancellationView {
    /// 취소 번호 / Its id
    pub id: String,
    /// 상태 / Where it stands
    pub status: CancellationStatus,
    /// 돌려주는 금액 / What goes back
    pub amount: Amount,
}

impl OrderAmount {
    /// The amounts of an order.
    pub fn of(order: &Order) -> Self {
        // Money in another currency is none of this order's amount.
        let paid =
            order.received.filter(|money| money.currency == order.total.currency).map(|money| money.amount);
        Self {
            total: Amount(order.total.amount),
            currency: Currency(order.total.currency),
            paid: Amount(paid.unwrap_or(0)),
            cancelled: Amount(paid.map_or(0, |_| order.returned)),
        }
    }
}

impl OrderSummary {
    /// The summary of an order.
    pub fn of(order: &Order) -> Self {
        Self {
            order_id: OrderId(order.id),
            status: OrderStatus(order.status),
            amount: OrderAmount::of(order),
        }
    }
}

impl<'a> OrderItem<'a> {
    /// One line of an order.
    pub fn of(line: &'a order::OrderLine) -> Self {
        Self {
            product_id: line.product_id.as_str(),
            name: &line.name,
            quantity: line.quantity,
            unit_price: Amount(line.unit_price),
            amount: Amount(line.amount()),
        }
    }
}

impl CancellationView {
    /// One cancellation of an order.
    pub fn of(order: &Order, row: &order::Cancellation) -> Self {
        Self { id: order.cancellation_key(row), status: row.status.into(), amount: Amount(row.amount) }
    }
}

impl<'a> OrderFacts<'a> {
    /// The facts of an order.
    pub fn of(order: &'a Order) -> Self {
        let waits = order.status == order::OrderStatus::VirtualAccountIssued;
        let account = order.virtual_account.as_ref().filter(|_| waits);
        Self {
            order_id: OrderId(order.id),
            status: OrderStatus(order.status),
            order_name: &order.name,
            amount: OrderAmount::of(order),
            items: order.lines.iter().map(OrderItem::of).collect(),
            created_at: Moment(order.created_at),
            updated_at: Moment(order.updated_at),
            expires_at: Moment(order.expires_at),
            paid_at: order.paid_at.map(Moment),
            virtual_account: account.map(|account| VirtualAccount {
                bank: account.bank.as_deref(),
                account_number: &account.number,
                holder: account.holder.as_deref(),
                expires_at: account.expires_at.map(Moment),
            }),
            deposit_refund: order.deposit_refund.map(DepositRefund),
            last_failure: order.last_failure.as_ref().map(|failure| PaymentFailure {
                code: failure.code.as_deref(),
                message: failure.message.as_deref(),
            }),
        }
    }
}

impl<'a> OrderView<'a> {
    /// The view of an order.
    pub fn of(order: &'a Order) -> Self {
        // Closing an unpaid order is a cancellation of nothing, and nothing to the buyer.
        let returns = order.cancellations.iter().filter(|row| row.amount > 0);
        Self {
            facts: OrderFacts::of(order),
            cancellations: returns.map(|row| CancellationView::of(order, row)).collect(),
        }
    }
}
