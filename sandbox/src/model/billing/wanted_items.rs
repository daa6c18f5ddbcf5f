//! Items and prices in requests: named, or described and then stored.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    catalog,
    interval::Period,
    invoice::{Line, Pricing, Source},
};
use crate::model::{
    Context, State, currency, decimal,
    error::ApiError,
    price::{self, Price, PriceDetails, Recurring},
    product,
};

/// A price given inline.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct WantedPrice {
    currency: String,
    product: String,
    recurring: Option<WantedRecurring>,
    unit_amount: Option<i64>,
    unit_amount_decimal: Option<String>,
    tax_behavior: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct WantedRecurring {
    interval: String,
    interval_count: Option<i64>,
}

/// An item of a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WantedItem {
    pub(crate) id: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) price_data: Option<WantedPrice>,
    pub(crate) quantity: Option<i64>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
    pub(crate) deleted: bool,
}

impl WantedItem {
    /// The id of its price, if it names or describes one. A described price is stored, inactive.
    pub(crate) fn price_id(
        &self,
        state: &mut State,
        context: &mut Context<'_>,
        at: &str,
    ) -> Result<Option<String>, ApiError> {
        match (self.price.as_ref().or(self.plan.as_ref()), &self.price_data) {
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("You may only specify one of these parameters: price, price_data.").param(at))
            }
            (Some(id), None) => {
                price::referenced(state, id, &format!("{at}[price]"))?;
                Ok(Some(id.clone()))
            }
            (None, Some(wanted)) => inline_price(state, context, wanted, at).map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Stores a price that a request describes. It is not active: it cannot be used elsewhere.
pub(crate) fn inline_price(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &WantedPrice,
    at: &str,
) -> Result<String, ApiError> {
    let currency = currency::parse(&wanted.currency, &format!("{at}[price_data][currency]"))?;
    product::referenced(state, &wanted.product, &format!("{at}[price_data][product]"))?;
    let amount = match (&wanted.unit_amount_decimal, wanted.unit_amount) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(ApiError::invalid(message).param(format!("{at}[price_data]")));
        }
        (Some(text), None) => text.clone(),
        (None, Some(amount)) => decimal::Decimal::whole(amount).to_string(),
        (None, None) => return Err(ApiError::missing_param(&format!("{at}[price_data][unit_amount]"))),
    };
    let id = context.ids.next("price_1", 23);
    state.prices.insert(Price {
        id: id.clone(),
        created: context.now(),
        product: wanted.product.clone(),
        currency,
        unit_amount_decimal: amount,
        recurring: wanted.recurring.as_ref().map(|recurring| Recurring {
            interval: recurring.interval.clone(),
            interval_count: recurring.interval_count.unwrap_or(1),
            meter: None,
            trial_period_days: None,
            usage_type: "licensed".to_owned(),
        }),
        currency_options: BTreeMap::new(),
        details: PriceDetails { tax_behavior: wanted.tax_behavior.clone(), ..PriceDetails::default() },
    });
    Ok(id)
}

/// A line for a price that is paid once, on the first or the next invoice.
pub(crate) fn once_line(
    state: &mut State,
    context: &mut Context<'_>,
    (wanted, currency): (&WantedItem, &str),
    at: &str,
) -> Result<Line, ApiError> {
    let price = wanted.price_id(state, context, at)?;
    let price = price.ok_or_else(|| ApiError::missing_param(&format!("{at}[price]")))?;
    let quantity = wanted.quantity.unwrap_or(1);
    line_of_price(state, context, (&price, quantity, currency), at)
}

/// A line for a price that is paid once.
pub(crate) fn line_of_price(
    state: &State,
    context: &mut Context<'_>,
    (price, quantity, currency): (&str, i64, &str),
    at: &str,
) -> Result<Line, ApiError> {
    let found = catalog::price_in(state, price, currency)
        .ok_or_else(|| ApiError::invalid("The price has another currency.").param(at))?;
    if found.interval.is_some() {
        let message = format!(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`: \
             {price}"
        );
        return Err(ApiError::invalid(message).param(at));
    }
    let now = context.now();
    Ok(Line {
        id: context.ids.next("il_1", 23),
        amount: found.amount(quantity),
        currency: currency.to_owned(),
        description: Some(found.product_name.clone()),
        period: Period { start: now, end: now },
        proration: false,
        pricing: Some(Pricing {
            price: found.id.clone(),
            product: found.product.clone(),
            unit_amount: found.unit_amount_text.clone(),
        }),
        quantity: Some(quantity),
        source: Source::InvoiceItem(context.ids.next("ii_1", 23)),
        subscription: None,
        subscription_item: None,
        discountable: true,
        tax_inclusive: found.tax_inclusive,
        tax: None,
        metadata: BTreeMap::new(),
    })
}
