//! What the functions share, around the domain in the crate `order`.
//!
//! | module | owns | may use |
//! |---|---|---|
//! | [`config`] | the environment's values, each named when it is wrong | `order` |
//! | [`clock`] | the only `now` and the only randomness | `order` |
//! | [`connection`] | one HTTP and TLS stack for PortOne and AWS | – |
//! | [`sigv4`] | AWS's signature of a request | `config` |
//! | [`signed`] | one signed request to AWS, sent again where that may help | `clock`, `config`, `connection`, `sigv4` |
//! | [`dynamodb`] | DynamoDB's wire | `config`, `connection`, `signed` |
//! | [`secrets`] | the secret: fetched, cached, refreshed | `config`, `connection`, `signed` |
//! | [`token`] | the order token | `order`, `secrets` |
//! | [`portone`] | PortOne's wire and client | `order`, `connection`, `secrets` |
//! | [`store`] | the table: one method per access pattern | `order`, `clock`, `dynamodb` |
//! | [`flow`] | what two or more functions do: sync a payment | `order`, `portone`, `store` |
//! | [`webhook`] | signatures and bodies of deliveries | – |
//! | [`http`] | requests in, answers and problems out | `api`, `order`, errors of `flow` |
//! | [`backends`] | wiring: configuration into clients | all of the above |
//! | [`telemetry`] | JSON logs without people in them, metrics and traces made of them | `api`, `order`, `config`, `clock` |

pub mod backends;
pub mod clock;
pub mod config;
pub mod connection;
pub mod dynamodb;
pub mod flow;
pub mod http;
pub mod portone;
pub mod schedule;
pub mod secrets;
pub mod signed;
pub mod sigv4;
pub mod store;
pub mod telemetry;
pub mod token;
pub mod webhook;
