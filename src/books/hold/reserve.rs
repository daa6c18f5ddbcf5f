//! Reserves credits, changes how many and for how long, and frees them.

use crate::books::hold::holds::{self, Hold, HoldState, NewHold};
use crate::books::locked_account::LockedAccount;
use crate::books::spend::action::{Done, ExtendHold, PlaceHold, Refusal, room};
use crate::books::sums::{difference, negative};
use crate::db::{StoreError, Tx};
use crate::domain::ids::HoldId;

/// Reserves credits of a settled account.
pub(crate) async fn place_hold(tx: &mut Tx, account: &mut LockedAccount, new: &PlaceHold) -> Result<Done, StoreError> {
    let funds = account.funds();
    let limit = account.limit(tx, &new.purpose.subject).await?;
    if let Some(refusal) = Refusal::beyond(limit.as_ref(), new.minimum_credits, funds) {
        return Ok(Done::Refused(refusal));
    }
    let credits = new.credits.min(funds.available()).min(room(limit.as_ref()));
    if credits < new.minimum_credits {
        return Ok(Done::Refused(Refusal::too_few(new.minimum_credits, funds)));
    }
    account.hold(tx, &new.purpose.subject, credits).await?;
    account.ends_at(new.expires_at_ms);
    let hold = NewHold {
        id: &new.id,
        account: account.id(),
        credits,
        asked_credits: new.credits,
        purpose: &new.purpose,
        expires_at_ms: new.expires_at_ms,
        key: &new.key,
        request_hash: &new.request_hash,
        now_ms: account.now_ms(),
    };
    holds::insert(tx, &hold).await.map(Done::Held)
}

/// Reserves more, or for longer. Repeating it changes nothing, because it names totals.
pub(crate) async fn extend(tx: &mut Tx, account: &mut LockedAccount, new: &ExtendHold) -> Result<Done, StoreError> {
    let Some(hold) = find(tx, account, &new.hold).await? else { return Ok(Done::Refused(Refusal::UnknownHold)) };
    match hold.state_at(account.now_ms())? {
        HoldState::Open => {}
        HoldState::Captured => return Ok(Done::Refused(Refusal::HoldCaptured)),
        HoldState::Released => return Ok(Done::Refused(Refusal::HoldReleased)),
        HoldState::Expired => return Ok(Done::Refused(Refusal::HoldExpired)),
    }
    let credits = new.credits.unwrap_or(hold.credits).max(hold.credits);
    let expires_at = new.expires_at_ms.unwrap_or(hold.expires_at).max(hold.expires_at);
    let more = difference(credits, hold.credits)?;
    let funds = account.funds();
    let limit = account.limit(tx, &hold.subject).await?;
    if let Some(refusal) = Refusal::beyond(limit.as_ref(), more, funds) {
        return Ok(Done::Refused(refusal));
    }
    if more > funds.available() {
        return Ok(Done::Refused(Refusal::too_few_beside(hold.credits, more, funds)));
    }
    if (credits, expires_at) != (hold.credits, hold.expires_at) {
        account.hold(tx, &hold.subject, more).await?;
        holds::extend(tx, &hold, credits, expires_at, account.now_ms()).await?;
    }
    found_again(tx, &new.hold).await
}

/// Frees what a hold reserves. A hold that reserves nothing any more is left as it is.
pub(crate) async fn release(tx: &mut Tx, account: &mut LockedAccount, id: &HoldId) -> Result<Done, StoreError> {
    let Some(hold) = find(tx, account, id).await? else { return Ok(Done::Refused(Refusal::UnknownHold)) };
    match hold.state_at(account.now_ms())? {
        HoldState::Captured => return Ok(Done::Refused(Refusal::HoldCaptured)),
        HoldState::Open => {
            account.hold(tx, &hold.subject, negative(hold.credits)?).await?;
            holds::mark_released(tx, id, account.now_ms()).await?;
        }
        HoldState::Released | HoldState::Expired => {}
    }
    found_again(tx, id).await
}

/// Finds a hold of this account.
pub(crate) async fn find(tx: &mut Tx, account: &LockedAccount, id: &HoldId) -> Result<Option<Hold>, StoreError> {
    Ok(holds::find(tx, id).await?.filter(|hold| hold.account_id == account.id().as_str()))
}

async fn found_again(tx: &mut Tx, id: &HoldId) -> Result<Done, StoreError> {
    holds::find(tx, id).await?.map(Done::Held).ok_or_else(|| StoreError::corrupt("no hold", id))
}
