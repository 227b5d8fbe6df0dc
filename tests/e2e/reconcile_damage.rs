//! Many orders with every kind of damage, against a plain model of how each has to end.
//!
//! `RECONCILE_ORDERS` says how many, `RECONCILE_SEED` which; the seed is printed.

use std::time::Instant;

use end_to_end::{Shop, setting, table};
use portone_simulator::{PaymentSpec, Status, Timestamp, Version};
use serde_json::{Map, Value, json};

const TOTAL: i64 = 2_000;
/// What a buyer pays who pays something else.
const OTHER: i64 = 200;
/// What goes back where not all of it does.
const PART: i64 = 300;
const MINUTE: i64 = 60_000;

/// What happened to an order without its shop being told, or before its shop was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// Nothing: paid, and known to be.
    None,
    /// Paid; the webhook got lost.
    Paid,
    /// Paid with another amount; the webhook got lost.
    Mismatch,
    /// Such money should go back: the intent is written, PortOne was never asked.
    ReturnIntended,
    /// The same, and PortOne did it.
    ReturnDone,
    /// Cancelled at the console, all of it.
    ConsoleWhole,
    /// Cancelled at the console, a part of it.
    ConsolePart,
    /// An operator cancelled all of it: the intent is written, PortOne was never asked.
    CancelIntended,
    /// An operator cancelled a part: PortOne did it, the outcome is not written.
    CancelDone,
    /// Nobody paid and the time is over.
    Abandoned,
    /// An attempt failed and the time is over.
    Failed,
    /// Nobody paid yet.
    Open,
    /// An account was issued; the webhook got lost.
    Issued,
    /// The account's deadline has passed.
    Overdue,
    /// The deposit came; the webhook got lost.
    Deposited,
    /// Paid after the order was closed.
    Late,
}

use Damage as D;

/// How each has to end: the order's status, and what went back. The model.
const MODEL: [(Damage, &str, i64); 16] = [
    (D::None, "PAID", 0),
    (D::Paid, "PAID", 0),
    (D::Mismatch, "REJECTED", OTHER),
    (D::ReturnIntended, "REJECTED", OTHER),
    (D::ReturnDone, "REJECTED", OTHER),
    (D::ConsoleWhole, "CANCELLED", TOTAL),
    (D::ConsolePart, "PARTIAL_CANCELLED", PART),
    (D::CancelIntended, "CANCELLED", TOTAL),
    (D::CancelDone, "PARTIAL_CANCELLED", PART),
    (D::Abandoned, "EXPIRED", 0),
    (D::Failed, "EXPIRED", 0),
    (D::Open, "PENDING", 0),
    (D::Issued, "VIRTUAL_ACCOUNT_ISSUED", 0),
    (D::Overdue, "EXPIRED", 0),
    (D::Deposited, "PAID", 0),
    (D::Late, "PAID", 0),
];

/// Whether an order in this status holds its two pairs of shoes.
fn holds(status: &str) -> bool {
    !matches!(status, "CANCELLED" | "EXPIRED" | "REJECTED")
}

/// Numbers by chance that a seed repeats (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let limit = u64::try_from(limit).expect("a small number");
        usize::try_from((mixed ^ (mixed >> 31)) % limit).expect("below a small number")
    }

    /// The part of an order's id that is chance.
    fn tail(&mut self) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        (0..16).map(|_| char::from(ALPHABET[self.below(ALPHABET.len())])).collect()
    }
}

/// A number of DynamoDB's JSON, a text, a map.
fn number(value: i64) -> Value {
    json!({ "N": value.to_string() })
}

fn text(value: &str) -> Value {
    json!({ "S": value })
}

fn money(amount: i64) -> Value {
    json!({ "M": { "amount": number(amount), "currency": text("KRW") } })
}

/// One order to be damaged.
struct Seed {
    id: String,
    v1: bool,
    damage: Damage,
    /// When the last thing happened.
    at: i64,
}

impl Seed {
    /// A transaction of this order.
    fn transaction(&self) -> String {
        if self.v1 { format!("imp_{}", &self.id[10..]) } else { format!("tx-{}", self.id) }
    }

