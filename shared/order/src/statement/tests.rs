//! A payment and its returns as PortOne could show them, and what the books make of it.

use super::*;
use crate::{
    Actor, CancellationOutcome, Channel, Customer, Decision, Generation, Language, LatePayment, Look, Money,
    Observation, ObservedCancellation, PaidBy, PaymentMode, Personal, Terms,
    audit::imbalances,
    books::{Books, Sums},
    decide,
    observation::ObservedCancellationStatus,
    record_outcome,
};
use proptest::{collection::vec, prelude::*};

/// 2026-11-23 10:00 in Korea.
const MORNING: Timestamp = Timestamp::from_millis(1_795_395_600_000);
const BY: &Actor = &Actor::Portone;

fn later(minutes: u32) -> Timestamp {
    MORNING.plus_minutes(minutes)
}

fn order(total: u64, tax_free: u64) -> Order {
    let order = Order {
        id: OrderId::mint(MORNING, [1; 10]),
        version: 1,
        status: OrderStatus::Pending,
        name: "신발".to_owned(),
        total: Money::new(total, Currency::KRW),
        tax_free,
        lines: Vec::new(),
        customer: Customer { name: Personal::new("홍길동".to_owned()), email: None, phone: None },
        generation: Generation::V2,
        pay_method: PayMethod::Card,
        redirect_url: None,
        unregistered: false,
        created_at: MORNING,
        updated_at: MORNING,
        expires_at: later(30),
        paid_at: None,
        received: None,
        returned: 0,
        sighting: None,
        virtual_account: None,
        last_failure: None,
        rejections: Vec::new(),
        cancellations: Vec::new(),
        disputes: Vec::new(),
        deposit_refund: None,
        holds_stock: false,
        look_at: None,
        language: Language::Korean,
        journal: Vec::new(),
        trace: None,
    };
    order.begun(Look { at: MORNING, by: BY })
}

/// PortOne's side of one payment.
#[derive(Clone, Debug)]
struct Payment {
    total: u64,
    currency: Currency,
    paid_at: Timestamp,
    counted: u64,
    listed: Vec<ObservedCancellation>,
}

impl Payment {
    fn of(order: &Order, paid_at: Timestamp) -> Self {
        let Money { amount, currency } = order.total;
        Self { total: amount, currency, paid_at, counted: 0, listed: Vec::new() }
    }

    /// Money goes back; PortOne counts it, and lists it if `tax_free` is said.
    fn goes_back(&mut self, amount: u64, tax_free: Option<u64>) {
        self.counted += amount;
        self.listed.extend(tax_free.map(|tax_free| ObservedCancellation {
            id: format!("c-{}", self.counted),
            status: ObservedCancellationStatus::Succeeded,
            amount,
            tax_free,
            by_api: false,
            chargeback: false,
            requested_at: None,
        }));
    }

    fn seen(&self) -> Observation {
        let status = match self.counted {
            0 => PaymentStatus::Paid,
            part if part < self.total => PaymentStatus::PartialCancelled,
            _ => PaymentStatus::Cancelled,
        };
        Observation {
            generation: Generation::V2,
            payment_id: OrderId::mint(MORNING, [1; 10]).to_string(),
            transaction_id: "tx-1".to_owned(),
            status,
            changed_at: self.paid_at,
            total: self.total,
            tax_free_left: Some(0),
            discounted: false,
            currency: Some(self.currency),
            store_id: Some("store-a".to_owned()),
            channel: Channel::Live,
            cancelled: self.counted,
            cancellations: self.listed.clone(),
            disputes: Vec::new(),
            deposit_refund: None,
            paid_at: Some(self.paid_at),
            virtual_account: None,
            failure: None,
            paid_by: PaidBy::Card,
            pg: None,
        }
    }
}

