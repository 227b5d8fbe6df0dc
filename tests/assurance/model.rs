//! The reference: how an order has to stand, by the contract and by PortOne's own record of its payment, and
//! nothing else. It knows no transition and no code of ours.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end::{Placed, Shop};
use serde_json::{Value, json};

/// Pieces of the counted product that a shop begins with.
pub const STOCK: i64 = 100_000;
/// The counted product.
pub const COUNTED: &str = "shoes";

/// What the world did to an order, apart from PortOne's record.
#[derive(Debug, Clone)]
pub struct Story {
    /// The order as its buyer's page has it.
    pub placed: Placed,
    /// Its time to be paid is over.
    pub expired: bool,
    /// The transaction whose virtual account is over its deadline, which is another one than the order's.
    pub account_expired: Option<String>,
    /// An account was issued that is not the one over its deadline. Its own is to come.
    pub newer_account: bool,
    /// An operator asked to cancel it, perhaps before it was paid.
    pub closing: bool,
    /// A window was opened after it was closed. What is not money changes a closed order no more.
    pub late_window: bool,
}

impl Story {
    /// An order to which nothing was done.
    pub fn of(placed: Placed) -> Self {
        Self {
            placed,
            expired: false,
            account_expired: None,
            newer_account: false,
            closing: false,
            late_window: false,
        }
    }
}

/// PortOne's record of a payment, in short.
struct Record {
    status: String,
    /// It came into a virtual account, so that somebody has to say where it goes back to.
    deposit: bool,
    /// Money came, whatever became of it.
    money: bool,
    /// It is the order's: amount, currency and channel.
    matches: bool,
    total: i64,
    /// What went back for good.
    returned: i64,
    /// The ids of the cancellations by which it did.
    ids: BTreeSet<String>,
}

fn record(payment: &Value, total: i64) -> Record {
    let succeeded = |row: &&Value| row["status"] == "SUCCEEDED";
    let rows: Vec<&Value> =
        payment["cancellations"].as_array().into_iter().flatten().filter(succeeded).collect();
    let returned = rows.iter().filter_map(|row| row["totalAmount"].as_i64()).sum();
    let status = payment["status"].as_str().unwrap_or_default().to_owned();
    Record {
        money: matches!(status.as_str(), "PAID" | "PARTIAL_CANCELLED") || returned > 0,
        matches: payment["amount"]["total"] == total
            && payment["currency"] == "KRW"
            && payment["channel"]["type"] == "LIVE",
        total: payment["amount"]["total"].as_i64().unwrap_or_default(),
        deposit: payment["method"]["type"] == "PaymentMethodVirtualAccount",
        returned,
        ids: rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect(),
        status,
    }
}

/// Whether an order in this status keeps its pieces.
fn keeps_stock(status: &str) -> bool {
    !matches!(status, "CANCELLED" | "EXPIRED" | "REJECTED")
}

/// The statuses that an order may have once all is quiet, how much it must say went back, and by which
/// cancellations at PortOne.
fn standing(story: &Story, payment: Option<&Value>) -> (Vec<&'static str>, i64, BTreeSet<String>) {
    let seen = payment.map(|payment| record(payment, story.placed.total()));
    if let Some(seen) = seen.as_ref().filter(|seen| seen.money) {
        let whole = seen.returned == seen.total;
        let statuses = match (seen.matches, seen.returned) {
            // Money that is not the order's goes back, all of it.
            (false, _) if whole => vec!["REJECTED"],
            (false, _) => vec![],
            // Closed before it was paid, it takes no money; a deposit waits for an operator's account.
            (true, 0) if story.closing && seen.deposit => vec!["PAID", "REJECTED"],
            (true, 0) => vec!["PAID"],
            // Closed before it was paid: that went back too.
            (true, _) if whole && story.closing => vec!["CANCELLED", "REJECTED"],
            (true, _) if whole => vec!["CANCELLED"],
            // The operator has given a part of that deposit back so far.
            (true, _) if story.closing && seen.deposit => vec!["PARTIAL_CANCELLED", "REJECTED"],
            (true, _) => vec!["PARTIAL_CANCELLED"],
        };
        return (statuses, seen.returned, seen.ids.clone());
    }
    let status = seen.as_ref().map(|seen| seen.status.as_str());
    // V1 has no word for what a PG has not decided: there it is a window that was opened.
    let v1 = payment.is_some_and(|payment| payment["version"] == "V1");
    let status = status.filter(|status| !v1 || *status != "PAY_PENDING");
    let undecided = matches!(status, Some("PAY_PENDING" | "VIRTUAL_ACCOUNT_ISSUED"));
    if story.late_window && undecided {
        return (vec!["CANCELLED", "EXPIRED"], 0, BTreeSet::new());
    }
    let mut statuses = match status {
        Some("PAY_PENDING") => vec!["PAY_PENDING"],
        Some("VIRTUAL_ACCOUNT_ISSUED")
            if story.account_expired.as_deref() != payment.and_then(|it| it["transactionId"].as_str()) =>
        {
            vec!["VIRTUAL_ACCOUNT_ISSUED"]
        }
        // An account is closed before its order is.
        Some("VIRTUAL_ACCOUNT_ISSUED") => vec![],
        Some("CANCELLED") if story.expired => vec!["EXPIRED", "CANCELLED"],
        Some("CANCELLED") => vec!["CANCELLED"],
        // Also when a later window failed, a deposit may still come to the newer account.
        _ if story.newer_account => vec!["EXPIRED", "PENDING"],
        _ if story.expired => vec!["EXPIRED"],
        _ => vec!["PENDING"],
    };
    if story.closing && !undecided {
        statuses.push("CANCELLED");
    }
    (statuses, 0, BTreeSet::new())
}

