//! Servers set and remove limits.

use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::db::{StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::LedgerEntryId;
use crate::domain::spend_limit::{Period, Windows};

statements! {
    SET = "UPDATE spend_limits SET credits = :credits \
        WHERE account_id = :account AND subject = :subject AND period = :period";
    SPENT_SINCE = "SELECT CAST(COALESCE(SUM(credits - refunded_credits), 0) AS BIGINT) AS credits FROM spends \
        WHERE account_id = :account AND created_at >= :from_ms AND (:subject = '' OR subject = :subject)";
    LATEST = "SELECT MAX(created_at) AS spent_at FROM spends WHERE account_id = :account";
    HELD = "SELECT CAST(COALESCE(SUM(credits), 0) AS BIGINT) AS credits FROM holds \
        WHERE account_id = :account AND state = 'open' AND (:subject = '' OR subject = :subject)";
    INSERT = "INSERT INTO spend_limits (account_id, subject, period, credits, window_start, used, held) \
        VALUES (:account, :subject, :period, :credits, :window_start, :used, :held)";
    REMOVE = "DELETE FROM spend_limits WHERE account_id = :account AND subject = :subject AND period = :period";
    ANY = "SELECT credits FROM spend_limits WHERE account_id = :account LIMIT 1";
}

#[derive(sqlx::FromRow)]
struct Latest {
    spent_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Credits {
    credits: i64,
}

/// Which limit.
#[derive(Debug, Clone)]
pub struct LimitKey {
    /// The account.
    pub account: AccountId,
    /// The part of the account; empty for the whole account.
    pub subject: String,
    /// The period.
    pub period: Period,
}

/// Sets a limit. What was spent in the running period and what is held already count against it.
///
/// # Errors
/// When the database fails.
pub async fn set_limit(app: &App, key: LimitKey, credits: i64) -> Result<(), StoreError> {
    app.db.write(change(app, key, Some(credits))).await.map(drop)
}

/// Removes a limit. Returns whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn remove_limit(app: &App, key: LimitKey) -> Result<bool, StoreError> {
    app.db.write(change(app, key, None)).await
}

fn change(app: &App, key: LimitKey, credits: Option<i64>) -> ChangeLimit {
    ChangeLimit { key, credits, entry: LedgerEntryId::from_bits(app.ids.id_bits()), now_ms: app.clock.now_ms() }
}

/// Sets a limit, or removes it. Returns whether there was one.
#[derive(Debug, Clone)]
pub struct ChangeLimit {
    /// The limit.
    pub key: LimitKey,
    /// The most credits that may be spent; `None` removes it.
    pub credits: Option<i64>,
    /// The id from which those of ledger entries would be derived.
    pub entry: LedgerEntryId,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Write for ChangeLimit {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let LimitKey { account: id, subject, period } = &self.key;
        if self.credits.is_some() {
            LockedAccount::create(tx, id, self.now_ms).await?;
        }
        let Some(mut account) = LockedAccount::lock(tx, id, &self.entry, self.now_ms).await? else { return Ok(false) };
        let (account_id, subject, period_name) = (id.as_str(), subject.as_str(), period.as_str());
        let Some(credits) = self.credits else {
            let removed = tx.execute(&REMOVE, &args![account = account_id, subject, period = period_name]).await?;
            let any: Option<Credits> = tx.fetch_optional(&ANY, &args![account = account_id]).await?;
            account.set_limited(any.is_some(), self.now_ms);
            account.store(tx).await?;
            return Ok(removed > 0);
        };
        let values = args![account = account_id, subject, period = period_name, credits];
        let is_known = tx.execute(&SET, &values).await? > 0;
        if !is_known {
            // Another server, whose clock is ahead, may have spent in a later period.
            let latest: Option<Latest> = tx.fetch_optional(&LATEST, &args![account = account_id]).await?;
            account.set_limited(true, latest.and_then(|row| row.spent_at).unwrap_or(self.now_ms));
            let window_start = Windows::at(account.counted_ms()).start_ms(*period);
            let used = if (subject, *period) == ("", Period::Total) {
                Some(Credits { credits: account.used_credits() })
            } else {
                let values = args![account = account_id, subject, from_ms = window_start];
                tx.fetch_optional(&SPENT_SINCE, &values).await?
            };
            let held: Option<Credits> = tx.fetch_optional(&HELD, &args![account = account_id, subject]).await?;
            let (used, held) = (used.map_or(0, |sum| sum.credits), held.map_or(0, |sum| sum.credits));
            let values = args![account = account_id, subject, period = period_name, credits, window_start, used, held];
            tx.execute(&INSERT, &values).await?;
        }
        account.set_limited(true, self.now_ms);
        account.store(tx).await?;
        Ok(is_known)
    }
}
