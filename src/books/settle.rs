//! Brings an account's grants up to date: the one way from any state of an account to the plain one, in which each
//! entry is reflected in a grant, and no ended hold or grant counts any more.
//!
//! Purchases, reversals and adjustments book an entry and know nothing of grants. Every transaction that changes grants
//! or holds settles the account first, under its lock.

use std::collections::BTreeMap;

use serde_json::json;

use crate::books::give_back::{Bringing, GivenPart, IfEnded, give_back};
use crate::books::grants::{self, GrantRow, NewGrant, Source};
use crate::books::hold::holds;
use crate::books::locked_account::{LockedAccount, NewEntry};
use crate::books::sums::{difference, negative, sum};
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::burn::{BurnOrder, Category, DEFAULT_PRIORITY, GrantKind, NEVER_MS, Part, merged, spendable};
use crate::domain::expiry::ExpiryDays;
use crate::domain::ledger::EntryKind;
use crate::domain::timestamp::rfc3339;
use crate::measure::{self, Flow};
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};

/// How many entries one transaction adopts at most. A longer history is adopted by several.
const MAX_ENTRIES: usize = 200;

statements! {
    NEXT_ENTRIES = "SELECT e.sequence, e.id, e.kind, e.credits, e.balance_after, e.source, e.topup_id, e.reason, \
        e.created_at, t.credits_expire_days FROM ledger_entries e \
        LEFT JOIN topups t ON t.id = CASE WHEN e.kind = 'topup' THEN e.source WHEN e.kind = 'bonus' THEN e.topup_id END \
        WHERE e.account_id = :account AND e.sequence > :settled ORDER BY e.sequence LIMIT :limit";
    EXPIRE_HOLDS = "UPDATE holds SET state = 'expired', updated_at = :now_ms \
        WHERE account_id = :account AND state = 'open' AND expires_at <= :now_ms RETURNING credits, subject";
    TAKEN = "SELECT CAST(COALESCE(SUM(-e.credits), 0) AS BIGINT) AS credits, \
        CAST(COALESCE(SUM(-m.credits), 0) AS BIGINT) AS own FROM ledger_entries e LEFT JOIN grant_moves m \
        ON m.account_id = :account AND m.sequence = e.sequence AND m.grant_id = :own \
        WHERE e.topup_id = :topup AND e.kind = 'reversal' AND e.sequence < :sequence";
    BONUS_TAKEN = "SELECT CAST(COALESCE(SUM(-e.credits), 0) AS BIGINT) AS credits, \
        CAST(COALESCE(SUM(-m.credits), 0) AS BIGINT) AS own FROM ledger_entries e LEFT JOIN grant_moves m \
        ON m.account_id = :account AND m.sequence = e.sequence AND m.grant_id = :own \
        WHERE e.topup_id = :topup AND e.kind = 'bonus_reversal' AND e.sequence < :sequence";
    NEXT_HOLD_END = "SELECT MIN(expires_at) AS ends_at FROM holds WHERE account_id = :account AND state = 'open'";
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    sequence: i64,
    id: String,
    kind: String,
    credits: i64,
    balance_after: i64,
    source: String,
    topup_id: Option<String>,
    reason: Option<String>,
    created_at: i64,
    credits_expire_days: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct EndedHold {
    credits: i64,
    subject: String,
}

#[derive(sqlx::FromRow)]
struct Taken {
    credits: i64,
    own: i64,
}

#[derive(sqlx::FromRow)]
struct NextEnd {
    ends_at: Option<i64>,
}

/// Whether an account is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Settled {
    /// It is.
    Wholly,
    /// A part of its history was adopted; another transaction has to go on.
    Partly,
}

/// Settles an account. The caller stores it.
pub(crate) async fn settle(tx: &mut Tx, account: &mut LockedAccount) -> Result<Settled, StoreError> {
    if !account.is_settled() && adopt_entries(tx, account).await? == Settled::Partly {
        return Ok(Settled::Partly);
    }
    end(tx, account).await?;
    Ok(Settled::Wholly)
}

/// Ends holds and grants whose time has come. Call it again after holds were captured or released: ended grants that
/// were kept for them then end as well.
pub(crate) async fn end(tx: &mut Tx, account: &mut LockedAccount) -> Result<(), StoreError> {
    if !account.is_due() {
        return Ok(());
    }
    message::holds_expire(tx, account.id().as_str(), account.now_ms()).await?;
    let values = args![account = account.id().as_str(), now_ms = account.now_ms()];
    let ended: Vec<EndedHold> = tx.fetch_all(&EXPIRE_HOLDS, &values).await?;
    if !ended.is_empty() {
        let mut by_subject = BTreeMap::new();
        for hold in ended {
            let credits = by_subject.entry(hold.subject).or_insert(0);
            *credits = sum(*credits, hold.credits)?;
        }
        account.end_holds(tx, &by_subject).await?;
    }
    end_grants(tx, account).await?;
    let hold: Option<NextEnd> = tx.fetch_optional(&NEXT_HOLD_END, &args![account = account.id().as_str()]).await?;
    let hold_end = hold.and_then(|row| row.ends_at);
    let grant_end = grants::next_end(tx, account).await?;
    account.set_due_at(hold_end.unwrap_or(NEVER_MS).min(grant_end.unwrap_or(NEVER_MS)));
    Ok(())
}

