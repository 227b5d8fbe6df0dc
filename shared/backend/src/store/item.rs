//! Order ⇄ item, product ⇐ item. The only place that knows attribute names.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use order::{
    Actor, Cancellation, CancellationOrigin, CancellationStatus, Customer, DepositRefund, Dispute, Entry,
    Failure, FindingKind, Generation, Language, Money, Order, OrderId, OrderLine, OrderStatus, PayMethod,
    PaymentStatus, Personal, Product, ProductId, PromotionDiscount, RefundAccount, Rejection, RequestMark,
    Sighting, Timestamp, VirtualAccount, day::Day,
};

use super::StoreError;

/// An item, or a part of one, by attribute name.
pub type Item = HashMap<String, AttributeValue>;

/// The key of an order.
pub fn order_key(tail: &str) -> Item {
    key(format!("ORDER#{tail}"), "ORDER")
}

/// The key of a product.
pub fn product_key(id: &ProductId) -> Item {
    key(format!("PRODUCT#{}", id.as_str()), "PRODUCT")
}

/// The partition of findings.
pub const FINDINGS: &str = "FINDINGS";

/// The key of a finding.
pub fn finding_key(kind: FindingKind, subject: &str) -> Item {
    key(FINDINGS.to_owned(), &format!("{}#{subject}", kind.word()))
}

/// The partition of what the days came to.
pub const DAYS: &str = "DAYS";

/// The key of what a day came to: days sort as they are written.
pub fn day_key(day: Day) -> Item {
    key(DAYS.to_owned(), &day.to_string())
}

/// The key of how far a reconciliation came.
pub fn watermark_key(of: &str) -> Item {
    key("RECONCILE".to_owned(), of)
}

/// The shard of the index `open` that an order waits in: one of 32, by the first character of its key, which
/// is chance.
pub fn shard_of(tail: &str) -> String {
    tail.get(..1).unwrap_or_default().to_owned()
}

/// The partition of parked deliveries.
pub const PARKED: &str = "PARKED";

/// The key of a parked delivery.
pub fn parked_key(imp_uid: &str) -> Item {
    key(PARKED.to_owned(), &format!("V1#{imp_uid}"))
}

/// The partition of orders with an unknown outcome.
pub const UNKNOWN: &str = "UNKNOWN";

/// The key of the memory of such an order.
pub fn unknown_key(id: OrderId) -> Item {
    key(UNKNOWN.to_owned(), id.as_str())
}

/// A key.
pub fn key(pk: String, sk: &str) -> Item {
    [("PK".to_owned(), AttributeValue::S(pk)), ("SK".to_owned(), text(sk))].into()
}

pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn map<const N: usize>(members: [(&str, Option<AttributeValue>); N]) -> AttributeValue {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    AttributeValue::M(present.collect())
}

/// An image in DynamoDB's JSON, as the stream has it, as the SDK's types. `serde_dynamo` reads it; its own conversion
/// would bring the SDK's default features, and with them a second TLS stack.
pub fn from_json(image: serde_dynamo::Item) -> Item {
    use serde_dynamo::AttributeValue as Json;
    fn value(json: Json) -> AttributeValue {
        match json {
            Json::S(text) => AttributeValue::S(text),
            Json::N(number) => AttributeValue::N(number),
            Json::B(bytes) => AttributeValue::B(Blob::new(bytes)),
            Json::Bool(value) => AttributeValue::Bool(value),
            Json::Null(value) => AttributeValue::Null(value),
            Json::M(members) => {
                AttributeValue::M(members.into_iter().map(|(name, json)| (name, value(json))).collect())
            }
            Json::L(values) => AttributeValue::L(values.into_iter().map(value).collect()),
            Json::Ss(texts) => AttributeValue::Ss(texts),
            Json::Ns(numbers) => AttributeValue::Ns(numbers),
            Json::Bs(values) => AttributeValue::Bs(values.into_iter().map(Blob::new).collect()),
        }
    }
    HashMap::from(image).into_iter().map(|(name, json)| (name, value(json))).collect()
}

