//! Models of hours: more processes at once, and more that happens.

use order::{Generation, PaymentStatus};

use super::{News, PART, PLAIN, Role, SECOND_PART, Scenario, TOTAL, WHOLE};

/// What takes longer: more processes at once, and more that happens.
pub const DEEP: &[Scenario] = &[
    Scenario {
        name: "deep: everything of V2",
        roles: &[Role::Look, Role::Schedule, PART],
        news: &[News::Attempt(0, PaymentStatus::Failed), News::Paid(0, TOTAL), News::Console(1)],
        refusals: 1,
        moments: &[0, 31],
        other_buyer: true,
        reaches: &["paid", "expired", "rejected", "partly returned", "sold to another"],
        ..PLAIN
    },
    Scenario {
        name: "deep: a wrong amount and an impatient PG",
        roles: &[Role::Look, Role::Schedule, WHOLE],
        news: &[News::Paid(0, 5), News::Console(1)],
        later: true,
        refusals: 2,
        moments: &[0, 6, 200],
        reaches: &["rejected", "all of it went back", "on its way back"],
        ..PLAIN
    },
    Scenario {
        name: "deep: virtual account",
        roles: &[Role::Look, Role::Schedule, WHOLE],
        news: &[
            News::Attempt(0, PaymentStatus::VirtualAccountIssued),
            News::Attempt(1, PaymentStatus::Failed),
            News::Paid(0, TOTAL),
        ],
        refusals: 1,
        moments: &[0, 31],
        reaches: &["paid", "expired", "closed by an operator", "rejected"],
        ..PLAIN
    },
    Scenario {
        name: "deep: one key, a look, and a console that waits for its PG",
        roles: &[PART, PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::ConsoleLater(1)],
        refusals: 1,
        moments: &[0, 200],
        reaches: &["partly returned", "on its way back"],
        ..PLAIN
    },
    Scenario {
        name: "deep: two operators and a console that waits for its PG",
        roles: &[PART, SECOND_PART, Role::Look],
        news: &[News::Paid(0, TOTAL), News::ConsoleLater(1)],
        refusals: 1,
        moments: &[0, 200],
        reaches: &["partly returned", "on its way back"],
        ..PLAIN
    },
    Scenario {
        name: "deep: everything of V1",
        generation: Generation::V1,
        roles: &[Role::Look, Role::Schedule, PART],
        news: &[News::Paid(0, TOTAL), News::Paid(1, 5), News::Console(1)],
        refusals: 1,
        moments: &[0, 11, 31],
        reaches: &["paid", "rejected", "paid twice", "partly returned"],
        ..PLAIN
    },
];
