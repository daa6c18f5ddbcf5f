//! The page on which a customer confirms a payment that the bank did not allow without the customer: an ordinary
//! checkout for the same credits, which saves the card anew. There is no script of Stripe's in anybody's page.

use crate::access::caller_key::CallerKey;
use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::auto_topup::PauseReason;
use crate::domain::checkout::TopupState;
use crate::domain::ids::{LedgerEntryId, TopupId};
use crate::domain::redirect::RedirectUrl;
use crate::purchases::checkout::check_session::refresh;
use crate::purchases::checkout::create_checkout::{Checkout, CreateCheckout, CreateCheckoutError, create_checkout};
use crate::purchases::topups::Topup;
use crate::recurring::auto_topup::settings::{self, AutoTopup};
use crate::recurring::auto_topup::{notices, queue};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// Nothing has to be confirmed.
    #[error("nothing has to be confirmed")]
    NotNeeded,
    /// It cannot be opened.
    #[error(transparent)]
    Checkout(#[from] CreateCheckoutError),
}

impl From<StoreError> for RecoveryError {
    fn from(error: StoreError) -> Self {
        Self::Checkout(error.into())
    }
}

/// The page that is open.
pub(crate) fn open_page(topup: &Topup, now_ms: i64) -> Option<Checkout> {
    let is_open = topup.state == TopupState::Open && topup.expires_at_ms > now_ms;
    let (session, url) = topup.session.as_ref().zip(topup.session_url.as_ref()).filter(|_| is_open)?;
    Some(Checkout {
        topup: topup.id.clone(),
        session: session.as_str().to_owned(),
        url: url.clone(),
        expires_at_ms: topup.expires_at_ms,
    })
}

/// The page for a customer who asks for it: the one that is open, or a new one.
///
/// # Errors
/// See [`RecoveryError`].
pub async fn recovery_page(
    app: &App,
    account: &AccountId,
    success_url: RedirectUrl,
    cancel_url: Option<RedirectUrl>,
) -> Result<Checkout, RecoveryError> {
    let auto = app.db.auto_topup(account).await?;
    let auto = auto.filter(|auto| auto.reason == Some(PauseReason::AuthenticationRequired));
    let auto = auto.ok_or(RecoveryError::NotNeeded)?;
    if let Some(topup) = &auto.recovery
        && let Some(topup) = app.db.topup(topup).await?
    {
        let topup = refresh(app, topup).await?;
        if let Some(page) = open_page(&topup, app.clock.now_ms()) {
            return Ok(page);
        }
        // It is paid, or may be: a second page could be paid, too.
        if !matches!(topup.state, TopupState::Expired | TopupState::Failed) {
            return Err(RecoveryError::NotNeeded);
        }
    }
    let page = Box::pin(create_checkout(app, checkout(account, &auto, success_url, cancel_url, None))).await?;
    let (topup, before, now_ms) = (page.topup.clone(), auto.recovery, app.clock.now_ms());
    if app.db.write(StoreRecovery { account: account.clone(), topup, before, now_ms }).await? {
        return Ok(page);
    }
    // Another page was opened at the same time. This one is handed out to nobody.
    let other = app.db.auto_topup(account).await?.and_then(|auto| auto.recovery).ok_or(RecoveryError::NotNeeded)?;
    app.db.topup(&other).await?.and_then(|topup| open_page(&topup, now_ms)).ok_or(RecoveryError::NotNeeded)
}

/// Whether the customer may still pay on a page that was opened before, or has paid and it is not known yet: then the
/// card must not be charged besides.
pub(crate) async fn may_be_paid(app: &App, auto: &AutoTopup) -> Result<bool, StoreError> {
    let Some(topup) = &auto.recovery else { return Ok(false) };
    let Some(topup) = app.db.topup(topup).await? else { return Ok(false) };
    let topup = refresh(app, topup).await?;
    Ok(matches!(topup.state, TopupState::Creating | TopupState::Open | TopupState::Processing))
}

fn checkout(
    account: &AccountId,
    auto: &AutoTopup,
    success_url: RedirectUrl,
    cancel_url: Option<RedirectUrl>,
    idempotency: Option<CallerKey>,
) -> CreateCheckout {
    let (account, credits, currency) = (account.clone(), auto.rules.credits, Some(auto.rules.currency));
    CreateCheckout { account, credits, currency, success_url, cancel_url, saves_card: true, idempotency }
}

struct StoreRecovery {
    account: AccountId,
    topup: TopupId,
    before: Option<TopupId>,
    now_ms: i64,
}

impl Write for StoreRecovery {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        settings::store_recovery(tx, &self.account, &self.topup, self.before.as_ref(), self.now_ms).await
    }
}

/// Opens the page for the message, and sends the message. If no page can be opened, the message has no address.
pub(crate) async fn open_for_notice(app: &App, account: &AccountId, auto: &AutoTopup) -> Result<(), StoreError> {
    // A process that dies in between finds the same page: the key follows from the number of the pause.
    let key = CallerKey::of_recovery(account, auto.changes);
    let return_url = RedirectUrl::stored(auto.rules.return_url.clone());
    let page = Box::pin(create_checkout(app, checkout(account, auto, return_url, None, Some(key)))).await;
    crate::checkpoints::reach("the page of a recovery is open").await;
    let page = match page {
        Ok(page) => Some(page),
        Err(CreateCheckoutError::Store(error)) => return Err(error),
        Err(CreateCheckoutError::Provider(trouble)) if !trouble.is_final() => {
            tracing::warn!(reason = trouble.code(), "the page of a recovery cannot be opened now");
            // The lease ends by itself; then it is tried again.
            return Ok(());
        }
        Err(CreateCheckoutError::StillRunning) => return Ok(()),
        Err(error) => {
            tracing::warn!(%error, "the page of a recovery cannot be opened");
            None
        }
    };
    let write = TellOfRecovery {
        account: account.clone(),
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        changes: auto.changes,
        page,
        now_ms: app.clock.now_ms(),
    };
    app.db.write(write).await
}

struct TellOfRecovery {
    account: AccountId,
    entry: LedgerEntryId,
    /// How often the state had changed when the page was opened for it.
    changes: i64,
    page: Option<Checkout>,
    now_ms: i64,
}

impl Write for TellOfRecovery {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let (account, now_ms) = (&self.account, self.now_ms);
        LockedAccount::lock(tx, account, &self.entry, now_ms).await?;
        let auto = settings::find(tx, account).await?;
        // The customer changed something meanwhile; then what the queue says is about that.
        if !auto.is_some_and(|auto| auto.changes == self.changes && auto.needs_recovery()) {
            return Ok(());
        }
        if let Some(page) = &self.page {
            settings::store_recovery(tx, account, &page.topup, None, now_ms).await?;
        }
        queue::remove(tx, account).await?;
        notices::action_required(tx, account, self.page.as_ref(), self.changes, now_ms).await
    }
}
