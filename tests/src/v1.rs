//! PortOne V1 as its stories meet it: the window that a page opens, the `imp_uid` that the page reports,
//! and the webhook that nobody signs.

use local_stack::{Backend, wire::Wire};
use portone_simulator::Press;
use serde_json::{Value, json};

use crate::{Answer, Placed, Shop, shop::basket, table};

impl Shop {
    /// The wire to PortOne V1.
    pub fn v1_wire(&self) -> &Wire {
        self.stack.wire(Backend::PortoneV1)
    }

    /// An order of two pairs of shoes, 2,000 won, to be paid in V1's window.
    pub async fn placed_v1(&self) -> Placed {
        self.placed_v1_for(basket("shoes", 2)).await
    }

    /// The order that this request makes when it asks for V1's window.
    pub async fn placed_v1_for(&self, mut body: Value) -> Placed {
        body["sdk"] = json!("v1");
        self.placed_for(&body).await
    }

    /// Opens a window with what create-order answered, and gives its `imp_uid`.
    pub fn open_v1(&self, order: &Placed) -> String {
        self.portone().open_v1_window(order.payment()).expect("the window opens")
    }

    /// Opens a window, presses a button in it, and gives its `imp_uid`.
    pub async fn press_v1(&self, order: &Placed, button: Press) -> String {
        let imp_uid = self.open_v1(order);
        self.portone().press_v1(&imp_uid, button).await.expect("a button can be pressed");
        imp_uid
    }

    /// The buyer pays.
    pub async fn pay_v1(&self, order: &Placed) -> String {
        let imp_uid = self.press_v1(order, Press::Pay).await;
        let payment = self.portone().v1_payment(&imp_uid).expect("PortOne has the payment");
        assert_eq!(payment["status"], "paid", "{payment}");
        imp_uid
    }

    /// `POST /payments/verify` by the page, of what its callback was called with.
    pub async fn verify_v1(&self, imp_uid: &str, order: &Placed) -> Answer {
        let body = json!({ "imp_uid": imp_uid, "merchant_uid": order.id });
        self.post("/payments/verify", &[], &body).await
    }

    /// `POST /payments/verify` by a page that knows its order only.
    pub async fn verify_v1_order(&self, order: &Placed) -> Answer {
        self.post("/payments/verify", &[], &json!({ "merchant_uid": order.id })).await
    }

    /// `POST /webhooks/portone/v1` by anybody.
    pub async fn deliver_v1(&self, imp_uid: &str, order: &Placed, status: &str) -> Answer {
        let body = json!({ "imp_uid": imp_uid, "merchant_uid": order.id, "status": status });
        self.post("/webhooks/portone/v1", &[], &body).await
    }

    /// The bodies of the calls that asked V1 for this payment's money back.
    pub fn v1_cancels(&self, imp_uid: &str) -> Vec<Value> {
        let bodies = self.portone_calls("POST", "/payments/cancel").into_iter().map(|(_, body, _)| body);
        bodies.filter(|body| body["imp_uid"] == imp_uid).collect()
    }

    /// The deliveries that wait in the table.
    pub fn parked(&self) -> Vec<Value> {
        table::items(&self.stack, "PARKED")
    }
}
