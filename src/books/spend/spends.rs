//! Stored spends: debits and captured holds.

use crate::access::caller_key::CallerKey;
use crate::books::give_back::{GivenPart, IfEnded};
use crate::books::grants::{self, Source};
use crate::books::locked_account::{LockedAccount, NewEntry};
use crate::books::sums::{negative, sum};
use crate::db::{Argument, Db, StoreError, Tx, args, statements};
use crate::domain::burn::merged;
use crate::domain::ids::SpendId;
use crate::domain::ledger::EntryKind;

/// What a spend or a hold is for, in the caller's words. Never read by us.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Purpose {
    /// The kind of work, such as `chat.completion`; empty if none was named.
    pub operation: String,
    /// A part of the account, such as a member or a customer's own key; empty if none was named.
    pub subject: String,
    /// Further data, as a JSON object.
    pub metadata: Option<String>,
}

/// A stored spend.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Spend {
    /// Its id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The credits taken.
    pub credits: i64,
    /// The credits asked for: more, if there were not enough and the caller accepted that.
    pub asked_credits: i64,
    /// How many of the credits were given back.
    pub refunded_credits: i64,
    /// The kind of work; empty if none was named.
    pub operation: String,
    /// The part of the account; empty if none was named.
    pub subject: String,
    /// The caller's data, as a JSON object.
    pub metadata: Option<String>,
    /// The hold that was captured.
    pub hold_id: Option<String>,
    /// The sequence number of its first entry.
    pub first_sequence: i64,
    /// How many entries it has, one for each grant.
    pub parts: i64,
    /// The account's balance afterwards.
    pub balance_after: i64,
    /// A hash of the request.
    pub request_hash: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

/// A part of a spend: the credits that one grant gave.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SpendPart {
    /// The grant; `None` for credits that a refund or dispute had already taken.
    pub grant_id: Option<String>,
    /// The credits, negative as in the ledger.
    pub credits: i64,
}

/// A spend to be booked.
pub(crate) struct NewSpend<'s> {
    pub(crate) id: &'s SpendId,
    /// The credits to take.
    pub(crate) credits: i64,
    /// The credits that the caller asked for.
    pub(crate) asked_credits: i64,
    pub(crate) purpose: &'s Purpose,
    pub(crate) hold: Option<&'s str>,
    pub(crate) key: &'s CallerKey,
    pub(crate) request_hash: &'s str,
}

statements! {
    INSERT = "INSERT INTO spends (id, account_id, credits, asked_credits, operation, subject, metadata, hold_id, \
        first_sequence, parts, balance_after, caller, idempotency_key, request_hash, created_at) \
        VALUES (:id, :account, :credits, :asked_credits, :operation, :subject, :metadata, :hold, :first_sequence, \
        :parts, :balance_after, :scope, :key, :request_hash, :now_ms) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, account_id, credits, asked_credits, refunded_credits, operation, subject, metadata, \
        hold_id, first_sequence, parts, balance_after, request_hash, created_at FROM spends \
        WHERE caller = :scope AND idempotency_key = :key";
    FIND = "SELECT id, account_id, credits, asked_credits, refunded_credits, operation, subject, metadata, \
        hold_id, first_sequence, parts, balance_after, request_hash, created_at FROM spends WHERE id = :spend";
    PARTS = "SELECT grant_id, credits FROM ledger_entries WHERE account_id = :account AND sequence >= :first_sequence \
        AND sequence < :end_sequence ORDER BY sequence";
    ADD_REFUNDED = "UPDATE spends SET refunded_credits = refunded_credits + :credits WHERE id = :spend";
}

