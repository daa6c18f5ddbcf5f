//! What an operator sees first: what moved in the last weeks, and what is owed to customers.
//!
//! Days that are over are added up once and stored (`ledger_days`); the current day is added up each time. Ledger
//! entries are found by their ids, which begin with the time at which they were drawn, so the ledger needs no index of
//! times. The whole is computed at most once a minute in a process, whoever asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::app::App;
use crate::db::{StoreError, Tx, Write, args, statements};
use crate::domain::ids::LedgerEntryId;
use crate::domain::timestamp::DAY_MS;

/// How many days are shown, with the current one.
pub const DAYS: i64 = 30;
/// How long after its end a day is stored. An id is drawn seconds before its entry is committed.
const SETTLED_AFTER_MS: i64 = 10 * 60_000;
/// How long a computed overview is shown.
const FRESH_MS: i64 = 60_000;

/// The credits that moved on a day, each 0 or more unless returns outweigh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayMoves {
    /// When the day began, in milliseconds since 1970.
    pub day_ms: i64,
    /// Credits sold.
    pub sold: i64,
    /// Credits spent, less those given back.
    pub spent: i64,
    /// Credits whose time ended.
    pub expired: i64,
    /// Credits taken back by refunds and disputes, less those returned.
    pub refunded: i64,
}

/// The fees of the payments of the last days in a currency. Amounts are in its minor units.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FeeSums {
    /// The currency of the charges.
    pub currency: String,
    /// How many payments have a known fee in the currency of their charge.
    pub charges: i64,
    /// What was expected of them.
    pub expected: i64,
    /// What the provider kept.
    pub real: i64,
    /// How many payments have no known fee, or one in another currency.
    pub unknown: i64,
}

/// What is owed to customers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Outstanding {
    /// The sum of all positive balances.
    pub credits: i64,
    /// The sum of all negative balances, as a positive number.
    pub owed: i64,
    /// How many accounts have credits.
    pub accounts: i64,
}

/// The overview.
#[derive(Debug, Clone)]
pub struct Overview {
    /// When it was computed, in milliseconds since 1970.
    pub at_ms: i64,
    /// The last days, oldest first.
    pub days: Vec<DayMoves>,
    /// Their fees, by currency.
    pub fees: Vec<FeeSums>,
    /// What is owed to customers.
    pub outstanding: Outstanding,
}

/// The overview that was computed last.
#[derive(Debug, Default)]
pub struct LastOverview(Mutex<Option<Arc<Overview>>>);

/// The most purchases whose fees are added up.
const MAX_PURCHASES: i64 = 200_000;

statements! {
    STORED = "SELECT day, kind, credits FROM ledger_days WHERE day >= :from_ms ORDER BY day, kind LIMIT 1000";
    /// The empty kind marks a day that was added up, also if nothing moved.
    STORE = "INSERT INTO ledger_days (day, kind, credits, entries) VALUES (:day_ms, :kind, :credits, :entries) \
        ON CONFLICT (day, kind) DO NOTHING";
    MOVED = "SELECT kind, CAST(SUM(credits) AS BIGINT) AS credits, COUNT(*) AS entries FROM ledger_entries \
        WHERE id >= :first AND id < :last GROUP BY kind";
    /// The order of creation makes planners use its index, and `CROSS JOIN` keeps SQLite from starting with all payments.
    FEES = "SELECT t.currency, CAST(COALESCE(SUM(CASE WHEN p.real_fee_currency = t.currency THEN 1 ELSE 0 END), 0) AS BIGINT) \
        AS charges, \
        CAST(COALESCE(SUM(CASE WHEN p.real_fee_currency = t.currency THEN t.expected_fee ELSE 0 END), 0) AS BIGINT) \
        AS expected, \
        CAST(COALESCE(SUM(CASE WHEN p.real_fee_currency = t.currency THEN p.real_fee ELSE 0 END), 0) AS BIGINT) \
        AS real, \
        CAST(COALESCE(SUM(CASE WHEN p.real_fee_currency = t.currency THEN 0 ELSE 1 END), 0) AS BIGINT) AS unknown \
        FROM (SELECT id, currency, expected_fee FROM topups WHERE created_at >= :from_ms AND state || '' = 'paid' \
        ORDER BY created_at DESC LIMIT :limit) AS t CROSS JOIN payments p \
        WHERE p.topup_id = t.id AND p.state || '' = 'credited' GROUP BY t.currency ORDER BY t.currency";
    /// Reads all accounts, at most once a minute.
    OUTSTANDING = "SELECT CAST(COALESCE(SUM(CASE WHEN balance > 0 THEN balance ELSE 0 END), 0) AS BIGINT) AS credits, \
        CAST(COALESCE(SUM(CASE WHEN balance < 0 THEN -balance ELSE 0 END), 0) AS BIGINT) AS owed, \
        CAST(COALESCE(SUM(CASE WHEN balance > 0 THEN 1 ELSE 0 END), 0) AS BIGINT) AS accounts FROM accounts";
}

