//! The one place where a balance changes, together with the entry that explains it. (`purchases/payment/credit/*.sql` does
//! the same for many payments at once.)

use crate::db::{StoreError, Tx, statements};
use crate::domain::ids::{LedgerEntryId, TopupId};
use crate::domain::ledger::EntryKind;

statements! {
    /// Adds to what is there: the balance is never read, computed and written back.
    ADD_TO_BALANCE = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at) VALUES ($1, $2, 0, 1, $3) \
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, entries = accounts.entries + 1, \
        updated_at = excluded.updated_at RETURNING balance, entries";
    /// The same for what may not take a balance below zero. One statement, so that nobody spends in between.
    ADD_WITHIN_BALANCE = "UPDATE accounts SET balance = balance + $2, entries = entries + 1, updated_at = $3 \
        WHERE id = $1 AND balance + $2 >= 0 RETURNING balance, entries";
    INSERT_ENTRY = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, topup_id, created_at, reason) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
}

#[derive(sqlx::FromRow)]
struct AccountAfter {
    balance: i64,
    entries: i64,
}

/// A line of the books to be written.
pub(crate) struct Entry<'e> {
    pub(crate) id: &'e LedgerEntryId,
    pub(crate) account: &'e str,
    pub(crate) kind: EntryKind,
    /// Negative when they are taken.
    pub(crate) credits: i64,
    /// What causes it; unique among entries of its kind.
    pub(crate) source: &'e str,
    /// The purchase that a reversal belongs to.
    pub(crate) topup: Option<&'e TopupId>,
    /// Why a reversal moved them.
    pub(crate) reason: Option<&'e str>,
}

/// The one place where a balance changes, together with the entry that explains it. Gives the new balance.
pub(crate) async fn book(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<i64, StoreError> {
    let values = [entry.account.into(), entry.credits.into(), now_ms.into()];
    let after = tx.fetch_optional(&ADD_TO_BALANCE, &values).await?;
    let after = after.ok_or_else(|| StoreError::corrupt("no balance after adding to account", entry.account))?;
    insert_entry(tx, entry, after, now_ms).await
}

/// The same, unless it takes credits that are not there: then `None`, and nothing is written.
pub(crate) async fn book_within_balance(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<Option<i64>, StoreError> {
    if entry.credits >= 0 {
        return book(tx, entry, now_ms).await.map(Some);
    }
    let values = [entry.account.into(), entry.credits.into(), now_ms.into()];
    let Some(after) = tx.fetch_optional(&ADD_WITHIN_BALANCE, &values).await? else { return Ok(None) };
    insert_entry(tx, entry, after, now_ms).await.map(Some)
}

async fn insert_entry(tx: &mut Tx, entry: Entry<'_>, after: AccountAfter, now_ms: i64) -> Result<i64, StoreError> {
    let values = [
        entry.account.into(),
        after.entries.into(),
        entry.id.as_str().into(),
        entry.kind.as_str().into(),
        entry.credits.into(),
        after.balance.into(),
        entry.source.into(),
        entry.topup.map(TopupId::as_str).into(),
        now_ms.into(),
        entry.reason.into(),
    ];
    tx.execute(&INSERT_ENTRY, &values).await?;
    Ok(after.balance)
}