/// Takes credits from an account's grants, and writes the entries and the spend. Each source gives its number of credits
/// and what the ones before it lacked; together they are the credits of the spend. The account must be settled; the
/// caller stores it.
///
/// # Errors
/// When another request used the key meanwhile, the grants have too few credits, or the database fails.
pub(crate) async fn book(
    tx: &mut Tx,
    account: &mut LockedAccount,
    new: NewSpend<'_>,
    sources: &[(i64, Source)],
) -> Result<Spend, StoreError> {
    let first_sequence = account.next_sequence()?;
    let (mut rest, mut parts) = (0, Vec::new());
    for (credits, from) in sources {
        let burnt = grants::take(tx, account, sum(rest, *credits)?, *from).await?;
        rest = burnt.rest;
        parts.extend(burnt.parts);
    }
    if rest > 0 && !sources.iter().any(|(_, from)| *from == Source::All) {
        return Err(StoreError::corrupt("grants of fewer credits than are available, of", account.id()));
    }
    // Only a reversal can have taken what a hold reserved. The work was done, so the rest is owed.
    let owed = (rest > 0).then_some((None, rest));
    let parts = merged(parts);
    let parts = parts.iter().map(|part| (Some(part.grant.as_str()), part.credits)).chain(owed);
    let mut count = 0_i64;
    for (grant, credits) in parts {
        count = count.saturating_add(1);
        let source = if count == 1 { new.id.to_string() } else { format!("{}:{count}", new.id) };
        let credits = negative(credits)?;
        account.book(tx, NewEntry { kind: EntryKind::Spend, credits, source: &source, grant, reason: None }).await?;
    }
    account.used(tx, &new.purpose.subject, new.credits).await?;
    let values = args![
        id = new.id.as_str(),
        account = account.id().as_str(),
        credits = new.credits,
        asked_credits = new.asked_credits,
        operation = new.purpose.operation.as_str(),
        subject = new.purpose.subject.as_str(),
        metadata = new.purpose.metadata.as_deref(),
        hold = new.hold,
        first_sequence,
        parts = count,
        balance_after = account.funds().remaining,
        scope = new.key.scope.as_str(),
        key = new.key.key.as_str(),
        request_hash = new.request_hash,
        now_ms = account.counted_ms()
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    let spend = find_by_key(tx, new.key).await?;
    spend.ok_or_else(|| StoreError::corrupt("no spend after inserting", new.id))
}

/// Finds the spend that an earlier request with this key made.
pub(crate) async fn find_by_key(tx: &mut Tx, key: &CallerKey) -> Result<Option<Spend>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
}

/// Finds a spend by its id.
pub(crate) async fn find(tx: &mut Tx, spend: &str) -> Result<Option<Spend>, StoreError> {
    tx.fetch_optional(&FIND, &args![spend]).await
}

/// The parts of a spend that a refund of so many credits gives back: the last part first, without what earlier refunds
/// gave back.
pub(crate) async fn parts_from_the_end(tx: &mut Tx, spend: &Spend, credits: i64) -> Result<Vec<GivenPart>, StoreError> {
    let stored: Vec<SpendPart> = tx.fetch_all(&PARTS, &spend.range()).await?;
    let (mut given, mut rest, mut parts) = (spend.refunded_credits, credits, Vec::new());
    for part in stored.into_iter().rev() {
        let taken = part.credits.saturating_neg();
        let before = taken.min(given);
        given = given.saturating_sub(before);
        let credits = taken.saturating_sub(before).min(rest);
        rest = rest.saturating_sub(credits);
        if credits > 0 {
            parts.push(GivenPart { grant: part.grant_id, credits, if_ended: IfEnded::Grace });
        }
    }
    Ok(parts)
}

/// Counts credits of a spend as given back.
pub(crate) async fn add_refunded(tx: &mut Tx, spend: &str, credits: i64) -> Result<(), StoreError> {
    tx.execute(&ADD_REFUNDED, &args![spend, credits]).await.map(drop)
}

impl Spend {
    /// Where its entries are.
    fn range(&self) -> [Argument; 3] {
        args![
            account = self.account_id.as_str(),
            first_sequence = self.first_sequence,
            end_sequence = self.first_sequence.saturating_add(self.parts)
        ]
    }
}

impl Db {
    /// The spend that an earlier request with this key made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_by_key(&self, key: &CallerKey) -> Result<Option<Spend>, StoreError> {
        self.read_optional(&FIND_BY_KEY, &args![scope = key.scope.as_str(), key = key.key.as_str()]).await
    }

    /// A spend.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend(&self, id: &SpendId) -> Result<Option<Spend>, StoreError> {
        self.read_optional(&FIND, &args![spend = id.as_str()]).await
    }

    /// The parts of a spend, in the order in which the grants gave them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spend_parts(&self, spend: &Spend) -> Result<Vec<SpendPart>, StoreError> {
        self.read_all(&PARTS, &spend.range()).await
    }
}
