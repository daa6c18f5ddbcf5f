//! What billing needs to know of customers and prices.

use serde_json::{Value, json};

use super::{
    interval::{Interval, Unit},
    invoice::BilledTo,
};
use crate::model::{
    Context, State, customer,
    decimal::Decimal,
    error::ApiError,
    payment::IntentStatus,
    price::{self, Price},
};

/// A price in one currency.
#[derive(Debug, Clone)]
pub(crate) struct Priced {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) product_name: String,
    pub(crate) currency: String,
    unit: Decimal,
    /// Stripe's `unit_amount_decimal`.
    pub(crate) unit_amount_text: String,
    /// `None` for a price that is paid once.
    pub(crate) interval: Option<Interval>,
    pub(crate) metered: bool,
    pub(crate) tax_inclusive: bool,
}

impl Priced {
    /// The amount of this many, in minor units.
    pub(crate) fn amount(&self, quantity: i64) -> i64 {
        self.unit.times(quantity)
    }
}

/// A price in its own currency.
pub(crate) fn price(state: &State, id: &str) -> Option<Priced> {
    let found = state.prices.get(id)?;
    priced(state, found, &found.currency)
}

/// A price in this currency; `None` if it has none in it.
pub(crate) fn price_in(state: &State, id: &str, currency: &str) -> Option<Priced> {
    priced(state, state.prices.get(id)?, currency)
}

fn priced(state: &State, found: &Price, currency: &str) -> Option<Priced> {
    let unit = found.unit_in(currency)?;
    let product = state.products.get(&found.product);
    let option = found.currency_options.get(currency).and_then(|option| option.tax_behavior.as_deref());
    let tax_behavior = option.or(found.details.tax_behavior.as_deref());
    Some(Priced {
        id: found.id.clone(),
        product: found.product.clone(),
        product_name: product.map_or_else(|| "a product".to_owned(), |product| product.details.name.clone()),
        currency: currency.to_owned(),
        unit_amount_text: unit.to_string(),
        unit,
        interval: found.recurring.as_ref().and_then(|recurring| {
            Some(Interval { unit: Unit::parse(&recurring.interval)?, count: recurring.interval_count })
        }),
        metered: found.recurring.as_ref().is_some_and(|recurring| recurring.usage_type == "metered"),
        tax_inclusive: tax_behavior == Some("inclusive"),
    })
}

/// The error for a price that is paid once, where a recurring one is needed.
pub(crate) fn not_recurring(id: &str) -> ApiError {
    let message = format!(
        "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`: {id}"
    );
    ApiError::invalid(message).param("items")
}

pub(crate) fn price_json(state: &State, id: &str) -> Value {
    price::by_id(state, id).unwrap_or(Value::Null)
}

/// A recurring price as the plan that older integrations read.
pub(crate) fn plan_json(state: &State, id: &str) -> Value {
    state.prices.get(id).map_or(Value::Null, plan_of)
}

pub(crate) fn plan_of(found: &Price) -> Value {
    let Some(recurring) = &found.recurring else { return Value::Null };
    let unit = found.unit_in(&found.currency);
    json!({
        "id": found.id,
        "object": "plan",
        "active": found.details.active,
        "amount": unit.and_then(Decimal::as_whole),
        "amount_decimal": found.unit_amount_decimal,
        "billing_scheme": "per_unit",
        "created": found.created,
        "currency": found.currency,
        "interval": recurring.interval,
        "interval_count": recurring.interval_count,
        "livemode": false,
        "metadata": found.details.metadata,
        "meter": recurring.meter,
        "nickname": found.details.nickname,
        "product": found.product,
        "tiers_mode": null,
        "transform_usage": null,
        "trial_period_days": recurring.trial_period_days,
        "usage_type": recurring.usage_type,
    })
}

/// The test clock of a customer.
pub(crate) fn test_clock_of(state: &State, customer: &str) -> Option<String> {
    state.customers.get(customer)?.test_clock.clone()
}

/// What an invoice says of its customer.
pub(crate) fn billed_to(state: &State, customer: &str) -> BilledTo {
    let Some(found) = state.customers.get(customer) else { return BilledTo::default() };
    let profile = &found.profile;
    BilledTo {
        email: profile.email.clone(),
        name: profile.name.clone(),
        phone: profile.phone.clone(),
        address: profile.address.as_ref().map(|address| json!(address)),
        tax_exempt: profile.tax_exempt.clone(),
    }
}

/// The customer's default payment method for invoices.
pub(crate) fn default_method(state: &State, customer: &str) -> Option<String> {
    state.customers.get(customer)?.profile.invoice_settings.default_payment_method.clone()
}

/// The customer's balance in minor units; negative is credit.
pub(crate) fn balance(state: &State, customer: &str) -> i64 {
    state.customers.get(customer).map_or(0, |found| found.profile.balance)
}

pub(crate) fn set_balance(state: &mut State, context: &mut Context<'_>, customer: &str, balance: i64) {
    customer::change(state, context, customer, |found| found.profile.balance = balance);
}

pub(crate) fn set_delinquent(state: &mut State, context: &mut Context<'_>, customer: &str, delinquent: bool) {
    customer::change(state, context, customer, |found| found.delinquent = delinquent);
}

/// The number of the customer's next invoice.
pub(crate) fn next_number(state: &mut State, customer: &str) -> String {
    let Some(found) = state.customers.get_mut(customer) else { return "SANDBOX-0001".to_owned() };
    let number = format!("{}-{:04}", found.invoice_prefix, found.next_invoice_sequence);
    found.next_invoice_sequence = found.next_invoice_sequence.saturating_add(1);
    number
}

/// A recurring object fixes the customer's currency.
pub(crate) fn fix_currency(state: &mut State, customer: Option<&str>, currency: &str) {
    let found = customer.and_then(|customer| state.customers.get_mut(customer));
    if let Some(found) = found.filter(|found| found.currency.is_none()) {
        found.currency = Some(currency.to_owned());
    }
}

/// Whether a payment is on its way through the banks.
pub(crate) fn is_processing(state: &State, intent: &str) -> bool {
    state.payment_intents.get(intent).is_some_and(|intent| intent.status == IntentStatus::Processing)
}