    /// What PortOne has, if it has anything.
    fn payment(&self) -> Option<PaymentSpec> {
        let (status, total) = match self.damage {
            D::Abandoned | D::Open => return None,
            D::None | D::Paid | D::CancelIntended | D::Deposited | D::Late => (Status::Paid, TOTAL),
            D::Mismatch | D::ReturnIntended => (Status::Paid, OTHER),
            D::ReturnDone => (Status::Cancelled, OTHER),
            D::ConsoleWhole => (Status::Cancelled, TOTAL),
            D::ConsolePart | D::CancelDone => (Status::PartialCancelled, TOTAL),
            D::Failed => (Status::Failed, TOTAL),
            D::Issued | D::Overdue => (Status::VirtualAccountIssued, TOTAL),
        };
        let at = Some(Timestamp::from_millis(self.at).rfc3339());
        Some(PaymentSpec {
            status,
            total_amount: total,
            cancelled_amount: (status == Status::PartialCancelled).then_some(PART),
            version: if self.v1 { Version::V1 } else { Version::V2 },
            transaction_id: Some(self.transaction()),
            requested_at: at.clone(),
            changed_at: at,
            ..PaymentSpec::default()
        })
    }

    /// The order's status as the shop has it, and its one cancellation: origin and amount.
    fn known(&self) -> (&'static str, Option<(&'static str, i64)>) {
        match self.damage {
            D::Paid | D::Mismatch | D::Abandoned | D::Failed | D::Open | D::Issued => ("PENDING", None),
            D::Overdue | D::Deposited => ("VIRTUAL_ACCOUNT_ISSUED", None),
            D::Late => ("EXPIRED", None),
            D::ReturnIntended | D::ReturnDone => ("REJECTED", Some(("MISMATCH", OTHER))),
            D::CancelIntended => ("PAID", Some(("OPERATOR", TOTAL))),
            D::CancelDone => ("PAID", Some(("OPERATOR", PART))),
            D::None | D::ConsoleWhole | D::ConsolePart => ("PAID", None),
        }
    }

    /// The order's item, made of one that its function made.
    fn item(&self, template: &Value, seen: Option<&Value>, now: i64) -> Value {
        let mut item = template.clone();
        let (status, cancellation) = self.known();
        let open = matches!(status, "PENDING" | "VIRTUAL_ACCOUNT_ISSUED");
        let tail = &self.id[10..];
        let created = self.at - 20 * MINUTE;
        let over = matches!(self.damage, D::Abandoned | D::Failed | D::Overdue | D::Late);
        for (name, value) in [
            ("PK", text(&format!("ORDER#{tail}"))),
            ("id", text(&self.id)),
            ("status", text(status)),
            ("createdAt", number(created)),
            ("updatedAt", number(self.at)),
            ("expiresAt", number(if over { now - MINUTE } else { now + 60 * MINUTE })),
        ] {
            item[name] = value;
        }
        let members = item.as_object_mut().expect("an item");
        for name in ["waiting", "lookAt", "holdsStock"] {
            members.remove(name);
        }
        // An order whose look has not come yet is found by PortOne's list, if it is.
        if open || cancellation.is_some() {
            members.insert("waiting".to_owned(), text(&tail[..1]));
            let due = if self.damage == D::Open { now + 5 * MINUTE } else { now - MINUTE };
            members.insert("lookAt".to_owned(), number(due));
        }
        if holds(status) {
            members.insert("holdsStock".to_owned(), json!({ "BOOL": true }));
        }
        self.tell_payment(members, status, seen);
        if let Some((origin, amount)) = cancellation {
            let balance = if origin == "MISMATCH" { OTHER } else { TOTAL };
            let row = json!({ "M": {
                "number": number(1), "origin": text(origin), "status": text("INTENDED"), "amount": number(amount),
                "balanceBefore": number(balance), "at": number(now - 10 * MINUTE),
            } });
            members.insert("cancellations".to_owned(), json!({ "L": [row] }));
        }
        self.tell_journal(members, status, created);
        item
    }

    /// What the shop knows of the payment.
    fn tell_payment(&self, members: &mut Map<String, Value>, status: &str, seen: Option<&Value>) {
        let sighted = match status {
            "PAID" | "REJECTED" => "PAID",
            "VIRTUAL_ACCOUNT_ISSUED" => "VIRTUAL_ACCOUNT_ISSUED",
            _ => return,
        };
        let changed_at = seen.and_then(|seen| Timestamp::parse(seen["statusChangedAt"].as_str()?));
        let changed_at = changed_at.map_or(self.at, Timestamp::millis);
        let sighting = json!({ "M": {
            "sdk": text(if self.v1 { "V1" } else { "V2" }), "transactionId": text(&self.transaction()),
            "status": text(sighted), "changedAt": number(changed_at - i64::from(self.damage == D::Deposited)),
        } });
        members.insert("sighting".to_owned(), sighting);
        if sighted == "PAID" {
            let received = if status == "REJECTED" { OTHER } else { TOTAL };
            members.insert("received".to_owned(), money(received));
            members.insert("paidAt".to_owned(), number(self.at));
        } else {
            let account = json!({ "M": { "bank": text("SHINHAN"), "number": text("1"), "expiresAt": number(self.at) } });
            members.insert("virtualAccount".to_owned(), account);
        }
        if status == "REJECTED" {
            members.insert("rejections".to_owned(), json!({ "L": [text("AMOUNT")] }));
        }
    }

    /// One entry for each version.
    fn tell_journal(&self, members: &mut Map<String, Value>, status: &str, created: i64) {
        let entry = |at: i64, by: &str, status: &str| json!({ "M": { "at": number(at), "by": text(by), "status": text(status) } });
        let mut entries = vec![entry(created, "BUYER", "PENDING")];
        if status != "PENDING" {
            entries.push(entry(self.at, "PORTONE", status));
        }
        members.insert("version".to_owned(), number(i64::try_from(entries.len()).expect("a few")));
        members.insert("journal".to_owned(), json!({ "L": entries }));
    }
}

