//! Gives credits back to the grants that they were taken from.
//!
//! What a grant cannot take becomes a grant of its own: credits of a grant that has ended stay good for a while, and a
//! grant that was filled otherwise meanwhile takes no more than it ever had.

use crate::books::grants::{self, NewGrant};
use crate::books::locked_account::LockedAccount;
use crate::db::{StoreError, Tx};
use crate::domain::burn::{BurnOrder, Category, DEFAULT_PRIORITY, GRACE_MS, GrantKind, NEVER_MS, Part};

/// Credits that came from a grant; from none if a refund or dispute had taken them before.
pub(crate) struct GivenPart {
    pub(crate) grant: Option<String>,
    pub(crate) credits: i64,
    pub(crate) if_ended: IfEnded,
}

/// Credits that no grant can take.
struct Homeless {
    credits: i64,
    expires_at_ms: i64,
    category: Category,
}

/// What happens to credits of a grant that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfEnded {
    /// They stay good for a while, because the customer did nothing wrong.
    Grace,
    /// They end with it.
    End,
}

/// The entry that brings credits back.
pub(crate) struct Bringing<'b> {
    /// The credits that do not repay a negative balance.
    pub(crate) credits: i64,
    pub(crate) sequence: i64,
    /// New grants get ids derived from it.
    pub(crate) source: &'b str,
    /// When they come back, in milliseconds since 1970.
    pub(crate) at_ms: i64,
}

/// Gives credits back, to the given parts in their order.
pub(crate) async fn give_back(
    tx: &mut Tx,
    account: &mut LockedAccount,
    parts: &[GivenPart],
    bringing: &Bringing<'_>,
) -> Result<(), StoreError> {
    let (sequence, source) = (bringing.sequence, bringing.source);
    let mut rest = bringing.credits;
    let mut homeless = Vec::new();
    for part in parts {
        let credits = part.credits.min(rest);
        rest = rest.saturating_sub(credits);
        if credits > 0 {
            homeless.extend(give_part(tx, account, part, credits, bringing).await?);
        }
    }
    if rest > 0 {
        return Err(StoreError::corrupt("more credits given back than were taken, by", source));
    }
    for (number, new) in (1_u32..).zip(homeless) {
        let id = if number == 1 { source.to_owned() } else { format!("{source}:{number}") };
        let order = BurnOrder {
            priority: DEFAULT_PRIORITY,
            expires_at_ms: new.expires_at_ms,
            category: new.category,
            sequence,
        };
        let (kind, credits) = (GrantKind::Returned, new.credits);
        let grant = NewGrant { id: &id, kind, credits, order, topup: None, reason: None };
        grants::open(tx, account, grant, credits).await?;
    }
    Ok(())
}

async fn give_part(
    tx: &mut Tx,
    account: &mut LockedAccount,
    part: &GivenPart,
    credits: i64,
    bringing: &Bringing<'_>,
) -> Result<Option<Homeless>, StoreError> {
    let Some(id) = &part.grant else {
        return Ok(Some(Homeless { credits, expires_at_ms: NEVER_MS, category: Category::Paid }));
    };
    let own = grants::find(tx, id).await?.ok_or_else(|| StoreError::corrupt("no grant", id))?;
    let category = Category::of_number(own.category).ok_or_else(|| StoreError::corrupt("category of grant", id))?;
    let has_ended = own.expires_at <= bringing.at_ms && part.if_ended == IfEnded::Grace;
    let room = if has_ended { 0 } else { own.credits.saturating_sub(own.remaining) };
    let back = credits.min(room);
    if back > 0 {
        grants::give(tx, &Part { grant: own.id.clone(), credits: back }).await?;
        grants::insert_move(tx, account, bringing.sequence, &own.id, back).await?;
        account.ends_at(own.expires_at);
    }
    let credits = credits.saturating_sub(back);
    let expires_at_ms = if has_ended { bringing.at_ms.saturating_add(GRACE_MS) } else { own.expires_at };
    Ok((credits > 0).then_some(Homeless { credits, expires_at_ms, category }))
}
