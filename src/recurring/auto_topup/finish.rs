//! Stores what came of a charge.
//!
//! Invariant: each of these writes has its effect once, however often it is run: the attempt's row decides.

use crate::books::locked_account::LockedAccount;
use crate::books::refill;
use crate::books::settle::{Settled, settle};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::{AutoTopupState, Decline, DeclineMeaning, PauseReason, pause_ms};
use crate::domain::ids::{LedgerEntryId, TopupId};
use crate::recurring::auto_topup::attempts::{self, AttemptOutcome};
use crate::recurring::auto_topup::settings::{self, Pause};
use crate::recurring::auto_topup::{notices, queue};

/// Asks for a purchase when the credits run low: now, if they are. The account is settled and its row locked.
pub(crate) async fn arm(tx: &mut Tx, account: &mut LockedAccount, threshold_credits: i64) -> Result<(), StoreError> {
    if account.funds().available() >= threshold_credits {
        return account.set_refill_at(tx, threshold_credits).await;
    }
    account.set_refill_at(tx, refill::NEVER).await?;
    refill::enqueue(tx, account.id().as_str(), account.now_ms()).await
}

/// The purchase is paid and its credits are booked.
pub(crate) struct FinishPaid {
    pub(crate) account: AccountId,
    pub(crate) entry: LedgerEntryId,
    pub(crate) topup: TopupId,
    pub(crate) now_ms: i64,
}

impl Write for FinishPaid {
    /// `None` while the account is being settled.
    type Output = Option<()>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<()>, StoreError> {
        let locked = LockedAccount::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let mut account = locked.ok_or_else(|| StoreError::corrupt("no account of the paid", &self.topup))?;
        let settled = settle(tx, &mut account).await?;
        if account.is_changed() {
            account.store(tx).await?;
        }
        if settled == Settled::Partly {
            return Ok(None);
        }
        if !attempts::end(tx, &self.topup, AttemptOutcome::Paid, None, self.now_ms).await? {
            return Ok(Some(()));
        }
        settings::end(tx, &self.account, self.now_ms).await?;
        queue::remove(tx, &self.account).await?;
        notices::succeeded(tx, &self.account, &self.topup, self.now_ms).await?;
        let auto = settings::find(tx, &self.account).await?;
        if let Some(auto) = auto.filter(|auto| auto.state != AutoTopupState::Off) {
            settings::resume(tx, &self.account, None, self.now_ms).await?;
            // What was spent meanwhile may have used up the purchase: that is the next crossing.
            arm(tx, &mut account, auto.rules.threshold_credits).await?;
        }
        Ok(Some(()))
    }
}

/// Why a charge failed.
#[derive(Debug, Clone)]
pub(crate) enum Failed {
    /// The bank declined, and the payment is cancelled.
    Declined(Decline),
    /// The provider refused the request: no payment was made.
    Refused(PauseReason, String),
    /// It was no longer wanted, and no payment was made.
    Withdrawn,
}

impl Failed {
    const fn outcome(&self) -> AttemptOutcome {
        match self {
            Self::Declined(_) => AttemptOutcome::Declined,
            Self::Refused(..) | Self::Withdrawn => AttemptOutcome::Refused,
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::Declined(decline) => decline.word(),
            Self::Refused(_, code) => code,
            Self::Withdrawn => "withdrawn",
        }
    }

    fn failure_code(&self) -> &'static str {
        match self {
            Self::Declined(_) => "card_declined",
            Self::Refused(..) => "provider_refused",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// How long to pause, after so many declined charges in a row before this one; `None`: not at all.
    fn pause(&self, declines: i64, now_ms: i64) -> Option<Pause> {
        let for_good = |reason| Pause { reason, retry_at_ms: None, declines };
        let decline = match self {
            Self::Declined(decline) => decline,
            Self::Refused(reason, _) => return Some(for_good(*reason)),
            Self::Withdrawn => return None,
        };
        let declines = declines.saturating_add(1);
        Some(match decline.meaning() {
            DeclineMeaning::AuthenticationRequired => for_good(PauseReason::AuthenticationRequired),
            DeclineMeaning::Final => for_good(PauseReason::CardDeclined),
            DeclineMeaning::Temporary => match pause_ms(declines) {
                None => Pause { reason: PauseReason::CardDeclined, retry_at_ms: None, declines },
                Some(pause_ms) => {
                    let retry_at_ms = Some(now_ms.saturating_add(pause_ms));
                    Pause { reason: PauseReason::Declined, retry_at_ms, declines }
                }
            },
        })
    }
}

/// The charge failed.
pub(crate) struct FinishFailed {
    pub(crate) account: AccountId,
    pub(crate) entry: LedgerEntryId,
    pub(crate) topup: TopupId,
    pub(crate) failed: Failed,
    pub(crate) now_ms: i64,
}

impl Write for FinishFailed {
    /// `false` if the purchase is paid by now.
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let (account, topup, now_ms) = (&self.account, &self.topup, self.now_ms);
        let (failure_code, code) = (self.failed.failure_code(), self.failed.code());
        let decline_code = matches!(self.failed, Failed::Declined(_)).then_some(code);
        // First, as whatever credits a payment locks the purchase before the account.
        if !attempts::mark_declined(tx, topup, failure_code, decline_code, now_ms).await? {
            return Ok(false);
        }
        let locked = LockedAccount::lock(tx, account, &self.entry, now_ms).await?;
        if !attempts::end(tx, topup, self.failed.outcome(), Some(code), now_ms).await? {
            return Ok(true);
        }
        settings::end(tx, account, now_ms).await?;
        if let Some(mut locked) = locked {
            locked.set_refill_at(tx, refill::NEVER).await?;
        }
        let consented_at = attempts::consent_of(tx, topup).await?;
        match settings::find(tx, account).await? {
            None => queue::remove(tx, account).await?,
            Some(auto) if auto.state == AutoTopupState::Off => queue::remove(tx, account).await?,
            Some(auto) => match self.failed.pause(auto.declines, now_ms) {
                Some(pause) if consented_at == Some(auto.consented_at_ms) => self.pause(tx, &pause).await?,
                // It says nothing of what the customer agreed to since, perhaps with another card.
                _ => queue::postpone(tx, account, now_ms).await?,
            },
        }
        Ok(true)
    }
}

impl FinishFailed {
    async fn pause(&self, tx: &mut Tx, pause: &Pause) -> Result<(), StoreError> {
        let (account, topup, now_ms) = (&self.account, &self.topup, self.now_ms);
        let changes = settings::pause(tx, account, pause, now_ms).await?.unwrap_or_default();
        let needs_page = pause.reason == PauseReason::AuthenticationRequired;
        match pause.retry_at_ms {
            // The page on which the customer confirms is opened next.
            _ if needs_page => queue::postpone(tx, account, now_ms).await?,
            Some(retry_at_ms) => queue::postpone(tx, account, retry_at_ms).await?,
            None => queue::remove(tx, account).await?,
        }
        if let Failed::Declined(decline) = &self.failed {
            notices::failed(tx, account, topup, (decline, pause), now_ms).await?;
        }
        if pause.retry_at_ms.is_none() && !needs_page {
            notices::paused(tx, account, pause, changes, now_ms).await?;
        }
        Ok(())
    }
}
