//! The database: drivers, pools, transactions, statements, and the queues in which writes share commits. Knows nothing
//! of money; the rooms above supply the statements.
//!
//! Code outside this room neither begins nor commits transactions.

pub mod command;
pub mod commit_counts;
mod committer;
mod connect;
pub mod copies;
mod database;
mod database_error;
pub mod error;
pub mod facts;
mod group;
mod held;
mod lanes;
pub mod leases;
mod old_log;
mod pools;
mod queries;
mod queues;
mod reply;
mod reserved;
mod row_turns;
pub mod session;
mod sqlite_file;
pub mod statement;
pub mod transfer;
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
pub use queries::Record;
pub use statement::{Argument, BulkStatement, Statement, args};
pub use tx::Tx;
pub use write::Write;

/// Defines a file's statements and lists them, so that the test that prepares all statements cannot miss one.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$doc])* static $name: $crate::db::Statement = $crate::db::Statement::new($sql);)+
        /// Every statement of this file.
        pub(crate) static STATEMENTS: &[&$crate::db::Statement] = &[$(&$name),+];
    };
}
pub(crate) use statements;
