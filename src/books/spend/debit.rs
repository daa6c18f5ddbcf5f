//! Debits: credits taken at once.

use crate::books::grants::Source;
use crate::books::locked_account::LockedAccount;
use crate::books::spend::action::{Debit, Done, Refusal, room};
use crate::books::spend::spends::{self, NewSpend};
use crate::db::{StoreError, Tx};

/// Takes credits from a settled account.
pub(crate) async fn debit(tx: &mut Tx, account: &mut LockedAccount, new: &Debit) -> Result<Done, StoreError> {
    let funds = account.funds();
    let least = new.least();
    let limit = account.limit(tx, &new.purpose.subject).await?;
    if let Some(refusal) = Refusal::beyond(limit.as_ref(), least, funds) {
        return Ok(Done::Refused(refusal));
    }
    if funds.available() < least {
        return Ok(Done::Refused(Refusal::too_few(least, funds)));
    }
    let credits = new.credits.min(funds.available()).min(room(limit.as_ref()));
    let spend = NewSpend {
        id: &new.id,
        credits,
        asked_credits: new.credits,
        purpose: &new.purpose,
        hold: None,
        key: &new.key,
        request_hash: &new.request_hash,
    };
    let sources = [(credits, Source::GoodAt(account.now_ms()))];
    spends::book(tx, account, spend, &sources).await.map(Done::Spent)
}
