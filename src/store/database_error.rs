//! What an error of a database means, whichever it is.

/// Whether the database says that this write was in another one's way and may simply be run again: SQLite's BUSY and
/// LOCKED families; PostgreSQL's serialization failure and deadlock.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(sqlx::error::DatabaseError::code) else { return false };
    let sqlite_primary = code.parse::<i64>().ok().filter(|_| code.len() < 5).map(|number| number & 0xff);
    matches!(&*code, "40001" | "40P01") || matches!(sqlite_primary, Some(5 | 6))
}

/// Whether a table that a statement needs does not exist: the database was never migrated.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table"))
}

/// Whether the server hung up, before or while it was asked: it was restarted, or the connection was ended there.
pub(super) fn is_hang_up(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(error, sqlx::Error::Io(_)) || matches!(code.as_deref(), Some("57P01" | "57P02"))
}
