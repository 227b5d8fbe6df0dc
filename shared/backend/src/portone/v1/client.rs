//! The client. Every call has a bound; a 401 fetches the token once more and tries once more.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode, header};
use order::{
    CancellationOutcome, Generation, Observation, Order, PaymentStatus, PromotionDiscount, Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;

use super::{token::TokenCache, wire};
use crate::{
    connection::{Bytes, Connection},
    portone::{
        AccountClosing, CancelRequest, PaymentPage, PortoneError, exchange, lenient, names_nothing, resource,
    },
    secrets::SecretCache,
};

/// Payments of one page of V1's list.
const PAGE_SIZE: u32 = 100;

/// PortOne V1's REST API.
#[derive(Clone, Debug)]
pub struct V1Client {
    connection: Connection,
    base: String,
    secrets: Arc<SecretCache>,
    tokens: Arc<TokenCache>,
}

struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// What it says in words, which are the PG's where a PG refused.
    fn message(&self) -> Option<String> {
        lenient::parse::<wire::Words>(&self.body)?.message
    }

    /// The response inside the envelope: HTTP 200 with another `code` than 0 is a refusal too.
    fn open<T: DeserializeOwned>(&self) -> Result<T, PortoneError> {
        let broken = |what| PortoneError::Unavailable(what, None);
        if self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS {
            return Err(broken("it answered with an error"));
        }
        let envelope: wire::Envelope<Value> =
            lenient::parse(&self.body).ok_or(broken("its answer is no V1 envelope"))?;
        match envelope.response {
            response if self.status.is_success() && envelope.code == 0 => {
                serde_json::from_value(response.unwrap_or_default())
                    .map_err(|_| broken("its answer is not what was asked for"))
            }
            _ => Err(PortoneError::Refused { status: self.status.as_u16(), kind: envelope.code.to_string() }),
        }
    }
}

impl V1Client {
    /// A client of the PortOne V1 at `base`.
    pub fn new(connection: &Connection, base: String, secrets: Arc<SecretCache>) -> Self {
        Self { connection: connection.clone(), base, secrets, tokens: Arc::default() }
    }

    /// Whether the deployment has V1 credentials.
    pub async fn is_configured(&self) -> bool {
        self.secrets.current().await.has(Generation::V1)
    }

    /// The payment with this `imp_uid` now; nothing if PortOne knows none. Whose order it is for is in
    /// the observation, not in what the caller claims.
    pub async fn payment(
        &self,
        imp_uid: &str,
        timeout: Duration,
    ) -> Result<Option<Observation>, PortoneError> {
        // Payments of test channels are left out unless asked for; PAYMENT_MODE decides about them, not
        // their absence.
        let path = ["payments", imp_uid];
        match self.read::<Value>(&path, &[("include_sandbox", "true")], timeout).await? {
            // Whatever answered was not V1.
            Some(other) if other.get("imp_uid").is_none() => {
                Err(PortoneError::Unavailable("its answer is no payment", None))
            }
            Some(payment) => Ok(Some(wire::Payment::read(payment)?)),
            None => Ok(None),
        }
    }

    /// The payment of the order `merchant_uid` now: the one with money in it if there is one, else one that can
    /// still be paid, else the newest attempt. An older window can be paid after a newer one failed.
    pub async fn payment_of_order(
        &self,
        merchant_uid: &str,
        timeout: Duration,
    ) -> Result<Option<Observation>, PortoneError> {
        let path = ["payments", "findAll", merchant_uid];
        let query = [("sorting", "-started"), ("limit", "100")];
        let Some(found) = self.read::<wire::Payments>(&path, &query, timeout).await? else { return Ok(None) };
        // One that cannot be read must not hide the one that was paid.
        let (seen, unreadable): (Vec<_>, Vec<_>) =
            found.list.into_iter().map(wire::Payment::read).partition(Result::is_ok);
        let seen = seen.into_iter().flatten().collect::<Vec<_>>();
        let rank = |seen: &Observation| match seen.status {
            PaymentStatus::Paid | PaymentStatus::PartialCancelled => 0,
            PaymentStatus::Cancelled => 1,
            // It can still be paid, though a newer window was opened and left.
            PaymentStatus::VirtualAccountIssued | PaymentStatus::PayPending => 2,
            _ => 3,
        };
        // The first of the best: the list is newest first.
        let decisive = seen.into_iter().min_by_key(rank);
        match (decisive, unreadable.into_iter().next()) {
            (Some(seen), Some(Err(error))) if rank(&seen) > 0 => Err(error.into()),
            (None, Some(Err(error))) => Err(error.into()),
            (decisive, _) => Ok(decisive),
        }
    }

