//! Goes on after a pause that the customer ended: by confirming a payment, or by saving a card.

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::customers::ensure_customer::known_customer;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::{AutoTopupState, PauseReason};
use crate::domain::ids::{LedgerEntryId, PaymentMethodId, TopupId};
use crate::recurring::auto_topup::finish::arm;
use crate::recurring::auto_topup::settings;
use crate::recurring::auto_topup::{notices, queue};

/// Goes on for each customer who has confirmed a payment.
///
/// # Errors
/// When the database fails.
pub async fn resume_recovered(app: &App, stop: &CancellationToken) -> Result<(), StoreError> {
    for (account, topup) in app.db.recovered().await? {
        if stop.is_cancelled() {
            return Ok(());
        }
        let card = confirmed_card(app, &account, &topup).await?;
        resume(app, &account, card.as_ref(), Occasion::Confirmed(topup)).await?;
        tracing::info!("an auto top-up goes on: the customer has confirmed a payment");
    }
    Ok(())
}

/// The card with which the customer confirmed: the newest, if it was saved since then. It becomes the default. What
/// cannot be found out leaves the card as it was.
async fn confirmed_card(
    app: &App,
    account: &AccountId,
    topup: &TopupId,
) -> Result<Option<PaymentMethodId>, StoreError> {
    let (Some(customer), Some(topup)) = (known_customer(app, account).await?, app.db.topup(topup).await?) else {
        return Ok(None);
    };
    let cards = app.provider.cards.list_cards(&customer).await;
    let newest = match cards {
        Ok(cards) => cards.into_iter().next(),
        Err(error) => {
            tracing::warn!(%error, "Stripe does not say with which card a payment was confirmed");
            None
        }
    };
    // Stripe's times are whole seconds.
    let since_ms = topup.created_at_ms.saturating_sub(1_000);
    let Some(newest) = newest.filter(|card| card.created_ms >= since_ms) else { return Ok(None) };
    if let Err(error) = app.provider.cards.set_default_card(&customer, &newest.id).await {
        tracing::warn!(%error, "the confirmed card is not the customer's default yet");
    }
    Ok(Some(newest.id))
}

/// Goes on if the account only lacked a card.
///
/// # Errors
/// When the database fails.
pub async fn card_saved(app: &App, account: &AccountId, card: &PaymentMethodId) -> Result<(), StoreError> {
    resume(app, account, Some(card), Occasion::CardSaved).await
}

/// Pauses if the account's auto top-up names a card that was removed.
///
/// # Errors
/// When the database fails.
pub async fn card_removed(app: &App, account: &AccountId, card: &PaymentMethodId) -> Result<(), StoreError> {
    let auto = app.db.auto_topup(account).await?;
    let uses = auto.is_some_and(|auto| auto.state == AutoTopupState::Active && auto.rules.card.as_ref() == Some(card));
    if !uses {
        return Ok(());
    }
    let write = CardRemoved {
        account: account.clone(),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        card: card.clone(),
        now_ms: app.clock.now_ms(),
    };
    app.db.write(write).await
}

struct CardRemoved {
    account: AccountId,
    entry: LedgerEntryId,
    card: PaymentMethodId,
    now_ms: i64,
}

impl Write for CardRemoved {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (id, now_ms) = (&self.account, self.now_ms);
        let Some(mut account) = LockedAccount::lock(tx, id, &self.entry, now_ms).await? else { return Ok(()) };
        let auto = settings::find(tx, id).await?;
        let uses = |auto: &settings::AutoTopup| {
            auto.state == AutoTopupState::Active && auto.topup.is_none() && auto.rules.card.as_ref() == Some(&self.card)
        };
        // A charge that is under way finds out by itself.
        let Some(auto) = auto.filter(uses) else { return Ok(()) };
        let pause = settings::Pause { reason: PauseReason::NoCard, retry_at_ms: None, declines: auto.declines };
        let changes = settings::pause(tx, id, &pause, now_ms).await?.unwrap_or_default();
        account.set_refill_at(tx, crate::books::refill::NEVER).await?;
        queue::remove(tx, id).await?;
        notices::paused(tx, id, &pause, changes, now_ms).await
    }
}

/// Why it goes on.
#[derive(Debug, Clone)]
enum Occasion {
    /// The customer has confirmed a payment by this purchase.
    Confirmed(TopupId),
    CardSaved,
}

async fn resume(
    app: &App,
    account: &AccountId,
    card: Option<&PaymentMethodId>,
    occasion: Occasion,
) -> Result<(), StoreError> {
    until_settled(|| async {
        let write = Resume {
            account: account.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            card: card.cloned(),
            occasion: occasion.clone(),
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    })
    .await
}

struct Resume {
    account: AccountId,
    entry: LedgerEntryId,
    card: Option<PaymentMethodId>,
    occasion: Occasion,
    now_ms: i64,
}

impl Write for Resume {
    /// `None` while the account is being settled.
    type Output = Option<()>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<()>, StoreError> {
        let (id, now_ms) = (&self.account, self.now_ms);
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
        let found = settings::find(tx, id).await?;
        if let Occasion::Confirmed(topup) = &self.occasion {
            settings::forget_recovery(tx, id, topup, now_ms).await?;
        }
        let auto = found.filter(|auto| auto.state == AutoTopupState::Paused);
        let Some(auto) = auto.filter(|auto| match &self.occasion {
            Occasion::Confirmed(topup) => auto.recovery.as_ref() == Some(topup),
            Occasion::CardSaved => auto.reason.is_some_and(PauseReason::ends_with_a_new_card),
        }) else {
            return Ok(Some(()));
        };
        settings::resume(tx, id, self.card.as_ref(), now_ms).await?;
        if auto.topup.is_none() {
            queue::remove(tx, id).await?;
            arm(tx, &mut account, auto.rules.threshold_credits).await?;
        }
        Ok(Some(()))
    }
}
