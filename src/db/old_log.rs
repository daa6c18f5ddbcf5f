//! Detects a SQLite log that does not belong to the file beside it, as when a backup was put back and the old log left
//! there. SQLite would write it into the file, which undoes the restore or damages the file.
//!
//! A log does not name its file, so this is inferred from what a crash can leave. SQLite writes to the file after
//! writing to the log only in a checkpoint, which copies pages of this log. A file that changed after its log and holds
//! none of the log's pages is therefore another file. A copy made during this very log holds some of its pages and is
//! not detected.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::db::StoreError;
use crate::db::sqlite_file::beside;

const HEADER: u64 = 32;
/// SQLite does not accept logs with larger pages.
const LARGEST_PAGE: u32 = 65_536;
const FRAME_HEADER: usize = 24;

/// Refuses a log that belongs to another file. While another process has the database open, its log is trusted.
pub(crate) fn refuse(database: &Path) -> Result<(), StoreError> {
    // What cannot be read here, SQLite cannot read either, and reports it.
    if belongs(database).unwrap_or(true) {
        return Ok(());
    }
    Err(StoreError::ForeignLog { database: database.to_owned(), log: beside(database, "-wal") })
}

fn belongs(database: &Path) -> io::Result<bool> {
    let log = beside(database, "-wal");
    if !changed_later(&fs::metadata(database)?, &fs::metadata(&log)?) {
        return Ok(true);
    }
    let mut file = fs::OpenOptions::new().read(true).write(true).open(database)?;
    #[cfg(unix)]
    if rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(true);
    }
    shares_a_page(&mut file, &mut File::open(log)?)
}

/// Whether the file contains a page exactly as the log has it. Also `true` if the log has no pages.
fn shares_a_page(file: &mut File, log: &mut File) -> io::Result<bool> {
    let mut header = [0; 32];
    log.read_exact(&mut header)?;
    let salts = bytes(&header, 16, 8).to_vec();
    let size = number(&header, 8);
    if size > LARGEST_PAGE {
        return Ok(true);
    }
    let (mut frame, mut page) = (vec![0; FRAME_HEADER], vec![0; usize::try_from(size).unwrap_or_default()]);
    let mut in_file = page.clone();
    log.seek(SeekFrom::Start(HEADER))?;
    let mut is_empty = true;
    while log.read_exact(&mut frame).is_ok() && log.read_exact(&mut page).is_ok() && bytes(&frame, 8, 8) == salts {
        is_empty = false;
        let place = u64::from(number(&frame, 0)).saturating_sub(1).saturating_mul(u64::from(size));
        file.seek(SeekFrom::Start(place))?;
        if file.read_exact(&mut in_file).is_ok() && in_file == page {
            return Ok(true);
        }
    }
    Ok(is_empty)
}

fn bytes(of: &[u8], from: usize, count: usize) -> &[u8] {
    of.get(from..from.saturating_add(count)).unwrap_or_default()
}

fn number(of: &[u8], from: usize) -> u32 {
    bytes(of, from, 4).try_into().map(u32::from_be_bytes).unwrap_or_default()
}

/// Whether one file's status changed later than the other's. Covers renames; a copy may keep its original's other
/// times.
#[cfg(unix)]
fn changed_later(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.ctime(), one.ctime_nsec()) > (other.ctime(), other.ctime_nsec())
}

#[cfg(not(unix))]
fn changed_later(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.modified().ok() > other.modified().ok()
}