/// The order after a look at its payment; what it has to give back goes back.
fn look(order: &Order, payment: &mut Payment, at: Timestamp) -> Order {
    let terms =
        Terms { store_id: "store-a".to_owned(), mode: PaymentMode::Live, late_payment: LatePayment::Accept };
    match decide(order, &payment.seen(), &terms, Look { at, by: BY }) {
        Decision::Stay | Decision::CloseAccount => order.clone(),
        Decision::Write(next) => Order { version: order.version + 1, ..*next },
        Decision::GiveBack { order: next, number, .. } => {
            let next = Order { version: order.version + 1, ..*next };
            let amount = next.balance();
            payment.goes_back(amount, Some(0));
            let done =
                CancellationOutcome::Succeeded { portone_id: payment.listed.last().map(|c| c.id.clone()) };
            match record_outcome(&next, number, &done, Look { at: at.plus_minutes(1), by: BY }) {
                Decision::Write(done) => Order { version: next.version + 1, ..*done },
                other => panic!("an outcome is written down, not {other:?}"),
            }
        }
        Decision::Alarm(anomaly) => panic!("{anomaly:?}"),
    }
}

fn paid(total: u64, tax_free: u64) -> (Order, Payment) {
    let order = order(total, tax_free);
    let mut payment = Payment::of(&order, later(1));
    (look(&order, &mut payment, later(1)), payment)
}

fn parts(order: &Order) -> Vec<(i128, i128, i128)> {
    postings(order).iter().map(|p| (p.split.supply, p.split.vat, p.split.tax_free)).collect()
}

#[test]
fn vat_is_an_eleventh_of_what_is_not_tax_free() {
    assert_eq!(parts(&paid(1000, 0).0), [(909, 91, 0)]);
    assert_eq!(parts(&paid(1000, 400).0), [(545, 55, 400)]);
    assert_eq!(parts(&paid(1000, 1000).0), [(0, 0, 1000)]);
    assert_eq!(parts(&paid(5, 0).0), [(5, 0, 0)]);
}

#[test]
fn what_goes_back_in_parts_takes_the_whole_vat_back_to_the_last_won() {
    let (mut order, mut payment) = paid(100, 0);
    for (minute, part) in (10..).zip([33, 33, 34]) {
        payment.goes_back(part, Some(0));
        order = look(&order, &mut payment, later(minute));
    }
    // One by one each would be rounded to 3 won of VAT.
    assert_eq!(parts(&order), [(91, 9, 0), (-30, -3, 0), (-30, -3, 0), (-31, -3, 0)]);
    let (mut order, mut payment) = paid(16, 0);
    for (minute, part) in (10..).zip([8, 8]) {
        payment.goes_back(part, Some(0));
        order = look(&order, &mut payment, later(minute));
    }
    assert_eq!(parts(&order), [(15, 1, 0), (-7, -1, 0), (-8, 0, 0)]);
}

#[test]
fn a_return_that_does_not_say_its_tax_free_share_cannot_take_more_tax_back_than_was_paid() {
    let (order, mut payment) = paid(1000, 400);
    payment.goes_back(1000, Some(0));
    assert_eq!(parts(&look(&order, &mut payment, later(9))), [(545, 55, 400), (-545, -55, -400)]);
    // Nor more of the tax-free share.
    let (order, mut payment) = paid(1000, 400);
    payment.goes_back(500, Some(500));
    assert_eq!(parts(&look(&order, &mut payment, later(9)))[1], (-91, -9, -400));
}

#[test]
fn what_portone_counts_and_does_not_list_is_on_the_statement_too() {
    let (order, mut payment) = paid(1000, 0);
    payment.goes_back(900, Some(0));
    payment.goes_back(100, None);
    let order = look(&order, &mut payment, later(24 * 60));
    assert_eq!((order.returned, order.cancellations.len()), (1000, 1));
    let list = postings(&order);
    assert_eq!(list.iter().map(|p| p.split.amount()).collect::<Vec<_>>(), [1000, -900, -100]);
    assert_eq!((list[2].at, list[2].kind), (later(24 * 60), PostingKind::Cancellation));
}

