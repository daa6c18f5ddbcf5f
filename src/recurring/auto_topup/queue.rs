//! The queue: accounts whose credits ran low, each with a lease.
//!
//! Invariant: only the database's clock decides about leases. The row stays until the crossing is settled: by a paid
//! purchase, by an end of the feature, or because the credits are back.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::purchases::topups;

/// Longer than all calls to the provider for one charge take.
const LEASE_MS: i64 = 90_000;

statements! {
    DUE = "SELECT account_id FROM auto_topup_queue WHERE due_at <= :now_ms \
        AND lease_until <= (SELECT now_ms FROM database_clock) ORDER BY due_at LIMIT :limit";
    TAKE = "UPDATE auto_topup_queue SET holder = :holder, lease_until = (SELECT now_ms FROM database_clock) + :length_ms \
        WHERE account_id = :account AND due_at <= :now_ms AND lease_until <= (SELECT now_ms FROM database_clock)";
    FIND_HELD = "SELECT since FROM auto_topup_queue WHERE account_id = :account AND holder = :holder";
    POSTPONE = "UPDATE auto_topup_queue SET due_at = :due_at, holder = NULL, lease_until = 0 WHERE account_id = :account";
    REMOVE = "DELETE FROM auto_topup_queue WHERE account_id = :account";
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    account_id: String,
}

#[derive(sqlx::FromRow)]
struct SinceRow {
    since: i64,
}

/// Takes the lease of an account that is due. `false` if another process has it, or nothing is due any more.
pub(crate) async fn take(tx: &mut Tx, account: &AccountId, holder: &str, now_ms: i64) -> Result<bool, StoreError> {
    let values = args![account = account.as_str(), holder, now_ms, length_ms = LEASE_MS];
    Ok(tx.execute(&TAKE, &values).await? == 1)
}

/// When the credits ran low; `None` if somebody else has the lease by now.
pub(crate) async fn held(tx: &mut Tx, account: &AccountId, holder: &str) -> Result<Option<i64>, StoreError> {
    let row: Option<SinceRow> = tx.fetch_optional(&FIND_HELD, &args![account = account.as_str(), holder]).await?;
    Ok(row.map(|row| row.since))
}

/// Makes it due at a time, and gives up the lease.
pub(crate) async fn postpone(tx: &mut Tx, account: &AccountId, due_at_ms: i64) -> Result<(), StoreError> {
    tx.execute(&POSTPONE, &args![account = account.as_str(), due_at = due_at_ms]).await.map(drop)
}

/// Settles it.
pub(crate) async fn remove(tx: &mut Tx, account: &AccountId) -> Result<(), StoreError> {
    tx.execute(&REMOVE, &args![account = account.as_str()]).await.map(drop)
}

impl Db {
    /// The accounts that are due and that no process works on.
    pub(crate) async fn due_auto_topups(&self, now_ms: i64, limit: i64) -> Result<Vec<AccountId>, StoreError> {
        let rows: Vec<AccountRow> = self.read_all(&DUE, &args![now_ms, limit]).await?;
        rows.into_iter().map(|row| topups::account(row.account_id)).collect()
    }
}
