//! The limits of an account.

use crate::app::App;
use crate::books::limit::limits::LimitRow;
use crate::books::settle_account::balance_now;
use crate::db::{Db, StoreError, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ledger::Balance;
use crate::domain::spend_limit::SpendLimit;

statements! {
    PAGE = "SELECT subject, period, credits, window_start, used, held FROM spend_limits \
        WHERE account_id = :account AND (subject, period) > (:after_subject, :after_period) \
        ORDER BY subject, period LIMIT :limit";
    OF_SUBJECT = "SELECT subject, period, credits, window_start, used, held FROM spend_limits \
        WHERE account_id = :account AND subject = :subject ORDER BY period LIMIT 3";
    MET_BY = "SELECT subject, period, credits, window_start, used, held FROM spend_limits \
        WHERE account_id = :account AND subject IN ('', :subject) ORDER BY subject, period LIMIT 6";
}

/// Which limits of an account to show.
#[derive(Debug, Clone)]
pub enum Which {
    /// All after a place (subject and period), ordered by both; at most so many.
    After(String, String, i64),
    /// Those of a subject; empty for those of the whole account.
    Of(String),
    /// Those that a spend of this subject meets: the account's and its own.
    MetBy(String),
}

/// An account's balance, and limits with what counts against them now. Ended holds do not count.
///
/// # Errors
/// When the database fails.
pub async fn limits_now(
    app: &App,
    account: &AccountId,
    which: Which,
) -> Result<(Balance, Vec<SpendLimit>), StoreError> {
    // Settles the account if a hold may have ended.
    let balance = balance_now(app, account).await?;
    let now_ms = app.clock.now_ms();
    let limits: Result<_, _> = app.db.limits(account, which).await?.into_iter().map(|row| row.at(now_ms)).collect();
    Ok((balance, limits?))
}

impl Db {
    async fn limits(&self, account: &AccountId, which: Which) -> Result<Vec<LimitRow>, StoreError> {
        let account = account.as_str();
        match which {
            Which::After(subject, period, limit) => {
                let values = args![account, after_subject = subject.as_str(), after_period = period.as_str(), limit];
                self.read_all(&PAGE, &values).await
            }
            Which::Of(subject) => self.read_all(&OF_SUBJECT, &args![account, subject = subject.as_str()]).await,
            Which::MetBy(subject) => self.read_all(&MET_BY, &args![account, subject = subject.as_str()]).await,
        }
    }
}
