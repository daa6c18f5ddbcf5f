//! The lines of invoices: from subscription items, from waiting invoice items, and their tax.

use super::{
    catalog::{self, Priced},
    interval::Period,
    invoice::{InvoiceItem, Line, Pricing, Source},
    proration,
    subscription::{BillingMode, Item, Subscription},
};
use crate::model::{Context, State, account, currency};

/// What the lines of a subscription are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Trial,
    Service,
}

/// One line for each item's current period.
pub(crate) fn of_items(state: &State, context: &mut Context<'_>, subscription: &Subscription, of: Of) -> Vec<Line> {
    let due: Vec<&Item> = subscription.items.iter().collect();
    of_some_items(state, context, subscription, &due, of)
}

/// One line for the current period of each of these items.
pub(crate) fn of_some_items(
    state: &State,
    context: &mut Context<'_>,
    subscription: &Subscription,
    items: &[&Item],
    of: Of,
) -> Vec<Line> {
    items.iter().filter_map(|item| of_item(state, context, subscription, item, of)).collect()
}

fn of_item(state: &State, context: &mut Context<'_>, subscription: &Subscription, item: &Item, of: Of) -> Option<Line> {
    let price = catalog::price_in(state, &item.price, &subscription.currency)?;
    // Usage is billed afterwards, and there is none here. Flexible subscriptions do not show it as zero.
    if price.metered && subscription.billing_mode == BillingMode::Flexible {
        return None;
    }
    let quantity = item.quantity.unwrap_or(0);
    let is_trial = of == Of::Trial;
    let description = if is_trial {
        format!("Trial period for {}", price.product_name)
    } else {
        format!("{quantity} × {} (at {})", price.product_name, rate(&price))
    };
    Some(Line {
        id: context.ids.next("il_1", 23),
        amount: if is_trial { 0 } else { price.amount(quantity) },
        currency: subscription.currency.clone(),
        description: Some(description),
        period: item.period,
        proration: false,
        pricing: Some(pricing(&price, is_trial)),
        quantity: item.quantity,
        source: Source::SubscriptionItem(item.id.clone()),
        subscription: Some(subscription.id.clone()),
        subscription_item: Some(item.id.clone()),
        discountable: true,
        tax_inclusive: price.tax_inclusive,
        tax: None,
        metadata: item.metadata.clone(),
    })
}

fn pricing(price: &Priced, is_trial: bool) -> Pricing {
    Pricing {
        price: price.id.clone(),
        product: price.product.clone(),
        unit_amount: if is_trial { "0".to_owned() } else { price.unit_amount_text.clone() },
    }
}

/// `$20.00 / month`
fn rate(price: &Priced) -> String {
    let each = currency::format(price.amount(1), &price.currency);
    match price.interval {
        Some(interval) if interval.count == 1 => format!("{each} / {}", interval.unit.as_str()),
        Some(interval) => format!("{each} every {} {}s", interval.count, interval.unit.as_str()),
        None => each,
    }
}

/// A change from one item to another in the middle of a period, at a time: credit for the unused rest of the old one,
/// and the charge for the rest of the new one.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) subscription: &'a Subscription,
    pub(crate) old: Option<&'a Item>,
    pub(crate) new: Option<&'a Item>,
    pub(crate) at: i64,
}

/// The invoice items of a change, credit first. They belong to the customer and wait for an invoice.
pub(crate) fn prorations(state: &State, context: &mut Context<'_>, change: &Change<'_>) -> Vec<InvoiceItem> {
    let mut made = Vec::new();
    for (item, sign, words) in [(change.old, -1, "Unused time on"), (change.new, 1, "Remaining time on")] {
        let Some(item) = item else { continue };
        let of = &change.subscription.currency;
        let price = catalog::price_in(state, &item.price, of).filter(|price| !price.metered);
        let Some(price) = price else { continue };
        let quantity = item.quantity.unwrap_or(1);
        let rest = proration::rest_of(price.amount(quantity), item.period, change.at);
        let date = super::interval::date_text(change.at);
        made.push(InvoiceItem {
            id: context.ids.next("ii_1", 23),
            created: context.now(),
            customer: change.subscription.customer.clone(),
            amount: rest.saturating_mul(sign),
            currency: change.subscription.currency.clone(),
            description: Some(format!("{words} {} after {date}", price.product_name)),
            period: Period { start: change.at, end: item.period.end },
            proration: true,
            pricing: Some(pricing(&price, false)),
            quantity,
            discountable: false,
            tax_inclusive: price.tax_inclusive,
            subscription: Some(change.subscription.id.clone()),
            subscription_item: Some(item.id.clone()),
            invoice: None,
            metadata: std::collections::BTreeMap::new(),
        });
    }
    made
}

