//! `GET /products`: what the shop sells now.

use backend::{
    backends::{self, StartError},
    clock::Deadline,
    connection::Connection,
    http::{self, Call, Problem, failed},
    store::Store,
};
use lambda_http::{Body, Request, Response, http::StatusCode};
use order::Product;
use serde_json::{Value, json};

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
        let products: Vec<Value> = products.iter().map(view).collect();
        Ok(http::json(StatusCode::OK, &json!({ "products": products })))
    }
}

fn view(product: &Product) -> Value {
    json!({
        "productId": product.id.as_str(),
        "name": product.name,
        "price": product.price.amount,
        "currency": product.price.currency.code(),
        "available": product.stock != Some(0),
    })
}
