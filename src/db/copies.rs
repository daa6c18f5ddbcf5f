//! Backup and restore of a SQLite database.
//!
//! Invariants: a backup under its final name is complete, checked, and readable by its owner only. A restore changes
//! nothing while a process has the database open, keeps the old database under another name, and leaves neither the old
//! log nor its index beside the new file, because SQLite would write the old log into it. A process that dies midway
//! leaves the old database, the new one, or no file of that name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use crate::db::StoreError;
use crate::db::database::SQLITE_MIGRATIONS;
use crate::db::old_log;
use crate::db::sqlite_file::beside;

/// Why a backup or restore failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The database is not a SQLite file.
    #[error(
        "DATABASE_URL names a PostgreSQL server: back it up with `pg_dump --format=custom --file=FILE DATABASE_URL` and \
         restore it into an empty database with `pg_restore --dbname=DATABASE_URL FILE`"
    )]
    NotSqlite,
    /// The database URL cannot be parsed.
    #[error("DATABASE_URL is not the address of a SQLite file")]
    Address(#[source] sqlx::Error),
    /// The target file exists already.
    #[error("{} exists already; choose another name", .0.display())]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("{} cannot be used", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// SQLite failed.
    #[error("SQLite cannot use {}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: sqlx::Error,
    },
    /// SQLite reports damage.
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// The file is not a database of topup.
    #[error("{} is not a database of topup", .0.display())]
    NotOurs(PathBuf),
    /// The file was made by a newer version.
    #[error("{} was made by a newer version of topup; restore it with that version", .0.display())]
    Newer(PathBuf),
    /// The file has a write-ahead log beside it, so it is not a complete copy.
    #[error(
        "{} has a log beside it ({}-wal), so it is not a whole copy; make backups with `topup db backup`",
        .0.display(), .0.display()
    )]
    HasLog(PathBuf),
    /// The log beside the database belongs to another file.
    #[error(transparent)]
    ForeignLog(Box<StoreError>),
    /// Another `topup db` process is writing to the same file.
    #[error("another `topup db` command is at work on {}; wait for its end", .0.display())]
    UnderWay(PathBuf),
    /// The old database was moved aside, but the new one could not take its place and the old one could not be moved
    /// back.
    #[error("{} is without its database; the one from before is {}: rename it, and {}-wal, back", .database.display(),
        .kept.display(), .kept.display())]
    LeftAside {
        /// The database.
        database: PathBuf,
        /// Where the old database is now.
        kept: PathBuf,
        /// Why the new database could not take its place.
        source: Box<CopyError>,
    },
    /// A process has the database open.
    #[error("a process uses {}; stop `topup serve` first", .0.display())]
    InUse(PathBuf),
}

/// Copies the database at this URL into a new file, even while it is in use.
///
/// # Errors
/// See [`CopyError`]. After an error there is no file of that name.
pub async fn back_up(url: &str, to: &Path) -> Result<(), CopyError> {
    let options = options(url)?;
    if to.symlink_metadata().is_ok() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    let from = options.get_filename().to_owned();
    old_log::refuse(&from).map_err(|error| CopyError::ForeignLog(Box::new(error)))?;
    let unfinished = beside(to, ".unfinished");
    let claim = claim(&unfinished)?;
    let result = copy_whole(options, &from, &unfinished).await;
    let result = result.and_then(|()| name_finished(&unfinished, to));
    if result.is_err() {
        fs::remove_file(&unfinished).ok();
    }
    drop(claim);
    result
}

/// Creates an empty file, or empties one left by a process that died, and locks it until the returned handle is
/// dropped. Of two commands with the same file, one is refused.
fn claim(path: &Path) -> Result<File, CopyError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(in_file(path))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let under_way = || CopyError::UnderWay(path.to_owned());
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive).map_err(|_| under_way())?;
        // The previous holder may have renamed the file to its final name meanwhile; then it must not be emptied.
        let ours = file.metadata().map_err(in_file(path))?.ino();
        if fs::metadata(path).ok().map(|found| found.ino()) != Some(ours) {
            return Err(under_way());
        }
    }
    file.set_len(0).map_err(in_file(path))?;
    Ok(file)
}

