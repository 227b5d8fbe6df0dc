//! What an operator of the shop does: cancelling, the journal, looking anew, findings.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Answer, Placed, Shop};

/// Who signs with the local keys, as the authorizer tells the functions.
pub const OPERATOR: &str = "arn:aws:iam::123456789012:user/local";

impl Shop {
    /// `POST /orders/{orderId}/cancel` under this key.
    pub async fn cancel(&self, order: &Placed, key: &str, body: &Value) -> Answer {
        let path = format!("/orders/{}/cancel", order.id);
        self.as_operator(Method::POST, &path, &[("idempotency-key", key)], body).await
    }

    /// Cancels so many minor units, or all that is left.
    pub async fn cancel_amount(&self, order: &Placed, key: &str, amount: Option<i64>) -> Answer {
        let mut body = json!({ "reason": "고객 변심" });
        if let Some(amount) = amount {
            body["amount"] = json!(amount);
        }
        self.cancel(order, key, &body).await
    }

    /// The bodies of the calls that asked V2 for the order's money, oldest first, with their keys as sent.
    pub fn v2_cancels(&self, order: &Placed) -> Vec<(String, Value)> {
        let calls = self.portone_calls("POST", &format!("/payments/{}/cancel", order.id)).into_iter();
        calls.map(|(key, body, _)| (key.expect("money never moves without a key"), body)).collect()
    }

    /// `GET /orders/{orderId}/journal`.
    pub async fn journal(&self, order: &Placed) -> Value {
        let path = format!("/orders/{}/journal", order.id);
        self.as_operator(Method::GET, &path, &[], &Value::Null).await.expect(200)
    }

    /// `POST /orders/{orderId}/sync`.
    pub async fn sync_now(&self, order: &Placed) -> Answer {
        self.as_operator(Method::POST, &format!("/orders/{}/sync", order.id), &[], &Value::Null).await
    }

    /// The order's ledger of cancellations as it is stored.
    #[track_caller]
    pub fn ledger(&self, order: &Placed) -> Vec<Value> {
        self.stored(&order.id)["cancellations"].as_array().cloned().unwrap_or_default()
    }

    /// Asserts that the order's books balance: by its own audit, by its journal, and by what PortOne gave
    /// back.
    pub async fn assert_balanced(&self, order: &Placed) {
        let journal = self.journal(order).await;
        assert_eq!(journal["imbalances"], json!([]), "{journal}");
        assert_eq!(journal["amount"]["cancelled"], self.returned(order).1, "{journal}");
    }
}
