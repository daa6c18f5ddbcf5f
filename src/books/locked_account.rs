//! An account under its lock, for transactions that change its grants or holds.
//!
//! Invariant: a transaction that changes an account's grants or holds has the lock on its row and increments its
//! revision.

use std::collections::BTreeMap;

use crate::books::entry_ids::EntryIds;
use crate::books::limit::limits::{self, Counted};
use crate::books::refill;
use crate::books::sums::negative;
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::LedgerEntryId;
use crate::domain::ledger::{EntryKind, Funds};
use crate::domain::spend_limit::{SpendLimit, Windows};

statements! {
    /// An update is a lock on both databases.
    LOCK = "UPDATE accounts SET revision = revision WHERE id = :account RETURNING balance, used_credits, entries, \
        updated_at, held_credits, settled_entries, due_at, alert_at, refill_at, blocked_at, limits_from";
    CREATE = "INSERT INTO accounts (id, balance, used_credits, entries, updated_at, alert_at) \
        VALUES (:account, 0, 0, 0, :now_ms, CASE WHEN (SELECT is_on FROM outbox WHERE id = 1) = 1 \
        THEN 9223372036854775807 ELSE -9223372036854775807 END) ON CONFLICT (id) DO NOTHING";
    SET_REFILL = "UPDATE accounts SET refill_at = :refill_at WHERE id = :account";
    SET_ALERT = "UPDATE accounts SET alert_at = :alert_at WHERE id = :account";
    STORE = "UPDATE accounts SET balance = :balance, used_credits = :used_credits, entries = :entries, \
        updated_at = :updated_at, held_credits = :held_credits, settled_entries = :settled_entries, due_at = :due_at, \
        limits_from = :limits_from, blocked_at = :blocked_at, revision = revision + 1 \
        WHERE id = :account";
    INSERT_ENTRY = "INSERT INTO ledger_entries \
        (account_id, sequence, id, kind, credits, balance_after, source, topup_id, created_at, reason, grant_id) \
        VALUES (:account, :sequence, :id, :kind, :credits, :balance_after, :source, NULL, :now_ms, :reason, :grant)";
    NOTE_ATTENTION = "INSERT INTO attention (account_id, since) VALUES (:account, :now_ms) \
        ON CONFLICT (account_id) DO NOTHING";
}

#[derive(sqlx::FromRow)]
struct AccountRow {
    balance: i64,
    used_credits: i64,
    entries: i64,
    updated_at: i64,
    held_credits: i64,
    settled_entries: i64,
    due_at: i64,
    alert_at: i64,
    refill_at: i64,
    blocked_at: Option<i64>,
    limits_from: Option<i64>,
}

/// An account whose row is locked. Changes are made to this value and stored once, by [`Self::store`].
pub(crate) struct LockedAccount {
    id: AccountId,
    row: AccountRow,
    ids: EntryIds,
    now_ms: i64,
    counted_ms: i64,
    is_changed: bool,
}

/// An entry to be written for a locked account.
pub(crate) struct NewEntry<'e> {
    pub(crate) kind: EntryKind,
    /// Negative if credits are taken.
    pub(crate) credits: i64,
    /// The id of its cause; unique among entries of its kind.
    pub(crate) source: &'e str,
    /// The grant whose credits it moves; `None` if `grant_moves` says so, or no grant is concerned.
    pub(crate) grant: Option<&'e str>,
    pub(crate) reason: Option<&'e str>,
}

impl LockedAccount {
    /// Locks an account; `None` if it does not exist. Entries get ids derived from `entry`.
    pub(crate) async fn lock(
        tx: &mut Tx,
        account: &AccountId,
        entry: &LedgerEntryId,
        now_ms: i64,
    ) -> Result<Option<Self>, StoreError> {
        let row: Option<AccountRow> = tx.fetch_optional(&LOCK, &args![account = account.as_str()]).await?;
        Ok(row.map(|row| {
            // Another server's clock may be ahead. What is counted for limits must not be before what was counted.
            let counted_ms = row.limits_from.unwrap_or(now_ms).max(now_ms);
            let ids = EntryIds::new(entry.clone());
            Self { id: account.clone(), row, ids, now_ms, counted_ms, is_changed: false }
        }))
    }

