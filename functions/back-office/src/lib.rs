//! The operators' routes beside cancelling: finding an order, what happened to it, looking at it anew, what a
//! person has to look at, and what the days came to.

pub mod days;
pub mod search;

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
    telemetry::trace,
};
use lambda_http::{Body, Request, RequestExt, Response, http::StatusCode, request::RequestContext};
use order::{Actor, FindingKind, Language, Look, OrderId};

/// Findings of one answer.
const FINDINGS_PAGE: u16 = 50;

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
        match route_of(request) {
            "GET /orders" => return self.search(request, deadline).await,
            "GET /days" => return self.days(request).await,
            _ => {}
        }
        let path = request.path_parameters_ref();
        let parameter = |name: &str| path.as_ref().and_then(|path| path.first(name).map(str::to_owned));
        match (request.method().as_str(), parameter("orderId"), parameter("finding")) {
            ("GET", Some(id), _) => self.journal(&id, language).await,
            ("POST", Some(id), _) => self.sync_now(&id, &by, deadline).await,
            ("DELETE", _, Some(finding)) => self.settle(&finding, &by).await,
            _ => self.findings(request, language).await,
        }
    }

    /// The orders that somebody asks about by a number.
    async fn search(&self, request: &Request, deadline: Deadline) -> Result<Response<Body>, Problem> {
        let parameters = request.query_string_parameters_ref();
        let query = search::Query::read(parameters.and_then(|given| given.first("query")))?;
        let found = search::find(&self.sync, &query, clock::now(), deadline).await.map_err(failed)?;
        Ok(http::json(StatusCode::OK, &found.view()))
    }

    /// What the days came to.
    async fn days(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let parameters = request.query_string_parameters_ref();
        let named = |name| parameters.and_then(|given| given.first(name));
        let (from, to) = days::span(named("from"), named("to"), clock::now())?;
        let days = self.sync.store.days(from, to).await.map_err(failed)?;
        Ok(http::json(StatusCode::OK, &days::shown((from, to), &days)))
    }

    /// Everything that happened to an order, oldest first.
    async fn journal(&self, id: &str, language: Language) -> Result<Response<Body>, Problem> {
        let not_found = || Problem::new(ProblemCode::OrderNotFound);
        let id: OrderId = id.parse().map_err(|_| not_found())?;
        let store = &self.sync.store;
        let (order, findings) = tokio::join!(store.order(id), store.findings_about(id.as_str()));
        let order = order.map_err(failed)?.ok_or_else(not_found)?;
        trace::about(&order);
        let findings = findings.map_err(failed)?;
        let findings = findings.iter().map(|kept| finding(kept, language)).collect();
        Ok(http::json(StatusCode::OK, &OrderJournal::of(&order, findings)))
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

/// The route as the template names it, such as `GET /orders`.
fn route_of(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref().unwrap_or_default(),
        _ => "",
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
