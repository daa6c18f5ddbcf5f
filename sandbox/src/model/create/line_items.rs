//! The line items of a session, in one currency and within its limits.

use super::wanted::{Wanted, WantedItem, WantedPrice};
use crate::model::{
    Context, State, currency,
    decimal::{self, Decimal},
    error::ApiError,
    price,
    price::Price,
    product,
    product::Product,
    session::LineItem,
};

/// The currency of all line items. A price with currency options follows the session's `currency`.
pub(super) fn session_currency(state: &State, wanted: &Wanted) -> Result<String, ApiError> {
    if wanted.line_items.is_empty() {
        return Err(ApiError::missing_param("line_items"));
    }
    let mut session_currency = match &wanted.currency {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => None,
    };
    for (index, item) in wanted.line_items.iter().enumerate() {
        let at = format!("line_items[{index}]");
        let (param, currency) = match (&item.price, &item.price_data) {
            (Some(id), _) => {
                let found = price::referenced(state, id, &format!("{at}[price]"))?;
                let wanted = session_currency.clone().filter(|currency| found.unit_in(currency).is_some());
                (format!("{at}[price]"), wanted.unwrap_or_else(|| found.currency.clone()))
            }
            (None, Some(price)) => {
                let param = format!("{at}[price_data][currency]");
                let currency = currency::parse(&price.currency, &param)?;
                (param, currency)
            }
            (None, None) => continue,
        };
        match &session_currency {
            Some(first) if *first != currency => {
                return Err(ApiError::invalid(format!(
                    "All line items must have the same currency: `{param}` is {currency}, but the Checkout Session's \
                     currency is {first}."
                ))
                .param(param));
            }
            _ => session_currency = Some(currency),
        }
    }
    session_currency.ok_or_else(|| ApiError::missing_param("line_items[0][price_data]"))
}

pub(super) fn line_items(
    state: &State,
    wanted: &Wanted,
    currency: &str,
    context: &mut Context<'_>,
) -> Result<Vec<LineItem>, ApiError> {
    wanted
        .line_items
        .iter()
        .enumerate()
        .map(|(index, item)| line_item(state, item, &format!("line_items[{index}]"), currency, context))
        .collect()
}

fn line_item(
    state: &State,
    item: &WantedItem,
    at: &str,
    currency: &str,
    context: &mut Context<'_>,
) -> Result<LineItem, ApiError> {
    let made = match (&item.price, &item.price_data) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: price, price_data.";
            return Err(ApiError::invalid(message).param(at));
        }
        (Some(id), None) => listed(state, id, at, currency, context)?,
        (None, Some(price)) => inline(state, price, at, currency, context)?,
        (None, None) => return Err(ApiError::missing_param(&format!("{at}[price_data]"))),
    };
    let (unit, made) = made;
    let quantity = item.quantity.ok_or_else(|| {
        ApiError::invalid(format!("Quantity is required. Add `quantity` to `{at}`"))
            .code("parameter_missing")
            .param(format!("{at}[quantity]"))
    })?;
    Ok(LineItem {
        quantity,
        // An overflow exceeds the largest charge by far, and `total` refuses it.
        amount: unit.times(quantity),
        metadata: item.metadata.clone(),
        ..made
    })
}

/// A blank line item of one unit price.
fn priced(context: &mut Context<'_>, unit: Decimal, price: String) -> LineItem {
    LineItem {
        id: context.ids.next("li_1", 23),
        price,
        product: String::new(),
        name: String::new(),
        description: None,
        unit_amount: unit.times(1),
        quantity: 1,
        amount: 0,
        tax_behavior: "unspecified".to_owned(),
        metadata: std::collections::BTreeMap::new(),
        product_metadata: std::collections::BTreeMap::new(),
        images: Vec::new(),
        unit_label: None,
        tax_code: None,
        unit_amount_decimal: unit.as_whole().is_none().then(|| unit.to_string()),
        listed_price: None,
        is_listed_product: false,
        is_recurring: false,
        tax: 0,
    }
}