async fn copy_whole(options: SqliteConnectOptions, from: &Path, to: &Path) -> Result<(), CopyError> {
    let of = |source| CopyError::Sqlite { path: from.to_owned(), source };
    let name = to.to_str().ok_or_else(|| in_file(to)(io::Error::other("its name is not Unicode")))?;
    let mut database = options.read_only(true).connect().await.map_err(of)?;
    // One read transaction: it leaves out later commits and blocks no writer.
    let copied = sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(&mut database).await;
    database.close().await.ok();
    copied.map_err(of)?;
    check(to).await?;
    sync(to)
}

/// Gives a finished file its final name, unless the name has been taken meanwhile.
fn name_finished(unfinished: &Path, to: &Path) -> Result<(), CopyError> {
    match fs::hard_link(unfinished, to) {
        Ok(()) => fs::remove_file(unfinished).map_err(in_file(unfinished))?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(CopyError::Exists(to.to_owned())),
        // Not every file system supports hard links.
        Err(_) => fs::rename(unfinished, to).map_err(in_file(to))?,
    }
    sync_folder(to)
}

/// The result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// The database.
    pub database: PathBuf,
    /// The name of the previous database, or the name it would have had; its log is beside it. `None` if there was
    /// neither.
    pub kept: Option<PathBuf>,
    /// Whether the restored database lacks migrations of this version.
    pub is_behind: bool,
}

/// Replaces the database at this URL with a copy. `stamp` makes the old database's new name unique.
///
/// # Errors
/// See [`CopyError`]. After an error the old database is at its place, unless the error says where it is.
pub async fn restore(url: &str, from: &Path, stamp: i64) -> Result<Restored, CopyError> {
    let database = options(url)?.get_filename().to_owned();
    if fs::metadata(beside(from, "-wal")).is_ok_and(|log| log.len() > 0) {
        return Err(CopyError::HasLog(from.to_owned()));
    }
    let is_behind = check(from).await?;
    let next = beside(&database, ".restoring");
    let mut claim = claim(&next)?;
    let copied = match copy_bytes(from, &mut claim, &next) {
        Ok(()) => check(&next).await,
        Err(error) => Err(error),
    };
    let kept = beside(&database, &format!(".before-restore-{stamp}"));
    let exchanged = copied.and_then(|_| exchange(&database, &next, &kept));
    if exchanged.is_err() {
        fs::remove_file(&next).ok();
    }
    drop(claim);
    exchanged.map(|kept| Restored { database, kept, is_behind })
}

fn copy_bytes(from: &Path, target: &mut File, to: &Path) -> Result<(), CopyError> {
    let mut source = File::open(from).map_err(in_file(from))?;
    io::copy(&mut source, target).map_err(in_file(to))?;
    target.sync_all().map_err(in_file(to))
}

/// Moves the old database aside and puts the new one in its place. Returns the old one's new name if there was an old
/// database or a log of it.
fn exchange(database: &Path, next: &Path, kept: &Path) -> Result<Option<PathBuf>, CopyError> {
    let [log, kept_log] = [database, kept].map(|file| beside(file, "-wal"));
    // Held until the end, so that no process can open the old database meanwhile.
    let old = lock_alone(database)?;
    // Even if the database file is missing: it may have been moved aside without its log.
    let had_log = log.exists();
    if had_log {
        link(&log, &kept_log)?;
    }
    if old.is_some() {
        // Until the new file is in place there is no file of this name, which a starting service does not take for a
        // database.
        fs::rename(database, kept).map_err(in_file(database))?;
    }
    match put_in_place(database, next) {
        // From here on nothing is undone: the new database is in place.
        Ok(()) => sync_folder(database).map(|()| (old.is_some() || had_log).then(|| kept.to_owned())),
        Err(error) => Err(put_back(database, kept, old.is_some(), error)),
    }
}

