//! What is measured. Each operation is prepared by others, then asked of one function.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use end_to_end::{Delivery, Placed, Shop};
use lambda_gateway::InvokeError;
use portone_simulator::{Event, Timestamp, webhook::BodyVersion};
use reqwest::Method;
use serde_json::{Value, json};

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    CreateOrder,
    CreateCountedOrder,
    VerifyPayment,
    VerifyAgain,
    Webhook,
    WebhookV1,
    GetOrder,
    ListProducts,
    ConfirmPayment,
    CancelOrder,
    BackOffice,
    Reconcile,
    OrderEvents,
    DailyExport,
}

/// All of them, in the order of the table.
pub const ALL: [Operation; 14] = [
    Operation::CreateOrder,
    Operation::CreateCountedOrder,
    Operation::VerifyPayment,
    Operation::VerifyAgain,
    Operation::Webhook,
    Operation::WebhookV1,
    Operation::GetOrder,
    Operation::ListProducts,
    Operation::ConfirmPayment,
    Operation::CancelOrder,
    Operation::BackOffice,
    Operation::Reconcile,
    Operation::OrderEvents,
    Operation::DailyExport,
];

/// What an operation needs to be there.
#[derive(Debug)]
pub struct Prepared {
    key: String,
    order: Option<Placed>,
    imp_uid: Option<String>,
    delivery: Option<Delivery>,
}

/// The product whose pieces are counted.
const COUNTED: &str = "socks";

impl Operation {
    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateOrder => "create-order",
            Self::CreateCountedOrder => "create-order, stock counted",
            Self::VerifyPayment => "verify-payment, now paid",
            Self::VerifyAgain => "verify-payment, again",
            Self::Webhook => "webhook, now paid",
            Self::WebhookV1 => "webhook V1, now paid",
            Self::GetOrder => "get-order",
            Self::ListProducts => "list-products",
            Self::ConfirmPayment => "confirm-payment",
            Self::CancelOrder => "cancel-order, whole",
            Self::BackOffice => "back-office, journal",
            Self::Reconcile => "reconcile, one order due",
            Self::OrderEvents => "order-events",
            Self::DailyExport => "daily-export",
        }
    }

    /// The function that does it.
    pub fn function(self) -> &'static str {
        match self {
            Self::CreateOrder | Self::CreateCountedOrder => "create-order",
            Self::VerifyPayment | Self::VerifyAgain => "verify-payment",
            Self::Webhook | Self::WebhookV1 => "webhook",
            Self::GetOrder => "get-order",
            Self::ListProducts => "list-products",
            Self::ConfirmPayment => "confirm-payment",
            Self::CancelOrder => "cancel-order",
            Self::BackOffice => "back-office",
            Self::Reconcile => "reconcile",
            Self::OrderEvents => "order-events",
            Self::DailyExport => "daily-export",
        }
    }

    /// Whether the function's zip and start belong to this row: the first of each function.
    pub fn is_first_of_its_function(self) -> bool {
        !matches!(self, Self::CreateCountedOrder | Self::VerifyAgain | Self::WebhookV1)
    }

    /// Whether its work is what others did: the statement of every order, the comparison with PortOne's list.
    pub fn reads_what_others_did(self) -> bool {
        matches!(self, Self::Reconcile | Self::DailyExport)
    }

    /// Makes what the operation needs. `number` tells repetitions apart.
    pub async fn prepare(self, shop: &Shop, number: usize) -> anyhow::Result<Prepared> {
        let mut prepared =
            Prepared { key: format!("bench-{self:?}-{number}"), order: None, imp_uid: None, delivery: None };
        match self {
            Self::CreateOrder | Self::ListProducts | Self::OrderEvents | Self::DailyExport => {}
            Self::CreateCountedOrder => {
                if number == 0 {
                    shop.set_stock(COUNTED, 1_000_000);
                }
            }
            Self::GetOrder | Self::BackOffice => prepared.order = Some(paid(shop).await),
            Self::VerifyAgain | Self::CancelOrder => prepared.order = Some(paid(shop).await),
            Self::VerifyPayment => prepared.order = Some(paying(shop).await),
            Self::Webhook => {
                let order = paying(shop).await;
                let about = Delivery::about("Transaction.Paid", &order.id);
                prepared.delivery = Some(about.signed(&shop.webhook_secrets().await));
                prepared.order = Some(order);
            }
            Self::WebhookV1 => {
                let order = shop.placed_v1_for(basket(shop, "shoes")).await;
                prepared.imp_uid = Some(shop.pay_v1(&order).await);
                prepared.order = Some(order);
            }
            Self::ConfirmPayment => {
                let order = shop.placed_for(&basket(shop, "shoes")).await;
                prepared.delivery = Some(question(&order).signed(&shop.webhook_secrets().await));
                prepared.order = Some(order);
            }
            Self::Reconcile => {
                let order = paying(shop).await;
                shop.make_due(&order);
                prepared.order = Some(order);
            }
        }
        Ok(prepared)
    }

    /// Does it once; an error if it did not come out as it has to.
    pub async fn run(self, shop: &Shop, prepared: &Prepared) -> anyhow::Result<()> {
        let order = prepared.order.as_ref();
        let delivery = prepared.delivery.as_ref();
        let order = || order.context("an order was prepared");
        let (answer, status) = match self {
            Self::CreateOrder | Self::CreateCountedOrder => {
                let product = if self == Self::CreateOrder { "shoes" } else { COUNTED };
                (shop.order_once(&prepared.key, &basket(shop, product)).await, 201)
            }
            Self::VerifyPayment | Self::VerifyAgain => (shop.verify_as_buyer(order()?).await, 200),
            Self::Webhook => (shop.deliver(delivery.context("a delivery")?).await, 200),
            Self::WebhookV1 => {
                let imp_uid = prepared.imp_uid.as_ref().context("an imp_uid")?;
                (shop.deliver_v1(imp_uid, order()?, "paid").await, 200)
            }
            Self::GetOrder => (shop.get_order(&order()?.id, Some(&order()?.token)).await, 200),
            Self::ListProducts => (shop.send(Method::GET, "/products", &[], Vec::new()).await, 200),
            Self::ConfirmPayment => {
                let delivery = delivery.context("a question")?;
                (shop.deliver_to("/webhooks/portone/confirm", delivery).await, 200)
            }
            Self::CancelOrder => (shop.cancel_order(order()?, &prepared.key, None).await, 200),
            Self::BackOffice => {
                let path = format!("/orders/{}/journal", order()?.id);
                (shop.as_operator(Method::GET, &path, &[], &Value::Null).await, 200)
            }
            Self::Reconcile => {
                let summary = shop.reconcile().await;
                ensure!(summary["failed"] == json!(0), "{summary}");
                return Ok(());
            }
            Self::OrderEvents => return invoke(shop, self.function(), EVENTS).await,
            Self::DailyExport => return invoke(shop, self.function(), "{}").await,
        };
        ensure!(answer.status == status, "{}: {} {}", self.name(), answer.status, answer.text);
        Ok(())
    }
}

