//! What a look at an order comes to.

use crate::Order;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: known already, old news, or no news.
    Stay,
    /// Write the order as it stands here.
    Write(Box<Order>),
    /// Write the order as it stands here, then ask PortOne for its cancellation number `number`,
    /// then record the outcome.
    GiveBack {
        /// The order, its ledger already naming the intent.
        order: Box<Order>,
        /// The cancellation to ask for.
        number: u32,
        /// Whether `order` differs from what is stored. When not, the intent is written already and
        /// only the call is left.
        write: bool,
    },
    /// Nothing to write: the payment waits for a deposit that the order does not take. Revoke its virtual account.
    CloseAccount,
    /// Nothing to write, but a person should know.
    Alarm(Anomaly),
}

/// News that fits no story this backend knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anomaly {
    /// PortOne answered with another payment than the one asked for.
    AnotherPayment,
    /// A payment status this build has not heard of.
    UnrecognizedStatus,
    /// The payment of an order that holds money has changed its amount or currency.
    PaymentChanged,
    /// A second V1 transaction took money for an order that has its money.
    PaidTwice,
}
