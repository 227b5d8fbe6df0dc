//! `GET /orders`, `GET /days`, `GET /orders/{orderId}/journal`, `POST /orders/{orderId}/sync`, `GET /findings`, `DELETE /findings/{finding}`.

use std::process::ExitCode;

use back_office::App;
use backend::{http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    match App::start().await {
        Ok(app) => http::serve(|request| app.answer(request)).await,
        Err(error) => telemetry::cannot_start(&error),
    }
}
