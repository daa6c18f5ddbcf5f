//! A transaction as a value: a struct that owns its data and defines what the transaction does.

use crate::db::StoreError;
use crate::db::Tx;

/// A transaction as a value. It may run more than once, from the beginning each time, so it talks to nothing but its
/// [`Tx`].
///
/// Run it with [`Db::write`](crate::db::Db::write), or as part of a larger write with [`Self::run`].
pub trait Write: Send + Sync + 'static {
    /// The result that the caller gets after the commit.
    type Output: Send + 'static;

    /// Runs the statements. The transaction is committed if this succeeds and rolled back if it fails.
    ///
    /// # Errors
    /// When the database fails, or the write must not be committed. After [`StoreError::Overtaken`] it is run again.
    fn run(&self, tx: &mut Tx) -> impl Future<Output = Result<Self::Output, StoreError>> + Send;
}