#[test]
fn money_that_is_not_the_orders_comes_as_a_payment_and_goes_as_a_return() {
    let order = order(1000, 1000);
    let mut payment = Payment { total: 900, ..Payment::of(&order, later(1)) };
    let order = look(&order, &mut payment, later(2));
    assert_eq!(order.status, OrderStatus::Rejected);
    let kinds: Vec<_> = postings(&order).iter().map(|p| (p.kind, p.split.amount(), p.at)).collect();
    assert_eq!(
        kinds,
        [(PostingKind::Payment, 900, later(1)), (PostingKind::Return, -900, later(3))],
        "the return is dated by when it was done, not by when it was meant"
    );
    assert_eq!(parts(&order)[0], (818, 82, 0), "another amount has none of the order's tax-free share");
}

#[test]
fn an_order_without_money_has_no_posting() {
    let order = order(1000, 0);
    assert_eq!(postings(&order), []);
    let look = Look { at: later(31), by: BY };
    let crate::Overdue::Expire(expired) = crate::overdue(&order, None, look, false) else {
        panic!("it is overdue")
    };
    assert_eq!(postings(&expired), []);
}

#[test]
fn a_payment_belongs_to_its_own_day_until_that_day_is_closed_and_to_the_day_it_was_found_on_after() {
    let midnight = Timestamp::from_millis(MORNING.as_millis() + 14 * 3_600_000);
    let just_before = Timestamp::from_millis(midnight.as_millis() - 1);
    let found = |minutes: u32| {
        let order = order(1000, 0);
        let mut payment = Payment::of(&order, just_before);
        let order = look(&order, &mut payment, midnight.plus_minutes(minutes));
        let posting = postings(&order)[0];
        (posting.day.to_string(), posting.at)
    };
    assert_eq!(found(0), ("2026-11-23".to_owned(), just_before));
    assert_eq!(found(59), ("2026-11-23".to_owned(), just_before));
    assert_eq!(found(60), ("2026-11-24".to_owned(), just_before), "its own day's statement was made");
    assert_eq!(found(3 * 24 * 60), ("2026-11-27".to_owned(), just_before));
}

#[test]
fn a_clock_of_portone_that_runs_ahead_moves_no_payment_into_the_future() {
    let order = order(1000, 0);
    let mut payment = Payment::of(&order, later(14 * 60));
    let order = look(&order, &mut payment, later(14 * 60 - 1));
    assert_eq!(
        (postings(&order)[0].day.to_string(), postings(&order)[0].at),
        ("2026-11-23".to_owned(), later(14 * 60 - 1))
    );
}

#[test]
fn an_order_that_was_cancelled_unpaid_is_posted_when_its_money_came() {
    let order = order(1000, 0);
    let wanted = crate::WantedCancellation::of(
        crate::RequestMark { key: [1; 32], body: [1; 32] },
        None,
        "sold in the shop".to_owned(),
    );
    let by = &Actor::Operator("kim".to_owned());
    let crate::Cancelling::Close { order: closed, .. } =
        crate::cancel::cancel(&order, None, &wanted, Look { at: later(5), by }, false)
    else {
        panic!("it is closed")
    };
    let mut payment = Payment::of(&order, later(3 * 24 * 60));
    let order = look(&closed, &mut payment, later(3 * 24 * 60 + 1));
    assert_eq!(order.status, OrderStatus::Rejected);
    let list = postings(&order);
    assert_eq!(list.iter().map(|p| p.split.amount()).collect::<Vec<_>>(), [1000, -1000]);
    assert_eq!(list[0].day.to_string(), "2026-11-26");
}

#[test]
fn what_came_and_went_before_anybody_looked_is_posted_when_it_was_found() {
    let order = order(1000, 0);
    let mut payment = Payment::of(&order, later(1));
    payment.goes_back(1000, Some(0));
    let order = look(&order, &mut payment, later(2 * 24 * 60));
    assert_eq!(order.status, OrderStatus::Cancelled);
    let days: Vec<_> = postings(&order).iter().map(|posting| posting.day.to_string()).collect();
    assert_eq!(days, ["2026-11-25", "2026-11-25"]);
}

