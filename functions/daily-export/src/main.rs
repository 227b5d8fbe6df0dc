//! The daily statement for finance, and the proof that the books balance.

use std::process::ExitCode;

use backend::{clock, telemetry};
use daily_export::{App, Invocation};
use lambda_http::{
    Error, LambdaEvent,
    lambda_runtime::{self, service_fn},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    let app = match App::start() {
        Ok(app) => app,
        Err(error) => return telemetry::cannot_start(&error),
    };
    let app = &app;
    let export = service_fn(|call: LambdaEvent<Invocation>| async move {
        let told = async {
            app.export(&call.payload, clock::now()).await.map_err(|error| {
                tracing::error!(event = "export.failed", error = telemetry::chain(&error));
                Error::from(error)
            })
        };
        telemetry::trace::call(&call.context.request_id, None, told).await
    });
    match lambda_runtime::run(export).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime.gone", error = telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