    /// Registers the order's amount, so that a window with another one does not open.
    ///
    /// V1 does not say how it answers a second registration: one that is refused is sent as the change
    /// to the same amount that it is.
    pub async fn prepare(&self, order: &Order, timeout: Duration) -> Result<(), PortoneError> {
        let until = Instant::now() + timeout;
        let body = wire::Prepare {
            merchant_uid: order.id.as_str(),
            amount: wire::major(order.total.amount, order.total.currency),
            currency: order.total.currency.code(),
        };
        let path = ["payments", "prepare"];
        let first = self.call(Method::POST, &path, &[], Some(&body), timeout).await?;
        match first.open::<Value>() {
            Err(PortoneError::Refused { status, .. }) if status != 401 => {
                let left = until.saturating_duration_since(Instant::now());
                let second = self.call(Method::PUT, &path, &[], Some(&body), left).await?;
                second.open::<Value>().map(|_| ())
            }
            other => other.map(|_| ()),
        }
    }

    /// Asks for money of the payment back, if the balance still is what we think.
    ///
    /// V1 has no idempotency key: `checksum` refuses a repetition after the first took effect, whoever
    /// repeats reads the payment again first, and only one caller at a time may ask (the decision sees
    /// to it). What the answer of an asynchronous cancellation says is not stated: code 0 without the
    /// money gone is taken for "requested".
    pub async fn cancel(&self, request: CancelRequest<'_>, timeout: Duration) -> CancellationOutcome {
        let CancelRequest { transaction_id, row, reason, currency, .. } = request;
        if row.amount == 0 {
            // V1 reads 0 as everything. Nobody here means that.
            return CancellationOutcome::Failed { code: "NOTHING_TO_CANCEL".to_owned(), message: None };
        }
        let account = row.refund_account.as_ref();
        let body = wire::Cancel {
            imp_uid: transaction_id,
            amount: wire::major(row.amount, currency),
            tax_free: wire::major(row.tax_free, currency),
            checksum: wire::major(row.balance_before, currency),
            reason,
            retain_promotion: row.promotion.map(|promotion| promotion == PromotionDiscount::Retain),
            refund_holder: account.map(|account| account.holder.expose().as_str()),
            refund_bank: account.map(|account| account.bank.as_str()),
            refund_account: account.map(|account| account.number.expose().as_str()),
            refund_tel: account.and_then(|account| Some(account.holder_phone.as_ref()?.expose().as_str())),
        };
        let answer = self.call(Method::POST, &["payments", "cancel"], &[], Some(&body), timeout).await;
        let words = answer.as_ref().ok().and_then(Answer::message);
        match answer.and_then(|answer| answer.open::<Value>()) {
            Ok(payment) => wire::outcome_of(payment, row.amount, row.balance_before),
            Err(PortoneError::Refused { kind, .. }) => {
                CancellationOutcome::Failed { code: format!("V1_{kind}"), message: words }
            }
            Err(error) => {
                tracing::warn!(event = "cancellation.unanswered", error = crate::telemetry::chain(&error));
                CancellationOutcome::Unknown
            }
        }
    }

