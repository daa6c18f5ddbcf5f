//! Debits: credits taken at once.

use crate::books::grants::From;
use crate::books::locked_account::LockedAccount;
use crate::books::spend::action::{Debit, Done, Refusal, Shortfall};
use crate::books::spend::spends::{self, NewSpend};
use crate::db::{StoreError, Tx};

/// Takes credits from a settled account.
pub(crate) async fn debit(tx: &mut Tx, account: &mut LockedAccount, new: &Debit) -> Result<Done, StoreError> {
    let funds = account.funds();
    let least = if new.on_shortfall == Shortfall::Cap { new.minimum_credits } else { new.credits };
    if funds.available() < least {
        return Ok(Done::Refused(Refusal::too_few(least, funds)));
    }
    let spend = NewSpend {
        id: &new.id,
        credits: new.credits.min(funds.available()),
        asked_credits: new.credits,
        purpose: &new.purpose,
        hold: None,
        key: &new.key,
        request_hash: &new.request_hash,
    };
    spends::book(tx, account, spend, From::Good).await.map(Done::Spent)
}
