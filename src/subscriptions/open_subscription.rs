//! Opens a checkout that begins a subscription.
//!
//! Invariants: an account gets no page to pay on while it has as many running subscriptions as it may. The row, with the
//! complete request, is committed before the provider is called; `create_once` decides about keys and retries. The
//! account's customer is always passed, so that the subscription is known to be the account's.

use async_trait::async_trait;

use crate::access::caller_key::{CallerKey, request_hash};
use crate::app::App;
use crate::customers::ensure_customer::{CustomerError, ensure_customer, forget_customer};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::attempt::Attempt;
use crate::domain::ids::{CustomerId, SessionId, SubscriptionCheckoutId};
use crate::domain::plan::PlanId;
use crate::domain::redirect::RedirectUrl;
use crate::plans::plan_rows::{AppliedPlan, PlanPrice};
use crate::providers::port::{OpenedSubscriptionCheckout, ProviderError, SubscriptionCheckoutRequest};
use crate::purchases::account_currency::account_prices;
use crate::purchases::checkout::create_once::{Creation, Failure, Work, create_once};
pub use crate::purchases::checkout::open_checkout::ProviderTrouble;
use crate::subscriptions::checkout_rows::{BeginCheckout, Begun, CheckoutRow, StoreNextKey, StoreOutcome};

/// Longer than the calls to the provider take.
const LEASE_MS: i64 = 60_000;
/// Stripe requires 30 minutes from now by its own clock.
const SHORTEST_LIFE_SECONDS: i64 = 31 * 60;

/// A request to subscribe.
#[derive(Debug, Clone)]
pub struct OpenSubscription {
    /// The account.
    pub account: AccountId,
    /// The plan.
    pub plan: PlanId,
    /// Where the customer is sent after paying.
    pub success_url: RedirectUrl,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<RedirectUrl>,
    /// The caller's idempotency key, if it sent one.
    pub key: Option<CallerKey>,
}

/// An open checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPage {
    /// The checkout session's id.
    pub session: String,
    /// The URL of the hosted page.
    pub url: String,
    /// When the session ends, in milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Why no checkout was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenSubscriptionError {
    /// There is no such plan, or it is not sold.
    #[error("there is no plan of this id that is sold; see GET /plans")]
    UnknownPlan,
    /// It has no price in the currency that the account buys in.
    #[error("the plan has no price in {0}; add one to plans.toml and apply it")]
    NoPrice(String),
    /// The account has as many running subscriptions as it may.
    #[error(
        "the account has {running} running subscriptions, and may have {max} (SUBSCRIPTIONS_MAX); change its plan instead"
    )]
    AlreadySubscribed {
        /// How many run.
        running: i64,
        /// How many may.
        max: i64,
    },
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The first request with the key is still running.
    #[error("the first request with this idempotency key is still running")]
    StillRunning,
    /// The checkout that belongs to the key has ended.
    #[error("the checkout of this idempotency key has ended")]
    SessionEnded,
    /// The provider did not open a checkout.
    #[error(transparent)]
    Provider(ProviderTrouble),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens a checkout for a plan.
///
/// # Errors
/// See [`OpenSubscriptionError`]. After a retryable error, a retry with the same idempotency key continues the same
/// checkout.
pub async fn open_subscription(app: &App, command: OpenSubscription) -> Result<OpenedPage, OpenSubscriptionError> {
    let plan = app.db.plan(app.provider.name, &command.plan).await?.filter(|applied| applied.plan.is_active);
    let plan = plan.ok_or(OpenSubscriptionError::UnknownPlan)?;
    let currency = account_prices(app, &command.account).await?.currency();
    let no_price = || OpenSubscriptionError::NoPrice(currency.as_str().to_owned());
    let price = plan.price_in(currency).cloned().ok_or_else(no_price)?;
    let (running, max) = (app.db.running_subscriptions(&command.account).await?, app.subscriptions.max_running);
    if running >= max {
        return Err(OpenSubscriptionError::AlreadySubscribed { running, max });
    }
    let customer = ensure_customer(app, &command.account).await.map_err(of_customer)?;
    let now_ms = app.clock.now_ms();
    let begin = begin(app, &command, &plan, &price, &customer, now_ms).await?;
    let (id, request) = (begin.id.clone(), begin.request.clone());
    let lease_until_ms = begin.lease_until_ms;
    let (checkout, request, mut work) = match app.db.write(begin).await? {
        Begun::New => {
            let attempt = Attempt { unknown_since_ms: None, ..Attempt::first(now_ms) };
            (id, request, Work { attempt, mark_ms: now_ms, lease_until_ms })
        }
        Begun::Resumed(row) => {
            let work = Work::resumed(row.attempt(), now_ms, lease_until_ms);
            (row.checkout()?, row.request()?, work)
        }
        Begun::Known(row) => return known(app, row),
        Begun::StillRunning => return Err(OpenSubscriptionError::StillRunning),
        Begun::OtherRequest => return Err(OpenSubscriptionError::OtherRequest),
    };
    let mut session = Session { checkout, customer, request };
    let created = create_once(app, &mut session, &mut work).await;
    conclude(app, session, created, work).await
}

