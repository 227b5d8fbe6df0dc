//! The cancellation ledger: every return of money, ours or made elsewhere, with its outcome.

use crate::{Personal, Timestamp};

/// Who asked for a cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancellationOrigin {
    /// We, because the money does not match its order.
    Mismatch,
    /// An operator of the shop.
    Operator,
    /// PortOne's console or the PG.
    Outside,
    /// A chargeback: the buyer's bank took the money back.
    Chargeback,
}

/// How far a cancellation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancellationStatus {
    /// Written down, the call's outcome not recorded: not sent, in flight, or unanswered. To be
    /// sent again with the same key.
    Intended,
    /// PortOne took it; the PG has not decided (`REQUESTED`).
    Requested,
    /// The money went back.
    Succeeded,
    /// Refused for good. Another try is another cancellation, with another key.
    Failed,
}

/// One row of an order's cancellation ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// Its number in the order, from 1.
    pub number: u32,
    /// Who asked for it.
    pub origin: CancellationOrigin,
    /// How far it has come.
    pub status: CancellationStatus,
    /// Minor units of the received money's currency.
    pub amount: u64,
    /// Share of `amount` that carries no VAT. PortOne takes what it is not told of as taxable.
    pub tax_free: u64,
    /// What could be cancelled before it; PortOne checks it (`currentCancellableAmount`).
    pub balance_before: u64,
    /// Whether it asks for all that is left without naming the amount: a discounted payment's balance is
    /// PortOne's to know.
    pub everything: bool,
    /// PortOne's id, once known.
    pub portone_id: Option<String>,
    /// Why it failed: PortOne's error type or the PG's code.
    pub failure: Option<String>,
    /// The same in the PG's own words, as far as they may be kept.
    pub failure_message: Option<String>,
    /// What the operator gave as the reason.
    pub reason: Option<String>,
    /// The operator's request, if it was one's.
    pub request: Option<RequestMark>,
    /// What happens to a PortOne promotion's discount; PortOne's default (release) if nothing.
    pub promotion: Option<PromotionDiscount>,
    /// Where the money goes. Kept until the outcome is known, since every try is the same request.
    pub refund_account: Option<RefundAccount>,
    /// When it was begun: written down first, or asked for by somebody else.
    pub at: Timestamp,
    /// When PortOne was last asked for it, where that is more than once.
    pub asked_again_at: Option<Timestamp>,
}

impl Cancellation {
    /// Whether it is the intent to close an order without money, not done yet.
    pub fn is_closing(&self) -> bool {
        self.status == CancellationStatus::Intended && self.amount == 0
    }
}

/// What a cancellation does with the discount of a PortOne promotion (`promotionDiscountRetainOption`). The first
/// partial cancellation of a payment fixes it for all later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromotionDiscount {
    /// The buyer keeps the discount on what they keep.
    Retain,
    /// The discount is taken back with the cancelled part.
    Release,
}

/// What is remembered of a request, so that its repetition is known: hashes, not what it held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMark {
    /// SHA-256 of its idempotency key.
    pub key: [u8; 32],
    /// SHA-256 of its body.
    pub body: [u8; 32],
}

/// An account that money goes back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAccount {
    /// The bank, in PortOne's word; for V1 the PG's own code.
    pub bank: String,
    /// Its number.
    pub number: Personal,
    /// Whose it is.
    pub holder: Personal,
    /// Their phone number, which some PGs want.
    pub holder_phone: Option<Personal>,
}

/// What calling PortOne's cancel API came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancellationOutcome {
    /// Done.
    Succeeded {
        /// PortOne's id of the cancellation, if it said one.
        portone_id: Option<String>,
    },
    /// Taken, to be decided by the PG.
    Requested {
        /// PortOne's id of the cancellation, if it said one.
        portone_id: Option<String>,
    },
    /// Refused for good: the same key would only repeat it.
    Failed {
        /// PortOne's error type or the PG's code.
        code: String,
        /// The PG's own words, as far as they may be kept.
        message: Option<String>,
    },
    /// No answer, or none that says whether it happened.
    Unknown,
}