#[derive(sqlx::FromRow)]
struct StoredDay {
    day: i64,
    kind: String,
    credits: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
struct Moved {
    kind: String,
    credits: i64,
    entries: i64,
}

struct StoreDay {
    day_ms: i64,
    moved: Vec<Moved>,
}

impl Write for StoreDay {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let mark = Moved { kind: String::new(), credits: 0, entries: 0 };
        for Moved { kind, credits, entries } in self.moved.iter().chain([&mark]) {
            let values = args![day_ms = self.day_ms, kind = kind.as_str(), credits = *credits, entries = *entries];
            tx.execute(&STORE, &values).await?;
        }
        Ok(())
    }
}

async fn moved_on(app: &App, day_ms: i64) -> Result<Vec<Moved>, StoreError> {
    let (first, last) = (LedgerEntryId::first_at(day_ms), LedgerEntryId::first_at(day_ms.saturating_add(DAY_MS)));
    app.db.read_all(&MOVED, &args![first = first.as_str(), last = last.as_str()]).await
}

/// The overview, computed anew if the last one is older than a minute.
///
/// # Errors
/// When the database fails.
pub async fn overview(app: &App, last: &LastOverview) -> Result<Arc<Overview>, StoreError> {
    let mut last = last.0.lock().await;
    let now_ms = app.clock.now_ms();
    if let Some(fresh) = last.as_ref().filter(|last| (0..FRESH_MS).contains(&now_ms.saturating_sub(last.at_ms))) {
        return Ok(fresh.clone());
    }
    let computed = Arc::new(compute(app, now_ms).await?);
    *last = Some(computed.clone());
    Ok(computed)
}

async fn compute(app: &App, now_ms: i64) -> Result<Overview, StoreError> {
    let today_ms = now_ms.div_euclid(DAY_MS).saturating_mul(DAY_MS);
    let from_ms = today_ms.saturating_sub(DAYS.saturating_sub(1).saturating_mul(DAY_MS));
    let mut kinds: BTreeMap<i64, Vec<(String, i64)>> = BTreeMap::new();
    for stored in app.db.read_all::<StoredDay>(&STORED, &args![from_ms]).await? {
        kinds.entry(stored.day).or_default().push((stored.kind, stored.credits));
    }
    let mut days = Vec::new();
    for number in 0..DAYS {
        let day_ms = from_ms.saturating_add(number.saturating_mul(DAY_MS));
        if let Some(stored) = kinds.remove(&day_ms) {
            days.push(sum(day_ms, &stored));
            continue;
        }
        let moved = moved_on(app, day_ms).await?;
        let pairs: Vec<(String, i64)> = moved.iter().map(|moved| (moved.kind.clone(), moved.credits)).collect();
        days.push(sum(day_ms, &pairs));
        if day_ms.saturating_add(DAY_MS).saturating_add(SETTLED_AFTER_MS) <= now_ms {
            app.db.write(StoreDay { day_ms, moved }).await?;
        }
    }
    Ok(Overview {
        at_ms: now_ms,
        days,
        fees: app.db.read_all(&FEES, &args![from_ms, limit = MAX_PURCHASES]).await?,
        outstanding: app.db.read_optional(&OUTSTANDING, &[]).await?.unwrap_or_default(),
    })
}

fn sum(day_ms: i64, kinds: &[(String, i64)]) -> DayMoves {
    let of = |wanted: &[&str]| {
        let moved = kinds.iter().filter(|(kind, _)| wanted.contains(&kind.as_str()));
        moved.fold(0_i64, |sum, (_, credits)| sum.saturating_add(*credits))
    };
    DayMoves {
        day_ms,
        sold: of(&["topup"]),
        spent: of(&["spend", "spend_refund"]).saturating_neg(),
        expired: of(&["expiry"]).saturating_neg(),
        refunded: of(&["reversal"]).saturating_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_back_is_taken_off() {
        let kinds =
            [("topup", 500), ("spend", -120), ("spend_refund", 20), ("expiry", -5), ("reversal", -250), ("bonus", 9)];
        let kinds: Vec<(String, i64)> = kinds.iter().map(|(kind, credits)| ((*kind).to_owned(), *credits)).collect();
        let day = DayMoves { day_ms: 7, sold: 500, spent: 100, expired: 5, refunded: 250 };
        assert_eq!(sum(7, &kinds), day);
    }
}
