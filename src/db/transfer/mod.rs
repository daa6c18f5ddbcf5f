//! Copies everything from one database into another, empty one.
//!
//! The tables, their columns and their order follow from the schemas themselves, so a new table is copied without a
//! word here. Invariants: nobody writes to the source meanwhile; the copy is one transaction of the target, committed
//! only after every row was read back, so a process that dies leaves the target empty; one page of rows is in memory.

mod schema;
mod side;
mod sums;

use std::collections::BTreeMap;

use crate::checkpoints;
use crate::db::StoreError;
use crate::db::copies::{CopyError, refuse_in_use};
use schema::{Shape, in_order};
use side::Side;
pub use sums::TableSum;

/// How many rows are read at once.
const PAGE: i64 = 500;

/// Why a database was not copied.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The source failed.
    #[error("the database to copy from failed")]
    Source(#[source] StoreError),
    /// The target failed.
    #[error("the database to copy into failed; nothing was copied")]
    Target(#[source] StoreError),
    /// The connection broke off at the commit.
    #[error("it is not known whether the copy was kept; run `topup audit` with DATABASE_URL set to the new database")]
    Commit(#[source] StoreError),
    /// A process has the source open.
    #[error("a process uses the database to copy from; stop `topup serve`, everywhere, first")]
    InUse,
    /// The source's file cannot be examined.
    #[error(transparent)]
    File(CopyError),
    /// The target has rows.
    #[error("the database to copy into has data already (in {0}); copy into a new, empty one")]
    NotEmpty(String),
    /// The two have different tables or columns.
    #[error("the two databases differ in {0}; both must be at this version's state")]
    SchemaDiffers(String),
    /// What was read back is not what was copied.
    #[error("what was read back of {0} is not what was copied; nothing was kept")]
    NotEqual(String),
}

/// Copies everything. Both databases must be migrated to this version.
///
/// # Errors
/// See [`TransferError`]. After an error but [`TransferError::Commit`] the target has no data.
pub async fn transfer(from: &str, to: &str) -> Result<Vec<TableSum>, TransferError> {
    if from.starts_with("sqlite:") {
        refuse_in_use(from).map_err(|error| match error {
            CopyError::InUse(_) => TransferError::InUse,
            other => TransferError::File(other),
        })?;
    }
    let mut source = Side::open(from).await.map_err(TransferError::Source)?;
    let mut target = Side::open(to).await.map_err(TransferError::Target)?;
    let copied = copy(&mut source, &mut target).await;
    source.close().await;
    target.close().await;
    copied
}

async fn copy(source: &mut Side, target: &mut Side) -> Result<Vec<TableSum>, TransferError> {
    let shapes = source.shapes().await.map_err(TransferError::Source)?;
    if source.has_other_sessions().await.map_err(TransferError::Source)? {
        return Err(TransferError::InUse);
    }
    source.begin_reading(&shapes).await.map_err(TransferError::Source)?;
    let targets = target.shapes().await.map_err(TransferError::Target)?;
    compare(&shapes, &targets)?;
    target.begin_writing(&targets).await.map_err(TransferError::Target)?;
    let shapes = in_order(shapes).map_err(TransferError::Source)?;
    make_room(target, &shapes).await?;
    let mut sums = Vec::new();
    for shape in &shapes {
        sums.push(copy_table(source, target, shape).await?);
    }
    for sum in &sums {
        let shape = shapes.iter().find(|shape| shape.name == sum.table);
        let Some(shape) = shape else { return Err(TransferError::NotEqual(sum.table.clone())) };
        checkpoints::reach("read back").await;
        if read_sum(target, shape).await? != *sum {
            return Err(TransferError::NotEqual(sum.table.clone()));
        }
    }
    for shape in shapes.iter().filter(|shape| shape.counter.is_some()) {
        let last = source.counter(shape).await.map_err(TransferError::Source)?;
        target.set_counter(shape, last).await.map_err(TransferError::Target)?;
    }
    // A service that started meanwhile would go on with the old books.
    if source.has_other_sessions().await.map_err(TransferError::Source)? {
        return Err(TransferError::InUse);
    }
    checkpoints::reach("commit").await;
    target.commit().await.map_err(TransferError::Commit)?;
    checkpoints::reach("committed").await;
    Ok(sums)
}

fn compare(shapes: &[Shape], targets: &[Shape]) -> Result<(), TransferError> {
    let by_name = |shapes: &[Shape]| -> BTreeMap<String, Shape> {
        shapes.iter().map(|shape| (shape.name.clone(), shape.clone())).collect()
    };
    let (ours, theirs) = (by_name(shapes), by_name(targets));
    let names = ours.keys().chain(theirs.keys());
    for name in names {
        let pair = ours.get(name).zip(theirs.get(name));
        if !pair.is_some_and(|(one, other)| one.has_columns_of(other)) {
            return Err(TransferError::SchemaDiffers(name.clone()));
        }
    }
    Ok(())
}

/// Removes the rows that migrations themselves insert, and refuses any others.
async fn make_room(target: &mut Side, shapes: &[Shape]) -> Result<(), TransferError> {
    let mut fresh = Side::fresh().await.map_err(TransferError::Target)?;
    for shape in shapes {
        let rows = target.count(shape).await.map_err(TransferError::Target)?;
        let of_migrations = fresh.count(shape).await.map_err(TransferError::Target)?;
        if rows > of_migrations {
            return Err(TransferError::NotEmpty(shape.name.clone()));
        }
        if rows > 0 {
            target.clear(shape).await.map_err(TransferError::Target)?;
        }
    }
    fresh.close().await;
    Ok(())
}

async fn copy_table(source: &mut Side, target: &mut Side, shape: &Shape) -> Result<TableSum, TransferError> {
    let (mut sum, mut after) = (TableSum::new(&shape.name), None);
    loop {
        let page = source.page(shape, after.as_ref(), PAGE).await.map_err(TransferError::Source)?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = Some(shape.key_of(last));
        for row in &page {
            sum.add(row);
        }
        checkpoints::reach("copy a page").await;
        target.insert(shape, &page).await.map_err(TransferError::Target)?;
    }
}

async fn read_sum(target: &mut Side, shape: &Shape) -> Result<TableSum, TransferError> {
    let (mut sum, mut after) = (TableSum::new(&shape.name), None);
    loop {
        let page = target.page(shape, after.as_ref(), PAGE).await.map_err(TransferError::Target)?;
        let Some(last) = page.last() else { return Ok(sum) };
        after = Some(shape.key_of(last));
        for row in &page {
            sum.add(row);
        }
    }
}
