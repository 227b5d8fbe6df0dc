//! The OpenAPI 3.1 description of the HTTP API, generated from the types that the functions answer with.
//!
//! One route is one function in `routes`, with everything that is said about it; types, limits, problem codes
//! and their texts come from the crate `api`. `cargo xtask openapi` writes `docs/openapi.json`; the tests of
//! this crate compare it with what is checked in, and its routes with the template's.

mod document;
mod route;
mod routes;
mod schemas;

pub use document::document;
