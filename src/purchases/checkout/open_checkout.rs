//! Opens a checkout session and compares it with the agreement.
//!
//! Invariant: the customer is sent to at most one session per top-up. [`crate::purchases::checkout::create_once`]
//! decides about keys and retries.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::app::{App, CheckoutSettings};
use crate::customers::ensure_customer::{CustomerError, ensure_customer, forget_customer};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::attempt::{Attempt, QUIET_MS};
use crate::domain::checkout::Agreement;
use crate::domain::credit_unit::CreditUnit;
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::ids::{CustomerId, SessionId, TopupId};
use crate::domain::provider::ProviderName;
use crate::domain::tax::TaxBehavior;
use crate::providers::port::{CheckoutRequest, OpenedCheckout, ProviderError};
use crate::purchases::checkout::create_once::{Creation, Failure, Trouble, Work, create_once};
use crate::purchases::checkout::topup_attempts;

/// Stripe requires 30 minutes from now by its own clock; the extra minute allows for latency and clock differences.
const SHORTEST_LIFE_SECONDS: i64 = 31 * 60;

/// The provider's code for an object that a request names and that is not there.
const MISSING: &str = "resource_missing";

/// A checkout session as the provider opened it.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub session: SessionId,
    pub url: Option<String>,
    pub expires_at_ms: i64,
}

/// Why the provider opened no checkout, as far as the caller may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProviderTrouble {
    /// The provider refused the request. Final.
    #[error("Stripe refused the checkout")]
    Refused,
    /// The provider requires a larger charge. Final.
    #[error("Stripe needs a larger charge")]
    AmountTooSmall,
    /// The provider failed or cannot be reached.
    #[error("Stripe is not available")]
    Unavailable,
    /// The provider limits our requests.
    #[error("Stripe is limiting our requests")]
    Limited,
    /// The provider did not answer in time.
    #[error("Stripe did not answer in time")]
    TooSlow,
    /// An earlier try may have opened it, and the provider cannot tell yet.
    #[error("it is not known yet whether Stripe opened the checkout")]
    Unsettled,
    /// The provider opened a session without a page to pay on.
    #[error("Stripe gave a checkout without a page")]
    NoUrl,
    /// The provider opened a session that differs from the agreement. Final: it is never handed out.
    #[error("Stripe opened another checkout than was agreed")]
    Mismatch,
    /// Our own database failed between two tries.
    #[error("the database failed between two calls to Stripe")]
    StoreFailed,
}

impl From<Trouble> for ProviderTrouble {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unavailable => Self::Unavailable,
            Trouble::Limited => Self::Limited,
            Trouble::TooSlow => Self::TooSlow,
            Trouble::Unsettled => Self::Unsettled,
            Trouble::StoreFailed => Self::StoreFailed,
        }
    }
}

impl ProviderTrouble {
    /// Whether a retry is pointless.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::AmountTooSmall | Self::Mismatch)
    }

    /// The same of a call that would have made the customer.
    pub(crate) const fn of_customer(error: &ProviderError) -> Self {
        match error {
            ProviderError::Limited(_) => Self::Limited,
            ProviderError::TimedOut => Self::TooSlow,
            ProviderError::Failed(_) | ProviderError::Unreachable(_) => Self::Unavailable,
            ProviderError::Refused(_)
            | ProviderError::Unknown(_)
            | ProviderError::AmountTooSmall(_)
            | ProviderError::Unsupported(_) => Self::Refused,
        }
    }

    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "provider_refused",
            Self::AmountTooSmall => "amount_too_small",
            Self::Unavailable => "provider_unavailable",
            Self::StoreFailed => "internal_error",
            Self::Limited => "provider_rate_limited",
            Self::TooSlow => "provider_timeout",
            Self::Unsettled => "checkout_unsettled",
            Self::NoUrl => "provider_no_url",
            Self::Mismatch => "provider_mismatch",
        }
    }
}

