//! The operators' routes beside cancelling: what happened to an order, looking at it anew, and what a person
//! has to look at.

use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Claim, Sync, Synced},
    http::{self, Call, Problem, ProblemCode, failed, operator, rfc3339},
    store::KeptFinding,
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode};
use order::{Actor, Entry, FindingKind, Language, Look, Order, OrderId};
use serde_json::{Value, json};

/// Findings of one answer.
const FINDINGS_PAGE: i32 = 50;

/// What the function needs.
#[derive(Debug)]
pub struct App {
    sync: Sync,
}

impl App {
    /// Wires the function from its environment and reads the secret.
    pub async fn start() -> Result<Self, StartError> {
        let (sync, _) = backends::sync(&Connection::new()).await?;
        Ok(Self { sync })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        let (deadline, call) = (Deadline::start(), Call::of(&request));
        call.answer(deadline, self.route(&request, call.language(), deadline)).await
    }

    async fn route(
        &self,
        request: &Request,
        language: Language,
        deadline: Deadline,
    ) -> Result<Response<Body>, Problem> {
        let by = operator(request)?;
        let path = request.path_parameters_ref();
        let parameter = |name: &str| path.as_ref().and_then(|path| path.first(name).map(str::to_owned));
        match (request.method().as_str(), parameter("orderId"), parameter("finding")) {
            ("GET", Some(id), _) => self.journal(&id).await,
            ("POST", Some(id), _) => self.sync_now(&id, &by, deadline).await,
            ("DELETE", _, Some(finding)) => self.settle(&finding, &by).await,
            _ => self.findings(request, language).await,
        }
    }

    /// Everything that happened to an order, oldest first.
    async fn journal(&self, id: &str) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id: OrderId = id.parse().map_err(|_| not_found())?;
        let order = self.sync.store.order(id).await.map_err(failed)?.ok_or_else(not_found)?;
        let entries = order.journal.iter().enumerate().map(|(index, entry)| shown(index + 1, entry));
        let mut view = http::order_view(&order);
        view["journal"] = entries.collect();
        view["cancellations"] = order.cancellations.iter().map(|row| ledger_row(&order, row)).collect();
        view["rejections"] = order.rejections.iter().map(|reason| reason.word()).collect();
        view["imbalances"] =
            order::audit::imbalances(&order).iter().map(|fault| Value::from(format!("{fault:?}"))).collect();
        Ok(http::json(StatusCode::OK, &view))
    }

    /// Asks PortOne now, as a webhook would.
    async fn sync_now(&self, id: &str, by: &Actor, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id: OrderId = id.parse().map_err(|_| not_found())?;
        let look = Look { at: clock::now(), by };
        match self.sync.payment(Claim::Payment(id.as_str()), look, deadline).await.map_err(failed)? {
            Synced::Order { order, .. } => Ok(http::json(StatusCode::OK, &http::order_view(&order))),
            Synced::Unknown(_) | Synced::AnotherOrder => Err(not_found()),
        }
    }

    /// What a person has to look at, a page at a time.
    async fn findings(&self, request: &Request, language: Language) -> Result<Response<Body>, Problem> {
        let after = request
            .query_string_parameters_ref()
            .and_then(|query| query.first("after"))
            .filter(|after| !after.is_empty());
        let (page, next) = self.sync.store.findings(after, FINDINGS_PAGE).await.map_err(failed)?;
        let findings: Vec<Value> = page.iter().map(|kept| finding(kept, language)).collect();
        Ok(http::json(StatusCode::OK, &json!({ "findings": findings, "next": next })))
    }

    /// A person settled it.
    async fn settle(&self, id: &str, by: &Actor) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::FindingNotFound);
        let (kind, subject) = id.split_once('~').ok_or_else(not_found)?;
        let kind = FindingKind::from_word(kind).ok_or_else(not_found)?;
        if !self.sync.store.settle_finding(kind, subject).await.map_err(failed)? {
            return Err(not_found());
        }
        tracing::info!(event = "finding.settled", subject, ?kind, ?by);
        Ok(http::json(StatusCode::OK, &json!({ "settled": id })))
    }
}

fn shown(version: usize, entry: &Entry) -> Value {
    let (by, who) = match &entry.by {
        Actor::Buyer => ("BUYER", None),
        Actor::Portone => ("PORTONE", None),
        Actor::Operator(name) => ("OPERATOR", Some(name)),
        Actor::Schedule => ("SCHEDULE", None),
    };
    json!({
        "version": version,
        "at": rfc3339(entry.at),
        "by": by,
        "who": who,
        "status": entry.status.word(),
        "seen": entry.seen.as_ref().map(|(status, transaction)| {
            json!({ "status": status.word(), "transactionId": transaction })
        }),
        "cancellations": entry.cancellations.iter().map(|(number, status)| {
            json!({ "number": number, "status": status.word() })
        }).collect::<Vec<_>>(),
    })
}

fn ledger_row(order: &Order, row: &order::Cancellation) -> Value {
    let mut shown = http::cancellation_view(order, row);
    let more = json!({
        "number": row.number,
        "origin": row.origin.word(),
        "taxFreeAmount": row.tax_free,
        "balanceBefore": row.balance_before,
        "reason": row.reason,
        "failure": row.failure,
        "portoneId": row.portone_id,
        "at": rfc3339(row.at),
    });
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
    shown
}

fn finding(kept: &KeptFinding, language: Language) -> Value {
    let found = &kept.finding;
    let facts: serde_json::Map<String, Value> =
        found.facts.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    json!({
        "id": format!("{}~{}", found.kind.word(), found.subject),
        "kind": found.kind.word(),
        "subject": found.subject,
        "reason": found.kind.reason(language),
        "nextStep": found.kind.next_step(language),
        "facts": facts,
        "firstSeenAt": rfc3339(kept.first_seen_at),
    })
}
