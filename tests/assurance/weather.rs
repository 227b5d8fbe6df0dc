//! What happens to the calls of a history, told from a seed: each call's fate follows from the seed, the step, the
//! operation and how many of its kind the step made before, and from nothing that depends on time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use end_to_end::Shop;
use local_stack::{
    Backend, Fault,
    wire::{Hook, Request},
};

/// Of a thousand calls, so many meet something.
const OF_THOUSAND: u64 = 120;
/// Longer than the functions give one attempt at a call to AWS.
const LATE: Duration = Duration::from_millis(1_700);

/// Numbers that follow from a seed and from words.
#[derive(Debug, Clone, Copy)]
pub struct Seed(pub u64);

impl Seed {
    /// The number for these words, below `bound`. FNV-1a, then the end of SplitMix64 so that all its bits are used.
    pub fn below(self, words: &[&str], bound: u64) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325 ^ self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in words.iter().flat_map(|word| word.bytes().chain([0xff])) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (hash ^ (hash >> 31)) % bound
    }
}

/// The fate of every call of one history.
pub struct Weather {
    seed: Seed,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    step: usize,
    killer: Option<Hook>,
    seen: BTreeMap<String, usize>,
    told: Vec<String>,
}

impl Weather {
    /// Over every wire of the shop, until it is healed.
    pub fn over(shop: &Shop, seed: Seed) -> Arc<Self> {
        let weather = Arc::new(Self { seed, state: Mutex::default() });
        for backend in [Backend::DynamoDb, Backend::SecretsManager, Backend::Portone, Backend::PortoneV1] {
            let weather = weather.clone();
            shop.stack.wire(backend).choose(Arc::new(move |request| weather.fate(backend, request)));
        }
        weather
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next step begins: `function` does it, and is what dies in it.
    pub fn step(&self, shop: &Shop, number: usize, function: &str) {
        let mut state = self.state();
        state.step = number;
        state.seen.clear();
        state.killer = Some(shop.stack.killer(function));
    }

    /// What happened so far, one line for each call that met something.
    pub fn told(&self) -> Vec<String> {
        let mut told = self.state().told.clone();
        // Of calls side by side either may come first.
        told.sort();
        told
    }

    fn fate(&self, backend: Backend, request: &Request) -> Option<Fault> {
        let mut state = self.state();
        // The schedule begins with another shard each minute: a shard's query is known by its shard.
        let shard = if request.operation == "Query" { shard(request) } else { String::new() };
        let call = format!("{backend:?} {} {shard}", request.operation);
        let nth = state.seen.entry(call.clone()).or_default();
        let n = nth.to_string();
        *nth += 1;
        let step = state.step.to_string();
        let words = [step.as_str(), call.as_str(), n.as_str()];
        let first = n == "0";
        // What breaks off a run of the schedule at one of its 32 shards would leave it to the minute which
        // shards came before: those are only met by what is tried again.
        let is_query = request.operation == "Query";
        if self.seed.below(&words, 1_000) >= OF_THOUSAND || (is_query && !first) {
            return None;
        }
        let which = self.seed.below(&["which", words[0], words[1], words[2]], 24);
        let killer = state.killer.clone()?;
        let (name, fault) = fault(backend, is_query, which, killer)?;
        let line = format!("step {step}: {call} {n}: {name}");
        state.told.push(line);
        Some(fault)
    }
}

fn shard(request: &Request) -> String {
    let body = request.json();
    let values = body["ExpressionAttributeValues"].as_object().cloned().unwrap_or_default();
    let texts: Vec<_> = values.values().filter_map(|value| value["S"].as_str().map(str::to_owned)).collect();
    texts.join(" ")
}

/// One of what can happen to a call, by its number.
fn fault(backend: Backend, is_query: bool, which: u64, killer: Hook) -> Option<(&'static str, Fault)> {
    let aws = matches!(backend, Backend::DynamoDb | Backend::SecretsManager);
    let slow = Fault::SlowBody { bytes: 32, pause: Duration::from_millis(1) };
    Some(match which {
        0..=2 => ("throttled", Fault::Throttle),
        3..=5 => ("500", Fault::ServerError),
        6..=7 => ("reset before", Fault::ResetBefore),
        8..=10 => ("reset after", Fault::ResetAfter),
        11 => ("half a body", Fault::HalfBody),
        12 => ("slow body", slow),
        13 => ("503 as a page", Fault::html(503)),
        _ if is_query => return None,
        14 if backend == Backend::DynamoDb => ("conflict", Fault::TransactionConflict),
        15 if aws => ("answered too late", Fault::DelayAfter(LATE)),
        14 | 15 => ("200 as a page", Fault::html(200)),
        16..=19 => ("killed before", Fault::CallBefore(killer)),
        _ => ("killed after", Fault::CallAfter(killer)),
    })
}
