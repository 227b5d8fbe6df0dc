//! The words of the domain's enumerations: PortOne's own where it has one. The table stores them and
//! the API answers them, so they are part of the contract and change with a changelog line.

use crate::{
    CancellationOrigin, CancellationStatus, DepositRefund, EventKind, FindingKind, Generation, Language,
    OrderStatus, PayMethod, PaymentStatus, PromotionDiscount, Rejection, audit::Imbalance,
};

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),+ $(,)?) => {
        impl $type {
            /// Every word.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value a word stands for, if it is one.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words!(OrderStatus:
    Pending = "PENDING", PayPending = "PAY_PENDING", VirtualAccountIssued = "VIRTUAL_ACCOUNT_ISSUED",
    Paid = "PAID", PartialCancelled = "PARTIAL_CANCELLED", Cancelled = "CANCELLED", Expired = "EXPIRED",
    Rejected = "REJECTED",
);
words!(Language:
    Korean = "ko", English = "en",
);
words!(EventKind:
    VirtualAccountIssued = "VirtualAccountIssued", OrderPaid = "OrderPaid",
    OrderPartiallyCancelled = "OrderPartiallyCancelled", OrderCancelled = "OrderCancelled",
    OrderExpired = "OrderExpired", OrderRejected = "OrderRejected",
    PaymentDisputed = "PaymentDisputed", PaymentDisputeResolved = "PaymentDisputeResolved",
);
words!(FindingKind:
    Orphan = "ORPHAN", PaidTwice = "PAID_TWICE", PaymentChanged = "PAYMENT_CHANGED",
    UnrecognizedStatus = "UNRECOGNIZED_STATUS", AnotherPayment = "ANOTHER_PAYMENT",
    ReturnRefused = "RETURN_REFUSED", OutcomeUnknown = "OUTCOME_UNKNOWN", Undecided = "UNDECIDED",
    BrokenOrder = "BROKEN_ORDER", UnusableAnswer = "UNUSABLE_ANSWER",
    WriteRejected = "WRITE_REJECTED", Disputed = "DISPUTED",
    DepositRefundFailed = "DEPOSIT_REFUND_FAILED", BalanceDiffers = "BALANCE_DIFFERS",
    AccountOpen = "ACCOUNT_OPEN",
);
words!(DepositRefund:
    Pending = "PENDING", Failed = "FAILED", PartiallyFailed = "PARTIAL_REFUND_FAILED", Completed = "COMPLETED",
);
words!(PromotionDiscount:
    Retain = "RETAIN", Release = "RELEASE",
);
words!(PaymentStatus:
    Ready = "READY", PayPending = "PAY_PENDING", VirtualAccountIssued = "VIRTUAL_ACCOUNT_ISSUED",
    Failed = "FAILED", Paid = "PAID", PartialCancelled = "PARTIAL_CANCELLED", Cancelled = "CANCELLED",
    Unrecognized = "UNRECOGNIZED",
);
words!(Generation:
    V1 = "V1", V2 = "V2",
);
words!(PayMethod:
    Card = "CARD", VirtualAccount = "VIRTUAL_ACCOUNT", Transfer = "TRANSFER", Mobile = "MOBILE",
    GiftCertificate = "GIFT_CERTIFICATE", EasyPay = "EASY_PAY", Paypal = "PAYPAL", Alipay = "ALIPAY",
    ConvenienceStore = "CONVENIENCE_STORE", AlipayPlus = "ALIPAY_PLUS",
);
words!(Rejection:
    Amount = "AMOUNT", Currency = "CURRENCY", Store = "STORE", Channel = "CHANNEL", Late = "LATE",
    OrderCancelled = "ORDER_CANCELLED",
);
words!(CancellationOrigin:
    Mismatch = "MISMATCH", Operator = "OPERATOR", Outside = "OUTSIDE", Chargeback = "CHARGEBACK",
);
words!(CancellationStatus:
    Intended = "INTENDED", Requested = "REQUESTED", Succeeded = "SUCCEEDED", Failed = "FAILED",
);
words!(Imbalance:
    ReceivedIsNotOrdered = "ReceivedIsNotOrdered", ReturnedExceedsReceived = "ReturnedExceedsReceived",
    LedgerExceedsReturned = "LedgerExceedsReturned", StatusDoesNotFollow = "StatusDoesNotFollow",
    Stock = "Stock", Journal = "Journal",
);
