//! The state file: written whole into a file beside it, synced, and renamed over it, so that it is never half-written.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{config::StartError, model::State};

/// The state of an earlier run; empty when there is no file yet.
pub(crate) fn load(path: &Path) -> Result<State, StartError> {
    let refuse = |reason: String| StartError::StateFile { path: path.to_owned(), reason };
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// Replaces the file's content. After an error the old content is still there.
pub(crate) fn save(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary: PathBuf = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // The rename itself must survive too; not every platform lets a folder be synced.
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && let Ok(folder) = File::open(folder)
    {
        folder.sync_all().ok();
    }
    Ok(())
}