/// Removes an old log and index and gives the file its name.
fn put_in_place(database: &Path, next: &Path) -> Result<(), CopyError> {
    sync_folder(database)?;
    for leftover in ["-wal", "-shm"].map(|end| beside(database, end)) {
        match fs::remove_file(&leftover) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(in_file(&leftover)(error)),
            _ => {}
        }
    }
    fs::rename(next, database).map_err(in_file(database))
}

/// Undoes the beginning of an exchange, and returns the error to report.
fn put_back(database: &Path, kept: &Path, had_database: bool, error: CopyError) -> CopyError {
    let [log, kept_log] = [database, kept].map(|file| beside(file, "-wal"));
    let log_is_back = !kept_log.exists() || (log.exists() && fs::remove_file(&kept_log).is_ok()) || {
        fs::rename(&kept_log, &log).is_ok()
    };
    let is_back = log_is_back && (!had_database || fs::rename(kept, database).is_ok());
    if is_back {
        return error;
    }
    CopyError::LeftAside { database: database.to_owned(), kept: kept.to_owned(), source: Box::new(error) }
}

/// Creates a hard link, or a copy where the file system has no links.
fn link(from: &Path, to: &Path) -> Result<(), CopyError> {
    fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)).map_err(in_file(to))
}

/// Takes an exclusive lock on the whole file, which fails while any process has the database open. `None` if there is
/// no file.
fn lock_alone(database: &Path) -> Result<Option<File>, CopyError> {
    let file = match OpenOptions::new().read(true).write(true).open(database) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(in_file(database)(error)),
    };
    #[cfg(unix)]
    rustix::fs::fcntl_lock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| CopyError::InUse(database.to_owned()))?;
    Ok(Some(file))
}

/// Refuses a database that a process has open.
///
/// # Errors
/// When one has, or the file cannot be opened.
pub(crate) fn refuse_in_use(url: &str) -> Result<(), CopyError> {
    lock_alone(options(url)?.get_filename()).map(drop)
}

/// Checks that a file is a complete database of topup. Returns whether it lacks migrations.
async fn check(path: &Path) -> Result<bool, CopyError> {
    let of = |source| CopyError::Sqlite { path: path.to_owned(), source };
    File::open(path).map_err(in_file(path))?;
    let options =
        SqliteConnectOptions::new().filename(path).read_only(true).immutable(true).disable_statement_logging();
    let mut copy = options.connect().await.map_err(of)?;
    let result = check_content(path, &mut copy).await;
    copy.close().await.ok();
    result
}

async fn check_content(path: &Path, copy: &mut SqliteConnection) -> Result<bool, CopyError> {
    let of = |source| CopyError::Sqlite { path: path.to_owned(), source };
    let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut *copy).await.map_err(of)?;
    if said != "ok" {
        return Err(CopyError::Damaged { path: path.to_owned(), reason: said });
    }
    let migrations = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    let applied: Vec<i64> =
        sqlx::query_scalar(migrations).fetch_all(copy).await.map_err(|_| CopyError::NotOurs(path.to_owned()))?;
    let known: Vec<i64> = SQLITE_MIGRATIONS.iter().map(|migration| migration.version).collect();
    if applied.iter().any(|version| !known.contains(version)) {
        return Err(CopyError::Newer(path.to_owned()));
    }
    Ok(applied != known)
}

fn options(url: &str) -> Result<SqliteConnectOptions, CopyError> {
    if !url.starts_with("sqlite:") {
        return Err(CopyError::NotSqlite);
    }
    Ok(SqliteConnectOptions::from_str(url).map_err(CopyError::Address)?.disable_statement_logging())
}

fn sync(path: &Path) -> Result<(), CopyError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(in_file(path))
}

/// Makes a file name survive a power failure. Not every platform can sync a directory.
fn sync_folder(path: &Path) -> Result<(), CopyError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    if let Ok(folder) = File::open(folder) {
        folder.sync_all().map_err(in_file(path))?;
    }
    Ok(())
}

fn in_file(path: &Path) -> impl Fn(io::Error) -> CopyError {
    let path = path.to_owned();
    move |source| CopyError::File { path: path.clone(), source }
}
