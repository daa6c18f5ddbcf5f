//! Credits of a subscription's period: brought by one grant, ended when the next period is paid, taken back and returned
//! by refunds and disputes.
//!
//! All of it happens under the account's lock and with its grants settled, so each entry is reflected in grants at once.

use crate::books::give_back::{Bringing, GivenPart, IfEnded, give_back};
use crate::books::grants::{self, NewGrant, Source};
use crate::books::locked_account::{LockedAccount, NewEntry};
use crate::books::settle::{Settled, end, end_grant, settle};
use crate::books::sums::{difference, negative};
use crate::db::{StoreError, Tx};
use crate::domain::account::AccountId;
use crate::domain::burn::{BurnOrder, Category, DEFAULT_PRIORITY, GrantKind, Part, merged, spendable};
use crate::domain::ids::LedgerEntryId;
use crate::domain::ledger::EntryKind;

/// Credits that a period brings.
pub(crate) struct Period<'p> {
    /// The id of the grant, and the source of the entry.
    pub(crate) id: &'p str,
    /// How many.
    pub(crate) credits: i64,
    /// Whether they were paid for.
    pub(crate) category: Category,
    /// When they end, in milliseconds since 1970; `NEVER_MS` for never.
    pub(crate) expires_at_ms: i64,
    /// `trial`, or nothing.
    pub(crate) reason: Option<&'p str>,
}

/// Credits of a period that are taken back or returned.
pub(crate) struct Change<'c> {
    /// The period's grant.
    pub(crate) grant: &'c str,
    /// The source of the entry.
    pub(crate) source: &'c str,
    /// How many, more than 0.
    pub(crate) credits: i64,
    /// Why.
    pub(crate) reason: &'c str,
}

/// The account under its lock, settled. It is created if it has no entry yet.
pub(crate) async fn lock(
    tx: &mut Tx,
    account: &AccountId,
    entry: &LedgerEntryId,
    now_ms: i64,
) -> Result<LockedAccount, StoreError> {
    let mut locked = LockedAccount::lock(tx, account, entry, now_ms).await?;
    if locked.is_none() {
        LockedAccount::create(tx, account, now_ms).await?;
        locked = LockedAccount::lock(tx, account, entry, now_ms).await?;
    }
    let mut locked = locked.ok_or_else(|| StoreError::corrupt("no row after creating account", account))?;
    while settle(tx, &mut locked).await? == Settled::Partly {}
    Ok(locked)
}

/// Books the credits of a period and opens their grant.
pub(crate) async fn bring(tx: &mut Tx, account: &mut LockedAccount, period: &Period<'_>) -> Result<(), StoreError> {
    let entry = NewEntry {
        kind: EntryKind::Subscription,
        credits: period.credits,
        source: period.id,
        grant: None,
        reason: period.reason,
    };
    let sequence = account.book(tx, entry).await?;
    let (expires_at_ms, category) = (period.expires_at_ms, period.category);
    let order = BurnOrder { priority: DEFAULT_PRIORITY, expires_at_ms, category, sequence };
    let grant = NewGrant {
        id: period.id,
        kind: GrantKind::Subscription,
        credits: period.credits,
        order,
        topup: None,
        reason: period.reason,
    };
    let balance_after = account.funds().remaining;
    grants::open(tx, account, grant, balance_after).await
}

/// Ends up to `credits` of what remains of a grant. What open holds reserve stays. Returns how many were ended.
pub(crate) async fn end_part(
    tx: &mut Tx,
    account: &mut LockedAccount,
    grant: &str,
    credits: i64,
) -> Result<i64, StoreError> {
    let row = grants::find(tx, grant).await?.ok_or_else(|| StoreError::corrupt("no grant", grant))?;
    let ended = credits.min(row.remaining).min(account.funds().available());
    if ended > 0 {
        end_grant(tx, account, &row, ended).await?;
    }
    Ok(ended.max(0))
}

/// Takes credits of a period back: what is left of its own grant first, then from the others in burn order, and below
/// zero. Returns how many came from the own grant.
pub(crate) async fn take_back(
    tx: &mut Tx,
    account: &mut LockedAccount,
    change: &Change<'_>,
) -> Result<i64, StoreError> {
    let before = account.funds().remaining;
    let entry = NewEntry {
        kind: EntryKind::SubscriptionReversal,
        credits: negative(change.credits)?,
        source: change.source,
        grant: None,
        reason: Some(change.reason),
    };
    let sequence = account.book(tx, entry).await?;
    // What is taken below zero is owed, and comes from no grant.
    let mut rest = difference(before.max(0), account.funds().remaining.max(0))?;
    let (mut parts, mut own_credits) = (Vec::new(), 0);
    if let Some(own) = grants::find(tx, change.grant).await? {
        own_credits = rest.min(own.remaining);
        if own_credits > 0 {
            let part = Part { grant: own.id, credits: own_credits };
            grants::take_part(tx, &part).await?;
            rest = difference(rest, own_credits)?;
            parts.push(part);
        }
    }
    for from in [Source::GoodAt(account.now_ms()), Source::All] {
        let burnt = grants::take(tx, account, rest, from).await?;
        rest = burnt.rest;
        parts.extend(burnt.parts);
    }
    if rest != 0 {
        return Err(StoreError::corrupt("grants of fewer credits than the balance of", account.id()));
    }
    for part in &merged(parts) {
        grants::insert_move(tx, account, sequence, &part.grant, negative(part.credits)?).await?;
    }
    Ok(own_credits)
}

/// Returns credits that were taken back: first those that came from other grants, then `own_credits` that came from the
/// period's own. If that has ended meanwhile, a refund's credits end with it; a dispute's stay good for a while, because
/// the customer did nothing wrong.
pub(crate) async fn return_credits(
    tx: &mut Tx,
    account: &mut LockedAccount,
    change: &Change<'_>,
    own_credits: i64,
) -> Result<(), StoreError> {
    let entry = NewEntry {
        kind: EntryKind::SubscriptionReversal,
        credits: change.credits,
        source: change.source,
        grant: None,
        reason: Some(change.reason),
    };
    let sequence = account.book(tx, entry).await?;
    let bringing = Bringing {
        credits: spendable(change.credits, account.funds().remaining),
        sequence,
        source: change.source,
        at_ms: account.now_ms(),
    };
    let is_dispute = change.reason.starts_with("dispute");
    let own = grants::find(tx, change.grant).await?;
    let ends_with_own = !is_dispute && own.is_some_and(|own| own.expires_at <= account.now_ms());
    // One entry moves a grant once, so both parts go back together unless one of them ends.
    let of_own = if ends_with_own { own_credits } else { 0 };
    let grant = Some(change.grant.to_owned());
    let others =
        GivenPart { grant: grant.clone(), credits: difference(change.credits, of_own)?, if_ended: IfEnded::Grace };
    give_back(tx, account, &[others, GivenPart { grant, credits: of_own, if_ended: IfEnded::End }], &bringing).await?;
    // What went back to a grant that has ended ends at once.
    end(tx, account).await
}
