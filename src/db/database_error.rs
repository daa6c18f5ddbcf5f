//! What an error of a database means, whichever it is.

/// Whether the database says that this write was in another one's way and may simply be run again: SQLite's BUSY and
/// LOCKED families; PostgreSQL's serialization failure and deadlock.
pub(crate) fn is_conflict(error: &sqlx::Error) -> bool {
    let Some(code) = code(error) else { return false };
    matches!(&*code, "40001" | "40P01") || matches!(sqlite_primary(&code), Some(5 | 6))
}

/// Whether a row or table could not be locked in time: PostgreSQL's `lock_timeout`.
pub(crate) fn is_held_row(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("55P03")
}

/// Why a database cannot do now what it could do at another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// It has too much to do, or somebody holds what is needed.
    Busy,
    /// It cannot be reached, or does not write at the moment.
    Away,
}

impl Unavailable {
    /// Whether it is there, and has too much to do.
    #[must_use]
    pub fn is_busy(self) -> bool {
        self == Self::Busy
    }
}

/// Whether the failure says nothing about the request, so that the same request may succeed later.
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
        // Lock time-out, statement time-out or cancel, idle in a transaction, serialization failure, deadlock, and too many
        // connections.
        "55P03" | "57014" | "25P03" | "40001" | "40P01" | "53300" => Some(Busy),
        // Read-only after a failover.
        "25006" => Some(Away),
        // Connection failures (also a pooler's), resources, and a server that stops or starts.
        code if code.starts_with("08") || code.starts_with("53") || code.starts_with("57P") => Some(Away),
        // The server's own I/O.
        code if code.starts_with("58") => Some(Away),
        _ => None,
    }
}

fn code(error: &sqlx::Error) -> Option<std::borrow::Cow<'_, str>> {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code)
}

/// The primary code of SQLite, whose codes are numbers of up to four digits.
fn sqlite_primary(code: &str) -> Option<i64> {
    code.parse::<i64>().ok().filter(|_| code.len() < 5).map(|number| number & 0xff)
}

/// Whether the error is about where the data is kept and not about what was written. Others would fail the same way, and
/// the connection is not to be used again. SQLite: out of memory, read-only, I/O error, corrupt, full, cannot open, locking
/// protocol, not a database. PostgreSQL: a read-only session (as after a failover), resources, shutdown, system and corruption.
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

/// Whether a session on a server takes no writes: it was demoted, or was never the primary.
pub(crate) fn is_read_only(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("25006")
}

/// Whether SQLite found a file shorter than it must be: somebody cut it (`SQLITE_IOERR_SHORT_READ`). After other errors the
/// files stay open, because on a full disk they could not be opened again, and then nobody could read either.
pub(crate) fn is_cut_file(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("522")
}

/// Whether the database found its own content damaged.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    let Some(code) = code(error) else { return false };
    match sqlite_primary(&code) {
        Some(primary) => matches!(primary, 11 | 26),
        None => matches!(&*code, "XX001" | "XX002"),
    }
}

/// Whether a table that a statement needs does not exist: the database was never migrated.
pub(crate) fn is_missing_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table"))
}

/// Whether the server hung up, before or while it was asked: it was restarted, or the connection was ended there.
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
