//! One state of the model, and when two states are the same.
//!
//! Two states are the same if everything that can still happen is the same in both: the order's journal, its
//! version's number and who wrote it last are left out, and of a copy that a process holds it counts whether it
//! is still current. Processes of one role are interchangeable.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem::discriminant,
    ops::Deref,
    sync::Arc,
};

use order::{
    Actor, Currency, Customer, Generation, Language, Look, Money, Observation, Order, OrderId, OrderLine,
    OrderStatus, PayMethod, Personal, ProductId, Timestamp,
};

use crate::{
    portone::Portone,
    process::{Phase, Process},
    scenario::{OPEN_MINUTES, PIECES, Scenario, TOTAL},
    table::Table,
};

/// Our store.
pub const STORE: &str = "store-a";
const BEGIN: i64 = 1_800_000_000_000;

/// The moment so many minutes after the order was made.
pub fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_millis(BEGIN + minutes * 60_000)
}

/// The one order.
pub fn order_id() -> OrderId {
    OrderId::mint(minute(0), [1; 10])
}

/// A look at the order. The journal is left out of the model, so it does not matter by whom.
pub fn look(at: Timestamp) -> Look<'static> {
    Look { at, by: &Actor::Schedule }
}

/// Everything there is at one moment.
#[derive(Clone, Debug)]
pub struct State {
    /// Minutes since the order was made.
    pub now: i64,
    /// The table.
    pub table: Table,
    /// PortOne.
    pub portone: Portone,
    /// Our processes.
    pub processes: Vec<Process>,
    /// Which of the scenario's news did not happen yet.
    pub news: Vec<bool>,
    /// Calls that a PG may still refuse.
    pub refusals: u8,
    /// Writes whose answers may still be lost.
    pub lost_answers: u8,
    /// Amounts that PortOne may take, where it asks first.
    pub approved: Vec<u64>,
    /// A return was asked for again.
    pub asked_again: bool,
    /// By attempt, the newest change of it that a look came to its end with. The look may have been the
    /// schedule's, which went through PortOne's list and does not come back for what it did.
    pub compared: Vec<u8>,
}

impl State {
    /// The order was made; nothing else happened.
    pub fn begin(scenario: &Scenario) -> Self {
        Self {
            now: 0,
            table: Table::new(new_order(scenario)),
            portone: Portone::new(scenario),
            processes: scenario.roles.iter().map(|role| Process::idle(*role)).collect(),
            news: scenario.news.iter().map(|_| true).collect(),
            refusals: scenario.refusals,
            lost_answers: scenario.lost_answers,
            approved: Vec::new(),
            asked_again: false,
            compared: Vec::new(),
        }
    }

    /// Whether no process runs and no call is under way.
    pub fn is_quiet(&self) -> bool {
        let resting = |one: &Process| matches!(one.phase, Phase::Idle | Phase::Done);
        self.portone.calls.is_empty() && self.processes.iter().all(resting)
    }
}

fn new_order(scenario: &Scenario) -> Order {
    let line = OrderLine {
        product_id: ProductId::parse("p").expect("a product id"),
        name: String::new(),
        quantity: PIECES,
        unit_price: TOTAL,
        unit_tax_free: scenario.tax_free,
        stocked: true,
    };
    let order = Order {
        id: order_id(),
        version: 1,
        status: OrderStatus::Pending,
        name: String::new(),
        total: Money::new(TOTAL, Currency::KRW),
        tax_free: scenario.tax_free,
        lines: vec![line],
        customer: Customer { name: Personal::new(String::new()), email: None, phone: None },
        generation: scenario.generation,
        pay_method: PayMethod::Card,
        redirect_url: None,
        unregistered: false,
        created_at: minute(0),
        updated_at: minute(0),
        expires_at: minute(i64::from(OPEN_MINUTES)),
        paid_at: None,
        received: None,
        returned: 0,
        sighting: None,
        virtual_account: None,
        last_failure: None,
        rejections: Vec::new(),
        cancellations: Vec::new(),
        disputes: Vec::new(),
        deposit_refund: None,
        holds_stock: false,
        look_at: None,
        language: Language::Korean,
        journal: Vec::new(),
        trace: None,
    };
    order.begun(look(minute(0)))
}

/// An order and its print: what is hashed a million times is hashed once.
#[derive(Clone, Debug)]
pub struct Held(Arc<(Order, u64)>);

impl Held {
    /// Holds an order. Its journal is left out.
    pub fn new(order: Order) -> Self {
        let order = Order { journal: Vec::new(), ..order };
        let print = print_of_order(&order);
        Self(Arc::new((order, print)))
    }

