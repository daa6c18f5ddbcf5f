//! Creates a checkout: inserts the top-up, opens a checkout session at the provider, stores the result.
//!
//! The top-up, with the complete request and its idempotency key, is committed before the provider is called. No
//! transaction is open during the call. With the caller's own `Idempotency-Key`, a retry finds the first attempt,
//! whether it is running, completed, or was interrupted.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::app::App;
use crate::customers::ensure_customer::{CustomerError, ensure_customer, known_customer};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::attempt::Attempt;
use crate::domain::checkout::TopupState;
use crate::domain::currency::Currency;
use crate::domain::ids::{CustomerId, TopupId};
use crate::domain::price_list::NotSoldIn;
use crate::domain::pricing::QuoteError;
use crate::domain::redirect::RedirectUrl;
use crate::purchases::account_currency::{PriceError, prices_for};
use crate::purchases::checkout::check_session::refresh;
use crate::purchases::checkout::checkouts::{BeginCheckout, CheckoutStart, StoreOpened};
use crate::purchases::checkout::create_once::Work;
use crate::purchases::checkout::new_topup::{Purchase, new_topup};
pub use crate::purchases::checkout::open_checkout::ProviderTrouble;
use crate::purchases::checkout::open_checkout::{Opened, ToOpen, open};
use crate::purchases::checkout::topup_attempts;
use crate::purchases::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::purchases::topups::{self, Topup};

/// The lease on a key: longer than the calls to the provider take. An even slower process that is overtaken does no
/// harm, because both use the same key with the provider and get the same session.
const LEASE_MS: i64 = 60_000;
/// How long a caller's key is remembered, in milliseconds.
pub(crate) const KEY_LIFETIME_MS: i64 = 24 * 60 * 60 * 1_000;

/// A request to buy credits.
#[derive(Debug, Clone)]
pub struct CreateCheckout {
    /// The account to credit.
    pub account: AccountId,
    /// The number of credits.
    pub credits: i64,
    /// The currency, if the request names one; otherwise the account's.
    pub currency: Option<Currency>,
    /// Where the customer is sent after paying.
    pub success_url: RedirectUrl,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<RedirectUrl>,
    /// Whether the card is saved, to be charged later without the customer.
    pub saves_card: bool,
    /// The caller's idempotency key, if it sent one.
    pub idempotency: Option<CallerKey>,
}

/// The request exactly as it was sent. Identifies a retry even if the validation rules have changed since.
#[derive(Debug, Clone)]
pub struct AskedFor {
    /// The account to credit.
    pub account: AccountId,
    /// The number of credits.
    pub credits: i64,
    /// The currency, if it names one.
    pub currency: Option<String>,
    /// Where the customer is sent after paying.
    pub success_url: String,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<String>,
    /// Whether the card is saved.
    pub saves_card: bool,
}