#[test]
fn the_unlisted_rest_is_posted_when_all_of_it_was_back_not_when_a_part_was() {
    let (order, mut payment) = paid(1000, 0);
    payment.goes_back(300, Some(0));
    let order = look(&order, &mut payment, later(10));
    payment.goes_back(700, None);
    let list = postings(&look(&order, &mut payment, later(20)));
    let gone: Vec<_> = list.iter().map(|posting| (posting.split.amount(), posting.at)).collect();
    assert_eq!(gone, [(1000, later(1)), (-300, later(10)), (-700, later(20))]);
}

/// An order at several moments of its life.
#[derive(Clone, Debug)]
struct Story {
    moments: Vec<(Timestamp, Order)>,
}

impl Story {
    fn end(&self) -> &Order {
        &self.moments.last().expect("a story has a beginning").1
    }
}

prop_compose! {
    /// An order of any split that is paid rightly or not, seen soon or late, and given back in parts that
    /// say their tax-free share right, wrong or not at all. `listed`: PortOne lists all that it counts.
    fn any_story(listed: bool)(
        entropy in any::<[u8; 10]>(),
        total in 1_u64..5000,
        share in 0_u64..=5000,
        off in prop_oneof![4 => Just(0_u64), 1 => 1_u64..100],
        dollars in prop::bool::weighted(0.1),
        found_after in prop_oneof![3 => 0_u32..5, 1 => 0_u32..5000],
        steps in vec((0_u32..2000, 1_u64..3000, prop::option::of(0_u64..3000)), 0..6),
    ) -> Story {
        let made = order(total, share.min(total));
        let mut payment = Payment { total: total + off, ..Payment::of(&made, later(1)) };
        if dollars {
            payment.currency = "USD".parse().unwrap();
        }
        let mut at = later(1 + found_after);
        let mut now = look(&made, &mut payment, at);
        let mut moments = vec![(MORNING, made), (at, now.clone())];
        for (gap, part, tax_free) in steps {
            let part = part.min(payment.total - payment.counted);
            if part == 0 {
                continue;
            }
            at = at.plus_minutes(2 + gap);
            let said = tax_free.map(|share| share.min(part));
            payment.goes_back(part, if listed { Some(said.unwrap_or(0)) } else { said });
            now = look(&now, &mut payment, at);
            moments.push((at, now.clone()));
        }
        for (_, order) in &mut moments {
            order.id = OrderId::mint(MORNING, entropy);
        }
        Story { moments }
    }
}

