//! The model's mirror of the flows, held against the flows: in each situation each process has to make the same
//! calls in the same order, and write the same, as the model's steps do. What the steps do is told by the steps.
//!
//! `ASSURANCE_SITUATION` names some situations by a part of how they are told, such as `PaysAnotherSum`.

use std::sync::{Arc, Mutex, PoisonError};

use end_to_end::{Placed, Shop, schedule::console_cancel, shop::basket};
use local_stack::{
    Backend,
    wire::{Fault, Request, Rule},
};
use model::acts::{self, Act as Seen, News, Role, Situation, TOTAL, Want, Work, Written};
use order::{Generation, LatePayment, PaymentStatus};
use portone_simulator::{Act, CancelMode, Press};
use serde_json::Value;

use crate::{
    lanes::side_by_side,
    model::{COUNTED, STOCK, Story},
    operation::{self, for_an_account, overdue},
};

/// What happens before, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// A window is opened, and this is pressed in it.
    Pays,
    PaysAnotherSum,
    Fails,
    IsSlow,
    IsIssuedAnAccount,
    Deposits,
    /// A part goes back in the console.
    Console,
    TimeIsOver,
    /// Another buyer takes the piece that the order gave back.
    Sold,
    /// A process runs to its end.
    Runs(Process),
    /// A process dies when it asks for money.
    Dies(Process),
}

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Process {
    Page,
    Webhook,
    Schedule,
    Whole,
    Part,
    /// [`Process::Part`] once more, by its key.
    PartAgain,
    Confirm,
}

use {Before as B, Process as P};

/// How PortOne's PG takes a call that asks for money.
const HOWS: [Work; 3] = [Work::Do, Work::Refuse, Work::Later];

/// Each of these, and then each process.
const SITUATIONS: &[&[Before]] = &[
    &[],
    &[B::Fails],
    &[B::Fails, B::Runs(P::Page), B::Pays],
    &[B::IsSlow],
    &[B::IsSlow, B::Runs(P::Webhook)],
    &[B::IsIssuedAnAccount],
    &[B::IsIssuedAnAccount, B::Runs(P::Page)],
    &[B::IsIssuedAnAccount, B::Runs(P::Page), B::TimeIsOver],
    &[B::IsIssuedAnAccount, B::Runs(P::Page), B::Deposits],
    &[B::TimeIsOver],
    &[B::TimeIsOver, B::Runs(P::Schedule)],
    &[B::Fails, B::TimeIsOver, B::Runs(P::Schedule), B::Pays],
    &[B::Fails, B::TimeIsOver, B::Runs(P::Schedule), B::Sold, B::Pays],
    &[B::Fails, B::TimeIsOver, B::Runs(P::Schedule), B::PaysAnotherSum],
    &[B::TimeIsOver, B::Pays],
    &[B::Pays],
    &[B::Pays, B::Console],
    &[B::Pays, B::Runs(P::Page)],
    &[B::Pays, B::Runs(P::Webhook), B::Console],
    &[B::Pays, B::Runs(P::Part)],
    &[B::Pays, B::Runs(P::Whole)],
    &[B::Pays, B::Runs(P::Page), B::Dies(P::Part)],
    &[B::Pays, B::Runs(P::Page), B::Dies(P::Part), B::Console],
    &[B::Pays, B::Runs(P::Page), B::Dies(P::Whole)],
    &[B::PaysAnotherSum],
    &[B::PaysAnotherSum, B::Console],
    &[B::PaysAnotherSum, B::Runs(P::Page)],
    &[B::PaysAnotherSum, B::Dies(P::Page)],
    &[B::PaysAnotherSum, B::Dies(P::Webhook), B::Console],
    &[B::Runs(P::Whole)],
    &[B::Fails, B::Runs(P::Whole), B::Pays],
];

const PROCESSES: [Process; 7] =
    [P::Page, P::Webhook, P::Schedule, P::Whole, P::Part, P::PartAgain, P::Confirm];

impl Process {
    fn role(self) -> Role {
        let want = |key, amount| Role::Cancel(Want { key, amount });
        match self {
            P::Page | P::Webhook => Role::Look,
            P::Schedule => Role::Schedule,
            P::Whole => want(1, None),
            P::Part | P::PartAgain => want(2, Some(1)),
            P::Confirm => Role::Confirm(TOTAL),
        }
    }