/// Who wrote an item last: one write of one process.
pub fn mark(of: [u8; 10]) -> AttributeValue {
    AttributeValue::B(Blob::new(of.to_vec()))
}

fn millis(at: Timestamp) -> AttributeValue {
    number(at.as_millis())
}

fn money(money: Money) -> AttributeValue {
    map([("amount", Some(number(money.amount))), ("currency", Some(text(money.currency.code())))])
}

/// Attributes of a new order that never change.
pub fn fixed_attributes(order: &Order, fingerprint: Option<&[u8; 32]>) -> Item {
    let line = |line: &OrderLine| {
        map([
            ("id", Some(text(line.product_id.as_str()))),
            ("name", Some(text(&line.name))),
            ("quantity", Some(number(line.quantity))),
            ("price", Some(number(line.unit_price))),
            ("taxFree", (line.unit_tax_free > 0).then(|| number(line.unit_tax_free))),
            ("stocked", line.stocked.then_some(AttributeValue::Bool(true))),
        ])
    };
    let personal = |value: &Personal| text(value.expose());
    let customer = map([
        ("name", Some(personal(&order.customer.name))),
        ("email", order.customer.email.as_ref().map(personal)),
        ("phone", order.customer.phone.as_ref().map(personal)),
    ]);
    let mut item = order_key(order.id.tail());
    let members = [
        ("id", Some(text(order.id.as_str()))),
        ("name", Some(text(&order.name))),
        ("total", Some(money(order.total))),
        ("taxFree", (order.tax_free > 0).then(|| number(order.tax_free))),
        ("lines", Some(AttributeValue::L(order.lines.iter().map(line).collect()))),
        ("customer", Some(customer)),
        ("sdk", Some(text(order.generation.word()))),
        ("payMethod", Some(text(order.pay_method.word()))),
        ("redirectUrl", order.redirect_url.as_ref().map(text)),
        ("language", (order.language != Language::Korean).then(|| text(order.language.word()))),
        ("createdAt", Some(millis(order.created_at))),
        ("expiresAt", Some(millis(order.expires_at))),
        ("trace", order.trace.map(|trace| AttributeValue::B(Blob::new(trace.to_vec())))),
        ("request", fingerprint.map(|hash| AttributeValue::B(Blob::new(hash.to_vec())))),
    ];
    item.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    item
}

fn request_mark(mark: &RequestMark) -> AttributeValue {
    AttributeValue::B(Blob::new([mark.key, mark.body].concat()))
}

fn as_request_mark(value: &AttributeValue) -> Option<RequestMark> {
    let (key, body) = value.as_b().ok()?.as_ref().split_at_checked(32)?;
    Some(RequestMark { key: key.try_into().ok()?, body: body.try_into().ok()? })
}

fn refund_account(account: &RefundAccount) -> AttributeValue {
    map([
        ("bank", Some(text(&account.bank))),
        ("number", Some(text(account.number.expose()))),
        ("holder", Some(text(account.holder.expose()))),
        ("holderPhone", account.holder_phone.as_ref().map(|phone| text(phone.expose()))),
    ])
}

/// One entry of an order's journal.
pub fn journal_entry(entry: &Entry) -> AttributeValue {
    let (by, who) = match &entry.by {
        Actor::Buyer => ("BUYER", None),
        Actor::Portone => ("PORTONE", None),
        Actor::Operator(name) => ("OPERATOR", Some(text(name))),
        Actor::Schedule => ("SCHEDULE", None),
    };
    let moved =
        entry.cancellations.iter().map(|(number, status)| text(format!("{number} {}", status.word())));
    let moved = moved.collect::<Vec<_>>();
    map([
        ("at", Some(millis(entry.at))),
        ("by", Some(text(by))),
        ("who", who),
        ("status", Some(text(entry.status.word()))),
        (
            "seen",
            entry.seen.as_ref().map(|(status, transaction)| text(format!("{} {transaction}", status.word()))),
        ),
        ("cancellations", (!moved.is_empty()).then_some(AttributeValue::L(moved))),
    ])
}

