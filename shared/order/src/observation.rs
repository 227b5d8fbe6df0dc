//! What PortOne says of one payment at one moment, free of either generation's spelling.

use crate::{Currency, DepositRefund, Dispute, Failure, Generation, PaidBy, Timestamp, VirtualAccount};

/// The state of a payment at PortOne.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentStatus {
    /// The payment window was opened. Says nothing: buyers abandon windows.
    Ready,
    /// The PG has not decided yet.
    PayPending,
    /// A virtual account waits for the deposit. Not money.
    VirtualAccountIssued,
    /// The newest transaction failed; another one may follow.
    Failed,
    /// The money arrived.
    Paid,
    /// Part of the money went back.
    PartialCancelled,
    /// All of the money went back, or the payment was closed before there was any.
    Cancelled,
    /// A status this build has not heard of. Never money.
    Unrecognized,
}

/// The side of PortOne a channel is on: real money or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Real money (V1: `sandbox` is false).
    Live,
    /// No money (V1: `sandbox` is true).
    Test,
    /// Not said, or a type this build has not heard of. Fits no [`PaymentMode`].
    Unrecognized,
}

/// Which channels this deployment takes payments of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMode {
    /// Real payments only.
    Live,
    /// Test payments only.
    Test,
}

/// One cancellation as PortOne lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedCancellation {
    /// PortOne's id of it.
    pub id: String,
    /// What became of it.
    pub status: ObservedCancellationStatus,
    /// Minor units of the payment's currency.
    pub amount: u64,
    /// Share of `amount` that carries no VAT. V1 does not say; 0 then.
    pub tax_free: u64,
    /// Whether it could have been asked for through the API, as ours are.
    pub by_api: bool,
    /// Whether it is a chargeback (`trigger: CHARGEBACK`).
    pub chargeback: bool,
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
}

/// What became of a cancellation at PortOne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObservedCancellationStatus {
    /// The money went back.
    Succeeded,
    /// The PG has not decided yet.
    Requested,
    /// It did not happen.
    Failed,
    /// A status this build has not heard of.
    Unrecognized,
}

/// PortOne's own record of a payment, read now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The generation it was made through.
    pub generation: Generation,
    /// Our order's id, as PortOne echoes it (V2 `id`, V1 `merchant_uid`).
    pub payment_id: String,
    /// The attempt this is about (V2 `transactionId`, V1 `imp_uid`).
    pub transaction_id: String,
    /// Its state.
    pub status: PaymentStatus,
    /// When it got into this state, by PortOne's clock.
    pub changed_at: Timestamp,
    /// What the buyer was asked for, in minor units. Discounts by card companies and promotions are
    /// inside, so this, not what was charged, is compared with the order (API2: `amount.total`).
    pub total: u64,
    /// Share of `total` that carries no VAT and did not go back yet. V1 does not say.
    pub tax_free_left: Option<u64>,
    /// Whether the buyer was charged less than `total`: a card company, a promotion or a coupon bore the
    /// rest. PortOne does not say how that enters what can be cancelled.
    pub discounted: bool,
    /// The currency, if it is one.
    pub currency: Option<Currency>,
    /// The store it was made in. V1 does not say.
    pub store_id: Option<String>,
    /// Real money or not.
    pub channel: Channel,
    /// How much PortOne says went back, in minor units.
    pub cancelled: u64,
    /// The cancellations PortOne lists.
    pub cancellations: Vec<ObservedCancellation>,
    /// The disputes that PortOne lists. V1 lists none.
    pub disputes: Vec<Dispute>,
    /// How far the transfer of a refunded deposit has come, if PortOne says. V1 does not.
    pub deposit_refund: Option<DepositRefund>,
    /// When the money arrived, if it ever did.
    pub paid_at: Option<Timestamp>,
    /// The account to pay into, while one is issued.
    pub virtual_account: Option<VirtualAccount>,
    /// Why the transaction failed, if it did.
    pub failure: Option<Failure>,
    /// How it was made.
    pub paid_by: PaidBy,
    /// The PG, in PortOne's word.
    pub pg: Option<String>,
}

impl Observation {
    /// How much of the money went back for good: what PortOne counts, or what it lists, whichever is
    /// more.
    pub fn returned(&self) -> u64 {
        match self.status {
            PaymentStatus::Cancelled => self.total,
            _ => {
                let succeeded = |c: &&ObservedCancellation| c.status == ObservedCancellationStatus::Succeeded;
                let listed = self.cancellations.iter().filter(succeeded).map(|c| c.amount);
                self.cancelled.max(listed.fold(0, u64::saturating_add)).min(self.total)
            }
        }
    }

    /// Whether there is money in this payment now.
    pub fn holds_money(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid | PaymentStatus::PartialCancelled)
    }

    /// Whether there was ever money in this payment: a closed virtual account can be `CANCELLED`
    /// without any.
    pub fn had_money(&self) -> bool {
        matches!(self.status, PaymentStatus::Paid | PaymentStatus::PartialCancelled)
            || self.paid_at.is_some()
            || self.cancelled > 0
            || !self.cancellations.is_empty()
    }
}
