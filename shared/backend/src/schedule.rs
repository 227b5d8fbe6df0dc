//! Serving a schedule: events that come without a caller.

use std::{error::Error, process::ExitCode};

use lambda_http::lambda_runtime::{self, LambdaEvent};
use serde_json::Value;

/// Serves events until the environment ends. An error is logged and makes the invocation fail, so that it is
/// seen and, where the schedule says so, repeated.
pub async fn serve<F, E>(run: impl Fn(Value) -> F) -> ExitCode
where
    F: Future<Output = Result<Value, E>>,
    E: Error + 'static,
{
    let service = lambda_runtime::service_fn(|event: LambdaEvent<Value>| {
        let work = run(event.payload);
        async move {
            work.await.map_err(|error| {
                let told = crate::telemetry::chain(&error);
                tracing::error!(event = "run.failed", error = told);
                told
            })
        }
    });
    match lambda_runtime::run(service).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime.gone", error = crate::telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