fn dispute(dispute: &Dispute) -> AttributeValue {
    map([
        ("pgId", dispute.pg_id.as_ref().map(text)),
        ("openedAt", Some(millis(dispute.opened_at))),
        ("open", dispute.open.then_some(AttributeValue::Bool(true))),
        ("resolvedAt", dispute.resolved_at.map(millis)),
    ])
}

fn as_dispute(value: &AttributeValue, key: &str) -> Option<Dispute> {
    let read = Reader { item: value.as_m().ok()?, key };
    Some(Dispute {
        pg_id: read.optional("pgId", as_text).ok()?,
        opened_at: read.required("openedAt", as_millis).ok()?,
        open: read.optional("open", as_bool).ok()?.unwrap_or(false),
        resolved_at: read.optional("resolvedAt", as_millis).ok()?,
    })
}

fn as_entry(value: &AttributeValue, key: &str) -> Option<Entry> {
    let read = Reader { item: value.as_m().ok()?, key };
    let who = read.optional("who", as_text).ok()?.unwrap_or_default();
    let pair = |text: String| text.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let moved = |value: &AttributeValue| {
        let (number, status) = pair(as_text(value)?)?;
        Some((number.parse().ok()?, CancellationStatus::from_word(&status)?))
    };
    Some(Entry {
        at: read.required("at", as_millis).ok()?,
        by: match read.required("by", as_text).ok()?.as_str() {
            "BUYER" => Actor::Buyer,
            "PORTONE" => Actor::Portone,
            "OPERATOR" => Actor::Operator(who),
            "SCHEDULE" => Actor::Schedule,
            _ => return None,
        },
        status: read.required("status", as_word(OrderStatus::from_word)).ok()?,
        seen: match read.optional("seen", as_text).ok()? {
            Some(seen) => {
                let (status, transaction) = pair(seen)?;
                Some((PaymentStatus::from_word(&status)?, transaction))
            }
            None => None,
        },
        cancellations: read.list("cancellations", moved).ok()?,
    })
}

