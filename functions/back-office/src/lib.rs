//! The operators' routes beside cancelling: what happened to an order, looking at it anew, and what a person
//! has to look at.

use api::{
    office::{FINDING_BYTES_MAX, FindingView, FindingsPage, OrderJournal, SettledFinding},
    order::OrderView,
    scalar::Moment,
    word,
};
use backend::{
    backends::{self, StartError},
    clock::{self, Deadline},
    connection::Connection,
    flow::{Claim, Sync, Synced},
    http::{self, Call, FieldFault, Problem, ProblemCode, failed, operator},
    store::KeptFinding,
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode};
use order::{Actor, FindingKind, Language, Look, OrderId};

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
        Ok(http::json(StatusCode::OK, &OrderJournal::of(&order)))
    }

    /// Asks PortOne now, as a webhook would.
    async fn sync_now(&self, id: &str, by: &Actor, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id: OrderId = id.parse().map_err(|_| not_found())?;
        let look = Look { at: clock::now(), by };
        match self.sync.payment(Claim::Payment(id.as_str()), look, deadline).await.map_err(failed)? {
            Synced::Order { order, .. } => Ok(http::json(StatusCode::OK, &OrderView::of(&order))),
            Synced::Unknown(_) | Synced::AnotherOrder => Err(not_found()),
        }
    }

    /// What a person has to look at, a page at a time.
    async fn findings(&self, request: &Request, language: Language) -> Result<Response<Body>, Problem> {
        let after = request
            .query_string_parameters_ref()
            .and_then(|query| query.first("after"))
            .filter(|after| !after.is_empty());
        if after.is_some_and(|after| after.len() > FINDING_BYTES_MAX) {
            return Err(Problem::fields(vec![FieldFault {
                pointer: "/after".to_owned(),
                code: "out-of-range",
                detail: (
                    "after는 앞 쪽의 next여야 합니다.".to_owned(),
                    "after must be next of the page before.".to_owned(),
                ),
            }]));
        }
        let (page, next) = self.sync.store.findings(after, FINDINGS_PAGE).await.map_err(failed)?;
        let findings = page.iter().map(|kept| finding(kept, language)).collect();
        Ok(http::json(StatusCode::OK, &FindingsPage { findings, next }))
    }

    /// A person settled it.
    async fn settle(&self, id: &str, by: &Actor) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::FindingNotFound);
        let (kind, subject) =
            id.split_once('~').filter(|_| id.len() <= FINDING_BYTES_MAX).ok_or_else(not_found)?;
        let kind = FindingKind::from_word(kind).ok_or_else(not_found)?;
        if !self.sync.store.settle_finding(kind, subject).await.map_err(failed)? {
            return Err(not_found());
        }
        tracing::info!(event = "finding.settled", subject, ?kind, ?by);
        Ok(http::json(StatusCode::OK, &SettledFinding { settled: id }))
    }
}

fn finding(kept: &KeptFinding, language: Language) -> FindingView<'_> {
    let found = &kept.finding;
    FindingView {
        id: format!("{}~{}", found.kind.word(), found.subject),
        kind: word::FindingKind(found.kind),
        subject: &found.subject,
        reason: found.kind.reason(language),
        next_step: found.kind.next_step(language),
        facts: found.facts.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
        first_seen_at: Moment(kept.first_seen_at),
    }
}
