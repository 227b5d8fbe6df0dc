//! The guards: what protects the order and its money, and who notices when it is gone.

/// A guard and how it is taken away.
pub struct Mutant {
    /// What the code does not do any more.
    pub without: &'static str,
    /// The source, from the repository's root.
    pub file: &'static str,
    /// The guard's text, once in the file.
    pub guard: &'static str,
    /// What stands in its place in the copy; `ON` is the switch.
    pub switched: &'static str,
    /// The scenario that notices.
    pub noticed_by: &'static str,
}

const DECIDE: &str = "shared/order/src/decide.rs";
const LEDGER: &str = "shared/order/src/ledger.rs";
const CANCEL: &str = "shared/order/src/cancel.rs";
const EXPIRY: &str = "shared/order/src/expiry.rs";
const COMMIT: &str = "shared/order/src/commit.rs";
const CONFIRM: &str = "shared/order/src/confirm.rs";
const LOOK: &str = "shared/order/src/look.rs";
const EVENT: &str = "shared/order/src/event.rs";
const TABLE: &str = "local/model/src/table.rs";
const STEPS: &str = "local/model/src/steps.rs";

/// Every guard that is taken away.
pub const MUTANTS: &[Mutant] = &[
    Mutant {
        without: "telling a V1 transaction from the one that paid",
        file: DECIDE,
        guard: "if through_v1 && seen.transaction_id != paid.transaction_id {",
        switched: "if !ON && through_v1 && seen.transaction_id != paid.transaction_id {",
        noticed_by: "two windows, V1",
    },
    Mutant {
        without: "taking money that comes after the order expired",
        file: DECIDE,
        guard: "(O::Expired, P::Paid | P::PartialCancelled) => Turn::TakeLate,",
        switched: "(O::Expired, P::Paid | P::PartialCancelled) => if ON { Turn::Stay } else { Turn::TakeLate },",
        noticed_by: "late money",
    },
    Mutant {
        without: "returning money of a closed order",
        file: DECIDE,
        guard: "(O::Cancelled | O::Rejected, P::Paid | P::PartialCancelled) => Turn::GiveBack,",
        switched: "(O::Cancelled | O::Rejected, P::Paid | P::PartialCancelled) => if ON { Turn::Stay } else { Turn::GiveBack },",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "taking over what became of a rejected payment",
        file: DECIDE,
        guard: "(O::Cancelled | O::Rejected, P::Cancelled) => Turn::Ledger,",
        switched: "(O::Cancelled | O::Rejected, P::Cancelled) => if ON { Turn::Stay } else { Turn::Ledger },",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "taking over a payment that came and went unseen",
        file: DECIDE,
        guard: "(O::Expired, P::Cancelled) => Turn::Close,",
        switched: "(O::Expired, P::Cancelled) => if ON { Turn::Stay } else { Turn::Close },",
        noticed_by: "gone before anybody looked",
    },
    Mutant {
        without: "comparing the amount",
        file: DECIDE,
        guard: "(seen.total != order.total.amount, Rejection::Amount),",
        switched: "(!ON && seen.total != order.total.amount, Rejection::Amount),",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "comparing the currency",
        file: DECIDE,
        guard: "(seen.currency != Some(order.total.currency), Rejection::Currency),",
        switched: "(!ON && seen.currency != Some(order.total.currency), Rejection::Currency),",
        noticed_by: "not ours",
    },
    Mutant {
        without: "comparing the store",
        file: DECIDE,
        guard: "(!store_fits, Rejection::Store),",
        switched: "(!ON && !store_fits, Rejection::Store),",
        noticed_by: "not ours",
    },
    Mutant {
        without: "comparing the channel",
        file: DECIDE,
        guard: "(!channel_fits, Rejection::Channel),",
        switched: "(!ON && !channel_fits, Rejection::Channel),",
        noticed_by: "not ours",
    },
    Mutant {
        without: "leaving older news alone",
        file: DECIDE,
        guard: "if !is_news(order, seen)",
        switched: "if (!ON && !is_news(order, seen))",
        noticed_by: "paid",
    },
    Mutant {
        without: "knowing a look from before all went back",
        file: DECIDE,
        guard: "OrderStatus::Cancelled if order.received.is_some() => Decision::Stay,",
        switched: "OrderStatus::Cancelled if !ON && order.received.is_some() => Decision::Stay,",
        noticed_by: "gone before anybody looked",
    },
    Mutant {
        without: "leaving a row its outcome when an answer comes",
        file: LEDGER,
        guard: ".find(|c| c.number == number && c.status == CancellationStatus::Intended)",
        switched: ".find(|c| c.number == number && (ON || c.status == CancellationStatus::Intended))",
        noticed_by: "cancelled, the PG decides later",
    },
    Mutant {
        without: "leaving a row its outcome when PortOne's list is old",
        file: LEDGER,
        guard: "if matches!(row.status, CancellationStatus::Intended | CancellationStatus::Requested) {",
        switched: "if ON || matches!(row.status, CancellationStatus::Intended | CancellationStatus::Requested) {",
        noticed_by: "cancelled, the PG decides later",
    },
    Mutant {
        without: "knowing that no answer is no outcome",
        file: LEDGER,
        guard: "CancellationOutcome::Unknown => return Decision::Stay,",
        switched: "CancellationOutcome::Unknown => { if !ON { return Decision::Stay } row.status = CancellationStatus::Failed; }",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "waiting for the return that is under way",
        file: LEDGER,
        guard: "if open || balance == 0",
        switched: "if (!ON && open) || balance == 0",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "asking again only when V1 is done with the call before",
        file: LEDGER,
        guard: "if look.at < row.asked_again_at.unwrap_or(row.at).plus_minutes(V1_CALL_MINUTES) {",
        switched: "if !ON && look.at < row.asked_again_at.unwrap_or(row.at).plus_minutes(V1_CALL_MINUTES) {",
        noticed_by: "wrong amount, V1",
    },
    Mutant {
        without: "writing down that V1 is asked again",
        file: LEDGER,
        guard: "row.asked_again_at = Some(look.at);",
        switched: "if !ON { row.asked_again_at = Some(look.at); }",
        noticed_by: "wrong amount, V1",
    },
    Mutant {
        without: "knowing a return by PortOne's name for it",
        file: LEDGER,
        guard: "position(|ours| ours.portone_id.as_ref() == Some(&theirs.id));",
        switched: "position(|ours| !ON && ours.portone_id.as_ref() == Some(&theirs.id));",
        noticed_by: "cancelled, the PG decides later",
    },
    Mutant {
        without: "knowing one's own return in PortOne's list",
        file: LEDGER,
        guard: "&& ours.amount > 0",
        switched: "&& ours.amount > 0 && !ON",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "taking a row for one return only",
        file: LEDGER,
        guard: "ours.portone_id.is_none()",
        switched: "(ON || ours.portone_id.is_none())",
        noticed_by: "cancelled in parts",
    },
    Mutant {
        without: "keeping a refused row out of what succeeds later",
        file: LEDGER,
        guard: "_ => ours.status != CancellationStatus::Failed,",
        switched: "_ => ON || ours.status != CancellationStatus::Failed,",
        noticed_by: "cancelled in parts",
    },
    Mutant {
        without: "telling the console's returns from ours",
        file: LEDGER,
        guard: "&& theirs.by_api",
        switched: "&& (ON || theirs.by_api)",
        noticed_by: "cancelled in parts",
    },
    Mutant {
        without: "waiting for what is only on its way back",
        file: LEDGER,
        guard: "row.balance_before > most };",
        switched: "if ON { row.balance_before != balance } else { row.balance_before > most } };",
        noticed_by: "cancelled twice by one key",
    },
    Mutant {
        without: "knowing a request that is repeated",
        file: CANCEL,
        guard: "let made = order.cancellations.iter().find(made);",
        switched: "let made = order.cancellations.iter().find(made).filter(|_| !ON);",
        noticed_by: "cancelled twice by one key",
    },
    Mutant {
        without: "answering a request that is repeated by what it came to",
        file: CANCEL,
        guard: "if !order.is_open() || !row.is_closing() {",
        switched: "if !ON && (!order.is_open() || !row.is_closing()) {",
        noticed_by: "cancelled twice by one key",
    },
    Mutant {
        without: "one cancellation at a time",
        file: CANCEL,
        guard: "if order.open_cancellation().is_some() {",
        switched: "if !ON && order.open_cancellation().is_some() {",
        noticed_by: "cancelled in parts",
    },
    Mutant {
        without: "waiting for the PG before an operator closes an order",
        file: CANCEL,
        guard: "if !is_without_money(seen, false) {",
        switched: "if !ON && !is_without_money(seen, false) {",
        noticed_by: "undecided",
    },
    Mutant {
        without: "closing the account before an operator closes the order",
        file: CANCEL,
        guard: "if !closed && may_take_deposit(order, seen) && whole {",
        switched: "if !ON && !closed && may_take_deposit(order, seen) && whole {",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "telling a part of an unpaid order from the whole",
        file: CANCEL,
        guard: "if !whole {",
        switched: "if !ON && !whole {",
        noticed_by: "undecided",
    },
    Mutant {
        without: "waiting for an order's time",
        file: EXPIRY,
        guard: "(look.at < order.due() && !closing)",
        switched: "(!ON && look.at < order.due() && !closing)",
        noticed_by: "paid",
    },
    Mutant {
        without: "leaving closed orders alone",
        file: EXPIRY,
        guard: "if !order.is_open() ||",
        switched: "if (!ON && !order.is_open()) ||",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "closing the account before the order expires",
        file: EXPIRY,
        guard: "if !closed && may_take_deposit(order, seen) {",
        switched: "if !ON && !closed && may_take_deposit(order, seen) {",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "knowing of an account that PortOne did not show yet",
        file: EXPIRY,
        guard: "return order.virtual_account.is_some() };",
        switched: "return !ON && order.virtual_account.is_some() };",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "waiting for the PG before the order expires",
        file: EXPIRY,
        guard: "if !is_without_money(seen, closed) {",
        switched: "if !ON && !is_without_money(seen, closed) {",
        noticed_by: "paid",
    },
    Mutant {
        without: "giving the stock back",
        file: COMMIT,
        guard: "next.holds_stock = next.has_stock() && keeps_stock(next.status);",
        switched: "if !ON { next.holds_stock = next.has_stock() && keeps_stock(next.status); }",
        noticed_by: "paid",
    },
    Mutant {
        without: "ending the intent to close an order",
        file: COMMIT,
        guard: "if !next.is_open() {",
        switched: "if !ON && !next.is_open() {",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "asking whether an operator closes the order, before it is approved",
        file: CONFIRM,
        guard: "if order.cancellations.iter().any(Cancellation::is_closing) {",
        switched: "if !ON && order.cancellations.iter().any(Cancellation::is_closing) {",
        noticed_by: "confirmed",
    },
    Mutant {
        without: "comparing the amount before it is approved",
        file: CONFIRM,
        guard: "total != order.total.amount {",
        switched: "!ON && total != order.total.amount {",
        noticed_by: "confirmed",
    },
    Mutant {
        without: "looking at the clock before it is approved",
        file: CONFIRM,
        guard: "now > order.due() {",
        switched: "!ON && now > order.due() {",
        noticed_by: "confirmed",
    },
    Mutant {
        without: "looking again while an outcome of a paid order is unknown",
        file: LOOK,
        guard: "undecided.map(after).or_else(|| revisit(order, now))",
        switched: "undecided.filter(|_| !ON).map(after).or_else(|| revisit(order, now))",
        noticed_by: "undecided",
    },
    Mutant {
        without: "looking again while money has to go back",
        file: LOOK,
        guard: "OrderStatus::Rejected if order.balance() > 0 => {",
        switched: "OrderStatus::Rejected if ON => None,\n OrderStatus::Rejected if order.balance() > 0 => {",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "looking again at an order that waits",
        file: LOOK,
        guard: "Some(meeting(order.expires_at, after(order.created_at)))",
        switched: "Some(meeting(order.expires_at, after(order.created_at))).filter(|_| !ON)",
        noticed_by: "paid",
    },
    Mutant {
        without: "looking again at an order with a virtual account",
        file: LOOK,
        guard: "Some(meeting(order.due(), after(order.created_at)))",
        switched: "Some(meeting(order.due(), after(order.created_at))).filter(|_| !ON)",
        noticed_by: "virtual account, closed as failed",
    },
    Mutant {
        without: "telling once of what is to be sent",
        file: EVENT,
        guard: "(after.received.is_some() && !paid_before && !rejected, EventKind::OrderPaid),",
        switched: "(after.received.is_some() && (ON || !paid_before) && !rejected, EventKind::OrderPaid),",
        noticed_by: "cancelled in parts",
    },
    Mutant {
        without: "the condition of the version",
        file: TABLE,
        guard: "if current.version != before.version {",
        switched: "if !ON && current.version != before.version {",
        noticed_by: "late money",
    },
    Mutant {
        without: "the mark: another's write of the same is taken for one's own",
        file: TABLE,
        guard: "if self.written_by == mark {",
        switched: "if self.written_by == mark || (ON && Held::new(next.clone()).print() == current.print()) {",
        noticed_by: "wrong amount, V1",
    },
    Mutant {
        without: "the condition of the stock",
        file: TABLE,
        guard: "if self.stock < PIECES {",
        switched: "if !ON && self.stock < PIECES {",
        noticed_by: "late money",
    },
    Mutant {
        without: "moving stock only where the order's changes",
        file: TABLE,
        guard: "if before.holds_stock && !next.holds_stock {",
        switched: "if (ON || before.holds_stock) && !next.holds_stock {",
        noticed_by: "wrong amount",
    },
    Mutant {
        without: "writing the intent down before the call",
        file: STEPS,
        guard: "if !write {",
        switched: "if ON && ask.is_some() || !write {",
        noticed_by: "wrong amount, V1",
    },
];
