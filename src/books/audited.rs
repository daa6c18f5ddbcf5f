//! What the audit needs of a row.

use futures_util::future::BoxFuture;

use crate::db::{Db, StoreError};

/// A row that can be checked by itself.
pub(crate) trait Audited: Sized + Send {
    /// The key by which rows are ordered. The default value comes before all rows.
    type Key: Clone + Default + PartialEq + Send;

    fn key(&self) -> Self::Key;
    /// Reads a page that begins with this key.
    fn read(db: &Db, from: Self::Key, limit: i64) -> BoxFuture<'_, Result<Vec<Self>, StoreError>>;
    /// Identifies the row in the report.
    fn name(&self) -> String;
    /// What is wrong; `None` if nothing is.
    fn judge(&self) -> Option<String>;
}

/// The message of the first broken rule.
pub(crate) fn first_broken<const N: usize>(rules: [(bool, String); N]) -> Option<String> {
    rules.into_iter().find_map(|(holds, detail)| (!holds).then_some(detail))
}
