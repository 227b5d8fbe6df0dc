//! Events as they are on the bus: version 1 of each, as in `schemas/events/`.
//!
//! Ids and money only. Nothing of the customer: a bus has more readers than the table, and keeps what it is
//! told in archives and queues.

use api::scalar::Moment;
use backend::{store::StreamRecord, telemetry::trace::Trace};
use order::{Dispute, EventKind, Order, VirtualAccount, event::succeeded};
use serde_json::{Map, Value, json};

/// An event of an order. Its id names the write it tells of, so that repetitions are known.
pub fn event(kind: EventKind, before: Option<&Order>, after: &Order) -> Value {
    // Money in another currency is none of this order's amount.
    let paid = after.received.filter(|money| money.currency == after.total.currency);
    let mut event = json!({
        "id": format!("{}-{}-{}", after.id, after.version, kind.word()),
        "type": kind.word(),
        "version": 1,
        "time": Moment(after.updated_at).text(),
        "orderId": after.id.as_str(),
        "orderVersion": after.version,
        "orderName": after.name,
        "status": after.status.word(),
        "amount": {
            "total": after.total.amount,
            "currency": after.total.currency.code(),
            "paid": paid.map_or(0, |money| money.amount),
            "cancelled": paid.map_or(0, |_| after.returned),
        },
    });
    if let Some(members) = event.as_object_mut() {
        members.extend(details(kind, before, after));
        members.extend(Trace::of(after).map(|trace| ("traceparent".to_owned(), trace.to_string().into())));
    }
    event
}

/// What is told beside, by kind.
fn details(kind: EventKind, before: Option<&Order>, after: &Order) -> Map<String, Value> {
    match kind {
        EventKind::VirtualAccountIssued => {
            members([("virtualAccount", after.virtual_account.as_ref().map(account))])
        }
        EventKind::OrderPaid => members([
            ("paidAt", after.paid_at.map(|at| Moment(at).text().into())),
            ("payMethod", Some(after.pay_method.word().into())),
        ]),
        EventKind::OrderPartiallyCancelled | EventKind::OrderCancelled => {
            let returned_before = before.map_or(0, |order| order.returned);
            let cancellations = succeeded(before, after).into_iter().map(|row| {
                json!({
                    "id": after.cancellation_key(row),
                    "amount": row.amount,
                    "taxFree": row.tax_free,
                    "origin": row.origin.word(),
                })
            });
            members([
                ("returned", Some(after.returned.saturating_sub(returned_before).into())),
                ("cancellations", Some(cancellations.collect())),
            ])
        }
        EventKind::OrderExpired => Map::new(),
        EventKind::PaymentDisputed => disputes(after, |dispute| dispute.open),
        EventKind::PaymentDisputeResolved => disputes(after, |dispute| !dispute.open),
        EventKind::OrderRejected => {
            let received =
                |money: order::Money| json!({ "amount": money.amount, "currency": money.currency.code() });
            members([
                ("received", after.received.map(received)),
                ("reasons", Some(after.rejections.iter().map(|reason| reason.word()).collect())),
            ])
        }
    }
}

/// The disputes that the event is about: all that are open, or all that are resolved.
fn disputes(order: &Order, wanted: impl Fn(&&Dispute) -> bool) -> Map<String, Value> {
    let shown = order.disputes.iter().filter(wanted).map(|dispute| {
        Value::Object(members([
            ("pgDisputeId", dispute.pg_id.as_deref().map(Value::from)),
            ("openedAt", Some(Moment(dispute.opened_at).text().into())),
            ("resolvedAt", dispute.resolved_at.map(|at| Moment(at).text().into())),
        ]))
    });
    members([("disputes", Some(shown.collect()))])
}

/// The account to pay into: telling the buyer is what the event is for, and who knows it can only pay.
fn account(account: &VirtualAccount) -> Value {
    Value::Object(members([
        ("bank", account.bank.as_deref().map(Value::from)),
        ("accountNumber", Some(account.number.as_str().into())),
        ("holder", account.holder.as_deref().map(Value::from)),
        ("expiresAt", account.expires_at.map(|at| Moment(at).text().into())),
    ]))
}

fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Something happened to an order that this build cannot read: its key and what is wrong with it.
pub fn unreadable(record: &StreamRecord, attribute: &str) -> Value {
    json!({
        "id": format!("{}-OrderUnreadable", record.id()),
        "type": "OrderUnreadable",
        "version": 1,
        "time": Moment(record.written_at()).text(),
        "key": record.key(),
        "attribute": attribute,
    })
}
