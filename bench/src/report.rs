//! The page `docs/PERFORMANCE.md` and its chart. Written for people: milliseconds with two digits, made of
//! whole microseconds.

use std::{fmt::Write as _, fs, time::Duration};

use crate::{
    exact::{Cost, Exact},
    operation::Operation,
    price::{Price, Prices},
    timing::{Row, Times},
};

/// What happens to one order that is paid, told to the page by verify and by the webhook, and looked at once.
const ORDER: [Operation; 4] =
    [Operation::CreateOrder, Operation::VerifyPayment, Operation::VerifyAgain, Operation::GetOrder];

/// `1.23` for 1,234 µs.
fn millis(duration: Duration) -> String {
    let micros = duration.as_micros() + 5;
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}

/// `1.5×`, of two durations.
fn ratio(of: Duration, to: Duration) -> String {
    let tenths = (of.as_nanos() * 10 + to.as_nanos() / 2).checked_div(to.as_nanos()).unwrap_or_default();
    format!("{}.{}×", tenths / 10, tenths % 10)
}

/// `2.52` for 2,520,000 bytes.
fn megabytes(bytes: u64) -> String {
    let hundredths = (bytes + 5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn name(row: &Row) -> &'static str {
    row.operation.map_or("floor: a function that does nothing", Operation::name)
}

fn shown_once(row: &Row) -> bool {
    row.operation.is_none_or(Operation::is_first_of_its_function)
}

/// The whole page.
pub fn page(exact: &Exact, times: &Times, prices: &Prices) -> String {
    let mut page = String::from(HEAD);
    let _ = write!(page, "\n## Machine and method\n\n{}\n{METHOD}", machine(times));
    if cfg!(debug_assertions) {
        page.push_str(UNOPTIMISED);
    }
    page.push_str("\n## Start and size\n\n");
    start(&mut page, Some(exact), times);
    page.push_str("\n## A warm invocation\n\n");
    warm(&mut page, times);
    page.push_str("\n## The same on every machine\n\n");
    same(&mut page, exact);
    page.push_str("\n## Money\n\n");
    money(&mut page, exact, times, prices);
    page
}

/// The two tables of times alone.
pub fn times(times: &Times) -> String {
    let mut page = format!("{}\n\n", machine(times));
    start(&mut page, None, times);
    page.push('\n');
    warm(&mut page, times);
    page
}

const HEAD: &str = "\
# Performance

Written by `cargo xtask bench`; the chart is [performance.svg](performance.svg). `cargo xtask test bench` holds what is the same on every
machine to `bench/exact.json` and fails when it got worse.

![Processor time and own time of a warm invocation](performance.svg)
";

const METHOD: &str = "
Real release binaries behind the local gateway, one process of each, one invocation at a time. **Start** is process start to the first poll for
work, with Secrets Manager's 10 ms in it, then without what a caller that does nothing else waits for that call, its new connection and being woken
included, beside starts of the floor that were measured in turn with it. **Own** time is an invocation's time less every moment in which a
backend was being waited for, and less what a caller that does nothing else waits for besides it in each round: its bytes on their way, and being
woken. It has the Runtime API's round trip in it, as the floor has. **At once** are backends that answer as fast as this
machine can; **realistic** are DynamoDB 4 ms, PortOne 60 ms, Secrets Manager 10 ms. Instructions are counted by callgrind, units by the embedded
DynamoDB. Times move with what else the machine does; the ratios to the floor of the same run move less.
";

const UNOPTIMISED: &str = "
The gateway and the backends of this run were built without optimisation. That lengthens every time of a call; the figures that are the same on every machine are not affected.
";

fn machine(times: &Times) -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|it| it.1);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let in_the_middle = |of: fn(&Row) -> Duration| {
        let mut waited: Vec<_> = times.rows.iter().map(of).collect();
        waited.sort_unstable();
        millis(waited.get(waited.len() / 2).copied().unwrap_or_default())
    };
    format!(
        "{count} cores, {}, {}; {} invocations of each operation and each kind of delay, of reconcile and daily-export at most 100, \
         since each has more to look at. A bare caller, measured before each row, waited {} ms besides a \
         backend that answers at once, {} ms besides a realistic one, and {} ms besides Secrets Manager, which is called over a \
         new connection: the middle of the rows.",
        model.unwrap_or("unknown processor"),
        std::env::consts::ARCH,
        times.invocations,
        in_the_middle(|row| row.at_once.beside),
        in_the_middle(|row| row.realistic.beside),
        in_the_middle(|row| row.cold.beside),
    )
}

fn start(page: &mut String, exact: Option<&Exact>, times: &Times) {
    page.push_str(
        "| function | start, ms | without the secret's call, ms | the floor's in turn, ms | to the floor | first invocation, ms | peak memory, MB | executable, MB | zip, MB |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in times.rows.iter().filter(|row| shown_once(row)) {
        let size = row.operation.and_then(|operation| exact?.functions.get(operation.function()));
        let of =
            |of: fn(&crate::exact::Size) -> u64| size.map_or("–".to_owned(), |size| megabytes(of(size)));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.operation.map_or("floor", Operation::function),
            millis(row.cold.start),
            millis(row.cold.start_without_secret),
            millis(row.cold.floor),
            ratio(row.cold.start_without_secret, row.cold.floor),
            millis(row.cold.first),
            megabytes(row.peak_kb * 1024),
            of(|size| size.bootstrap),
            of(|size| size.zip),
        );
    }
}