    fn function(self) -> &'static str {
        match self {
            P::Page => "verify-payment",
            P::Webhook => "webhook",
            P::Schedule => "reconcile",
            P::Whole | P::Part | P::PartAgain => "cancel-order",
            P::Confirm => "confirm-payment",
        }
    }
}

/// One situation, in the model and in a shop.
struct Told {
    generation: Generation,
    mirror: Situation,
    story: Story,
    imp_uid: String,
    /// By what PortOne is asked about it.
    names: Arc<Mutex<Vec<String>>>,
    calls: Arc<Mutex<Vec<Seen>>>,
}

/// Whether there is such a thing for this generation.
fn exists(generation: Generation, before: &[Before], process: Process) -> bool {
    let slow = before.contains(&B::IsSlow);
    let asks = process == P::Confirm || before.contains(&B::Runs(P::Confirm));
    // V1 has no word for a payment that its PG thinks about, and its question is another one.
    generation == Generation::V2 || !(slow || asks)
}

impl Told {
    async fn begin(shop: &Shop, generation: Generation, before: &[Before]) -> Self {
        let account = before.contains(&B::IsIssuedAnAccount);
        let body = if account { for_an_account() } else { basket(COUNTED, 2) };
        let placed = match generation {
            Generation::V1 => shop.placed_v1_for(body).await,
            Generation::V2 => shop.placed_for(&body).await,
        };
        let mirror = Situation::new(generation, LatePayment::Accept);
        let names = Arc::new(Mutex::new(vec![placed.id.clone()]));
        let calls = Arc::default();
        Self { generation, mirror, story: Story::of(placed), imp_uid: String::new(), names, calls }
    }

    fn order(&self) -> &Placed {
        &self.story.placed
    }

    async fn press(&mut self, shop: &Shop, button: Press, news: impl Fn(usize) -> News) {
        let attempt = self.mirror.newest_attempt().map_or(0, |last| last + 1);
        assert!(self.mirror.happen(news(attempt)), "PortOne lets it happen in the model");
        match self.generation {
            Generation::V1 => {
                self.imp_uid = shop.press_v1(self.order(), button).await;
                self.names.lock().unwrap_or_else(PoisonError::into_inner).push(self.imp_uid.clone());
            }
            Generation::V2 => drop(shop.press(self.order(), button).await),
        }
    }

    async fn happens(&mut self, shop: &Shop, before: Before) {
        let attempt = |status| move |at| News::Attempt(at, status);
        match before {
            B::Pays => self.press(shop, Press::Pay, |at| News::Paid(at, TOTAL)).await,
            B::PaysAnotherSum => self.press(shop, Press::Tamper, |at| News::Paid(at, TOTAL + 2)).await,
            B::Fails => self.press(shop, Press::Decline, attempt(PaymentStatus::Failed)).await,
            B::IsSlow => self.press(shop, Press::Slow, attempt(PaymentStatus::PayPending)).await,
            B::IsIssuedAnAccount => {
                self.press(shop, Press::Issue, attempt(PaymentStatus::VirtualAccountIssued)).await;
            }
            B::Deposits => {
                assert!(self.mirror.happen(News::Paid(0, TOTAL)));
                shop.portone().act(&self.order().id, &Act::Deposit { amount: None }).unwrap();
            }
            B::Console => {
                assert!(self.mirror.happen(News::Console(1)));
                shop.portone().act(&self.order().id, &console_cancel(Some(100))).unwrap();
            }
            B::TimeIsOver => {
                self.mirror.wait(31);
                overdue(shop, &mut self.story);
            }
            B::Sold => {
                assert!(self.mirror.sell());
                shop.set_stock(COUNTED, 0);
            }
            B::Runs(process) => drop(self.run(shop, process, Work::Do, false).await),
            B::Dies(process) => drop(self.run(shop, process, Work::Do, true).await),
        }
    }

