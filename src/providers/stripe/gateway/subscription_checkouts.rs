//! Checkout sessions that begin a subscription. Source: Stripe's API reference, "Checkout Sessions".
//!
//! Like for a purchase, nothing is left to the account's settings: what the customer reads here is what the plan says.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::{CustomerId, SessionId, SubscriptionCheckoutId, SubscriptionId};
use crate::providers::port::{OpenedSubscriptionCheckout, ProviderError, SubscriptionCheckoutRequest};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::gateway::money::PAGE;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{Expandable, List, SUBSCRIPTION_PURPOSE, subscription_checkout_in};
use crate::providers::stripe::transport::Transport;

const SESSIONS: &str = "/checkout/sessions";

#[derive(Serialize)]
struct NewSession<'r> {
    mode: &'static str,
    customer: &'r str,
    customer_update: CustomerUpdate,
    client_reference_id: &'r str,
    line_items: Vec<LineItem<'r>>,
    metadata: Metadata<'r>,
    subscription_data: SubscriptionData<'r>,
    success_url: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_url: Option<&'r str>,
    expires_at: i64,
    adaptive_pricing: Switch,
    allow_promotion_codes: bool,
    automatic_tax: Switch,
    billing_address_collection: &'static str,
    tax_id_collection: Switch,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    allowed_payment_method_types: &'r [String],
}

#[derive(Serialize)]
struct CustomerUpdate {
    address: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct LineItem<'r> {
    price: &'r str,
    quantity: u8,
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
struct Metadata<'r> {
    purpose: &'static str,
    account_id: &'r str,
    plan_id: &'r str,
    checkout_id: &'r str,
}

#[derive(Serialize)]
struct SubscriptionData<'r> {
    /// Stripe does not copy a session's metadata to its subscription.
    metadata: Metadata<'r>,
    billing_mode: BillingMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_period_days: Option<i64>,
}

#[derive(Serialize)]
struct BillingMode {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize, Clone, Copy)]
struct Switch {
    enabled: bool,
}

const OFF: Switch = Switch { enabled: false };

#[derive(Deserialize)]
struct Session {
    id: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    expires_at: Option<i64>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
    #[serde(default)]
    subscription: Option<Expandable>,
}

impl Session {
    fn checkout(&self) -> Option<SubscriptionCheckoutId> {
        subscription_checkout_in(&serde_json::to_value(self.metadata.as_ref()?).ok()?)
    }

    fn opened(self) -> Result<OpenedSubscriptionCheckout, ProviderError> {
        let checkout = self.checkout();
        let subscription = self.subscription.map(|id| SubscriptionId::parse(NAME, id.into_id())).transpose();
        Ok(OpenedSubscriptionCheckout {
            session: SessionId::parse(NAME, self.id).map_err(not_understood)?,
            url: self.url,
            expires_at_seconds: self.expires_at.ok_or_else(|| not_understood("the session has no expires_at"))?,
            checkout,
            subscription: subscription.map_err(not_understood)?,
        })
    }
}

pub(super) async fn open(
    transport: &impl Transport,
    request: &SubscriptionCheckoutRequest,
    key: &str,
) -> Result<OpenedSubscriptionCheckout, ProviderError> {
    let prices = [Some(&request.price_id), request.fee_price_id.as_ref()];
    let metadata = Metadata {
        purpose: SUBSCRIPTION_PURPOSE,
        account_id: &request.account_id,
        plan_id: &request.plan_id,
        checkout_id: &request.checkout_id,
    };
    let form = NewSession {
        mode: "subscription",
        customer: &request.customer_id,
        customer_update: CustomerUpdate { address: "auto", name: "auto" },
        client_reference_id: &request.account_id,
        line_items: prices.into_iter().flatten().map(|price| LineItem { price, quantity: 1 }).collect(),
        metadata,
        subscription_data: SubscriptionData {
            metadata,
            billing_mode: BillingMode { kind: "flexible" },
            trial_period_days: (request.trial_days > 0).then_some(request.trial_days),
        },
        success_url: &request.success_url,
        cancel_url: request.cancel_url.as_deref(),
        expires_at: request.expires_at_seconds,
        adaptive_pricing: OFF,
        allow_promotion_codes: false,
        automatic_tax: Switch { enabled: request.has_tax },
        // The tax follows from the address.
        billing_address_collection: if request.has_tax { "required" } else { "auto" },
        tax_id_collection: Switch { enabled: request.asks_tax_ids },
        allowed_payment_method_types: &request.payment_methods,
    };
    let build = RequestBuilder::new(StripeMethod::Post, SESSIONS).form(&form);
    read::<Session>(&answer_to(transport, build, Some(key.to_owned())).await?)?.opened()
}

#[derive(Serialize)]
struct OfCustomer<'c> {
    customer: &'c str,
    limit: i64,
}

/// A customer has few sessions, so one page is enough; a longer list proves nothing.
pub(super) async fn find(
    transport: &impl Transport,
    customer: &CustomerId,
    checkout: &SubscriptionCheckoutId,
) -> Result<Option<OpenedSubscriptionCheckout>, ProviderError> {
    let filter = OfCustomer { customer: customer.as_str(), limit: PAGE };
    let request = RequestBuilder::new(StripeMethod::Get, SESSIONS).query(&filter);
    let page: List<Session> = read(&answer_to(transport, request, None).await?)?;
    let has_more = page.has_more;
    match page.data.into_iter().find(|session| session.checkout().as_ref() == Some(checkout)) {
        Some(session) => session.opened().map(Some),
        None if has_more => Err(not_understood("too many checkout sessions of one customer to find one")),
        None => Ok(None),
    }
}

pub(super) async fn read_session(
    transport: &impl Transport,
    session: &SessionId,
) -> Result<OpenedSubscriptionCheckout, ProviderError> {
    let request = RequestBuilder::new(StripeMethod::Get, format!("{SESSIONS}/{session}"));
    read::<Session>(&answer_to(transport, request, None).await?)?.opened()
}
