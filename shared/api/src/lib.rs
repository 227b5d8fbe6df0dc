//! What the HTTP API asks and answers, as types: the one description of its JSON.
//!
//! The functions answer with these types, and `docs/openapi.json` is generated from them (feature `schema`,
//! which only the generator in `local/openapi` turns on). So a doc comment on a member is what the API's
//! documentation says of it, in Korean and English. This crate knows no HTTP and reads no request: requests
//! are read member by member, so that every fault is told at once, and their types here only describe them,
//! with the limits that the functions check.
//!
//! | module | owns |
//! |---|---|
//! | [`scalar`] | ids, moments, currencies, amounts |
//! | [`word`] | the domain's enumerations |
//! | [`order`] | the order as its buyer sees it |
//! | [`checkout`] | making an order |
//! | [`verify`] | asking whether an order is paid |
//! | [`cancel`] | giving money back |
//! | [`office`] | what operators look at |
//! | [`portone`] | what PortOne's webhooks are answered |
//! | [`product`] | the catalogue |
//! | [`problem`] | what went wrong: codes, statuses, texts |

pub mod cancel;
pub mod checkout;
pub mod office;
pub mod order;
pub mod portone;
pub mod problem;
pub mod product;
pub mod scalar;
pub mod verify;
pub mod word;
