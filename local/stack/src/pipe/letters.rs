//! What a pipe remembers over a restart: how far it has come, and the batches that it gave up. Both in one
//! file, so that a batch is either still to come or among the dead letters.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::NamedTempFile;

/// A batch that kept failing. The message holds no records, as AWS's does not: it says where in the stream
/// they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The message's id.
    pub id: String,
    /// The queue's name in the template.
    pub queue: String,
    /// The message as Pipes writes it for a stream: `context`, `timestamp`, `DDBStreamBatchInfo`.
    pub message: Value,
    /// Why the last try failed. AWS does not tell.
    pub reason: String,
}

/// What is remembered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Memory {
    /// The number of the last record that is done with; `None` before the first one.
    pub(super) position: Option<String>,
    pub(super) dead_letters: Vec<DeadLetter>,
}

impl Memory {
    /// What is kept in `file`; `None` if it is not there yet.
    pub(super) fn load(file: &Path) -> anyhow::Result<Option<Self>> {
        match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| file.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| file.display().to_string()),
        }
    }

    /// Replaces what is kept, at once and as a whole.
    pub(super) fn save(&self, file: Option<&PathBuf>) -> anyhow::Result<()> {
        let Some(file) = file else { return Ok(()) };
        let mut beside = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
        write!(beside, "{}", serde_json::to_string(self)?)?;
        beside.persist(file).with_context(|| file.display().to_string())?;
        Ok(())
    }
}
