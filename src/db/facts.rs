//! What can be told about a database without writing to it: where it is, and whether a commit lasts.

use std::path::{Path, PathBuf};

use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::db::pools::Pools;
use crate::db::session::Route;
use crate::db::sqlite_file::beside;
use crate::db::{Db, StoreError};

/// Facts about a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseFacts {
    /// It is a file, read and written by this program itself.
    File(FileFacts),
    /// A server keeps it.
    Server(ServerFacts),
}

/// Facts about a database in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The version of the library.
    pub version: String,
    /// The file.
    pub path: PathBuf,
    /// What its folder lies on.
    pub medium: Medium,
    /// How many bytes its folder has room for; `None` if the system does not say.
    pub free_bytes: Option<u64>,
    /// Whether other users of the machine can read it.
    pub is_readable_by_others: bool,
}

/// What a folder lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// A disk, as far as is known.
    Disk,
    /// Another machine's disk. Its locks and shared memory do not work as the database needs them.
    Network,
    /// Memory, which is lost when the machine stops.
    Memory,
}

/// Facts about a database that a server keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of the server")]
pub struct ServerFacts {
    /// The server's version, as it says it.
    pub version: String,
    /// The version as a number: 150004 is 15.4.
    pub version_number: i64,
    /// Whether a pooler shares its sessions between transactions.
    pub is_pooled: bool,
    /// Whether it follows another server and takes no writes.
    pub is_replica: bool,
    /// Whether writes are forced to the disk.
    pub fsync: bool,
    /// Whether a page that was torn by a crash can be restored.
    pub full_page_writes: bool,
    /// What a commit waits for; `off` for nothing.
    pub synchronous_commit: String,
    /// The server's time in milliseconds since 1970.
    pub now_ms: i64,
}

/// Text, because a server reached through a pooler is asked without prepared statements.
const ASK_SERVER: &str = "SELECT current_setting('server_version'), current_setting('server_version_num'), \
    pg_is_in_recovery()::text, current_setting('fsync'), current_setting('full_page_writes'), \
    current_setting('synchronous_commit'), (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT::text";

impl Db {
    /// Asks the database, or the system that its file lies on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn facts(&self) -> Result<DatabaseFacts, StoreError> {
        match self.pools() {
            Pools::Sqlite { readers, file, .. } => {
                let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(readers).await?;
                Ok(DatabaseFacts::File(file_facts(version, file.path())))
            }
            Pools::Postgres { pool, route, .. } => {
                let row = sqlx::Executor::fetch_one(pool, sqlx::raw_sql(ASK_SERVER)).await?;
                Ok(DatabaseFacts::Server(server_facts(*route, &row)?))
            }
        }
    }
}

fn server_facts(route: Route, row: &PgRow) -> Result<ServerFacts, StoreError> {
    let text = |place: usize| -> Result<String, StoreError> { Ok(row.try_get::<String, _>(place)?) };
    let number = |text: String| text.parse::<i64>().map_err(|_| StoreError::corrupt("a number that is", text));
    Ok(ServerFacts {
        version: text(0)?,
        version_number: number(text(1)?)?,
        is_pooled: route == Route::Pooled,
        is_replica: text(2)? == "true",
        fsync: text(3)? == "on",
        full_page_writes: text(4)? == "on",
        synchronous_commit: text(5)?,
        now_ms: number(text(6)?)?,
    })
}

fn file_facts(version: String, path: &Path) -> FileFacts {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    FileFacts {
        version,
        path: path.to_owned(),
        medium: medium(folder),
        free_bytes: free_bytes(folder),
        is_readable_by_others: ["", "-wal", "-shm"].iter().any(|end| others_can_read(&beside(path, end))),
    }
}

#[cfg(unix)]
fn free_bytes(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(unix))]
const fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// By the numbers in Linux' `magic.h`.
#[cfg(target_os = "linux")]
fn medium(folder: &Path) -> Medium {
    const NETWORK: [u64; 6] = [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x00c3_6400];
    const MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];
    let Ok(found) = rustix::fs::statfs(folder) else { return Medium::Disk };
    match u64::try_from(found.f_type) {
        Ok(number) if NETWORK.contains(&number) => Medium::Network,
        Ok(number) if MEMORY.contains(&number) => Medium::Memory,
        _ => Medium::Disk,
    }
}

#[cfg(not(target_os = "linux"))]
const fn medium(_: &Path) -> Medium {
    Medium::Disk
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
const fn others_can_read(_: &Path) -> bool {
    false
}