/// Writes this many orders and their payments.
async fn seed(shop: &Shop, chance: &mut Chance, count: usize) -> Vec<Seed> {
    let template = table::raw_order(&shop.stack, &shop.placed().await.id);
    let template_v1 = table::raw_order(&shop.stack, &shop.placed_v1().await.id);
    let now = Timestamp::wall().millis();
    let mut seeds = Vec::new();
    for index in 0..count {
        // Each kind at least once, then by chance.
        let kind = if index < 2 * MODEL.len() { index } else { chance.below(2 * MODEL.len()) };
        let damage = MODEL[kind % MODEL.len()].0;
        // An account of V1 past its deadline is a story of its own: its deadline is PortOne's to say.
        let v1 = kind >= MODEL.len() && damage != D::Overdue;
        let at = now - 30 * MINUTE - i64::try_from(chance.below(2 * 24 * 3_600_000)).expect("a time");
        let seed = Seed { id: format!("01JDABCDEF{}", chance.tail()), v1, damage, at };
        if let Some(payment) = seed.payment() {
            shop.portone().put_payment(&seed.id, &payment).expect("a possible payment");
        }
        let seen = shop.portone().payment(&seed.id);
        let template = if seed.v1 { &template_v1 } else { &template };
        table::put(&shop.stack, &seed.item(template, seen.as_ref(), now));
        seeds.push(seed);
    }
    for orphan in 0..count / 50 + 1 {
        let at = Some(Timestamp::from_millis(now - 60 * MINUTE).rfc3339());
        let payment = PaymentSpec { requested_at: at.clone(), changed_at: at, ..PaymentSpec::default() };
        shop.portone().put_payment(&format!("orphan-{orphan}"), &payment).expect("a possible payment");
    }
    seeds
}

/// What went back at PortOne, and in how many cancellations.
fn returned_at_portone(shop: &Shop, id: &str) -> (usize, i64) {
    let payment = shop.portone().payment(id).unwrap_or_default();
    let rows = payment["cancellations"].as_array().cloned().unwrap_or_default();
    let done = rows.iter().filter(|row| row["status"] == "SUCCEEDED");
    let amounts = done.filter_map(|row| row["totalAmount"].as_i64());
    (amounts.clone().count(), amounts.sum())
}