    /// Runs a process in both, and answers what it did in each: first the model's.
    async fn run(
        &mut self,
        shop: &Shop,
        process: Process,
        how: Work,
        dies: bool,
    ) -> Option<(Vec<Seen>, Vec<Seen>)> {
        if process == P::Schedule && !self.mirror.becomes_due() {
            return None;
        }
        let by_page = matches!(process, P::Page | P::Webhook) && self.generation == Generation::V1;
        let claim = self.mirror.newest_attempt().filter(|_| by_page);
        let mirrored = self.mirror.acts(process.role(), claim, how, dies);
        let mode = match how {
            Work::Do => None,
            Work::Refuse => Some(CancelMode::RefuseByPg),
            Work::Later => Some(CancelMode::Async),
        };
        if let Some(mode) = mode {
            let _ = shop.portone().set_cancel_mode(&self.order().id, mode, None);
        }
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let dying = dies.then(|| {
            let (backend, asks) = match self.generation {
                Generation::V1 => (Backend::PortoneV1, "POST /payments/cancel"),
                Generation::V2 => (Backend::Portone, "POST /payments/{paymentId}/cancel"),
            };
            let rule = Rule::on(asks).times(1);
            let killed = Fault::CallBefore(shop.stack.killer(process.function()));
            (backend, shop.stack.wire(backend).inject(rule, killed))
        });
        self.ask(shop, process).await;
        if let Some((backend, injected)) = dying {
            shop.stack.wire(backend).remove(&injected);
            assert_eq!(injected.hits(), 1, "{process:?} dies when it asks");
        }
        let calls = std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner));
        Some((acts::settled_order(mirrored), acts::settled_order(calls)))
    }

    async fn ask(&self, shop: &Shop, process: Process) {
        let order = self.order();
        match (process, self.generation, self.imp_uid.as_str()) {
            (P::Page, Generation::V2, _) => drop(shop.verify(&order.id).await),
            (P::Page, Generation::V1, "") => drop(shop.verify_v1_order(order).await),
            (P::Page, Generation::V1, imp_uid) => drop(shop.verify_v1(imp_uid, order).await),
            (P::Webhook, Generation::V1, imp_uid) if !imp_uid.is_empty() => {
                drop(shop.deliver_v1(imp_uid, order, "paid").await);
            }
            (P::Webhook, ..) => drop(shop.deliver_about("Transaction.Paid", &order.id).await),
            (P::Schedule, ..) => {
                shop.make_due(order);
                drop(shop.stack.run_schedule("reconcile").await);
            }
            (P::Whole, ..) => drop(shop.cancel_amount(order, &format!("whole-{}", order.id), None).await),
            (P::Part | P::PartAgain, ..) => {
                drop(shop.cancel_amount(order, &format!("part-{}", order.id), Some(100)).await);
            }
            (P::Confirm, ..) => drop(operation::question(shop, order).await),
        }
    }

    /// Writes down every call about the order from now on.
    fn listen(&self, shop: &Shop) {
        for backend in [Backend::DynamoDb, Backend::Portone, Backend::PortoneV1] {
            let (calls, about) = (self.calls.clone(), About::of(self));
            let listener = Rule::any().when(move |request| {
                let act = about.act(backend, request);
                calls.lock().unwrap_or_else(PoisonError::into_inner).extend(act);
                false
            });
            shop.stack.wire(backend).inject(listener, Fault::Throttle);
        }
    }
}

/// What makes a call one about an order.
struct About {
    key: String,
    names: Arc<Mutex<Vec<String>>>,
}

impl About {
    fn of(told: &Told) -> Self {
        Self { key: format!("ORDER#{}", &told.order().id[10..]), names: told.names.clone() }
    }

    fn is_named(&self, request: &Request) -> bool {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.iter().any(|name| request.mentions(name))
    }

    /// What a call is, if it is about the order's item or its payment. Findings, watermarks and lists are not.
    fn act(&self, backend: Backend, request: &Request) -> Option<Seen> {
        let body = request.json();
        let is_order = |of: &Value| of["Key"]["PK"]["S"] == self.key;
        match (backend, request.operation.as_str()) {
            (Backend::DynamoDb, "GetItem") => is_order(&body).then_some(Seen::ReadOrder),
            (Backend::DynamoDb, "UpdateItem") if is_order(&body) => Some(written(&body, false)),
            (Backend::DynamoDb, "TransactWriteItems") => {
                let items = body["TransactItems"].as_array()?;
                let update = items.iter().map(|item| &item["Update"]).find(|item| is_order(item))?;
                Some(written(update, true))
            }
            (Backend::DynamoDb, _) => None,
            _ if !self.is_named(request) => None,
            (Backend::Portone, "GET /payments/{paymentId}") => Some(Seen::ReadPayment),
            (Backend::Portone, "POST /payments/{paymentId}/cancel") => Some(Seen::AskForMoney),
            (Backend::Portone, operation) if operation.ends_with("/close") => Some(Seen::CloseAccount),
            (Backend::PortoneV1, "POST /payments/cancel") => Some(Seen::AskForMoney),
            (Backend::PortoneV1, operation) if operation.starts_with("DELETE /vbanks") => {
                Some(Seen::CloseAccount)
            }
            (Backend::PortoneV1, operation) if operation.starts_with("GET /payments/") => {
                (!request.path.contains("/status/")).then_some(Seen::ReadPayment)
            }
            _ => None,
        }
    }
}

