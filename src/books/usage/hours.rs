//! Recorded hours.
//!
//! Invariants: the rows of an hour are written together, once, and are the sums of the entries between their sequence
//! numbers, which never change. The row without operation and subject is always there, and is written first: of two
//! processes that record one hour, the second finds it and writes nothing.

use crate::books::usage::live::{UsageRow, Used};
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;

/// An hour of an account, with the stretch of the ledger that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RecordedHour {
    /// The account.
    pub account_id: String,
    /// Its beginning, in milliseconds since 1970.
    pub hour: i64,
    /// The sequence number of its first entry.
    pub first_sequence: i64,
    /// The sequence number of its last entry.
    pub last_sequence: i64,
}

/// What recorded usage is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageBy {
    /// The hour.
    Hour,
    /// The day, in UTC.
    Day,
    /// The kind of work.
    Operation,
    /// The part of the account.
    Subject,
}

/// The hours that are recorded, and their sums.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// The stretches of the ledger that the sums have, in order, each with its hour.
    pub(crate) stretches: Vec<(i64, i64, i64)>,
    /// The sums, by time (0 for other keys) and text.
    pub(crate) sums: Vec<((i64, String), Used)>,
}

/// A stretch if it has sequence numbers, and otherwise a sum.
#[derive(sqlx::FromRow)]
struct RecordedRow {
    hour: i64,
    first_sequence: i64,
    last_sequence: i64,
    word: String,
    credits: i64,
    refunded_credits: i64,
    spends: i64,
}

statements! {
    // One statement each, so that stretches and sums are of one snapshot.
    BY_HOUR = "SELECT hour, first_sequence, last_sequence, '' AS word, 0 AS credits, 0 AS refunded_credits, \
        0 AS spends FROM usage_hours WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms \
        AND operation = '' AND subject = '' \
        UNION ALL SELECT * FROM (SELECT hour AS hour, 0, 0, '', CAST(SUM(credits) AS BIGINT), \
        CAST(SUM(refunded_credits) AS BIGINT), CAST(SUM(spends) AS BIGINT) FROM usage_hours \
        WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms GROUP BY hour LIMIT :limit) AS sums";
    BY_DAY = "SELECT hour, first_sequence, last_sequence, '' AS word, 0 AS credits, 0 AS refunded_credits, 0 AS spends \
        FROM usage_hours WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms \
        AND operation = '' AND subject = '' \
        UNION ALL SELECT * FROM (SELECT hour / 86400000 * 86400000 AS day, 0, 0, '', CAST(SUM(credits) AS BIGINT), \
        CAST(SUM(refunded_credits) AS BIGINT), CAST(SUM(spends) AS BIGINT) FROM usage_hours \
        WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms GROUP BY day LIMIT :limit) AS sums";
    BY_OPERATION = "SELECT hour, first_sequence, last_sequence, '' AS word, 0 AS credits, 0 AS refunded_credits, \
        0 AS spends FROM usage_hours WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms \
        AND operation = '' AND subject = '' \
        UNION ALL SELECT * FROM (SELECT 0 AS hour, 0, 0, operation, CAST(SUM(credits) AS BIGINT), \
        CAST(SUM(refunded_credits) AS BIGINT), CAST(SUM(spends) AS BIGINT) FROM usage_hours \
        WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms GROUP BY operation LIMIT :limit) AS sums";
    BY_SUBJECT = "SELECT hour, first_sequence, last_sequence, '' AS word, 0 AS credits, 0 AS refunded_credits, \
        0 AS spends FROM usage_hours WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms \
        AND operation = '' AND subject = '' \
        UNION ALL SELECT * FROM (SELECT 0 AS hour, 0, 0, subject, CAST(SUM(credits) AS BIGINT), \
        CAST(SUM(refunded_credits) AS BIGINT), CAST(SUM(spends) AS BIGINT) FROM usage_hours \
        WHERE account_id = :account AND hour >= :from_ms AND hour < :to_ms GROUP BY subject LIMIT :limit) AS sums";
    INSERT = "INSERT INTO usage_hours (account_id, hour, operation, subject, credits, refunded_credits, spends, \
        first_sequence, last_sequence) VALUES (:account, :hour, :operation, :subject, :credits, :refunded_credits, \
        :spends, :first, :last) ON CONFLICT (account_id, hour, operation, subject) DO NOTHING";
    LATEST = "SELECT account_id, hour, first_sequence, last_sequence FROM usage_hours WHERE account_id = :account \
        ORDER BY hour DESC LIMIT 1";
    HOURS_AFTER = "SELECT account_id, hour, MIN(first_sequence) AS first_sequence, MAX(last_sequence) AS last_sequence \
        FROM (SELECT account_id, hour, first_sequence, last_sequence FROM usage_hours \
        WHERE (account_id, hour) > (:account, :hour) ORDER BY account_id, hour, operation, subject LIMIT :limit) \
        AS next GROUP BY account_id, hour ORDER BY account_id, hour";
    HOUR = "SELECT hour, operation, subject, credits, refunded_credits, spends FROM usage_hours \
        WHERE account_id = :account AND hour = :hour AND first_sequence = :first AND last_sequence = :last \
        ORDER BY operation, subject LIMIT :limit";
}

