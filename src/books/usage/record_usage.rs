//! Records the hours that are over. No answer depends on it: what is not recorded is added up from the ledger.
//!
//! An hour is recorded a minute after its end, by whichever process comes first. An entry that is written later still
//! belongs to the hour, and is added up from the ledger for good. Recorded hours that are missing before the latest one
//! are not recorded again, and neither is an hour that ended more than a week ago.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::books::usage::hours::RecordHour;
use crate::books::usage::live::{HOUR_MS, UsageRow, Used};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;

/// How long after its end an hour is recorded.
const AFTER_MS: i64 = 60_000;
/// Hours that ended longer ago are added up from the ledger for good, so that hours which cannot be recorded are not
/// read each time.
const BACK_MS: i64 = 7 * 24 * HOUR_MS;
/// How many accounts are read at once.
const PAGE: i64 = 500;
/// An hour of more different operations and subjects is added up from the ledger each time.
const MAX_ROWS: usize = 5_000;
/// How often the job looks whether an hour is over.
const EVERY: Duration = Duration::from_mins(1);

statements! {
    /// Accounts, with how far each is recorded.
    ACCOUNTS = "SELECT a.id, a.entries, (SELECT u.last_sequence FROM usage_hours u WHERE u.account_id = a.id \
        ORDER BY u.hour DESC LIMIT 1) AS recorded FROM accounts a WHERE a.id > :after ORDER BY a.id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    id: String,
    entries: i64,
    recorded: Option<i64>,
}

/// Records the hours of all accounts that are over. Returns their number.
///
/// # Errors
/// When the accounts cannot be read. One whose hours cannot be recorded is logged, and the others are recorded all the
/// same.
pub async fn record_usage(db: &Db, now_ms: i64, stop: &CancellationToken) -> Result<usize, StoreError> {
    let (mut recorded, mut after) = (0_usize, String::new());
    loop {
        let page: Vec<AccountRow> = db.read_all(&ACCOUNTS, &args![after = after.as_str(), limit = PAGE]).await?;
        let Some(last) = page.last() else { return Ok(recorded) };
        after.clone_from(&last.id);
        for row in page.iter().filter(|row| row.recorded.unwrap_or(0) < row.entries) {
            let account = AccountId::parse(row.id.as_str()).map_err(|error| StoreError::corrupt("account", error))?;
            let hours = record_account(db, &account, now_ms, stop).await;
            match hours {
                Ok(hours) => recorded = recorded.saturating_add(hours),
                Err(error) => tracing::warn!(error = error.in_words(), "usage of an account cannot be recorded"),
            }
            if stop.is_cancelled() {
                return Ok(recorded);
            }
        }
    }
}

/// Records the hours of an account after the latest recorded one. Returns their number.
async fn record_account(
    db: &Db,
    account: &AccountId,
    now_ms: i64,
    stop: &CancellationToken,
) -> Result<usize, StoreError> {
    let latest = db.latest_recorded_hour(account).await?;
    let oldest = now_ms.saturating_sub(BACK_MS).div_euclid(HOUR_MS).saturating_mul(HOUR_MS);
    let mut from_ms = latest.map_or(oldest, |latest| latest.hour.saturating_add(HOUR_MS)).max(oldest);
    let mut recorded = 0_usize;
    while !stop.is_cancelled() {
        let Some(first) = db.first_entry_at(account, from_ms).await? else { break };
        let created_at = db.entry_time(account, first).await?;
        let hour = created_at.saturating_sub(created_at.rem_euclid(HOUR_MS));
        from_ms = hour.saturating_add(HOUR_MS);
        if from_ms.saturating_add(AFTER_MS) > now_ms {
            break;
        }
        let (_, last) = db.entries_between(account, hour, from_ms).await?;
        if record_hour(db, account, hour, (first, last)).await? {
            recorded = recorded.saturating_add(1);
        }
    }
    Ok(recorded)
}

async fn record_hour(db: &Db, account: &AccountId, hour: i64, (first, last): (i64, i64)) -> Result<bool, StoreError> {
    let mut sums: BTreeMap<(String, String), Used> = BTreeMap::new();
    let add = |row: UsageRow| {
        let used = row.used();
        if sums.len() <= MAX_ROWS {
            sums.entry((row.operation, row.subject)).or_default().add(used)?;
        }
        Ok(())
    };
    db.add_up_usage(account, (first, last), hour, add).await?;
    if sums.len() > MAX_ROWS {
        return Ok(false);
    }
    let row = |((operation, subject), used): ((String, String), Used)| UsageRow {
        hour,
        operation,
        subject,
        credits: used.credits,
        refunded_credits: used.refunded_credits,
        spends: used.spends,
    };
    let rows = sums.into_iter().map(row).collect();
    db.write(RecordHour { account: account.clone(), hour, first, last, rows }).await
}

/// The background job that records usage: once an hour, a minute after its end, and once after the start.
#[must_use]
pub fn recording_job() -> Job {
    let done = Arc::new(AtomicI64::new(0));
    Job::new("record usage", EVERY, EVERY, move |app: Arc<App>, stop: CancellationToken| {
        let done = done.clone();
        async move {
            let now_ms = app.clock.now_ms();
            let hour = now_ms.saturating_sub(AFTER_MS).div_euclid(HOUR_MS);
            if done.load(Ordering::Relaxed) < hour {
                record_usage(&app.db, now_ms, &stop).await?;
                done.store(hour, Ordering::Relaxed);
            }
            Ok::<(), StoreError>(())
        }
    })
}