    /// Two orders with the same print are the same but for their history.
    pub fn print(&self) -> u64 {
        self.0.1
    }
}

impl Deref for Held {
    type Target = Order;
    fn deref(&self) -> &Order {
        &self.0.0
    }
}

/// What PortOne said, and its print.
#[derive(Clone, Debug)]
pub struct Seen(Arc<(Observation, u64)>);

impl Seen {
    /// Holds an answer.
    pub fn new(seen: Observation) -> Self {
        let print = print_of_observation(&seen);
        Self(Arc::new((seen, print)))
    }

    /// Two answers with the same print are the same.
    pub fn print(&self) -> u64 {
        self.0.1
    }
}

impl Deref for Seen {
    type Target = Observation;
    fn deref(&self) -> &Observation {
        &self.0.0
    }
}

fn print_of_order(order: &Order) -> u64 {
    // Whatever an order gets to hold has to be sorted in here.
    let Order {
        status,
        paid_at,
        received,
        returned,
        sighting,
        virtual_account,
        last_failure,
        rejections,
        cancellations,
        disputes: _,
        deposit_refund: _,
        holds_stock,
        look_at,
        // One and the same in every state of a model.
        trace: _,
        id: _,
        name: _,
        total: _,
        tax_free: _,
        lines: _,
        customer: _,
        generation: _,
        pay_method: _,
        redirect_url: _,
        created_at: _,
        expires_at: _,
        language: _,
        unregistered: _,
        // Nothing is decided by these but who is first, which each holder of a copy has beside it.
        version: _,
        updated_at: _,
        journal: _,
    } = order;
    let hasher = &mut DefaultHasher::new();
    (status, paid_at, received.map(|money| (money.amount, money.currency)), returned).hash(hasher);
    let sighting = sighting.as_ref();
    sighting
        .map(|s| (s.generation == Generation::V1, &s.transaction_id, s.status, s.changed_at))
        .hash(hasher);
    virtual_account.as_ref().map(|account| (&account.number, &account.transaction_id)).hash(hasher);
    (last_failure.is_some(), holds_stock, look_at).hash(hasher);
    rejections.iter().for_each(|reason| discriminant(reason).hash(hasher));
    for row in cancellations {
        (row.number, discriminant(&row.origin), discriminant(&row.status), row.amount).hash(hasher);
        (row.tax_free, row.balance_before, row.everything).hash(hasher);
        (&row.portone_id, row.at, row.asked_again_at).hash(hasher);
        row.request.map(|mark| (mark.key[0], mark.body[0])).hash(hasher);
    }
    hasher.finish()
}

fn print_of_observation(seen: &Observation) -> u64 {
    let hasher = &mut DefaultHasher::new();
    (&seen.transaction_id, seen.status, seen.changed_at, seen.total, seen.cancelled, seen.paid_at)
        .hash(hasher);
    (seen.tax_free_left, seen.store_id.is_some()).hash(hasher);
    for one in &seen.cancellations {
        (&one.id, one.status as u8, one.amount, one.tax_free, one.by_api).hash(hasher);
    }
    hasher.finish()
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self {
            now,
            table,
            portone,
            processes,
            news,
            refusals,
            lost_answers,
            approved,
            asked_again,
            compared,
        } = self;
        compared.hash(hasher);
        (now, news, refusals, lost_answers, approved, asked_again).hash(hasher);
        table.hash(hasher);
        // What is left out is the scenario's.
        let Portone { attempts, count, keys, calls, asked_twice_at_once, .. } = portone;
        (attempts, count, asked_twice_at_once).hash(hasher);
        for (number, outcome, at) in keys {
            (number, discriminant(outcome), at).hash(hasher);
        }
        // A call goes with the process that waits for it; the rest are nobody's.
        let mut prints: Vec<u64> = Vec::with_capacity(processes.len() + calls.len());
        for (index, process) in processes.iter().enumerate() {
            let mut print = DefaultHasher::new();
            process.print(table, &mut print);
            for call in calls.iter().filter(|call| call.by == Some(index)) {
                (call.asks, crate::process::print_of_stage(&call.stage)).hash(&mut print);
            }
            prints.push(print.finish());
        }
        for call in calls.iter().filter(|call| call.by.is_none()) {
            let mut print = DefaultHasher::new();
            (call.asks, crate::process::print_of_stage(&call.stage)).hash(&mut print);
            prints.push(print.finish());
        }
        prints.sort_unstable();
        prints.hash(hasher);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        let print = |state: &Self| {
            let mut hasher = DefaultHasher::new();
            state.hash(&mut hasher);
            hasher.finish()
        };
        print(self) == print(other)
    }
}