/// A line item with a price of its own.
fn listed(
    state: &State,
    id: &str,
    at: &str,
    currency: &str,
    context: &mut Context<'_>,
) -> Result<(Decimal, LineItem), ApiError> {
    let param = format!("{at}[price]");
    let found = price::referenced(state, id, &param)?;
    check_active(found, &param)?;
    let unit = found.unit_in(currency).ok_or_else(|| ApiError::missing_param(&param))?;
    let product = product::referenced(state, &found.product, &param)?;
    let item = of_product(priced(context, unit, found.id.clone()), product);
    let tax_behavior = found.details.tax_behavior.clone().unwrap_or(item.tax_behavior.clone());
    let item = LineItem { tax_behavior, ..item };
    let is_recurring = found.recurring.is_some();
    Ok((unit, LineItem { listed_price: Some(price::to_json(found)), is_recurring, ..item }))
}

fn check_active(price: &Price, param: &str) -> Result<(), ApiError> {
    if price.details.active {
        return Ok(());
    }
    let message = "The price specified is inactive. This field only accepts active prices.";
    Err(ApiError::invalid(message).param(param))
}

fn of_product(item: LineItem, product: &Product) -> LineItem {
    LineItem {
        product: product.id.clone(),
        name: product.details.name.clone(),
        description: product.details.description.clone(),
        is_listed_product: true,
        ..item
    }
}

/// A line item whose price is made for the session.
fn inline(
    state: &State,
    price: &WantedPrice,
    at: &str,
    currency: &str,
    context: &mut Context<'_>,
) -> Result<(Decimal, LineItem), ApiError> {
    let unit = unit_amount(price, at, currency)?;
    let item = priced(context, unit, String::new());
    let item = LineItem {
        price: context.ids.next("price_1", 23),
        is_recurring: price.recurring.is_some(),
        tax_behavior: price.tax_behavior.clone().unwrap_or(item.tax_behavior.clone()),
        ..item
    };
    let item = match (&price.product, &price.product_data) {
        (None, Some(data)) => LineItem {
            product: context.ids.next("prod_", 14),
            name: data.name.clone(),
            description: data.description.clone(),
            product_metadata: data.metadata.clone(),
            images: data.images.clone(),
            unit_label: data.unit_label.clone(),
            tax_code: data.tax_code.clone(),
            ..item
        },
        (Some(id), None) => of_product(item, product::referenced(state, id, &format!("{at}[price_data][product]"))?),
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: product, product_data.";
            return Err(ApiError::invalid(message).param(format!("{at}[price_data]")));
        }
        (None, None) => return Err(ApiError::missing_param(&format!("{at}[price_data][product_data]"))),
    };
    Ok((unit, item))
}

fn unit_amount(price: &WantedPrice, at: &str, currency: &str) -> Result<Decimal, ApiError> {
    let param = format!("{at}[price_data][unit_amount]");
    let amount = match (price.unit_amount, price.unit_amount_decimal.as_deref()) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(param));
        }
        (None, Some(text)) => return decimal::parse(text).ok_or_else(|| ApiError::internal("a decimal")),
        (given, None) => given.ok_or_else(|| ApiError::missing_param(&param))?,
    };
    let step = currency::step(currency);
    if amount.rem_euclid(step) != 0 {
        return Err(ApiError::invalid(format!(
            "Invalid integer: amounts in {currency} must be evenly divisible by {step}."
        ))
        .code("parameter_invalid_integer")
        .param(param));
    }
    Ok(Decimal::whole(amount))
}

/// The total, checked against the limits of the currency.
pub(super) fn total(line_items: &[LineItem], currency: &str, may_be_free: bool) -> Result<i64, ApiError> {
    let total = line_items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.amount));
    let minimum = currency::minimum(currency);
    // Nothing is due at the start of a trial.
    if total < minimum && !(may_be_free && total == 0) {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must add up to at least {} {currency}",
            currency::format(minimum, currency)
        ))
        .code("amount_too_small"));
    }
    let maximum = currency::maximum(currency);
    if total > maximum {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must be no more than {} {currency}",
            currency::format(maximum, currency)
        ))
        .code("amount_too_large"));
    }
    Ok(total)
}
