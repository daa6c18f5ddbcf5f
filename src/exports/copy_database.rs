//! Moves a deployment to another database: everything is copied, and both are audited.

use crate::books::audit::audit;
use crate::books::audit_report::AuditReport;
use crate::books::instance::MigrationState;
use crate::db::transfer::{TableSum, TransferError, transfer};
use crate::db::{Db, StoreError};

/// Why a database was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyDatabaseError {
    /// The source cannot be used.
    #[error("--from")]
    Source(#[source] StoreError),
    /// The target cannot be used.
    #[error("--to")]
    Target(#[source] StoreError),
    /// The source lacks migrations, or has more than this version knows.
    #[error(
        "the database of --from is not at this version's state; run `topup migrate` with DATABASE_URL set to it, or use \
         the version that it was made by"
    )]
    SourceVersion,
    /// The copy failed.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// Copies the database at one address into the empty one at another, which it migrates first. Returns what was copied.
///
/// # Errors
/// See [`CopyDatabaseError`]. After an error but that of the commit the target has no data.
pub async fn copy_database(from: &str, to: &str) -> Result<Vec<TableSum>, CopyDatabaseError> {
    let source = Db::connect_to_read(from).await.map_err(CopyDatabaseError::Source)?;
    let state = source.migration_state().await;
    source.close().await;
    if state.map_err(CopyDatabaseError::Source)? != MigrationState::Current {
        return Err(CopyDatabaseError::SourceVersion);
    }
    let target = Db::connect(to, true).await.map_err(CopyDatabaseError::Target)?;
    target.migrate_and_close().await.map_err(CopyDatabaseError::Target)?;
    Ok(transfer(from, to).await?)
}

/// Audits the database at an address.
///
/// # Errors
/// When it fails.
pub async fn audit_at(url: &str) -> Result<AuditReport, StoreError> {
    let db = Db::connect_to_read(url).await?;
    let report = audit(&db, false).await;
    db.close().await;
    report
}
