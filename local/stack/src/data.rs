//! The folder that keeps a local system's data over restarts. One system at a time may use it.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::objects;

/// What this system keeps there beside the folder of objects, and nothing else: starting afresh must not remove what is not its own.
const KEPT: [&str; 7] = [
    "dynamodb.sqlite",
    "dynamodb.sqlite-wal",
    "dynamodb.sqlite-shm",
    "table.json",
    "secret.json",
    "portone.json",
    "pipe.json",
];

/// A data folder in use. The lock lasts as long as this.
pub struct DataFolder {
    path: PathBuf,
    lock: File,
}

impl DataFolder {
    /// Takes the folder, making it if need be; `fresh` removes what was kept in it.
    pub fn open(path: &Path, fresh: bool) -> anyhow::Result<Self> {
        let named = || path.display().to_string();
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(named)?;
        let lock = File::create(path.join("lock")).with_context(named)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                bail!("{} is in use by another local system; choose another with --data", path.display())
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(named),
        }
        if fresh {
            for name in KEPT {
                removed(fs::remove_file(path.join(name)))
                    .with_context(|| path.join(name).display().to_string())?;
            }
            removed(fs::remove_dir_all(path.join(objects::FOLDER)))
                .with_context(|| path.join(objects::FOLDER).display().to_string())?;
        }
        Ok(Self { path: path.to_owned(), lock })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for DataFolder {
    fn drop(&mut self) {
        // Not left to the closing of the file: a process that is being started may hold a copy of it open
        // for a moment, and the lock with it.
        let _ = self.lock.unlock();
    }
}

/// What was not there is as good as removed.
fn removed(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_by_one_system_at_a_time_and_fresh_removes_only_its_own_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::open(&path, false).unwrap();
        assert!(DataFolder::open(&path, false).is_err_and(|error| error.to_string().contains("in use")));
        fs::write(first.file("secret.json"), "{}").unwrap();
        fs::write(first.file("notes.txt"), "mine").unwrap();
        fs::create_dir_all(first.file("objects/bucket")).unwrap();
        fs::write(first.file("objects/bucket/a.csv"), "1").unwrap();
        drop(first);
        let again = DataFolder::open(&path, true).unwrap();
        assert!(!again.file("secret.json").exists());
        assert!(!again.file("objects").exists());
        assert!(again.file("notes.txt").exists());
    }
}