/// Takes what remains of ended grants, except as much as open holds had reserved before: that stays good for them.
async fn end_grants(tx: &mut Tx, account: &mut LockedAccount) -> Result<(), StoreError> {
    let (mut kept, mut after_ms, mut after_id) = (0_i64, i64::MIN, String::new());
    loop {
        let page = grants::ended(tx, account, (after_ms, &after_id)).await?;
        for grant in &page {
            let holds_anything = account.funds().held > 0;
            let reserved =
                if holds_anything { holds::held_before(tx, account.id(), grant.expires_at).await? } else { 0 };
            let keeps = difference(reserved, kept)?.clamp(0, grant.remaining);
            kept = sum(kept, keeps)?;
            let credits = difference(grant.remaining, keeps)?;
            if credits > 0 {
                end_grant(tx, account, grant, credits).await?;
            }
        }
        let Some(last) = page.into_iter().next_back() else { return Ok(()) };
        (after_ms, after_id) = (last.expires_at, last.id);
    }
}

/// Ends a part of what remains of a grant, by an entry and its message.
pub(crate) async fn end_grant(
    tx: &mut Tx,
    account: &mut LockedAccount,
    grant: &GrantRow,
    credits: i64,
) -> Result<(), StoreError> {
    let kind = if grant.voided_at.is_some() { EntryKind::Void } else { EntryKind::Expiry };
    grants::take_part(tx, &Part { grant: grant.id.clone(), credits }).await?;
    // A grant ends in several steps if holds kept a part of it.
    let source = format!("{}:{}", grant.id, account.next_sequence()?);
    let entry = NewEntry { kind, credits: negative(credits)?, source: &source, grant: Some(&grant.id), reason: None };
    account.book(tx, entry).await?;
    measure::credits(Flow::Expired, credits);
    if kind == EntryKind::Expiry {
        let ended_at = rfc3339(grant.expires_at);
        let facts = json!({ "grantId": grant.id, "credits": credits, "expiredAt": ended_at });
        let message = NewMessage {
            event: EventType::CreditsExpired,
            distinction: &source,
            account: account.id().as_str(),
            cause: &source,
            facts: Some(facts),
            now_ms: account.now_ms(),
        };
        message::write(tx, &message).await?;
    }
    Ok(())
}

/// Adopts entries after the last adopted one, in their order.
async fn adopt_entries(tx: &mut Tx, account: &mut LockedAccount) -> Result<Settled, StoreError> {
    let limit = i64::try_from(MAX_ENTRIES).unwrap_or(i64::MAX);
    let values = args![account = account.id().as_str(), settled = account.settled_entries(), limit];
    let entries: Vec<EntryRow> = tx.fetch_all(&NEXT_ENTRIES, &values).await?;
    for entry in &entries {
        let is_reversal = [EntryKind::Reversal.as_str(), EntryKind::BonusReversal.as_str()].contains(&&*entry.kind);
        if entry.credits > 0 && is_reversal {
            return_to_grant(tx, account, entry).await?;
        } else if entry.credits > 0 {
            open_grant(tx, account, entry).await?;
        } else {
            take_from_grants(tx, account, entry).await?;
        }
        account.adopted()?;
    }
    let is_whole = account.is_settled();
    if entries.is_empty() && !is_whole {
        return Err(StoreError::corrupt("missing entries of", account.id()));
    }
    Ok(if is_whole { Settled::Wholly } else { Settled::Partly })
}

/// A purchase, its bonus, or a positive adjustment.
async fn open_grant(tx: &mut Tx, account: &mut LockedAccount, entry: &EntryRow) -> Result<(), StoreError> {
    let (id, kind, category, topup) = if entry.kind == EntryKind::Topup.as_str() {
        (entry.source.clone(), GrantKind::Purchase, Category::Paid, Some(&entry.source))
    } else if entry.kind == EntryKind::Bonus.as_str() {
        (bonus_grant(&entry.source), GrantKind::Bonus, Category::Promotional, Some(&entry.source))
    } else {
        (entry.source.clone(), GrantKind::Adjustment, Category::Promotional, None)
    };
    let expiry = match entry.credits_expire_days {
        Some(days) => Some(ExpiryDays::new(days).ok_or_else(|| StoreError::corrupt("days of credits", days))?),
        None => None,
    };
    // The end follows from the entry, so that the time of settling changes nothing.
    let expires_at_ms = expiry.map_or(NEVER_MS, |days| days.end_ms(entry.created_at));
    let order = BurnOrder { priority: DEFAULT_PRIORITY, expires_at_ms, category, sequence: entry.sequence };
    let topup = topup.map(String::as_str);
    let new = NewGrant { id: &id, kind, credits: entry.credits, order, topup, reason: None };
    grants::open(tx, account, new, entry.balance_after).await
}