/// Records an hour.
pub(crate) struct RecordHour {
    pub(crate) account: AccountId,
    pub(crate) hour: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// The sums of the hour, one for each operation and subject.
    pub(crate) rows: Vec<UsageRow>,
}

impl Write for RecordHour {
    type Output = bool;

    /// Whether the hour was recorded now.
    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let is_total = |row: &&UsageRow| row.operation.is_empty() && row.subject.is_empty();
        let unnamed = self.rows.iter().find(is_total).map(UsageRow::used).unwrap_or_default();
        if self.insert(tx, ("", ""), unnamed).await? == 0 {
            return Ok(false);
        }
        for row in self.rows.iter().filter(|row| !is_total(row)) {
            self.insert(tx, (&row.operation, &row.subject), row.used()).await?;
        }
        Ok(true)
    }
}

impl RecordHour {
    async fn insert(&self, tx: &mut Tx, (operation, subject): (&str, &str), used: Used) -> Result<u64, StoreError> {
        let values = args![
            account = self.account.as_str(),
            hour = self.hour,
            operation,
            subject,
            credits = used.credits,
            refunded_credits = used.refunded_credits,
            spends = used.spends,
            first = self.first,
            last = self.last
        ];
        tx.execute(&INSERT, &values).await
    }
}

impl Db {
    /// The recorded hours of an account from one hour to before another, and at most `limit` sums.
    pub(crate) async fn recorded_usage(
        &self,
        account: &AccountId,
        (from_ms, to_ms): (i64, i64),
        by: UsageBy,
        limit: i64,
    ) -> Result<Recorded, StoreError> {
        let statement = match by {
            UsageBy::Hour => &BY_HOUR,
            UsageBy::Day => &BY_DAY,
            UsageBy::Operation => &BY_OPERATION,
            UsageBy::Subject => &BY_SUBJECT,
        };
        let values = args![account = account.as_str(), from_ms, to_ms, limit];
        let rows: Vec<RecordedRow> = self.read_all(statement, &values).await?;
        let mut recorded = Recorded::default();
        for row in rows {
            if row.last_sequence > 0 {
                recorded.stretches.push((row.hour, row.first_sequence, row.last_sequence));
            } else {
                let used = Used { credits: row.credits, refunded_credits: row.refunded_credits, spends: row.spends };
                recorded.sums.push(((row.hour, row.word), used));
            }
        }
        recorded.stretches.sort_unstable();
        Ok(recorded)
    }

    /// The latest hour of an account that is recorded.
    pub(crate) async fn latest_recorded_hour(&self, account: &AccountId) -> Result<Option<RecordedHour>, StoreError> {
        self.read_optional(&LATEST, &args![account = account.as_str()]).await
    }

    /// The recorded hours after this one, by account and time, from at most `limit` rows.
    pub(crate) async fn recorded_hours(&self, after: (&str, i64), limit: i64) -> Result<Vec<RecordedHour>, StoreError> {
        self.read_all(&HOURS_AFTER, &args![account = after.0, hour = after.1, limit]).await
    }

    /// At most `limit` rows of a recorded hour.
    pub(crate) async fn recorded_hour(&self, hour: &RecordedHour, limit: i64) -> Result<Vec<UsageRow>, StoreError> {
        let values = args![
            account = hour.account_id.as_str(),
            hour = hour.hour,
            first = hour.first_sequence,
            last = hour.last_sequence,
            limit
        ];
        self.read_all(&HOUR, &values).await
    }
}