/// An invoice item that waits for the next invoice of a subscription, of a line that was computed for it.
pub(crate) fn waiting_item(
    context: &mut Context<'_>,
    (customer, subscription): (&str, &str),
    line: Line,
) -> InvoiceItem {
    InvoiceItem {
        id: context.ids.next("ii_1", 23),
        created: context.now(),
        customer: customer.to_owned(),
        amount: line.amount,
        currency: line.currency,
        description: line.description,
        period: line.period,
        proration: false,
        pricing: line.pricing,
        quantity: line.quantity.unwrap_or(1),
        discountable: line.discountable,
        tax_inclusive: line.tax_inclusive,
        subscription: Some(subscription.to_owned()),
        subscription_item: None,
        invoice: None,
        metadata: line.metadata,
    }
}

/// A line for an invoice item.
pub(crate) fn of_invoice_item(context: &mut Context<'_>, item: &InvoiceItem) -> Line {
    Line {
        id: context.ids.next("il_1", 23),
        amount: item.amount,
        currency: item.currency.clone(),
        description: item.description.clone(),
        period: item.period,
        proration: item.proration,
        pricing: item.pricing.clone(),
        quantity: Some(item.quantity),
        source: Source::InvoiceItem(item.id.clone()),
        subscription: item.subscription.clone(),
        subscription_item: item.subscription_item.clone(),
        discountable: item.discountable,
        tax_inclusive: item.tax_inclusive,
        tax: None,
        metadata: item.metadata.clone(),
    }
}

/// The waiting invoice items of a customer that an invoice of this subscription, or of none, takes up; oldest first.
pub(crate) fn waiting(state: &State, customer: &str, subscription: Option<&str>, currency: &str) -> Vec<InvoiceItem> {
    of_customer(state, customer)
        .filter_map(|(_, id)| state.invoice_items.get(&id))
        .filter(|item| item.currency == currency)
        .filter(|item| match (&item.subscription, subscription) {
            (Some(of), Some(wanted)) => of == wanted,
            (Some(_), None) => false,
            (None, _) => true,
        })
        .cloned()
        .collect()
}

/// The currency of what waits longest for an invoice of a customer.
pub(crate) fn any_waiting_currency(state: &State, customer: &str) -> Option<String> {
    let first = of_customer(state, customer).next().map(|(_, id)| id)?;
    state.invoice_items.get(&first).map(|item| item.currency.clone())
}

/// The places and ids of the waiting items of a customer.
fn of_customer<'a>(state: &'a State, customer: &'a str) -> impl Iterator<Item = (u64, String)> + 'a {
    let start = (customer.to_owned(), 0);
    let mine = state.waiting_items.range(start..).take_while(move |((owner, _), _)| owner == customer);
    mine.map(|((_, place), id)| (*place, id.clone()))
}

/// Notes that invoice items are on an invoice now.
pub(crate) fn take_up(state: &mut State, items: &[InvoiceItem], invoice: &str) {
    for item in items {
        stop_waiting(state, &item.customer, &item.id);
        if let Some(item) = state.invoice_items.get_mut(&item.id) {
            item.invoice = Some(invoice.to_owned());
        }
    }
}

/// Takes an invoice item off the list of those that wait.
pub(crate) fn stop_waiting(state: &mut State, customer: &str, id: &str) {
    let place = of_customer(state, customer).find(|(_, waiting)| waiting == id).map(|(place, _)| place);
    if let Some(place) = place {
        state.waiting_items.remove(&(customer.to_owned(), place));
    }
}

/// Stores an invoice item that waits for an invoice.
pub(crate) fn keep_waiting(state: &mut State, item: InvoiceItem) {
    wait_again(state, &item.customer, &item.id);
    state.invoice_items.insert(item);
}

/// Puts an invoice item at the end of those that wait.
pub(crate) fn wait_again(state: &mut State, customer: &str, id: &str) {
    let last = of_customer(state, customer).last().map_or(0, |(place, _)| place);
    state.waiting_items.insert((customer.to_owned(), last.saturating_add(1)), id.to_owned());
}

/// Computes the tax of each line, or removes it.
pub(crate) fn set_tax(lines: &mut [Line], is_taxed: bool) {
    for line in lines {
        line.tax = is_taxed.then(|| account::tax_of(line.amount, line.tax_inclusive, currency::step(&line.currency)));
    }
}