/// The id of the grant of a top-up's bonus.
fn bonus_grant(topup: &str) -> String {
    format!("{topup}:bonus")
}

/// The grant of the purchase, or of its bonus, that a reversal is about.
fn own_grant(entry: &EntryRow) -> Option<String> {
    let is_bonus = entry.kind == EntryKind::BonusReversal.as_str();
    entry.topup_id.as_ref().map(|topup| if is_bonus { bonus_grant(topup) } else { topup.clone() })
}

/// A negative adjustment, or credits taken back: from the own grant of the purchase or bonus first, then in burn order.
/// The grants are those that were good when the entry was written, so that the time of settling changes nothing.
async fn take_from_grants(tx: &mut Tx, account: &LockedAccount, entry: &EntryRow) -> Result<(), StoreError> {
    let before = difference(entry.balance_after, entry.credits)?;
    // What is taken below zero is owed, and comes from no grant.
    let mut rest = difference(before.max(0), entry.balance_after.max(0))?;
    let mut parts = Vec::new();
    if let Some(own) = own_grant(entry)
        && let Some(own) = grants::find(tx, &own).await?
    {
        let credits = rest.min(own.remaining);
        if credits > 0 {
            let part = Part { grant: own.id, credits };
            grants::take_part(tx, &part).await?;
            rest = difference(rest, credits)?;
            parts.push(part);
        }
    }
    for from in [Source::GoodAt(entry.created_at), Source::All] {
        let burnt = grants::take(tx, account, rest, from).await?;
        rest = burnt.rest;
        parts.extend(burnt.parts);
    }
    if rest != 0 {
        return Err(StoreError::corrupt("grants of fewer credits than the balance, at entry", &entry.id));
    }
    for part in &merged(parts) {
        grants::insert_move(tx, account, entry.sequence, &part.grant, negative(part.credits)?).await?;
    }
    Ok(())
}

/// Credits returned because a refund failed or a dispute was won: what does not repay a negative balance goes back to
/// the grant of the purchase or bonus. If that has ended, a refund's credits end with it, except those that were taken
/// from other grants, because it had ended before or was spent. These, and a dispute's, stay good for a while.
async fn return_to_grant(tx: &mut Tx, account: &mut LockedAccount, entry: &EntryRow) -> Result<(), StoreError> {
    let is_dispute = entry.reason.as_deref().is_some_and(|reason| reason.starts_with("dispute"));
    let bringing = Bringing {
        credits: spendable(entry.credits, entry.balance_after),
        sequence: entry.sequence,
        source: &entry.source,
        at_ms: entry.created_at,
    };
    let grant = own_grant(entry);
    let own = match &grant {
        Some(id) => grants::find(tx, id).await?,
        None => None,
    };
    let ends_with_own = !is_dispute && own.is_some_and(|own| own.expires_at <= entry.created_at);
    let of_own = if ends_with_own { own_part(tx, account, entry).await? } else { 0 };
    let others =
        GivenPart { grant: grant.clone(), credits: difference(entry.credits, of_own)?, if_ended: IfEnded::Grace };
    give_back(tx, account, &[others, GivenPart { grant, credits: of_own, if_ended: IfEnded::End }], &bringing).await
}

/// How many of the credits that come back were taken from the own grant. What was taken last comes back first, and the
/// own grant was taken from first.
async fn own_part(tx: &mut Tx, account: &LockedAccount, entry: &EntryRow) -> Result<i64, StoreError> {
    let statement = if entry.kind == EntryKind::BonusReversal.as_str() { &BONUS_TAKEN } else { &TAKEN };
    let (topup, own) = (entry.topup_id.as_deref(), own_grant(entry));
    let values = args![account = account.id().as_str(), topup, own = own.as_deref(), sequence = entry.sequence];
    let taken: Option<Taken> = tx.fetch_optional(statement, &values).await?;
    let taken = taken.ok_or_else(|| StoreError::corrupt("no sum of reversals, at entry", &entry.id))?;
    let of_others = difference(taken.credits, taken.own)?.clamp(0, entry.credits);
    difference(entry.credits, of_others)
}
