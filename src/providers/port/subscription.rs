//! Subscriptions at the provider.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{ListPage, ProviderError, Unsupported};
use crate::domain::ids::{CustomerId, PriceId, SessionId, SubscriptionCheckoutId, SubscriptionId};
use crate::domain::plan::Interval;
use crate::domain::subscription::SubscriptionReport;

/// Everything that is sent to open a checkout for a subscription. It is stored before the provider is called, so that a
/// retry is identical.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionCheckoutRequest {
    /// Our id of the checkout, for the metadata.
    pub checkout_id: String,
    /// The account, for the metadata and `client_reference_id`.
    pub account_id: String,
    /// The plan, for the metadata.
    pub plan_id: String,
    /// The account's customer at the provider.
    pub customer_id: String,
    /// The price of the plan.
    pub price_id: String,
    /// The price of the fee line; `None` for no such line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_price_id: Option<String>,
    /// For how many days nothing is paid; 0 for no trial.
    pub trial_days: i64,
    /// Whether the provider adds tax to its invoices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_tax: bool,
    /// Whether the page asks businesses for their tax id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_tax_ids: bool,
    /// Where the customer is sent after paying.
    pub success_url: String,
    /// Where the customer is sent after cancelling.
    pub cancel_url: Option<String>,
    /// When the checkout ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// The provider's names of the payment methods to offer; empty for those enabled in its dashboard.
    pub payment_methods: Vec<String>,
}

/// A checkout for a subscription, as the provider opened it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSubscriptionCheckout {
    /// The checkout session's id.
    pub session: SessionId,
    /// The URL of the hosted page; `None` if the session has ended meanwhile.
    pub url: Option<String>,
    /// When the session ends, in seconds since 1970.
    pub expires_at_seconds: i64,
    /// Our checkout, as its metadata names it.
    pub checkout: Option<SubscriptionCheckoutId>,
    /// The subscription that came of it.
    pub subscription: Option<SubscriptionId>,
}

/// A change of a subscription's prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceChange {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The plan's item, and its new price.
    pub plan: ItemChange,
    /// The item of the fee line and its new price, where there is one now or will be one.
    pub fee: Option<FeeChange>,
    /// From when on the new prices count, in seconds since 1970; `None`: from now on.
    pub from_seconds: Option<i64>,
}

/// A new price of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemChange {
    /// The provider's id of the item.
    pub item: String,
    /// The price.
    pub price: PriceId,
}

/// What becomes of the fee line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeeChange {
    /// It gets another price.
    Changed(ItemChange),
    /// There is one from now on.
    Added(PriceId),
    /// There is none any more.
    Removed(String),
}

/// What a change would cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePreview {
    /// What is paid now, in minor units; negative if money is kept for later invoices.
    pub amount_due_minor: i64,
    /// The total of the invoice.
    pub total_minor: i64,
    /// The currency, in lower case.
    pub currency: String,
}

/// Begins subscriptions, reads and changes them.
#[async_trait]
pub trait SubscriptionOps: Send + Sync {
    /// Opens a checkout for a subscription. The same key and request open it once.
    async fn open_subscription_checkout(
        &self,
        request: &SubscriptionCheckoutRequest,
        key: &str,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError>;

    /// The checkout that was opened for one of ours; `None` if there is none. For when it is unknown whether a call has
    /// opened it.
    async fn find_subscription_checkout(
        &self,
        customer: &CustomerId,
        checkout: &SubscriptionCheckoutId,
    ) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError>;

    /// What the provider says of a checkout now.
    async fn read_subscription_checkout(
        &self,
        session: &SessionId,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError>;

    /// What the provider says of a subscription now, also of one that has ended.
    async fn read_subscription(&self, subscription: &SubscriptionId) -> Result<SubscriptionReport, ProviderError>;

    /// Ends a subscription at once.
    async fn cancel_now(&self, subscription: &SubscriptionId) -> Result<SubscriptionReport, ProviderError>;

    /// Lets a subscription end with its period, or lets it go on after all.
    async fn cancel_at_period_end(
        &self,
        subscription: &SubscriptionReport,
        ends: bool,
    ) -> Result<SubscriptionReport, ProviderError>;

    /// What a change of its prices would cost now.
    async fn preview_change(&self, change: &PriceChange) -> Result<ChangePreview, ProviderError>;

    /// Changes its prices now. If the difference cannot be paid, nothing changes.
    async fn change_now(&self, change: &PriceChange) -> Result<SubscriptionReport, ProviderError>;

    /// Changes its prices at the end of its period. The prices are those of all items from then on, and the interval
    /// is theirs.
    async fn change_at_period_end(
        &self,
        subscription: &SubscriptionReport,
        prices: &[PriceId],
        interval: Interval,
    ) -> Result<(), ProviderError>;

    /// Takes back a change that waits for the end of the period.
    async fn release_change(&self, schedule: &str) -> Result<(), ProviderError>;

    /// A page of the subscriptions created since a time (seconds since 1970), newest first, also of ended ones.
    async fn list_subscriptions(
        &self,
        since_seconds: i64,
        after: Option<&str>,
    ) -> Result<ListPage<SubscriptionReport>, ProviderError>;
}

const NO_SUBSCRIPTIONS: ProviderError = ProviderError::Unsupported("to keep subscriptions");

#[async_trait]
impl SubscriptionOps for Unsupported {
    async fn open_subscription_checkout(
        &self,
        _: &SubscriptionCheckoutRequest,
        _: &str,
    ) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn find_subscription_checkout(
        &self,
        _: &CustomerId,
        _: &SubscriptionCheckoutId,
    ) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn read_subscription_checkout(&self, _: &SessionId) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn read_subscription(&self, _: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn cancel_now(&self, _: &SubscriptionId) -> Result<SubscriptionReport, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn cancel_at_period_end(&self, _: &SubscriptionReport, _: bool) -> Result<SubscriptionReport, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn preview_change(&self, _: &PriceChange) -> Result<ChangePreview, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn change_now(&self, _: &PriceChange) -> Result<SubscriptionReport, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn change_at_period_end(
        &self,
        _: &SubscriptionReport,
        _: &[PriceId],
        _: Interval,
    ) -> Result<(), ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn release_change(&self, _: &str) -> Result<(), ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }

    async fn list_subscriptions(&self, _: i64, _: Option<&str>) -> Result<ListPage<SubscriptionReport>, ProviderError> {
        Err(NO_SUBSCRIPTIONS)
    }
}
