//! Settles accounts that nobody spends from: in the background, so that what ends is written down in time, and before
//! a balance is shown.
//!
//! No answer depends on the background job: every command settles its account itself.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::app::schedule::Job;
use crate::books::entry_ids::EntryIds;
use crate::books::locked_account::LockedAccount;
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::LedgerEntryId;
use crate::domain::ledger::Balance;

/// How many accounts are read at once.
const PAGE: i64 = 200;
const EVERY: Duration = Duration::from_secs(2);

statements! {
    /// `due_at < 9223372036854775807` is the condition of the partial index.
    DUE = "SELECT id, due_at FROM accounts WHERE due_at >= :from_ms AND due_at <= :now_ms \
        AND due_at < 9223372036854775807 AND (due_at > :from_ms OR id > :after_id) ORDER BY due_at, id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct DueRow {
    id: String,
    due_at: i64,
}

/// Settles an account in one transaction, or a part of its history.
struct SettleAccount {
    account: AccountId,
    entry: LedgerEntryId,
    now_ms: i64,
}

impl Write for SettleAccount {
    type Output = Settled;

    async fn run(&self, tx: &mut Tx) -> Result<Settled, StoreError> {
        let locked = LockedAccount::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let Some(mut account) = locked else { return Ok(Settled::Wholly) };
        let settled = settle(tx, &mut account).await?;
        if account.is_changed() {
            account.store(tx).await?;
        }
        Ok(settled)
    }
}

/// Settles an account within a transaction that then books an entry without regard to grants, if something of it may have
/// ended. Returns the ids of the entries that are written next; the first of them is `entry`.
pub(crate) async fn settle_within(
    tx: &mut Tx,
    account: &str,
    entry: &LedgerEntryId,
    now_ms: i64,
) -> Result<EntryIds, StoreError> {
    let id = AccountId::parse(account).map_err(|error| StoreError::corrupt("account", error))?;
    let Some(mut account) = LockedAccount::lock(tx, &id, entry, now_ms).await? else {
        return Ok(EntryIds::new(entry.clone()));
    };
    if account.is_due() {
        while settle(tx, &mut account).await? == Settled::Partly {}
        account.store(tx).await?;
    }
    Ok(account.into_ids())
}

/// Settles an account.
///
/// # Errors
/// When the database fails.
pub async fn settle_account(app: &App, account: &AccountId) -> Result<(), StoreError> {
    until_settled(|| async {
        let write = SettleAccount {
            account: account.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            now_ms: app.clock.now_ms(),
        };
        Ok((app.db.write(write).await? == Settled::Wholly).then_some(()))
    })
    .await
}

/// An account's balance at this moment: what has ended by now is no part of it.
///
/// # Errors
/// When the database fails.
pub async fn balance_now(app: &App, account: &AccountId) -> Result<Balance, StoreError> {
    let balance = app.db.balance(account).await?;
    if balance.due_at_ms > app.clock.now_ms() {
        return Ok(balance);
    }
    settle_account(app, account).await?;
    app.db.balance(account).await
}

/// Like [`balance_now`], and afterwards the account's grants reflect every entry.
///
/// # Errors
/// When the database fails.
pub async fn settled_balance(app: &App, account: &AccountId) -> Result<Balance, StoreError> {
    let balance = balance_now(app, account).await?;
    if balance.is_settled {
        return Ok(balance);
    }
    settle_account(app, account).await?;
    app.db.balance(account).await
}

impl Db {
    /// The accounts of which something may have ended by now, after a place (time and id).
    async fn due_accounts(&self, now_ms: i64, after: (i64, &str)) -> Result<Vec<DueRow>, StoreError> {
        self.read_all(&DUE, &args![now_ms, from_ms = after.0, after_id = after.1, limit = PAGE]).await
    }
}

/// Settles the accounts of which something has ended. Returns their number.
///
/// # Errors
/// When the accounts cannot be read. One that cannot be settled is logged, and the others are settled all the same.
pub async fn settle_due(app: &App, stop: &CancellationToken) -> Result<usize, StoreError> {
    let now_ms = app.clock.now_ms();
    let (mut settled, mut after) = (0_usize, DueRow { id: String::new(), due_at: i64::MIN });
    loop {
        // An account stays due while ended grants are kept for its holds, so a run goes through all of them.
        let page = app.db.due_accounts(now_ms, (after.due_at, &after.id)).await?;
        for row in &page {
            if stop.is_cancelled() {
                return Ok(settled);
            }
            let account = AccountId::parse(row.id.as_str()).map_err(|error| StoreError::corrupt("account", error))?;
            match settle_account(app, &account).await {
                Ok(()) => settled = settled.saturating_add(1),
                Err(error) => tracing::warn!(error = error.in_words(), "an account cannot be settled"),
            }
        }
        match page.into_iter().next_back() {
            Some(last) => after = last,
            None => return Ok(settled),
        }
    }
}

/// The background job that settles accounts.
#[must_use]
pub fn settling_job() -> Job {
    Job::new("settle accounts", EVERY, EVERY, |app: Arc<App>, stop: CancellationToken| async move {
        settle_due(&app, &stop).await.map(drop)
    })
}