/// What an update of an order's item writes.
fn written(update: &Value, moves_stock: bool) -> Seen {
    let values = &update["ExpressionAttributeValues"];
    let text = |value: &Value| value["S"].as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<u64>().ok());
    if values[":entries"].is_null() {
        return Seen::Plan;
    }
    let received = &values[":received"]["M"];
    let row = |row: &Value| {
        let row = &row["M"];
        let number = number(&row["number"]).and_then(|number| u32::try_from(number).ok());
        (number.unwrap_or_default(), text(&row["origin"]), text(&row["status"]))
    };
    let mut rows: Vec<_> = values[":cancellations"]["L"].as_array().into_iter().flatten().map(row).collect();
    rows.sort();
    Seen::Write(Written {
        status: text(&values[":status"]),
        received: received.is_object(),
        returned: Written::share(
            number(&values[":returned"]).unwrap_or_default(),
            number(&received["amount"]).unwrap_or_default(),
        ),
        holds_stock: values[":holdsStock"]["BOOL"] == true,
        moves_stock,
        looks_again: !values[":lookAt"].is_null(),
        rows,
    })
}

/// Every process in one situation, each on an order of its own. What differs.
async fn tell(generation: Generation, before: &'static [Before]) -> (usize, Vec<String>) {
    let shop = operation::open().await;
    let (mut compared, mut faults) = (0, Vec::new());
    let asks = |acts: &[Seen]| acts.contains(&Seen::AskForMoney);
    for process in PROCESSES.into_iter().filter(|process| exists(generation, before, *process)) {
        for how in HOWS {
            shop.set_stock(COUNTED, u32::try_from(STOCK).unwrap());
            let mut told = Told::begin(&shop, generation, before).await;
            told.listen(&shop);
            for one in before {
                told.happens(&shop, *one).await;
            }
            let Some((mirrored, real)) = told.run(&shop, process, how, false).await else { break };
            shop.stack.heal();
            compared += 1;
            // Then the schedule goes through PortOne's list, and looks again at what differs. That changes nothing.
            let again = [Seen::ReadOrder, Seen::ReadPayment];
            let looked = real.strip_suffix(&again).filter(|_| process == P::Schedule);
            if mirrored != real && looked != Some(&mirrored[..]) {
                let lines =
                    |acts: &[Seen]| acts.iter().map(|act| format!("\n    {act:?}")).collect::<String>();
                faults.push(format!(
                    "{generation:?} {before:?}, then {process:?} {how:?}:\n  the mirror{}\n  the functions{}",
                    lines(&mirrored),
                    lines(&real)
                ));
            }
            // The PG has a say only where it is asked. Once of a look and once of an operator is enough.
            if !asks(&mirrored) || !matches!(process, P::Page | P::Part) {
                break;
            }
        }
    }
    (compared, faults)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_functions_make_the_calls_that_the_models_steps_make_in_their_order() {
    let begun = std::time::Instant::now();
    let both = [Generation::V2, Generation::V1];
    let all = both.into_iter().flat_map(|generation| SITUATIONS.iter().map(move |one| (generation, *one)));
    let wanted = std::env::var("ASSURANCE_SITUATION").unwrap_or_default();
    let possible = all.filter(|(generation, before)| exists(*generation, before, P::Page));
    let possible = possible.filter(|(_, before)| format!("{before:?}").contains(&wanted));
    let told = side_by_side(possible.map(|(generation, before)| tell(generation, before))).await;
    let compared: usize = told.iter().map(|(compared, _)| compared).sum();
    println!("mirror: {compared} runs compared with the model's steps in {:.0?}", begun.elapsed());
    let faults: Vec<_> = told.into_iter().flat_map(|(_, faults)| faults).collect();
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}
