//! The state file: the whole [`Book`] as JSON, replaced by rename so that it is never half written.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context;

use crate::{
    simulator::Simulator,
    webhook::DeliveryState,
    world::{Book, Deed},
};

/// A write is followed by a rest of so many times its duration, so that writing takes a tenth at most.
const REST_FACTOR: u32 = 9;

/// Reads the file; a missing one is an empty book.
///
/// # Errors
/// An unreadable file, or one that another version wrote.
pub(crate) fn load(path: &Path, seed: Option<u64>) -> anyhow::Result<Book> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Book::new(seed)),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut book: Book = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is not a simulator's state", path.display()))?;
    for delivery in &mut book.deliveries {
        // What was on the wire when the process ended is sent again.
        if delivery.state == DeliveryState::Running {
            let due = delivery.triggered_at;
            delivery.state = DeliveryState::Scheduled(due);
            book.agenda.insert((due, Deed::Send(delivery.number)));
        }
    }
    Ok(book)
}

/// Writes the file after changes until the simulator stops, resting between writes: serializing holds the
/// lock that every call needs, and a book of thousands of payments would leave them little else.
pub(crate) async fn keep(simulator: Simulator, path: PathBuf) {
    let mut changed = simulator.changes();
    let mut stopping = simulator.stopping();
    loop {
        tokio::select! {
            _ = changed.changed() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let begun = Instant::now();
        save(&simulator, &path).await;
        tokio::select! {
            () = tokio::time::sleep(begun.elapsed() * REST_FACTOR) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// Writes the file now. What cannot be written is said on stderr: a full disk should not stop a rehearsal.
pub(crate) async fn save(simulator: &Simulator, path: &Path) {
    let text = simulator.read(|world| serde_json::to_vec(&world.book));
    let target = path.to_owned();
    let written = tokio::task::spawn_blocking(move || replace(&target, &text?)).await;
    if let Ok(Err(error)) = written {
        eprintln!("portone-simulator: cannot keep {}: {error:#}", path.display());
    }
}

fn replace(path: &Path, text: &[u8]) -> anyhow::Result<()> {
    let aside = path.with_extension("tmp");
    fs::write(&aside, text)?;
    fs::rename(&aside, path)?;
    Ok(())
}
