//! The running system as a browser, PortOne and an operator meet it.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use lambda_gateway::{CapturedLog, LogSink, OperatorKeys};
use local_stack::{
    Backend, InitialSecret, PaymentMode, Products, Stack, StackOptions,
    wire::{Call, Gate, Mark, Wire},
};
use portone_simulator::{PaymentSpec, Press, ReleaseOrder, Simulator, WindowResult};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{Answer, Delivery, functions, in_time, table};

/// Every answer comes before API Gateway gives up (contract, section 2).
pub const ANSWER_MAX: Duration = Duration::from_secs(29);

/// A shop of one's own. PortOne keeps its webhooks back until [`Shop::release_webhooks`], so that a story
/// says itself when they come.
pub struct Shop {
    /// Everything that runs.
    pub stack: Stack,
    /// What the functions wrote.
    pub log: CapturedLog,
    http: Client,
}

/// An order that was made, as its buyer's page knows it.
#[derive(Debug, Clone)]
pub struct Placed {
    /// `orderId`, which is the payment's id as well.
    pub id: String,
    /// `orderToken`.
    pub token: String,
    /// The whole answer of `POST /orders`.
    pub body: Value,
}

impl Placed {
    /// The order that an answer of `POST /orders` made.
    pub fn of(body: Value) -> Self {
        let text = |name: &str| body[name].as_str().expect("a text").to_owned();
        Self { id: text("orderId"), token: text("orderToken"), body }
    }

    /// What the page hands to `PortOne.requestPayment()`.
    pub fn payment(&self) -> &Value {
        &self.body["payment"]
    }

    /// What it costs, in minor units.
    pub fn total(&self) -> i64 {
        self.body["amount"]["total"].as_i64().expect("an amount is an integer")
    }
}

/// A request for this product and number of pieces, by a buyer with a name only.
pub fn basket(product: &str, quantity: u32) -> Value {
    json!({ "items": [{ "productId": product, "quantity": quantity }], "customer": { "name": "홍길동" } })
}

impl Shop {
    /// A LIVE shop with the catalogue of `catalogue.json`.
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    /// A shop that takes test payments only.
    pub async fn open_for_tests() -> Self {
        Self::open_with(|options| options.payment_mode = PaymentMode::Test).await
    }

    /// A shop whose functions have these variables, whatever the template says.
    pub async fn open_with_env(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables: BTreeMap<_, _> = variables.collect();
        Self::open_with(|options| options.extra_env = variables).await
    }