fn assert_model(shop: &Shop, seeds: &[Seed], stock: i64) {
    let stored = shop.stored_orders();
    let stored: std::collections::BTreeMap<_, _> =
        stored.iter().map(|order| (order["id"].as_str().unwrap_or_default(), order)).collect();
    let mut left = stock;
    for seed in seeds {
        let (_, status, returned) =
            MODEL[MODEL.iter().position(|(damage, ..)| *damage == seed.damage).unwrap()];
        let (order, what) =
            (stored[seed.id.as_str()], format!("{} {:?} V1: {}", seed.id, seed.damage, seed.v1));
        assert_eq!(order["status"], status, "{what} {order}");
        assert_eq!(order["returned"].as_i64().unwrap_or(0), returned, "{what} {order}");
        assert_eq!(returned_at_portone(shop, &seed.id), (usize::from(returned > 0), returned), "{what}");
        assert_eq!(order["holdsStock"] == true, holds(status), "{what}");
        let rows = order["cancellations"].as_array().map_or(&[][..], Vec::as_slice);
        let succeeded = rows.iter().filter(|row| row["status"] == "SUCCEEDED").count();
        assert_eq!(
            (rows.len(), succeeded),
            (usize::from(returned > 0), usize::from(returned > 0)),
            "{what} {order}"
        );
        let entries = order["journal"].as_array().map(Vec::len);
        assert_eq!(order["version"].as_u64().map(|version| version as usize), entries, "{what}");
        // What it held before, against what it holds now.
        left += 2 * (i64::from(holds(seed.known().0)) - i64::from(holds(status)));
    }
    assert_eq!(shop.stock("shoes"), json!(left));
}

/// The calls that asked either generation for money back.
fn asked_for_money(shop: &Shop) -> usize {
    shop.portone_wire().count("POST /payments/{paymentId}/cancel")
        + shop.v1_wire().count("POST /payments/cancel")
}

#[tokio::test]
async fn orders_with_every_kind_of_damage_end_as_the_model_says_and_stay_so() {
    let by_chance = u64::try_from(Timestamp::wall().millis()).expect("a time");
    let (count, seed_number) = (setting("RECONCILE_ORDERS", 300), setting("RECONCILE_SEED", by_chance));
    println!("damage: RECONCILE_ORDERS={count} RECONCILE_SEED={seed_number}");
    let count = usize::try_from(count).expect("a number of orders");

    let shop = Shop::open().await;
    shop.set_stock("shoes", 1_000_000);
    let begun = Instant::now();
    let seeds = seed(&shop, &mut Chance(seed_number), count).await;
    println!("damage: seeded in {:.1?}", begun.elapsed());
    let stock = shop.stock("shoes").as_i64().expect("counted");

    // One run reads 5,000 payments of a list, and looks at what it gets to in four and a half minutes.
    let runs_max = 3 + count / 1_000;
    let mut runs = 0;
    loop {
        let begun = Instant::now();
        let summary = shop.reconcile().await;
        runs += 1;
        println!("damage: run {runs}: {:.1?} {summary}", begun.elapsed());
        let done = summary["complete"] == true && summary["moved"] == 0;
        if done || runs == runs_max {
            break;
        }
    }
    assert_model(&shop, &seeds, stock);
    assert_eq!(shop.orphans().len(), count / 50 + 1);

    let (orders, findings) = (shop.stored_orders(), table::items(&shop.stack, "FINDINGS"));
    let asked = asked_for_money(&shop);
    for _ in 0..2 {
        let summary = shop.reconcile_all().await;
        assert_eq!((&summary["moved"], &summary["lookedAt"]), (&json!(0), &json!(0)), "{summary}");
    }
    assert!(shop.stored_orders() == orders, "twice over changes nothing");
    assert_eq!(table::items(&shop.stack, "FINDINGS"), findings);
    assert_eq!(asked_for_money(&shop), asked);
}
