//! Serving a schedule: events that come without a caller.

use std::{error::Error, process::ExitCode};

use lambda_http::lambda_runtime::{self, LambdaEvent};
use serde_json::Value;

use crate::telemetry::{chain, trace};

/// Serves events until the environment ends. An error is logged and makes the invocation fail, so that it is
/// seen and, where the schedule says so, repeated.
pub async fn serve<F, E>(run: impl Fn(Value) -> F) -> ExitCode
where
    F: Future<Output = Result<Value, E>>,
    E: Error + 'static,
{
    let service = lambda_runtime::service_fn(|event: LambdaEvent<Value>| {
        // On the heap, since the runtime moves it more than once.
        let work = Box::pin(run(event.payload));
        async move {
            let told = async {
                work.await.map_err(|error| {
                    let told = chain(&error);
                    tracing::error!(event = "run.failed", error = told);
                    told
                })
            };
            trace::call(&event.context.request_id, None, told).await
        }
    });
    match lambda_runtime::run(service).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime.gone", error = chain(&*error));
            ExitCode::FAILURE
        }
    }
}