/// A whole order as shops have them: one product, a customer with everything, a page to return to.
fn basket(shop: &Shop, product: &str) -> Value {
    json!({
        "items": [{ "productId": product, "quantity": 2 }],
        "customer": { "name": "홍길동", "email": "gildong@example.com", "phone": "01012345678" },
        "redirectUrl": format!("{}/return", shop.stack.url()),
    })
}

/// Milliseconds that an environment may take for it.
const HAND_OVER_MAX: u32 = 1_000;

const EVENTS: &str = include_str!("../../events/order-events.json");

/// The one environment may still be handing over its last answer: then the event is given once more.
async fn invoke(shop: &Shop, function: &str, event: &str) -> anyhow::Result<()> {
    for _ in 0..HAND_OVER_MAX {
        match shop.stack.gateway().invoke_raw(function, Bytes::from(event.to_owned())).await {
            Err(InvokeError::Throttled(_)) => tokio::time::sleep(Duration::from_millis(1)).await,
            other => return Ok(other.map(drop)?),
        }
    }
    bail!("{function} does not ask for its next event")
}

/// An order whose money PortOne has and we do not know of.
async fn paying(shop: &Shop) -> Placed {
    let order = shop.placed_for(&basket(shop, "shoes")).await;
    shop.put_payment(&order, |_| {});
    order
}

/// A paid order.
async fn paid(shop: &Shop) -> Placed {
    let order = paying(shop).await;
    shop.deliver_about("Transaction.Paid", &order.id).await.expect(200);
    order
}

/// PortOne's question before a payment is approved.
fn question(order: &Placed) -> Delivery {
    let event = Event {
        kind: "Transaction.Confirm".to_owned(),
        happened: Timestamp::wall(),
        payment_id: order.id.clone(),
        store_id: "store-any".to_owned(),
        transaction_id: "tx-any".to_owned(),
        cancellation_id: None,
        total_amount: Some(order.total()),
    };
    let version = BodyVersion::V20240425;
    Delivery::of(version.content_type(), event.body(version, &Value::Null))
}
