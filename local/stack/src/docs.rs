//! `/docs/`: the repository's documents as they are, for the page that shows the API.

use std::path::Path;

use axum::{Router, response::Redirect, routing::get};
use tower_http::services::ServeDir;

/// Serves the folder of documents.
pub(crate) fn router(folder: &Path) -> Router {
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/api/") }))
        .nest_service("/docs/", ServeDir::new(folder))
}
