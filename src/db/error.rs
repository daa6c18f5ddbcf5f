//! Errors of the database layer.

use super::database_error;
use super::database_error::Unavailable;

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("the database cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The URL is not of a supported database.
    #[error("DATABASE_URL must start with sqlite: or postgres://")]
    UnknownDatabase,
    /// A migration was requested through a pooler.
    #[error(
        "DATABASE_URL names a pooler, and migrating needs a session of its own: set it to the server's own address for \
        `topup migrate` (at Neon the host without -pooler, at Supabase port 5432, for PgBouncer the server behind it)"
    )]
    NeedsOwnSession,
    /// The operation took too long. A write that had not reached its commit left nothing; otherwise its outcome is
    /// unknown.
    #[error("the database took too long")]
    TimedOut,
    /// Another write came between two statements of this one. Running it again resolves this.
    #[error("another write was faster")]
    Overtaken,
    /// The data to be written was read before another write changed it, and has to be read again.
    #[error("somebody wrote meanwhile")]
    Stale,
    /// Another transaction holds a row lock that the write needs, and too many writes wait for such locks. Nothing was
    /// written.
    #[error("another transaction holds what is to be written")]
    Locked,
    /// Too many writes are waiting. Nothing was written.
    #[error("too many writes are waiting for the database")]
    Busy,
    /// The database was closed before the write finished. The outcome of a write at its commit is unknown.
    #[error("the database was closed")]
    Closed,
    /// The write panicked; the message is in the log. Nothing was written.
    #[error("a write panicked")]
    Panicked,
    /// The SQLite file at the path is not the one that is open. Writes would be lost at the next start.
    #[error(
        "{} was removed or replaced while it was in use: nothing can be written; put it back, or stop topup, \
         restore the file with `topup db restore` and start again",
        .0.display()
    )]
    FileReplaced(std::path::PathBuf),
    /// SQLite's log was removed, replaced or truncated while in use. The connections are reopened.
    #[error(
        "{} was removed, replaced or emptied while it was in use; the connections are opened again. Writes since the \
         last checkpoint are lost if it was emptied: compare with Stripe (`topup reconcile`)",
        .0.display()
    )]
    LogReplaced(std::path::PathBuf),
    /// A write failed moments ago, and no later write or probe has succeeded.
    #[error("the last write failed, and so did the last try to write again")]
    NotWritable,
    /// The log beside the SQLite file was made for another file.
    #[error(
        "{} is the log of another file than {}, as after a restore that left it there: SQLite would write it into the file. \
         Restore the backup with `topup db restore`, which takes care of the log; or, if the two belong together and were only \
         moved or given other permissions, run `touch {}` and start again",
        .log.display(), .database.display(), .log.display()
    )]
    ForeignLog {
        /// The database.
        database: std::path::PathBuf,
        /// The log.
        log: std::path::PathBuf,
    },
    /// The SQLite file cannot be opened.
    #[error("{}: {reason}", .path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong, and how to fix it.
        reason: String,
        /// SQLite's error.
        source: sqlx::Error,
    },
    /// The server cannot be reached, or refuses the connection.
    #[error("the PostgreSQL server at {server} cannot be used; is it running, and are address and password right?")]
    Server {
        /// Its address, without a password.
        server: String,
        /// The server's error.
        source: sqlx::Error,
    },
    /// The database found its content damaged. Nothing is written until it is restored and topup is restarted.
    #[error("the database is damaged; stop topup, restore a backup and start again")]
    Damaged,
    /// The database contains a value that it must not contain.
    #[error("the database holds what it must not: {0}")]
    Corrupt(String),
}

impl StoreError {
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Database(error) => database_error::is_conflict(error),
            Self::Overtaken => true,
            _ => false,
        }
    }

    pub(crate) fn is_held_row(&self) -> bool {
        matches!(self, Self::Database(error) if database_error::is_held_row(error))
    }

    /// Why the same request may succeed later; `None` if the failure may be due to the request itself.
    #[must_use]
    pub fn unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Database(error) => database_error::unavailable(error),
            Self::Busy | Self::Locked | Self::TimedOut | Self::Overtaken | Self::Stale => Some(Unavailable::Busy),
            Self::Closed | Self::FileReplaced(_) | Self::LogReplaced(_) | Self::NotWritable | Self::Damaged => {
                Some(Unavailable::Away)
            }
            _ => None,
        }
    }

    /// The error with its causes, in one line.
    pub(crate) fn in_words(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }

    /// Whether SQLite's files were changed from outside, so that they have to be reopened.
    pub(crate) fn is_of_the_file(&self) -> bool {
        match self {
            Self::Database(error) => database_error::is_cut_file(error),
            Self::LogReplaced(_) => true,
            _ => false,
        }
    }

    /// Whether other writes would fail for the same reason.
    pub(crate) fn is_storage_failure(&self) -> bool {
        match self {
            Self::Database(error) => database_error::is_storage_failure(error),
            Self::FileReplaced(_) | Self::LogReplaced(_) | Self::Damaged | Self::TimedOut => true,
            _ => false,
        }
    }

    /// Whether the error concerns only sessions opened so far: a new session may succeed, older ones may not be used.
    pub(crate) fn is_of_the_session(&self) -> bool {
        matches!(self, Self::Database(error) if database_error::is_read_only(error) || database_error::is_hang_up(error))
    }

    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Database(error) if database_error::is_damage(error))
    }

    /// Whether the database was never migrated.
    #[must_use]
    pub fn is_missing_table(&self) -> bool {
        matches!(self, Self::Database(error) if database_error::is_missing_table(error))
    }

    pub(crate) fn corrupt(what: &str, value: impl std::fmt::Display) -> Self {
        Self::Corrupt(format!("{what} {value}"))
    }
}
