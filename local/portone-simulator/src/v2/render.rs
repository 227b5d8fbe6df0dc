//! Payments, transactions, events and webhooks the way V2 writes them.

use serde_json::{Map, Value, json};

use crate::{
    clock::Timestamp,
    config::Channel,
    json::merge_patch,
    payment::{
        Cancellation, CancellationStatus, Method, NewsKind, Payment, Platform, Status, Transaction, Version,
        cancel::CancelTrigger,
    },
    raw,
    switches::AmountPaid,
    webhook::{Delivery, Outcome},
    world::{LedgerEntry, World},
};

/// `GET /payments/{id}`: the decisive attempt, with the payment's patch merged in.
pub(crate) fn payment(world: &World, payment: &Payment) -> Value {
    let tx = payment.decisive();
    let mut members = Map::new();
    members.insert("status".to_owned(), json!(tx.status.as_str()));
    members.insert("id".to_owned(), json!(payment.id));
    members.insert("transactionId".to_owned(), json!(tx.id));
    let all = payment.transactions.iter().flat_map(|tx| &tx.webhooks);
    common(world, payment, tx, all.map(String::as_str), &mut members);
    origin(world, tx, &mut members);
    if tx.status == Status::Paid {
        let disputes: Vec<Value> = tx.disputes.iter().map(dispute).collect();
        members.insert("disputes".to_owned(), Value::Array(disputes));
    }
    let mut rendered = Value::Object(members);
    // The patch is about the payment as its own generation writes it.
    if payment.version == Version::V2 {
        merge_patch(&mut rendered, &payment.patch);
    }
    raw::apply(&mut rendered, &payment.raw_texts);
    rendered
}

/// Where the buyer paid: on payments and their events, not on transactions.
fn origin(world: &World, tx: &Transaction, members: &mut Map<String, Value>) {
    if world.switches.with_origin {
        let from = json!({ "platformType": platform(tx.platform), "ipAddress": "127.0.0.1" });
        members.insert("origin".to_owned(), from);
    }
}

/// One item of `GET /payments/{id}/transactions`.
pub(crate) fn transaction(world: &World, payment: &Payment, tx: &Transaction) -> Value {
    let mut members = Map::new();
    members.insert("status".to_owned(), json!(tx.status.as_str()));
    members.insert("id".to_owned(), json!(tx.id));
    members.insert("paymentId".to_owned(), json!(payment.id));
    common(world, payment, tx, tx.webhooks.iter().map(String::as_str), &mut members);
    if tx.status == Status::Paid {
        // Listed on a PAID payment, but not on its transaction.
        members.shift_remove("cancellations");
    }
    let mut rendered = Value::Object(members);
    raw::apply(&mut rendered, &payment.raw_texts);
    rendered
}

/// A payment that was only registered, where a switch makes it visible.
pub(crate) fn registered(world: &World, id: &str, store_id: &str) -> Option<Value> {
    let registration = world.registration(id, store_id)?;
    let at = registration.at.rfc3339();
    Some(json!({
        "status": "READY",
        "id": id,
        "transactionId": "",
        "merchantId": world.config.merchant_id,
        "storeId": store_id,
        "version": "V2",
        "requestedAt": at,
        "updatedAt": at,
        "statusChangedAt": at,
        "orderName": "",
        "amount": {
            "total": registration.total.unwrap_or(0), "taxFree": registration.tax_free.unwrap_or(0),
            "discount": 0, "paid": 0, "cancelled": 0, "cancelledTaxFree": 0
        },
        "currency": registration.currency.as_deref().unwrap_or("KRW"),
        "customer": {},
    }))
}