/// Holds orders against the model, and the stock of the shop. An error says what does not fit.
pub async fn agrees(shop: &Shop, stories: &[Story]) -> Result<(), String> {
    let orders = shop.stored_orders();
    for story in stories {
        one_agrees(shop, &orders, story).await?;
    }
    stock_agrees(shop, &orders)
}

async fn one_agrees(shop: &Shop, orders: &[Value], story: &Story) -> Result<(), String> {
    let payment = shop.portone().payment(&story.placed.id);
    let (statuses, returned, ids) = standing(story, payment.as_ref());
    let order = orders.iter().find(|order| order["id"] == *story.placed.id);
    let Some(order) = order else { return Err(format!("{} is lost", story.placed.id)) };
    let shown = || {
        let payment = payment.clone().unwrap_or_default();
        let short = ["status", "amount", "channel", "cancellations"].map(|name| payment[name].to_string());
        format!("\norder {order}\npayment {}", short.join(" "))
    };
    let must = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}{}", shown())) };

    let status = order["status"].as_str().unwrap_or_default();
    must(statuses.contains(&status), &format!("{status} is none of {statuses:?}"))?;
    must(order["returned"].as_i64().unwrap_or(0) == returned, &format!("returned is not {returned}"))?;
    let received = order["received"]["amount"].as_i64();
    let money = payment.as_ref().map(|payment| record(payment, story.placed.total())).filter(|it| it.money);
    must(received == money.map(|money| money.total), "received is not what came")?;

    let waits = status == "REJECTED" && returned < received.unwrap_or(0);
    let told = || shop.found("RETURN_REFUSED").contains(&story.placed.id);
    must(!waits || told(), "money waits for a person whom nobody tells")?;

    let rows = order["cancellations"].as_array().cloned().unwrap_or_default();
    must(rows.iter().all(|row| row["status"] != "INTENDED"), "an intent without an outcome")?;
    let done = rows.iter().filter(|row| row["status"] == "SUCCEEDED" && row["amount"] != 0);
    let ours: Vec<_> = done.map(|row| row["portoneId"].as_str().unwrap_or("?").to_owned()).collect();
    must(ours.iter().collect::<BTreeSet<_>>().len() == ours.len(), "one cancellation twice in the ledger")?;
    must(ours.into_iter().collect::<BTreeSet<_>>() == ids, "the ledger is not PortOne's")?;

    must(order["holdsStock"] == true || !keeps_stock(status) || !counted(order), "it lost its pieces")?;
    let entries = order["journal"].as_array().map_or(0, Vec::len);
    must(order["version"] == entries, "the journal is not of each version")?;
    let view = shop.view(&story.placed).await;
    let shows = [&view["status"], &view["amount"]["cancelled"]];
    must(shows == [&json!(status), &json!(returned)], &format!("its buyer is shown {view}"))
}

fn counted(order: &Value) -> bool {
    order["lines"].as_array().into_iter().flatten().any(|line| line["id"] == COUNTED)
}

/// Every piece is either there or with an order that keeps it.
fn stock_agrees(shop: &Shop, orders: &[Value]) -> Result<(), String> {
    let kept = |order: &&Value| order["status"].as_str().is_some_and(keeps_stock);
    let lines = |order: &Value| order["lines"].as_array().cloned().unwrap_or_default();
    let lines = orders.iter().filter(kept).flat_map(lines).filter(|line| line["id"] == COUNTED);
    let kept: i64 = lines.filter_map(|line| line["quantity"].as_i64()).sum();
    let left = shop.stock(COUNTED);
    if left == STOCK - kept {
        Ok(())
    } else {
        Err(format!("{left} are left of {STOCK}, and {kept} are kept"))
    }
}

/// Holds what the rest of the shop was told against how the orders stand: each thing once, by its id, and the
/// goods of an order are sent once if its money came, and never if not.
pub async fn events_agree(shop: &Shop) -> Result<(), String> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for event in shop.events().await {
        let detail = &event["detail"];
        if known.insert(detail["id"].to_string()) {
            let kind = event["detail-type"].as_str().unwrap_or_default().to_owned();
            told.entry(detail["orderId"].as_str().unwrap_or_default().to_owned()).or_default().push(kind);
        }
    }
    for order in shop.stored_orders() {
        let id = order["id"].as_str().unwrap_or_default();
        let kinds = told.remove(id).unwrap_or_default();
        let times = |kind: &str| kinds.iter().filter(|told| *told == kind).count();
        let is = |status: &str| usize::from(order["status"] == status);
        let paid = usize::from(order["received"].is_object() && order["status"] != "REJECTED");
        for (kind, wanted) in [("OrderPaid", paid), ("OrderRejected", is("REJECTED"))] {
            if times(kind) != wanted {
                return Err(format!("{kind} not {wanted} times in {kinds:?}: {order}"));
            }
        }
        // Money may come after an order was closed: it was closed all the same, once.
        for (kind, status) in [("OrderCancelled", "CANCELLED"), ("OrderExpired", "EXPIRED")] {
            if times(kind) < is(status) || times(kind) > 1 {
                return Err(format!("{kind} {} times in {kinds:?}: {order}", times(kind)));
            }
        }
    }
    if told.is_empty() { Ok(()) } else { Err(format!("told of orders that are not there: {told:?}")) }
}
