//! Prices of products: once or recurring, exact to a fraction of a minor unit, and in several currencies.
//!
//! Invariants: the amount, the currency and the interval of a price never change. A lookup key names one price at most.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context, State,
    decimal::{self, Decimal},
    error::ApiError,
    table::Row,
};

/// A price.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) product: String,
    pub(crate) currency: String,
    /// Minor units for one, exact.
    pub(crate) unit_amount_decimal: String,
    /// `None` for a price that is paid once.
    pub(crate) recurring: Option<Recurring>,
    /// The price in other currencies.
    pub(crate) currency_options: BTreeMap<String, CurrencyOption>,
    #[serde(flatten)]
    pub(crate) details: PriceDetails,
}

/// What an update may change, with Stripe's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PriceDetails {
    pub(crate) active: bool,
    pub(crate) lookup_key: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) nickname: Option<String>,
    pub(crate) tax_behavior: Option<String>,
}

/// How often a price is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recurring {
    /// `day`, `week`, `month` or `year`.
    pub(crate) interval: String,
    #[serde(default = "one")]
    pub(crate) interval_count: i64,
    #[serde(default)]
    pub(crate) meter: Option<String>,
    #[serde(default)]
    pub(crate) trial_period_days: Option<i64>,
    #[serde(default = "licensed")]
    pub(crate) usage_type: String,
}

fn one() -> i64 {
    1
}

fn licensed() -> String {
    "licensed".to_owned()
}

/// The price in one more currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CurrencyOption {
    pub(crate) unit_amount_decimal: String,
    pub(crate) tax_behavior: Option<String>,
}

impl Row for Price {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

impl Price {
    /// The exact price of one in this currency, if it has one.
    pub(crate) fn unit_in(&self, currency: &str) -> Option<Decimal> {
        let text = if currency == self.currency {
            &self.unit_amount_decimal
        } else {
            &self.currency_options.get(currency)?.unit_amount_decimal
        };
        decimal::parse(text)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Price, ApiError> {
    state.prices.get(id).ok_or_else(|| ApiError::not_found("price", id, "price"))
}

/// A price named by a parameter.
pub(crate) fn referenced<'a>(state: &'a State, id: &str, param: &str) -> Result<&'a Price, ApiError> {
    state.prices.get(id).ok_or_else(|| ApiError::missing_reference("price", id, param))
}

/// Adds a price.
pub(crate) fn add(state: &mut State, context: &mut Context<'_>, price: Price) -> String {
    let (id, rendered) = (price.id.clone(), to_json(&price));
    state.prices.insert(price);
    state.emit(context, "price.created", rendered);
    id
}

/// Changes a price, and emits `price.updated` if that changed anything.
pub(crate) fn change(state: &mut State, context: &mut Context<'_>, id: &str, change: impl FnOnce(&mut Price)) {
    let Some(price) = state.prices.get_mut(id) else { return };
    let before = with_options(price);
    change(price);
    let after = with_options(price);
    if before != after {
        let (before, after) = (without_options(before), without_options(after));
        state.emit_diff(context, "price.updated", &before, after);
    }
}

/// Checks that a lookup key is free, or takes it from the price that has it.
pub(crate) fn claim_lookup_key(
    state: &mut State,
    context: &mut Context<'_>,
    key: &str,
    claimant: Option<&str>,
    transfer: bool,
) -> Result<(), ApiError> {
    let owner = state.prices.iter().find(|price| price.details.lookup_key.as_deref() == Some(key));
    let Some(owner) = owner.map(|price| price.id.clone()).filter(|owner| Some(owner.as_str()) != claimant) else {
        return Ok(());
    };
    if !transfer {
        let message = format!("A price (`{owner}`) already uses that lookup key.");
        return Err(ApiError::invalid(message).param("lookup_key"));
    }
    change(state, context, &owner, |price| price.details.lookup_key = None);
    Ok(())
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.prices.get(id).map(to_json)
}

/// A price as Stripe's JSON. Its other currencies are shown only on request.
pub(crate) fn to_json(price: &Price) -> Value {
    let details = &price.details;
    json!({
        "id": price.id,
        "object": "price",
        "active": details.active,
        "billing_scheme": "per_unit",
        "created": price.created,
        "currency": price.currency,
        "custom_unit_amount": null,
        "livemode": false,
        "lookup_key": details.lookup_key,
        "metadata": details.metadata,
        "nickname": details.nickname,
        "product": price.product,
        "recurring": price.recurring,
        "tax_behavior": details.tax_behavior.as_deref().unwrap_or("unspecified"),
        "tiers_mode": null,
        "transform_quantity": null,
        "type": if price.recurring.is_some() { "recurring" } else { "one_time" },
        "unit_amount": whole(&price.unit_amount_decimal),
        "unit_amount_decimal": price.unit_amount_decimal,
    })
}

fn whole(decimal: &str) -> Option<i64> {
    decimal::parse(decimal).and_then(Decimal::as_whole)
}

/// The member `currency_options`, its own currency included.
pub(crate) fn currency_options(price: &Price) -> Value {
    let own = CurrencyOption {
        unit_amount_decimal: price.unit_amount_decimal.clone(),
        tax_behavior: price.details.tax_behavior.clone(),
    };
    let all = price.currency_options.iter().chain([(&price.currency, &own)]);
    let render = |(currency, option): (&String, &CurrencyOption)| {
        let rendered = json!({
            "custom_unit_amount": null,
            "tax_behavior": option.tax_behavior.as_deref().unwrap_or("unspecified"),
            "unit_amount": whole(&option.unit_amount_decimal),
            "unit_amount_decimal": option.unit_amount_decimal,
        });
        (currency.clone(), rendered)
    };
    Value::Object(all.map(render).collect())
}

fn with_options(price: &Price) -> Value {
    let mut rendered = to_json(price);
    if let Some(members) = rendered.as_object_mut() {
        members.insert("currency_options".to_owned(), currency_options(price));
    }
    rendered
}

fn without_options(mut rendered: Value) -> Value {
    if let Some(members) = rendered.as_object_mut() {
        members.remove("currency_options");
    }
    rendered
}
