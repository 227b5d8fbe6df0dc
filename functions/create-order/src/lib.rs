//! `POST /orders`: a buyer's page wants to pay for a basket.
//!
//! Two rounds: what the request needs from the table (the products, and the order its key made before),
//! then the conditional write of the order beside registering its amount with PortOne.

mod answer;
#[doc(hidden)]
pub mod request;

use std::{sync::Arc, time::Duration};

use api::checkout::Shop;
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    config,
    connection::Connection,
    http::{self, Call, Problem, ProblemCode, failed, idempotency_key},
    portone::{Portone, PortoneError},
    secrets::SecretCache,
    store::{Created, KeyedOrder, RequestFingerprint, Store},
    telemetry::{chain, trace},
};
use lambda_http::{Body, Request, Response};
use order::{
    Actor, Look, Order, OrderId, OrderStatus,
    name::order_name,
    product::{self, PricingFault},
    text,
};
use ring::digest;
use serde_json::Value;

use answer::Answer;
use request::Wanted;

/// Registering an amount beforehand may hold the answer this long; the sale matters more.
const PRE_REGISTER_MAX: Duration = Duration::from_millis(4_000);

/// What the function needs.
#[derive(Debug)]
pub struct App {
    store: Store,
    portone: Portone,
    secrets: Arc<SecretCache>,
    shop: Shop,
    allowed_origins: Vec<String>,
    order_ttl_minutes: u32,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let connection = Connection::new();
        let shop = Shop {
            store_id: config::store_id()?,
            channel_key: config::channel_key()?,
            v1_channel_key: config::v1_channel_key()?,
        };
        let (allowed_origins, order_ttl_minutes) = (config::allowed_origins()?, config::order_ttl_minutes()?);
        config::portone_api_base()?;
        config::portone_v1_api_base()?;
        let (store, secrets) = backends::store_and_secrets(&connection).await?;
        secrets.current().await.order_token_key()?;
        let portone = backends::portone(&connection, secrets.clone()).await?;
        Ok(Self { store, portone, secrets, shop, allowed_origins, order_ttl_minutes })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        Call::of(&request).answer(Deadline::start(), self.create(&request)).await
    }

    async fn create(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let body = http::json_body(request)?;
        let key = idempotency_key(request.headers())?;
        let keyed = key.map(|key| (entropy_of(&key), fingerprint_of(&body)));
        let now = clock::now();
        let id = OrderId::mint(now, keyed.as_ref().map_or_else(clock::entropy, |(entropy, _)| *entropy));
        let fingerprint = keyed.as_ref().map(|(_, fingerprint)| fingerprint);

        let (mut wanted, mut faults) = Wanted::read(&body, &self.allowed_origins);
        let tail = fingerprint.map(|_| id.tail());
        let products = wanted.basket.iter().map(|entry| &entry.product);
        let (existing, catalogue) =
            self.store.keyed_order_and_products(tail, products).await.map_err(failed)?;
        if let (Some(existing), Some(fingerprint)) = (existing, fingerprint) {
            return self.replay(existing, fingerprint).await;
        }

        let basket: Vec<_> =
            wanted.basket.iter().map(|entry| (entry.product.clone(), entry.quantity)).collect();
        let mut priced = match product::price(&basket, &catalogue) {
            Ok(priced) if faults.is_empty() => priced,
            Ok(_) => return Err(Problem::fields(faults)),
            Err(pricing) => {
                faults.extend(request::pricing_faults(&wanted, pricing));
                return Err(Problem::fields(faults));
            }
        };
        // A table that another program fills may hold names in pieces.
        for line in &mut priced.lines {
            line.name = text::entered(&line.name);
        }
        let Some(checked) = wanted.checked.take() else { return Err(Problem::fields(faults)) };
        let secrets = self.secrets.current().await;
        let usable = secrets.has(checked.generation);
        if let Some(fault) = request::generation_fault(checked.generation, priced.total.currency, usable) {
            return Err(Problem::fields(vec![fault]));
        }
        let first = priced.lines.first().map_or("", |line| line.name.as_str());
        let order = Order {
            id,
            version: 1,
            status: OrderStatus::Pending,
            name: order_name(first, priced.lines.len()),
            total: priced.total,
            tax_free: priced.tax_free,
            lines: priced.lines,
            customer: checked.customer,
            generation: checked.generation,
            pay_method: checked.pay_method,
            redirect_url: checked.redirect_url,
            unregistered: false,
            created_at: now,
            updated_at: now,
            expires_at: now.plus_minutes(self.order_ttl_minutes),
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
            language: Call::of(request).language(),
            journal: Vec::new(),
            trace: trace::to_keep(),
        }
        .begun(Look { at: now, by: &Actor::Buyer });
        trace::about(&order);

        let (created, registered) =
            tokio::join!(self.store.create(&order, fingerprint), self.register(&order));
        match (created.map_err(failed)?, fingerprint) {
            (Created::SoldOut(products), _) => {
                let faults = products.into_iter().map(PricingFault::SoldOut).collect();
                Err(Problem::fields(request::pricing_faults(&wanted, faults)))
            }
            (Created::Existed(existing), Some(fingerprint)) => {
                // Whoever won registers its order, unless it was our own write, whose answer got lost.
                let ours = existing.order.id == order.id;
                let order = same_request(*existing, fingerprint)?;
                trace::about(&order);
                if ours && !registered {
                    self.mark_unregistered(&order).await;
                }
                self.respond(&order, Answer::Replayed).await
            }
            (Created::Existed(_), None) => Err(Problem::new(ProblemCode::TemporarilyUnavailable)),
            (Created::Made, _) => {
                tracing::info!(event = "order.created", order_id = %order.id, total = %order.total, registered);
                if !registered {
                    self.mark_unregistered(&order).await;
                }
                self.respond(&order, Answer::New).await
            }
        }
    }

    /// The key made an order before: the same request gets the same answer.
    ///
    /// The process that made it may have died before it registered the amount, so an order that still
    /// waits for its payment is registered again, which is harmless.
    async fn replay(
        &self,
        existing: KeyedOrder,
        fingerprint: &RequestFingerprint,
    ) -> Result<Response<Body>, Problem> {
        let order = same_request(existing, fingerprint)?;
        trace::about(&order);
        if order.status == OrderStatus::Pending && !self.register(&order).await && !order.unregistered {
            self.mark_unregistered(&order).await;
        }
        tracing::info!(event = "order.replayed", order_id = %order.id);
        self.respond(&order, Answer::Replayed).await
    }

    /// Registers the amount with PortOne; whether it did.
    async fn register(&self, order: &Order) -> bool {
        let registered = self.portone.register(order, PRE_REGISTER_MAX);
        match tokio::time::timeout(PRE_REGISTER_MAX, registered).await {
            Ok(Ok(())) => true,
            // Paid already, and the news is still on its way to us: nothing is left to register.
            Ok(Err(PortoneError::Refused { kind, .. })) if kind == "ALREADY_PAID" => true,
            Ok(Err(error)) => {
                let error = chain(&error);
                tracing::error!(event = "order.unregistered", order_id = %order.id, error);
                false
            }
            Err(_) => {
                tracing::error!(event = "order.unregistered", order_id = %order.id, error = "no answer in time");
                false
            }
        }
    }

    /// The mark is for people: money is checked against the order in any case. So losing a race for it,
    /// or the table just now, does not cost the sale.
    async fn mark_unregistered(&self, order: &Order) {
        let marked = order.marked_unregistered(Look { at: clock::now(), by: &Actor::Buyer });
        if let Err(error) = self.store.advance(order, &marked).await {
            tracing::warn!(event = "order.unmarked", order_id = %order.id, %error);
        }
    }

    async fn respond(&self, order: &Order, answer: Answer) -> Result<Response<Body>, Problem> {
        let secrets = self.secrets.current().await;
        let key = secrets.order_token_key().map_err(failed)?;
        Ok(answer::respond(order, &self.shop, key, answer))
    }
}

