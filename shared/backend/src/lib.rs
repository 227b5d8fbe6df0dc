//! What the functions share, around the domain in the crate `order`.
//!
//! | module | owns | may use |
//! |---|---|---|
//! | [`config`] | the environment's values, each named when it is wrong | `order` |
//! | [`clock`] | the only `now` and the only randomness | `order` |
//! | [`connection`] | the HTTP and TLS stack for PortOne and AWS, and what the AWS SDKs' clients are configured from | `config` |
//! | [`secrets`] | the secret, through `aws-sdk-secretsmanager`: fetched, cached, refreshed | `connection`, `webhook` |
//! | [`token`] | the order token | `order`, `secrets` |
//! | [`portone`] | PortOne's wire and client | `order`, `connection`, `secrets` |
//! | [`store`] | the table, through `aws-sdk-dynamodb`: one method per access pattern | `order`, `clock`, `connection` |
//! | [`flow`] | what two or more functions do: sync a payment | `order`, `portone`, `store` |
//! | [`webhook`] | signatures and bodies of deliveries | – |
//! | [`http`] | requests in, answers and problems out | `api`, `order`, errors of `flow` |
//! | [`backends`] | wiring: configuration into clients | all of the above |
//! | [`telemetry`] | JSON logs without people in them, metrics and traces made of them | `api`, `order`, `config`, `clock` |

pub mod backends;
pub mod clock;
pub mod config;
pub mod connection;
pub mod flow;
pub mod http;
pub mod portone;
pub mod schedule;
pub mod secrets;
pub mod store;
pub mod telemetry;
pub mod token;
pub mod webhook;
