//! One call of a function: who asks, in which language, and the one log line about the answer.

use std::{error::Error, future::Future};

use lambda_http::{Body, Request, RequestExt, Response, request::RequestContext};
use tokio::time::Instant;

use super::{Language, Problem, ProblemCode, header, language};
use crate::{
    clock::Deadline,
    telemetry::{
        chain,
        trace::{self, Trace},
    },
};

/// What is said of every call and answered with every problem.
#[derive(Clone, Debug)]
pub struct Call {
    request_id: String,
    language: Language,
    caller: Option<Trace>,
}

impl Call {
    /// The call that `request` is.
    pub fn of(request: &Request) -> Self {
        let request_id = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
            _ => None,
        };
        let language = header(request, "accept-language").map_or(Language::Korean, language::preferred);
        let caller = header(request, "traceparent").and_then(Trace::parse);
        Self { request_id: request_id.unwrap_or_default(), language, caller }
    }

    /// The language the caller wants to be spoken to in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// Does `work` and answers with what it comes to, as one piece of a trace.
    ///
    /// Work that is not done by `deadline` is dropped where it stands, which is as harmless as a crash
    /// there, and the caller is asked to come again.
    pub async fn answer(
        &self,
        deadline: Deadline,
        work: impl Future<Output = Result<Response<Body>, Problem>>,
    ) -> Response<Body> {
        let started = Instant::now();
        // Work is tens of kilobytes; what is put around it below would move it each time.
        let work = Box::pin(work);
        trace::call(&self.request_id, self.caller, async {
            let late = || Problem::new(ProblemCode::TemporarilyUnavailable);
            let done = tokio::time::timeout_at(deadline.at(), work).await;
            let (mut response, code) = match done.unwrap_or_else(|_| Err(late())) {
                Ok(response) => (response, None),
                Err(problem) => (problem.respond(self.language, &self.request_id), Some(problem.code())),
            };
            if let Some(trace) = trace::current().and_then(|trace| trace.to_string().try_into().ok()) {
                response.headers_mut().insert("traceparent", trace);
            }
            let status = response.status().as_u16();
            let duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            tracing::info!(
                event = "call.answered",
                status,
                problem = code.map(tracing::field::debug),
                duration_us
            );
            response
        })
        .await
    }
}

/// Logs why a call failed inside and hands on what may be told outside.
pub fn failed<E>(error: E) -> Problem
where
    E: Error + 'static,
    for<'a> Problem: From<&'a E>,
{
    let problem = Problem::from(&error);
    tracing::error!(event = "call.failed", error = chain(&error));
    problem
}