/// One item of `GET /payment-events-by-cursor`, without its cursor.
pub(crate) fn event(world: &World, entry: &LedgerEntry) -> Option<Value> {
    let (payment, tx) = world.transaction(&entry.transaction_id).ok()?;
    let kind = match entry.kind {
        NewsKind::Paid => "PAID",
        NewsKind::PartialCancelled => "PARTIAL_CANCELLED",
        NewsKind::Cancelled => "CANCELLED",
        NewsKind::Ready
        | NewsKind::VirtualAccountIssued
        | NewsKind::CancelPending
        | NewsKind::CancelFailed
        | NewsKind::Failed
        | NewsKind::PayPending
        | NewsKind::DisputeCreated
        | NewsKind::DisputeResolved => return None,
    };
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(kind));
    members.insert("id".to_owned(), json!(entry.id));
    members.insert("paymentId".to_owned(), json!(payment.id));
    members.insert("transactionId".to_owned(), json!(tx.id));
    common(world, payment, tx, tx.webhooks.iter().map(String::as_str), &mut members);
    for payment_only in [
        "status",
        "updatedAt",
        "statusChangedAt",
        "paidAt",
        "cancelledAt",
        "cancellations",
        "failure",
        "failedAt",
    ] {
        members.shift_remove(payment_only);
    }
    origin(world, tx, &mut members);
    if let Some(amount) = members.shift_remove("amount") {
        members.insert("totalAmount".to_owned(), amount);
    }
    if entry.kind == NewsKind::Paid {
        members.insert("disputes".to_owned(), Value::Array(tx.disputes.iter().map(dispute).collect()));
    }
    let of_event = tx.cancellations.iter().find(|it| Some(&it.id) == entry.cancellation_id.as_ref());
    if let Some(it) = of_event {
        members.insert("cancellation".to_owned(), cancellation(it));
    }
    members.insert("createdAt".to_owned(), json!(entry.at.rfc3339()));
    members.insert("eventAmount".to_owned(), json!(entry.moved));
    Some(Value::Object(members))
}

