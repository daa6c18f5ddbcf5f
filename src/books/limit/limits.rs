//! Stored limits, and what counts against them.
//!
//! Invariants: what counts is changed under the lock of the account's row, together with the spends and holds that it
//! follows from. `used` is the sum of the spends of the limit's subject since `window_start`, less what was given back of
//! them; `held` is the sum of the subject's holds that are stored as open.

use crate::db::{StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::spend_limit::{Period, SpendLimit, Windows, tightest};

statements! {
    OF_SUBJECT = "SELECT subject, period, credits, window_start, used, held FROM spend_limits \
        WHERE account_id = :account AND subject IN ('', :subject)";
    /// In a new period, what is used begins at 0 again.
    COUNT = "UPDATE spend_limits SET held = held + :held, used = CASE WHEN window_start < CASE period \
        WHEN 'day' THEN CAST(:day_ms AS BIGINT) \
        WHEN 'month' THEN CAST(:month_ms AS BIGINT) ELSE 0 END THEN 0 ELSE used END + :used, \
        window_start = CASE period WHEN 'day' THEN CAST(:day_ms AS BIGINT) \
        WHEN 'month' THEN CAST(:month_ms AS BIGINT) ELSE 0 END \
        WHERE account_id = :account AND subject IN (:one, :other)";
    /// A spend of an earlier period counts no more.
    COUNT_GIVEN_BACK = "UPDATE spend_limits SET used = used - :credits \
        WHERE account_id = :account AND subject IN ('', :subject) AND window_start <= :spent_at";
}

/// A stored limit.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct LimitRow {
    subject: String,
    period: String,
    credits: i64,
    window_start: i64,
    used: i64,
    held: i64,
}

impl LimitRow {
    /// The limit in the period of a moment.
    pub(crate) fn at(self, now_ms: i64) -> Result<SpendLimit, StoreError> {
        let period =
            Period::parse(&self.period).ok_or_else(|| StoreError::corrupt("period of a limit", &self.period))?;
        let window_start_ms = Windows::at(now_ms).start_ms(period);
        let used = if self.window_start < window_start_ms { 0 } else { self.used };
        let (subject, credits, held) = (self.subject, self.credits, self.held);
        Ok(SpendLimit { subject, period, credits, used, held, window_start_ms })
    }
}

/// The limit that leaves a subject the least room.
pub(crate) async fn tightest_of(
    tx: &mut Tx,
    account: &AccountId,
    subject: &str,
    now_ms: i64,
) -> Result<Option<SpendLimit>, StoreError> {
    let rows: Vec<LimitRow> = tx.fetch_all(&OF_SUBJECT, &args![account = account.as_str(), subject]).await?;
    let limits: Vec<SpendLimit> = rows.into_iter().map(|row| row.at(now_ms)).collect::<Result<_, _>>()?;
    Ok(tightest(limits))
}

/// Credits that count against limits from now on; negative if they no longer do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    /// A hold reserves them.
    Held(i64),
    /// They are spent.
    Used(i64),
}

/// Counts credits for the limits of one or two subjects, of which `""` is the whole account.
pub(crate) async fn count(
    tx: &mut Tx,
    account: &AccountId,
    subjects: [&str; 2],
    counted: Counted,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (held, used) = match counted {
        Counted::Held(credits) => (credits, 0),
        Counted::Used(credits) => (0, credits),
    };
    let Windows { day_ms, month_ms } = Windows::at(now_ms);
    let [one, other] = subjects;
    let values = args![account = account.as_str(), one, other, held, used, day_ms, month_ms];
    tx.execute(&COUNT, &values).await.map(drop)
}

/// Counts credits that were given back of a spend.
pub(crate) async fn count_given_back(
    tx: &mut Tx,
    account: &AccountId,
    subject: &str,
    credits: i64,
    spent_at: i64,
) -> Result<(), StoreError> {
    let values = args![account = account.as_str(), subject, credits, spent_at];
    tx.execute(&COUNT_GIVEN_BACK, &values).await.map(drop)
}
