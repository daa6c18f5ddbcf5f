//! The customer turns auto top-up on, with rules and consent, or off.

use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::books::refill;
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::PauseReason;
use crate::domain::ids::LedgerEntryId;
use crate::domain::price_list::NotSoldIn;
use crate::domain::pricing::QuoteError;
use crate::domain::provider::ProviderName;
use crate::providers::port::ProviderError;
use crate::recurring::auto_topup::charged_card::{ChooseError, choose};
use crate::recurring::auto_topup::finish::arm;
use crate::recurring::auto_topup::queue;
use crate::recurring::auto_topup::settings::{self, Consent, Rules};

/// Why auto top-up is not turned on.
#[derive(Debug, thiserror::Error)]
pub enum TurnOnError {
    /// The number of credits is not for sale.
    #[error(transparent)]
    NotForSale(#[from] QuoteError),
    /// One purchase costs more than the customer allows for a month.
    #[error("one purchase costs {amount_minor}, which is more than is allowed for a month")]
    LimitTooLow {
        /// What it costs, in minor units.
        amount_minor: i64,
    },
    /// Credits are not sold in the currency of the caps.
    #[error(transparent)]
    NotSoldIn(#[from] NotSoldIn),
    /// There is no such card, or none at all.
    #[error("the customer has no such card")]
    NoCard,
    /// The card's time is over.
    #[error("the card has expired")]
    CardExpired,
    /// The provider cannot be asked for the card.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Turns it on. If the credits are low already, the first charge follows at once.
///
/// # Errors
/// See [`TurnOnError`].
pub async fn turn_on(app: &App, account: &AccountId, rules: Rules, consent: Consent) -> Result<(), TurnOnError> {
    let prices = app.pricing.of(Some(rules.currency))?;
    prices.quote(rules.credits)?;
    let chosen = match choose(app, account, rules.card.as_ref()).await {
        Ok(Ok(chosen)) => chosen,
        Ok(Err(PauseReason::CardExpired)) => return Err(TurnOnError::CardExpired),
        Ok(Err(_)) => return Err(TurnOnError::NoCard),
        Err(ChooseError::Provider(error)) => return Err(error.into()),
        Err(ChooseError::Store(error)) => return Err(error.into()),
    };
    let quote = prices.for_card(chosen.card.facts.country.as_deref()).quote(rules.credits)?;
    if quote.total_amount_minor > rules.caps.max_per_month_minor {
        return Err(TurnOnError::LimitTooLow { amount_minor: quote.total_amount_minor });
    }
    let change = |app: &App| Change {
        account: account.clone(),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        provider: app.provider.name,
        agreed: Some((rules.clone(), consent.clone())),
        now_ms: app.clock.now_ms(),
    };
    until_settled(|| async { app.db.write(change(app)).await }).await?;
    let (version, by) = (consent.version.as_str(), consent.by.as_str());
    tracing::info!(version, by, "auto top-up is on");
    Ok(())
}

/// Turns it off. A charge that is under way goes on, and is credited.
///
/// # Errors
/// When the database fails.
pub async fn turn_off(app: &App, account: &AccountId) -> Result<(), StoreError> {
    let change = || Change {
        account: account.clone(),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        provider: app.provider.name,
        agreed: None,
        now_ms: app.clock.now_ms(),
    };
    until_settled(|| async { app.db.write(change()).await }).await
}

struct Change {
    account: AccountId,
    entry: LedgerEntryId,
    provider: ProviderName,
    /// What was agreed; `None` turns it off.
    agreed: Option<(Rules, Consent)>,
    now_ms: i64,
}

impl Write for Change {
    /// `None` while the account is being settled.
    type Output = Option<()>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<()>, StoreError> {
        let (id, now_ms) = (&self.account, self.now_ms);
        if self.agreed.is_some() {
            LockedAccount::create(tx, id, now_ms).await?;
        }
        let Some(mut account) = LockedAccount::lock(tx, id, &self.entry, now_ms).await? else {
            return Ok(Some(()));
        };
        let settled = settle(tx, &mut account).await?;
        if account.is_changed() {
            account.store(tx).await?;
        }
        if settled == Settled::Partly {
            return Ok(None);
        }
        let is_under_way = settings::find(tx, id).await?.is_some_and(|auto| auto.topup.is_some());
        let Some((rules, consent)) = &self.agreed else {
            settings::turn_off(tx, id, now_ms).await?;
            account.set_refill_at(tx, refill::NEVER).await?;
            if !is_under_way {
                queue::remove(tx, id).await?;
            }
            return Ok(Some(()));
        };
        settings::store(tx, id, self.provider, (rules, consent), now_ms).await?;
        // The end of a charge that is under way asks for the next one.
        if !is_under_way {
            queue::remove(tx, id).await?;
            arm(tx, &mut account, rules.threshold_credits).await?;
        }
        Ok(Some(()))
    }
}
