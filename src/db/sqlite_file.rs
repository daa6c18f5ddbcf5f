//! Watches the files of a SQLite database: the database, its log and the log's index. Checks that the names still lead
//! to the open files.
//!
//! Invariant: a commit is acknowledged only while they do. Otherwise the next start would find another database, or
//! none, and lose what Stripe was told is done.
//!
//! Nothing here opens the database or the index: closing any handle of a file drops all locks that the process has on
//! it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::db::StoreError;
use crate::db::reserved::{ReservedConnection, end_all};

/// The first bytes of a SQLite log. The last bit of the fourth byte is the byte order of its checksums.
const LOG_MAGIC: [u8; 3] = [0x37, 0x7f, 0x06];
/// The length of a log's header in bytes.
const LOG_HEADER: usize = 32;

/// Identifies a file regardless of its name: device and inode.
type FileId = (u64, u64);

/// The files that were opened.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Opened {
    database: Option<FileId>,
    log: Option<FileId>,
    index: Option<FileId>,
}

/// The log after a commit: its header, which changes when SQLite restarts the log, and its length.
#[derive(Clone, Copy)]
struct Log {
    header: [u8; LOG_HEADER],
    length: u64,
}

/// The files, and a connection that stays open while they are in use: without one SQLite would remove its log.
pub(crate) struct SqliteFile {
    path: PathBuf,
    options: SqliteConnectOptions,
    opened: Mutex<Option<Opened>>,
    log: Mutex<Option<Log>>,
    anchor: tokio::sync::Mutex<Option<SqliteConnection>>,
    /// Read-locked by each user of a connection, write-locked while all connections are reopened.
    in_use: RwLock<()>,
}

impl SqliteFile {
    /// Records the files. A connection with write access was opened before, so they exist.
    pub(crate) async fn open(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let file = Self {
            path: options.get_filename().to_owned(),
            options,
            opened: Mutex::default(),
            log: Mutex::default(),
            anchor: tokio::sync::Mutex::default(),
            in_use: RwLock::default(),
        };
        file.open_anchor().await?;
        Ok(file)
    }

    /// The database's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    async fn open_anchor(&self) -> Result<(), StoreError> {
        let database = id(&self.path);
        let mut anchor = self.options.connect().await?;
        // Opens the log and its index.
        anchor.execute(sqlx::raw_sql("SELECT COUNT(*) FROM sqlite_schema")).await?;
        let opened = Opened { database, ..self.found() };
        *lock(&self.opened) = Some(opened);
        *lock(&self.log) = None;
        *self.anchor.lock().await = Some(anchor);
        Ok(())
    }

    /// The files that the names lead to now.
    fn found(&self) -> Opened {
        let [log, index] = ["-wal", "-shm"].map(|end| id(&beside(&self.path, end)));
        Opened { database: id(&self.path), log, index }
    }

    /// Whether the names lead to the open files.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Some(opened) = *lock(&self.opened) else { return Ok(()) };
        let found = self.found();
        if found.database != opened.database {
            return Err(StoreError::FileReplaced(self.path.clone()));
        }
        let log = self.read_log();
        if found != opened || log.as_ref().map_or(true, |now| self.is_emptied(now)) {
            return Err(StoreError::LogReplaced(beside(&self.path, "-wal")));
        }
        // The rest of the log may be older than what a checkpoint has already copied into the file.
        if log.is_ok_and(|now| self.is_cut(&now)) { Err(StoreError::Damaged) } else { Ok(()) }
    }

    /// Whether the log was emptied from outside since the last commit, even if more was written behind the gap.
    fn is_emptied(&self, now: &Log) -> bool {
        let had_content = lock(&self.log).is_some_and(|last| last.length > 0);
        if now.length == 0 { had_content } else { !now.header.starts_with(&LOG_MAGIC) }
    }

    /// Whether the end of the log was cut off from outside since the last commit. A log restarted by SQLite has a new
    /// header.
    fn is_cut(&self, now: &Log) -> bool {
        lock(&self.log).is_some_and(|last| last.header == now.header && now.length < last.length)
    }

    /// Reads the log's header and length. There are no locks on the log, so it may be opened and closed.
    fn read_log(&self) -> io::Result<Log> {
        let mut file = File::open(beside(&self.path, "-wal"))?;
        let length = file.metadata()?.len();
        let mut header = [0; LOG_HEADER];
        if length > 0 {
            file.read_exact(&mut header)?;
        }
        Ok(Log { header, length })
    }

    /// Keeps the connections from being reopened while the guard is held.
    pub(crate) async fn opened(&self) -> RwLockReadGuard<'_, ()> {
        self.in_use.read().await
    }

    /// Call before a write, and hold the guard until the write ends.
    pub(crate) async fn before_write(&self) -> Result<RwLockReadGuard<'_, ()>, StoreError> {
        let opened = self.opened().await;
        self.check()?;
        Ok(opened)
    }

    /// Call after a commit and before acknowledging it.
    pub(crate) fn after_commit(&self) -> Result<(), StoreError> {
        self.check()?;
        *lock(&self.log) = self.read_log().ok();
        Ok(())
    }

    /// Closes all connections and reopens the files. SQLite then checkpoints a log that was removed; the contents of an
    /// emptied log are lost.
    pub(crate) async fn renew(&self, writer: &SqlitePool, readers: &SqlitePool, creditor: &ReservedConnection<Sqlite>) {
        let _nobody = self.in_use.write().await;
        if lock(&self.opened).is_some_and(|opened| opened.database != self.found().database) {
            return;
        }
        tracing::error!(file = %self.path.display(), "SQLite's files are opened again");
        end_all(readers).await;
        creditor.end().await;
        end_all(writer).await;
        self.close().await;
        // With write access, so that SQLite can recover its log.
        let opened = match writer.acquire().await {
            Ok(connection) => {
                drop(connection);
                self.open_anchor().await
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = opened {
            tracing::error!(%error, "SQLite's files cannot be opened");
        }
    }

    /// Closes the connection that keeps the log. From then on SQLite may remove the log.
    pub(crate) async fn close(&self) {
        *lock(&self.opened) = None;
        let anchor = self.anchor.lock().await.take();
        if let Some(anchor) = anchor {
            anchor.close().await.ok();
        }
    }
}

/// The path with a suffix appended to the file's name.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(unix)]
fn id(path: &Path) -> Option<FileId> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// On other platforms an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn id(path: &Path) -> Option<FileId> {
    path.exists().then_some((0, 0))
}

/// Creates a new file that only its owner can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