    /// Creates an account without entries, unless there is one.
    pub(crate) async fn create(tx: &mut Tx, account: &AccountId, now_ms: i64) -> Result<(), StoreError> {
        tx.execute(&CREATE, &args![account = account.as_str(), now_ms]).await.map(drop)
    }

    pub(crate) const fn id(&self) -> &AccountId {
        &self.id
    }

    pub(crate) const fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The time at which a spend counts for limits: now, or later if something was counted later.
    pub(crate) const fn counted_ms(&self) -> i64 {
        self.counted_ms
    }

    /// The credits that were spent, less what was given back.
    pub(crate) const fn used_credits(&self) -> i64 {
        self.row.used_credits
    }

    /// The ids of the entries that are written next in this transaction.
    pub(crate) fn into_ids(self) -> EntryIds {
        self.ids
    }

    pub(crate) const fn funds(&self) -> Funds {
        Funds { remaining: self.row.balance, held: self.row.held_credits }
    }

    pub(crate) const fn is_blocked(&self) -> bool {
        self.row.blocked_at.is_some()
    }

    /// Blocks spending from now on, or permits it again.
    pub(crate) const fn set_blocked(&mut self, is_blocked: bool) {
        self.is_changed = true;
        self.row.blocked_at = if is_blocked { Some(self.now_ms) } else { None };
    }

    /// The number of entries that are reflected in grants.
    pub(crate) const fn settled_entries(&self) -> i64 {
        self.row.settled_entries
    }

    /// The sequence number of the next entry.
    pub(crate) fn next_sequence(&self) -> Result<i64, StoreError> {
        sum("entries of", &self.id, self.row.entries, 1)
    }

    /// Whether every entry is reflected in grants.
    pub(crate) const fn is_settled(&self) -> bool {
        self.row.settled_entries == self.row.entries
    }

    /// The account is noted for attention when less than this is available.
    pub(crate) const fn alert_at(&self) -> i64 {
        self.row.alert_at
    }

    /// Sets below how many available credits the account is noted for attention, and stores that.
    pub(crate) async fn set_alert_at(&mut self, tx: &mut Tx, alert_at: i64) -> Result<(), StoreError> {
        self.row.alert_at = alert_at;
        tx.execute(&SET_ALERT, &args![account = self.id.as_str(), alert_at]).await.map(drop)
    }

    /// Sets below how many available credits a purchase is asked for, and stores that.
    pub(crate) async fn set_refill_at(&mut self, tx: &mut Tx, refill_at: i64) -> Result<(), StoreError> {
        if self.row.refill_at == refill_at {
            return Ok(());
        }
        self.row.refill_at = refill_at;
        tx.execute(&SET_REFILL, &args![account = self.id.as_str(), refill_at]).await.map(drop)
    }

    /// Whether a hold or a grant may have ended.
    pub(crate) const fn is_due(&self) -> bool {
        self.row.due_at <= self.now_ms
    }

    /// Whether there is something to store.
    pub(crate) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Notes that a hold or a grant ends at this time.
    pub(crate) fn ends_at(&mut self, time_ms: i64) {
        self.is_changed = true;
        self.row.due_at = self.row.due_at.min(time_ms);
    }

    /// Sets the time at which the next hold or grant ends.
    pub(crate) const fn set_due_at(&mut self, time_ms: i64) {
        self.is_changed = self.is_changed || self.row.due_at != time_ms;
        self.row.due_at = time_ms;
    }

    /// Notes that the grants reflect the next entry.
    pub(crate) fn adopted(&mut self) -> Result<(), StoreError> {
        self.is_changed = true;
        self.row.settled_entries = sum("entries of", &self.id, self.row.settled_entries, 1)?;
        Ok(())
    }

    /// The limit that leaves a subject the least room.
    pub(crate) async fn limit(&self, tx: &mut Tx, subject: &str) -> Result<Option<SpendLimit>, StoreError> {
        if self.row.limits_from.is_none() {
            return Ok(None);
        }
        limits::tightest_of(tx, &self.id, subject, self.counted_ms).await
    }

    /// Notes whether the account has limits, and that what it spends counts at this time or later.
    pub(crate) fn set_limited(&mut self, has_limits: bool, counted_ms: i64) {
        self.is_changed = true;
        self.counted_ms = self.counted_ms.max(counted_ms);
        self.row.limits_from = has_limits.then(|| Windows::at(self.counted_ms).day_ms);
    }

