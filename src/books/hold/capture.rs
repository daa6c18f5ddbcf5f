//! Captures: a hold becomes a spend.
//!
//! Up to the reserved number of credits a capture always succeeds. What exceeds it is taken only from what is available,
//! so that it never takes what other holds reserve. A hold whose time has ended reserves nothing, and can still be
//! captured from what is available: the work was done.

use crate::access::caller_key::CallerKey;
use crate::books::grants::Source;
use crate::books::hold::holds::{self, HoldState};
use crate::books::hold::reserve;
use crate::books::locked_account::LockedAccount;
use crate::books::spend::action::{CaptureHold, Done, Refusal, Shortfall, room};
use crate::books::spend::spends::{self, NewSpend, Purpose};
use crate::books::sums::{difference, negative, sum};
use crate::db::{StoreError, Tx};

/// Captures a hold of a settled account.
pub(crate) async fn capture(tx: &mut Tx, account: &mut LockedAccount, new: &CaptureHold) -> Result<Done, StoreError> {
    let Some(hold) = reserve::find(tx, account, &new.hold).await? else {
        return Ok(Done::Refused(Refusal::UnknownHold));
    };
    let reserved = match hold.state_at(account.now_ms())? {
        HoldState::Open => hold.credits,
        HoldState::Expired => 0,
        HoldState::Released => return Ok(Done::Refused(Refusal::HoldReleased)),
        HoldState::Captured => {
            let earlier = spends::find_by_key(tx, &CallerKey::of_capture(&new.hold)).await?;
            let is_same = earlier.is_some_and(|spend| spend.asked_credits == new.credits);
            return Ok(if is_same { Done::Known } else { Done::Refused(Refusal::HoldCaptured) });
        }
    };
    let funds = account.funds();
    let within = new.credits.min(reserved);
    let beyond = difference(new.credits, within)?;
    let limit = account.limit(tx, &hold.subject).await?;
    let possible = beyond.min(funds.available()).min(room(limit.as_ref()));
    if possible < beyond && new.on_shortfall == Shortfall::Reject {
        let refusal = Refusal::beyond(limit.as_ref(), beyond, funds);
        return Ok(Done::Refused(refusal.unwrap_or_else(|| Refusal::too_few_beside(reserved, beyond, funds))));
    }
    account.hold(tx, &hold.subject, negative(reserved)?).await?;
    let purpose =
        Purpose { operation: hold.operation, subject: hold.subject, metadata: new.metadata.clone().or(hold.metadata) };
    let spend = NewSpend {
        id: &new.spend,
        credits: sum(within, possible)?,
        asked_credits: new.credits,
        purpose: &purpose,
        hold: Some(new.hold.as_str()),
        key: &CallerKey::of_capture(&new.hold),
        request_hash: "",
    };
    // What the hold reserves may come from a grant that was good when it was made. The rest of the capture may not.
    let sources =
        [(within, Source::GoodAt(hold.created_at)), (possible, Source::GoodAt(account.now_ms())), (0, Source::All)];
    let spend = spends::book(tx, account, spend, &sources).await?;
    holds::mark_captured(tx, &new.hold, &spend.id, spend.credits, account.now_ms()).await?;
    Ok(Done::Spent(spend))
}
