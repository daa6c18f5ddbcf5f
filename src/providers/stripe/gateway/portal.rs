//! The customer portal. Source: Stripe's API reference, "Portal Sessions" and "Portal Configuration".

use serde::{Deserialize, Serialize};
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::PriceId;
use crate::providers::port::{PortalContent, PortalFlow, PortalVisit, ProviderError};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::objects::IdOnly;
use crate::providers::stripe::transport::Transport;

const CONFIGURATIONS: &str = "/billing_portal/configurations";

#[derive(Serialize)]
struct Switch {
    enabled: bool,
}

#[derive(Serialize)]
struct CustomerUpdate {
    enabled: bool,
    allowed_updates: [&'static str; 3],
}

#[derive(Serialize)]
struct Cancel {
    enabled: bool,
    mode: &'static str,
}

/// Sent beside `enabled`.
#[derive(Serialize)]
struct UpdateOptions<'c> {
    default_allowed_updates: [&'static str; 1],
    products: Vec<Product<'c>>,
    proration_behavior: &'static str,
    schedule_at_period_end: Conditions,
    trial_update_behavior: &'static str,
}

#[derive(Serialize)]
struct Product<'c> {
    product: &'c str,
    prices: Vec<&'c str>,
}

#[derive(Serialize)]
struct Conditions {
    conditions: [Condition; 2],
}

#[derive(Serialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Update<'c> {
    enabled: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    options: Option<UpdateOptions<'c>>,
}

#[derive(Serialize)]
struct Features<'c> {
    customer_update: CustomerUpdate,
    invoice_history: Switch,
    payment_method_update: Switch,
    subscription_cancel: Cancel,
    subscription_update: Update<'c>,
}

#[derive(Serialize)]
struct Configuration<'c> {
    features: Features<'c>,
}

/// A change to a better plan is paid at once, so that its credits come at once; another one waits for the end of the
/// period. A trial goes on.
fn configuration(content: &PortalContent) -> Configuration<'_> {
    let products = content.products.iter().map(|product| Product {
        product: &product.product,
        prices: product.prices.iter().map(PriceId::as_str).collect(),
    });
    let options = (!content.products.is_empty()).then(|| UpdateOptions {
        default_allowed_updates: ["price"],
        products: products.collect(),
        proration_behavior: "always_invoice",
        schedule_at_period_end: Conditions {
            conditions: [Condition { kind: "decreasing_item_amount" }, Condition { kind: "shortening_interval" }],
        },
        trial_update_behavior: "continue_trial",
    });
    Configuration {
        features: Features {
            customer_update: CustomerUpdate { enabled: true, allowed_updates: ["address", "name", "tax_id"] },
            invoice_history: Switch { enabled: true },
            payment_method_update: Switch { enabled: true },
            subscription_cancel: Cancel { enabled: true, mode: "at_period_end" },
            subscription_update: Update { enabled: options.is_some(), options },
        },
    }
}

pub(super) async fn put_configuration(
    transport: &impl Transport,
    content: &PortalContent,
    earlier: Option<&str>,
) -> Result<String, ProviderError> {
    let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(earlier) = earlier.filter(is_id) {
        let path = format!("{CONFIGURATIONS}/{earlier}");
        let request = RequestBuilder::new(StripeMethod::Post, path).form(&configuration(content));
        match answer_to(transport, request, None).await {
            Ok(answer) => return Ok(read::<IdOnly>(&answer)?.id),
            // Another account's, or one of the other mode.
            Err(ProviderError::Unknown(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let request = RequestBuilder::new(StripeMethod::Post, CONFIGURATIONS).form(&configuration(content));
    Ok(read::<IdOnly>(&answer_to(transport, request, None).await?)?.id)
}

#[derive(Serialize)]
struct Visit<'v> {
    customer: &'v str,
    configuration: &'v str,
    return_url: &'v str,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow_data: Option<Flow<'v>>,
}

#[derive(Serialize)]
struct Flow<'v> {
    #[serde(rename = "type")]
    kind: &'static str,
    after_completion: AfterCompletion<'v>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_cancel: Option<OfSubscription<'v>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_update: Option<OfSubscription<'v>>,
}

#[derive(Serialize)]
struct AfterCompletion<'v> {
    #[serde(rename = "type")]
    kind: &'static str,
    redirect: Redirect<'v>,
}

#[derive(Serialize)]
struct Redirect<'v> {
    return_url: &'v str,
}

#[derive(Serialize)]
struct OfSubscription<'v> {
    subscription: &'v str,
}

#[derive(Deserialize)]
struct Opened {
    url: String,
}

pub(super) async fn open(transport: &impl Transport, visit: &PortalVisit) -> Result<String, ProviderError> {
    let return_url = visit.return_url.as_str();
    let flow = |kind| Flow {
        kind,
        after_completion: AfterCompletion { kind: "redirect", redirect: Redirect { return_url } },
        subscription_cancel: None,
        subscription_update: None,
    };
    let of = |subscription| Some(OfSubscription { subscription });
    let flow_data = match &visit.flow {
        PortalFlow::Home => None,
        PortalFlow::PaymentMethodUpdate => Some(flow("payment_method_update")),
        PortalFlow::SubscriptionCancel(id) => {
            Some(Flow { subscription_cancel: of(id.as_str()), ..flow("subscription_cancel") })
        }
        PortalFlow::SubscriptionUpdate(id) => {
            Some(Flow { subscription_update: of(id.as_str()), ..flow("subscription_update") })
        }
    };
    let form = Visit { customer: visit.customer.as_str(), configuration: &visit.configuration, return_url, flow_data };
    let request = RequestBuilder::new(StripeMethod::Post, "/billing_portal/sessions").form(&form);
    let Opened { url } = read(&answer_to(transport, request, None).await?)?;
    if url.is_empty() { Err(not_understood("the portal has no address")) } else { Ok(url) }
}
