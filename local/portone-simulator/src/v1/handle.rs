//! V1's part of the control surface for Rust tests.

use serde_json::Value;

use super::{Browser, Prepared, WindowRefused, callback, open, render};
use crate::{
    checkout::{self, Press},
    payment::{Refusal, Version},
    simulator::Simulator,
};

impl Simulator {
    /// The attempt of this `imp_uid` as V1's `GET /payments/{imp_uid}` shows it, test channels included.
    #[must_use]
    pub fn v1_payment(&self, imp_uid: &str) -> Option<Value> {
        self.read(|world| {
            let (payment, tx) = world.transaction(imp_uid).ok()?;
            (payment.version == Version::V1).then(|| render::payment(world, payment, tx))
        })
    }

    /// Every attempt of this `merchant_uid` as V1 shows it, oldest first.
    #[must_use]
    pub fn v1_payments(&self, merchant_uid: &str) -> Vec<Value> {
        self.read(|world| {
            let payment = world.payment(merchant_uid).ok().filter(|payment| payment.version == Version::V1);
            let Some(payment) = payment else { return Vec::new() };
            payment.transactions.iter().map(|tx| render::payment(world, payment, tx)).collect()
        })
    }

    /// The amount registered by V1's `POST /payments/prepare`.
    #[must_use]
    pub fn v1_prepared(&self, merchant_uid: &str) -> Option<Prepared> {
        self.read(|world| world.book.prepared.get(merchant_uid).cloned())
    }

    /// Opens a payment window as `IMP.request_pay(params, …)` on a desktop does, and returns its `imp_uid`.
    ///
    /// # Errors
    /// What the callback would be called with at once; see [`WindowRefused::callback`].
    pub fn open_v1_window(&self, params: &Value) -> Result<String, WindowRefused> {
        self.change(|world| open(world, params, Browser::default())).map(|opened| opened.imp_uid)
    }

    /// Presses a button of a window that V1 opened, and returns what the callback is called with. Pressing
    /// again returns the first decision's value.
    ///
    /// # Errors
    /// As [`press`](Self::press), and [`Refusal::TransactionNotFound`] for a window that V2 opened.
    pub async fn press_v1(&self, imp_uid: &str, button: Press) -> Result<Value, Refusal> {
        let result = checkout::press(self, imp_uid, button).await?;
        let handed = self.read(|world| callback::handed(world, imp_uid, &result));
        handed.map(|handed| handed.rsp).ok_or(Refusal::TransactionNotFound)
    }

    /// Replaces V1's key pair. A token given out before stays good.
    pub fn set_v1_keys(&self, key: &str, secret: &str) {
        self.change(|world| world.v1_tokens.rotate(key.to_owned(), secret.to_owned()));
    }

    /// Ends the V1 token that is good now, as if its time were over.
    pub fn expire_v1_tokens(&self) {
        self.change(|world| world.v1_tokens.expire());
    }

    /// Replaces where new V1 webhooks go; those already triggered keep their URL.
    pub fn set_v1_webhook_url(&self, url: Option<String>) {
        self.change(|world| world.v1_webhook_url = url);
    }
}
