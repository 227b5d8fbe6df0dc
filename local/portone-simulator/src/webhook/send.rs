//! One execution of a delivery: sign, send, write down what came of it, plan the next.

use std::time::Duration;

use super::{
    Cause, Delivery, DeliveryState, Execution, Outcome, WebhookRules, schedule::wait_millis, signature, v1,
};
use crate::{
    clock::Timestamp,
    payment::{Refusal, Version},
    simulator::Simulator,
    switches::{SuccessRange, Switches},
    world::{Deed, World},
};

/// Base64 of a key that no receiver has.
const UNKNOWN_SECRET: &str = "whsec_bm9ib2R5IGhhcyB0aGlzIHNlY3JldA==";
const KEPT_BODY_BYTES: usize = 4096;

/// Everything about one execution that was decided under the lock.
struct Shot {
    id: String,
    place: usize,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    title_case: bool,
    follow_redirects: bool,
    lost: bool,
    limit: Option<Duration>,
}

/// Sends a delivery once and records the outcome. `due` is the moment it was planned for, from which the
/// next execution is counted. A delivery that no longer exists is passed over.
pub(crate) async fn execute(simulator: &Simulator, number: u64, cause: Cause, due: Timestamp) {
    let Some(shot) = simulator.change(|world| aim(world, number, cause)) else { return };
    let outcome =
        if shot.lost { unreachable("lost on the way by rule") } else { fire(simulator, &shot).await };
    simulator.change(|world| record(world, &shot, cause, due, outcome));
}

/// Sends a delivery again by hand and waits for the answer.
///
/// # Errors
/// [`Refusal::WebhookNotFound`], [`Refusal::ResendCountReached`].
pub(crate) async fn resend(simulator: &Simulator, id: &str) -> Result<Delivery, Refusal> {
    let number = simulator.change(|world| {
        let cap = world.switches.webhook_max_resends;
        let number = *world.book.webhooks.get(id).ok_or(Refusal::WebhookNotFound)?;
        let delivery = world.delivery_mut(number).ok_or(Refusal::WebhookNotFound)?;
        if delivery.resends >= cap {
            return Err(Refusal::ResendCountReached);
        }
        delivery.resends += 1;
        Ok(number)
    })?;
    execute(simulator, number, Cause::Resend, simulator.clock().now()).await;
    simulator.read(|world| {
        let found = world.book.deliveries.iter().find(|delivery| delivery.id == id);
        found.cloned().ok_or(Refusal::WebhookNotFound)
    })
}

fn aim(world: &mut World, number: u64, cause: Cause) -> Option<Shot> {
    let rules = world.rules.clone();
    let follow_redirects = world.switches.webhook_follows_redirects;
    let lost = rules.fail_next_executions > 0;
    if lost {
        world.rules.fail_next_executions -= 1;
    }
    let environment = world.delivery_mut(number)?.environment;
    let secrets = world.target(environment).secrets.clone();
    let delivery = world.delivery_mut(number)?;
    let wall = Timestamp::wall();
    let headers = headers(delivery, &rules, &secrets, wall);
    let place = delivery.executions.len();
    let execution =
        Execution { cause, requested_at: wall, headers: headers.clone(), outcome: Outcome::Pending };
    delivery.executions.push(execution);
    if cause != Cause::Duplicate {
        delivery.state = DeliveryState::Running;
    }
    let shot = Shot {
        id: delivery.id.clone(),
        place,
        url: delivery.url.clone(),
        headers,
        body: delivery.body.clone(),
        title_case: rules.mixed_case_headers,
        follow_redirects,
        lost,
        limit: v1::limit(delivery),
    };
    world.running += 1;
    Some(shot)
}

