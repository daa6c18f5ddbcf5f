//! The database: drivers, pools, transactions, statements, and the queue in which writes share commits. It knows nothing of
//! money; what is written is said by the rooms above it.
//!
//! Nobody outside this room begins or commits.

pub mod command;
pub mod commit_counts;
mod committer;
mod connect;
pub mod copies;
mod database;
mod database_error;
pub mod error;
mod group;
mod held;
mod kept;
mod lanes;
pub mod leases;
mod old_log;
mod pools;
mod queries;
mod queues;
mod reply;
pub mod session;
mod sqlite_file;
pub mod statement;
mod tx;
pub mod work;
mod write;
mod write_context;
pub mod write_health;

pub use command::Command;
pub use commit_counts::CommitCounts;
pub use connect::BULK_CONNECTIONS;
pub use database::Db;
pub use database_error::Unavailable;
pub use error::StoreError;
pub use statement::{Argument, BulkStatement, Statement, args};
pub use tx::Tx;
pub use write::Write;

/// Names a file's statements and lists them, so that none can be forgotten by the test that prepares them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:literal;)+) => {
        $($(#[$doc])* static $name: $crate::db::Statement = $crate::db::Statement::new($sql);)+
        /// Every statement of this file.
        pub(crate) static STATEMENTS: &[&$crate::db::Statement] = &[$(&$name),+];
    };
}
pub(crate) use statements;
