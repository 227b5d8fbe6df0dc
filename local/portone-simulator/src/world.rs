//! Everything the simulator knows, behind one lock. [`Book`] is the part that survives a restart.
//!
//! Nothing in here waits: what is to happen later is a [`Deed`] on the agenda, carried out by
//! [`crate::timekeeper`].

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    calls::Call,
    chance::Chance,
    clock::{Clock, Timestamp},
    config::{Channel, ChannelKind, SimulatorConfig, WebhookTarget},
    fault::Faults,
    payment::{Failure, Method, News, NewsKind, Payment, Refusal, Transaction, Version, attempt::PgDetails},
    switches::{Switches, WebhookOrder},
    v1::{Prepared, Tokens},
    v2::{idempotency::Keys, sessions::Sessions},
    webhook::{Delivery, DeliveryState, Event, ReleaseOrder, WebhookRules},
};

/// The amount a shop registered before any window opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Must be equal when given.
    pub total: Option<i64>,
    /// Must be equal when given.
    pub tax_free: Option<i64>,
    /// Must be equal when given.
    pub currency: Option<String>,
    /// Windows of another store do not see it. Empty in state files of earlier versions.
    #[serde(default)]
    pub store_id: String,
    /// First registered.
    pub at: Timestamp,
}

/// One movement of money, as `payment-events` lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// Its id.
    pub id: String,
    /// PAID, PARTIAL_CANCELLED or CANCELLED.
    pub kind: NewsKind,
    /// Which payment.
    pub payment_id: String,
    /// Which attempt.
    pub transaction_id: String,
    /// Which cancellation.
    pub cancellation_id: Option<String>,
    /// Captured is positive, returned is negative.
    pub moved: i64,
    /// When.
    pub at: Timestamp,
}

/// Something to be done when its moment comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Deed {
    /// Send this delivery by its schedule.
    Send(u64),
    /// Send these deliveries one after the other, each when the one before was answered.
    SendInTurn(Vec<u64>),
    /// Send this delivery once more, beside its schedule; the second number tells copies apart.
    SendCopy(u64, u32),
    /// Approve this pending attempt.
    Approve(String),
    /// Close this virtual account.
    Expire(String),
}

/// The part that survives a restart.
#[derive(Debug, Serialize, Deserialize)]
pub struct Book {
    /// Identifiers and jitter.
    pub chance: Chance,
    /// By payment id.
    pub payments: BTreeMap<String, Payment>,
    /// Payment id by transaction id.
    pub attempts: BTreeMap<String, String>,
    /// By payment id.
    pub registrations: BTreeMap<String, Registration>,
    /// V1's, by merchant_uid.
    #[serde(default)]
    pub prepared: BTreeMap<String, Prepared>,
    /// Money that moved, oldest first.
    pub ledger: Vec<LedgerEntry>,
    /// By number.
    pub deliveries: Vec<Delivery>,
    /// Delivery number by webhook id.
    pub webhooks: BTreeMap<String, u64>,
    /// What is to be done when, by the virtual clock.
    pub agenda: BTreeSet<(Timestamp, Deed)>,
}

impl Book {
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self {
            chance: Chance::new(seed),
            payments: BTreeMap::new(),
            attempts: BTreeMap::new(),
            registrations: BTreeMap::new(),
            prepared: BTreeMap::new(),
            ledger: Vec::new(),
            deliveries: Vec::new(),
            webhooks: BTreeMap::new(),
            agenda: BTreeSet::new(),
        }
    }
}

/// What a publication may leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Publication {
    /// The call asked for no webhook.
    pub silent: bool,
    /// It was caused by a window, so its order to the window's result matters.
    pub from_window: bool,
}

