//! The model's own ground: that states which count as one are one, and that its PortOne and its table do what
//! the promises lean on.

use std::{
    collections::{BTreeSet, HashSet, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use order::{CancellationOutcome, Order, OrderStatus};
use stateright::{Checker as _, Model as _};

use crate::{
    portone::{Asks, Portone, Stage, Work},
    process::Step,
    scenario::{News, QUICK, Role, Scenario, TOTAL},
    state::State,
    system::{Action, System},
    table::Advanced,
};

fn scenario(name: &str) -> Scenario {
    QUICK.iter().find(|one| one.name == name).unwrap().clone()
}

fn print(state: &State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn merging_states_that_count_as_one_loses_none() {
    for (name, roles) in [
        ("wrong amount", &[Role::Look, Role::Schedule][..]),
        ("wrong amount, V1", &[Role::Look, Role::Look][..]),
        ("late money", &[Role::Look, Role::Schedule][..]),
    ] {
        let system = System { scenario: Scenario { roles, reaches: &[], ..scenario(name) } };
        let merged = system.clone().checker().spawn_bfs().join().unique_state_count();
        // The same once more, and only what is the same to the last version and mark counts as one.
        let (mut known, mut prints) = (HashSet::new(), BTreeSet::new());
        let mut open = VecDeque::from(system.init_states());
        while let Some(state) = open.pop_front() {
            if known.insert(format!("{state:?}")) {
                prints.insert(print(&state));
                open.extend(system.next_states(&state));
            }
        }
        assert!(known.len() > merged, "{name}: {merged} of {}", known.len());
        assert_eq!(prints.len(), merged, "{name}");
    }
}

#[test]
fn processes_of_one_role_are_interchangeable_and_others_are_not() {
    let begun = |roles, index| {
        let scenario = Scenario { roles, ..scenario("paid") };
        let mut state = State::begin(&scenario);
        state.step(index, Step::Start(None, 0), scenario.late);
        print(&state)
    };
    let (same, other) = (&[Role::Look, Role::Look][..], &[Role::Look, Role::Schedule][..]);
    assert_eq!(begun(same, 0), begun(same, 1));
    assert_ne!(begun(other, 0), begun(other, 1));
}

#[test]
fn of_two_writers_with_one_copy_the_second_is_stale_and_its_own_write_is_known_by_its_mark() {
    let mut table = State::begin(&scenario("paid")).table;
    let before = table.order.clone();
    let next = Order { journal: vec![], ..Order::clone(&before) };
    let (first, second) = (table.mark(), table.mark());
    assert!(matches!(table.advance(&before, &next, first), Advanced::Stored(_)));
    assert!(matches!(table.advance(&before, &next, second), Advanced::Stale(_)));
    assert!(matches!(table.advance(&before, &next, first), Advanced::Stored(_)), "sent again");
}

#[test]
fn portone_answers_a_key_the_same_for_three_hours_and_then_looks_at_the_balance() {
    let mut portone = Portone::new(&scenario("paid"));
    portone.happen(News::Paid(0, TOTAL), 0);
    let mut ask = |now| {
        portone.send(
            0,
            Asks::Cancel {
                through: order::Generation::V2,
                attempt: 0,
                number: 1,
                amount: Some(1),
                tax_free: 0,
                balance: TOTAL,
            },
        );
        portone.work(0, Work::Do, now);
        let call = portone.calls.remove(0);
        let Stage::Cancelled(outcome) = call.stage else { panic!("{call:?}") };
        (outcome, portone.attempts[0].returned())
    };
    let done = CancellationOutcome::Succeeded { portone_id: Some("r1".to_owned()) };
    assert_eq!(ask(0), (done.clone(), 1));
    assert_eq!(ask(179), (done, 1));
    assert!(matches!(ask(180), (CancellationOutcome::Failed { .. }, 1)));
}

#[test]
fn an_order_that_nobody_looks_at_heals_and_one_whose_money_nobody_can_find_does_not() {
    let paid = scenario("paid");
    let mut state = State::begin(&paid);
    assert_eq!(state.heal(&paid), Ok(()));
    state.portone.happen(News::Paid(0, TOTAL), 0);
    assert_eq!(state.heal(&paid), Ok(()));
    // Neither the order's own date nor PortOne's list brings anybody to look.
    state.table.plan_look(&state.table.order.clone(), None);
    state.compared = vec![u8::MAX];
    assert_eq!(state.heal(&paid), Err("no payment is lost"));
    assert_eq!(state.table.order.status, OrderStatus::Pending);
}

#[test]
fn time_passes_only_while_nothing_is_under_way() {
    let system = System { scenario: scenario("paid") };
    let state = State::begin(&system.scenario);
    let passes = |state: &State| {
        let mut actions = Vec::new();
        system.actions(state, &mut actions);
        actions.contains(&Action::Time)
    };
    let begun = system.next_state(&state, Action::Process(0, Step::Start(None, 0))).unwrap();
    assert_eq!((passes(&state), passes(&begun)), (true, false));
}
