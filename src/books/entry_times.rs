//! Finds the place of a time in an account's ledger, by the index that the ledger has.
//!
//! An entry carries the time at which its request came, so entries of one account may be out of order by as much as
//! clocks differ and writes wait. A place is therefore defined by the order of the ledger: the first entry of this time
//! or later. Places never cross, so stretches between them have neither gaps nor overlaps, and once such an entry
//! exists the place is fixed.

use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;

/// By how much entries of one account may be out of order. A write waits for less than half a minute, and the service
/// complains about a clock that is wrong by half a minute.
pub(crate) const DISORDER_MS: i64 = 300_000;

statements! {
    /// Doubles backwards through the sequence numbers to an entry that lies surely before the time, one row of the
    /// primary key at each step, and reads on from there. The longest history that it can search has 2^41 entries.
    FIRST_AT = "WITH RECURSIVE search(step, place) AS ( \
        SELECT CAST(1099511627776 AS BIGINT), CAST(0 AS BIGINT) UNION ALL \
        SELECT step / 2, CASE WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE account_id = :account \
        AND sequence = place + step AND created_at < :surely_before_ms) THEN place + step ELSE place END \
        FROM search WHERE step > 0) \
        SELECT sequence FROM ledger_entries WHERE account_id = :account \
        AND sequence > (SELECT place FROM search WHERE step = 0) AND created_at >= :time_ms \
        ORDER BY sequence LIMIT 1";
    TIME = "SELECT created_at FROM ledger_entries WHERE account_id = :account AND sequence = :sequence";
    LAST = "SELECT entries AS sequence FROM accounts WHERE id = :account";
}

#[derive(sqlx::FromRow)]
struct Place {
    sequence: i64,
}

#[derive(sqlx::FromRow)]
struct EntryTime {
    created_at: i64,
}

impl Db {
    /// The sequence number of an account's first entry of this time or later, if there is one.
    pub(crate) async fn first_entry_at(&self, account: &AccountId, time_ms: i64) -> Result<Option<i64>, StoreError> {
        let surely_before_ms = time_ms.saturating_sub(DISORDER_MS);
        let values = args![account = account.as_str(), time_ms, surely_before_ms];
        let place: Option<Place> = self.read_optional(&FIRST_AT, &values).await?;
        Ok(place.map(|place| place.sequence))
    }

    /// The sequence number of an account's last entry; 0 if it has none.
    pub(crate) async fn last_entry(&self, account: &AccountId) -> Result<i64, StoreError> {
        let place: Option<Place> = self.read_optional(&LAST, &args![account = account.as_str()]).await?;
        Ok(place.map_or(0, |place| place.sequence))
    }

    /// The stretch of an account's ledger from one time to before another: its first and its last sequence number. The
    /// first is larger than the last if there is no entry.
    pub(crate) async fn entries_between(
        &self,
        account: &AccountId,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<(i64, i64), StoreError> {
        let last = self.last_entry(account).await?;
        let after = self.first_entry_at(account, to_ms).await?;
        let last = after.map_or(last, |after| after.saturating_sub(1));
        let first = self.first_entry_at(account, from_ms).await?;
        // An entry that came after the end was read is not part of it.
        let end = last.saturating_add(1);
        Ok((first.map_or(end, |first| first.min(end)), last))
    }

    /// The time of an entry that exists, in milliseconds since 1970.
    pub(crate) async fn entry_time(&self, account: &AccountId, sequence: i64) -> Result<i64, StoreError> {
        let values = args![account = account.as_str(), sequence];
        let entry: Option<EntryTime> = self.read_optional(&TIME, &values).await?;
        entry.map(|entry| entry.created_at).ok_or_else(|| StoreError::corrupt("missing entry of", account))
    }
}