/// Attributes that a write may change; `None` where the order has no such thing now.
pub fn changing_attributes(order: &Order) -> Vec<(&'static str, Option<AttributeValue>)> {
    let list = |values: Vec<AttributeValue>| (!values.is_empty()).then_some(AttributeValue::L(values));
    let cancellation = |c: &Cancellation| {
        map([
            ("number", Some(number(c.number))),
            ("origin", Some(text(c.origin.word()))),
            ("status", Some(text(c.status.word()))),
            ("amount", Some(number(c.amount))),
            ("taxFree", (c.tax_free > 0).then(|| number(c.tax_free))),
            ("balanceBefore", Some(number(c.balance_before))),
            ("everything", c.everything.then_some(AttributeValue::Bool(true))),
            ("portoneId", c.portone_id.as_ref().map(text)),
            ("failure", c.failure.as_ref().map(text)),
            ("failureMessage", c.failure_message.as_ref().map(text)),
            ("reason", c.reason.as_ref().map(text)),
            ("request", c.request.as_ref().map(request_mark)),
            ("promotion", c.promotion.map(|promotion| text(promotion.word()))),
            ("refundAccount", c.refund_account.as_ref().map(refund_account)),
            ("at", Some(millis(c.at))),
            ("askedAgainAt", c.asked_again_at.map(millis)),
        ])
    };
    vec![
        ("status", Some(text(order.status.word()))),
        ("updatedAt", Some(millis(order.updated_at))),
        ("unregistered", order.unregistered.then_some(AttributeValue::Bool(true))),
        ("paidAt", order.paid_at.map(millis)),
        ("received", order.received.map(money)),
        ("returned", (order.returned > 0).then(|| number(order.returned))),
        (
            "sighting",
            order.sighting.as_ref().map(|s| {
                map([
                    ("sdk", Some(text(s.generation.word()))),
                    ("transactionId", Some(text(&s.transaction_id))),
                    ("status", Some(text(s.status.word()))),
                    ("changedAt", Some(millis(s.changed_at))),
                ])
            }),
        ),
        (
            "virtualAccount",
            order.virtual_account.as_ref().map(|account| {
                map([
                    ("bank", account.bank.as_ref().map(text)),
                    ("number", Some(text(&account.number))),
                    ("holder", account.holder.as_ref().map(text)),
                    ("expiresAt", account.expires_at.map(millis)),
                    ("transactionId", Some(text(&account.transaction_id))),
                ])
            }),
        ),
        (
            "lastFailure",
            order.last_failure.as_ref().map(|failure| {
                map([
                    ("code", failure.code.as_ref().map(text)),
                    ("message", failure.message.as_ref().map(text)),
                ])
            }),
        ),
        ("rejections", list(order.rejections.iter().map(|r| text(r.word())).collect())),
        ("cancellations", list(order.cancellations.iter().map(cancellation).collect())),
        ("holdsStock", order.holds_stock.then_some(AttributeValue::Bool(true))),
        ("disputes", list(order.disputes.iter().map(dispute).collect())),
        ("depositRefund", order.deposit_refund.map(|refund| text(refund.word()))),
        // Both are there, or neither: who waits for a look is in the index `open`.
        ("waiting", order.look_at.map(|_| text(shard_of(order.id.tail())))),
        ("lookAt", order.look_at.map(millis)),
    ]
}

/// Reads one item, or one map inside it; remembers whose attribute is wrong.
struct Reader<'a> {
    item: &'a Item,
    key: &'a str,
}

type Read<T> = Result<T, StoreError>;

impl<'a> Reader<'a> {
    fn broken(&self, attribute: &'static str) -> StoreError {
        StoreError::Broken { key: self.key.to_owned(), attribute }
    }

    /// `None` if the attribute is not there, an error if it is there and `read` cannot use it.
    fn optional<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&'a AttributeValue) -> Option<T>,
    ) -> Read<Option<T>> {
        self.item.get(name).map(|value| read(value).ok_or_else(|| self.broken(name))).transpose()
    }

    fn required<T>(&self, name: &'static str, read: impl FnOnce(&'a AttributeValue) -> Option<T>) -> Read<T> {
        self.optional(name, read)?.ok_or_else(|| self.broken(name))
    }

    fn nested<T>(&self, name: &'static str, read: impl FnOnce(&Reader<'_>) -> Read<T>) -> Read<Option<T>> {
        let inner = self.optional(name, |value| value.as_m().ok())?;
        inner.map(|item| read(&Reader { item, key: self.key })).transpose()
    }

    fn list<T>(&self, name: &'static str, read: impl Fn(&AttributeValue) -> Option<T>) -> Read<Vec<T>> {
        let values = self.optional(name, |value| value.as_l().ok())?.map_or(&[][..], Vec::as_slice);
        values.iter().map(|value| read(value).ok_or_else(|| self.broken(name))).collect()
    }
}

fn as_text(value: &AttributeValue) -> Option<String> {
    value.as_s().ok().cloned()
}

fn as_number<T: std::str::FromStr>(value: &AttributeValue) -> Option<T> {
    value.as_n().ok()?.parse().ok()
}

fn as_bool(value: &AttributeValue) -> Option<bool> {
    value.as_bool().ok().copied()
}

fn as_millis(value: &AttributeValue) -> Option<Timestamp> {
    as_number(value).map(Timestamp::from_millis)
}

fn as_word<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&AttributeValue) -> Option<T> {
    move |value| read(value.as_s().ok()?)
}

fn personal(value: &AttributeValue) -> Option<Personal> {
    as_text(value).map(Personal::new)
}