impl CheckoutSettings {
    /// When a checkout opened now should end, in seconds since 1970.
    pub(crate) const fn expires_at_seconds(&self, now_ms: i64) -> i64 {
        // Stripe counts from its own clock and refuses less than 30 minutes: the shortest setting gets one minute more.
        let minutes = if self.expires_minutes < 31 { 31 } else { self.expires_minutes };
        // At most 24 hours: the longest setting gets one minute less.
        let minutes = if minutes > 1439 { 1439 } else { minutes };
        now_ms.div_euclid(1_000).saturating_add(minutes.saturating_mul(60))
    }
}

struct CheckoutSession<'c> {
    settings: &'c CheckoutSettings,
    topup: TopupId,
    request: CheckoutRequest,
    created_at_ms: i64,
    /// Whether the provider said that it does not have the customer of the request.
    customer_is_gone: AtomicBool,
}

impl CheckoutSession<'_> {
    const fn ends_too_soon(&self, now_ms: i64) -> bool {
        self.request.expires_at_seconds < now_ms.div_euclid(1_000).saturating_add(SHORTEST_LIFE_SECONDS)
    }

    /// Whether the provider refused because it does not have the request's customer. Of what a checkout names, nothing
    /// else can be missing.
    fn lacks_customer(&self, error: &ProviderError) -> bool {
        let is_missing = matches!(error, ProviderError::Refused(failure) if failure.code == MISSING);
        is_missing && self.request.customer.is_some()
    }

    /// Replaces a customer that the provider has deleted. A checkout that saves no card can do without one.
    async fn replace_customer(&mut self, app: &App) -> Result<(), StoreError> {
        if !self.customer_is_gone.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let Some(gone) = self.request.customer.take() else { return Ok(()) };
        if let Ok(gone) = CustomerId::parse(app.provider.name, gone) {
            forget_customer(app, &gone).await?;
        }
        let Ok(account) = AccountId::parse(self.request.account_id.as_str()) else { return Ok(()) };
        if self.request.saves_card {
            match ensure_customer(app, &account).await {
                Ok(customer) => self.request.customer = Some(customer.as_str().to_owned()),
                Err(CustomerError::Store(error)) => return Err(error),
                Err(CustomerError::Provider(error)) => {
                    tracing::warn!(%error, "the customer cannot be made anew: this checkout saves no card");
                    self.request.saves_card = false;
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Creation for CheckoutSession<'_> {
    type Created = OpenedCheckout;

    fn id(&self) -> &str {
        self.topup.as_str()
    }

    async fn call(&self, app: &App, key: &str) -> Result<OpenedCheckout, ProviderError> {
        let opened = app.provider.checkouts.open_checkout(&self.request, key).await;
        if opened.as_ref().is_err_and(|error| self.lacks_customer(error)) {
            self.customer_is_gone.store(true, Ordering::Relaxed);
        }
        let opened = opened?;
        tracing::info!(key, session = %opened.session, "checkout opened");
        Ok(opened)
    }

    async fn look(&self, app: &App, attempt: &Attempt) -> Result<Option<OpenedCheckout>, ProviderError> {
        let until_ms = attempt.unknown_since_ms.map(|since_ms| since_ms.saturating_add(QUIET_MS));
        let until_ms = until_ms.unwrap_or_else(|| app.clock.now_ms());
        app.provider.checkouts.find_checkout(&self.topup, (self.created_at_ms, until_ms)).await
    }

    /// Stripe requires at least 30 minutes until the session ends, and a customer that is there.
    fn is_stale(&self, now_ms: i64) -> bool {
        self.customer_is_gone.load(Ordering::Relaxed) || self.ends_too_soon(now_ms)
    }

    fn may_be_ours(&self, _: &ProviderError) -> bool {
        false
    }

    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError> {
        let now_ms = app.clock.now_ms();
        self.replace_customer(app).await?;
        if self.ends_too_soon(now_ms) {
            self.request.expires_at_seconds = self.settings.expires_at_seconds(now_ms);
        }
        let (topup, request) = (self.topup.clone(), self.request.clone());
        app.db.write(StoreNextKey { topup, mark_ms, next: *next, request }).await
    }
}

/// Stores the key of the next call and its request. Returns `false` if another process has taken over the top-up.
struct StoreNextKey {
    topup: TopupId,
    mark_ms: i64,
    next: Attempt,
    request: CheckoutRequest,
}

impl Write for StoreNextKey {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        topup_attempts::next_key(tx, &self.topup, self.mark_ms, &self.next, &self.request).await
    }
}

/// A stored checkout to open.
pub(crate) struct ToOpen {
    pub(crate) topup: TopupId,
    pub(crate) provider: ProviderName,
    pub(crate) request: CheckoutRequest,
    /// When the top-up was created, in milliseconds since 1970.
    pub(crate) created_at_ms: i64,
}

/// Opens the checkout. Each call is logged with the provider's request id. Afterwards `work` holds what is known.
pub(crate) async fn open(app: &App, to_open: ToOpen, work: &mut Work) -> Result<Opened, ProviderTrouble> {
    let ToOpen { topup, provider, request, created_at_ms } = to_open;
    let mut session = CheckoutSession {
        settings: &app.checkout,
        topup,
        request,
        created_at_ms,
        customer_is_gone: AtomicBool::new(false),
    };
    match create_once(app, &mut session, work).await {
        Ok(opened) => accept(app, &session.topup, provider, &session.request, opened),
        Err(Failure::Refused(ProviderError::AmountTooSmall(_))) => Err(ProviderTrouble::AmountTooSmall),
        Err(Failure::Refused(_)) => Err(ProviderTrouble::Refused),
        Err(Failure::Unfinished(trouble)) => Err(trouble.into()),
    }
}

/// Compares the opened session with the agreement before it is handed out: a difference would cause the payment to be
/// rejected, and the customer would have paid for nothing.
fn accept(
    app: &App,
    topup: &TopupId,
    provider: ProviderName,
    request: &CheckoutRequest,
    opened: OpenedCheckout,
) -> Result<Opened, ProviderTrouble> {
    let agreement = agreement(topup, request, provider, app.checkout.livemode).ok_or(ProviderTrouble::Mismatch)?;
    let checked = match &opened.report {
        Some(report) if report.topup == *topup => agreement.check(report).map_err(|mismatch| mismatch.to_string()),
        _ => Err("its metadata does not name the top-up".to_owned()),
    };
    if let Err(reason) = checked {
        tracing::error!(%topup, session = %opened.session, reason, "Stripe opened another checkout than was agreed");
        return Err(ProviderTrouble::Mismatch);
    }
    let expires_at_ms = opened.expires_at_seconds.saturating_mul(1_000);
    Ok(Opened { session: opened.session, url: opened.url, expires_at_ms })
}

/// The agreement, from the stored request. `None` if the request is not valid.
fn agreement(topup: &TopupId, request: &CheckoutRequest, provider: ProviderName, livemode: bool) -> Option<Agreement> {
    let unit = CreditUnit::new(request.credit_unit_credits, request.credit_unit_amount_minor)?;
    let credits_amount_minor = unit.price_minor(request.credits)?;
    let expiry = match request.credits_expire_days {
        Some(days) => Some(ExpiryDays::new(days)?),
        None => None,
    };
    let tax = match &request.tax {
        Some(tax) => Some(TaxBehavior::parse(&tax.behavior)?),
        None => None,
    };
    Some(Agreement {
        topup: topup.clone(),
        account: AccountId::parse(request.account_id.as_str()).ok()?,
        credits: request.credits,
        bonus_credits: request.bonus_credits.unwrap_or(0),
        expiry,
        currency: Currency::parse(&request.currency).ok()?,
        total_amount_minor: credits_amount_minor.checked_add(request.fee_amount_minor)?,
        tax,
        livemode,
        provider,
        session: None,
        accepted_amount_minor: None,
    })
}