/// Everything the simulator knows.
#[derive(Debug)]
pub(crate) struct World {
    pub config: Arc<SimulatorConfig>,
    pub clock: Arc<Clock>,
    pub book: Book,
    pub switches: Switches,
    pub rules: WebhookRules,
    pub faults: Faults,
    pub api_secrets: Vec<String>,
    pub webhook: WebhookTarget,
    pub test_webhook: Option<WebhookTarget>,
    pub v1_webhook_url: Option<String>,
    pub v1_tokens: Tokens,
    pub sessions: Sessions,
    pub keys: Keys,
    pub calls: VecDeque<Call>,
    pub calls_seen: u64,
    /// Executions on the wire.
    pub running: usize,
}

impl World {
    pub fn new(config: Arc<SimulatorConfig>, clock: Arc<Clock>, book: Book) -> Self {
        Self {
            api_secrets: config.api_secrets.clone(),
            webhook: config.webhook.clone(),
            test_webhook: config.test_webhook.clone(),
            v1_webhook_url: config.v1_webhook_url.clone(),
            v1_tokens: Tokens::new(&config.v1_api_key, &config.v1_api_secret),
            config,
            clock,
            book,
            switches: Switches::default(),
            rules: WebhookRules::default(),
            faults: Faults::default(),
            sessions: Sessions::default(),
            keys: Keys::default(),
            calls: VecDeque::new(),
            calls_seen: 0,
            running: 0,
        }
    }

    /// Back to the state of a first start. Executions on the wire run out without effect.
    pub fn reset(&mut self) {
        let running = self.running;
        let mut chance = Book::new(self.config.seed);
        // Identifiers must not repeat while somebody may still remember the old ones.
        chance.chance = self.book.chance.clone();
        *self = Self::new(Arc::clone(&self.config), Arc::clone(&self.clock), chance);
        self.running = running;
    }

    pub fn payment(&self, id: &str) -> Result<&Payment, Refusal> {
        self.book.payments.get(id).ok_or(Refusal::PaymentNotFound)
    }

    pub fn payment_mut(&mut self, id: &str) -> Result<&mut Payment, Refusal> {
        self.book.payments.get_mut(id).ok_or(Refusal::PaymentNotFound)
    }

    /// Whether V2's API knows the payment; see [`Switches::v1_visible_in_v2`].
    pub fn shows_in_v2(&self, payment: &Payment) -> bool {
        payment.version == Version::V2 || self.switches.v1_visible_in_v2
    }

    /// Every payment that V2's API knows.
    pub fn shown_in_v2(&self) -> impl Iterator<Item = &Payment> {
        self.book.payments.values().filter(|payment| self.shows_in_v2(payment))
    }

    /// The payment that this attempt belongs to.
    pub fn payment_of(&self, transaction_id: &str) -> Result<String, Refusal> {
        self.book.attempts.get(transaction_id).cloned().ok_or(Refusal::TransactionNotFound)
    }

    pub fn transaction(&self, id: &str) -> Result<(&Payment, &Transaction), Refusal> {
        let payment = self.payment(&self.payment_of(id)?)?;
        let found = payment.transactions.iter().find(|tx| tx.id == id);
        found.map(|tx| (payment, tx)).ok_or(Refusal::TransactionNotFound)
    }

    pub fn channel(&self, key: &str) -> Option<&Channel> {
        self.config.channels.iter().find(|channel| channel.key == key)
    }

    /// A channel of that kind: a configured one, else this one with its kind changed.
    pub fn channel_of_kind(&self, like: &Channel, kind: ChannelKind) -> Channel {
        let found = self.config.channels.iter().find(|channel| channel.kind == kind).cloned();
        found.unwrap_or_else(|| Channel { kind, ..like.clone() })
    }

    /// Whether the credential may act for this store.
    pub fn knows_store(&self, store: &str) -> bool {
        store == self.config.store_id || self.config.sub_stores.iter().any(|sub| sub == store)
    }

    /// The amount that windows of this store must keep to.
    pub fn registration(&self, id: &str, store_id: &str) -> Option<&Registration> {
        self.book.registrations.get(id).filter(|it| it.store_id.is_empty() || it.store_id == store_id)
    }

