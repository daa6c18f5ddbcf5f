//! The queue of accounts whose credits ran low and whose owner wants more bought (`recurring/auto_topup`).
//!
//! Invariant: the write that leaves fewer credits available than `accounts.refill_at` inserts the row, in its own
//! transaction and under the account's lock; the bulk statements of spending do the same. While a row is there, no
//! second one is made, so a thousand debits at once ask for one purchase.

use crate::db::{StoreError, Tx, args, statements};

/// Credits are not bought by themselves.
pub(crate) const NEVER: i64 = -i64::MAX;

statements! {
    ENQUEUE = "INSERT INTO auto_topup_queue (account_id, since, due_at, lease_until) \
        VALUES (:account, :now_ms, :now_ms, 0) ON CONFLICT (account_id) DO NOTHING";
}

/// Asks for a purchase, unless one is asked for already. The account's row is locked.
pub(crate) async fn enqueue(tx: &mut Tx, account: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&ENQUEUE, &args![account, now_ms]).await.map(drop)
}