/// The order of a key, if its request was this one.
fn same_request(existing: KeyedOrder, fingerprint: &RequestFingerprint) -> Result<Order, Problem> {
    if existing.fingerprint.as_deref() == Some(fingerprint) {
        Ok(existing.order)
    } else {
        Err(Problem::new(ProblemCode::IdempotencyKeyReused))
    }
}

/// The random part of the id of an order whose request has this key.
fn entropy_of(key: &str) -> [u8; 10] {
    let hash = digest::digest(&digest::SHA256, format!("idempotency-key:{key}").as_bytes());
    let mut entropy = [0; 10];
    entropy.copy_from_slice(&hash.as_ref()[..10]);
    entropy
}

/// The same for the same JSON value, however it is spelled: members are hashed in alphabetical order.
fn fingerprint_of(body: &Value) -> RequestFingerprint {
    let hash = digest::digest(&digest::SHA256, body.to_string().as_bytes());
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(hash.as_ref());
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_json_value_has_the_same_fingerprint() {
        let print = |text: &str| fingerprint_of(&serde_json::from_str(text).unwrap());
        assert_eq!(
            print(r#"{"a":1,"b":[{"c":"신발"}]}"#),
            print(" { \"b\" : [ {\"c\": \"\\uc2e0\\ubc1c\"} ], \"a\" : 1 } ")
        );
        assert_ne!(print(r#"{"a":1}"#), print(r#"{"a":2}"#));
        assert_ne!(print(r#"{"a":[1,2]}"#), print(r#"{"a":[2,1]}"#));
    }
}
