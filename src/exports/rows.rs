//! How a table is read: pages of rows in the order of a key.

use crate::db::{Db, StoreError};
use crate::exports::cell::Cell;
use crate::exports::range::TimeRange;

/// How many rows are read at once.
pub(crate) const PAGE: i64 = 500;

/// A walk through the rows of one table.
pub(crate) trait Rows: Send {
    /// The names of the columns, which are the API's.
    const NAMES: &'static [&'static str];

    /// The cells of the next rows, in the order of the names; none when the walk is over.
    fn next(&mut self, db: &Db) -> impl Future<Output = Result<Vec<Vec<Cell>>, StoreError>> + Send;
}

/// The place in a table that is read in the order of times: after this row.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The row's time; at first the beginning of the range.
    pub time_ms: i64,
    /// Its id; at first empty, which is before every id.
    pub id: String,
}

impl Place {
    pub(crate) const fn start(range: TimeRange) -> Self {
        Self { time_ms: range.from_ms, id: String::new() }
    }
}