fn as_refund_account(read: &Reader<'_>) -> Read<RefundAccount> {
    Ok(RefundAccount {
        bank: read.required("bank", as_text)?,
        number: read.required("number", personal)?,
        holder: read.required("holder", personal)?,
        holder_phone: read.optional("holderPhone", personal)?,
    })
}

fn as_money(value: &AttributeValue) -> Option<Money> {
    let members = value.as_m().ok()?;
    Some(Money::new(as_number(members.get("amount")?)?, members.get("currency")?.as_s().ok()?.parse().ok()?))
}

/// The order in an item, and the fingerprint of the request that made it, if it had a key.
pub fn to_order(item: &Item) -> Read<(Order, Option<Vec<u8>>)> {
    let key = item.get("PK").and_then(|pk| pk.as_s().ok()).map_or("ORDER", String::as_str);
    let read = Reader { item, key };
    let line = |value: &AttributeValue| {
        let read = Reader { item: value.as_m().ok()?, key };
        Some(OrderLine {
            product_id: ProductId::parse(&read.required("id", as_text).ok()?)?,
            name: read.required("name", as_text).ok()?,
            quantity: read.required("quantity", as_number).ok()?,
            unit_price: read.required("price", as_number).ok()?,
            unit_tax_free: read.optional("taxFree", as_number).ok()?.unwrap_or(0),
            stocked: read.optional("stocked", as_bool).ok()?.unwrap_or(false),
        })
    };
    let cancellation = |value: &AttributeValue| {
        let read = Reader { item: value.as_m().ok()?, key };
        Some(Cancellation {
            number: read.required("number", as_number).ok()?,
            origin: read.required("origin", as_word(CancellationOrigin::from_word)).ok()?,
            status: read.required("status", as_word(CancellationStatus::from_word)).ok()?,
            amount: read.required("amount", as_number).ok()?,
            tax_free: read.optional("taxFree", as_number).ok()?.unwrap_or(0),
            balance_before: read.required("balanceBefore", as_number).ok()?,
            everything: read.optional("everything", as_bool).ok()?.unwrap_or(false),
            portone_id: read.optional("portoneId", as_text).ok()?,
            failure: read.optional("failure", as_text).ok()?,
            failure_message: read.optional("failureMessage", as_text).ok()?,
            reason: read.optional("reason", as_text).ok()?,
            request: read.optional("request", as_request_mark).ok()?,
            promotion: read.optional("promotion", as_word(PromotionDiscount::from_word)).ok()?,
            refund_account: read.nested("refundAccount", as_refund_account).ok()?,
            at: read.required("at", as_millis).ok()?,
            asked_again_at: read.optional("askedAgainAt", as_millis).ok()?,
        })
    };
    let customer = read.nested("customer", |read| {
        Ok(Customer {
            name: read.required("name", personal)?,
            email: read.optional("email", personal)?,
            phone: read.optional("phone", personal)?,
        })
    })?;
    let sighting = read.nested("sighting", |read| {
        Ok(Sighting {
            generation: read.required("sdk", as_word(Generation::from_word))?,
            transaction_id: read.required("transactionId", as_text)?,
            status: read.required("status", as_word(PaymentStatus::from_word))?,
            changed_at: read.required("changedAt", as_millis)?,
        })
    })?;
    let virtual_account = read.nested("virtualAccount", |read| {
        Ok(VirtualAccount {
            bank: read.optional("bank", as_text)?,
            number: read.required("number", as_text)?,
            holder: read.optional("holder", as_text)?,
            expires_at: read.optional("expiresAt", as_millis)?,
            transaction_id: read.optional("transactionId", as_text)?.unwrap_or_default(),
        })
    })?;
    let last_failure = read.nested("lastFailure", |read| {
        Ok(Failure { code: read.optional("code", as_text)?, message: read.optional("message", as_text)? })
    })?;
    let order = Order {
        id: read.required("id", as_word(|id| id.parse::<OrderId>().ok()))?,
        version: read.required("version", as_number)?,
        status: read.required("status", as_word(OrderStatus::from_word))?,
        name: read.required("name", as_text)?,
        total: read.required("total", as_money)?,
        tax_free: read.optional("taxFree", as_number)?.unwrap_or(0),
        lines: read.list("lines", line)?,
        customer: customer.ok_or_else(|| read.broken("customer"))?,
        generation: read.required("sdk", as_word(Generation::from_word))?,
        pay_method: read.required("payMethod", as_word(PayMethod::from_word))?,
        redirect_url: read.optional("redirectUrl", as_text)?,
        unregistered: read.optional("unregistered", as_bool)?.unwrap_or(false),
        created_at: read.required("createdAt", as_millis)?,
        updated_at: read.required("updatedAt", as_millis)?,
        expires_at: read.required("expiresAt", as_millis)?,
        paid_at: read.optional("paidAt", as_millis)?,
        received: read.optional("received", as_money)?,
        returned: read.optional("returned", as_number)?.unwrap_or(0),
        sighting,
        virtual_account,
        last_failure,
        rejections: read.list("rejections", as_word(Rejection::from_word))?,
        cancellations: read.list("cancellations", cancellation)?,
        disputes: read.list("disputes", |value| as_dispute(value, key))?,
        deposit_refund: read.optional("depositRefund", as_word(DepositRefund::from_word))?,
        holds_stock: read.optional("holdsStock", as_bool)?.unwrap_or(false),
        look_at: read.optional("lookAt", as_millis)?,
        language: read.optional("language", as_word(Language::from_word))?.unwrap_or(Language::Korean),
        journal: read.list("journal", |entry| as_entry(entry, key))?,
        // For logs only: an order is none the worse for a trace that cannot be read.
        trace: item.get("trace").and_then(|trace| trace.as_b().ok()?.as_ref().try_into().ok()),
    };
    let fingerprint = read.optional("request", |value| value.as_b().ok())?;
    Ok((order, fingerprint.map(|blob| blob.as_ref().to_vec())))
}