    pub fn target(&self, environment: ChannelKind) -> &WebhookTarget {
        match (environment, &self.test_webhook) {
            (ChannelKind::Test, Some(target)) => target,
            (ChannelKind::Test | ChannelKind::Live, _) => &self.webhook,
        }
    }

    /// What the PG might report for an attempt of this payment method.
    pub fn pg_details(&mut self, transaction_id: &str, easy_pay: Option<&str>) -> Result<PgDetails, Refusal> {
        let (_, tx) = self.transaction(transaction_id)?;
        let (asked, known, customer) = (tx.pay_method, tx.method.clone(), tx.customer.clone());
        let hours = tx.checkout.account_valid_hours.unwrap_or(self.switches.account_valid_hours);
        let chance = &mut self.book.chance;
        let method = match known {
            // What the window already knows, the chosen wallet for example, stays.
            Some(method) => method,
            None => Method::for_request(asked, easy_pay, &customer, Timestamp::wall(), hours, chance),
        };
        Ok(PgDetails { pg_tx_id: format!("simpg{}", self.book.chance.digits(16)), method })
    }

    /// Writes news into the ledger and onto the agenda of webhooks. Returns the deliveries made.
    pub fn publish(&mut self, payment_id: &str, news: &News, how: Publication) -> Vec<u64> {
        let wall = Timestamp::wall();
        if news.moved != 0 {
            let entry = LedgerEntry {
                id: self.book.chance.uuid(),
                kind: news.kind,
                payment_id: payment_id.to_owned(),
                transaction_id: news.transaction_id.clone(),
                cancellation_id: news.cancellation_id.clone(),
                moved: news.moved,
                at: wall,
            };
            self.book.ledger.push(entry);
        }
        if self.payment(payment_id).is_ok_and(|payment| payment.version == Version::V1) {
            return self.publish_v1(payment_id, news, how);
        }
        let Some(kind) = self.webhook_type(news, how) else { return Vec::new() };
        let Ok((payment, tx)) = self.transaction(&news.transaction_id) else { return Vec::new() };
        let environment = tx.channel.kind;
        let mut urls = tx.checkout.notice_urls.clone();
        if urls.is_empty() {
            urls.extend(self.target(environment).url.clone());
        }
        let event = Event {
            kind: self.rules.type_override.clone().unwrap_or(kind),
            happened: wall,
            payment_id: payment_id.to_owned(),
            store_id: payment.store_id.clone(),
            transaction_id: news.transaction_id.clone(),
            cancellation_id: news.cancellation_id.clone(),
            total_amount: None,
        };
        urls.iter()
            .map(|url| {
                let delivery = self.delivery(&event, url, environment);
                self.enqueue_news(delivery, news, how)
            })
            .collect()
    }

    /// Puts a delivery about this news on the agenda and into the history of its attempt.
    pub fn enqueue_news(&mut self, mut delivery: Delivery, news: &News, how: Publication) -> u64 {
        let after = how.from_window && self.switches.webhook_order == WebhookOrder::After;
        delivery.payment_status = Some(news.status);
        delivery.trigger = news.trigger;
        delivery.is_async = news.trigger.is_some();
        let (id, payment_id) = (delivery.id.clone(), delivery.payment_id.clone());
        let number = self.enqueue(delivery, if after { 2_000 } else { 0 });
        if let Ok(payment) = self.payment_mut(&payment_id)
            && let Ok(tx) = payment.transaction_mut(&news.transaction_id)
        {
            tx.webhooks.push(id);
        }
        number
    }

    fn webhook_type(&self, news: &News, how: Publication) -> Option<String> {
        if how.silent || (news.kind == NewsKind::Ready && !self.switches.ready_webhook) {
            return None;
        }
        let name = news.kind.name().map(|name| format!("Transaction.{name}"));
        name.or_else(|| self.switches.cancel_failed_type.clone())
    }

