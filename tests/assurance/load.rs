//! Load: orders that come evenly at growing rates, and then many at one moment, through real processes with the
//! distance of the cloud before their backends. Nothing is lost, and the times are in a chart,
//! `target/assurance/load.svg`. `LOAD_SECONDS` and `LOAD_RATES` say how long and how many a second.

use std::{
    env, fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::{Answer, Placed, Shop, setting, shop::basket};
use futures::future::join_all;
use local_stack::Backend;

use crate::{
    chart::{self, Line},
    lanes::progress,
    model::{self, COUNTED, STOCK, Story},
    quiet::come_to_rest,
};

/// Of each function.
const ENVIRONMENTS: usize = 12;
/// Orders at one moment.
const BURST: usize = 40;
/// Times that somebody who is told to try again does so.
const TRIES: u32 = 100;
/// The functions' calls take this long on their way, as they do in one region; PortOne is a house farther.
const DISTANCES: [(Backend, u64); 4] =
    [(Backend::DynamoDb, 4), (Backend::SecretsManager, 10), (Backend::Portone, 60), (Backend::PortoneV1, 60)];

/// A buyer's way, and the times of its two requests; those that were put off count from the first try.
struct Bought {
    placed: Placed,
    create: Duration,
    verify: Duration,
    put_off: u32,
}

async fn buy(shop: Arc<Shop>, key: String) -> Bought {
    let body = basket(COUNTED, 1);
    let (created, create, first) = patiently(|| shop.order_once(&key, &body)).await;
    let placed = Placed::of(created.expect(201));
    shop.pay(&placed).await;
    let (verified, verify, second) = patiently(|| shop.verify(&placed.id)).await;
    assert_eq!(verified.expect(200)["status"], "PAID");
    Bought { placed, create, verify, put_off: first + second }
}

/// Asks again when told to; how long it took in all, and how many times it was put off.
async fn patiently<F: Future<Output = Answer>>(ask: impl Fn() -> F) -> (Answer, Duration, u32) {
    let sent = Instant::now();
    for put_off in 0..TRIES {
        let answer = ask().await;
        // API Gateway's 500, of a process that did not start in time on a machine with too little of it. One of
        // ours has a code, and is a failure.
        let of_the_gateway = answer.status == 500 && answer.json()["code"].is_null();
        if !of_the_gateway && !matches!(answer.status, 429 | 503) {
            return (answer, sent.elapsed(), put_off);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("put off {TRIES} times")
}

fn percentile(mut times: Vec<Duration>, percent: usize) -> f64 {
    times.sort_unstable();
    times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1_000.0
}

fn rates() -> Vec<u64> {
    let text = env::var("LOAD_RATES").unwrap_or_else(|_| "2,5,10,20".to_owned());
    text.split(',').map(|rate| rate.trim().parse().expect("LOAD_RATES are numbers")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_and_in_a_burst_every_order_is_paid_and_none_is_lost() {
    let shop = Shop::open_with(|options| {
        options.max_environments = ENVIRONMENTS;
        options.stream = false;
    })
    .await;
    let shop = Arc::new(shop);
    shop.set_stock(COUNTED, u32::try_from(STOCK).expect("a number of pieces"));
    for (backend, millis) in DISTANCES {
        shop.stack.wire(backend).set_latency(Duration::from_millis(millis));
    }
    let seconds = setting("LOAD_SECONDS", 4);
    let mut lines = [
        ("create p50", "#74add1"),
        ("create p99", "#4575b4"),
        ("verify p50", "#f46d43"),
        ("verify p99", "#a50026"),
    ]
    .map(|(name, colour)| Line { name, colour, points: Vec::new() });
    let mut all = Vec::new();
    let mut measured = |load: u64, what: &str, bought: &[Bought]| {
        let create = |percent| percentile(bought.iter().map(|one| one.create).collect(), percent);
        let verify = |percent| percentile(bought.iter().map(|one| one.verify).collect(), percent);
        let times = [create(50), create(99), verify(50), verify(99)];
        if what == "sustained" {
            #[expect(clippy::cast_precision_loss, reason = "a few orders a second")]
            lines.iter_mut().zip(times).for_each(|(line, ms)| line.points.push((load as f64, ms)));
        }
        let put_off: u32 = bought.iter().map(|one| one.put_off).sum();
        let [create, create_p99, verify, verify_p99] = times.map(|ms| ms.round());
        progress(&format!(
            "load: {what} {load}: {} orders, create p50 {create} p99 {create_p99} ms, verify p50 {verify} p99 \
             {verify_p99} ms, put off {put_off} times",
            bought.len()
        ));
    };
    for rate in rates() {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate).expect("a rate"));
        let mut buyers = Vec::new();
        for number in 0..rate * seconds {
            tick.tick().await;
            // It comes at its time, whatever became of those before.
            buyers.push(tokio::spawn(buy(shop.clone(), format!("{rate}-{number}"))));
        }
        let bought: Vec<Bought> = join_all(buyers).await.into_iter().map(Result::unwrap).collect();
        measured(rate, "sustained", &bought);
        all.extend(bought);
    }
    let burst = join_all((0..BURST).map(|number| buy(shop.clone(), format!("burst-{number}")))).await;
    measured(BURST as u64, "burst of", &burst);
    all.extend(burst);

    come_to_rest(&shop).await.unwrap();
    let stories: Vec<Story> = all.into_iter().map(|bought| Story::of(bought.placed)).collect();
    model::agrees(&shop, &stories).await.unwrap();
    assert_eq!(shop.stored_orders().len(), stories.len());

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/assurance");
    fs::create_dir_all(&folder).unwrap();
    let title = "Answers of real function processes (DynamoDB 4 ms, PortOne 60 ms away)";
    fs::write(folder.join("load.svg"), chart::svg(title, &lines)).unwrap();
}
