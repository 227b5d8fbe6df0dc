//! `POST /webhooks/portone` and `/webhooks/portone/v1`: PortOne says a payment may have changed.
//!
//! V2's signature says who speaks; what changed is read from PortOne. Everything that is verified is
//! answered 200, also what we do not know, cannot read or refuse, since PortOne would only repeat it;
//! 5xx is for what a repetition may finish.

use std::{net::IpAddr, sync::Arc, time::Duration};

use api::portone::Received;
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    config,
    connection::Connection,
    flow::{Claim, Sync, SyncError, Synced},
    http::{self, Call, Problem, ProblemCode, failed, header},
    secrets::SecretCache,
    store::{ParkedDelivery, StoreError},
    telemetry::trace,
    webhook::{self, Hint, V1Hint},
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode, request::RequestContext};
use order::{Actor, Look, Timestamp};

/// PortOne's deliveries are a few hundred bytes.
const BODY_MAX: usize = 256 * 1024;

/// A parked delivery is only begun with this much time left: its order may owe money back.
const WORK_OFF_TIME: Duration = Duration::from_secs(20);

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
    secrets: Arc<SecretCache>,
    v1_sources: Vec<IpAddr>,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let v1_sources = config::v1_webhook_sources()?;
        let (sync, secrets) = backends::sync(&Connection::new()).await?;
        secrets.current().await.webhooks()?;
        Ok(Self { sync, secrets, v1_sources })
    }

    /// Answers one delivery.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let deadline = Deadline::start();
        Call::of(&request).answer(deadline, self.receive(&request, deadline)).await
    }

    async fn receive(&self, request: &Request, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let now = clock::now();
        if request.body().len() > BODY_MAX {
            return Err(Problem::new(ProblemCode::BodyTooLarge));
        }
        if request.raw_http_path().ends_with("/v1") {
            return self.receive_v1(request, now, deadline).await;
        }
        webhook::check_signature(&self.secrets, request, now).await?;
        let delivery = header(request, "webhook-id").unwrap_or_default();
        match webhook::read(request.body()) {
            Hint::Payment(id) => {
                if let Ok(id) = id.parse() {
                    trace::about_id(id);
                }
                tracing::info!(event = "webhook.received", delivery, payment_id = id);
                self.apply(Claim::Payment(&id), now, deadline).await.map_err(NotApplied::problem)?;
            }
            hint @ (Hint::Other | Hint::Unreadable) => {
                tracing::warn!(event = "webhook.ignored", delivery, ?hint)
            }
        }
        Ok(received())
    }

    /// Nobody signs V1's deliveries, so one is only a hint where to look; and PortOne sends it once, so
    /// one that cannot be worked off now is parked in the table and answered. Only when the table itself
    /// cannot be reached is it answered 5xx: shops that asked PortOne for resends get one then.
    ///
    /// Each delivery that comes through takes a parked one along.
    async fn receive_v1(
        &self,
        request: &Request,
        now: Timestamp,
        deadline: Deadline,
    ) -> Result<Response<Body>, Problem> {
        if !self.v1_sources.is_empty()
            && !source_address(request).is_some_and(|ip| self.v1_sources.contains(&ip))
        {
            return Err(Problem::new(ProblemCode::SourceNotAllowed));
        }
        let Some(hint) = webhook::read_v1(request.body()) else {
            tracing::warn!(event = "webhook.ignored", generation = "V1");
            return Ok(received());
        };
        let (applied, parked) = tokio::join!(self.apply_v1(&hint, now, deadline), self.sync.store.parked());
        match applied {
            Ok(()) => self.work_off_one(parked.unwrap_or_default(), now, deadline).await,
            Err(NotApplied(_)) => {
                let delivery = ParkedDelivery { imp_uid: hint.imp_uid, parked_at: now };
                self.sync.store.park(&delivery).await.map_err(failed)?;
                tracing::error!(
                    event = "webhook.parked",
                    imp_uid = delivery.imp_uid,
                    "a delivery waits in the table"
                );
            }
        }
        Ok(received())
    }

    /// Works off one of the parked deliveries, by the clock another one each time, so that none that cannot
    /// be worked off keeps the others waiting. What comes of it changes nothing for the delivery that
    /// brought us here.
    async fn work_off_one(&self, parked: Vec<ParkedDelivery>, now: Timestamp, deadline: Deadline) {
        let turn = usize::try_from(now.as_millis()).unwrap_or(0).checked_rem(parked.len()).unwrap_or(0);
        let Some(delivery) = parked.into_iter().nth(turn) else { return };
        if deadline.allow(WORK_OFF_TIME, Duration::ZERO) < WORK_OFF_TIME {
            return;
        }
        let hint = V1Hint { imp_uid: delivery.imp_uid.clone(), merchant_uid: None };
        if trace::apart(self.apply_v1(&hint, now, deadline)).await.is_ok()
            && let Err(error) = self.sync.store.unpark(&delivery).await
        {
            tracing::warn!(event = "webhook.still_parked", imp_uid = delivery.imp_uid, %error);
        }
    }

    async fn apply_v1(&self, hint: &V1Hint, now: Timestamp, deadline: Deadline) -> Result<(), NotApplied> {
        let claim =
            Claim::V1Transaction { imp_uid: &hint.imp_uid, merchant_uid: hint.merchant_uid.as_deref() };
        if self.apply(claim, now, deadline).await? {
            return Ok(());
        }
        // The hint named another order than PortOne does: PortOne's word counts.
        let claim = Claim::V1Transaction { imp_uid: &hint.imp_uid, merchant_uid: None };
        self.apply(claim, now, deadline).await.map(|_| ())
    }

    /// Syncs what a delivery points to; whether it is about the order it named.
    async fn apply(&self, claim: Claim<'_>, now: Timestamp, deadline: Deadline) -> Result<bool, NotApplied> {
        match self.sync.payment(claim, Look { at: now, by: &Actor::Portone }, deadline).await {
            // PortOne does not show a V1 payment yet whose order we know: the schedule looks again soon.
            Ok(Synced::Order { order, seen: None, .. })
                if matches!(claim, Claim::V1Transaction { .. }) && order.is_open() =>
            {
                self.sync
                    .store
                    .bring_look_forward(order.id, now.plus_minutes(1))
                    .await
                    .map_err(failed)
                    .map_err(|problem| NotApplied(problem.code()))?;
                tracing::warn!(event = "webhook.unseen_payment", order_id = %order.id);
                Ok(true)
            }
            Ok(Synced::Order { order, return_unresolved, .. }) => {
                tracing::info!(event = "webhook.applied", order_id = %order.id, status = ?order.status);
                // The next delivery is the next try to give the money back.
                if return_unresolved {
                    Err(NotApplied(ProblemCode::TemporarilyUnavailable))
                } else {
                    Ok(true)
                }
            }
            Ok(Synced::Unknown(unknown)) => {
                tracing::warn!(event = "webhook.unknown_payment", ?claim, ?unknown);
                Ok(true)
            }
            Ok(Synced::AnotherOrder) => Ok(false),
            // PortOne repeats a delivery for hours: an operator may have ended the rejection by then.
            Err(error @ SyncError::Store(StoreError::Rejected { .. })) => {
                Err(NotApplied(failed(error).code()))
            }
            Err(error) if error.is_transient() => Err(NotApplied(failed(error).code())),
            // A repetition cannot change it; a person has to.
            Err(error) => {
                failed(error);
                Ok(true)
            }
        }
    }
}

/// Why a delivery has to be looked at again.
struct NotApplied(ProblemCode);

impl NotApplied {
    fn problem(self) -> Problem {
        Problem::new(self.0)
    }
}

fn source_address(request: &Request) -> Option<IpAddr> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref()?.parse().ok(),
        _ => None,
    }
}

fn received() -> Response<Body> {
    http::json(StatusCode::OK, &Received { received: true })
}
