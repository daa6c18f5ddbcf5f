//! Opens the provider's portal for an account's own customer.
//!
//! The configuration is made by API at the first use, and again when the plans have changed, so nobody has to set
//! anything up in a dashboard. What the customer does there comes back by events.

use sha2::{Digest, Sha256};

use crate::app::App;
use crate::customers::ensure_customer::known_customer;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::SubscriptionId;
use crate::domain::provider::ProviderName;
use crate::domain::redirect::RedirectUrl;
use crate::domain::subscription::SubscriptionStatus;
use crate::providers::port::{PortalContent, PortalFlow, PortalProduct, PortalVisit, ProviderError};
use crate::subscriptions::subscription_rows::{Subscription, subscription_id};

/// The most products of which a portal lets a customer choose.
const MAX_PRODUCTS: usize = 10;

statements! {
    FIND = "SELECT provider_configuration_id, content_hash FROM portal_configurations WHERE provider = :provider";
    PUT = "INSERT INTO portal_configurations (provider, provider_configuration_id, content_hash, updated_at) \
        VALUES (:provider, :configuration, :content_hash, :now_ms) ON CONFLICT (provider) DO UPDATE SET \
        provider_configuration_id = excluded.provider_configuration_id, content_hash = excluded.content_hash, \
        updated_at = excluded.updated_at";
}

#[derive(sqlx::FromRow)]
struct ConfigurationRow {
    provider_configuration_id: String,
    content_hash: String,
}

/// What a customer wants to do on the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To look around.
    Home,
    /// To replace the card.
    PaymentMethodUpdate,
    /// To end the subscription.
    SubscriptionCancel,
    /// To change its plan.
    SubscriptionUpdate,
}

impl Wish {
    /// Parses the name used in the API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "payment_method_update" => Some(Self::PaymentMethodUpdate),
            "subscription_cancel" => Some(Self::SubscriptionCancel),
            "subscription_update" => Some(Self::SubscriptionUpdate),
            _ => None,
        }
    }
}

/// Why the portal was not opened.
#[derive(Debug, thiserror::Error)]
pub enum PortalError {
    /// The account has no customer at the provider: it never paid by card here.
    #[error("the account has nothing at the payment provider yet; it needs a checkout first")]
    NoCustomer,
    /// It has no subscription that could be changed.
    #[error("the account has no running subscription")]
    NoSubscription,
    /// Stripe's portal does not change plans of subscriptions with a fee line.
    #[error(
        "Stripe's portal cannot change a subscription that has a fee line; use POST /subscriptions/{{id}}/change, or \
         FEE_MODE=absorb"
    )]
    HasFeeLine,
    /// The provider did not open it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the portal. Returns its address, which is good for one visitor and a short time.
///
/// # Errors
/// See [`PortalError`].
pub async fn open_portal(
    app: &App,
    account: &AccountId,
    return_url: &RedirectUrl,
    wish: Wish,
) -> Result<String, PortalError> {
    let customer = known_customer(app, account).await?.ok_or(PortalError::NoCustomer)?;
    let flow = match wish {
        Wish::Home => PortalFlow::Home,
        Wish::PaymentMethodUpdate => PortalFlow::PaymentMethodUpdate,
        Wish::SubscriptionCancel => PortalFlow::SubscriptionCancel(running(app, account).await?),
        Wish::SubscriptionUpdate => PortalFlow::SubscriptionUpdate(running(app, account).await?),
    };
    let content = content(app).await?;
    if wish == Wish::SubscriptionUpdate && content.products.is_empty() {
        return Err(PortalError::HasFeeLine);
    }
    let configuration = configuration(app, &content).await?;
    let return_url = return_url.as_str().to_owned();
    let visit = PortalVisit { customer, configuration, return_url, flow };
    Ok(app.provider.portal.open_portal(&visit).await?)
}

async fn running(app: &App, account: &AccountId) -> Result<SubscriptionId, PortalError> {
    let is_running =
        |row: &Subscription| SubscriptionStatus::parse(&row.status).is_some_and(SubscriptionStatus::is_running);
    let row = app.db.subscriptions_of(account).await?.into_iter().find(is_running);
    let row = row.ok_or(PortalError::NoSubscription)?;
    Ok(subscription_id(app.provider.name, &row.provider_subscription_id)?)
}

/// Stripe's portal changes only subscriptions of a single item, so with fee lines it offers no change of plans.
async fn content(app: &App) -> Result<PortalContent, StoreError> {
    let plans = app.db.plans(app.provider.name).await?;
    let currency = app.pricing.main().currency();
    let sold: Vec<_> = plans.into_iter().filter(|applied| applied.plan.is_active).collect();
    let prices = || sold.iter().filter_map(|applied| applied.price_in(currency).map(|price| (applied, price)));
    if prices().any(|(_, price)| price.fee_price.is_some()) {
        return Ok(PortalContent::default());
    }
    let products = prices()
        .take(MAX_PRODUCTS)
        .map(|(applied, price)| PortalProduct { product: applied.product.clone(), prices: vec![price.id.clone()] });
    Ok(PortalContent { products: products.collect() })
}

/// The configuration with this content, made or changed if there is none.
async fn configuration(app: &App, content: &PortalContent) -> Result<String, PortalError> {
    let provider = app.provider.name;
    let content_hash = hex::encode(Sha256::digest(format!("{content:?}")));
    let stored = app.db.portal_configuration(provider).await?;
    if let Some(stored) = stored.as_ref().filter(|stored| stored.content_hash == content_hash) {
        return Ok(stored.provider_configuration_id.clone());
    }
    let earlier = stored.as_ref().map(|stored| stored.provider_configuration_id.as_str());
    let configuration = app.provider.portal.put_configuration(content, earlier).await?;
    let now_ms = app.clock.now_ms();
    app.db.write(PutConfiguration { provider, configuration: configuration.clone(), content_hash, now_ms }).await?;
    Ok(configuration)
}

impl Db {
    async fn portal_configuration(&self, provider: ProviderName) -> Result<Option<ConfigurationRow>, StoreError> {
        self.read_optional(&FIND, &args![provider = provider.as_str()]).await
    }
}

struct PutConfiguration {
    provider: ProviderName,
    configuration: String,
    content_hash: String,
    now_ms: i64,
}

impl Write for PutConfiguration {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let values = args![
            provider = self.provider.as_str(),
            configuration = self.configuration.as_str(),
            content_hash = self.content_hash.as_str(),
            now_ms = self.now_ms
        ];
        tx.execute(&PUT, &values).await.map(drop)
    }
}