    /// Closes the transaction's virtual account, so that no deposit arrives any more. One that does not wait
    /// for a deposit is left as it is; what it came to, a read tells.
    pub async fn close_account(
        &self,
        imp_uid: &str,
        timeout: Duration,
    ) -> Result<AccountClosing, PortoneError> {
        let answer = self.call(Method::DELETE, &["vbanks", imp_uid], &[], None::<&()>, timeout).await?;
        match answer.open::<Value>() {
            Ok(_) => Ok(AccountClosing::Done),
            // V1 does not tell why: that there is nothing to close, or that the PG does not.
            Err(PortoneError::Refused { status, .. }) if status != 401 => Ok(AccountClosing::Refused),
            Err(error) => Err(error),
        }
    }

    /// Payments of the time from `from` to `until`, one page of a hundred; whether there are more pages.
    ///
    /// Which time of a payment counts depends on its state, so the span should overlap the one before.
    pub async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: u32,
        timeout: Duration,
    ) -> Result<PaymentPage, PortoneError> {
        let (from, until) = (from.as_seconds().to_string(), until.as_seconds().to_string());
        let (page, limit) = (page.to_string(), PAGE_SIZE.to_string());
        let query = [
            ("from", from.as_str()),
            ("to", &until),
            ("page", &page),
            ("limit", &limit),
            ("include_sandbox", "true"),
        ];
        let path = ["payments", "status", "all"];
        let Some(found) = self.read::<wire::Page>(&path, &query, timeout).await? else {
            return Ok(PaymentPage { payments: Vec::new(), unreadable: Vec::new(), more: false });
        };
        Ok(PaymentPage::read(found.list, "merchant_uid", found.next > 0, wire::Payment::read))
    }

    /// A read: 404 is "none", and a connection that breaks is tried once more within `timeout`.
    async fn read<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Option<T>, PortoneError> {
        let until = Instant::now() + timeout;
        let answer = match self.call(Method::GET, path, query, None::<&()>, timeout).await {
            Err(error) if error.is_broken_connection() => {
                let left = until.saturating_duration_since(Instant::now());
                self.call(Method::GET, path, query, None::<&()>, left).await?
            }
            other => other?,
        };
        match answer.open() {
            Err(PortoneError::Refused { status: 404, .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
        timeout: Duration,
    ) -> Result<Answer, PortoneError> {
        let until = Instant::now() + timeout;
        let url = resource(&self.base, path, query).ok_or_else(names_nothing)?;
        let mut secrets = self.secrets.current().await;
        let mut refused = None;
        loop {
            let token = match self
                .tokens
                .token(&self.connection, &self.base, &secrets, refused.as_ref(), until)
                .await
            {
                // The key pair itself was refused: it may have been rotated.
                Err(PortoneError::Refused { status: 401, kind }) => {
                    let left = until.saturating_duration_since(Instant::now());
                    match tokio::time::timeout(left, self.secrets.newer_than(&secrets)).await {
                        Ok(Some(newer)) if !newer.has_v1_key_pair_of(&secrets) => {
                            secrets = newer;
                            continue;
                        }
                        _ => return Err(PortoneError::Refused { status: 401, kind }),
                    }
                }
                other => other?,
            };
            let authorization =
                token.header().ok_or(PortoneError::Unavailable("its token is no token", None))?;
            let request = self.connection.request(method.clone(), url.clone());
            let request = request.header(header::AUTHORIZATION, authorization);
            let (head, answer) = exchange(&self.connection, request, body, until).await?.into_parts();
            let status = head.status;
            if status == StatusCode::UNAUTHORIZED && refused.is_none() {
                refused = Some(token);
                continue;
            }
            return Ok(Answer { status, body: answer });
        }
    }
}

/// What an answer says of the payment that was asked for.
pub fn read_payment(answer: &[u8]) -> Result<Observation, PortoneError> {
    let answer = Answer { status: StatusCode::OK, body: Bytes::copy_from_slice(answer) };
    Ok(wire::Payment::read(answer.open()?)?)
}
