//! The domain of this backend, and nothing else: what an order is, and what seeing a payment at
//! PortOne does to it.
//!
//! This crate knows no HTTP, no AWS, no serialisation, no async and no clock; time and randomness
//! are arguments. Everything that decides about money is in [`mod@decide`], as one function over an
//! [`Order`] and an [`Observation`].
//!
//! | module | owns |
//! |---|---|
//! | [`money`] | amounts with their currency, checked arithmetic |
//! | [`id`] | order ids: minted, parsed |
//! | [`timestamp`] | a moment, as an argument |
//! | [`personal`] | text about a person, which no log line can show |
//! | [`product`] | the catalogue's products and the pricing of a basket |
//! | [`name`] | the order name every PG accepts |
//! | [`mod@order`] | the order, its statuses and its cancellation ledger |
//! | [`observation`] | what PortOne says of one payment now, in either generation's words |
//! | [`mod@decide`] | order + observation → what to do |

pub mod cancellation;
pub mod decide;
pub mod id;
pub mod money;
pub mod name;
pub mod observation;
pub mod order;
pub mod personal;
pub mod product;
pub mod timestamp;
mod words;

pub use cancellation::{Cancellation, CancellationOrigin, CancellationOutcome, CancellationStatus};
pub use decide::{Decision, LatePayment, Terms, decide, record_outcome};
pub use id::OrderId;
pub use money::{Currency, Money};
pub use observation::{Channel, Observation, ObservedCancellation, PaymentMode, PaymentStatus};
pub use order::{
    Customer, Failure, Generation, Order, OrderLine, OrderStatus, PayMethod, Rejection, Sighting,
    VirtualAccount,
};
pub use personal::Personal;
pub use product::{Product, ProductId};
pub use timestamp::Timestamp;
