//! Changes a balance together with the entry that explains it. Grants learn of the entry when the account is settled
//! next (`settle.rs`). `purchases/payment/credit/*.sql` does the same for many payments at once, and
//! `locked_account.rs` for entries of spending.

use crate::db::{StoreError, Tx, args, statements};
use crate::domain::burn::NEVER_MS;
use crate::domain::ids::TopupId;
use crate::domain::ledger::EntryKind;
use crate::messages::attention;

statements! {
    /// Adds to the stored balance; the balance is never read, computed and written back.
    /// A new account is looked at at once, if messages are written.
    ADD_TO_BALANCE = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at, due_at, alert_at) \
        VALUES (:account, :credits, 0, 1, :now_ms, :due_at_ms, CASE WHEN (SELECT is_on FROM outbox WHERE id = 1) = 1 \
        THEN 9223372036854775807 ELSE -9223372036854775807 END) \
        ON CONFLICT (id) DO UPDATE SET balance = accounts.balance + excluded.balance, entries = accounts.entries + 1, \
        updated_at = excluded.updated_at, \
        due_at = CASE WHEN excluded.due_at < accounts.due_at THEN excluded.due_at ELSE accounts.due_at END \
        RETURNING balance, entries, balance - held_credits AS available, alert_at";
    /// The same, but never takes what is held, nor the balance below zero. One statement, so that no other write can
    /// spend in between.
    ADD_WITHIN_BALANCE = "UPDATE accounts SET balance = balance + :credits, entries = entries + 1, updated_at = \
        :now_ms \
        WHERE id = :account AND balance - held_credits + :credits >= 0 \
        RETURNING balance, entries, balance - held_credits AS available, alert_at";
    INSERT_ENTRY = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, topup_id, created_at, reason) \
        VALUES (:account, :sequence, :id, :kind, :credits, :balance_after, :source, :topup, :now_ms, :reason)";
}

#[derive(sqlx::FromRow)]
struct AccountAfter {
    balance: i64,
    entries: i64,
    available: i64,
    alert_at: i64,
}

/// A ledger entry to be written.
pub(crate) struct Entry<'e> {
    pub(crate) id: &'e str,
    pub(crate) account: &'e str,
    pub(crate) kind: EntryKind,
    /// Negative if credits are taken.
    pub(crate) credits: i64,
    /// The id of its cause; unique among entries of its kind.
    pub(crate) source: &'e str,
    /// The top-up of a reversal or bonus.
    pub(crate) topup: Option<&'e TopupId>,
    /// The reason of a reversal.
    pub(crate) reason: Option<&'e str>,
    /// When the credits that it brings end, or had ended, in milliseconds since 1970; [`NEVER_MS`] for never. The account
    /// is settled then, even if nobody touches it before.
    pub(crate) ends_at_ms: i64,
}

/// Changes a balance and writes the entry that explains it. Returns the new balance.
pub(crate) async fn book(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<i64, StoreError> {
    let values = args![account = entry.account, credits = entry.credits, now_ms, due_at_ms = entry.ends_at_ms];
    let after = tx.fetch_optional(&ADD_TO_BALANCE, &values).await?;
    let after = after.ok_or_else(|| StoreError::corrupt("no balance after adding to account", entry.account))?;
    insert_entry(tx, entry, after, now_ms).await
}

/// Like [`book`], but returns `None` and writes nothing if the account has too few credits.
pub(crate) async fn book_within_balance(tx: &mut Tx, entry: Entry<'_>, now_ms: i64) -> Result<Option<i64>, StoreError> {
    if entry.credits >= 0 {
        return book(tx, entry, now_ms).await.map(Some);
    }
    let values = args![account = entry.account, credits = entry.credits, now_ms];
    let Some(after) = tx.fetch_optional(&ADD_WITHIN_BALANCE, &values).await? else { return Ok(None) };
    insert_entry(tx, entry, after, now_ms).await.map(Some)
}

async fn insert_entry(tx: &mut Tx, entry: Entry<'_>, after: AccountAfter, now_ms: i64) -> Result<i64, StoreError> {
    let values = args![
        account = entry.account,
        sequence = after.entries,
        id = entry.id,
        kind = entry.kind.as_str(),
        credits = entry.credits,
        balance_after = after.balance,
        source = entry.source,
        topup = entry.topup.map(TopupId::as_str),
        now_ms,
        reason = entry.reason
    ];
    tx.execute(&INSERT_ENTRY, &values).await?;
    // Credits that end are told of before, for which the account's grants must be known.
    if after.available < after.alert_at || (entry.credits > 0 && entry.ends_at_ms < NEVER_MS) {
        attention::note(tx, entry.account, now_ms).await?;
    }
    Ok(after.balance)
}