async fn begin(
    app: &App,
    command: &OpenSubscription,
    plan: &AppliedPlan,
    price: &PlanPrice,
    customer: &CustomerId,
    now_ms: i64,
) -> Result<BeginCheckout, OpenSubscriptionError> {
    let id = SubscriptionCheckoutId::from_bits(app.ids.id_bits());
    // A trial is for those who have not tried.
    let trial_days = if app.db.has_had_trial(&command.account).await? { 0 } else { plan.plan.trial_days };
    let request = SubscriptionCheckoutRequest {
        checkout_id: id.to_string(),
        account_id: command.account.to_string(),
        plan_id: command.plan.to_string(),
        customer_id: customer.to_string(),
        price_id: price.id.to_string(),
        fee_price_id: price.fee_price.as_ref().map(ToString::to_string),
        trial_days,
        has_tax: price.tax.is_some(),
        asks_tax_ids: price.tax.is_some() && app.pricing.asks_tax_ids(),
        success_url: command.success_url.as_str().to_owned(),
        cancel_url: command.cancel_url.as_ref().map(|url| url.as_str().to_owned()),
        expires_at_seconds: app.checkout.expires_at_seconds(now_ms),
        payment_methods: app.checkout.payment_methods.clone(),
    };
    let cancel_url = request.cancel_url.as_deref().unwrap_or_default();
    let request_hash =
        request_hash(&[command.account.as_str(), command.plan.as_str(), &request.success_url, cancel_url]);
    let key = if let Some(key) = &command.key {
        key.clone()
    } else {
        // Without a key of the caller's, a request is a new one when the page of the last one has ended. So a double
        // click opens one page.
        let last = app.db.latest_subscription_checkout(&command.account, &request_hash).await?;
        let count = app.db.subscription_checkouts(&command.account, &request_hash).await?;
        let under_way = last.filter(|last| last.is_under_way(now_ms));
        own_key(&command.account, &request, (&request_hash, count), under_way)?
    };
    Ok(BeginCheckout {
        key,
        id: id.clone(),
        account: command.account.clone(),
        plan: command.plan.clone(),
        provider: app.provider.name,
        request,
        request_hash,
        lease_until_ms: now_ms.saturating_add(LEASE_MS),
        now_ms,
    })
}

/// The key of a request that came without one: that of the checkout that is under way, if it offers what would be offered
/// now, or the next one.
fn own_key(
    account: &AccountId,
    request: &SubscriptionCheckoutRequest,
    (request_hash, count): (&str, i64),
    under_way: Option<CheckoutRow>,
) -> Result<CallerKey, StoreError> {
    let scope = format!("subscribe:{account}");
    if let Some(row) = under_way.filter(|row| row.caller == scope) {
        let former = row.request()?;
        let offer = |of: &SubscriptionCheckoutRequest| (of.price_id.clone(), of.fee_price_id.clone(), of.trial_days);
        if offer(&former) == offer(request) {
            return Ok(CallerKey { scope, key: row.idempotency_key });
        }
    }
    Ok(CallerKey { scope, key: format!("{request_hash}-{count}") })
}

/// The answer to a repeated request whose checkout was opened.
fn known(app: &App, row: CheckoutRow) -> Result<OpenedPage, OpenSubscriptionError> {
    let is_open = row.state == "open" && row.expires_at > app.clock.now_ms();
    match (row.provider_session_id, row.session_url) {
        (Some(session), Some(url)) if is_open => Ok(OpenedPage { session, url, expires_at_ms: row.expires_at }),
        _ => Err(OpenSubscriptionError::SessionEnded),
    }
}

