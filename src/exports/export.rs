//! Writes a table of the books, page by page in the order of a key: one page is in memory, whatever the table's size.
//!
//! Invariant: a row is written once. Each page is a read of its own; a ledger entry never changes, the other rows are
//! as they were when their page was read.

use std::io;

use crate::db::{Db, StoreError};
use crate::domain::account::AccountId;
use crate::exports::cell::Format;
use crate::exports::ledger::{AccountEntries, Entries};
use crate::exports::range::TimeRange;
use crate::exports::reversals::{Disputes, Refunds};
use crate::exports::rows::Rows;
use crate::exports::topups::{Payments, Topups};

/// A table that can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Ledger entries.
    Ledger,
    /// Top-ups.
    Topups,
    /// Payments at the provider.
    Payments,
    /// Refunds.
    Refunds,
    /// Disputes.
    Disputes,
}

/// What is exported.
#[derive(Debug, Clone)]
pub struct Export {
    /// The table.
    pub table: Table,
    /// Rows of this time: when a ledger entry was written, a top-up opened, and a payment, refund or dispute first
    /// recorded.
    pub range: TimeRange,
    /// Only rows of this account; `None`: of all.
    pub account: Option<AccountId>,
    /// The form.
    pub format: Format,
}

/// Why an export broke off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rows cannot be written.
    #[error("the export cannot be written")]
    Output(#[from] io::Error),
}

/// Writes an export. Returns the number of its rows.
///
/// # Errors
/// When the database fails, or `output` does.
pub async fn write_export(db: &Db, export: &Export, output: &mut (dyn io::Write + Send)) -> Result<u64, ExportError> {
    let Export { range, account, format, .. } = export.clone();
    match (export.table, account) {
        (Table::Ledger, None) => write_rows(db, Entries::new(range), format, output).await,
        (Table::Ledger, Some(account)) => {
            let entries = AccountEntries::find(db, account, range).await?;
            write_rows(db, entries, format, output).await
        }
        (Table::Topups, account) => write_rows(db, Topups::new(range, account), format, output).await,
        (Table::Payments, account) => write_rows(db, Payments::new(range, account), format, output).await,
        (Table::Refunds, account) => write_rows(db, Refunds::new(range, account), format, output).await,
        (Table::Disputes, account) => write_rows(db, Disputes::new(range, account), format, output).await,
    }
}

async fn write_rows<R: Rows>(
    db: &Db,
    mut rows: R,
    format: Format,
    output: &mut (dyn io::Write + Send),
) -> Result<u64, ExportError> {
    output.write_all(format.head(R::NAMES).as_bytes())?;
    let mut count = 0_u64;
    loop {
        let page = rows.next(db).await?;
        if page.is_empty() {
            output.flush()?;
            return Ok(count);
        }
        for cells in page {
            output.write_all(format.line(R::NAMES, &cells).as_bytes())?;
            count = count.saturating_add(1);
        }
    }
}
