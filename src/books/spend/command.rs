//! Spending as commands: debits, holds, captures and releases that arrive together share a round trip and a commit.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::books::hold::capture::capture;
use crate::books::hold::holds;
use crate::books::hold::reserve::{extend, place_hold, release};
use crate::books::locked_account::LockedAccount;
use crate::books::settle::{Settled, end, settle};
use crate::books::spend::action::{Action, Done, Refusal, SpendCommand, SpendOutcome};
use crate::books::spend::bulk::{Decision, Plain};
use crate::books::spend::debit::debit;
use crate::books::spend::spends;
use crate::db::command::Command;
use crate::db::{StoreError, Tx};
use crate::domain::ledger::Funds;

impl Command for SpendCommand {
    type Output = SpendOutcome;
    type Row = Decision;
    type Plain<'c> = Plain<'c>;

    const NAME: &'static str = "spend";
    const IN_TURN: bool = true;

    fn rows(&self) -> Vec<&str> {
        vec![self.account.as_str()]
    }

    fn plain<'c>(commands: &[&'c Self]) -> Plain<'c> {
        Plain::of(commands)
    }

    fn outcomes(plain: &Plain<'_>, commands: &[&Self], rows: &[Decision]) -> Vec<Option<SpendOutcome>> {
        plain.outcomes(commands, rows)
    }

    fn run(self, tx: &mut Tx) -> BoxFuture<'_, Result<SpendOutcome, StoreError>> {
        run_one(tx, self).boxed()
    }
}

/// Runs one command in the given transaction.
pub(crate) async fn run_one(tx: &mut Tx, command: SpendCommand) -> Result<SpendOutcome, StoreError> {
    let locked = LockedAccount::lock(tx, &command.account, &command.entry, command.now_ms).await?;
    if is_known(tx, &command.action).await? {
        return Ok(SpendOutcome::Known);
    }
    let Some(mut account) = locked else {
        return Ok(SpendOutcome::Refused(without_account(&command.action)));
    };
    if settle(tx, &mut account).await? == Settled::Partly {
        account.store(tx).await?;
        return Ok(SpendOutcome::Again);
    }
    let result = act(tx, &mut account, &command.action).await?;
    // Without an effect, only what settling changed is stored.
    if matches!(result, Done::Refused(_) | Done::Known) && !account.is_changed() {
        return Ok(result.outcome(account.funds()));
    }
    // Ended grants that were kept for a hold end with it.
    if matches!(command.action, Action::Capture(_) | Action::Release(_) | Action::Extend(_)) {
        end(tx, &mut account).await?;
    }
    let funds = account.store(tx).await?;
    Ok(result.outcome(funds))
}

impl Done {
    fn outcome(self, funds: Funds) -> SpendOutcome {
        match self {
            Self::Spent(spend) => SpendOutcome::Spent(Box::new(spend), funds),
            Self::Held(hold) => SpendOutcome::Held(Box::new(hold), funds),
            Self::Known => SpendOutcome::Known,
            Self::Refused(refusal) => SpendOutcome::Refused(refusal),
        }
    }
}

async fn is_known(tx: &mut Tx, action: &Action) -> Result<bool, StoreError> {
    Ok(match action {
        Action::Debit(debit) => spends::find_by_key(tx, &debit.key).await?.is_some(),
        Action::Hold(hold) => holds::find_by_key(tx, &hold.key).await?.is_some(),
        Action::Capture(_) | Action::Release(_) | Action::Extend(_) => false,
    })
}

/// The account never had credits, so it has no holds either.
fn without_account(action: &Action) -> Refusal {
    match action {
        Action::Debit(_) | Action::Hold(_) => Refusal::too_few(action.least().max(1), Funds::NONE),
        Action::Capture(_) | Action::Release(_) | Action::Extend(_) => Refusal::UnknownHold,
    }
}

async fn act(tx: &mut Tx, account: &mut LockedAccount, action: &Action) -> Result<Done, StoreError> {
    match action {
        Action::Debit(_) | Action::Hold(_) | Action::Extend(_) if account.is_blocked() => {
            Ok(Done::Refused(Refusal::Blocked))
        }
        Action::Debit(new) => debit(tx, account, new).await,
        Action::Hold(new) => place_hold(tx, account, new).await,
        Action::Capture(new) => capture(tx, account, new).await,
        Action::Release(hold) => release(tx, account, hold).await,
        Action::Extend(new) => extend(tx, account, new).await,
    }
}