fn headers(
    delivery: &Delivery,
    rules: &WebhookRules,
    secrets: &[String],
    wall: Timestamp,
) -> Vec<(String, String)> {
    let mut headers = vec![("content-type".to_owned(), delivery.content_type.clone())];
    if !rules.unsigned && delivery.version == Version::V2 {
        let timestamp = wall.seconds().saturating_add(rules.timestamp_shift_s);
        let unknown = [UNKNOWN_SECRET.to_owned()];
        let secrets = if rules.wrong_secret { &unknown[..] } else { secrets };
        let signature = signature::header(secrets, &delivery.id, timestamp, delivery.body.as_bytes());
        headers.push(("webhook-id".to_owned(), delivery.id.clone()));
        headers.push(("webhook-timestamp".to_owned(), timestamp.to_string()));
        headers.push(("webhook-signature".to_owned(), signature));
    }
    headers
}

/// A client as PortOne's: 30 s to connect, 30 s to answer, nothing kept open between calls.
pub(crate) fn client(title_case: bool, follow_redirects: bool) -> reqwest::Result<reqwest::Client> {
    let redirects = if follow_redirects {
        reqwest::redirect::Policy::default()
    } else {
        reqwest::redirect::Policy::none()
    };
    let builder = reqwest::Client::builder()
        .no_proxy()
        .user_agent("PortOne-Simulator")
        .redirect(redirects)
        .connect_timeout(Duration::from_secs(30))
        .read_timeout(Duration::from_secs(30))
        .timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(0);
    if title_case { builder.http1_title_case_headers().build() } else { builder.build() }
}

async fn fire(simulator: &Simulator, shot: &Shot) -> Outcome {
    let http = match (shot.title_case, shot.follow_redirects) {
        (false, false) => Ok(simulator.http().clone()),
        (title_case, follow) => client(title_case, follow),
    };
    let request = match http {
        Ok(http) => http.post(&shot.url).body(shot.body.clone()),
        Err(error) => return unreachable(&error.to_string()),
    };
    let request = shot.headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = match shot.limit {
        Some(limit) => request.timeout(limit),
        None => request,
    };
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return unreachable(&error.without_url().to_string()),
    };
    let code = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    match response.bytes().await {
        Ok(body) => Outcome::Answered {
            code,
            headers,
            body: String::from_utf8_lossy(&body[..body.len().min(KEPT_BODY_BYTES)]).into_owned(),
            responded_at: Timestamp::wall(),
        },
        Err(error) => unreachable(&error.without_url().to_string()),
    }
}

fn unreachable(error: &str) -> Outcome {
    Outcome::Unreachable { error: error.to_owned(), failed_at: Timestamp::wall() }
}

fn record(world: &mut World, shot: &Shot, cause: Cause, due: Timestamp, outcome: Outcome) {
    world.running = world.running.saturating_sub(1);
    // By id and not by number: a reset may have given the number to another delivery meanwhile.
    let Some(number) = world.book.webhooks.get(&shot.id).copied() else { return };
    let Switches { webhook_success, webhook_max_executions, v1_webhook_resends, .. } = world.switches;
    let chance = world.book.chance.clone();
    let Some(delivery) = world.delivery_mut(number) else { return };
    let sent = delivery.scheduled();
    let (succeeded, wait) = match delivery.version {
        Version::V1 => {
            let wait = v1::resend_wait(&outcome, sent, v1_webhook_resends);
            (outcome.succeeded(SuccessRange::Any2xx), wait)
        }
        Version::V2 => {
            let next = sent + 1;
            let wait = wait_millis(next, chance.jitter(number, next));
            (outcome.succeeded(webhook_success), (sent < webhook_max_executions).then_some(wait))
        }
    };
    if let Some(execution) = delivery.executions.get_mut(shot.place) {
        execution.outcome = outcome;
    }
    if cause == Cause::Duplicate {
        return;
    }
    delivery.state = match wait.filter(|_| cause == Cause::Schedule) {
        _ if succeeded => DeliveryState::Succeeded,
        Some(wait) => DeliveryState::Scheduled(due.plus_millis(wait)),
        None => DeliveryState::Failed,
    };
    match delivery.state {
        DeliveryState::Scheduled(due) => {
            world.book.agenda.insert((due, Deed::Send(number)));
        }
        DeliveryState::Succeeded => world.book.agenda.retain(|(_, deed)| *deed != Deed::Send(number)),
        DeliveryState::Held | DeliveryState::Running | DeliveryState::Failed | DeliveryState::Dropped => {}
    }
}
