//! The order: what a customer owes the shop money for.

use std::fmt;

use crate::{
    Cancellation, CancellationStatus, DepositRefund, Dispute, Entry, Look, Money, OrderId, PaymentStatus,
    Personal, ProductId, Timestamp, commit::commit, next_look,
};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// Open. Attempts to pay may fail and be repeated.
    Pending,
    /// The PG has not decided about a payment yet.
    PayPending,
    /// A virtual account waits for the deposit.
    VirtualAccountIssued,
    /// Paid by its exact total.
    Paid,
    /// Paid, and part of it went back.
    PartialCancelled,
    /// Closed by the shop, or all of the money went back.
    Cancelled,
    /// Closed unpaid.
    Expired,
    /// Money arrived that is not this order's; it is going back or went back.
    Rejected,
}

/// Which generation of PortOne an order is paid through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Iamport: `IMP.request_pay`, `imp_uid`.
    V1,
    /// `PortOne.requestPayment`, `paymentId`.
    V2,
}

/// How the buyer wants to pay; PortOne's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "PortOne's own names, nothing to add")]
pub enum PayMethod {
    Card,
    VirtualAccount,
    Transfer,
    Mobile,
    GiftCertificate,
    EasyPay,
    Paypal,
    Alipay,
    ConvenienceStore,
    AlipayPlus,
}

/// One product of an order, at the price it was ordered at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// Its name at the time.
    pub name: String,
    /// Pieces, 1–999.
    pub quantity: u32,
    /// Price of one piece in the order's currency.
    pub unit_price: u64,
    /// Share of `unit_price` that carries no VAT.
    pub unit_tax_free: u64,
    /// Whether its pieces are counted: they were taken off the product's stock with the order.
    pub stocked: bool,
}

impl OrderLine {
    /// Price of all pieces. Counted without overflow when the order was priced.
    pub fn amount(&self) -> u64 {
        self.unit_price.saturating_mul(u64::from(self.quantity))
    }
}

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Full name.
    pub name: Personal,
    /// E-mail address.
    pub email: Option<Personal>,
    /// Phone number.
    pub phone: Option<Personal>,
}

/// The account a buyer pays into.
///
/// `Debug` leaves out the number and the holder, as it does for everything personal.
#[derive(Clone, PartialEq, Eq)]
pub struct VirtualAccount {
    /// The bank, in PortOne's word (V2: `SHINHAN`).
    pub bank: Option<String>,
    /// The account's number.
    pub number: String,
    /// Whose account it is.
    pub holder: Option<String>,
    /// Until when a deposit is taken.
    pub expires_at: Option<Timestamp>,
    /// The transaction it was issued for.
    pub transaction_id: String,
}

impl fmt::Debug for VirtualAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bank, number: _, holder: _, expires_at, transaction_id } = self;
        f.debug_struct("VirtualAccount")
            .field("bank", bank)
            .field("expires_at", expires_at)
            .field("transaction_id", transaction_id)
            .finish_non_exhaustive()
    }
}

/// Why the last attempt to pay failed, in the PG's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The PG's code.
    pub code: Option<String>,
    /// The PG's text for the buyer.
    pub message: Option<String>,
}

/// The newest news that was applied to an order: older news is old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The generation it came through.
    pub generation: Generation,
    /// The transaction it was about.
    pub transaction_id: String,
    /// What state it was in.
    pub status: PaymentStatus,
    /// Since when, by PortOne's clock.
    pub changed_at: Timestamp,
}

/// Why money is not this order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Another amount than the order's total.
    Amount,
    /// Another currency.
    Currency,
    /// A store that is not ours.
    Store,
    /// A TEST channel in LIVE mode, a LIVE channel in TEST mode, or a channel of unknown type.
    Channel,
    /// It came after the order expired, and late payments are returned.
    Late,
    /// It came after the order was cancelled.
    OrderCancelled,
}