    /// A delivery of this event, not yet on the agenda.
    pub fn delivery(&mut self, event: &Event, url: &str, environment: ChannelKind) -> Delivery {
        let version = self.rules.body_version;
        Delivery {
            id: self.book.chance.uuid(),
            version: Version::V2,
            number: self.book.deliveries.len() as u64,
            payment_id: event.payment_id.clone(),
            transaction_id: event.transaction_id.clone(),
            kind: event.kind.clone(),
            payment_status: None,
            url: url.to_owned(),
            environment,
            content_type: version.content_type().to_owned(),
            body: event.body(version, &self.rules.body_patch),
            is_async: false,
            trigger: None,
            triggered_at: event.happened,
            state: DeliveryState::Held,
            executions: Vec::new(),
            resends: 0,
        }
    }

    /// Puts a delivery on the agenda, or wherever the rules want it.
    pub fn enqueue(&mut self, mut delivery: Delivery, extra_delay_ms: i64) -> u64 {
        let number = delivery.number;
        let due = self.clock.now().plus_millis(i64::from(self.rules.delay_ms) + extra_delay_ms);
        let gathering = self.rules.reverse_next > 0;
        delivery.state = if self.rules.drop_next > 0 {
            self.rules.drop_next -= 1;
            DeliveryState::Dropped
        } else if self.rules.hold || gathering {
            DeliveryState::Held
        } else {
            self.book.agenda.insert((due, Deed::Send(number)));
            let copies = (0..self.rules.duplicates).map(|copy| (due, Deed::SendCopy(number, copy)));
            self.book.agenda.extend(copies);
            DeliveryState::Scheduled(due)
        };
        let held = delivery.state == DeliveryState::Held;
        self.book.webhooks.insert(delivery.id.clone(), number);
        self.book.deliveries.push(delivery);
        if held && gathering {
            self.rules.reverse_next -= 1;
            if self.rules.reverse_next == 0 {
                self.release(ReleaseOrder::Newest);
            }
        }
        number
    }

    /// Held deliveries, oldest first.
    pub fn held(&self) -> Vec<u64> {
        let held = self.book.deliveries.iter().filter(|delivery| delivery.state == DeliveryState::Held);
        held.map(|delivery| delivery.number).collect()
    }

    /// Puts every held delivery on the agenda; new ones are still held if the rules say so.
    pub fn release(&mut self, order: ReleaseOrder) -> Vec<u64> {
        let mut held = self.held();
        let now = self.clock.now();
        match order {
            ReleaseOrder::Together => held.iter().for_each(|number| self.schedule(*number, now)),
            ReleaseOrder::Oldest => self.send_in_turn(held.clone()),
            ReleaseOrder::Newest => {
                held.reverse();
                self.send_in_turn(held.clone());
            }
        }
        held
    }

    pub fn send_in_turn(&mut self, numbers: Vec<u64>) {
        if !numbers.is_empty() {
            self.book.agenda.insert((self.clock.now(), Deed::SendInTurn(numbers)));
        }
    }

    /// Makes a delivery due at `due`.
    pub fn schedule(&mut self, number: u64, due: Timestamp) {
        if let Some(delivery) = self.delivery_mut(number) {
            delivery.state = DeliveryState::Scheduled(due);
            self.book.agenda.insert((due, Deed::Send(number)));
        }
    }

    pub fn delivery_mut(&mut self, number: u64) -> Option<&mut Delivery> {
        self.book.deliveries.get_mut(usize::try_from(number).ok()?)
    }

    /// Something is on the wire, or due now.
    pub fn busy(&self) -> bool {
        self.running > 0 || self.book.agenda.first().is_some_and(|(due, _)| *due <= self.clock.now())
    }

    /// Sets the overriding patch of a payment, creating nothing.
    pub fn patch(&mut self, payment_id: &str, patch: Value) -> Result<(), Refusal> {
        self.payment_mut(payment_id)?.patch = patch;
        Ok(())
    }

    /// The failure that a window closed by the buyer leaves behind.
    pub fn closed_window() -> Failure {
        Failure::pg("PAY_PROCESS_CANCELED", "사용자가 결제창을 닫았습니다.")
    }
}