proptest! {
    #[test]
    fn what_is_posted_for_an_order_is_what_it_holds(story in any_story(false)) {
        for (_, order) in &story.moments {
            let received = order.received.map_or(0, |money| i128::from(money.amount));
            let posted = postings(order).iter().map(|p| p.split.amount()).sum::<i128>();
            prop_assert_eq!(posted, received - i128::from(order.returned));
        }
    }

    #[test]
    fn no_part_of_a_split_changes_its_side_and_nothing_is_left_of_an_order_given_back_whole(story in any_story(false)) {
        let order = story.end();
        let mut sum = Split::default();
        for posting in postings(order) {
            let way = if posting.kind == PostingKind::Payment { 1 } else { -1 };
            let Split { supply, vat, tax_free } = posting.split;
            prop_assert!([supply, vat, tax_free].iter().all(|part| part * way >= 0), "{:?}", posting);
            sum += posting.split;
        }
        prop_assert!([sum.supply, sum.vat, sum.tax_free].iter().all(|part| *part >= 0), "{:?}", sum);
        if order.received.is_some_and(|money| money.amount == order.returned) {
            prop_assert_eq!(sum, Split::default());
        }
    }

    #[test]
    fn what_was_posted_once_stays_and_a_closed_day_never_changes(story in any_story(true)) {
        let mut known = Vec::new();
        for (at, order) in &story.moments {
            let now = postings(order);
            prop_assert_eq!(&known[..], &now[..known.len()]);
            for new in &now[known.len()..] {
                prop_assert!(new.day.closes_at() > *at, "{:?} came into a day that was closed", new);
            }
            known = now;
        }
    }

    #[test]
    fn orders_make_the_same_statement_in_whatever_order_they_are_read(
        (stories, shuffled) in vec(any_story(false), 0..8)
            .prop_flat_map(|stories| (Just(stories.clone()), Just(stories).prop_shuffle()))
    ) {
        let made = |stories: &[Story], day| {
            let (mut statement, mut books) = (Statement::new(day), Books::default());
            for story in stories {
                statement.add(story.end());
                books.add(story.end());
            }
            (statement, books)
        };
        for day in stories.iter().flat_map(|story| postings(story.end())).map(|posting| posting.day) {
            let ((one, books), (other, again)) = (made(&stories, day), made(&shuffled, day));
            prop_assert_eq!(one.rows(), other.rows());
            prop_assert_eq!((one.totals(), books), (other.totals(), again));
        }
    }

    #[test]
    fn the_statements_of_all_days_sum_to_what_every_currency_received_less_what_it_returned(
        stories in vec(any_story(false), 0..8)
    ) {
        let mut books = Books::default();
        let mut sums = BTreeMap::<Currency, i128>::new();
        let mut days: Vec<Day> = Vec::new();
        for story in &stories {
            prop_assert_eq!(imbalances(story.end()), []);
            books.add(story.end());
            days.extend(postings(story.end()).iter().map(|posting| posting.day));
        }
        days.sort();
        days.dedup();
        for day in days {
            let mut statement = Statement::new(day);
            stories.iter().for_each(|story| statement.add(story.end()));
            for (currency, kinds) in statement.totals() {
                *sums.entry(currency).or_default() += kinds.values().map(|total| total.split.amount()).sum::<i128>();
            }
        }
        prop_assert!(books.balance(), "{:?}", books);
        for (currency, expected) in &books.sums {
            let held = expected.received - expected.returned + expected.owed();
            prop_assert_eq!(sums.get(currency).copied().unwrap_or_default(), held);
        }
    }
}

#[test]
fn books_that_took_other_money_than_was_ordered_do_not_balance() {
    let (order, mut payment) = paid(1000, 0);
    let balanced = |order: &Order| {
        let mut books = Books::default();
        books.add(order);
        books.balance()
    };
    assert!(balanced(&order));
    assert!(!balanced(&Order { received: Some(Money::new(999, Currency::KRW)), ..order.clone() }));
    assert!(!balanced(&Order { received: Some(Money::new(1000, "USD".parse().unwrap())), ..order.clone() }));
    assert!(!balanced(&Order { returned: 1001, ..order.clone() }), "more went back than came");
    payment.goes_back(400, Some(0));
    let part = look(&order, &mut payment, later(9));
    assert!(balanced(&part));
    assert!(!balanced(&Order { returned: 300, ..part }), "the ledger says 400");
}

#[test]
fn sums_balance_when_paid_is_ordered_and_no_more_went_back_than_came() {
    let sound = Sums { ordered: 9, received: 9, returned: 9, rejected: 5, rejected_returned: 5, posted: 0 };
    assert!(sound.balance());
    assert_eq!((sound.owed(), Sums { rejected_returned: 3, ..sound }.owed()), (0, 2));
    for wrong in [
        Sums { ordered: 8, ..sound },
        Sums { returned: 10, posted: -1, ..sound },
        Sums { rejected_returned: 6, posted: -1, ..sound },
        Sums { posted: 1, ..sound },
    ] {
        assert!(!wrong.balance(), "{wrong:?}");
    }
}
