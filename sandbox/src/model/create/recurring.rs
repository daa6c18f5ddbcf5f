//! Sessions in subscription mode: recurring lines, what is due today, and the prices that are made for the session.

use std::collections::BTreeMap;

use super::{
    Order,
    line_items::{line_items, session_currency, total},
    wanted::Wanted,
};
use crate::model::{
    Context, State,
    billing::subscription_api::check_currency,
    error::ApiError,
    price::{self, Price, PriceDetails},
    product::{Product, ProductDetails},
    session::{LineItem, Mode, Session},
};

const MOST_LINES: usize = 20;
const TWO_DAYS: i64 = 2 * 86_400;

/// A payment has no recurring lines.
pub(super) fn check_none(items: &[LineItem]) -> Result<(), ApiError> {
    let Some(place) = items.iter().position(|item| item.is_recurring) else { return Ok(()) };
    let message = "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or \
                   use only one-time prices.";
    Err(ApiError::invalid(message).param(format!("line_items[{place}][price]")))
}

/// The order of a subscription. What recurs is due today, unless a trial comes first.
pub(super) fn order(state: &mut State, context: &mut Context<'_>, wanted: &Wanted) -> Result<Order, ApiError> {
    let currency = session_currency(state, wanted)?;
    let mut items = line_items(state, wanted, &currency, context)?;
    let recurring = items.iter().filter(|item| item.is_recurring).count();
    if recurring == 0 {
        let message = "You must provide at least one recurring price in `subscription` mode when using prices.";
        return Err(ApiError::invalid(message).param("line_items"));
    }
    if recurring > MOST_LINES || items.len().saturating_sub(recurring) > MOST_LINES {
        let message = "A Checkout Session in subscription mode has at most 20 recurring and 20 one-time prices.";
        return Err(ApiError::invalid(message).param("line_items"));
    }
    if let Some(customer) = &wanted.customer {
        check_currency(state, customer, &currency)?;
    }
    let is_trial = check_trial(context, wanted)?;
    for (item, wanted) in items.iter_mut().zip(&wanted.line_items) {
        if let Some(data) = &wanted.price_data {
            keep_price(state, context, item, (&currency, data.recurring.clone()));
        }
        if is_trial && item.is_recurring {
            item.amount = 0;
        }
    }
    let amount_total = total(&items, &currency, true)?;
    Ok(Order { currency, line_items: items, amount_total })
}

fn check_trial(context: &Context<'_>, wanted: &Wanted) -> Result<bool, ApiError> {
    let plan = wanted.subscription_data.clone().unwrap_or_default();
    let refuse = |message: &str| Err(ApiError::invalid(message).param("subscription_data[trial_end]"));
    match (plan.trial_end, plan.trial_period_days) {
        (Some(_), Some(_)) => refuse("You may only specify one of these parameters: trial_end, trial_period_days."),
        (Some(end), None) if end < context.now().saturating_add(TWO_DAYS) => {
            refuse("The `trial_end` date has to be at least 2 days in the future.")
        }
        (None, Some(days)) if days > 730 => refuse("The maximum number of trial period days is 730 (2 years)."),
        (end, days) => Ok(end.is_some() || days.is_some()),
    }
}

/// Stores the price that a line describes, and its product: the invoices of the subscription go on using them.
fn keep_price(
    state: &mut State,
    context: &Context<'_>,
    item: &mut LineItem,
    (currency, recurring): (&str, Option<price::Recurring>),
) {
    if !item.is_listed_product {
        state.products.insert(Product {
            id: item.product.clone(),
            created: context.now(),
            updated: context.now(),
            details: ProductDetails {
                name: item.name.clone(),
                description: item.description.clone(),
                images: Some(item.images.clone()),
                metadata: item.product_metadata.clone(),
                tax_code: item.tax_code.clone(),
                unit_label: item.unit_label.clone(),
                ..ProductDetails::default()
            },
        });
        item.is_listed_product = true;
    }
    let exact = item.unit_amount_decimal.clone().unwrap_or_else(|| item.unit_amount.to_string());
    let made = Price {
        id: item.price.clone(),
        created: context.now(),
        product: item.product.clone(),
        currency: currency.to_owned(),
        unit_amount_decimal: exact,
        recurring,
        currency_options: BTreeMap::new(),
        details: PriceDetails { tax_behavior: Some(item.tax_behavior.clone()), ..PriceDetails::default() },
    };
    item.listed_price = Some(price::to_json(&made));
    state.prices.insert(made);
}

/// The card of a subscription is always saved, for charges off session.
pub(super) fn with_future_usage(mut session: Session) -> Session {
    if session.mode == Mode::Subscription {
        session.payment_intent_data.setup_future_usage = Some("off_session".to_owned());
        session.payment_intent_data.description = Some("Subscription creation".to_owned());
    }
    session
}
