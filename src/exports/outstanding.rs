//! The credits that customers have at a past time, and their worth.
//!
//! The ledger has no sums of the past. What all accounts have now, less what was booked since, is what they had then.
//! Credits are worth what was paid for them: those that were sold last are the ones that are left, because what was
//! sold first is spent first. Credits that nobody paid for are worth nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::books::entry_times::DISORDER_MS;
use crate::books::sums::{difference, sum};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::ids::LedgerEntryId;
use crate::exports::lots::Lots;
use crate::exports::month_sums::moved;
use crate::exports::range::{TimeRange, settled_before_ms};

statements! {
    /// One snapshot: what all accounts have, and the part that entries from an id on brought. Reads all accounts.
    NOW = "SELECT CAST(COALESCE(SUM(balance), 0) AS BIGINT) AS balances, \
        (SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) FROM ledger_entries WHERE id >= :first) AS since, \
        COUNT(*) AS accounts FROM accounts";
    ANY_BEFORE = "SELECT id FROM ledger_entries WHERE id < :end ORDER BY id LIMIT 1";
    /// Entries of a time before whose ids are not, less those whose ids are and whose times are not.
    EDGE = "SELECT CAST(COALESCE(SUM(CASE WHEN id >= :first AND created_at < :settled_ms THEN credits \
        WHEN id < :first AND created_at >= :settled_ms THEN -credits ELSE 0 END), 0) AS BIGINT) AS credits \
        FROM ledger_entries WHERE id >= :low AND id < :end";
}

#[derive(sqlx::FromRow)]
struct NowRow {
    balances: i64,
    since: i64,
}

#[derive(sqlx::FromRow)]
struct IdRow {
    #[expect(dead_code, reason = "only whether there is one counts")]
    id: String,
}

#[derive(sqlx::FromRow)]
struct EdgeRow {
    credits: i64,
}

/// The sum of all balances at a time: of all entries before it.
///
/// The time must be one before which nothing is written any more.
///
/// # Errors
/// When the database fails, or a sum is out of range.
pub(crate) async fn credits_at(db: &Db, time_ms: i64, now_ms: i64) -> Result<i64, StoreError> {
    // Before the first entry there is nothing to add up, however long before. An id is drawn shortly before its entry.
    let end = LedgerEntryId::first_at(time_ms.saturating_add(DISORDER_MS));
    if db.read_optional::<IdRow>(&ANY_BEFORE, &args![end = end.as_str()]).await?.is_none() {
        return Ok(0);
    }
    // Entries with ids below `first` are final, as are those of times before it, and few have one but not the other.
    let settled_ms = settled_before_ms(now_ms).max(time_ms);
    let first = LedgerEntryId::first_at(settled_ms);
    let now: Option<NowRow> = db.read_optional(&NOW, &args![first = first.as_str()]).await?;
    let now = now.ok_or_else(|| StoreError::corrupt("no sum of", "accounts"))?;
    let mut credits = difference(now.balances, now.since)?;
    for moved in moved(db, TimeRange { from_ms: time_ms, to_ms: settled_ms }).await? {
        credits = difference(credits, moved.credits)?;
    }
    let (low, end) = TimeRange { from_ms: settled_ms, to_ms: settled_ms }.entry_ids();
    let values = args![low = low.as_str(), first = first.as_str(), end = end.as_str(), settled_ms];
    let edge: Option<EdgeRow> = db.read_optional(&EDGE, &values).await?;
    sum(credits, edge.map_or(0, |row| row.credits))
}

/// What was paid for credits, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Worth {
    /// The currency.
    pub currency: String,
    /// The amount, in its minor units.
    pub amount: i64,
}

/// The worth of this many credits at a time, by currency. The part of each purchase and of each paid period is rounded down.
///
/// # Errors
/// When the database fails, or a sum is out of range.
pub(crate) async fn worth_at(db: &Db, credits: i64, time_ms: i64) -> Result<Vec<Worth>, StoreError> {
    let (mut left, mut worth) = (credits, BTreeMap::<String, i64>::new());
    let mut lots = Lots::before(db, time_ms);
    while left > 0 {
        let Some(lot) = lots.next().await? else { break };
        let part = lot.credits.clamp(0, left);
        if part > 0 {
            left = difference(left, part)?;
            let price = lot.price(part)?;
            let total = worth.entry(lot.currency).or_default();
            *total = sum(*total, price)?;
        }
    }
    Ok(worth.into_iter().map(|(currency, amount)| Worth { currency, amount }).collect())
}
