//! Work side by side: each lane has shops of its own, so that killing a function in one is nothing to another.

use std::io::Write as _;

use end_to_end::setting;
use futures::{StreamExt as _, stream};

/// Shops at once. Each keeps a core busy for a part of the time only: it waits for processes to start and for
/// others to try again.
const LANES: usize = 4;

/// Tells at once that something is done: a run of minutes without a word looks like one that hangs.
pub fn progress(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs all of it, some at once, on threads of the runtime; answers in the order of the work.
pub async fn side_by_side<T, F>(work: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let lanes = usize::try_from(setting("ASSURANCE_LANES", LANES as u64)).unwrap_or(LANES);
    let started = stream::iter(work).map(tokio::spawn).buffered(lanes);
    started
        .map(|ended| ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())))
        .collect()
        .await
}
