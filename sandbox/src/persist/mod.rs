//! The state on disk: a snapshot, and a journal of the changes since.
//!
//! Invariants: a save writes only the changes, until the journal is as large as the snapshot. Then a new snapshot is
//! written to a file beside the old one, synced, and renamed over it. A snapshot has a generation, and a journal names
//! the generation of its snapshot, so a journal left behind by a crash is never applied to a newer snapshot. A
//! truncated last entry was never confirmed to a client and is skipped. The files contain signing secrets, so only
//! their owner can read them.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::StartError,
    model::{State, changes::Changes},
};

/// A journal below this size does not trigger a new snapshot.
const SMALL_JOURNAL: usize = 1_048_576;

/// The first line of a journal: the snapshot that it continues.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    generation: u64,
    snapshot_bytes: usize,
}

/// The state of an earlier run; empty if there is no file yet.
pub(crate) fn load(path: &Path) -> Result<State, StartError> {
    let refuse = |path: &Path, reason: String| StartError::StateFile { path: path.to_owned(), reason };
    let Some(snapshot) = read(path).map_err(|error| refuse(path, error.to_string()))? else {
        return Ok(State::default());
    };
    let mut state: State = serde_json::from_slice(&snapshot).map_err(|error| refuse(path, error.to_string()))?;
    let beside = journal_path(path);
    if let Some(journal) = read(&beside).map_err(|error| refuse(&beside, error.to_string()))? {
        let header = Header { generation: state.generation, snapshot_bytes: snapshot.len() };
        replay(&mut state, &header, &journal).map_err(|reason| refuse(&beside, reason))?;
    }
    Ok(state)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Applies a journal if it belongs to the snapshot. A broken entry is an error, except for a truncated last one, which
/// a crash leaves.
fn replay(state: &mut State, expected: &Header, journal: &[u8]) -> Result<(), String> {
    let mut lines = journal.split_inclusive(|byte| *byte == b'\n');
    let header: Option<Header> = lines.next().and_then(|line| serde_json::from_slice(line).ok());
    if header.as_ref() != Some(expected) {
        return Ok(());
    }
    for (line, number) in lines.zip(2_u64..) {
        match serde_json::from_slice::<Changes>(line) {
            Ok(changes) => state.apply(changes),
            Err(error) if line.ends_with(b"\n") => return Err(format!("line {number}: {error}")),
            Err(_) => tracing::warn!(number, "the last entry of the journal was cut off and is passed over"),
        }
    }
    Ok(())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn journal_path(path: &Path) -> PathBuf {
    beside(path, ".journal")
}

/// What to write.
#[derive(Debug)]
pub(crate) enum Content {
    /// The whole state, and its generation.
    Snapshot(Vec<u8>, u64),
    /// The changes since the last write.
    Change(Vec<u8>),
}

/// The files of one sandbox.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// Open while its snapshot is in place and it contains every change since.
    journal: Option<File>,
    journal_bytes: usize,
    snapshot_bytes: usize,
}

impl StateFile {
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self { path, journal: None, journal_bytes: 0, snapshot_bytes: 0 }
    }

    /// Takes the unsaved content of the state, which then counts as saved.
    pub(crate) fn take(&self, state: &mut State) -> serde_json::Result<Content> {
        let is_small = self.journal_bytes < self.snapshot_bytes.max(SMALL_JOURNAL);
        if self.journal.is_some() && is_small {
            return serde_json::to_vec(&state.take_changes()).map(Content::Change);
        }
        Self::take_all(state)
    }

    /// Takes the whole state.
    pub(crate) fn take_all(state: &mut State) -> serde_json::Result<Content> {
        state.generation = state.generation.saturating_add(1);
        let all = serde_json::to_vec(state)?;
        state.begin_notes();
        Ok(Content::Snapshot(all, state.generation))
    }

    /// Writes the content. After an error the next write is a snapshot.
    pub(crate) fn write(&mut self, content: Content) -> io::Result<()> {
        // Put back only after success, so that nothing is ever appended after a truncated entry.
        let journal = self.journal.take();
        match (content, journal) {
            (Content::Change(mut line), Some(mut journal)) => {
                line.push(b'\n');
                journal.write_all(&line)?;
                journal.sync_data()?;
                self.journal_bytes = self.journal_bytes.saturating_add(line.len());
                self.journal = Some(journal);
            }
            (Content::Change(_), None) => return Err(io::Error::other("a change without its snapshot")),
            (Content::Snapshot(content, generation), _) => {
                save(&self.path, &content)?;
                let mut journal = create_private(&journal_path(&self.path))?;
                let mut header = serde_json::to_vec(&Header { generation, snapshot_bytes: content.len() })?;
                header.push(b'\n');
                journal.write_all(&header)?;
                journal.sync_all()?;
                sync_folder(&self.path);
                (self.snapshot_bytes, self.journal_bytes) = (content.len(), header.len());
                self.journal = Some(journal);
            }
        }
        Ok(())
    }

    /// The last write: saves the whole state and removes the journal.
    pub(crate) fn finish(&mut self, content: Content) -> io::Result<()> {
        self.write(content)?;
        self.journal = None;
        fs::remove_file(journal_path(&self.path))
    }
}

/// Opens an empty file for writing that only its owner can read, even if it existed with wider permissions.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Replaces the file's content. After an error the old content is still there, and no temporary file is left.
fn save(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = beside(path, ".tmp");
    let replaced = write_and_sync(&temporary, content).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        // It may not exist.
        fs::remove_file(&temporary).ok();
    }
    replaced.map(|()| sync_folder(path))
}

fn write_and_sync(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Syncs the folder, so that the creation or rename of a file survives a crash. Not every platform supports it.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = File::open(folder)
    {
        folder.sync_all().ok();
    }
}

#[cfg(test)]
mod tests;
