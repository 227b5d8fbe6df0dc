//! The client. Every call has a bound; a 401 reads the secret once more and tries once more.

use std::{sync::Arc, time::Duration};

use http::{Method, StatusCode, header};
use order::{CancellationOutcome, Generation, Observation, Order, PaymentMode, PromotionDiscount, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::Instant;

use super::wire;
use crate::{
    connection::{Bytes, Connection},
    portone::{
        AccountClosing, CancelRequest, PaymentPage, PortoneError, exchange, lenient, names_nothing, resource,
    },
    secrets::SecretCache,
};

/// Payments of one page of PortOne's list.
const PAGE_SIZE: u32 = 100;

/// PortOne V2's REST API.
#[derive(Clone, Debug)]
pub struct V2Client {
    connection: Connection,
    base: String,
    /// The deployment's store: sent with every call. Without it PortOne uses the store of the API secret, and does not
    /// find the payments of another store of the same merchant (schema: `storeId`).
    store_id: String,
    secrets: Arc<SecretCache>,
}

/// What PortOne's list of payments is searched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// The PG's own id of an attempt.
    PgTransaction,
    /// PortOne's id of an attempt.
    Transaction,
}

struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// PortOne's typed error, or what stands for one where a proxy answered for it.
    fn into_error(self) -> PortoneError {
        match lenient::parse::<wire::ErrorBody>(&self.body) {
            Some(body) if self.status.is_client_error() && self.status != StatusCode::TOO_MANY_REQUESTS => {
                PortoneError::Refused { status: self.status.as_u16(), kind: body.kind }
            }
            _ => PortoneError::Unavailable("it answered with an error", None),
        }
    }
}

impl V2Client {
    /// A client of the PortOne at `base`.
    pub fn new(connection: &Connection, base: String, store_id: String, secrets: Arc<SecretCache>) -> Self {
        Self { connection: connection.clone(), base, store_id, secrets }
    }

    /// What PortOne has of the payment now; nothing if it knows none (`PAYMENT_NOT_FOUND`).
    ///
    /// A connection that breaks is tried once more within `timeout`: reading is safe to repeat.
    pub async fn payment(
        &self,
        payment_id: &str,
        timeout: Duration,
    ) -> Result<Option<Observation>, PortoneError> {
        let until = Instant::now() + timeout;
        let path = ["payments", payment_id];
        let query = [("storeId", self.store_id.as_str())];
        let first = self.call(Method::GET, &path, &query, None::<&()>, None, timeout).await;
        let answer = match first {
            Err(error) if error.is_broken_connection() => {
                let left = until.saturating_duration_since(Instant::now());
                self.call(Method::GET, &path, &query, None::<&()>, None, left).await?
            }
            other => other?,
        };
        match answer.status {
            StatusCode::OK => read_payment(&answer.body).map(Some),
            _ => match answer.into_error() {
                PortoneError::Refused { status: 404, kind } if kind == "PAYMENT_NOT_FOUND" => Ok(None),
                error => Err(error),
            },
        }
    }

    /// Registers the order's amount, so that a window opened with another one is refused before any
    /// money moves. Repeating it is harmless until the order is paid.
    pub async fn pre_register(&self, order: &Order, timeout: Duration) -> Result<(), PortoneError> {
        let body = wire::PreRegister {
            store_id: &self.store_id,
            total_amount: order.total.amount,
            tax_free_amount: order.tax_free,
            currency: order.total.currency.code(),
        };
        let path = ["payments", order.id.as_str(), "pre-register"];
        let answer = self.call(Method::POST, &path, &[], Some(&body), None, timeout).await?;
        // A proxy's page under HTTP 200 registered nothing.
        let answered = serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
        if answer.status.is_success() && answered { Ok(()) } else { Err(answer.into_error()) }
    }

