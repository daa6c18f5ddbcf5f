//! `topup audit --replay`: derives every part of every spend again from the burn order, and what remains of every grant
//! from the entries.
//!
//! It holds the grants of one account in memory. An account that changes while it is read is read again.

use std::collections::BTreeMap;

use crate::books::audit_report::{AuditReport, Difference, PAGE};
use crate::db::{Db, StoreError, args, statements};
use crate::domain::burn::{BurnOrder, Category};
use crate::domain::ledger::EntryKind;

/// How often an account that changes meanwhile is read.
const MAX_TRIES: u32 = 5;

statements! {
    ACCOUNTS = "SELECT id, entries, settled_entries, revision FROM accounts WHERE id > :after ORDER BY id LIMIT :limit";
    ACCOUNT = "SELECT id, entries, settled_entries, revision FROM accounts WHERE id = :account";
    GRANTS = "SELECT id, sequence, remaining, priority, expires_at, category, voided_at FROM grants \
        WHERE account_id = :account AND (sequence, id) > (:after, :after_id) ORDER BY sequence, id LIMIT :limit";
    ENTRIES = "SELECT e.sequence, e.kind, e.credits, e.grant_id, e.created_at, s.hold_id FROM ( \
        SELECT sequence, kind, credits, grant_id, created_at, source FROM ledger_entries \
        WHERE account_id = :account AND sequence > :after AND sequence <= :until ORDER BY sequence LIMIT :limit) e \
        LEFT JOIN spends s ON s.id = CASE WHEN e.kind = 'spend' THEN SUBSTR(e.source, 1, 38) END ORDER BY e.sequence";
    MOVES = "SELECT sequence, grant_id, credits FROM grant_moves WHERE account_id = :account AND sequence > :after \
        AND sequence <= :until ORDER BY sequence, grant_id";
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
struct AccountRow {
    id: String,
    entries: i64,
    settled_entries: i64,
    revision: i64,
}

#[derive(Debug, sqlx::FromRow)]
struct GrantRow {
    id: String,
    sequence: i64,
    remaining: i64,
    priority: i64,
    expires_at: i64,
    category: i64,
    voided_at: Option<i64>,
}

#[derive(Debug, sqlx::FromRow)]
struct EntryRow {
    sequence: i64,
    kind: String,
    credits: i64,
    grant_id: Option<String>,
    created_at: i64,
    hold_id: Option<String>,
}

#[derive(Debug, sqlx::FromRow)]
struct MoveRow {
    sequence: i64,
    grant_id: String,
    credits: i64,
}

/// A grant while the entries are replayed.
struct Replayed {
    order: BurnOrder,
    /// Whether an operator ended it: its order before that is no longer known.
    is_voided: bool,
    stored: i64,
    remaining: i64,
}

/// Replays every account, and adds the differences to the report.
///
/// # Errors
/// When the database fails.
pub(crate) async fn replay(db: &Db, report: &mut AuditReport) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page: Vec<AccountRow> = db.read_all(&ACCOUNTS, &args![after = after.as_str(), limit = PAGE]).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for account in page {
            match replay_account(db, account).await? {
                Some(differences) => differences.into_iter().for_each(|difference| report.add(difference)),
                None => report.not_replayed = report.not_replayed.saturating_add(1),
            }
        }
    }
}

/// The differences of an account; `None` if it changes faster than it can be read.
async fn replay_account(db: &Db, mut account: AccountRow) -> Result<Option<Vec<Difference>>, StoreError> {
    for _ in 0..MAX_TRIES {
        let differences = differences(db, &account).await?;
        let now: Option<AccountRow> = db.read_optional(&ACCOUNT, &args![account = account.id.as_str()]).await?;
        match now {
            Some(now) if now != account => account = now,
            _ => return Ok(Some(differences)),
        }
    }
    Ok(None)
}

async fn differences(db: &Db, account: &AccountRow) -> Result<Vec<Difference>, StoreError> {
    let mut grants = grants(db, account).await?;
    let (mut found, mut after) = (Vec::new(), 0_i64);
    while after < account.settled_entries {
        let until = account.settled_entries.min(after.saturating_add(PAGE));
        let values = args![account = account.id.as_str(), after, until, limit = PAGE];
        let entries: Vec<EntryRow> = db.read_all(&ENTRIES, &values).await?;
        let moves: Vec<MoveRow> = db.read_all(&MOVES, &args![account = account.id.as_str(), after, until]).await?;
        let mut moves = moves.into_iter().peekable();
        for entry in &entries {
            while let Some(moved) = moves.next_if(|moved| moved.sequence <= entry.sequence) {
                apply(&mut grants, &moved.grant_id, moved.credits);
            }
            let Some(grant) = &entry.grant_id else { continue };
            if entry.kind == EntryKind::Spend.as_str() && !is_first(&grants, grant, entry) {
                let detail = format!("takes from {grant} although another grant comes before it");
                found.push(difference(account, entry.sequence, detail));
            }
            apply(&mut grants, grant, entry.credits);
        }
        after = until;
    }
    for (id, grant) in &grants {
        if grant.remaining != grant.stored {
            let detail = format!("{} credits remain, the entries say {}", grant.stored, grant.remaining);
            found.push(Difference { id: format!("grant {id}"), detail });
        }
    }
    Ok(found)
}

async fn grants(db: &Db, account: &AccountRow) -> Result<BTreeMap<String, Replayed>, StoreError> {
    let (mut grants, mut after, mut after_id) = (BTreeMap::new(), 0_i64, String::new());
    loop {
        let values = args![account = account.id.as_str(), after, after_id = after_id.as_str(), limit = PAGE];
        let page: Vec<GrantRow> = db.read_all(&GRANTS, &values).await?;
        let Some(last) = page.last() else { return Ok(grants) };
        after = last.sequence;
        after_id.clone_from(&last.id);
        for row in page {
            let category = Category::of_number(row.category);
            let category = category.ok_or_else(|| StoreError::corrupt("category of grant", &row.id))?;
            let (priority, expires_at_ms, sequence) = (row.priority, row.expires_at, row.sequence);
            let order = BurnOrder { priority, expires_at_ms, category, sequence };
            let is_voided = row.voided_at.is_some();
            grants.insert(row.id, Replayed { order, is_voided, stored: row.remaining, remaining: 0 });
        }
    }
}

fn apply(grants: &mut BTreeMap<String, Replayed>, grant: &str, credits: i64) {
    if let Some(grant) = grants.get_mut(grant) {
        grant.remaining = grant.remaining.saturating_add(credits);
    }
}

/// Whether no good grant comes before this one in burn order. A captured hold may take from a grant that was kept for it
/// after its end.
fn is_first(grants: &BTreeMap<String, Replayed>, grant: &str, entry: &EntryRow) -> bool {
    let Some(own) = grants.get(grant) else { return false };
    let is_good = |other: &Replayed| other.order.expires_at_ms > entry.created_at;
    own.remaining > 0
        && (is_good(own) || entry.hold_id.is_some())
        && (own.is_voided
            || grants
                .values()
                .filter(|other| other.remaining > 0 && !other.is_voided && is_good(other))
                .all(|other| other.order >= own.order))
}

fn difference(account: &AccountRow, sequence: i64, detail: String) -> Difference {
    Difference { id: format!("entry of account {}, number {sequence}", account.id), detail }
}
