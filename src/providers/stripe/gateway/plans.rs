//! Products and prices. Source: Stripe's API reference, "Products" and "Prices".

use serde::{Deserialize, Serialize};
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::ids::PriceId;
use crate::domain::plan::Interval;
use crate::domain::tax::{TaxBehavior, TaxCode};
use crate::providers::port::{FoundPrice, PriceSpec, ProductSpec, ProviderError};
use crate::providers::stripe::gateway::call::{answer_to, read};
use crate::providers::stripe::gateway::failure::not_understood;
use crate::providers::stripe::name::NAME;
use crate::providers::stripe::objects::{Expandable, IdOnly, List};
use crate::providers::stripe::transport::Transport;

#[derive(Serialize)]
struct NewProduct<'p> {
    id: &'p str,
    name: &'p str,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_code: Option<&'p str>,
}

#[derive(Serialize)]
struct ChangedProduct<'p> {
    name: &'p str,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_code: Option<&'p str>,
}

/// The id is ours, so a product is made once: Stripe refuses a second one with it.
pub(super) async fn put_product(transport: &impl Transport, product: &ProductSpec) -> Result<(), ProviderError> {
    let ProductSpec { id, name, is_active, tax_code } = product;
    let tax_code = tax_code.as_ref().map(TaxCode::as_str);
    let changed = ChangedProduct { name, active: *is_active, tax_code };
    let update = RequestBuilder::new(StripeMethod::Post, format!("/products/{id}")).form(&changed);
    match answer_to(transport, update, None).await {
        Ok(answer) => read::<IdOnly>(&answer).map(drop),
        Err(ProviderError::Unknown(_)) => {
            let new = NewProduct { id, name, active: *is_active, tax_code };
            let create = RequestBuilder::new(StripeMethod::Post, "/products").form(&new);
            read::<IdOnly>(&answer_to(transport, create, None).await?).map(drop)
        }
        Err(error) => Err(error),
    }
}

#[derive(Serialize)]
struct ByLookupKey<'k> {
    lookup_keys: [&'k str; 1],
    active: bool,
    limit: u8,
}

#[derive(Deserialize)]
struct Price {
    id: String,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    unit_amount: Option<i64>,
    #[serde(default)]
    product: Option<Expandable>,
    #[serde(default)]
    recurring: Option<Recurring>,
    #[serde(default)]
    tax_behavior: Option<String>,
}

#[derive(Deserialize)]
struct Recurring {
    interval: String,
    #[serde(default)]
    interval_count: Option<i64>,
}

impl Price {
    fn fits(&self, wanted: &PriceSpec) -> bool {
        let Interval { unit, count } = wanted.interval;
        let is_same_interval = self.recurring.as_ref().is_some_and(|recurring| {
            recurring.interval == unit.as_str() && recurring.interval_count.unwrap_or(1) == count
        });
        let product = match &self.product {
            Some(Expandable::Id(id)) => Some(id.as_str()),
            Some(Expandable::Object(product)) => Some(product.id.as_str()),
            None => None,
        };
        // Without tax it is all the same.
        let is_same_tax = wanted.tax.is_none_or(|behavior| self.tax_behavior.as_deref() == Some(behavior.as_str()));
        is_same_interval
            && is_same_tax
            && self.currency.as_deref() == Some(wanted.currency.as_str())
            && self.unit_amount == Some(wanted.amount_minor)
            && product == Some(wanted.product.as_str())
    }
}

pub(super) async fn find_price(
    transport: &impl Transport,
    wanted: &PriceSpec,
) -> Result<Option<FoundPrice>, ProviderError> {
    let filter = ByLookupKey { lookup_keys: [&wanted.lookup_key], active: true, limit: 1 };
    let request = RequestBuilder::new(StripeMethod::Get, "/prices").query(&filter);
    let page: List<Price> = read(&answer_to(transport, request, None).await?)?;
    let found = page.data.into_iter().next().map(|price| {
        let fits = price.fits(wanted);
        PriceId::parse(NAME, price.id).map(|id| FoundPrice { id, fits }).map_err(not_understood)
    });
    found.transpose()
}

#[derive(Serialize)]
struct NewPrice<'p> {
    currency: &'p str,
    product: &'p str,
    unit_amount: i64,
    recurring: NewRecurring,
    lookup_key: &'p str,
    transfer_lookup_key: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_behavior: Option<&'static str>,
}

#[derive(Serialize)]
struct NewRecurring {
    interval: &'static str,
    interval_count: i64,
}

pub(super) async fn create_price(
    transport: &impl Transport,
    price: &PriceSpec,
    key: &str,
) -> Result<PriceId, ProviderError> {
    let new = NewPrice {
        currency: &price.currency,
        product: &price.product,
        unit_amount: price.amount_minor,
        recurring: NewRecurring { interval: price.interval.unit.as_str(), interval_count: price.interval.count },
        lookup_key: &price.lookup_key,
        transfer_lookup_key: true,
        tax_behavior: price.tax.map(TaxBehavior::as_str),
    };
    let request = RequestBuilder::new(StripeMethod::Post, "/prices").form(&new);
    let created: IdOnly = read(&answer_to(transport, request, Some(key.to_owned())).await?)?;
    PriceId::parse(NAME, created.id).map_err(not_understood)
}