    /// Asks for money of the payment back, if the balance still is what we think.
    ///
    /// The key makes a repetition harmless for 3 hours (REST V2 overview); after that PortOne's check of
    /// the balance does. HTTP 200 is not "done": the cancellation's own status decides.
    ///
    /// Everything that is left of a discounted payment is asked for without naming it, and a part of it without the
    /// check: whether PortOne counts the balance with or without the discount is not stated.
    pub async fn cancel(&self, request: CancelRequest<'_>, timeout: Duration) -> CancellationOutcome {
        let CancelRequest { payment_id, row, reason, key, discounted, .. } = request;
        let named = !row.everything;
        let body = wire::Cancel {
            amount: named.then_some(row.amount),
            tax_free_amount: row.tax_free,
            current_cancellable_amount: named.then_some(row.balance_before).filter(|_| !discounted),
            reason,
            promotion_discount_retain_option: row.promotion.map(PromotionDiscount::word),
            store_id: &self.store_id,
            refund_account: row.refund_account.as_ref().map(|account| wire::RefundTo {
                bank: &account.bank,
                number: account.number.expose(),
                holder_name: account.holder.expose(),
                holder_phone_number: account.holder_phone.as_ref().map(|phone| phone.expose().as_str()),
            }),
        };
        let answer = match self
            .call(Method::POST, &["payments", payment_id, "cancel"], &[], Some(&body), Some(key), timeout)
            .await
        {
            Ok(answer) => answer,
            Err(error) => {
                tracing::warn!(
                    event = "cancellation.unanswered",
                    payment_id,
                    error = crate::telemetry::chain(&error)
                );
                return CancellationOutcome::Unknown;
            }
        };
        if answer.status.is_success() {
            return match lenient::parse::<wire::Cancelled>(&answer.body) {
                Some(wire::Cancelled { cancellation }) => match cancellation.status.as_str() {
                    "SUCCEEDED" => CancellationOutcome::Succeeded { portone_id: cancellation.id() },
                    "REQUESTED" => CancellationOutcome::Requested { portone_id: cancellation.id() },
                    "FAILED" => CancellationOutcome::Failed { code: "FAILED".to_owned(), message: None },
                    _ => CancellationOutcome::Unknown,
                },
                None => CancellationOutcome::Unknown,
            };
        }
        match lenient::parse::<wire::ErrorBody>(&answer.body) {
            // The first call with this key still runs.
            Some(error) if error.kind == "IDEMPOTENCY_OUTSTANDING_REQUEST" => CancellationOutcome::Unknown,
            // A PG's refusal comes as a 502, and it is definite: PortOne would repeat it for this key.
            Some(error) if answer.status.is_client_error() || error.kind == "PG_PROVIDER" => {
                if answer.status == StatusCode::TOO_MANY_REQUESTS {
                    return CancellationOutcome::Unknown;
                }
                CancellationOutcome::Failed {
                    code: error.pg_code.unwrap_or(error.kind),
                    message: error.pg_message,
                }
            }
            Some(_) | None => CancellationOutcome::Unknown,
        }
    }

    /// Closes the payment's virtual account, so that no deposit arrives any more. One that does not wait for
    /// a deposit is left as it is; what it came to, a read tells.
    pub async fn close_account(
        &self,
        payment_id: &str,
        timeout: Duration,
    ) -> Result<AccountClosing, PortoneError> {
        let path = ["payments", payment_id, "virtual-account", "close"];
        let query = [("storeId", self.store_id.as_str())];
        let answer = self.call(Method::POST, &path, &query, None::<&()>, None, timeout).await?;
        if answer.status.is_success() {
            // A page that somebody put in between says 200 as well, and the account is still open.
            return match serde_json::from_slice::<wire::ClosedAccount>(&answer.body) {
                Ok(_) => Ok(AccountClosing::Done),
                Err(_) => {
                    Err(PortoneError::Unavailable("its answer does not say when it closed the account", None))
                }
            };
        }
        // A PG's refusal comes as a 502, and it is definite.
        let refusal = lenient::parse::<wire::ErrorBody>(&answer.body);
        if refusal.is_some_and(|error| error.kind == "PG_PROVIDER") {
            return Ok(AccountClosing::Refused);
        }
        match answer.into_error() {
            PortoneError::Refused { status: 409, .. } => Ok(AccountClosing::Done),
            error => Err(error),
        }
    }

    /// Approves a payment that the buyer finished in its window, if it is the order's: PortOne checks amount,
    /// currency and channel against ours and refuses otherwise. Approved before is approved.
    pub async fn confirm(
        &self,
        order: &Order,
        payment_token: &str,
        is_test: bool,
        timeout: Duration,
    ) -> Result<(), PortoneError> {
        let body = wire::Confirm {
            store_id: &self.store_id,
            payment_token,
            currency: order.total.currency.code(),
            total_amount: order.total.amount,
            tax_free_amount: order.tax_free,
            is_test,
        };
        let path = ["payments", order.id.as_str(), "confirm"];
        let answer = self.call(Method::POST, &path, &[], Some(&body), None, timeout).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let pg = lenient::parse::<wire::ErrorBody>(&answer.body);
        if let Some(error) = pg.filter(|error| error.kind == "PG_PROVIDER") {
            return Err(PortoneError::Refused { status: 409, kind: error.pg_code.unwrap_or(error.kind) });
        }
        match answer.into_error() {
            PortoneError::Refused { kind, .. } if kind == "ALREADY_PAID" => Ok(()),
            error => Err(error),
        }
    }