/// An order, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id; PortOne's `paymentId` and `merchant_uid`.
    pub id: OrderId,
    /// Counts the writes; every write is conditional on it.
    pub version: u64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Its name at the PG.
    pub name: String,
    /// What it costs. Never changes.
    pub total: Money,
    /// Share of the total that carries no VAT.
    pub tax_free: u64,
    /// What was ordered.
    pub lines: Vec<OrderLine>,
    /// Who ordered.
    pub customer: Customer,
    /// The generation whose window its page was told to open.
    pub generation: Generation,
    /// How the buyer meant to pay.
    pub pay_method: PayMethod,
    /// Where the payment window returns to.
    pub redirect_url: Option<String>,
    /// Whether registering the amount with PortOne beforehand failed.
    pub unregistered: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// Until when it stays open unpaid.
    pub expires_at: Timestamp,
    /// When its money arrived.
    pub paid_at: Option<Timestamp>,
    /// The money that arrived, matching or not.
    pub received: Option<Money>,
    /// How much of it went back.
    pub returned: u64,
    /// The newest news applied.
    pub sighting: Option<Sighting>,
    /// The account to pay into, while there may be one: another transaction that fails does not close it.
    pub virtual_account: Option<VirtualAccount>,
    /// Why the last attempt failed.
    pub last_failure: Option<Failure>,
    /// Why its money is not its own.
    pub rejections: Vec<Rejection>,
    /// Every return of money, by number.
    pub cancellations: Vec<Cancellation>,
    /// The disputes of its payment, oldest first.
    pub disputes: Vec<Dispute>,
    /// How far the transfer of its refunded deposit has come, if PortOne says.
    pub deposit_refund: Option<DepositRefund>,
    /// Whether it holds the pieces of its stocked lines now.
    pub holds_stock: bool,
    /// When the schedule has to look at it, if ever.
    pub look_at: Option<Timestamp>,
    /// The language of its buyer.
    pub language: Language,
    /// One entry for each write, in order.
    pub journal: Vec<Entry>,
    /// What the logs of everything about it have in common. It means nothing here.
    pub trace: Option<[u8; 25]>,
}

/// A language that buyers are spoken to in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The default.
    Korean,
    /// English.
    English,
}

impl Language {
    /// One of two texts.
    pub fn pick<'a>(self, korean: &'a str, english: &'a str) -> &'a str {
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }
}

impl Order {
    /// The order as its first version: its stock is taken, its first look planned, its journal begun.
    pub fn begun(mut self, look: Look<'_>) -> Self {
        self.holds_stock = self.has_stock();
        self.look_at = next_look(&self, look.at);
        self.journal = vec![Entry::of(None, &self, look, None)];
        self
    }

    /// The order with the mark that its amount was not registered with PortOne beforehand.
    pub fn marked_unregistered(&self, look: Look<'_>) -> Self {
        commit(self, Self { unregistered: true, ..self.clone() }, look, None)
    }

    /// The `Idempotency-Key` of a cancellation, the same over every try: 16–256 characters of
    /// letters, digits and `-`, as PortOne asks (REST V2 overview, idempotency).
    pub fn cancellation_key(&self, cancellation: &Cancellation) -> String {
        format!("{}-cancel-{}", self.id, cancellation.number)
    }

    /// The generation to ask about its payment: the one the newest news came through, since a page can
    /// open the other generation's window with this order's id.
    pub fn paid_through(&self) -> Generation {
        self.sighting.as_ref().map_or(self.generation, |sighting| sighting.generation)
    }

    /// Whether it waits for money.
    pub fn is_open(&self) -> bool {
        matches!(
            self.status,
            OrderStatus::Pending | OrderStatus::PayPending | OrderStatus::VirtualAccountIssued
        )
    }

    /// Until when it waits: a virtual account has its own deadline.
    pub fn due(&self) -> Timestamp {
        let account = self.virtual_account.as_ref().and_then(|account| account.expires_at);
        account.unwrap_or(self.expires_at)
    }

    /// Whether pieces of any line are counted.
    pub fn has_stock(&self) -> bool {
        self.lines.iter().any(|line| line.stocked)
    }

    /// The V1 transaction that the order's money came by, if it did.
    pub fn v1_money(&self) -> Option<&str> {
        let by = self.sighting.as_ref().filter(|by| by.generation == Generation::V1)?;
        self.received.map(|_| by.transaction_id.as_str())
    }

    /// The cancellation of ours whose outcome is not known, if there is one.
    pub fn open_cancellation(&self) -> Option<&Cancellation> {
        self.cancellations.iter().find(|c| c.status == CancellationStatus::Intended)
    }

    /// How much of the money that arrived neither went back nor is on its way back, in minor units.
    pub fn balance(&self) -> u64 {
        let requested = self.cancellations.iter().filter(|c| c.status == CancellationStatus::Requested);
        let on_its_way = requested.map(|c| c.amount).fold(0, u64::saturating_add);
        self.not_returned().saturating_sub(on_its_way)
    }

    /// How much of the money that arrived did not go back for good, in minor units.
    pub(crate) fn not_returned(&self) -> u64 {
        self.received.map_or(0, |money| money.amount).saturating_sub(self.returned)
    }
}
