//! Adds up usage from a stretch of an account's ledger.

use crate::books::sums::sum;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;

/// The length of an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// How many entries one statement reads.
const PART_ENTRIES: i64 = 20_000;

/// What was spent and given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// The credits that were spent.
    pub credits: i64,
    /// The credits that were given back.
    pub refunded_credits: i64,
    /// The number of spends. One of 0 credits moves nothing and is not counted.
    pub spends: i64,
}

impl Used {
    /// Adds other usage.
    ///
    /// # Errors
    /// When a sum is out of range.
    pub(crate) fn add(&mut self, other: Self) -> Result<(), StoreError> {
        self.credits = sum(self.credits, other.credits)?;
        self.refunded_credits = sum(self.refunded_credits, other.refunded_credits)?;
        self.spends = sum(self.spends, other.spends)?;
        Ok(())
    }
}

/// The usage of one hour for one operation and one subject. Both are empty if none was named.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UsageRow {
    /// The beginning of the hour, in milliseconds since 1970.
    pub hour: i64,
    /// The kind of work.
    pub operation: String,
    /// The part of the account.
    pub subject: String,
    /// The credits that were spent.
    pub credits: i64,
    /// The credits that were given back.
    pub refunded_credits: i64,
    /// The number of spends.
    pub spends: i64,
}

impl UsageRow {
    /// Its numbers.
    #[must_use]
    pub const fn used(&self) -> Used {
        Used { credits: self.credits, refunded_credits: self.refunded_credits, spends: self.spends }
    }
}

statements! {
    /// An entry belongs to the latest hour that it or an entry before it carries (`:floor` if that is later). Entries
    /// of other kinds count for nothing, and carry the hour on to the next statement.
    USAGE = "SELECT hour, operation, subject, CAST(SUM(taken) AS BIGINT) AS credits, \
        CAST(SUM(given_back) AS BIGINT) AS refunded_credits, CAST(SUM(is_spend) AS BIGINT) AS spends FROM ( \
        SELECT CASE WHEN e.latest < :floor THEN :floor ELSE e.latest / 3600000 * 3600000 END AS hour, \
        COALESCE(s.operation, '') AS operation, COALESCE(s.subject, '') AS subject, \
        CASE WHEN e.kind = 'spend' THEN -e.credits ELSE 0 END AS taken, \
        CASE WHEN e.kind = 'spend_refund' THEN e.credits ELSE 0 END AS given_back, \
        CASE WHEN e.source = s.id THEN 1 ELSE 0 END AS is_spend \
        FROM (SELECT kind, credits, source, MAX(created_at) OVER (ORDER BY sequence) AS latest FROM ledger_entries \
        WHERE account_id = :account AND sequence >= :first AND sequence <= :last) e \
        LEFT JOIN spend_refunds r ON r.id = CASE WHEN e.kind = 'spend_refund' THEN e.source END \
        LEFT JOIN spends s ON s.id = CASE WHEN e.kind = 'spend' THEN SUBSTR(e.source, 1, 38) ELSE r.spend_id END \
        ) AS moved GROUP BY hour, operation, subject ORDER BY hour, operation, subject";
}

impl Db {
    /// Adds up the entries from `first` to `last`, of which none belongs to an hour before `floor`, and gives the sums
    /// to `take`. Sums of one hour, operation and subject may come in several parts.
    pub(crate) async fn add_up_usage(
        &self,
        account: &AccountId,
        (first, last): (i64, i64),
        floor: i64,
        mut take: impl FnMut(UsageRow) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let (mut first, mut floor) = (first, floor);
        while first <= last {
            let end = last.min(first.saturating_add(PART_ENTRIES).saturating_sub(1));
            let values = args![account = account.as_str(), first, last = end, floor];
            let rows: Vec<UsageRow> = self.read_all(&USAGE, &values).await?;
            for row in rows {
                floor = floor.max(row.hour);
                take(row)?;
            }
            first = end.saturating_add(1);
        }
        Ok(())
    }
}
