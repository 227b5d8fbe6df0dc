//! What one model is made of: which processes run, what happens at PortOne, and how far things may go wrong.

mod deep;

use order::{Generation, LatePayment, PaymentStatus};

use crate::pair::Pair;
pub use deep::DEEP;

/// What the order costs, in minor units. Small, so that states meet again.
pub const TOTAL: u64 = 3;
/// Pieces of the one product that the order takes.
pub const PIECES: u32 = 1;
/// After how many minutes an order closes unpaid.
pub const OPEN_MINUTES: u32 = 30;

/// A program that runs at most once in the model's first part, at any moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A page's verify or the delivery of a webhook: the same program, and a delivery that is repeated is one
    /// more of it. One that is lost never starts.
    Look,
    /// The schedule's look at the order, when it is due.
    Schedule,
    /// An operator cancels.
    Cancel(Want),
    /// PortOne's question before it approves a payment of so much.
    Confirm(u64),
}

/// What an operator wants. Two with the same key are a request and its repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Want {
    /// Its idempotency key.
    pub key: u8,
    /// How much; all that is left if nothing.
    pub amount: Option<u64>,
}

/// Something that happens at PortOne, at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum News {
    /// The buyer's attempt of this number comes to this state.
    Attempt(usize, PaymentStatus),
    /// The attempt of this number is paid, by so much. Also late: after it failed, or after the order closed.
    Paid(usize, u64),
    /// As [`News::Paid`], by the order's amount, but not as ours are.
    Odd(usize, Oddity),
    /// Somebody gives so much back in PortOne's console.
    Console(u64),
    /// The same, and the PG decides later.
    ConsoleLater(u64),
}

/// What can be wrong with a payment besides its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Oddity {
    /// Another currency.
    Currency,
    /// Another store.
    Store,
    /// A test channel, where real money is taken.
    Channel,
}

/// Whether others than the buyer bear a part of the price, and what that does to what can go back: PortOne's
/// documents do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discount {
    /// The buyer pays all of it.
    None,
    /// A part is borne by others, and goes back with the rest.
    Back,
    /// A part is borne by others, and only what the buyer was charged can go back.
    Gone,
}

/// One model.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// The generation whose window the order's page was told to open.
    pub generation: Generation,
    /// The generation of each attempt's window, the last one's of all that follow; if none is said, the order's.
    pub windows: &'static [Generation],
    /// Whether V2 shows V1's newest attempt, where it has no payment of its own: PortOne does not say when it does.
    pub v1_shown: bool,
    /// Whether payments are discounted.
    pub discount: Discount,
    /// Share of the order and of each payment that carries no VAT.
    pub tax_free: u64,
    /// How wrong a process's clock may be, in minutes: each that starts has one of these.
    pub clocks: &'static [i64],
    /// What is done with money that comes after the order expired.
    pub late: LatePayment,
    /// The processes.
    pub roles: &'static [Role],
    /// What happens at PortOne, in any order that PortOne allows.
    pub news: &'static [News],
    /// Whether a PG may decide about a cancellation later, and against it.
    pub later: bool,
    /// How many calls a PG may refuse.
    pub refusals: u8,
    /// How many writes may take effect while their answer is lost. Answers of PortOne may be lost always.
    pub lost_answers: u8,
    /// The clock's moments, in minutes.
    pub moments: &'static [i64],
    /// Whether another buyer waits for the piece.
    pub other_buyer: bool,
    /// Whether PortOne asks before it approves.
    pub confirms: bool,
    /// The state of a payment whose virtual account was closed: PortOne does not say.
    pub closed: PaymentStatus,
    /// What has to be reachable, so that the model is not empty of what it is about.
    pub reaches: &'static [&'static str],
}

pub(crate) const PLAIN: Scenario = Scenario {
    name: "",
    generation: Generation::V2,
    windows: &[],
    v1_shown: false,
    discount: Discount::None,
    tax_free: 0,
    clocks: &[0],
    late: LatePayment::Accept,
    roles: &[],
    news: &[],
    later: false,
    refusals: 0,
    lost_answers: 1,
    moments: &[0, 31],
    other_buyer: false,
    confirms: false,
    closed: PaymentStatus::Cancelled,
    reaches: &[],
};

const WHOLE: Role = Role::Cancel(Want { key: 1, amount: None });
const PART: Role = Role::Cancel(Want { key: 2, amount: Some(1) });
const SECOND_PART: Role = Role::Cancel(Want { key: 3, amount: Some(1) });

