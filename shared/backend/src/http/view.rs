//! The order as its buyer sees it (contract, "Order view"). Nothing of the customer is in it.

use order::{Cancellation, CancellationStatus, Order, OrderStatus, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A moment as RFC 3339 UTC with milliseconds.
pub fn rfc3339(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_millis()) * 1_000_000);
    at.ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// What anybody may see who knows an order's id: its status and amount.
pub fn order_summary(order: &Order) -> Value {
    json!({ "orderId": order.id.as_str(), "status": order.status.word(), "amount": amount(order) })
}

/// What the holder of the order's token sees.
pub fn order_view(order: &Order) -> Value {
    let account =
        order.virtual_account.as_ref().filter(|_| order.status == OrderStatus::VirtualAccountIssued);
    let view = View {
        order_id: order.id.as_str(),
        status: order.status.word(),
        order_name: &order.name,
        amount: amount(order),
        items: order.lines.iter().map(order_line).collect(),
        created_at: rfc3339(order.created_at),
        updated_at: rfc3339(order.updated_at),
        expires_at: rfc3339(order.expires_at),
        paid_at: order.paid_at.map(rfc3339),
        virtual_account: account.map(|account| AccountView {
            bank: account.bank.as_deref(),
            account_number: &account.number,
            holder: account.holder.as_deref(),
            expires_at: account.expires_at.map(rfc3339),
        }),
        last_failure: order.last_failure.as_ref().map(|failure| FailureView {
            code: failure.code.as_deref(),
            message: failure.message.as_deref(),
        }),
        // Closing an unpaid order is a cancellation of nothing, and nothing to the buyer.
        cancellations: (order.cancellations.iter().filter(|row| row.amount > 0))
            .map(|row| cancellation_view(order, row))
            .collect(),
    };
    serde_json::to_value(view).expect("a view is made of strings, integers and lists")
}

/// One line of an order.
pub fn order_line(line: &order::OrderLine) -> Value {
    json!({
        "productId": line.product_id.as_str(),
        "name": line.name,
        "quantity": line.quantity,
        "unitPrice": line.unit_price,
        "amount": line.amount(),
    })
}

fn amount(order: &Order) -> Value {
    // Money in another currency is none of this order's amount.
    let paid =
        order.received.filter(|money| money.currency == order.total.currency).map(|money| money.amount);
    json!({
        "total": order.total.amount,
        "currency": order.total.currency.code(),
        "paid": paid.unwrap_or(0),
        "cancelled": paid.map_or(0, |_| order.returned),
    })
}

/// One cancellation of an order.
pub fn cancellation_view(order: &Order, row: &Cancellation) -> Value {
    let status = match row.status {
        CancellationStatus::Intended => "UNKNOWN",
        CancellationStatus::Requested => "REQUESTED",
        CancellationStatus::Succeeded => "SUCCEEDED",
        CancellationStatus::Failed => "FAILED",
    };
    json!({ "id": order.cancellation_key(row), "status": status, "amount": row.amount })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    order_id: &'a str,
    status: &'a str,
    order_name: &'a str,
    amount: Value,
    items: Vec<Value>,
    created_at: String,
    updated_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    virtual_account: Option<AccountView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<FailureView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cancellations: Vec<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountView<'a> {
    bank: Option<&'a str>,
    account_number: &'a str,
    holder: Option<&'a str>,
    expires_at: Option<String>,
}

#[derive(Serialize)]
struct FailureView<'a> {
    code: Option<&'a str>,
    message: Option<&'a str>,
}