fn warm(page: &mut String, times: &Times) {
    page.push_str(
        "| operation | at once: p50 / p99 / max, ms | own p50 / p99, ms | CPU, ms | realistic: p50 / p99 / max, ms | own p50 / p99, ms | CPU, ms |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in &times.rows {
        let _ = write!(page, "| {} ", name(row));
        for warm in [&row.at_once, &row.realistic] {
            let (whole, own) = (warm.whole, warm.own);
            let _ = write!(
                page,
                "| {} / {} / {} | {} / {} | {} ",
                millis(whole.p50),
                millis(whole.p99),
                millis(whole.max),
                millis(own.p50),
                millis(own.p99),
                millis(warm.cpu)
            );
        }
        page.push_str("|\n");
    }
}

fn same(page: &mut String, exact: &Exact) {
    page.push_str(
        "Each was measured in an empty table and beside 300 other orders and came out the same, but for the two whose\n\
         work is what others did: daily-export reads every order there is, reconcile what is due and what PortOne has new.\n\n\
         | operation | backend calls | rounds | read units | write units | thousand instructions |\n\
         |---|---|---:|---:|---:|---:|\n",
    );
    for operation in crate::operation::ALL {
        let Some(cost) = exact.operations.get(operation.name()) else { continue };
        let Cost { calls, rounds, half_reads, writes, kilo_instructions } = cost;
        let half = if half_reads % 2 == 1 { ".5" } else { "" };
        let _ = writeln!(
            page,
            "| {} | {} | {rounds} | {}{half} | {writes} | {kilo_instructions} |",
            operation.name(),
            calls.join(", "),
            half_reads / 2,
        );
    }
}

fn money(page: &mut String, exact: &Exact, times: &Times, prices: &Prices) {
    let price = |operation: Operation| {
        let cost = exact.operations.get(operation.name())?;
        let row = times.rows.iter().find(|row| row.operation == Some(operation))?;
        Some(prices.of(cost, row))
    };
    let _ = writeln!(
        page,
        "1,000 orders, each created, paid, told by the page and again by the webhook, and looked at once; {} MB of arm64, {}, prices of {} ({}), \
         {} won for a dollar. `bench/prices.json` is there to be changed. Not in it: the secret (0.40 USD a month), storage, alarms, what PortOne \
         and the PG charge.\n",
        prices.memory_mb, prices.region, prices.date, prices.source, prices.won_per_usd
    );
    page.push_str(
        "| | Lambda | API Gateway | table | logs | USD | KRW |\n|---|---:|---:|---:|---:|---:|---:|\n",
    );
    let prices_of_all: Vec<_> =
        ORDER.iter().filter_map(|operation| Some((*operation, price(*operation)?))).collect();
    let sum = prices_of_all.iter().fold(Price::default(), |sum, (_, price)| sum.plus(*price));
    let mut line = |name: &str, price: Price| {
        let _ = writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            usd(price.lambda),
            usd(price.api),
            usd(price.table),
            usd(price.logs),
            usd(price.total()),
            // 1,000 times 10⁻¹² USD, in hundredths of a won.
            hundredths(price.total() * prices.won_per_usd / 10_000_000),
        );
    };
    for (operation, price) in &prices_of_all {
        line(operation.name(), *price);
    }
    line("**together**", sum);
}

/// 1,000 times so many 10⁻¹² USD, with five digits.
fn usd(pico: u64) -> String {
    let hundred_thousandths = (pico + 5_000) / 10_000;
    format!("{}.{:05}", hundred_thousandths / 100_000, hundred_thousandths % 100_000)
}

fn hundredths(value: u64) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

/// Bars of processor time and own time, with the floor first.
pub fn chart(times: &Times) -> String {
    const LEFT: u128 = 230;
    const WIDE: u128 = 460;
    const LINE: usize = 34;
    let longest = times.rows.iter().flat_map(|row| [row.at_once.cpu, row.realistic.own.p50]).max();
    let longest = longest.unwrap_or_default().as_nanos().max(1);
    let height = times.rows.len() * LINE + 60;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 {height}\" font-family=\"system-ui, sans-serif\" font-size=\"13\" role=\"img\" \
         aria-label=\"Processor time and own time of a warm invocation, in milliseconds\">\n\
         <rect width=\"800\" height=\"{height}\" fill=\"#fff\"/>\n\
         <rect x=\"{LEFT}\" y=\"14\" width=\"12\" height=\"12\" fill=\"#2457c5\"/><text x=\"{}\" y=\"25\">processor time, ms</text>\n\
         <rect x=\"{}\" y=\"14\" width=\"12\" height=\"12\" fill=\"#e08a1e\"/><text x=\"{}\" y=\"25\">own time p50 with realistic backends, ms</text>\n",
        LEFT + 18,
        LEFT + 160,
        LEFT + 178,
    );
    for (index, row) in times.rows.iter().enumerate() {
        let top = 44 + index * LINE;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 10,
            top + 18,
            label(row)
        );
        for (offset, colour, value) in
            [(0, "#2457c5", row.at_once.cpu), (13, "#e08a1e", row.realistic.own.p50)]
        {
            let width = (value.as_nanos() * WIDE / longest).max(1);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{width}\" height=\"11\" fill=\"{colour}\"/>\
                 <text x=\"{}\" y=\"{}\" font-size=\"11\">{}</text>",
                top + offset,
                LEFT + width + 6,
                top + offset + 10,
                millis(value)
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn label(row: &Row) -> &'static str {
    row.operation.map_or("floor", Operation::name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_what_is_shown() {
        assert_eq!(millis(Duration::from_micros(1_234)), "1.23");
        assert_eq!(millis(Duration::from_micros(1_235)), "1.24");
        assert_eq!(ratio(Duration::from_micros(150), Duration::from_micros(100)), "1.5×");
        assert_eq!(megabytes(2_524_999), "2.52");
        assert_eq!(usd(1_000_000_000), "1.00000", "10⁹ of 10⁻¹² USD, a thousand times");
    }
}
