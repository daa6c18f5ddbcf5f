//! Proves recorded hours: their stretch of the ledger is theirs, and their sums are those of its entries.

use std::collections::BTreeMap;

use crate::books::audit_report::{AuditReport, Difference, PAGE};
use crate::books::usage::hours::RecordedHour;
use crate::books::usage::live::{HOUR_MS, UsageRow, Used};
use crate::db::{Db, StoreError};
use crate::domain::account::AccountId;

/// How many rows of an hour are compared at most; one more than are recorded, and the row of no words.
const MAX_ROWS: i64 = 5_002;

/// Adds the differences to the report. Returns the number of recorded hours.
///
/// # Errors
/// When the database fails.
pub(crate) async fn audit_usage(db: &Db, report: &mut AuditReport) -> Result<u64, StoreError> {
    let (mut count, mut account, mut hour, mut end) = (0_u64, String::new(), 0_i64, 0_i64);
    loop {
        let page = db.recorded_hours((&account, hour), PAGE).await?;
        if page.is_empty() {
            return Ok(count);
        }
        for recorded in page {
            if recorded.account_id != account {
                end = 0;
            }
            if let Some(detail) = wrong(db, &recorded, end).await? {
                let id = format!("usage of account {}, hour {}", recorded.account_id, recorded.hour);
                report.add(Difference { id, detail });
            }
            (hour, end) = (recorded.hour, recorded.last_sequence);
            account = recorded.account_id;
            count = count.saturating_add(1);
        }
    }
}

/// What is wrong with a recorded hour, given the end of the one before.
async fn wrong(db: &Db, recorded: &RecordedHour, end: i64) -> Result<Option<String>, StoreError> {
    let account = AccountId::parse(recorded.account_id.as_str());
    let account = account.map_err(|error| StoreError::corrupt("account", error))?;
    let (first, last) = (recorded.first_sequence, recorded.last_sequence);
    if first <= end || db.last_entry(&account).await? < last {
        return Ok(Some(format!("has the entries {first} to {last}, the hour before it those up to {end}")));
    }
    let created_at = db.entry_time(&account, first).await?;
    if created_at.saturating_sub(created_at.rem_euclid(HOUR_MS)) != recorded.hour {
        return Ok(Some(format!("begins with the entry {first}, which is of another hour")));
    }
    let mut stored = Sums::default();
    for row in db.recorded_hour(recorded, MAX_ROWS).await? {
        add(&mut stored, row)?;
    }
    let mut live = Sums::default();
    db.add_up_usage(&account, (first, last), recorded.hour, |row| add(&mut live, row)).await?;
    // Entries of no usage leave a row of zeros or none; the row of no words is always recorded.
    live.entry((String::new(), String::new())).or_default();
    Ok((stored != live).then(|| "its sums are not those of its entries".to_owned()))
}

/// Usage by operation and subject.
type Sums = BTreeMap<(String, String), Used>;

fn add(sums: &mut Sums, row: UsageRow) -> Result<(), StoreError> {
    let used = row.used();
    sums.entry((row.operation, row.subject)).or_default().add(used)
}