/// The product in an item that any tool may have written (contract, section 5).
pub fn to_product(item: &Item) -> Read<Product> {
    let key = item.get("PK").and_then(|pk| pk.as_s().ok()).map_or("PRODUCT", String::as_str);
    let read = Reader { item, key };
    let id = key.strip_prefix("PRODUCT#").and_then(ProductId::parse).ok_or_else(|| read.broken("PK"))?;
    let name = read.required("name", |value| as_text(value).filter(|name| !name.trim().is_empty()))?;
    let price =
        read.required("price", |value| as_number(value).filter(|price| *price <= order::money::AMOUNT_MAX))?;
    let tax_free =
        read.optional("taxFreeAmount", |value| as_number(value).filter(|share| *share <= price))?;
    Ok(Product {
        id,
        name,
        price: Money::new(price, read.required("currency", as_word(|code| code.parse().ok()))?),
        tax_free: tax_free.unwrap_or(0),
        active: read.required("active", as_bool)?,
        stock: read.optional("stock", as_number)?,
    })
}

/// The finding in an item; nothing if it is broken.
pub fn to_finding(item: &Item) -> Option<super::KeptFinding> {
    let read = Reader { item, key: FINDINGS };
    let facts = item.get("facts")?.as_m().ok()?.iter();
    let mut facts =
        facts.filter_map(|(name, value)| Some((name.clone(), as_text(value)?))).collect::<Vec<_>>();
    facts.sort();
    Some(super::KeptFinding {
        finding: super::Finding {
            kind: read.required("kind", as_word(FindingKind::from_word)).ok()?,
            subject: read.required("subject", as_text).ok()?,
            facts,
            changed_at: read.required("changedAt", as_millis).ok()?,
        },
        first_seen_at: read.required("firstSeenAt", as_millis).ok()?,
    })
}
