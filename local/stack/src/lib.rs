//! The whole system on one machine: shop, API, functions as real Lambda processes, DynamoDB, Secrets
//! Manager and PortOne, without an account anywhere. `cargo xtask dev` runs it for a person; tests start
//! as many as they like, side by side.
//!
//! | module | owns |
//! |---|---|
//! | [`stack`] | the running whole |
//! | [`options`] | what it is started with |
//! | [`wire`] | proxies before the backends: counts, latency, faults, gates |
//! | [`iam`] | the functions' roles, asked at every call |
//! | [`catalogue`] | the catalogue file: validation, items |
//! | [`bus`], [`pipe`] | the event bus, and what brings the table's changes there |
//! | `console` | the page that shows events and dead letters |
//! | [`dynamodb`], [`secrets_manager`], [`objects`], `portone` | the backends |
//! | [`secret`], [`data`] | what is kept: the secret, the folder |
//! | [`issuer`] | who signs operators in, where they bring tokens |
//! | [`probe`] | whether all of it answers |
//! | `ports`, `shop`, `operator`, `docs` | listeners; the files of the demo shop, of the operators' console and of the API's page |

pub mod bus;
pub mod catalogue;
mod console;
pub mod data;
mod docs;
pub mod dynamodb;
pub mod iam;
pub mod issuer;
pub mod objects;
mod operator;
pub mod options;
pub mod pipe;
mod portone;
mod ports;
pub mod probe;
pub mod secret;
pub mod secrets_manager;
mod shop;
pub mod stack;
pub mod wire;

pub use bus::Bus;
pub use issuer::Issuer;
pub use objects::Objects;
pub use options::{InitialSecret, Operators, PaymentMode, Products, StackOptions};
pub use pipe::DeadLetter;
pub use stack::Stack;
pub use wire::{Backend, Fault, Rule};
