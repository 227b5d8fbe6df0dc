//! The schedule that looks for what nobody reported, and the time that has to pass before it looks.
//! Functions use the real clock: time passes by changing what the table remembers.

use local_stack::wire::{Call, Mark};
use portone_simulator::{Act, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Placed, Shop, table};

/// The operations that change the table.
const WRITES: [&str; 4] = ["UpdateItem", "PutItem", "DeleteItem", "TransactWriteItems"];

/// A cancellation at PortOne's console: of all that is left, or of this much.
pub fn console_cancel(amount: Option<i64>) -> Act {
    Act::Cancel { amount, tax_free_amount: None, reason: None, trigger: None }
}

impl Shop {
    /// One run of `reconcile`, and its summary.
    pub async fn reconcile(&self) -> Value {
        self.stack.run_schedule("reconcile").await.expect("reconcile answers")
    }

    /// One run that reaches everything, and its summary.
    pub async fn reconcile_all(&self) -> Value {
        let summary = self.reconcile().await;
        assert_eq!((&summary["complete"], &summary["failed"]), (&json!(true), &json!(0)), "{summary}");
        summary
    }

    /// As if the order had been made long enough ago to be looked at now.
    pub fn make_due(&self, order: &Placed) {
        table::set_order(&self.stack, &order.id, "lookAt", &millis_ago(1_000));
    }

    /// As if the time to pay the order had ended this many milliseconds ago; it is looked at now.
    pub fn expire(&self, order: &Placed, ago: i64) {
        table::set_order(&self.stack, &order.id, "expiresAt", &millis_ago(ago));
        self.make_due(order);
    }

    /// As if the deadline of the order's virtual account had passed, and the order's own long before; it is
    /// looked at now.
    pub fn expire_account(&self, order: &Placed) {
        table::set_inside(&self.stack, &order.id, "virtualAccount", "expiresAt", &millis_ago(1_000));
        self.expire(order, 86_400_000);
    }

    /// How many pieces of a product are left; `null` if they are not counted.
    pub fn stock(&self, product_id: &str) -> Value {
        let items = table::items(&self.stack, &format!("PRODUCT#{product_id}"));
        items.first().map_or(Value::Null, |item| item["stock"].clone())
    }

    /// Counts the pieces of a product from now on.
    pub fn set_stock(&self, product_id: &str, pieces: u32) {
        let pieces = json!({ "N": pieces.to_string() });
        table::set_product(&self.stack, product_id, "stock", &pieces);
    }

    /// `POST /orders/{orderId}/cancel` by an operator, of all that is left or of this much.
    pub async fn cancel_order(&self, order: &Placed, key: &str, amount: Option<i64>) -> Answer {
        let mut body = json!({ "reason": "고객 변심" });
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        let path = format!("/orders/{}/cancel", order.id);
        self.as_operator(Method::POST, &path, &[("idempotency-key", key)], &body).await
    }

    /// Where the order stands in the table.
    #[track_caller]
    pub fn status(&self, order: &Placed) -> String {
        let stored = self.stored(&order.id);
        stored["status"].as_str().expect("an order has a status").to_owned()
    }

    /// The writes that took effect since `mark`.
    pub fn writes_since(&self, mark: Mark) -> Vec<Call> {
        let calls = self.stack.calls_since(mark).into_iter();
        calls.filter(|call| WRITES.contains(&call.operation.as_str()) && call.status == Some(200)).collect()
    }

    /// The subjects of all findings of this kind.
    pub fn found(&self, kind: &str) -> Vec<String> {
        let findings = self.findings(kind).into_iter();
        findings.filter_map(|finding| Some(finding["subject"].as_str()?.to_owned())).collect()
    }
}

/// DynamoDB's JSON of the moment this many milliseconds ago.
pub fn millis_ago(ago: i64) -> Value {
    json!({ "N": (Timestamp::wall().millis() - ago).to_string() })
}