/// An open checkout, for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// The top-up.
    pub topup: TopupId,
    /// The checkout session's id.
    pub session: String,
    /// The URL of the hosted page.
    pub url: String,
    /// When the session ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Why no checkout was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateCheckoutError {
    /// This number of credits is not for sale.
    #[error(transparent)]
    NotForSale(#[from] QuoteError),
    /// Credits are not sold in this currency.
    #[error(transparent)]
    NotSoldIn(#[from] NotSoldIn),
    /// The provider needs a larger charge, because of the account's settlement currency.
    #[error("Stripe needs a larger charge than this purchase makes")]
    AmountTooSmall,
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The first request with the key is still running.
    #[error("the first request with this idempotency key is still running")]
    StillRunning,
    /// The checkout that belongs to the key has ended.
    #[error("the checkout of this idempotency key has ended")]
    SessionEnded,
    /// The account has reached the limit of open checkouts.
    #[error("the account has {open} open checkouts")]
    TooManyOpen {
        /// How many are open.
        open: i64,
        /// In how many seconds the first of them ends.
        first_ends_after_seconds: u64,
    },
    /// The provider did not open a checkout.
    #[error(transparent)]
    Provider(ProviderTrouble),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PriceError> for CreateCheckoutError {
    fn from(error: PriceError) -> Self {
        match error {
            PriceError::NotSoldIn(error) => Self::NotSoldIn(error),
            PriceError::Store(error) => Self::Store(error),
        }
    }
}

/// Opens a checkout.
///
/// # Errors
/// See [`CreateCheckoutError`]. After a retryable error, a retry with the same idempotency key continues the same
/// top-up.
pub async fn create_checkout(app: &App, command: CreateCheckout) -> Result<Checkout, CreateCheckoutError> {
    let prices = prices_for(app, &command.account, command.currency).await?;
    let quote = prices.quote(command.credits)?;
    let now_ms = app.clock.now_ms();
    let customer = customer_of(app, &command).await?;
    let purchase = Purchase {
        account: &command.account,
        quote,
        fees: prices.fees().clone(),
        success_url: command.success_url.as_str(),
        cancel_url: command.cancel_url.as_ref().map(RedirectUrl::as_str),
        expires_at_seconds: app.checkout.expires_at_seconds(now_ms),
        customer: customer.as_ref(),
        saves_card: command.saves_card,
        payment_method: None,
    };
    let new = new_topup(app, purchase, now_ms)?;
    let key = command.idempotency.as_ref().map(|caller| IdempotencyKey {
        scope: caller.scope.clone(),
        key: caller.key.clone(),
        request_hash: command.asked_for().hash(),
    });
    if let Some(too_many) = too_many_open(app, &command.account, now_ms).await? {
        // A retry opens no additional checkout.
        let since_ms = now_ms.saturating_sub(KEY_LIFETIME_MS);
        let is_repeated = match &key {
            Some(key) => app.db.is_known(key, since_ms).await?,
            None => false,
        };
        if !is_repeated {
            return Err(too_many);
        }
    }
    let lease_until_ms = now_ms.saturating_add(LEASE_MS);
    let forget_before_ms = now_ms.saturating_sub(KEY_LIFETIME_MS);
    let begin = BeginCheckout { new: new.clone(), key: key.clone(), lease_until_ms, forget_before_ms };
    let (to_open, mut work) = match app.db.submit(begin).await? {
        CheckoutStart::New => {
            let attempt = Attempt { unknown_since_ms: None, ..Attempt::first(now_ms) };
            let work = Work { attempt, mark_ms: now_ms, lease_until_ms };
            (ToOpen { topup: new.id, provider: new.provider, request: new.request, created_at_ms: now_ms }, work)
        }
        // The checkout was opened; only the answer to the caller was lost.
        CheckoutStart::Resumed(topup) if topup.session.is_some() => return finish_resumed(app, *topup, key).await,
        CheckoutStart::Resumed(topup) => {
            let work = Work::resumed(topup.attempt, now_ms, lease_until_ms);
            let (request, created_at_ms) = (topup.request()?, topup.created_at_ms);
            (ToOpen { topup: topup.id, provider: topup.provider, request, created_at_ms }, work)
        }
        CheckoutStart::Answered(topup, answer) => return replay(app, *topup, &answer).await,
        CheckoutStart::StillRunning => return Err(CreateCheckoutError::StillRunning),
        CheckoutStart::OtherRequest => return Err(CreateCheckoutError::OtherRequest),
    };
    let topup = to_open.topup.clone();
    let opened = open(app, to_open, &mut work).await;
    store_outcome(app, topup, key, opened, work).await
}

/// The customer who buys. One is made only if a card or a tax id is to be kept; one that is there is always named, so
/// that neither need be typed again.
async fn customer_of(app: &App, command: &CreateCheckout) -> Result<Option<CustomerId>, CreateCheckoutError> {
    let keeps_tax_ids = app.pricing.asks_tax_ids();
    if !app.recurring.saves_cards && !keeps_tax_ids {
        return Ok(None);
    }
    if !command.saves_card && !keeps_tax_ids {
        return Ok(known_customer(app, &command.account).await?);
    }
    match ensure_customer(app, &command.account).await {
        Ok(customer) => Ok(Some(customer)),
        Err(CustomerError::Store(error)) => Err(error.into()),
        Err(CustomerError::Provider(error)) => Err(CreateCheckoutError::Provider(ProviderTrouble::of_customer(&error))),
    }
}

/// Whether the account has reached the limit of open checkouts. They are counted before the new one is inserted, so
/// concurrent requests may exceed the limit by a few; it only has to keep the provider and the database from being
/// flooded.
async fn too_many_open(app: &App, account: &AccountId, now_ms: i64) -> Result<Option<CreateCheckoutError>, StoreError> {
    let max = app.checkout.max_open;
    // A renewed request ends later than it did originally.
    let longest_ms = app.checkout.expires_minutes.saturating_add(60).saturating_mul(60_000);
    let found = app.db.open_checkouts(account, now_ms.saturating_sub(longest_ms), now_ms, max).await?;
    Ok(found.first_ends.filter(|_| found.open >= max).map(|first_ends_ms| {
        let seconds = first_ends_ms.saturating_sub(now_ms).div_euclid(1_000).saturating_add(1);
        let first_ends_after_seconds = u64::try_from(seconds).unwrap_or(1);
        CreateCheckoutError::TooManyOpen { open: found.open, first_ends_after_seconds }
    }))
}

impl CreateCheckout {
    fn asked_for(&self) -> AskedFor {
        AskedFor {
            account: self.account.clone(),
            credits: self.credits,
            currency: self.currency.map(|currency| currency.as_str().to_owned()),
            success_url: self.success_url.as_str().to_owned(),
            cancel_url: self.cancel_url.as_ref().map(|url| url.as_str().to_owned()),
            saves_card: self.saves_card,
        }
    }
}

impl AskedFor {
    fn hash(&self) -> String {
        let credits = self.credits.to_string();
        let cancel_url = self.cancel_url.as_deref().unwrap_or_default();
        let mut parts = vec![self.account.as_str(), &credits, &self.success_url, cancel_url];
        // What is left out has the hash of a request that never had it.
        let currency = self.currency.as_ref().map(|currency| format!("currency {currency}"));
        parts.extend(currency.as_deref());
        parts.extend(self.saves_card.then_some("saveCard"));
        request_hash(&parts)
    }
}

/// Replays the answer to a request that today's settings would reject. `None` if it was never answered: an attempt that
/// is still running or was interrupted does not override today's rules.
///
/// # Errors
/// See [`CreateCheckoutError`]: the stored answer may be an error.
pub async fn repeat_checkout(
    app: &App,
    caller: CallerKey,
    asked: &AskedFor,
) -> Result<Option<Checkout>, CreateCheckoutError> {
    let key = IdempotencyKey { scope: caller.scope, key: caller.key, request_hash: asked.hash() };
    let since_ms = app.clock.now_ms().saturating_sub(KEY_LIFETIME_MS);
    let Some((topup, answer)) = app.db.answered(&key, since_ms).await? else { return Ok(None) };
    let missing = || StoreError::corrupt("a key of the missing top-up", &topup);
    let topup = app.db.topup(&topup).await?.ok_or_else(missing)?;
    replay(app, topup, &answer).await.map(Some)
}

/// Replays a stored answer, as far as it is still valid.
async fn replay(app: &App, topup: Topup, answer: &StoredAnswer) -> Result<Checkout, CreateCheckoutError> {
    match answer.code.as_deref() {
        // The top-up may be paid while the webhook is late; then its hosted page is no longer usable.
        None => still_open(app, &refresh(app, topup).await?),
        Some("amount_too_small") => Err(CreateCheckoutError::AmountTooSmall),
        Some(_) => Err(CreateCheckoutError::SessionEnded),
    }
}

/// Returns the checkout only while the customer can pay it.
fn still_open(app: &App, topup: &Topup) -> Result<Checkout, CreateCheckoutError> {
    let is_open = topup.state == TopupState::Open && topup.expires_at_ms > app.clock.now_ms();
    match (&topup.session, &topup.session_url) {
        (Some(session), Some(url)) if is_open => {
            let (topup, expires_at_ms) = (topup.id.clone(), topup.expires_at_ms);
            Ok(Checkout { topup, session: session.as_str().to_owned(), url: url.clone(), expires_at_ms })
        }
        _ => Err(CreateCheckoutError::SessionEnded),
    }
}

async fn finish_resumed(app: &App, topup: Topup, key: Option<IdempotencyKey>) -> Result<Checkout, CreateCheckoutError> {
    let result = still_open(app, &topup);
    app.db.write(SettleKey { key, answer: stored_answer(&result) }).await?;
    result
}

/// Stores the provider's answer and the answer for the key in one transaction.
async fn store_outcome(
    app: &App,
    topup: TopupId,
    key: Option<IdempotencyKey>,
    opened: Result<Opened, ProviderTrouble>,
    work: Work,
) -> Result<Checkout, CreateCheckoutError> {
    let now_ms = app.clock.now_ms();
    let result = match &opened {
        Ok(opened) if opened.expires_at_ms <= now_ms => Err(CreateCheckoutError::SessionEnded),
        Ok(opened) => match &opened.url {
            Some(url) => Ok(Checkout {
                topup: topup.clone(),
                session: opened.session.as_str().to_owned(),
                url: url.clone(),
                expires_at_ms: opened.expires_at_ms,
            }),
            None => Err(CreateCheckoutError::Provider(ProviderTrouble::NoUrl)),
        },
        Err(ProviderTrouble::AmountTooSmall) => Err(CreateCheckoutError::AmountTooSmall),
        Err(trouble) => Err(CreateCheckoutError::Provider(*trouble)),
    };
    let answer = stored_answer(&result);
    if let (Ok(checkout), Ok(opened)) = (&result, &opened) {
        let command = StoreOpened {
            topup,
            session: opened.session.clone(),
            url: checkout.url.clone(),
            expires_at_ms: opened.expires_at_ms,
            key,
            other_answer: session_ended(),
            now_ms,
        };
        let is_stored = app.db.submit(command).await?;
        return if is_stored { result } else { Err(CreateCheckoutError::SessionEnded) };
    }
    let is_stored = app.db.write(StoreOutcome { topup, opened, work, key: SettleKey { key, answer }, now_ms }).await?;
    if is_stored { result } else { Err(CreateCheckoutError::SessionEnded) }
}

/// Stores the outcome of the calls when there is no page to send the customer to.
struct StoreOutcome {
    topup: TopupId,
    opened: Result<Opened, ProviderTrouble>,
    work: Work,
    key: SettleKey,
    now_ms: i64,
}

impl Write for StoreOutcome {
    /// Whether the outcome was stored; `false` if the top-up has another session.
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        let is_stored = store_opened(tx, &self.topup, &self.opened, &self.work, self.now_ms).await?;
        if is_stored {
            self.key.run(tx).await?;
        } else {
            let key = self.key.key.clone();
            SettleKey { key, answer: Some(session_ended()) }.run(tx).await?;
        }
        Ok(is_stored)
    }
}

/// Stores the outcome for the top-up. Returns `false` if the top-up has another session: an earlier try opened it, the
/// provider's answer was lost, and its payment has arrived meanwhile. The customer must not be sent to a second page.
async fn store_opened(
    tx: &mut Tx,
    topup: &TopupId,
    opened: &Result<Opened, ProviderTrouble>,
    work: &Work,
    now_ms: i64,
) -> Result<bool, StoreError> {
    match opened {
        Ok(Opened { session, url, expires_at_ms }) => {
            return topups::opened(tx, topup, session, url.as_deref(), *expires_at_ms, now_ms).await;
        }
        Err(trouble) if trouble.is_final() => topups::refused(tx, topup, trouble.code(), now_ms).await?,
        // Unknown or temporary: the top-up stays as it is, for the next try with the key.
        Err(_) => {}
    }
    topup_attempts::keep_attempt(tx, topup, work.mark_ms, &work.attempt, now_ms).await?;
    Ok(true)
}

/// Stores the answer for retries with the key, or releases the key if a retry may succeed.
struct SettleKey {
    key: Option<IdempotencyKey>,
    answer: Option<StoredAnswer>,
}

impl Write for SettleKey {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        match (&self.key, &self.answer) {
            (Some(key), Some(answer)) => idempotency::answer(tx, key, answer).await,
            (Some(key), None) => idempotency::release(tx, key).await,
            (None, _) => Ok(()),
        }
    }
}

/// The answer to a retry whose checkout has ended.
fn session_ended() -> StoredAnswer {
    StoredAnswer { status: 409, code: Some("session_ended".to_owned()) }
}

/// The answer stored for retries with the key. Failures of this service or of the provider are not stored, because a
/// retry may succeed.
fn stored_answer(result: &Result<Checkout, CreateCheckoutError>) -> Option<StoredAnswer> {
    let problem = |status, code: &str| Some(StoredAnswer { status, code: Some(code.to_owned()) });
    match result {
        Ok(_) => Some(StoredAnswer { status: 200, code: None }),
        Err(CreateCheckoutError::SessionEnded) => Some(session_ended()),
        Err(CreateCheckoutError::AmountTooSmall) => problem(400, "amount_too_small"),
        Err(_) => None,
    }
}
