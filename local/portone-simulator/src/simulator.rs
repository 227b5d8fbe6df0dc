//! The running simulator: what holds its parts together, and its control surface for Rust tests.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    calls::Call,
    checkout::{self, CheckoutError, Press, WindowResult},
    clock::Clock,
    config::{ChannelKind, SimulatorConfig},
    desk::Act,
    fault::FaultRule,
    payment::{CancelMode, Refusal},
    server,
    spec::PaymentSpec,
    store,
    switches::Switches,
    timekeeper,
    v2::render,
    webhook::{BodyVersion, Delivery, Event, ReleaseOrder, WebhookRules, send},
    world::{Book, World},
};

/// How long the window waits for webhooks that are to come first.
const FIRST_WEBHOOK_WAIT: Duration = Duration::from_secs(15);

/// A running simulator. Cloning gives another handle to the same one; it runs until
/// [`shutdown`](Self::shutdown), not until the last handle is gone.
#[derive(Clone, Debug)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    url: String,
    v1_url: String,
    config: Arc<SimulatorConfig>,
    clock: Arc<Clock>,
    world: Mutex<World>,
    changed: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    http: reqwest::Client,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Simulator {
    /// Starts serving on `listener`, and V1 beside it on `config.v1_port`. As [`start_on`](Self::start_on).
    ///
    /// # Errors
    /// As [`start_on`](Self::start_on), and a V1 port that is in use.
    pub async fn start(listener: TcpListener, config: SimulatorConfig) -> anyhow::Result<Self> {
        let address = listener.local_addr().context("the listener has no address")?;
        let v1_address = (address.ip(), config.v1_port);
        let v1_listener = TcpListener::bind(v1_address).await;
        let v1_listener =
            v1_listener.with_context(|| format!("cannot serve V1 on port {}", config.v1_port))?;
        Self::start_on(listener, v1_listener, config).await
    }

    /// Starts serving V2 on `listener` and V1 on `v1_listener`. Payments of an earlier run come back from `config.state_file`, and
    /// webhooks that were due meanwhile are sent.
    ///
    /// # Errors
    /// A state file that cannot be read, or a listener without an address.
    pub async fn start_on(
        listener: TcpListener,
        v1_listener: TcpListener,
        config: SimulatorConfig,
    ) -> anyhow::Result<Self> {
        let url = reached_at(&config.public_url, &listener)?;
        let v1_url = reached_at(&config.v1_public_url, &v1_listener)?;
        let book = match &config.state_file {
            Some(path) => store::load(path, config.seed)?,
            None => Book::new(config.seed),
        };
        let clock = Arc::new(Clock::new(config.clock_speed));
        let config = Arc::new(config);
        let world = World::new(Arc::clone(&config), Arc::clone(&clock), book);
        let inner = Inner {
            url,
            v1_url,
            config,
            clock,
            world: Mutex::new(world),
            changed: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            http: send::client(false, false).context("cannot build the webhook client")?,
            tasks: Mutex::new(Vec::new()),
        };
        let simulator = Self { inner: Arc::new(inner) };
        let app = crate::app(&simulator);
        let mut tasks = vec![
            tokio::spawn(server::serve(listener, app, simulator.stopping())),
            tokio::spawn(server::serve(v1_listener, crate::app_v1(&simulator), simulator.stopping())),
            tokio::spawn(timekeeper::run(simulator.clone())),
        ];
        if let Some(path) = &simulator.inner.config.state_file {
            tasks.push(tokio::spawn(store::keep(simulator.clone(), path.clone())));
        }
        *simulator.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(simulator)
    }

    /// Stops serving and sending, writes the state file a last time, and returns when all of it ended.
    /// A second call returns at once.
    pub async fn shutdown(&self) {
        self.inner.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A task that panicked has ended too.
            drop(task.await);
        }
        if let Some(path) = &self.inner.config.state_file {
            // Only now does nothing change any more.
            store::save(self, path).await;
        }
    }

    /// Where it is, without a trailing slash: the API's base, and the console's page.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.inner.url
    }

    /// What a shop's page loads instead of `https://cdn.portone.io/v2/browser-sdk.js`.
    #[must_use]
    pub fn sdk_url(&self) -> String {
        format!("{}/v2/browser-sdk.js", self.url())
    }

    /// Where V1's API is, without a trailing slash.
    #[must_use]
    pub fn v1_url(&self) -> &str {
        &self.inner.v1_url
    }

    /// What a shop's page loads instead of `https://cdn.iamport.kr/v1/iamport.js`.
    #[must_use]
    pub fn v1_sdk_url(&self) -> String {
        format!("{}/v1/iamport.js", self.url())
    }

    /// What it was started with.
    #[must_use]
    pub fn config(&self) -> &SimulatorConfig {
        &self.inner.config
    }

    /// The key of the first channel of that kind.
    #[must_use]
    pub fn channel_key(&self, kind: ChannelKind) -> Option<&str> {
        self.config().channels.iter().find(|channel| channel.kind == kind).map(|channel| channel.key.as_str())
    }

    /// The clock by which retries, deadlines and lifetimes run. Turning it wakes whatever became due.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    // Payments.

    /// The payment as `GET /payments/{id}` shows it.
    #[must_use]
    pub fn payment(&self, id: &str) -> Option<Value> {
        self.read(|world| Some(render::payment(world, world.payment(id).ok()?)))
    }

    /// The ids of all payments, in their own order.
    #[must_use]
    pub fn payment_ids(&self) -> Vec<String> {
        self.read(|world| world.book.payments.keys().cloned().collect())
    }

    /// The attempts of a payment as `GET /payments/{id}/transactions` lists them.
    #[must_use]
    pub fn transactions(&self, id: &str) -> Vec<Value> {
        self.read(|world| {
            let Ok(payment) = world.payment(id) else { return Vec::new() };
            payment.transactions.iter().map(|tx| render::transaction(world, payment, tx)).collect()
        })
    }

    /// The amount registered before any window opened, `(totalAmount, currency)`.
    #[must_use]
    pub fn registered(&self, id: &str) -> Option<(Option<i64>, Option<String>)> {
        self.read(|world| {
            let registration = world.book.registrations.get(id)?;
            Some((registration.total, registration.currency.clone()))
        })
    }

    /// Creates a payment in any state, or replaces the one of this id (`merchant_uid` in V1).
    ///
    /// # Errors
    /// [`Refusal::Invalid`], or what the state machine refuses; the id is then without a payment.
    pub fn put_payment(&self, id: &str, spec: &PaymentSpec) -> Result<(), Refusal> {
        self.change(|world| world.put(id, spec))
    }

    /// Forgets a payment, as if PortOne had never known it.
    ///
    /// # Errors
    /// [`Refusal::PaymentNotFound`].
    pub fn forget_payment(&self, id: &str) -> Result<(), Refusal> {
        self.change(|world| world.forget(id))
    }

    /// Does what a PG, a bank or somebody at the console would do to the decisive attempt.
    ///
    /// # Errors
    /// What the state machine or the cancel engine refuses; nothing changed then.
    pub fn act(&self, id: &str, act: &Act) -> Result<(), Refusal> {
        self.change(|world| world.act(id, None, act))
    }

    /// The same to a named attempt.
    ///
    /// # Errors
    /// As [`act`](Self::act), and [`Refusal::TransactionNotFound`].
    pub fn act_on(&self, id: &str, transaction_id: &str, act: &Act) -> Result<(), Refusal> {
        self.change(|world| world.act(id, Some(transaction_id), act))
    }

    /// How the next `times` cancellations of a payment end; all further ones without a number.
    ///
    /// # Errors
    /// [`Refusal::PaymentNotFound`].
    pub fn set_cancel_mode(&self, id: &str, mode: CancelMode, times: Option<u32>) -> Result<(), Refusal> {
        self.change(|world| {
            let payment = world.payment_mut(id)?;
            payment.cancel_mode = Some(mode);
            payment.cancel_mode_left = times;
            Ok(())
        })
    }

    /// Replaces what is merged into the rendered payment (RFC 7396); `null` shows the truth again.
    ///
    /// # Errors
    /// [`Refusal::PaymentNotFound`].
    pub fn patch_payment(&self, id: &str, patch: Value) -> Result<(), Refusal> {
        self.change(|world| world.patch(id, patch))
    }

    // The browser's side.

    /// Opens a payment window as `PortOne.requestPayment(request)` on a desktop does, and returns the
    /// attempt's id.
    ///
    /// # Errors
    /// What the SDK would throw.
    pub fn open_window(&self, request: &Value) -> Result<String, CheckoutError> {
        self.change(|world| checkout::open(world, request, false, None)).map(|opened| opened.tx_id)
    }

    /// Presses a button of an open window. Pressing again returns the first decision's result.
    ///
    /// # Errors
    /// [`Refusal::TransactionNotFound`]; [`Refusal::Invalid`] for a button that the method does not have.
    pub async fn press(&self, transaction_id: &str, button: Press) -> Result<WindowResult, Refusal> {
        checkout::press(self, transaction_id, button).await
    }

    // Settings.

    /// The switches as they stand.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.read(|world| world.switches.clone())
    }

    /// Changes switches.
    pub fn set_switches(&self, change: impl FnOnce(&mut Switches)) {
        self.change(|world| change(&mut world.switches));
    }

    /// Replaces what `Authorization: PortOne …` accepts. Access tokens given out before stay good.
    pub fn set_api_secrets(&self, secrets: Vec<String>) {
        self.change(|world| world.api_secrets = secrets);
    }

    /// Replaces what signs webhooks, from the next execution on; both environments when they share a target.
    pub fn set_webhook_secrets(&self, secrets: Vec<String>) {
        self.change(|world| world.webhook.secrets = secrets);
    }

    /// Replaces where new webhooks go; those already triggered keep their URL.
    pub fn set_webhook_url(&self, url: Option<String>) {
        self.change(|world| world.webhook.url = url);
    }

    // REST calls and their disturbances.

    /// The REST calls seen since the start, the last reset or the last clearing; at most the latest 10,000.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.read(|world| world.calls.iter().cloned().collect())
    }

    /// Forgets the calls seen so far.
    pub fn clear_calls(&self) {
        self.touch(|world| world.calls.clear());
    }

    /// Adds a fault rule and returns its number.
    pub fn add_fault(&self, rule: FaultRule) -> u64 {
        self.change(|world| world.faults.add(rule))
    }

    /// Removes every fault rule.
    pub fn clear_faults(&self) {
        self.change(|world| world.faults.clear());
    }

    // Webhooks.

    /// Every delivery, oldest first.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.read(|world| world.book.deliveries.clone())
    }

    /// The deliveries about one payment, oldest first.
    #[must_use]
    pub fn deliveries_of(&self, payment_id: &str) -> Vec<Delivery> {
        self.read(|world| {
            let of_payment =
                world.book.deliveries.iter().filter(|delivery| delivery.payment_id == payment_id);
            of_payment.cloned().collect()
        })
    }

    /// The webhook disturbances as they stand.
    #[must_use]
    pub fn webhook_rules(&self) -> WebhookRules {
        self.read(|world| world.rules.clone())
    }

    /// Changes the webhook disturbances.
    pub fn set_webhook_rules(&self, change: impl FnOnce(&mut WebhookRules)) {
        self.change(|world| change(&mut world.rules));
    }

    /// Sends what is held back, and returns how many that were. New webhooks are still held while the
    /// rules say so.
    pub fn release_webhooks(&self, order: ReleaseOrder) -> usize {
        self.change(|world| world.release(order).len())
    }

    /// Sends a delivery again by hand, waits for the answer, and returns the delivery with it.
    ///
    /// # Errors
    /// [`Refusal::WebhookNotFound`], [`Refusal::ResendCountReached`].
    pub async fn resend_webhook(&self, id: &str) -> Result<Delivery, Refusal> {
        send::resend(self, id).await
    }

    /// Sends an event that no payment caused, such as the console's test with ids that nobody knows, and
    /// returns its webhook id. `None` when there is no URL to send to.
    pub fn send_event(&self, event: &Event) -> Option<String> {
        self.change(|world| {
            let url = world.target(ChannelKind::Live).url.clone()?;
            let delivery = world.delivery(event, &url, ChannelKind::Live);
            let id = delivery.id.clone();
            world.enqueue(delivery, 0);
            Some(id)
        })
    }

    /// The body version that new webhooks have.
    #[must_use]
    pub fn body_version(&self) -> BodyVersion {
        self.read(|world| world.rules.body_version)
    }

    /// Returns once nothing is on the wire and nothing is due at the clock's present moment. Webhooks
    /// that are held, or due later, are not waited for.
    pub async fn settled(&self) {
        let mut changed = self.changes();
        loop {
            changed.borrow_and_update();
            if !self.read(World::busy) {
                return;
            }
            tokio::select! {
                _ = changed.changed() => {}
                // The clock alone can make something due, which no change reports.
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    }

    /// Forgets everything and puts every setting back. The clock keeps its time and speed.
    pub fn reset(&self) {
        self.change(World::reset);
    }

    // Inside.

    pub(crate) async fn first_executions(&self, ids: &[String]) {
        let mut changed = self.changes();
        let all_answered = async {
            loop {
                changed.borrow_and_update();
                let waiting = self.read(|world| {
                    let mut ours = world.book.deliveries.iter().filter(|delivery| ids.contains(&delivery.id));
                    ours.any(|delivery| {
                        use crate::webhook::DeliveryState as S;
                        match delivery.state {
                            S::Scheduled(_) => delivery.executions.is_empty(),
                            S::Running => true,
                            S::Held | S::Succeeded | S::Failed | S::Dropped => false,
                        }
                    })
                });
                if !waiting || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        // A receiver that takes longer than this loses its precedence, not the buyer's patience.
        drop(tokio::time::timeout(FIRST_WEBHOOK_WAIT, all_answered).await);
    }

    fn world(&self) -> MutexGuard<'_, World> {
        // Every change is complete or not made at all, so a panic elsewhere leaves nothing half done.
        self.inner.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks, changing nothing.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&World) -> R) -> R {
        look(&self.world())
    }

    /// Changes something that is kept or shown; whoever watches is told.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let result = change(&mut self.world());
        self.inner.changed.send_modify(|count| *count += 1);
        result
    }

    /// Changes something that is neither kept nor shown.
    pub(crate) fn touch<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        change(&mut self.world())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stop.subscribe()
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.inner.http
    }
}

/// How others reach a listener: as configured, else by its own address.
fn reached_at(configured: &str, listener: &TcpListener) -> anyhow::Result<String> {
    let address = listener.local_addr().context("the listener has no address")?;
    Ok(match configured.trim_end_matches('/') {
        "" => format!("http://{address}"),
        given => given.to_owned(),
    })
}