    /// A shop started with other options.
    pub async fn open_with(change: impl FnOnce(&mut StackOptions)) -> Self {
        let (log, captured) = LogSink::capture();
        let mut options = StackOptions::new(functions::folder());
        options.products = Products::File(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue.json"));
        options.log = log;
        options.dynamodb = std::env::var("DYNAMODB_URL").ok();
        change(&mut options);
        let stack = Stack::start(options).await.expect("the local system starts");
        stack.simulator().set_webhook_rules(|rules| rules.hold = true);
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { stack, log: captured, http }
    }

    /// PortOne.
    pub fn portone(&self) -> &Simulator {
        self.stack.simulator()
    }

    /// The wire to PortOne.
    pub fn portone_wire(&self) -> &Wire {
        self.stack.wire(Backend::Portone)
    }

    /// The wire to the table.
    pub fn table_wire(&self) -> &Wire {
        self.stack.wire(Backend::DynamoDb)
    }

    /// The wire to the secret.
    pub fn secret_wire(&self) -> &Wire {
        self.stack.wire(Backend::SecretsManager)
    }

    // Requests.

    /// Sends a request as it is.
    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.stack.url())).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = Instant::now();
        let response = request.send().await.expect("the gateway always answers");
        Answer::read(response, sent).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(Method::POST, path, &all, body.to_string().into_bytes()).await
    }

    /// A request by an operator: JSON (`null` is no body), signed with the local keys.
    pub async fn as_operator(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let url = format!("{}{path}", self.stack.url());
        let mut own = vec![("content-type", "application/json")];
        own.extend_from_slice(headers);
        let keys = OperatorKeys::default();
        let signed = keys.sign(method.as_str(), &url, &own, &body, SystemTime::now());
        let signed = signed.expect("what a story sends can be signed");
        own.extend(signed.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.send(method, path, &own, body).await
    }

    /// `POST /orders`.
    pub async fn order(&self, body: &Value) -> Answer {
        self.post("/orders", &[], body).await
    }

    /// `POST /orders` under an idempotency key.
    pub async fn order_once(&self, key: &str, body: &Value) -> Answer {
        self.post("/orders", &[("idempotency-key", key)], body).await
    }

    /// An order of two pairs of shoes, 2,000 won.
    pub async fn placed(&self) -> Placed {
        self.placed_for(&basket("shoes", 2)).await
    }

    /// The order that this request makes.
    pub async fn placed_for(&self, body: &Value) -> Placed {
        Placed::of(self.order(body).await.expect(201))
    }

    /// `POST /payments/verify` by somebody who knows the id only.
    pub async fn verify(&self, payment_id: &str) -> Answer {
        self.post("/payments/verify", &[], &json!({ "paymentId": payment_id })).await
    }

    /// `POST /payments/verify` by the buyer's page.
    pub async fn verify_as_buyer(&self, order: &Placed) -> Answer {
        let bearer = format!("Bearer {}", order.token);
        self.post("/payments/verify", &[("authorization", &bearer)], &json!({ "paymentId": order.id })).await
    }

    /// `GET /orders/{orderId}` with this token.
    pub async fn get_order(&self, order_id: &str, token: Option<&str>) -> Answer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        self.send(Method::GET, &format!("/orders/{order_id}"), &headers, Vec::new()).await
    }

    /// The order as its buyer sees it.
    pub async fn view(&self, order: &Placed) -> Value {
        self.get_order(&order.id, Some(&order.token)).await.expect(200)
    }

    /// `POST /webhooks/portone`.
    pub async fn deliver(&self, delivery: &Delivery) -> Answer {
        self.deliver_to("/webhooks/portone", delivery).await
    }

    /// `POST` of a delivery to another route.
    pub async fn deliver_to(&self, path: &str, delivery: &Delivery) -> Answer {
        let mut headers = vec![("content-type", delivery.content_type.as_str())];
        headers.extend(delivery.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.send(Method::POST, path, &headers, delivery.body.clone()).await
    }

    /// A delivery of PortOne's about a payment, signed as PortOne signs.
    pub async fn deliver_about(&self, kind: &str, payment_id: &str) -> Answer {
        self.deliver(&Delivery::about(kind, payment_id).signed(&self.webhook_secrets().await)).await
    }

    // The buyer at PortOne.

    /// Opens a payment window for the order and presses a button in it.
    pub async fn press(&self, order: &Placed, button: Press) -> WindowResult {
        let window = self.portone().open_window(order.payment()).expect("a window opens");
        self.portone().press(&window, button).await.expect("a button can be pressed")
    }

    /// The buyer pays.
    pub async fn pay(&self, order: &Placed) {
        let result = self.press(order, Press::Pay).await;
        assert_eq!(result.code, None, "{result:?}");
    }

    /// A payment of the order's amount at PortOne, without a window, changed as a story wants it.
    pub fn put_payment(&self, order: &Placed, change: impl FnOnce(&mut PaymentSpec)) {
        let mut spec = PaymentSpec { total_amount: order.total(), ..PaymentSpec::default() };
        change(&mut spec);
        self.portone().put_payment(&order.id, &spec).expect("a possible payment");
    }

    /// Sends the webhooks that PortOne kept back, oldest first, and waits until they are answered.
    pub async fn release_webhooks(&self) -> usize {
        self.release_webhooks_in(ReleaseOrder::Oldest).await
    }

    /// As [`Shop::release_webhooks`], in another order.
    pub async fn release_webhooks_in(&self, order: ReleaseOrder) -> usize {
        let released = self.portone().release_webhooks(order);
        in_time("webhooks are answered", self.portone().settled()).await;
        released
    }

    /// PortOne's `GET /payments/{id}`, past the wire.
    #[track_caller]
    pub fn payment(&self, order: &Placed) -> Value {
        self.portone().payment(&order.id).expect("PortOne has the payment")
    }

    /// The cancellations of the order's payment at PortOne that gave money back, and how much in all.
    pub fn returned(&self, order: &Placed) -> (usize, i64) {
        let payment = self.payment(order);
        let rows = payment["cancellations"].as_array().cloned().unwrap_or_default();
        let done = rows.iter().filter(|row| row["status"] == "SUCCEEDED");
        let amounts = done.filter_map(|row| row["totalAmount"].as_i64());
        (amounts.clone().count(), amounts.sum())
    }

    /// PortOne's calls of this method whose path ends so, `(Idempotency-Key as sent, body, status)`.
    pub fn portone_calls(&self, method: &str, path_end: &str) -> Vec<(Option<String>, Value, Option<u16>)> {
        let calls = self.portone().calls().into_iter();
        let calls = calls.filter(|call| call.method == method && call.path.ends_with(path_end));
        calls.map(|call| (call.idempotency_key, call.body, call.status)).collect()
    }

    // What is stored and what went over the wires.

    /// The order's item; panics if there is none.
    #[track_caller]
    pub fn stored(&self, order_id: &str) -> Value {
        let mut orders = self.stored_orders();
        let found = orders.iter().position(|item| item["id"] == order_id);
        orders.swap_remove(found.expect("the order is stored"))
    }

    /// All orders' items.
    pub fn stored_orders(&self) -> Vec<Value> {
        table::items(&self.stack, "ORDER#")
    }

    /// All findings of this kind.
    pub fn findings(&self, kind: &str) -> Vec<Value> {
        table::items(&self.stack, "FINDINGS").into_iter().filter(|item| item["kind"] == kind).collect()
    }

    /// All orphans' items.
    pub fn orphans(&self) -> Vec<Value> {
        self.findings("ORPHAN")
    }

    /// Calls of one operation that arrived since `mark`.
    pub fn calls_since(&self, mark: Mark, operation: &str) -> Vec<Call> {
        let calls = self.stack.calls_since(mark).into_iter();
        calls.filter(|call| call.operation == operation).collect()
    }

    /// Waits until a call of this operation that arrived since `mark` was answered.
    pub async fn answered(&self, mark: Mark, operation: &str) {
        let look = async {
            while !self.calls_since(mark, operation).iter().any(|call| call.ended.is_some()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        in_time(operation, look).await;
    }

    /// Waits until a function has written `lines` lines of this event.
    pub async fn logged(&self, function: &str, event: &str, lines: usize) {
        let event = format!("\"event\":\"{event}\"");
        let look = async {
            while self.log.of(function).iter().filter(|line| line.contains(&event)).count() < lines {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        in_time(&event, look).await;
    }

    /// A story that finds no event because there is no stream would say nothing.
    fn assert_is_told_of(&self) {
        assert!(self.stack.has_pipe(), "this story is about events, and its options have no stream");
    }

    /// Waits for an event of this type that is so, on the bus already or later.
    pub async fn event(&self, detail_type: &str, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        self.assert_is_told_of();
        let wanted = |event: &Value| event["detail-type"] == detail_type && is_it(&event["detail"]);
        in_time(detail_type, self.stack.bus().wait_for(wanted)).await
    }

    /// Every event on the bus, once all that is committed now has been through the pipe.
    pub async fn events(&self) -> Vec<Value> {
        self.assert_is_told_of();
        let caught_up = in_time("the pipe catches up", self.stack.pipe_caught_up()).await;
        caught_up.expect("the stream can be read");
        self.stack.bus().events()
    }

    /// Waits until `calls` calls stand at a gate.
    pub async fn at_gate(&self, gate: &Gate, calls: usize) {
        in_time("calls at the gate", gate.arrived(calls)).await;
    }

    /// SIGKILLs every process of a function; there has to be one.
    pub async fn kill(&self, function: &str) {
        let killed = self.stack.gateway().kill(function).await.expect("a function of the template");
        assert!(killed > 0, "no process of {function} to kill");
    }

    // The secret.

    /// The secret as Secrets Manager has it.
    pub async fn secret(&self) -> Value {
        let secret = self.stack.secret().await.expect("there is a secret");
        serde_json::from_str(&secret).expect("the secret is JSON")
    }

    /// The secrets that webhooks may be signed with.
    pub async fn webhook_secrets(&self) -> Vec<String> {
        let secret = self.secret().await;
        let secrets = secret["v2WebhookSecrets"].as_array().into_iter().flatten();
        secrets.map(|secret| secret.as_str().expect("a text").to_owned()).collect()
    }

    /// Replaces one member of the secret in Secrets Manager, and nothing anywhere else.
    pub async fn rotate(&self, member: &str, value: Value) {
        let mut secret = self.secret().await;
        secret[member] = value;
        self.stack.set_secret(&secret.to_string()).await.expect("the secret can be replaced");
    }
}

/// The initial secret with these members replaced; `null` removes one.
pub fn secret_with(members: &[(&str, Value)]) -> InitialSecret {
    InitialSecret::Changed(members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

impl Drop for Shop {
    /// A story that failed shows what the functions said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.log.lines();
            for line in lines.iter().skip(lines.len().saturating_sub(60)) {
                eprintln!("[{} {}] {}", line.function, line.pid, line.text);
            }
        }
    }
}