async fn conclude(
    app: &App,
    session: Session,
    created: Result<OpenedSubscriptionCheckout, Failure>,
    work: Work,
) -> Result<OpenedPage, OpenSubscriptionError> {
    let (result, is_refused) = match created {
        Ok(opened) => (accept(&session, opened), false),
        Err(Failure::Refused(error)) => {
            forget_if_gone(app, &session.customer, &error).await?;
            let too_small = matches!(error, ProviderError::AmountTooSmall(_));
            (Err(if too_small { ProviderTrouble::AmountTooSmall } else { ProviderTrouble::Refused }), true)
        }
        Err(Failure::Unfinished(trouble)) => (Err(trouble.into()), false),
    };
    let opened = result.as_ref().ok().map(|(session, page)| (session.clone(), page.url.clone(), page.expires_at_ms));
    let store = StoreOutcome {
        checkout: session.checkout,
        opened,
        is_refused,
        mark_ms: work.mark_ms,
        attempt: work.attempt,
        now_ms: app.clock.now_ms(),
    };
    app.db.write(store).await?;
    result.map(|(_, page)| page).map_err(OpenSubscriptionError::Provider)
}

type Accepted = (SessionId, OpenedPage);

fn accept(session: &Session, opened: OpenedSubscriptionCheckout) -> Result<Accepted, ProviderTrouble> {
    if opened.checkout.as_ref() != Some(&session.checkout) {
        tracing::error!(session = %opened.session, "Stripe opened another checkout than was asked for");
        return Err(ProviderTrouble::Mismatch);
    }
    let url = opened.url.ok_or(ProviderTrouble::NoUrl)?;
    let expires_at_ms = opened.expires_at_seconds.saturating_mul(1_000);
    let page = OpenedPage { session: opened.session.to_string(), url, expires_at_ms };
    Ok((opened.session, page))
}

/// A customer that was deleted at the provider is made anew by the next try.
async fn forget_if_gone(app: &App, customer: &CustomerId, error: &ProviderError) -> Result<(), StoreError> {
    let (ProviderError::Refused(failure) | ProviderError::Unknown(failure)) = error else { return Ok(()) };
    if failure.code == "resource_missing" && failure.message.contains(customer.as_str()) {
        forget_customer(app, customer).await?;
    }
    Ok(())
}

fn of_customer(error: CustomerError) -> OpenSubscriptionError {
    match error {
        CustomerError::Store(error) => error.into(),
        CustomerError::Provider(error) => OpenSubscriptionError::Provider(ProviderTrouble::of_customer(&error)),
    }
}

struct Session {
    checkout: SubscriptionCheckoutId,
    customer: CustomerId,
    request: SubscriptionCheckoutRequest,
}

#[async_trait]
impl Creation for Session {
    type Created = OpenedSubscriptionCheckout;

    fn id(&self) -> &str {
        self.checkout.as_str()
    }

    async fn call(&self, app: &App, key: &str) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        let opened = app.provider.subscriptions.open_subscription_checkout(&self.request, key).await?;
        tracing::info!(key, session = %opened.session, "checkout for a subscription opened");
        Ok(opened)
    }

    async fn look(&self, app: &App, _: &Attempt) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError> {
        app.provider.subscriptions.find_subscription_checkout(&self.customer, &self.checkout).await
    }

    fn is_stale(&self, now_ms: i64) -> bool {
        self.request.expires_at_seconds < now_ms.div_euclid(1_000).saturating_add(SHORTEST_LIFE_SECONDS)
    }

    fn may_be_ours(&self, _: &ProviderError) -> bool {
        false
    }

    async fn next_key(&mut self, app: &App, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError> {
        let now_ms = app.clock.now_ms();
        if self.is_stale(now_ms) {
            self.request.expires_at_seconds = app.checkout.expires_at_seconds(now_ms);
        }
        let (checkout, request) = (self.checkout.clone(), self.request.clone());
        app.db.write(StoreNextKey { checkout, mark_ms, next: *next, request }).await
    }
}