fn common<'a>(
    world: &World,
    payment: &Payment,
    tx: &Transaction,
    webhooks: impl Iterator<Item = &'a str>,
    members: &mut Map<String, Value>,
) {
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("merchantId", json!(payment.merchant_id));
    put("storeId", json!(payment.store_id));
    if let Some(known) = &tx.method {
        put("method", method(known));
    }
    put("channel", channel(&tx.channel));
    put(
        "version",
        json!(match payment.version {
            Version::V1 => "V1",
            Version::V2 => "V2",
        }),
    );
    let sent: Vec<Value> = webhooks
        .filter_map(|id| world.book.webhooks.get(id))
        .filter_map(|number| world.book.deliveries.get(usize::try_from(*number).ok()?))
        .map(|delivery| webhook(world, delivery))
        .collect();
    put("webhooks", Value::Array(sent));
    put("requestedAt", json!(tx.requested_at.rfc3339()));
    put("updatedAt", json!(tx.updated_at.rfc3339()));
    put("statusChangedAt", json!(tx.status_changed_at.rfc3339()));
    put("orderName", json!(tx.order_name));
    put("amount", amount(world, tx));
    put("currency", json!(tx.currency));
    put("customer", json!(tx.customer));
    if !tx.products.is_empty() {
        put("products", json!(tx.products));
    }
    if let Some(data) = &tx.custom_data {
        put("customData", json!(data));
    }
    let mut stamp = |name: &str, at: Option<Timestamp>| {
        if let Some(at) = at {
            put(name, json!(at.rfc3339()));
        }
    };
    match tx.status {
        Status::Ready => return,
        Status::PayPending | Status::VirtualAccountIssued => {}
        Status::Paid => stamp("paidAt", tx.paid_at),
        Status::PartialCancelled | Status::Cancelled => {
            stamp("paidAt", tx.paid_at);
            stamp("cancelledAt", tx.cancelled_at);
        }
        Status::Failed => {
            stamp("failedAt", tx.failed_at);
            put("failure", failure(tx));
            return;
        }
    }
    if let Some(id) = &tx.pg_tx_id {
        put("pgTxId", json!(id));
    }
    if tx.captured() {
        put("receiptUrl", json!(format!("https://receipt.invalid/{}", tx.id)));
    }
    if tx.status == Status::Paid {
        put("pgResponse", json!(r#"{"simulated":true}"#));
    }
    let shows_all = matches!(tx.status, Status::PartialCancelled | Status::Cancelled);
    if shows_all || (tx.status == Status::Paid && !tx.cancellations.is_empty()) {
        put("cancellations", Value::Array(tx.cancellations.iter().map(cancellation).collect()));
    }
}

fn failure(tx: &Transaction) -> Value {
    let mut rendered = Map::new();
    if let Some(failure) = &tx.failure {
        rendered.insert("reason".to_owned(), json!(failure.reason));
        if let (Some(code), Some(message)) = (&failure.pg_code, &failure.pg_message) {
            rendered.insert("pgCode".to_owned(), json!(code));
            rendered.insert("pgMessage".to_owned(), json!(message));
        }
    }
    Value::Object(rendered)
}

fn amount(world: &World, tx: &Transaction) -> Value {
    let (cancelled, cancelled_tax_free) = tx.cancelled();
    let paid = match (tx.captured(), world.switches.amount_paid_after_cancel) {
        (false, _) => 0,
        (true, AmountPaid::Keep) => tx.amount.payable(),
        (true, AmountPaid::Reduce) => tx.amount.payable().saturating_sub(cancelled).max(0),
    };
    json!({
        "total": tx.amount.total,
        "taxFree": tx.amount.tax_free,
        "vat": tx.amount.vat,
        "supply": tx.amount.supply(),
        "discount": tx.amount.discount,
        "paid": paid,
        "cancelled": cancelled,
        "cancelledTaxFree": cancelled_tax_free,
    })
}

fn channel(channel: &Channel) -> Value {
    json!({
        "type": channel.kind.as_str(),
        "id": channel.id,
        "key": channel.key,
        "name": channel.name,
        "pgProvider": channel.pg_provider,
        "pgMerchantId": channel.pg_merchant_id,
    })
}

fn platform(platform: Platform) -> &'static str {
    match platform {
        Platform::Pc => "PC",
        Platform::Mobile => "MOBILE",
        Platform::Api => "API",
    }
}

fn dispute(dispute: &crate::payment::Dispute) -> Value {
    let mut rendered = json!({
        "status": if dispute.resolved_at.is_some() { "RESOLVED" } else { "UNRESOLVED" },
        "reason": dispute.reason,
        "createdAt": dispute.created_at.rfc3339(),
    });
    if let Some(id) = &dispute.pg_dispute_id {
        rendered["pgDisputeId"] = json!(id);
    }
    if let Some(at) = dispute.resolved_at {
        rendered["resolvedAt"] = json!(at.rfc3339());
    }
    rendered
}

/// `PaymentCancellation`.
pub(crate) fn cancellation(it: &Cancellation) -> Value {
    let mut rendered = json!({
        "status": match it.status {
            CancellationStatus::Requested => "REQUESTED",
            CancellationStatus::Succeeded => "SUCCEEDED",
            CancellationStatus::Failed => "FAILED",
        },
        "id": it.id,
        "totalAmount": it.total,
        "taxFreeAmount": it.tax_free,
        "vatAmount": it.vat,
        "easyPayDiscountAmount": 0,
        "reason": it.reason,
        "requestedAt": it.requested_at.rfc3339(),
        "trigger": match it.trigger {
            CancelTrigger::Console => "CONSOLE",
            CancelTrigger::Api => "API",
            CancelTrigger::PortoneAdmin => "PORTONE_ADMIN",
            CancelTrigger::Chargeback => "CHARGEBACK",
        },
    });
    if let Some(id) = &it.pg_cancellation_id {
        rendered["pgCancellationId"] = json!(id);
    }
    if let Some(at) = it.cancelled_at {
        rendered["cancelledAt"] = json!(at.rfc3339());
    }
    rendered
}

fn method(method: &Method) -> Value {
    let card = |number: &str| {
        json!({
            "type": "PaymentMethodCard",
            "card": {
                "publisher": "SHINHAN_CARD", "issuer": "SHINHAN_CARD", "brand": "LOCAL", "type": "CREDIT",
                "ownerType": "PERSONAL", "bin": "123456", "name": "시뮬레이터 카드", "number": "123456******1234"
            },
            "approvalNumber": number,
            "installment": { "month": 0, "isInterestFree": false },
            "pointUsed": false,
        })
    };
    match method {
        Method::Card { approval_number } => card(approval_number),
        Method::Transfer { bank, account_number } => {
            json!({ "type": "PaymentMethodTransfer", "bank": bank, "accountNumber": account_number })
        }
        Method::VirtualAccount {
            bank,
            account_number,
            remittee_name,
            remitter_name,
            issued_at,
            expires_at,
            refund,
        } => {
            let mut rendered = json!({
                "type": "PaymentMethodVirtualAccount",
                "bank": bank,
                "accountNumber": account_number,
                "accountType": "NORMAL",
                "remitteeName": remittee_name,
                "issuedAt": issued_at.rfc3339(),
                "expiredAt": expires_at.rfc3339(),
            });
            if let Some(name) = remitter_name {
                rendered["remitterName"] = json!(name);
            }
            if let Some(refund) = refund {
                rendered["refundStatus"] = json!(refund);
            }
            rendered
        }
        Method::Mobile { phone_number } => {
            json!({ "type": "PaymentMethodMobile", "phoneNumber": phone_number })
        }
        Method::GiftCertificate { approval_number } => json!({
            "type": "PaymentMethodGiftCertificate",
            "giftCertificateType": "CULTURELAND",
            "approvalNumber": approval_number,
        }),
        Method::EasyPay { provider, approval_number } => json!({
            "type": "PaymentMethodEasyPay",
            "provider": provider,
            "easyPayMethod": card(approval_number),
        }),
        Method::ConvenienceStore { confirmation_number, deadline } => json!({
            "type": "PaymentMethodConvenienceStore",
            "confirmationNumber": confirmation_number,
            "paymentDeadline": deadline.rfc3339(),
        }),
    }
}

/// `PaymentWebhook`.
pub(crate) fn webhook(world: &World, delivery: &Delivery) -> Value {
    let mut rendered = json!({
        "id": delivery.id,
        "currentExecutionCount": delivery.counted(),
        "maxExecutionCount": world.switches.webhook_max_executions,
        "triggeredAt": delivery.triggered_at.rfc3339(),
    });
    // Of a V1 payment's webhooks these three are not told.
    if delivery.version == Version::V2 {
        rendered["url"] = json!(delivery.url);
        rendered["isAsync"] = json!(delivery.is_async);
        if let Some(status) = delivery.payment_status {
            rendered["paymentStatus"] = json!(status.as_str());
        }
    }
    if let Some(trigger) = delivery.trigger {
        rendered["trigger"] = json!(trigger);
    }
    let Some(last) = delivery.executions.last() else { return rendered };
    rendered["request"] = json!({
        "header": header_text(&last.headers),
        "body": delivery.body,
        "requestedAt": last.requested_at.rfc3339(),
    });
    match &last.outcome {
        Outcome::Pending => {}
        Outcome::Unreachable { .. } => rendered["status"] = json!("FAILED_UNEXPECTED_ERROR"),
        Outcome::Answered { code, headers, body, responded_at } => {
            let good = world.switches.webhook_success.holds(*code);
            rendered["status"] = json!(if good { "SUCCEEDED" } else { "FAILED_NOT_OK_RESPONSE" });
            rendered["response"] = json!({
                "code": code.to_string(),
                "header": header_text(headers),
                "body": body,
                "respondedAt": responded_at.rfc3339(),
            });
        }
    }
    rendered
}

/// How PortOne writes headers into one string is not stated; lines of `name: value` here.
fn header_text(headers: &[(String, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
