//! The enrichment between the table's stream and the event bus.

use std::process::ExitCode;

use backend::{clock, store::StreamRecord, telemetry};
use lambda_http::{
    Error, LambdaEvent,
    lambda_runtime::{self, service_fn},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    let tell = service_fn(|batch: LambdaEvent<Vec<StreamRecord>>| async move {
        let told = async {
            order_events::tell_delay(&batch.payload, clock::now());
            order_events::tell(&batch.payload).map_err(Error::from)
        };
        telemetry::trace::call(&batch.context.request_id, None, told).await
    });
    match lambda_runtime::run(tell).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "runtime.gone", error = telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}
