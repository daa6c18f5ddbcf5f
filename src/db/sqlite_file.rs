//! The files of a SQLite database: the named one, its log and the log's index, and whether they still are those that are open.
//!
//! What always holds: what was committed is answered only while the names lead to what is open. Otherwise the next start
//! would find another database, or none, and what Stripe was told to be done would be gone.
//!
//! Nothing here opens the database or the index: a program that closes any handle of a file loses all its locks on it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{RwLock, RwLockReadGuard};

use crate::db::StoreError;
use crate::db::kept::{Kept, end_all};

/// What a file begins with that is a log of SQLite's; the last bit says in which order its sums are reckoned.
const LOG_MAGIC: [u8; 3] = [0x37, 0x7f, 0x06];
/// How long the beginning of a log is.
const LOG_HEADER: usize = 32;

/// A file, whatever its name: the device and the number on it.
type FileId = (u64, u64);

/// What was opened.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Opened {
    database: Option<FileId>,
    log: Option<FileId>,
    index: Option<FileId>,
}

/// How the log looked after a commit: its first bytes, which change when it begins anew, and its length.
#[derive(Clone, Copy)]
struct Log {
    header: [u8; LOG_HEADER],
    length: u64,
}

/// The files, and a connection that is open as long as they are in use: without one SQLite would remove its log.
pub(crate) struct SqliteFile {
    path: PathBuf,
    options: SqliteConnectOptions,
    opened: Mutex<Option<Opened>>,
    log: Mutex<Option<Log>>,
    anchor: tokio::sync::Mutex<Option<SqliteConnection>>,
    /// Read by whoever uses a connection, written by who opens all of them again.
    in_use: RwLock<()>,
}

impl SqliteFile {
    /// Takes note of the files. A connection that may write was opened before, so they exist.
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

    /// What the names lead to.
    fn found(&self) -> Opened {
        let [log, index] = ["-wal", "-shm"].map(|end| id(&beside(&self.path, end)));
        Opened { database: id(&self.path), log, index }
    }

    /// Whether the names lead to what is open.
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
        // What is left of it may be older than what SQLite has put into the file already.
        if log.is_ok_and(|now| self.is_cut(&now)) { Err(StoreError::Damaged) } else { Ok(()) }
    }

    /// Whether somebody else emptied the log since the last commit, also if more was written behind the gap.
    fn is_emptied(&self, now: &Log) -> bool {
        let had_content = lock(&self.log).is_some_and(|last| last.length > 0);
        if now.length == 0 { had_content } else { !now.header.starts_with(&LOG_MAGIC) }
    }

    /// Whether somebody else cut the end of the log since the last commit. One that SQLite began anew has another beginning.
    fn is_cut(&self, now: &Log) -> bool {
        lock(&self.log).is_some_and(|last| last.header == now.header && now.length < last.length)
    }

    /// The log as it is. Nobody has locks on it, so it may be opened and closed.
    fn read_log(&self) -> io::Result<Log> {
        let mut file = File::open(beside(&self.path, "-wal"))?;
        let length = file.metadata()?.len();
        let mut header = [0; LOG_HEADER];
        if length > 0 {
            file.read_exact(&mut header)?;
        }
        Ok(Log { header, length })
    }

    /// Holds the connections for a while, so that they are not renewed.
    pub(crate) async fn opened(&self) -> RwLockReadGuard<'_, ()> {
        self.in_use.read().await
    }

    /// To be called before a write; what it gives is to be held until its end.
    pub(crate) async fn before_write(&self) -> Result<RwLockReadGuard<'_, ()>, StoreError> {
        let opened = self.opened().await;
        self.check()?;
        Ok(opened)
    }

    /// To be called after a commit and before anybody hears of it.
    pub(crate) fn after_commit(&self) -> Result<(), StoreError> {
        self.check()?;
        *lock(&self.log) = self.read_log().ok();
        Ok(())
    }

    /// Ends all connections and opens the files again. SQLite then writes what is in a log that was removed to its place; what
    /// was in a log that was emptied is gone.
    pub(crate) async fn renew(&self, writer: &SqlitePool, readers: &SqlitePool, creditor: &Kept<Sqlite>) {
        let _nobody = self.in_use.write().await;
        if lock(&self.opened).is_some_and(|opened| opened.database != self.found().database) {
            return;
        }
        tracing::error!(file = %self.path.display(), "SQLite's files are opened again");
        end_all(readers).await;
        creditor.end().await;
        end_all(writer).await;
        self.close().await;
        // One that may write, so that SQLite can put its log in order.
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

    /// Ends its connection. From then on SQLite may remove the log.
    pub(crate) async fn close(&self) {
        *lock(&self.opened) = None;
        let anchor = self.anchor.lock().await.take();
        if let Some(anchor) = anchor {
            anchor.close().await.ok();
        }
    }
}

/// A file with the same name and something behind it.
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

/// Elsewhere a file that is open can be neither removed nor replaced.
#[cfg(not(unix))]
fn id(path: &Path) -> Option<FileId> {
    path.exists().then_some((0, 0))
}

/// Makes a new file that its owner alone can read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
