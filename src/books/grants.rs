//! Stored grants, and what entries did to them.

use crate::books::locked_account::LockedAccount;
use crate::db::{StoreError, Tx, args, statements};
use crate::domain::burn::{BurnOrder, Burnt, GrantKind, Part, burn, spendable};

/// How many grants are read at once.
const PAGE: i64 = 50;

statements! {
    INSERT = "INSERT INTO grants (id, account_id, sequence, kind, credits, remaining, is_open, priority, expires_at, \
        category, topup_id, reason, created_at) VALUES (:id, :account, :sequence, :kind, :credits, :remaining, :is_open, \
        :priority, :expires_at, :category, :topup, :reason, :created_at)";
    OPEN = "SELECT id, credits, remaining, expires_at, category, voided_at FROM grants \
        WHERE account_id = :account AND is_open = 1 AND expires_at > :ends_after \
        ORDER BY priority, expires_at, category, sequence LIMIT :limit";
    ENDED = "SELECT id, credits, remaining, expires_at, category, voided_at FROM grants \
        WHERE account_id = :account AND is_open = 1 AND expires_at <= :now_ms \
        AND (expires_at, id) > (:after_ms, :after_id) ORDER BY expires_at, id LIMIT :limit";
    FIND = "SELECT id, credits, remaining, expires_at, category, voided_at FROM grants WHERE id = :grant";
    TAKE = "UPDATE grants SET remaining = remaining - :credits, \
        is_open = CASE WHEN remaining = :credits THEN 0 ELSE 1 END WHERE id = :grant AND remaining >= :credits";
    GIVE = "UPDATE grants SET remaining = remaining + :credits, is_open = 1 WHERE id = :grant";
    VOID = "UPDATE grants SET expires_at = :now_ms, voided_at = :now_ms, voided_by = :voided_by, void_reason = :reason \
        WHERE id = :grant AND remaining > 0 AND expires_at > :now_ms";
    INSERT_MOVE = "INSERT INTO grant_moves (account_id, sequence, grant_id, credits) \
        VALUES (:account, :sequence, :grant, :credits)";
    NEXT_END = "SELECT MIN(expires_at) AS ends_at FROM grants WHERE account_id = :account AND is_open = 1";
}

/// A stored grant.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct GrantRow {
    pub(crate) id: String,
    pub(crate) credits: i64,
    pub(crate) remaining: i64,
    pub(crate) expires_at: i64,
    pub(crate) category: i64,
    pub(crate) voided_at: Option<i64>,
}

/// A grant to be opened by an entry.
pub(crate) struct NewGrant<'g> {
    pub(crate) id: &'g str,
    pub(crate) kind: GrantKind,
    pub(crate) credits: i64,
    pub(crate) order: BurnOrder,
    /// The top-up of a purchase or bonus.
    pub(crate) topup: Option<&'g str>,
    pub(crate) reason: Option<&'g str>,
}

/// Which open grants credits may be taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Those that had not ended at this time, in milliseconds since 1970.
    GoodAt(i64),
    /// Also ended ones that are kept for a hold.
    All,
}

#[derive(sqlx::FromRow)]
struct NextEnd {
    ends_at: Option<i64>,
}

/// Opens a grant with what the entry brings after repaying a negative balance.
pub(crate) async fn open(
    tx: &mut Tx,
    account: &mut LockedAccount,
    new: NewGrant<'_>,
    balance_after: i64,
) -> Result<(), StoreError> {
    let remaining = spendable(new.credits, balance_after);
    let values = args![
        id = new.id,
        account = account.id().as_str(),
        sequence = new.order.sequence,
        kind = new.kind.as_str(),
        credits = new.credits,
        remaining,
        is_open = remaining > 0,
        priority = new.order.priority,
        expires_at = new.order.expires_at_ms,
        category = new.order.category.number(),
        topup = new.topup,
        reason = new.reason,
        created_at = account.now_ms()
    ];
    tx.execute(&INSERT, &values).await?;
    if remaining > 0 {
        account.ends_at(new.order.expires_at_ms);
        insert_move(tx, account, new.order.sequence, new.id, remaining).await?;
    }
    Ok(())
}

/// Takes credits from the account's grants in burn order. Returns the parts, and what the grants did not cover.
pub(crate) async fn take(tx: &mut Tx, account: &LockedAccount, amount: i64, from: Source) -> Result<Burnt, StoreError> {
    let ends_after = match from {
        Source::GoodAt(time_ms) => time_ms,
        Source::All => i64::MIN,
    };
    let mut burnt = Burnt { parts: Vec::new(), rest: amount };
    while burnt.rest > 0 {
        let values = args![account = account.id().as_str(), ends_after, limit = PAGE];
        let page: Vec<GrantRow> = tx.fetch_all(&OPEN, &values).await?;
        if page.is_empty() {
            break;
        }
        let next = burn(page.iter().map(|grant| (grant.id.as_str(), grant.remaining)), burnt.rest);
        for part in &next.parts {
            take_part(tx, part).await?;
        }
        burnt.rest = next.rest;
        burnt.parts.extend(next.parts);
    }
    Ok(burnt)
}

/// Takes credits from one grant.
pub(crate) async fn take_part(tx: &mut Tx, part: &Part) -> Result<(), StoreError> {
    let taken = tx.execute(&TAKE, &args![grant = part.grant.as_str(), credits = part.credits]).await?;
    if taken == 1 { Ok(()) } else { Err(StoreError::corrupt("fewer credits than were read in grant", &part.grant)) }
}

/// Gives credits to one grant.
pub(crate) async fn give(tx: &mut Tx, part: &Part) -> Result<(), StoreError> {
    let given = tx.execute(&GIVE, &args![grant = part.grant.as_str(), credits = part.credits]).await?;
    if given == 1 { Ok(()) } else { Err(StoreError::corrupt("no grant", &part.grant)) }
}

/// Finds a grant.
pub(crate) async fn find(tx: &mut Tx, grant: &str) -> Result<Option<GrantRow>, StoreError> {
    tx.fetch_optional(&FIND, &args![grant]).await
}

/// Ends an open grant now. Whether there was something to end.
pub(crate) async fn void(
    tx: &mut Tx,
    grant: &str,
    reason: &str,
    voided_by: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    Ok(tx.execute(&VOID, &args![grant, reason, voided_by, now_ms]).await? == 1)
}

/// Records what an entry did to a grant.
pub(crate) async fn insert_move(
    tx: &mut Tx,
    account: &LockedAccount,
    sequence: i64,
    grant: &str,
    credits: i64,
) -> Result<(), StoreError> {
    let values = args![account = account.id().as_str(), sequence, grant, credits];
    tx.execute(&INSERT_MOVE, &values).await.map(drop)
}

/// The open grants that have ended after a place (time and id), those that ended first before the others.
pub(crate) async fn ended(
    tx: &mut Tx,
    account: &LockedAccount,
    after: (i64, &str),
) -> Result<Vec<GrantRow>, StoreError> {
    let (after_ms, after_id) = after;
    let values = args![account = account.id().as_str(), now_ms = account.now_ms(), after_ms, after_id, limit = PAGE];
    tx.fetch_all(&ENDED, &values).await
}

/// When the next open grant ends.
pub(crate) async fn next_end(tx: &mut Tx, account: &LockedAccount) -> Result<Option<i64>, StoreError> {
    let row: Option<NextEnd> = tx.fetch_optional(&NEXT_END, &args![account = account.id().as_str()]).await?;
    Ok(row.and_then(|row| row.ends_at))
}
