//! Where everything is kept. One file per aggregate, each with its SQL beside its row types; `backend.rs` is the seam
//! to the databases.
//!
//! What always holds: a balance changes only by the upserts in `apply.rs` and `credit/`, and only together with its ledger entry;
//! nobody outside this module begins or commits.

pub mod adjustments;
pub mod adoption;
pub mod api_keys;
pub mod apply;
pub mod audit;
pub mod backend;
mod commit_counts;
mod committer;
pub mod comparison;
mod credit;
mod database_error;
pub mod failed_events;
pub mod idempotency;
pub mod instance;
mod kept;
pub mod leases;
pub mod ledger;
pub mod payments;
pub mod reconciliations;
pub mod refund_facts;
pub mod refund_requests;
pub mod reversals;
pub mod statement;
pub mod topup_attempts;
pub mod topup_history;
pub mod topups;
mod work;

pub use backend::{Db, Tx};
pub use commit_counts::CommitCounts;
pub use statement::Statement;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It refused or failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// A migration failed.
    #[error("the database cannot be migrated")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The address names a database that is not known here.
    #[error("DATABASE_URL must start with sqlite: or postgres://")]
    UnknownDatabase,
    /// It took too long. A write that was not at its commit yet has left nothing; of one that was, it is unknown.
    #[error("the database took too long")]
    TimedOut,
    /// Another write came between two statements of this one; running it again settles it.
    #[error("another write was faster")]
    Overtaken,
    /// What was to be written was learned before somebody else wrote: it has to be learned anew.
    #[error("somebody wrote meanwhile")]
    Stale,
    /// Too many writes are waiting. Nothing was done.
    #[error("too many writes are waiting for the database")]
    Busy,
    /// The database was closed before the write was done. Of one that was at its commit, it is unknown.
    #[error("the database was closed")]
    Closed,
    /// The write panicked; its message is in the log. Nothing of it is there.
    #[error("a write panicked")]
    Panicked,
    /// Something is in the database that cannot be there.
    #[error("the database holds what it must not: {0}")]
    Corrupt(String),
}

impl StoreError {
    fn is_conflict(&self) -> bool {
        match self {
            Self::Database(error) => database_error::is_conflict(error),
            Self::Overtaken => true,
            _ => false,
        }
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

/// Every statement there is, for the test that prepares each of them on both databases.
pub fn all_statements() -> impl Iterator<Item = &'static Statement> {
    [
        adjustments::STATEMENTS,
        adoption::STATEMENTS,
        api_keys::STATEMENTS,
        apply::STATEMENTS,
        audit::STATEMENTS,
        comparison::STATEMENTS,
        failed_events::STATEMENTS,
        idempotency::STATEMENTS,
        instance::STATEMENTS,
        leases::STATEMENTS,
        ledger::STATEMENTS,
        payments::STATEMENTS,
        reconciliations::STATEMENTS,
        refund_facts::STATEMENTS,
        refund_requests::STATEMENTS,
        reversals::STATEMENTS,
        topup_attempts::STATEMENTS,
        topup_history::STATEMENTS,
        topups::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Names a file's statements and lists them, so that none can be forgotten by the test that prepares them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)+) => {
        $($(#[$doc])* static $name: $crate::store::Statement = $crate::store::Statement::new($sql);)+
        /// Every statement of this file.
        pub(super) static STATEMENTS: &[&$crate::store::Statement] = &[$(&$name),+];
    };
}
pub(crate) use statements;
