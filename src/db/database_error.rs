//! Classifies the errors of both databases.

/// Whether the write conflicted with another one and may simply run again: SQLite's BUSY and LOCKED families;
/// PostgreSQL's serialization failure and deadlock.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let Some(code) = code(error) else { return false };
    matches!(&*code, "40001" | "40P01") || matches!(sqlite_primary(&code), Some(5 | 6))
}

/// Whether a row or table lock was not granted in time: PostgreSQL's `lock_timeout`.
pub(crate) fn is_held_row(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("55P03")
}

/// Why the database cannot serve a request now that it could serve at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It is overloaded, or a lock is held.
    Busy,
    /// It cannot be reached, or does not accept writes at the moment.
    Away,
}

impl Unavailable {
    /// Whether the database is reachable but busy.
    #[must_use]
    pub fn is_busy(self) -> bool {
        self == Self::Busy
    }
}

/// Whether the failure is independent of the request, so that the same request may succeed later.
pub(crate) fn unavailable(error: &sqlx::Error) -> Option<Unavailable> {
    use Unavailable::{Away, Busy};
    match error {
        sqlx::Error::PoolTimedOut => return Some(Busy),
        sqlx::Error::PoolClosed | sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
            return Some(Away);
        }
        _ => {}
    }
    let code = code(error)?;
    // SQLite: busy, locked; out of memory, read-only, I/O error, full, cannot open.
    match sqlite_primary(&code) {
        Some(5 | 6) => return Some(Busy),
        Some(7 | 8 | 10 | 13 | 14) => return Some(Away),
        Some(_) => return None,
        None => {}
    }
    match &*code {
        // Lock timeout, statement timeout or cancel, idle in a transaction, serialization failure, deadlock, too many
        // connections.
        "55P03" | "57014" | "25P03" | "40001" | "40P01" | "53300" => Some(Busy),
        // Read-only after a failover.
        "25006" => Some(Away),
        // Connection failures (also a pooler's), resources, a server that stops or starts.
        code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => Some(Away),
        // The server's I/O errors.
        code if code.starts_with("58") => Some(Away),
        _ => None,
    }
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

/// SQLite's primary error code. SQLite's codes are numbers of up to four digits.
fn sqlite_primary(code: &str) -> Option<i64> {
    code.parse::<i64>().ok().filter(|_| code.len() < 5).map(|number| number & 0xff)
}

/// Whether the error concerns the storage or the connection, not the data written. Other writes would fail the same
/// way, and the connection must not be used again. SQLite: out of memory, read-only, I/O error, corrupt, full, cannot
/// open, locking protocol, not a database. PostgreSQL: a read-only session (as after a failover), resources, shutdown,
/// system and corruption.
pub(crate) fn is_storage_failure(error: &sqlx::Error) -> bool {
    use sqlx::Error::{BeginFailed, InvalidSavePointStatement, Io, PoolTimedOut, Protocol, Tls, WorkerCrashed};
    let Some(code) = code(error) else {
        let is_of_connection = matches!(error, Io(_) | Tls(_) | Protocol(_) | PoolTimedOut);
        return is_of_connection || matches!(error, WorkerCrashed | BeginFailed | InvalidSavePointStatement);
    };
    match sqlite_primary(&code) {
        Some(primary) => matches!(primary, 7 | 8 | 10 | 11 | 13 | 14 | 15 | 26),
        None => &*code == "25006" || ["08", "53", "57P", "58", "XX"].iter().any(|class| code.starts_with(class)),
    }
}

/// Whether the server's session is read-only: the server was demoted, or never was the primary.
pub(crate) fn is_read_only(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("25006")
}

/// Whether SQLite found its file too short because it was truncated from outside (`SQLITE_IOERR_SHORT_READ`). After
/// other errors the files stay open: on a full disk they could not be reopened, and then reads would fail too.
pub(crate) fn is_cut_file(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("522")
}

/// Whether the database found its content damaged.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    let Some(code) = code(error) else { return false };
    match sqlite_primary(&code) {
        Some(primary) => matches!(primary, 11 | 26),
        None => matches!(&*code, "XX001" | "XX002"),
    }
}

/// Whether a table is missing, that is, the database was never migrated.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table"))
}

/// Whether the server closed the connection: it was restarted, or ended this session.
pub(crate) fn is_hang_up(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(error, sqlx::Error::Io(_)) || matches!(code.as_deref(), Some("57P01" | "57P02"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_about_the_request_is_told_from_what_does() {
        assert_eq!(unavailable(&sqlx::Error::PoolTimedOut), Some(Unavailable::Busy));
        assert_eq!(unavailable(&sqlx::Error::PoolClosed), Some(Unavailable::Away));
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(unavailable(&sqlx::Error::Io(reset)), Some(Unavailable::Away));
        assert_eq!(unavailable(&sqlx::Error::RowNotFound), None);
    }
}
