//! The line items of a session, in one currency and within its limits.

use super::wanted::{Wanted, WantedItem, WantedPrice, WantedProduct};
use crate::model::{Context, currency, error::ApiError, session::LineItem};

pub(super) fn session_currency(wanted: &Wanted) -> Result<String, ApiError> {
    if wanted.line_items.is_empty() {
        return Err(ApiError::missing_param("line_items"));
    }
    let mut session_currency = match &wanted.currency {
        Some(text) => Some(currency::parse(text, "currency")?),
        None => None,
    };
    for (index, item) in wanted.line_items.iter().enumerate() {
        let Some(price) = &item.price_data else { continue };
        let param = format!("line_items[{index}][price_data][currency]");
        let currency = currency::parse(&price.currency, &param)?;
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
    wanted: &Wanted,
    currency: &str,
    context: &mut Context<'_>,
) -> Result<Vec<LineItem>, ApiError> {
    wanted
        .line_items
        .iter()
        .enumerate()
        .map(|(index, item)| line_item(item, &format!("line_items[{index}]"), currency, context))
        .collect()
}

fn line_item(item: &WantedItem, at: &str, currency: &str, context: &mut Context<'_>) -> Result<LineItem, ApiError> {
    if let Some(price) = &item.price {
        return Err(ApiError::missing_reference("price", price, &format!("{at}[price]")));
    }
    let Some(price) = &item.price_data else {
        return Err(ApiError::missing_param(&format!("{at}[price_data]")));
    };
    let unit_amount = unit_amount(price, at, currency)?;
    let product = product(price, at)?;
    let quantity = item.quantity.ok_or_else(|| {
        ApiError::invalid(format!("Quantity is required. Add `quantity` to `{at}`"))
            .code("parameter_missing")
            .param(format!("{at}[quantity]"))
    })?;
    Ok(LineItem {
        id: context.ids.next("li_1", 23),
        price: context.ids.next("price_1", 23),
        product: context.ids.next("prod_", 14),
        name: product.name.clone(),
        description: product.description.clone(),
        unit_amount,
        quantity,
        // An overflow exceeds the largest charge by far, and `total` refuses it.
        amount: unit_amount.saturating_mul(quantity),
        tax_behavior: price.tax_behavior.clone().unwrap_or_else(|| "unspecified".to_owned()),
        metadata: item.metadata.clone(),
        product_metadata: product.metadata.clone(),
        images: product.images.clone(),
        unit_label: product.unit_label.clone(),
        tax_code: product.tax_code.clone(),
    })
}

fn unit_amount(price: &WantedPrice, at: &str, currency: &str) -> Result<i64, ApiError> {
    let param = format!("{at}[price_data][unit_amount]");
    let amount = price.unit_amount.ok_or_else(|| ApiError::missing_param(&param))?;
    let step = currency::step(currency);
    if amount.rem_euclid(step) != 0 {
        return Err(ApiError::invalid(format!(
            "Invalid integer: amounts in {currency} must be evenly divisible by {step}."
        ))
        .code("parameter_invalid_integer")
        .param(param));
    }
    Ok(amount)
}

fn product<'a>(price: &'a WantedPrice, at: &str) -> Result<&'a WantedProduct, ApiError> {
    match (&price.product, &price.product_data) {
        (None, Some(product)) => Ok(product),
        (Some(id), None) => {
            let param = format!("{at}[price_data][product]");
            Err(ApiError::missing_reference("product", id, &param))
        }
        (Some(_), Some(_)) => {
            Err(ApiError::invalid("You may only specify one of these parameters: product, product_data.")
                .param(format!("{at}[price_data]")))
        }
        (None, None) => Err(ApiError::missing_param(&format!("{at}[price_data][product_data]"))),
    }
}

/// The total, checked against the limits of the currency.
pub(super) fn total(line_items: &[LineItem], currency: &str) -> Result<i64, ApiError> {
    let total = line_items.iter().fold(0_i64, |sum, item| sum.saturating_add(item.amount));
    let minimum = currency::minimum(currency);
    if total < minimum {
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
