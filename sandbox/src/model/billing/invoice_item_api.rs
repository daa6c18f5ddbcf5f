//! `/v1/invoiceitems`: amounts that wait for an invoice, or are put on a draft.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    agenda, catalog, change,
    interval::Period,
    invoice::{self, InvoiceItem, InvoiceStatus, Pricing, Source},
    invoice_json, invoice_params as accepted, lines,
    subscription_params::EXPAND,
    wanted_items::{self, WantedPrice},
};
use crate::model::{
    Context, State, currency, customer,
    error::ApiError,
    list::{self, Page, Range},
    metadata,
    params::Params,
    price,
    request::{Method, Request, precheck_expansions, read, unrecognized},
    spec,
};

pub(crate) fn route(
    state: &mut State,
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Value, ApiError> {
    let params = &request.params;
    let id = match (request.method, rest) {
        (Method::Get, []) => return list(state, params),
        (Method::Post, []) => create(state, context, params)?,
        (Method::Get, [id]) => {
            invoice::find_item(state, id)?;
            spec::check(params, &[EXPAND])?;
            (*id).to_owned()
        }
        (Method::Post, [id]) => {
            update(state, context, id, params)?;
            (*id).to_owned()
        }
        (Method::Delete, [id]) => {
            spec::check(params, &[])?;
            return delete(state, context, id);
        }
        _ => return Err(unrecognized(request)),
    };
    invoice::find_item(state, &id).map(|item| invoice_json::invoice_item(state, item))
}

#[derive(Debug, Deserialize)]
struct Wanted {
    customer: Option<String>,
    currency: Option<String>,
    invoice: Option<String>,
    subscription: Option<String>,
    amount: Option<i64>,
    description: Option<String>,
    discountable: Option<bool>,
    period: Option<Period>,
    price_data: Option<WantedPrice>,
    pricing: Option<WantedPricing>,
    price: Option<String>,
    quantity: Option<i64>,
    tax_behavior: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WantedPricing {
    price: Option<String>,
}

fn create(state: &mut State, context: &mut Context<'_>, params: &Params) -> Result<String, ApiError> {
    let wanted: Wanted = read(&metadata::without_unset(params), &accepted::create_item_fields())?;
    precheck_expansions(params, "invoiceitem")?;
    let draft = match &wanted.invoice {
        Some(id) => Some(editable(state, id)?),
        None => None,
    };
    let of_draft = draft.as_ref().and_then(|draft| state.invoices.get(draft)?.customer.clone());
    let customer = wanted.customer.clone().or(of_draft).ok_or_else(|| ApiError::missing_param("customer"))?;
    customer::referenced(state, &customer, "customer")?;
    if let Some(id) = &wanted.subscription
        && state.subscriptions.get(id).is_none()
    {
        return Err(ApiError::missing_reference("subscription", id, "subscription"));
    }
    let metadata = metadata::changed(&BTreeMap::new(), params)?;
    agenda::at_customers_time(state, context, &customer, |state, context| {
        let mut item = priced(state, context, &wanted, &customer)?;
        item.metadata = metadata;
        item.invoice.clone_from(&draft);
        let (id, rendered) = (item.id.clone(), invoice_json::invoice_item(state, &item));
        match &draft {
            Some(draft) => {
                let line = lines::of_invoice_item(context, &item);
                state.invoice_items.insert(item);
                change::invoice_silently(state, draft, |found| {
                    found.lines.push(line);
                    lines::set_tax(&mut found.lines, found.automatic_tax);
                });
            }
            None => lines::keep_waiting(state, item),
        }
        state.emit(context, "invoiceitem.created", rendered);
        Ok(id)
    })
}

/// A draft, whose lines may still change.
fn editable(state: &State, id: &str) -> Result<String, ApiError> {
    let found = state.invoices.get(id).ok_or_else(|| ApiError::missing_reference("invoice", id, "invoice"))?;
    if found.status == InvoiceStatus::Draft {
        return Ok(id.to_owned());
    }
    let message = "Invoice items can only be added to draft invoices.";
    Err(ApiError::invalid(message).code("invoice_not_editable").param("invoice"))
}

/// The item with its amount: given as such, or by a price.
fn priced(
    state: &mut State,
    context: &mut Context<'_>,
    wanted: &Wanted,
    customer: &str,
) -> Result<InvoiceItem, ApiError> {
    let quantity = wanted.quantity.unwrap_or(1);
    let named = wanted.pricing.as_ref().and_then(|pricing| pricing.price.clone()).or_else(|| wanted.price.clone());
    let named = match (named, &wanted.price_data) {
        (Some(id), _) => Some(id),
        (None, Some(data)) => Some(wanted_items::inline_price(state, context, data, "")?),
        (None, None) => None,
    };
    let now = context.now();
    let mut item = InvoiceItem {
        id: context.ids.next("ii_1", 23),
        created: now,
        customer: customer.to_owned(),
        amount: 0,
        currency: String::new(),
        description: wanted.description.clone(),
        period: wanted.period.unwrap_or(Period { start: now, end: now }),
        proration: false,
        pricing: None,
        quantity,
        discountable: wanted.discountable.unwrap_or(true),
        tax_inclusive: wanted.tax_behavior.as_deref() == Some("inclusive"),
        subscription: wanted.subscription.clone(),
        subscription_item: None,
        invoice: None,
        metadata: BTreeMap::new(),
    };
    match (named, wanted.amount) {
        (Some(_), Some(_)) => {
            return Err(
                ApiError::invalid("You may only specify one of these parameters: amount, price.").param("price")
            );
        }
        (Some(id), None) => {
            price::referenced(state, &id, "pricing[price]")?;
            let own = catalog::price(state, &id).map(|price| price.currency).unwrap_or_default();
            let text = wanted.currency.clone().unwrap_or(own);
            item.currency = currency::parse(&text, "currency")?;
            let line = wanted_items::line_of_price(state, context, (&id, quantity, &item.currency), "pricing[price]")?;
            item.amount = line.amount;
            item.pricing = line.pricing;
            item.tax_inclusive |= line.tax_inclusive;
            item.description = item.description.or(line.description);
        }
        (None, Some(amount)) => {
            let text = wanted.currency.as_deref().ok_or_else(|| ApiError::missing_param("currency"))?;
            item.currency = currency::parse(text, "currency")?;
            item.amount = amount;
            item.quantity = 1;
            item.pricing = Some(amount_price(state, context, &item));
        }
        (None, None) => return Err(ApiError::missing_param("amount")),
    }
    Ok(item)
}

/// Stripe shows a price of its own for an amount without one.
fn amount_price(state: &State, context: &mut Context<'_>, item: &InvoiceItem) -> Pricing {
    let product = state.products.iter().next().map(|product| product.id.clone());
    Pricing {
        price: context.ids.next("price_1", 23),
        product: product.unwrap_or_else(|| context.ids.next("prod_", 14)),
        unit_amount: item.amount.to_string(),
    }
}

/// Changes an item that waits, or is on a draft.
fn update(state: &mut State, context: &mut Context<'_>, id: &str, params: &Params) -> Result<(), ApiError> {
    let found = invoice::find_item(state, id)?.clone();
    let wanted: Wanted = read(&metadata::without_unset(params), &accepted::update_item_fields())?;
    if let Some(invoice) = &found.invoice {
        editable(state, invoice)?;
    }
    let metadata = metadata::changed(&found.metadata, params)?;
    let before = invoice_json::invoice_item(state, &found);
    let quantity = wanted.quantity.unwrap_or(found.quantity);
    let unit = found.amount.checked_div(found.quantity.max(1)).unwrap_or(found.amount);
    let changed = InvoiceItem {
        amount: wanted
            .amount
            .unwrap_or_else(|| if wanted.quantity.is_some() { unit.saturating_mul(quantity) } else { found.amount }),
        description: wanted.description.or(found.description),
        discountable: wanted.discountable.unwrap_or(found.discountable),
        period: wanted.period.unwrap_or(found.period),
        quantity,
        metadata,
        ..found
    };
    state.invoice_items.insert(changed.clone());
    if let Some(draft) = &changed.invoice {
        change::invoice_silently(state, draft, |found| {
            let own = Source::InvoiceItem(changed.id.clone());
            if let Some(line) = found.lines.iter_mut().find(|line| line.source == own) {
                line.amount = changed.amount;
                line.quantity = Some(changed.quantity);
                line.description.clone_from(&changed.description);
            }
            lines::set_tax(&mut found.lines, found.automatic_tax);
        });
    }
    let after = invoice_json::invoice_item(state, &changed);
    if before != after {
        state.emit_diff(context, "invoiceitem.updated", &before, after);
    }
    Ok(())
}

fn delete(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    let found = invoice::find_item(state, id)?.clone();
    if let Some(draft) = &found.invoice {
        let draft = editable(state, draft)?;
        change::invoice_silently(state, &draft, |invoice| {
            invoice.lines.retain(|line| line.source != Source::InvoiceItem(found.id.clone()));
        });
    }
    lines::stop_waiting(state, &found.customer, id);
    state.invoice_items.remove(id);
    let rendered = invoice_json::invoice_item(state, &found);
    state.emit(context, "invoiceitem.deleted", rendered);
    Ok(json!({ "id": id, "object": "invoiceitem", "deleted": true }))
}

fn list(state: &State, params: &Params) -> Result<Value, ApiError> {
    #[derive(Deserialize)]
    struct Filter {
        #[serde(flatten)]
        page: Page,
        created: Option<Range>,
        customer: Option<String>,
        invoice: Option<String>,
        pending: Option<bool>,
    }
    let filter: Filter = read(params, accepted::LIST_ITEMS)?;
    list::page(
        &state.invoice_items,
        &filter.page,
        ("invoiceitem", "/v1/invoiceitems"),
        |item| {
            filter.created.as_ref().is_none_or(|range| range.contains(item.created))
                && filter.customer.as_ref().is_none_or(|customer| *customer == item.customer)
                && (filter.invoice.is_none() || filter.invoice == item.invoice)
                && filter.pending.is_none_or(|pending| pending == item.invoice.is_none())
        },
        |item| invoice_json::invoice_item(state, item),
    )
}