    /// Reserves credits for a subject, or frees them if the number is negative.
    pub(crate) async fn hold(&mut self, tx: &mut Tx, subject: &str, credits: i64) -> Result<(), StoreError> {
        self.is_changed = true;
        self.row.held_credits = sum("held credits of", &self.id, self.row.held_credits, credits)?;
        if self.row.held_credits < 0 {
            return Err(StoreError::corrupt("fewer than no held credits of", &self.id));
        }
        self.count(tx, subject, Counted::Held(credits)).await
    }

    /// Frees what ended holds reserved, by subject.
    pub(crate) async fn end_holds(&mut self, tx: &mut Tx, ended: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        let mut all = 0_i64;
        for (subject, credits) in ended {
            all = sum("held credits of", &self.id, all, *credits)?;
            if self.row.limits_from.is_some() && !subject.is_empty() {
                let counted = Counted::Held(negative(*credits)?);
                limits::count(tx, &self.id, [subject, subject], counted, self.counted_ms).await?;
            }
        }
        // What no subject has as its own counts for the whole account, once for all of them.
        self.hold(tx, "", negative(all)?).await
    }

    /// Counts credits of a subject as used.
    pub(crate) async fn used(&mut self, tx: &mut Tx, subject: &str, credits: i64) -> Result<(), StoreError> {
        self.row.used_credits = sum("used credits of", &self.id, self.row.used_credits, credits)?;
        self.count(tx, subject, Counted::Used(credits)).await
    }

    async fn count(&mut self, tx: &mut Tx, subject: &str, counted: Counted) -> Result<(), StoreError> {
        if self.row.limits_from.is_some() {
            self.set_limited(true, self.counted_ms);
            limits::count(tx, &self.id, ["", subject], counted, self.counted_ms).await?;
        }
        Ok(())
    }

    /// Counts credits of a subject as no longer used, which were spent at a time in milliseconds since 1970.
    pub(crate) async fn given_back(
        &mut self,
        tx: &mut Tx,
        subject: &str,
        credits: i64,
        spent_at: i64,
    ) -> Result<(), StoreError> {
        self.row.used_credits = sum("used credits of", &self.id, self.row.used_credits, negative(credits)?)?;
        if self.row.limits_from.is_some() {
            limits::count_given_back(tx, &self.id, subject, credits, spent_at).await?;
        }
        Ok(())
    }

    /// Writes an entry whose effect on grants is written by the caller. Returns its sequence number.
    pub(crate) async fn book(&mut self, tx: &mut Tx, entry: NewEntry<'_>) -> Result<i64, StoreError> {
        let sequence = self.next_sequence()?;
        let balance = sum("balance of", &self.id, self.row.balance, entry.credits)?;
        let id = self.ids.next();
        let values = args![
            account = self.id.as_str(),
            sequence,
            id = id.as_str(),
            kind = entry.kind.as_str(),
            credits = entry.credits,
            balance_after = balance,
            source = entry.source,
            now_ms = self.now_ms,
            reason = entry.reason,
            grant = entry.grant
        ];
        tx.execute(&INSERT_ENTRY, &values).await?;
        self.row.entries = sequence;
        self.row.balance = balance;
        self.row.updated_at = self.now_ms;
        self.adopted()?;
        Ok(sequence)
    }

    /// Stores the changes.
    pub(crate) async fn store(&self, tx: &mut Tx) -> Result<Funds, StoreError> {
        let row = &self.row;
        let values = args![
            account = self.id.as_str(),
            balance = row.balance,
            used_credits = row.used_credits,
            entries = row.entries,
            updated_at = row.updated_at,
            held_credits = row.held_credits,
            settled_entries = row.settled_entries,
            due_at = row.due_at,
            limits_from = row.limits_from,
            blocked_at = row.blocked_at
        ];
        tx.execute(&STORE, &values).await?;
        if self.funds().available() < row.alert_at {
            tx.execute(&NOTE_ATTENTION, &args![account = self.id.as_str(), now_ms = self.now_ms]).await?;
        }
        if self.funds().available() < row.refill_at {
            refill::enqueue(tx, self.id.as_str(), self.now_ms).await?;
        }
        Ok(self.funds())
    }
}

fn sum(what: &str, account: &AccountId, left: i64, right: i64) -> Result<i64, StoreError> {
    left.checked_add(right).ok_or_else(|| StoreError::corrupt(what, account))
}
