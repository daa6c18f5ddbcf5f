//! Data for others: the books as tables, a month for accounting, and everything in another database.
//!
//! Nothing here writes to the database that it reads.

pub mod cell;
pub mod copy_database;
pub mod export;
pub(crate) mod ledger;
pub(crate) mod lots;
pub mod month;
pub(crate) mod month_sums;
pub(crate) mod outstanding;
pub mod range;
pub(crate) mod reversals;
pub(crate) mod rows;
pub(crate) mod topups;