/// What is run with every change.
pub const QUICK: &[Scenario] = &[
    Scenario {
        name: "paid",
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[
            News::Attempt(0, PaymentStatus::Failed),
            News::Attempt(1, PaymentStatus::PayPending),
            News::Paid(1, TOTAL),
        ],
        reaches: &["paid", "expired", "a write lost its race"],
        ..PLAIN
    },
    Scenario {
        name: "wrong amount",
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Paid(0, 5)],
        refusals: 1,
        moments: &[0, 6, 200],
        reaches: &["rejected", "all of it went back", "a write lost its race"],
        ..PLAIN
    },
    Scenario {
        name: "wrong amount, V1",
        generation: Generation::V1,
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Paid(0, 5)],
        refusals: 1,
        moments: &[0, 11],
        reaches: &["rejected", "all of it went back", "asked again"],
        ..PLAIN
    },
    Scenario {
        name: "not ours",
        roles: &[Role::Look, Role::Look],
        news: &[
            News::Odd(0, Oddity::Currency),
            News::Odd(0, Oddity::Store),
            News::Odd(0, Oddity::Channel),
            News::Console(1),
        ],
        moments: &[0],
        reaches: &["rejected", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "gone before anybody looked",
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Paid(0, TOTAL), News::Console(2), News::ConsoleLater(1)],
        refusals: 1,
        moments: &[0, 31],
        reaches: &["partly returned", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "late money",
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(0, TOTAL)],
        moments: &[0, 31],
        other_buyer: true,
        reaches: &["paid", "expired", "rejected", "sold to another", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "late money, returned",
        late: LatePayment::Return,
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(0, TOTAL)],
        moments: &[0, 31],
        reaches: &["paid", "expired", "rejected", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "cancelled in parts",
        roles: &[PART, SECOND_PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::Console(1)],
        moments: &[0],
        reaches: &["partly returned", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "cancelled twice by one key",
        roles: &[PART, PART],
        news: &[News::Paid(0, TOTAL), News::ConsoleLater(1)],
        refusals: 1,
        moments: &[0, 200],
        reaches: &["partly returned"],
        ..PLAIN
    },
    Scenario {
        name: "cancelled, the PG decides later",
        roles: &[WHOLE, Role::Look, PART],
        news: &[News::Paid(0, TOTAL)],
        lost_answers: 0,
        later: true,
        refusals: 1,
        moments: &[0],
        reaches: &["on its way back", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "a refused return that V2 has forgotten",
        roles: &[Role::Look, Role::Look, Role::Look],
        news: &[News::Paid(0, 5)],
        later: true,
        refusals: 2,
        moments: &[0, 200],
        reaches: &["rejected", "all of it went back", "on its way back"],
        ..PLAIN
    },
    Scenario {
        name: "cancelled in parts, V1",
        generation: Generation::V1,
        roles: &[PART, PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::Console(1)],
        moments: &[0, 11],
        reaches: &["partly returned", "asked again"],
        ..PLAIN
    },
    Scenario {
        name: "two windows, V1",
        generation: Generation::V1,
        roles: &[Role::Look, Role::Look, WHOLE],
        news: &[News::Paid(0, TOTAL), News::Paid(1, TOTAL)],
        moments: &[0],
        reaches: &["paid", "paid twice", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "undecided",
        roles: &[WHOLE, PART, Role::Look],
        news: &[News::Attempt(0, PaymentStatus::PayPending), News::Paid(0, TOTAL)],
        moments: &[0],
        reaches: &["paid", "closed by an operator", "partly returned"],
        ..PLAIN
    },
    Scenario {
        name: "closed, then paid and given back in the console",
        roles: &[WHOLE, Role::Look, Role::Schedule],
        news: &[News::Paid(0, TOTAL), News::Console(TOTAL)],
        moments: &[0],
        lost_answers: 0,
        reaches: &["closed by an operator", "all of it went back", "rejected"],
        ..PLAIN
    },
    Scenario {
        name: "virtual account",
        roles: &[Role::Look, Role::Schedule, WHOLE],
        news: &[
            News::Attempt(0, PaymentStatus::VirtualAccountIssued),
            News::Attempt(1, PaymentStatus::Failed),
            News::Paid(0, TOTAL),
        ],
        refusals: 1,
        lost_answers: 0,
        moments: &[0, 31],
        reaches: &["paid", "expired", "closed by an operator", "rejected"],
        ..PLAIN
    },
    Scenario {
        name: "virtual account, closed as failed",
        roles: &[Role::Look, Role::Schedule, WHOLE],
        news: &[News::Attempt(0, PaymentStatus::VirtualAccountIssued), News::Paid(0, TOTAL)],
        moments: &[0, 31],
        closed: PaymentStatus::Failed,
        reaches: &["paid", "expired", "closed by an operator"],
        ..PLAIN
    },
    Scenario {
        name: "confirmed",
        roles: &[Role::Confirm(TOTAL), Role::Confirm(5), Role::Schedule, WHOLE],
        news: &[
            News::Attempt(0, PaymentStatus::VirtualAccountIssued),
            News::Paid(0, TOTAL),
            News::Paid(0, 5),
        ],
        confirms: true,
        moments: &[0, 31],
        reaches: &["paid", "expired", "closed by an operator"],
        ..PLAIN
    },
    Scenario {
        name: "discounted",
        discount: Discount::Back,
        lost_answers: 0,
        roles: &[WHOLE, PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::Console(1)],
        moments: &[0],
        reaches: &["partly returned", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "discounted, and only what was charged goes back",
        discount: Discount::Gone,
        roles: &[WHOLE, PART, Role::Look],
        news: &[News::Paid(0, TOTAL)],
        moments: &[0],
        reaches: &["paid", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "wrong amount, discounted",
        discount: Discount::Gone,
        roles: &[Role::Look, Role::Schedule],
        news: &[News::Paid(0, 5), News::Console(1)],
        refusals: 1,
        moments: &[0, 6, 200],
        reaches: &["rejected", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "a share without VAT",
        tax_free: 1,
        lost_answers: 0,
        roles: &[PART, SECOND_PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::Console(1)],
        moments: &[0],
        reaches: &["partly returned", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "wrong amount, a share without VAT",
        tax_free: 2,
        roles: &[Role::Look, Role::Look],
        news: &[News::Paid(0, 5), News::Console(1)],
        moments: &[0, 6],
        reaches: &["rejected", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "a share without VAT, V1",
        generation: Generation::V1,
        tax_free: 1,
        roles: &[PART, WHOLE],
        news: &[News::Paid(0, TOTAL)],
        moments: &[0, 11],
        reaches: &["partly returned", "all of it went back"],
        ..PLAIN
    },
    Scenario {
        name: "cancelled, V1 decides later",
        generation: Generation::V1,
        roles: &[PART, WHOLE, Role::Look],
        news: &[News::Paid(0, TOTAL)],
        lost_answers: 0,
        later: true,
        refusals: 1,
        moments: &[0, 11],
        reaches: &["on its way back", "all of it went back", "left to a person"],
        ..PLAIN
    },
    Scenario {
        name: "paid through both",
        windows: &[Generation::V2, Generation::V1],
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(0, TOTAL), News::Paid(1, TOTAL)],
        lost_answers: 0,
        moments: &[0, 31],
        reaches: &["paid", "expired", "paid twice"],
        ..PLAIN
    },
    Scenario {
        name: "paid through both, and cancelled",
        generation: Generation::V1,
        windows: &[Generation::V1, Generation::V2],
        v1_shown: true,
        roles: &[Role::Look, PART],
        news: &[News::Paid(0, TOTAL), News::Paid(1, TOTAL), News::Console(1)],
        moments: &[0, 11],
        reaches: &["paid", "paid twice", "partly returned"],
        ..PLAIN
    },
    Scenario {
        name: "V1's payment, told by both",
        generation: Generation::V1,
        v1_shown: true,
        roles: &[Role::Look, Role::Look, PART],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(1, TOTAL), News::Console(1)],
        lost_answers: 0,
        moments: &[0],
        reaches: &["paid", "partly returned"],
        ..PLAIN
    },
    Scenario {
        name: "clocks that disagree",
        clocks: &[-4, 4],
        roles: &[Role::Look, Role::Schedule, WHOLE],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(0, TOTAL)],
        lost_answers: 0,
        moments: &[0, 31],
        other_buyer: true,
        reaches: &["paid", "expired", "rejected", "closed by an operator"],
        ..PLAIN
    },
    Scenario {
        name: "clocks that disagree, V1",
        generation: Generation::V1,
        clocks: &[-4, 4],
        roles: &[Role::Look, Role::Look, Role::Schedule],
        news: &[News::Paid(0, 5)],
        lost_answers: 0,
        refusals: 1,
        moments: &[0, 15],
        reaches: &["rejected", "all of it went back", "asked again"],
        ..PLAIN
    },
];

/// Two orders at once.
pub const PAIRS: &[Pair] = &[Pair {
    name: "two orders and one piece",
    first: Scenario {
        roles: &[Role::Look, Role::Schedule],
        news: &[News::Paid(0, TOTAL)],
        lost_answers: 0,
        moments: &[0, 31, 62],
        ..PLAIN
    },
    second: Scenario {
        roles: &[Role::Look, Role::Schedule],
        news: &[News::Paid(0, TOTAL)],
        lost_answers: 0,
        ..PLAIN
    },
    reaches: &[
        "the second one has the piece, and the first one's money goes back",
        "the first one has its piece again",
        "both ended without it",
    ],
}];
