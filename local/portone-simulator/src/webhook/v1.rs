//! V1's webhooks: `{imp_uid, merchant_uid, status}` and nobody's signature, sent once.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use std::time::Duration;

use super::{Delivery, Outcome, event::form};
use crate::{
    clock::Timestamp,
    json::merge_patch,
    payment::{News, NewsKind, Version},
    webhook::Event,
    world::{Publication, World},
};

/// Further sends where PortOne agreed to them, a minute apart (V1 webhook guide).
const RESENDS: u32 = 5;
const RESEND_GAP_MILLIS: i64 = 60_000;

/// The form chosen in PortOne's console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum V1Body {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

impl V1Body {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }
}

/// The `status` that V1 tells, `None` where it tells nothing: opened windows, ordinary failures, closed
/// accounts, disputes, and all that is still pending.
fn status(kind: NewsKind) -> Option<&'static str> {
    match kind {
        NewsKind::Paid => Some("paid"),
        NewsKind::VirtualAccountIssued => Some("ready"),
        NewsKind::PartialCancelled | NewsKind::Cancelled => Some("cancelled"),
        NewsKind::Ready
        | NewsKind::CancelPending
        | NewsKind::CancelFailed
        | NewsKind::Failed
        | NewsKind::PayPending
        | NewsKind::DisputeCreated
        | NewsKind::DisputeResolved => None,
    }
}

impl World {
    /// Puts a V1 payment's news onto the agenda of webhooks. Returns the deliveries made.
    pub(crate) fn publish_v1(&mut self, payment_id: &str, news: &News, how: Publication) -> Vec<u64> {
        let Some(status) = status(news.kind).filter(|_| !how.silent) else { return Vec::new() };
        let Ok((payment, tx)) = self.transaction(&news.transaction_id) else { return Vec::new() };
        let (environment, store_id) = (tx.channel.kind, payment.store_id.clone());
        let mut urls = tx.checkout.notice_urls.clone();
        if urls.is_empty() {
            urls.extend(self.v1_webhook_url.clone());
        }
        let event = Event {
            kind: status.to_owned(),
            happened: Timestamp::wall(),
            payment_id: payment_id.to_owned(),
            store_id,
            transaction_id: news.transaction_id.clone(),
            cancellation_id: news.cancellation_id.clone(),
            total_amount: None,
        };
        let form = self.switches.v1_webhook_body;
        let patch = self.rules.body_patch.clone();
        urls.iter()
            .map(|url| {
                let mut delivery = self.delivery(&event, url, environment);
                delivery.version = Version::V1;
                delivery.content_type = form.content_type().to_owned();
                delivery.body = body(&event, form, &patch);
                self.enqueue_news(delivery, news, how)
            })
            .collect()
    }
}

fn body(event: &Event, form_of: V1Body, patch: &Value) -> String {
    let mut body = json!({
        "imp_uid": event.transaction_id,
        "merchant_uid": event.payment_id,
        "status": event.kind,
    });
    if let Some(id) = &event.cancellation_id {
        body["cancellation_id"] = json!(id);
    }
    merge_patch(&mut body, patch);
    match form_of {
        V1Body::Json => body.to_string(),
        V1Body::Form => form(&body),
    }
}

/// How long one send may take: 10 s to connect and 30 s to answer the first time, 15 s in all after that
/// (V1 webhook guide). `None` for V2, whose limits are the client's.
pub(super) fn limit(delivery: &Delivery) -> Option<Duration> {
    match (delivery.version, delivery.executions.len()) {
        (Version::V2, _) => None,
        (Version::V1, 0 | 1) => Some(Duration::from_secs(40)),
        (Version::V1, _) => Some(Duration::from_secs(15)),
    }
}

/// How long until the next send after the `sent`-th, if there is one.
pub(super) fn resend_wait(outcome: &Outcome, sent: u32, resends: bool) -> Option<i64> {
    let worth_it = match outcome {
        Outcome::Unreachable { .. } => true,
        Outcome::Answered { code, .. } => *code >= 500,
        Outcome::Pending => false,
    };
    (resends && worth_it && sent <= RESENDS).then_some(RESEND_GAP_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(cancellation_id: Option<&str>) -> Event {
        Event {
            kind: "cancelled".to_owned(),
            happened: Timestamp::from_millis(0),
            payment_id: "order 1".to_owned(),
            store_id: "s".to_owned(),
            transaction_id: "imp_1".to_owned(),
            cancellation_id: cancellation_id.map(str::to_owned),
            total_amount: None,
        }
    }

    #[test]
    fn the_body_is_json_or_a_form_and_names_a_cancellation_only_when_there_is_one() {
        assert_eq!(
            body(&event(None), V1Body::Json, &Value::Null),
            r#"{"imp_uid":"imp_1","merchant_uid":"order 1","status":"cancelled"}"#
        );
        assert_eq!(
            body(&event(Some("c")), V1Body::Form, &Value::Null),
            "imp_uid=imp_1&merchant_uid=order+1&status=cancelled&cancellation_id=c"
        );
    }

    #[test]
    fn a_send_is_repeated_only_by_agreement_and_only_after_a_server_error() {
        let failed = Outcome::Unreachable { error: String::new(), failed_at: Timestamp::from_millis(0) };
        assert_eq!(resend_wait(&failed, 1, false), None);
        let sends = (1..=8).filter(|sent| resend_wait(&failed, *sent, true).is_some()).count();
        assert_eq!(sends, 5);
        let answered = |code| Outcome::Answered {
            code,
            headers: Vec::new(),
            body: String::new(),
            responded_at: Timestamp::from_millis(0),
        };
        assert_eq!(resend_wait(&answered(500), 1, true), Some(60_000));
        assert_eq!(resend_wait(&answered(404), 1, true), None);
    }
}
