//! The schedule's function: it has no route.

use std::process::ExitCode;

use backend::{schedule, telemetry};
use reconcile::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    telemetry::init();
    match App::start().await {
        Ok(app) => schedule::serve(|_| app.run()).await,
        Err(error) => telemetry::cannot_start(&error),
    }
}
