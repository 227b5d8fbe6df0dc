//! `POST /orders/{orderId}/cancel`.

use std::process::ExitCode;

use backend::{http, telemetry};
use cancel_order::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    match App::start().await {
        Ok(app) => http::serve(|request| app.answer(request)).await,
        Err(error) => telemetry::cannot_start(&error),
    }
}