    /// Payments of this store and mode whose state changed from `from` to `until`, oldest change first, one page of a
    /// hundred.
    pub async fn changed(
        &self,
        mode: PaymentMode,
        from: Timestamp,
        until: Timestamp,
        page: u32,
        timeout: Duration,
    ) -> Result<PaymentPage, PortoneError> {
        let ours = (self.store_id.as_str(), mode == PaymentMode::Test);
        let page = self.list(&wire::list_request(ours, from, until, page, PAGE_SIZE), timeout).await?;
        let more = page.items.len() >= PAGE_SIZE as usize;
        Ok(PaymentPage::read(page.items, "id", more, wire::Payment::read_item))
    }

    /// Ids of payments whose `field` has this text and whose state changed from `from` to `until`, the newest
    /// first, at most `limit`.
    pub async fn search(
        &self,
        field: TextField,
        text: &str,
        (from, until): (Timestamp, Timestamp),
        limit: u32,
        timeout: Duration,
    ) -> Result<Vec<String>, PortoneError> {
        let field = match field {
            TextField::PgTransaction => "PG_TX_ID",
            TextField::Transaction => "TX_ID",
        };
        let request = wire::search_request(&self.store_id, (field, text), (from, until), limit);
        let page = self.list(&request, timeout).await?;
        let ids = page.items.iter().filter_map(|item| item.get("id")?.as_str().map(str::to_owned));
        Ok(ids.collect())
    }

    async fn list(&self, body: &str, timeout: Duration) -> Result<wire::Payments, PortoneError> {
        // The official clients send the body of a GET like this.
        let query = [("requestBody", body)];
        let answer = self.call(Method::GET, &["payments"], &query, None::<&()>, None, timeout).await?;
        if answer.status != StatusCode::OK {
            return Err(answer.into_error());
        }
        lenient::parse(&answer.body)
            .ok_or(PortoneError::Unavailable("its answer is no list of payments", None))
    }

    async fn call(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&impl Serialize>,
        key: Option<&str>,
        timeout: Duration,
    ) -> Result<Answer, PortoneError> {
        let until = Instant::now() + timeout;
        let url = resource(&self.base, path, query).ok_or_else(names_nothing)?;
        let mut secrets = self.secrets.current().await;
        let mut refreshed = false;
        loop {
            let secret = secrets.v2_api_secret().map_err(|_| PortoneError::NotConfigured(Generation::V2))?;
            let authorization = authorization(secret);
            let mut request = self.connection.request(method.clone(), url.clone());
            request = request.header(header::AUTHORIZATION, authorization);
            if let Some(key) = key {
                // RFC 8941: the quotes are part of the value (REST V2 overview, idempotency).
                request = request.header("idempotency-key", format!("\"{key}\""));
            }
            let (head, answer) = exchange(&self.connection, request, body, until).await?.into_parts();
            let status = head.status;
            if status == StatusCode::UNAUTHORIZED && !refreshed {
                refreshed = true;
                let left = until.saturating_duration_since(Instant::now());
                let newer = tokio::time::timeout(left, self.secrets.newer_than(&secrets)).await;
                if let Ok(Some(newer)) = newer
                    && !newer.has_v2_api_secret_of(&secrets)
                {
                    secrets = newer;
                    continue;
                }
            }
            return Ok(Answer { status, body: answer });
        }
    }
}

/// What an answer says of the payment that was asked for.
pub fn read_payment(answer: &[u8]) -> Result<Observation, PortoneError> {
    let read = wire::Payment::read(answer);
    let read = read.ok_or(PortoneError::Unavailable("its answer is no payment", None))?;
    read.map_err(PortoneError::Unusable)
}

fn authorization(secret: &SecretString) -> header::HeaderValue {
    let mut value = header::HeaderValue::try_from(format!("PortOne {}", secret.expose_secret()))
        .expect("the secret was checked to be printable ASCII when it was read");
    value.set_sensitive(true);
    value
}
