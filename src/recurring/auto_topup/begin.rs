//! Begins a charge: decides under the account's lock whether one is due and allowed, and stores the purchase and its
//! attempt before the provider is called.

use crate::books::locked_account::LockedAccount;
use crate::books::refill;
use crate::books::settle::{Settled, settle};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::PauseReason;
use crate::domain::ids::{LedgerEntryId, TopupId};
use crate::domain::spend_limit::{Period, Windows};
use crate::purchases::topups::{self, NewTopup};
use crate::recurring::auto_topup::attempts::{self, NewAttempt};
use crate::recurring::auto_topup::charged_card::ChargedCard;
use crate::recurring::auto_topup::settings::{self, AutoTopup, Pause};
use crate::recurring::auto_topup::{notices, queue};

const HOUR_MS: i64 = 3_600_000;
/// How long to wait when all accounts together were charged too often.
const CROWDED_MS: i64 = 60_000;

/// What is to be done about an account whose credits ran low.
#[derive(Debug)]
pub(crate) enum Begun {
    /// The card is to be charged.
    Charge,
    /// A charge is under way already.
    UnderWay(TopupId),
    /// All accounts together were charged too often; this one waits.
    Crowded,
    /// Nothing.
    Nothing,
}

/// Begins a charge of this card for this purchase, or says why there is none.
pub(crate) struct BeginCharge {
    pub(crate) account: AccountId,
    pub(crate) entry: LedgerEntryId,
    /// Who has the lease.
    pub(crate) holder: String,
    pub(crate) chosen: Result<(ChargedCard, Box<NewTopup>), PauseReason>,
    /// The most charges of all accounts in an hour.
    pub(crate) max_per_hour: i64,
    pub(crate) now_ms: i64,
}

impl Write for BeginCharge {
    /// `None` while the account is being settled.
    type Output = Option<Begun>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<Begun>, StoreError> {
        let locked = LockedAccount::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let Some(mut account) = locked else {
            queue::remove(tx, &self.account).await?;
            return Ok(Some(Begun::Nothing));
        };
        let settled = settle(tx, &mut account).await?;
        if account.is_changed() {
            account.store(tx).await?;
        }
        if settled == Settled::Partly {
            return Ok(None);
        }
        let Some(crossed_at_ms) = queue::held(tx, &self.account, &self.holder).await? else {
            return Ok(Some(Begun::Nothing));
        };
        let found = settings::find(tx, &self.account).await?;
        let Some(auto) = found.filter(|auto| auto.topup.is_some() || auto.may_charge(self.now_ms)) else {
            account.set_refill_at(tx, refill::NEVER).await?;
            queue::remove(tx, &self.account).await?;
            return Ok(Some(Begun::Nothing));
        };
        if let Some(topup) = auto.topup {
            return Ok(Some(Begun::UnderWay(topup)));
        }
        self.decide(tx, &mut account, &auto, crossed_at_ms).await.map(Some)
    }
}

impl BeginCharge {
    async fn decide(
        &self,
        tx: &mut Tx,
        account: &mut LockedAccount,
        auto: &AutoTopup,
        crossed_at_ms: i64,
    ) -> Result<Begun, StoreError> {
        // The credits came back in another way, or the account may not spend any.
        if account.funds().available() >= auto.rules.threshold_credits || account.is_blocked() {
            account.set_refill_at(tx, auto.rules.threshold_credits).await?;
            settings::resume(tx, &self.account, None, self.now_ms).await?;
            queue::remove(tx, &self.account).await?;
            return Ok(Begun::Nothing);
        }
        if let Some(reason) = settings::reversed(tx, &self.account, auto.consented_at_ms, self.now_ms).await? {
            return self.pause(tx, account, auto, reason).await;
        }
        let (card, new) = match &self.chosen {
            Ok((card, new)) => (card, new),
            Err(reason) => return self.pause(tx, account, auto, *reason).await,
        };
        if attempts::declines(tx, &self.account, &card.card.id, self.now_ms).await?.are_too_many() {
            return self.pause(tx, account, auto, PauseReason::CardDeclined).await;
        }
        let amount_minor = new.quote.total_amount_minor;
        let charged = attempts::charged(tx, &self.account, new.quote.currency, self.now_ms).await?;
        if let Some(reason) = auto.rules.caps.exceeded_by(charged, amount_minor) {
            return self.pause(tx, account, auto, reason).await;
        }
        let since_ms = self.now_ms.saturating_sub(HOUR_MS);
        if attempts::recent(tx, since_ms, self.max_per_hour).await? >= self.max_per_hour {
            queue::postpone(tx, &self.account, self.now_ms.saturating_add(CROWDED_MS)).await?;
            return Ok(Begun::Crowded);
        }
        topups::insert(tx, new).await?;
        let new_attempt = NewAttempt {
            topup: &new.id,
            account: &self.account,
            crossed_at_ms,
            amount_minor,
            currency: new.quote.currency,
            card: &card.card,
            consent: (auto.consent.version.as_str(), auto.consented_at_ms),
            now_ms: self.now_ms,
        };
        attempts::insert(tx, &new_attempt).await?;
        settings::begin(tx, &self.account, &new.id, self.now_ms).await?;
        // Until the end of this charge, what is spent need not ask for another one.
        account.set_refill_at(tx, refill::NEVER).await?;
        Ok(Begun::Charge)
    }

    async fn pause(
        &self,
        tx: &mut Tx,
        account: &mut LockedAccount,
        auto: &AutoTopup,
        reason: PauseReason,
    ) -> Result<Begun, StoreError> {
        let windows = Windows::at(self.now_ms);
        let end_ms = |period: Period| period.end_ms(windows.start_ms(period));
        let retry_at_ms = match reason {
            PauseReason::DailyLimit => end_ms(Period::Day),
            PauseReason::MonthlyLimit => end_ms(Period::Month),
            _ => None,
        };
        let pause = Pause { reason, retry_at_ms, declines: auto.declines };
        let is_news = auto.reason != Some(reason);
        let changes = settings::pause(tx, &self.account, &pause, self.now_ms).await?;
        account.set_refill_at(tx, refill::NEVER).await?;
        match retry_at_ms {
            Some(retry_at_ms) => queue::postpone(tx, &self.account, retry_at_ms).await?,
            None => queue::remove(tx, &self.account).await?,
        }
        if let Some(changes) = changes.filter(|_| is_news) {
            notices::paused(tx, &self.account, &pause, changes, self.now_ms).await?;
        }
        Ok(Begun::Nothing)
    }
}
