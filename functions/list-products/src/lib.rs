//! `GET /products`: what the shop sells now.

use api::product::{ProductList, ProductView};
use backend::{
    backends::{self, StartError},
    clock::Deadline,
    connection::Connection,
    http::{self, Call, Problem, failed},
    store::Store,
};
use lambda_http::{Body, Request, Response, http::StatusCode};

/// What the function needs.
#[derive(Debug)]
pub struct App {
    store: Store,
}

impl App {
    /// Wires the function from its environment.
    pub fn start() -> Result<Self, StartError> {
        Ok(Self { store: backends::store(&Connection::new())? })
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response<Body> {
        Call::of(&request).answer(Deadline::start(), self.list()).await
    }

    async fn list(&self) -> Result<Response<Body>, Problem> {
        let (products, broken) = self.store.products_for_sale().await.map_err(failed)?;
        if broken > 0 {
            tracing::error!(event = "products.broken", broken, "products were left out of the list");
        }
        let products = products.iter().map(ProductView::of).collect();
        Ok(http::json(StatusCode::OK, &ProductList { products }))
    }
}
