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
//! | [`text`] | text that people enter, in one form |
//! | [`name`] | the names every PG accepts: of an order, of its buyer |
//! | [`mod@order`] | the order, its statuses and its cancellation ledger |
//! | [`observation`] | what PortOne says of one payment now, in either generation's words |
//! | [`mod@decide`] | order + observation → what to do |
//! | [`dispute`] | disputes of a payment, and the transfer of a refunded deposit |
//! | [`event`] | what a write of an order tells the rest of the shop |
//! | [`day`] | days as Korea counts them |
//! | [`statement`], [`books`] | what came and went on a day, and over the whole table |

pub mod audit;
pub mod books;
pub mod cancel;
pub mod cancellation;
mod commit;
pub mod confirm;
pub mod day;
pub mod decide;
pub mod decision;
pub mod dispute;
pub mod event;
pub mod expiry;
pub mod finding;
pub mod id;
pub mod journal;
mod ledger;
pub mod look;
pub mod method;
pub mod money;
pub mod name;
pub mod observation;
pub mod order;
pub mod personal;
pub mod product;
pub mod statement;
pub mod text;
pub mod timestamp;
mod words;

pub use cancel::{CancelRefusal, Cancelling, WantedCancellation};
pub use cancellation::{
    Cancellation, CancellationOrigin, CancellationOutcome, CancellationStatus, PromotionDiscount,
    RefundAccount, RequestMark,
};
pub use decide::{LatePayment, Terms, decide};
pub use decision::{Anomaly, Decision};
pub use dispute::{DepositRefund, Dispute};
pub use event::EventKind;
pub use expiry::{Overdue, overdue};
pub use finding::FindingKind;
pub use id::OrderId;
pub use journal::{Actor, Entry, Look};
pub use ledger::record_outcome;
pub use look::next_look;
pub use method::PaidBy;
pub use money::{Currency, Money};
pub use observation::{Channel, Observation, ObservedCancellation, PaymentMode, PaymentStatus};
pub use order::{
    Customer, Failure, Generation, Language, Order, OrderLine, OrderStatus, PayMethod, Rejection, Sighting,
    VirtualAccount,
};
pub use personal::Personal;
pub use product::{Product, ProductId};
pub use timestamp::Timestamp;
