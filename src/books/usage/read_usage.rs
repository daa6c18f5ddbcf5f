//! Reads usage: recorded hours, and the rest from the ledger.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::books::usage::hours::UsageBy;
use crate::books::usage::live::{UsageRow, Used};
use crate::db::{Db, StoreError};
use crate::domain::account::AccountId;
use crate::domain::timestamp::DAY_MS;

/// How many operations or subjects an answer has.
const MAX_WORDS: usize = 1_000;
/// How many of them are added up.
const MAX_SUMS: usize = 100_000;

/// What usage is summed up for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageKey {
    /// The hour or day that begins then, in milliseconds since 1970.
    Time(i64),
    /// An operation or a subject; empty if none was named.
    Word(String),
}

/// Usage of one hour, day, operation or subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSum {
    /// Which.
    pub key: UsageKey,
    /// Its usage.
    pub used: Used,
}

/// An account's usage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Hours and days in their order, without those of no usage; operations and subjects with the most credits first.
    pub sums: Vec<UsageSum>,
    /// Whether there are more operations or subjects than these.
    pub has_more: bool,
    /// The time of reading, in milliseconds since 1970.
    pub as_of_ms: i64,
}

/// Why usage is not told.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// There are too many operations or subjects to be added up.
    #[error("more than {MAX_SUMS} operations or subjects in this time; ask for a shorter one")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The usage of an account in the hours from one to before another; both are times of full hours.
///
/// # Errors
/// When there are too many different words, or the database fails.
pub async fn read_usage(
    db: &Db,
    account: &AccountId,
    range: (i64, i64),
    by: UsageBy,
    as_of_ms: i64,
) -> Result<Usage, UsageError> {
    let mut sums = Sums { by, sums: BTreeMap::new() };
    add_up(db, account, range, &mut sums).await?;
    if sums.sums.len() > MAX_SUMS {
        return Err(UsageError::TooMany);
    }
    let used = sums.sums.into_iter().filter(|(_, used)| *used != Used::default());
    let mut sums: Vec<UsageSum> = used.map(|(key, used)| UsageSum { key, used }).collect();
    let mut has_more = false;
    if matches!(by, UsageBy::Operation | UsageBy::Subject) {
        // Stable: equal ones stay in the order of their names.
        sums.sort_by_key(|sum| Reverse(sum.used.credits));
        has_more = sums.len() > MAX_WORDS;
        sums.truncate(MAX_WORDS);
    }
    Ok(Usage { sums, has_more, as_of_ms })
}

/// Sums by the wanted key. When there are too many, further keys are left out.
struct Sums {
    by: UsageBy,
    sums: BTreeMap<UsageKey, Used>,
}

impl Sums {
    fn add(&mut self, key: UsageKey, used: Used) -> Result<(), StoreError> {
        let is_full = self.sums.len() > MAX_SUMS;
        if is_full && !self.sums.contains_key(&key) {
            return Ok(());
        }
        self.sums.entry(key).or_default().add(used)
    }

    fn add_row(&mut self, row: UsageRow) -> Result<(), StoreError> {
        let used = row.used();
        let key = match self.by {
            UsageBy::Hour => UsageKey::Time(row.hour),
            UsageBy::Day => UsageKey::Time(row.hour.saturating_sub(row.hour.rem_euclid(DAY_MS))),
            UsageBy::Operation => UsageKey::Word(row.operation),
            UsageBy::Subject => UsageKey::Word(row.subject),
        };
        self.add(key, used)
    }
}

/// Recorded hours say which stretches of the ledger they have; what lies between them is added up from the ledger.
async fn add_up(db: &Db, account: &AccountId, range: (i64, i64), sums: &mut Sums) -> Result<(), StoreError> {
    let (first, last) = db.entries_between(account, range.0, range.1).await?;
    if first > last {
        return Ok(());
    }
    let limit = i64::try_from(MAX_SUMS).unwrap_or(i64::MAX).saturating_add(2);
    let recorded = db.recorded_usage(account, range, sums.by, limit).await?;
    for ((time_ms, word), used) in recorded.sums {
        let is_time = matches!(sums.by, UsageBy::Hour | UsageBy::Day);
        sums.add(if is_time { UsageKey::Time(time_ms) } else { UsageKey::Word(word) }, used)?;
    }
    let (mut next, mut floor) = (first, range.0);
    for (hour, begins, ends) in recorded.stretches {
        // Recorded hours are not read a second time, even if a clock that was wrong has mixed up the places of times.
        db.add_up_usage(account, (next, begins.saturating_sub(1)), floor, |row| sums.add_row(row)).await?;
        (next, floor) = (next.max(ends.saturating_add(1)), hour);
    }
    db.add_up_usage(account, (next, last), floor, |row| sums.add_row(row)).await
}
